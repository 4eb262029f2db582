/*
 * Checks AWS Signature Version 4 from the outside: canonical request, string to sign and signature
 * are computed anew from what arrived on the wire. Source: facts as in AWS's signing documentation.
 */
#ifndef TESTS_AWSSIM_SIGV4_H
#define TESTS_AWSSIM_SIGV4_H

#include "tests/awssim/http.h"

struct sigv4 {
	char access_key[129];
	char date[9]; /* of the scope */
	char region[41], service[41];
	struct slice signed_headers, signature; /* borrowed from the request */
	char amz_date[17];
	int64_t signed_at_s;
};

enum sigv4_result {
	SIGV4_OK,
	SIGV4_MISSING,	  /* no Authorization header */
	SIGV4_INCOMPLETE, /* a part is absent or malformed */
	SIGV4_WRONG,	  /* complete, but something is not as it has to be */
};

/*
 * Reads the Authorization header and x-amz-date and checks all that needs no secret: form, the
 * scope's date, that host, every x-amz-* header and a body's content-type are signed, the declared
 * body hash. *ret_why is a static text on failure.
 */
enum sigv4_result sigv4_read(
	const struct http_request *request, struct sigv4 *ret_auth, const char **ret_why);

/* Whether the signature was made with secret. */
bool sigv4_matches(
	const struct http_request *request, const struct sigv4 *auth, const char *secret);

/* Appends the canonical request, for the error message that AWS sends. */
void sigv4_canonical(const struct http_request *request, const struct sigv4 *auth, struct out *out);

#endif
