/* The facts of a certificate that exists only as facts, for tests of decisions. */
#ifndef TESTS_LIB_MAKE_FACTS_H
#define TESTS_LIB_MAKE_FACTS_H

#include "base/x509.h"

enum { NO_KEY_USAGE = 0, EMPTY_KEY_USAGE = 1 << 16 }; /* no extension; one without a bit */

/* NULL and 0 stand for: EC_prime256v1, SHA256WITHECDSA, serial "0a", CN=CA, no subject. */
struct facts_wish {
	const char *key, *signature, *serial, *subject, *issuer, *common_name;
	const char *names;	   /* "a.example,192.0.2.1"; NULL: none */
	unsigned key_usage;	   /* x509_key_usage, or of the above */
	const char *ext_key_usage; /* "A,B"; "": an empty extension; NULL: none */
	int64_t not_before_s, not_after_s;
	unsigned version; /* 0: 3 */
	size_t ocsp_url_len;
	const char *public_key; /* the same text, the same key; NULL: one of the serial's own */
	bool is_ca, is_self_issued;
};

/* Owned: x509_facts_clear. The fingerprint is of subject and serial. */
void make_facts(struct x509_facts *ret_facts, const struct facts_wish *wish);

#endif
