/*
 * The two PEM texts of GetCertificate as DER with its hash. Pure. A chain's certificates are not
 * parsed: thousands of certificates share the same few, and the store knows them by hash.
 */
#ifndef DISCOVERY_CERT_PEM_H
#define DISCOVERY_CERT_PEM_H

#include <stddef.h>

#include "store/certs.h"

struct err;

struct cert_der {
	unsigned char *bytes; /* owned */
	size_t len;
	unsigned char sha256[CERT_SHA256_LEN];
};
void cert_der_clear(struct cert_der *der);

struct cert_chain {
	struct cert_der der[CERT_CHAIN_MAX]; /* owned; in AWS's order, upwards from the leaf */
	size_t count;
};
void cert_chain_clear(struct cert_chain *chain);

/* ERR_PROTOCOL: not exactly one certificate, or broken PEM; ERR_LIMIT: too large. */
int cert_leaf_read(const char *pem, struct cert_der *ret_leaf, struct err *err);

/* An empty text is an empty chain. ERR_PROTOCOL; ERR_LIMIT: too large, or more than
 * CERT_CHAIN_MAX certificates. */
int cert_chain_read(const char *pem, struct cert_chain *ret_chain, struct err *err);

#endif
