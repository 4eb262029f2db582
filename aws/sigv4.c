/*
 * SigV4 from the canonical request to the Authorization header. Algorithms are fetched once:
 * OpenSSL 3 otherwise looks them up for every hash.
 */
#include "aws/sigv4.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static const char algorithm[] = "AWS4-HMAC-SHA256";
static const char terminator[] = "aws4_request";
static const char secret_prefix[] = "AWS4";

enum {
	SHA256_LEN = 32,
	DAY_LEN = 8,	       /* "20150830" of "20150830T123600Z" */
	SECRET_KEY_MAX = 1024, /* AWS's have 40 characters */
	SIGNED_HEADERS_MAX = SIGV4_AUTHORIZATION_MAX,
	STRING_TO_SIGN_MAX = 512,
};

struct sigv4 {
	EVP_MD *sha256;		   /* owned */
	EVP_MD_CTX *digest;	   /* owned */
	EVP_MAC_CTX *hmac;	   /* owned; HMAC-SHA256, keyed anew for each use */
	struct buf canonical;	   /* scratch; secret: holds the session token */
	struct buf signed_headers; /* scratch */
	struct buf string_to_sign; /* scratch */
};

static int openssl_failed(struct err *err, const char *what)
{
	return err_set(err, ERR_SYSTEM, "OpenSSL cannot compute %s", what);
}

struct sigv4 *sigv4_new(struct err *err)
{
	struct sigv4 *sigv4 = xcalloc(1, sizeof(*sigv4));
	buf_init_secret(&sigv4->canonical, SIGV4_CANONICAL_MAX);
	buf_init(&sigv4->signed_headers, SIGNED_HEADERS_MAX);
	buf_init(&sigv4->string_to_sign, STRING_TO_SIGN_MAX);
	sigv4->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	sigv4->digest = EVP_MD_CTX_new();
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (mac != NULL)
		sigv4->hmac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac); /* the context holds it */

	char name[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	if (sigv4->sha256 == NULL || sigv4->digest == NULL || sigv4->hmac == NULL ||
		EVP_MAC_CTX_set_params(sigv4->hmac, params) != 1) {
		openssl_failed(err, "SHA-256");
		sigv4_free(sigv4);
		return NULL;
	}
	return sigv4;
}

void sigv4_free(struct sigv4 *sigv4)
{
	if (sigv4 == NULL)
		return;
	EVP_MAC_CTX_free(sigv4->hmac);
	EVP_MD_CTX_free(sigv4->digest);
	EVP_MD_free(sigv4->sha256);
	buf_clear(&sigv4->canonical);
	buf_clear(&sigv4->signed_headers);
	buf_clear(&sigv4->string_to_sign);
	free(sigv4);
}

void sigv4_key_clear(struct sigv4_key *key)
{
	if (key == NULL)
		return;
	secret_clear(&key->secret_access_key);
	secret_clear(&key->signing_key);
	*key = (struct sigv4_key){.date = ""};
}

int sigv4_format_date(int64_t unix_s, char *ret_amz_date, struct err *err)
{
	static const int64_t year_9999_end_s = INT64_C(253402300799);
	if (unix_s < 0 || unix_s > year_9999_end_s)
		return err_set(err, ERR_CONFIG, "the clock is outside the years 1970 to 9999");
	time_t time = (time_t)unix_s;
	struct tm tm;
	gmtime_r(&time, &tm);
	strftime(ret_amz_date, SIGV4_DATE_MAX, "%Y%m%dT%H%M%SZ", &tm);
	return 0;
}

int sigv4_sha256_hex(
	struct sigv4 *sigv4, const void *bytes, size_t len, char *ret_hex, struct err *err)
{
	unsigned char digest[SHA256_LEN];
	if (EVP_DigestInit_ex2(sigv4->digest, sigv4->sha256, NULL) != 1 ||
		EVP_DigestUpdate(sigv4->digest, bytes, len) != 1 ||
		EVP_DigestFinal_ex(sigv4->digest, digest, NULL) != 1)
		return openssl_failed(err, "SHA-256");
	text_hex(digest, sizeof(digest), ret_hex);
	return 0;
}

