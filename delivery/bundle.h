/*
 * A certificate to be delivered: leaf, private key and chain, read from what people have (PEM in
 * any order, with text around it, DER, PKCS#7 or PKCS#12; the key encrypted or not), checked here,
 * and brought into the form that ACM takes. Pure but for OpenSSL.
 */
#ifndef DELIVERY_BUNDLE_H
#define DELIVERY_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/x509.h"

struct buf;
struct err;

enum {
	BUNDLE_INPUT_MAX = 2097152 + 65536, /* ACM's limits of a chain and a certificate */
	BUNDLE_CHAIN_MAX = 16,
	BUNDLE_KEY_MAX = 5120, /* ACM's, PEM with its armour */
	BUNDLE_NOTES_MAX = 16,
};

/* All borrowed; each may hold more than it is named for (a leaf's file with its chain, one file
 * with everything), and may be NULL. */
struct bundle_input {
	const char *certificate; /* PEM, also of PKCS#7; or base64 of PEM or DER */
	size_t certificate_len;
	const char *chain; /* the same */
	size_t chain_len;
	const struct secret *key;	 /* the same: PKCS#8, PKCS#1, SEC1, encrypted or not */
	const struct secret *pkcs12;	 /* DER; then the others are NULL */
	const struct secret *passphrase; /* NULL: none */
	bool keep_root; /* a self-signed root at the end of the chain is sent too */
	int64_t now_s;
};

struct bundle_der {
	unsigned char *bytes; /* owned */
	size_t len;
	struct x509_facts facts; /* owned */
};

struct bundle {
	struct bundle_der leaf;
	struct bundle_der chain[BUNDLE_CHAIN_MAX]; /* in order, leaf's issuer first; no leaf */
	size_t chain_count;
	struct secret key_pem;	/* PKCS#8; unset when the input had none (a CSR's certificate) */
	char key_algorithm[24]; /* of the leaf, AWS's form */
	/* What was put right, each one sentence for people: "the chain repeated the leaf". */
	char *note[BUNDLE_NOTES_MAX]; /* owned */
	size_t note_count;
};

/*
 * key_required  false: the key is elsewhere (made for a CSR); the input has none
 * time          deriving a key from a passphrase may take a second: for base/worker, not the loop
 * errors        ERR_CONFIG, one sentence that says what is wrong, in which input, and what to do:
 *               key and leaf do not belong together, passphrase missing or wrong, leaf missing,
 *               expired or not yet valid (with the dates), more than one leaf, a chain that does
 *               not lead from the leaf upwards (which certificate), key type or signature that ACM
 *               does not take, sizes, no name that ACM takes. code: "wrong_key", "expired",
 *               "not_yet_valid", "chain", "passphrase", "key_type", "signature", "size", "names",
 *               "input"
 * source        facts.md 2.6, 3.1, 3.4
 */
int bundle_read(const struct bundle_input *input, bool key_required, struct bundle *ret_bundle,
	struct err *err);
void bundle_clear(struct bundle *bundle); /* wipes the key; zeroed is fine */

/* Appends the chain, the leaf's issuer first; nothing when there is none. */
void bundle_chain_pem(const struct bundle *bundle, struct buf *to);

#endif
