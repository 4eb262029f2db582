/* Private to bundle*.c: bundle_read.c collects, bundle_chain.c orders, bundle.c judges. */
#ifndef DELIVERY_BUNDLE_INTERNAL_H
#define DELIVERY_BUNDLE_INTERNAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "delivery/bundle.h"

enum { BUNDLE_FOUND_MAX = 64 };

struct bundle_found {
	struct bundle_der der; /* owned */
	X509 *x509;	       /* owned */
	bool is_used;
};

/* What the inputs hold, in whatever order. */
struct bundle_material {
	struct bundle_found item[BUNDLE_FOUND_MAX];
	size_t count;
	EVP_PKEY *key; /* owned; NULL: none */
};

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
