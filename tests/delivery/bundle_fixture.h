/*
 * A small PKI: root -> middle -> leaf (EC) and rsa_leaf; stranger signs itself. And what is asked
 * of bundle_read.
 */
#ifndef TESTS_DELIVERY_BUNDLE_FIXTURE_H
#define TESTS_DELIVERY_BUNDLE_FIXTURE_H

#include "base/err.h"
#include "delivery/bundle.h"
#include "tests/lib/make_pki.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

extern struct pki root, middle, leaf, rsa_leaf, stranger;
extern char *root_pem, *middle_pem, *leaf_pem, *rsa_pem, *stranger_pem, *leaf_key, *rsa_key;

/* cmocka's setup and teardown of a group. */
int bundle_fixture_set_up(void **state);
int bundle_fixture_tear_down(void **state);

struct given {
	const char *certificate, *chain, *key, *passphrase; /* NULL: none */
	const unsigned char *pkcs12;
	size_t pkcs12_len;
	bool keep_root, no_key;
	int64_t now_s; /* 0: NOW_S */
};

#define GIVEN(pem, more, key_pem, phrase)                                                          \
	(&(struct given){                                                                          \
		.certificate = (pem), .chain = (more), .key = (key_pem), .passphrase = (phrase)})

/* Valid now, issued by `by` (NULL: by itself). */
struct pki bundle_make(const char *name, bool is_ca, const char *algorithm, const struct pki *by);
char *bundle_join(const char *a, const char *b, const char *c); /* owned */
int bundle_ask(const struct given *given, struct bundle *ret_bundle, struct err *err);
void bundle_expect_refused(const struct given *given, const char *code, const char *says);
struct bundle bundle_take(const struct given *given);
bool bundle_has_note(const struct bundle *bundle, const char *says);
void bundle_assert_der(const struct bundle_der *der, const struct pki *pki);
/* The EC leaf below the intermediate, and the key as PKCS#8. */
void bundle_expect_leaf(const struct given *given, size_t notes);

#endif
