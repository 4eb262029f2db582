/* Rules of signing that the official vectors do not show, the cached key, limits and wiping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/needle.h"

static const struct http_header plain_headers[] = {
	{"Host", "acm.eu-central-1.amazonaws.com"},
	{"Content-Type", "application/x-amz-json-1.1"},
	{"X-Amz-Target", "CertificateManager.ListCertificates"},
};

enum { PLAIN_HEADERS = sizeof(plain_headers) / sizeof(plain_headers[0]) };

struct fixture {
	struct sigv4 *sigv4;
	struct aws_credentials credentials;
	struct sigv4_key key;
	struct sigv4_request request;
	struct sigv4_signed made;
};

static void set_secret(struct secret *secret, const char *text)
{
	secret_set(secret, text, strlen(text));
}

static int setup(void **state)
{
	struct err err = ERR_INIT;
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	fixture->sigv4 = sigv4_new(&err);
	assert_non_null(fixture->sigv4);
	strncpy(fixture->credentials.access_key_id, "AKIDEXAMPLE", AWS_ACCESS_KEY_ID_MAX);
	set_secret(&fixture->credentials.secret_access_key, "wJalrXUtnFEMI/K7MDENG");
	fixture->request = (struct sigv4_request){
		.method = "POST",
		.path = "/",
		.header = plain_headers,
		.header_count = PLAIN_HEADERS,
		.body = "{}",
		.body_len = 2,
		.credentials = &fixture->credentials,
		.region = "eu-central-1",
		.service = "acm",
		.unix_s = 1440938160,
	};
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	sigv4_key_clear(&fixture->key);
	aws_credentials_clear(&fixture->credentials);
	sigv4_free(fixture->sigv4);
	free(fixture);
	return 0;
}

static int sign(struct fixture *fixture, struct err *err)
{
	return sigv4_sign(fixture->sigv4, &fixture->key, &fixture->request, &fixture->made, err);
}

static void assert_signs(struct fixture *fixture)
{
	struct err err = ERR_INIT;
	if (sign(fixture, &err) != 0)
		fail_msg("%s", err.text);
}

static void assert_refused(struct fixture *fixture, enum err_kind kind)
{
	struct err err = ERR_INIT;
	strncpy(fixture->made.authorization, "untouched", SIGV4_AUTHORIZATION_MAX);
	assert_int_equal(sign(fixture, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_string_equal(fixture->made.authorization, "untouched");
}

/* --- canonical requests ----------------------------------------------------------------------- */

static int canonical(const char *path, const char *query, const struct http_header *header,
	size_t header_count, struct buf *to, struct err *err)
{
	struct buf names;
	buf_init(&names, 65536);
	struct sigv4_canonical request = {
		.method = "GET",
		.path = path,
		.query = query,
		.header = header,
		.header_count = header_count,
		.body_sha256 = "hash",
	};
	int rc = sigv4_canonical_request(&request, to, &names, err);
	buf_clear(&names);
	return rc;
}

static void assert_canonical(const char *path, const char *query, const char *expected)
{
	static const struct http_header host[] = {{"host", "h"}};
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, 65536);
	assert_int_equal(canonical(path, query, host, 1, &text, &err), 0);
	char *whole = xasprintf("GET\n%s\nhost:h\n\nhost\nhash", expected);
	assert_string_equal(buf_text(&text), whole);
	free(whole);
	buf_clear(&text);
}

static void the_path_of_the_wire_is_encoded_once_more(void **state)
{
	(void)state;
	assert_canonical("/domainnames/%2A.example.com", NULL, "/domainnames/%252A.example.com\n");
	assert_canonical(
		"/2013-04-01/hostedzone/Z1/rrset/", NULL, "/2013-04-01/hostedzone/Z1/rrset/\n");
	assert_canonical("/a/./b/../c", "", "/a/c\n");
	assert_canonical("/../..", "", "/\n");
	assert_canonical("/~a_b-c.d", "", "/~a_b-c.d\n");
}

static void a_query_has_one_spelling(void **state)
{
	(void)state;
	assert_canonical("/", "b=2&a=1", "/\na=1&b=2");
	assert_canonical("/", "a", "/\na=");
	assert_canonical("/", "a=&a", "/\na=&a=");
	assert_canonical("/", "a=2&a=10&a=1", "/\na=1&a=10&a=2");
	assert_canonical("/", "a-b=1&a=2", "/\na=2&a-b=1");
	assert_canonical("/", "a=%2f%2F&b=x+y%20z", "/\na=%2F%2F&b=x%2By%20z");
	assert_canonical("/", "a=b=c", "/\na=b%3Dc");
	assert_canonical("/", "&&a=1&&", "/\na=1");
	assert_canonical("/", "a=%&b=%zz&c=%4", "/\na=%25&b=%25zz&c=%254");
	assert_canonical("/", "a=%4z&b=%-1&c=%aF", "/\na=%254z&b=%25-1&c=%AF");
	assert_canonical("/", "%41=%42", "/\nA=B");
}