static int hmac(struct sigv4 *sigv4, const void *key, size_t key_len, const void *bytes, size_t len,
	unsigned char *ret, struct err *err)
{
	size_t ret_len;
	if (EVP_MAC_init(sigv4->hmac, key, key_len, NULL) != 1 ||
		EVP_MAC_update(sigv4->hmac, bytes, len) != 1 ||
		EVP_MAC_final(sigv4->hmac, ret, &ret_len, SHA256_LEN) != 1)
		return openssl_failed(err, "HMAC-SHA256");
	return 0;
}

int sigv4_string_to_sign(struct sigv4 *sigv4, const char *amz_date, const char *region,
	const char *service, const struct buf *canonical, struct buf *to, struct err *err)
{
	char hash[SIGV4_HEX_MAX];
	if (sigv4_sha256_hex(sigv4, buf_text(canonical), canonical->len, hash, err) != 0)
		return -1;
	buf_addf(to, "%s\n%s\n%.*s/%s/%s/%s\n%s", algorithm, amz_date, DAY_LEN, amz_date, region,
		service, terminator, hash);
	return buf_check(to, "a string to sign", err);
}

/* Steps of the derivation: each result is the key of the next. */
static int derive(struct sigv4 *sigv4, const struct secret *secret, const char *amz_date,
	const char *region, const char *service, unsigned char *ret, struct err *err)
{
	char first[sizeof(secret_prefix) + SECRET_KEY_MAX];
	size_t prefix_len = strlen(secret_prefix);
	/* Bytes of a key, not a string. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(first, secret_prefix, prefix_len);
	memcpy(first + prefix_len, secret_bytes(secret), secret->len);
	int rc = hmac(sigv4, first, prefix_len + secret->len, amz_date, DAY_LEN, ret, err);
	mem_wipe(first, sizeof(first));
	if (rc == 0)
		rc = hmac(sigv4, ret, SHA256_LEN, region, strlen(region), ret, err);
	if (rc == 0)
		rc = hmac(sigv4, ret, SHA256_LEN, service, strlen(service), ret, err);
	if (rc == 0)
		rc = hmac(sigv4, ret, SHA256_LEN, terminator, strlen(terminator), ret, err);
	return rc;
}

static bool is_key_for(const struct sigv4_key *key, const struct secret *secret,
	const char *amz_date, const char *region, const char *service)
{
	return strncmp(key->date, amz_date, DAY_LEN) == 0 && strcmp(key->region, region) == 0 &&
	       strcmp(key->service, service) == 0 && secret_equal(&key->secret_access_key, secret);
}

int sigv4_key_derive(struct sigv4 *sigv4, struct sigv4_key *key, const struct secret *secret,
	const char *amz_date, const char *region, const char *service, struct err *err)
{
	if (is_key_for(key, secret, amz_date, region, service))
		return 0;
	if (!secret_is_set(secret) || secret->len == 0 || secret->len > SECRET_KEY_MAX)
		return err_set(err, ERR_CREDENTIALS, "the secret access key is %s",
			secret->len > SECRET_KEY_MAX ? "too long" : "empty");
	if (strlen(region) >= sizeof(key->region) || strlen(service) >= sizeof(key->service))
		return err_set(err, ERR_CONFIG, "region or service name is too long to sign for");
	unsigned char bytes[SHA256_LEN];
	int rc = derive(sigv4, secret, amz_date, region, service, bytes, err);
	if (rc == 0) {
		secret_set(&key->signing_key, bytes, sizeof(bytes));
		secret_copy(&key->secret_access_key, secret);
		memcpy(key->date, amz_date, DAY_LEN);
		key->date[DAY_LEN] = '\0';
		text_copy(key->region, sizeof(key->region), region);
		text_copy(key->service, sizeof(key->service), service);
	}
	mem_wipe(bytes, sizeof(bytes));
	return rc;
}

int sigv4_signature(struct sigv4 *sigv4, const struct sigv4_key *key,
	const struct buf *string_to_sign, char *ret_hex, struct err *err)
{
	unsigned char signature[SHA256_LEN];
	if (hmac(sigv4, secret_bytes(&key->signing_key), key->signing_key.len,
		    buf_text(string_to_sign), string_to_sign->len, signature, err) != 0)
		return -1;
	text_hex(signature, sizeof(signature), ret_hex);
	return 0;
}

/* What goes into headers must not be able to break out of them. */
static int check_credentials(const struct aws_credentials *credentials, struct err *err)
{
	const char *at = credentials->access_key_id;
	for (; *at != '\0'; at++) {
		bool is_word = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
			       (*at >= '0' && *at <= '9') || *at == '_';
		if (!is_word)
			return err_set(err, ERR_CREDENTIALS,
				"the access key id has characters that AWS's never have");
	}
	if (at == credentials->access_key_id)
		return err_set(err, ERR_CREDENTIALS, "the access key id is empty");
	const struct secret *token = &credentials->session_token;
	for (size_t i = 0; i < token->len; i++) {
		if (token->bytes[i] <= ' ' || token->bytes[i] > '~')
			return err_set(err, ERR_CREDENTIALS,
				"the session token has characters that AWS's never have");
	}
	return 0;
}

/* The canonical request into scratch, with the two headers that signing adds. */
static int make_canonical(struct sigv4 *sigv4, const struct sigv4_request *request,
	const char *amz_date, struct err *err)
{
	enum { ADDED = 2 };
	struct http_header header[SIGV4_HEADERS_MAX];
	size_t count = request->header_count;
	if (count > SIGV4_HEADERS_MAX - ADDED)
		return err_set(err, ERR_LIMIT, "more than %d headers to be signed",
			SIGV4_HEADERS_MAX - ADDED);
	if (count > 0)
		memcpy(header, request->header, count * sizeof(header[0]));
	header[count++] = (struct http_header){"X-Amz-Date", amz_date};
	const struct secret *token = &request->credentials->session_token;
	if (token->len > 0)
		header[count++] = (struct http_header){"X-Amz-Security-Token", secret_bytes(token)};
	char body_sha256[SIGV4_HEX_MAX];
	if (sigv4_sha256_hex(sigv4, request->body, request->body_len, body_sha256, err) != 0)
		return -1;
	struct sigv4_canonical canonical = {
		.method = request->method,
		.path = request->path,
		.query = request->query,
		.header = header,
		.header_count = count,
		.body_sha256 = body_sha256,
	};
	return sigv4_canonical_request(&canonical, &sigv4->canonical, &sigv4->signed_headers, err);
}

static int sign(struct sigv4 *sigv4, struct sigv4_key *key, const struct sigv4_request *request,
	struct sigv4_signed *ret_signed, struct err *err)
{
	struct sigv4_signed made;
	char signature[SIGV4_HEX_MAX];
	if (check_credentials(request->credentials, err) != 0 ||
		sigv4_format_date(request->unix_s, made.amz_date, err) != 0 ||
		make_canonical(sigv4, request, made.amz_date, err) != 0 ||
		sigv4_string_to_sign(sigv4, made.amz_date, request->region, request->service,
			&sigv4->canonical, &sigv4->string_to_sign, err) != 0 ||
		sigv4_key_derive(sigv4, key, &request->credentials->secret_access_key,
			made.amz_date, request->region, request->service, err) != 0 ||
		sigv4_signature(sigv4, key, &sigv4->string_to_sign, signature, err) != 0)
		return -1;
	int len = snprintf(made.authorization, sizeof(made.authorization),
		"%s Credential=%s/%s/%s/%s/%s, SignedHeaders=%s, Signature=%s", algorithm,
		request->credentials->access_key_id, key->date, request->region, request->service,
		terminator, buf_text(&sigv4->signed_headers), signature);
	if (len < 0 || (size_t)len >= sizeof(made.authorization))
		return err_set(err, ERR_LIMIT, "an Authorization header of more than %zu bytes",
			sizeof(made.authorization) - 1);
	*ret_signed = made;
	return 0;
}

int sigv4_sign(struct sigv4 *sigv4, struct sigv4_key *key, const struct sigv4_request *request,
	struct sigv4_signed *ret_signed, struct err *err)
{
	int rc = sign(sigv4, key, request, ret_signed, err);
	buf_reset(&sigv4->canonical); /* wipes the token */
	buf_reset(&sigv4->signed_headers);
	buf_reset(&sigv4->string_to_sign);
	return rc;
}
