/*
 * AWS Signature Version 4, pure: no clock, no I/O, no credentials source.
 *
 *   canonical request -> string to sign -> signature -> Authorization header
 *
 * What is signed: every header that is given, but those that proxies and HTTP libraries may change
 * (user-agent, connection, ...), and X-Amz-Date and X-Amz-Security-Token, which are added here. The
 * caller sends what it gave plus those two and Authorization.
 *
 * source: facts.md section 1.1; all official vectors are reproduced at every stage by the test.
 */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "base/http.h"

struct buf;
struct err;
struct sigv4;

enum {
	SIGV4_DATE_MAX = 17, /* "20150830T123600Z" and a NUL */
	SIGV4_HEX_MAX = 65,  /* SHA-256 in hex and a NUL */
	SIGV4_HEADERS_MAX = 32,
	SIGV4_AUTHORIZATION_MAX = 1024, /* key id, scope and the names of the signed headers */
	SIGV4_CANONICAL_MAX = 262144,	/* a session token may take 64 KiB of it */
};

/*
 * The fetched algorithms, one MAC context and scratch memory, so that a signature costs no look-up.
 * One a process is enough; not for two threads at once. ERR_SYSTEM when OpenSSL has no SHA-256.
 */
struct sigv4 *sigv4_new(struct err *err);
void sigv4_free(struct sigv4 *sigv4); /* wipes; NULL is fine */

/*
 * A derived signing key: lives beside the credentials that it was made of, one for each region and
 * service they are used with. Zeroed is the empty one. sigv4_sign derives it again when secret,
 * date, region or service are not those it was made for.
 */
struct sigv4_key {
	struct secret secret_access_key; /* owned; to notice that it was replaced */
	struct secret signing_key;	 /* owned; 32 bytes */
	char date[9];			 /* "20150830"; "" while empty */
	char region[32];
	char service[32];
};
void sigv4_key_clear(struct sigv4_key *key); /* wipes; NULL and zeroed are fine */

/* Everything is borrowed for the call. */
struct sigv4_request {
	const char *method;
	const char *path;  /* as on the wire, already percent-encoded; starts with '/' */
	const char *query; /* as on the wire without '?'; NULL or "": none */
	const struct http_header *header; /* host must be among them */
	size_t header_count;		  /* at most SIGV4_HEADERS_MAX - 2 */
	const void *body;
	size_t body_len;
	const struct aws_credentials *credentials;
	const char *region;  /* signing region: struct endpoint */
	const char *service; /* signing name: struct aws_service_info */
	int64_t unix_s;	     /* by AWS's clock */
};

struct sigv4_signed {
	char amz_date[SIGV4_DATE_MAX]; /* value of X-Amz-Date */
	char authorization[SIGV4_AUTHORIZATION_MAX];
};

/*
 * Signs one request. With a session token the caller also sends X-Amz-Security-Token.
 *
 * key      in and out
 * errors   ERR_CREDENTIALS: no secret, or a key id or token with bytes that AWS's never have;
 *          ERR_LIMIT: larger than the limits above; ERR_CONFIG: no host header, a header name,
 *          method or path that is none, a time outside the years 1970 to 9999; ERR_SYSTEM: OpenSSL
 *          failed
 */
int sigv4_sign(struct sigv4 *sigv4, struct sigv4_key *key, const struct sigv4_request *request,
	struct sigv4_signed *ret_signed, struct err *err);

/* --- the stages, for tests -------------------------------------------------------------------- */

struct sigv4_canonical {
	const char *method;
	const char *path;
	const char *query;
	const struct http_header
		*header; /* exactly what is to be signed, and perhaps what never is */
	size_t header_count;
	const char *body_sha256; /* hex */
	bool keep_path;		 /* S3's way: no normalising (never used by the product) */
};

/* Appends the canonical request, and the names "host;x-amz-date" to signed_headers. */
int sigv4_canonical_request(const struct sigv4_canonical *request, struct buf *to,
	struct buf *signed_headers, struct err *err);

/* amz_date: SIGV4_DATE_MAX bytes. ERR_CONFIG outside the years 1970 to 9999. */
int sigv4_format_date(int64_t unix_s, char *ret_amz_date, struct err *err);

int sigv4_sha256_hex(
	struct sigv4 *sigv4, const void *bytes, size_t len, char *ret_hex, struct err *err);

/* Appends the string to sign. */
int sigv4_string_to_sign(struct sigv4 *sigv4, const char *amz_date, const char *region,
	const char *service, const struct buf *canonical, struct buf *to, struct err *err);

/* Makes key the one for this secret, day (first eight bytes of amz_date), region and service. */
int sigv4_key_derive(struct sigv4 *sigv4, struct sigv4_key *key, const struct secret *secret,
	const char *amz_date, const char *region, const char *service, struct err *err);

/* ret_hex: SIGV4_HEX_MAX bytes. */
int sigv4_signature(struct sigv4 *sigv4, const struct sigv4_key *key,
	const struct buf *string_to_sign, char *ret_hex, struct err *err);

#endif