static void what_is_no_request_has_no_canonical_form(void **state)
{
	(void)state;
	struct http_header many[SIGV4_HEADERS_MAX + 1];
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, 65536);
	for (size_t i = 0; i <= SIGV4_HEADERS_MAX; i++)
		many[i] = (struct http_header){i == 0 ? "host" : "a", "h"};
	assert_int_equal(canonical("/", NULL, many, SIGV4_HEADERS_MAX, &text, &err), 0);
	assert_int_equal(canonical("/", NULL, many, SIGV4_HEADERS_MAX + 1, &text, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	err = (struct err)ERR_INIT;
	assert_int_equal(canonical("path", NULL, many, 1, &text, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	buf_clear(&text);
}

static void headers_that_others_may_change_are_not_signed(void **state)
{
	(void)state;
	static const struct http_header headers[] = {{"User-Agent", "x"}, {"HOST", "h"},
		{"Authorization", "x"}, {"Connection", "x"}, {"Expect", "x"}, {"TE", "x"},
		{"Proxy-Authorization", "x"}, {"Sec-Fetch-Mode", "x"}, {"X-Amzn-Trace-Id", "x"},
		{"Keep-Alive", "x"}, {"Transfer-Encoding", "x"}};
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, 65536);
	assert_int_equal(
		canonical("/", NULL, headers, sizeof(headers) / sizeof(headers[0]), &text, &err),
		0);
	assert_string_equal(buf_text(&text), "GET\n/\n\nhost:h\n\nhost\nhash");
	buf_clear(&text);
}

static void a_request_that_cannot_be_one_is_refused(void **state)
{
	(void)state;
	static const struct http_header no_host[] = {{"x-amz-date", "1"}};
	static const struct http_header bad_name[] = {{"host", "h"}, {"a:b", "1"}};
	static const struct http_header no_name[] = {{"host", "h"}, {"", "1"}};
	static const struct http_header split_name[] = {{"host", "h"}, {"a\nb", "1"}};
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, 65536);
	assert_int_equal(canonical("/", NULL, no_host, 1, &text, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(canonical("/", NULL, bad_name, 2, &text, &err), -1);
	assert_int_equal(canonical("/", NULL, no_name, 2, &text, &err), -1);
	assert_int_equal(canonical("/", NULL, split_name, 2, &text, &err), -1);
	assert_int_equal(canonical("", NULL, no_host, 1, &text, &err), -1);
	buf_clear(&text);
}

static char *repeat(const char *text, size_t count)
{
	size_t len = strlen(text);
	char *result = xcalloc(count, len + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(result + i * len, text, len);
	return result;
}

static void everything_that_could_grow_has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	char *path = repeat("/a", 129), *query = repeat("a&", 129), *value = repeat("v", 262144);
	fixture->request.path = path;
	assert_refused(fixture, ERR_LIMIT);
	fixture->request.path = "/";
	fixture->request.query = query;
	assert_refused(fixture, ERR_LIMIT);
	fixture->request.query = value;
	assert_refused(fixture, ERR_LIMIT);
	fixture->request.query = NULL;

	struct http_header headers[SIGV4_HEADERS_MAX];
	for (size_t i = 0; i < SIGV4_HEADERS_MAX; i++)
		headers[i] = (struct http_header){i == 0 ? "host" : "a", "h"};
	fixture->request.header = headers;
	fixture->request.header_count = SIGV4_HEADERS_MAX - 1;
	assert_refused(fixture, ERR_LIMIT);
	fixture->request.header_count = SIGV4_HEADERS_MAX - 2;
	assert_signs(fixture);
	headers[1].value = value;
	assert_refused(fixture, ERR_LIMIT);
	headers[1].value = "1";
	char *name = repeat("n", 1000);
	headers[1].name = name;
	assert_refused(fixture, ERR_LIMIT);
	free(name);
	free(value);
	free(query);
	free(path);
}

/* --- whole signatures ------------------------------------------------------------------------- */

static void the_scope_and_the_headers_are_named(void **state)
{
	struct fixture *fixture = *state;
	assert_signs(fixture);
	assert_string_equal(fixture->made.amz_date, "20150830T123600Z");
	assert_non_null(strstr(fixture->made.authorization,
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-central-1/acm/aws4_request, "
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="));
	set_secret(&fixture->credentials.session_token, "token");
	assert_signs(fixture);
	assert_non_null(strstr(fixture->made.authorization,
		"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "));
}

static void a_cached_key_signs_like_a_fresh_one(void **state)
{
	struct fixture *fixture = *state;
	assert_signs(fixture);
	struct sigv4_signed first = fixture->made;
	assert_signs(fixture);
	assert_string_equal(fixture->made.authorization, first.authorization);
	sigv4_key_clear(&fixture->key);
	assert_signs(fixture);
	assert_string_equal(fixture->made.authorization, first.authorization);
}

/* Signs with the cached key, then with a fresh one: the same, and not what it was before. */
static void assert_derives_again(struct fixture *fixture)
{
	struct sigv4_signed before = fixture->made;
	assert_signs(fixture);
	struct sigv4_signed cached = fixture->made;
	assert_string_not_equal(cached.authorization, before.authorization);
	sigv4_key_clear(&fixture->key);
	assert_signs(fixture);
	assert_string_equal(fixture->made.authorization, cached.authorization);
}

static void a_key_is_derived_again_when_what_it_was_made_of_changes(void **state)
{
	struct fixture *fixture = *state;
	assert_signs(fixture);
	fixture->request.unix_s += 86400;
	assert_derives_again(fixture);
	fixture->request.region = "eu-central-2";
	assert_derives_again(fixture);
	fixture->request.service = "sts";
	assert_derives_again(fixture);
	set_secret(&fixture->credentials.secret_access_key, "corrected"); /* same key id */
	assert_derives_again(fixture);
}

static void credentials_that_would_break_a_header_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char *const ids[] = {"", "AKID EXAMPLE", "AKID\r\nX: y", "AKID/x", "AKID,"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		strncpy(fixture->credentials.access_key_id, ids[i], AWS_ACCESS_KEY_ID_MAX);
		assert_refused(fixture, ERR_CREDENTIALS);
	}
	strncpy(fixture->credentials.access_key_id, "AKIDEXAMPLE", AWS_ACCESS_KEY_ID_MAX);
	set_secret(&fixture->credentials.session_token, "token\r\nX-Evil: 1");
	assert_refused(fixture, ERR_CREDENTIALS);
	set_secret(&fixture->credentials.session_token, "tok\xc3\xa9n");
	assert_refused(fixture, ERR_CREDENTIALS);
	secret_clear(&fixture->credentials.session_token);
	secret_clear(&fixture->credentials.secret_access_key);
	assert_refused(fixture, ERR_CREDENTIALS);
	char *long_secret = repeat("s", 1025);
	secret_set(&fixture->credentials.secret_access_key, "", 0);
	assert_refused(fixture, ERR_CREDENTIALS);
	set_secret(&fixture->credentials.secret_access_key, long_secret);
	assert_refused(fixture, ERR_CREDENTIALS);
	free(long_secret);
}

static void a_clock_that_is_out_of_range_is_refused(void **state)
{
	struct fixture *fixture = *state;
	fixture->request.unix_s = -1;
	assert_refused(fixture, ERR_CONFIG);
	fixture->request.unix_s = INT64_C(253402300800);
	assert_refused(fixture, ERR_CONFIG);
	fixture->request.unix_s = INT64_C(253402300799);
	assert_signs(fixture);
	assert_string_equal(fixture->made.amz_date, "99991231T235959Z");
}

static void names_that_are_too_long_to_sign_for_are_refused(void **state)
{
	struct fixture *fixture = *state;
	fixture->request.region = "a-region-with-a-name-that-is-too-long-1";
	assert_refused(fixture, ERR_CONFIG);
}

/* A long token makes the scratch memory grow several times; nothing of it may stay behind. */
static void nothing_secret_stays_in_memory(void **state)
{
	enum { SECRET_SEED = 11, TOKEN_SEED = 12 };
	struct fixture *fixture = *state;
	char needle[NEEDLE_LEN + 1];
	needle_make(SECRET_SEED, needle);
	secret_set(&fixture->credentials.secret_access_key, needle, NEEDLE_LEN);
	struct buf token;
	buf_init_secret(&token, 65536);
	needle_make(TOKEN_SEED, needle);
	for (int i = 0; i < 100; i++)
		buf_add(&token, needle, NEEDLE_LEN);
	secret_set(&fixture->credentials.session_token, token.data, token.len);
	buf_clear(&token);
	mem_wipe(needle, sizeof(needle));
	assert_signs(fixture);

	aws_credentials_clear(&fixture->credentials);
	assert_int_equal(needle_count(TOKEN_SEED), 0);
	assert_int_equal(needle_count(SECRET_SEED), 1); /* the key's copy, in the arena */
	sigv4_key_clear(&fixture->key);
	assert_int_equal(needle_count(SECRET_SEED), 0);
}

int main(void)
{
#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_of_the_wire_is_encoded_once_more),
		cmocka_unit_test(a_query_has_one_spelling),
		cmocka_unit_test(what_is_no_request_has_no_canonical_form),
		cmocka_unit_test(headers_that_others_may_change_are_not_signed),
		cmocka_unit_test(a_request_that_cannot_be_one_is_refused),
		WITH_FIXTURE(everything_that_could_grow_has_a_limit),
		WITH_FIXTURE(the_scope_and_the_headers_are_named),
		WITH_FIXTURE(a_cached_key_signs_like_a_fresh_one),
		WITH_FIXTURE(a_key_is_derived_again_when_what_it_was_made_of_changes),
		WITH_FIXTURE(credentials_that_would_break_a_header_are_refused),
		WITH_FIXTURE(a_clock_that_is_out_of_range_is_refused),
		WITH_FIXTURE(names_that_are_too_long_to_sign_for_are_refused),
		WITH_FIXTURE(nothing_secret_stays_in_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
