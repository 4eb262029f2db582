/* Private to bundle*.c: bundle_form.c tells forms apart, bundle_read.c collects with bundle_key.c,
 * bundle_chain.c orders, bundle.c judges. */
#ifndef DELIVERY_BUNDLE_INTERNAL_H
#define DELIVERY_BUNDLE_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "delivery/bundle.h"

struct buf;

enum { BUNDLE_FOUND_MAX = 64, BUNDLE_LABEL_MAX = 64 };

#define BUNDLE_IS_REQUEST                                                                          \
	"a request for a certificate (CSR), which is not the certificate that a CA makes of it"

/* One of a PEM text: -----BEGIN label-----. */
struct bundle_block {
	const char *at; /* borrowed: its first dash */
	char label[BUNDLE_LABEL_MAX];
};

struct bundle_found {
	struct bundle_der der; /* owned */
	X509 *x509;	       /* owned */
	bool is_used;
};

/* What the inputs hold, in whatever order. */
struct bundle_material {
	struct bundle_found item[BUNDLE_FOUND_MAX];
	size_t count;
	size_t seen;   /* with those that were there already */
	EVP_PKEY *key; /* owned; NULL: none */
};

/* --- forms ------------------------------------------------------------------------------------ */

bool bundle_has_pem(const char *text, size_t len);
/* The next block at the start of a line, from *at on; *at goes behind its label. */
bool bundle_next_block(
	const char *text, const char *end, const char **at, struct bundle_block *ret_block);

/* Whether text is base64 of PEM or of DER. to: begins here; owned when it is, else clear. */
bool bundle_undo_base64(const char *text, size_t len, struct buf *to);
bool bundle_is_der(const struct buf *bytes);

/* What it is, for "it is ..."; NULL: nothing known. Shared static. */
const char *bundle_pem_words(const char *text, size_t len);
const char *bundle_der_words(const struct buf *der);

/* --- the key ---------------------------------------------------------------------------------- */

bool bundle_has_key(const char *text, size_t len); /* in PEM; NULL is fine */
/* text: PEM, or base64 of PEM or DER. passphrase: NULL: none. ret_key: owned. */
int bundle_read_key(const char *text, size_t len, const struct secret *passphrase,
	EVP_PKEY **ret_key, struct bundle *bundle, struct err *err);

/* --- the rest --------------------------------------------------------------------------------- */

void bundle_material_clear(struct bundle_material *material);
int bundle_collect(const struct bundle_input *input, struct bundle_material *material,
	struct bundle *bundle, struct err *err);

/* Moves the certificates that lead upwards from the leaf into the bundle. */
int bundle_order(struct bundle_material *material, size_t leaf, bool keep_root,
	struct bundle *bundle, struct err *err);

void bundle_note(struct bundle *bundle, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int bundle_fail(struct err *err, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
