/*
 * ACM's rules for ImportCertificate, as pure functions. Written from AWS's documentation alone, so
 * that the product's predictor can be held against them; assumptions are listed in README.md.
 */
#ifndef TESTS_AWSSIM_IMPORT_RULES_H
#define TESTS_AWSSIM_IMPORT_RULES_H

#include "tests/awssim/held.h"

struct import_request {
	struct slice certificate, private_key, chain; /* PEM texts; chain.ptr NULL: none given */
	int64_t now_s;
	const char *mismatch_code; /* of a key that is not the certificate's; NULL: the usual one */
};

struct import_refusal {
	const char *code; /* static, or the request's mismatch_code */
	char message[320];
};

/* What is imported, or NULL with ret_why. Owned (held_free). */
struct held *import_read(const struct import_request *request, struct import_refusal *ret_why);

/* Only what a certificate says, without key and chain and whatever its dates. NULL: refused. */
struct held *import_read_certificate(struct slice pem, struct import_refusal *ret_why);

/* What the reimport rules compare. Borrowed. */
struct import_face {
	enum key_type key_type;
	const char *common_name; /* NULL: none */
	const char *const *dns, *const *ip;
	size_t dns_count, ip_count;
	unsigned key_usage; /* 0: no extension */
	const char *const *ext_key_usage;
	size_t ext_key_usage_count; /* 0: no extension */
};

void import_face_of(const struct held *held, struct import_face *ret_face);

/* Whether fresh may take the place of old. False with ret_why. */
bool import_may_replace(const struct import_face *old, const struct import_face *fresh,
	struct import_refusal *ret_why);

#endif
