/* What one user of a certificate serves now: the certificate as it was some time ago. */
#ifndef TESTS_AWSSIM_SERVED_H
#define TESTS_AWSSIM_SERVED_H

#include <openssl/x509.h>

#include "tests/awssim/cert.h"
#include "tests/awssim/sim.h"

struct served {
	char *arn;	  /* owned */
	int64_t delay_ms; /* until a change of the certificate is picked up */
	X509 *leaf;	  /* owned, as the next two */
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	char fingerprint[65];
	struct held *held; /* owned share; with generation: which state was taken */
	unsigned generation;
};

/* The certificate exists and was issued. */
void served_init(struct served *served, struct sim *sim, const char *arn, int64_t delay_ms);
void served_clear(struct served *served);
/* Picks up what changed long enough ago. A removed certificate is still served. */
void served_refresh(struct served *served, struct sim *sim);

#endif
