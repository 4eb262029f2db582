/*
 * All official signing vectors (tests/data/sigv4, from aws-c-auth), at every stage: canonical
 * request, string to sign, signature, signed request; signed by headers and by the query.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/lib/read_file.h"

#define VECTORS "tests/data/sigv4/v4"

enum { VECTOR_COUNT = 38, TEXT_MAX = 65536 };

struct vector {
	const char *name;
	json_t *context;
	bool normalize, sign_body, omit_token;
	const char *region, *service;
	int64_t unix_s;
	struct aws_credentials credentials;

	char *text; /* owned; request.txt, cut up by the pointers below */
	char *head; /* owned; request line and headers as they stand */
	char *method, *path, *query, *body;
	struct http_header header[SIGV4_HEADERS_MAX];
	size_t header_count;
};

/* One stage after the other, as the product does it. */
struct stages {
	struct buf canonical, signed_headers, string_to_sign;
	char body_sha256[SIGV4_HEX_MAX], signature[SIGV4_HEX_MAX];
	struct sigv4_key key;
};

static char *load_file(const struct vector *vector, const char *file)
{
	size_t len;
	char *path = xasprintf(VECTORS "/%s/%s", vector->name, file);
	char *text = read_file(path, &len);
	free(path);
	return text;
}

/* --- reading a vector ------------------------------------------------------------------------- */

static void load_context(struct vector *vector)
{
	char *text = load_file(vector, "context.json");
	struct err err = ERR_INIT;
	vector->context = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(vector->context);
	const char *id = NULL, *secret = NULL, *token = "", *time = NULL;
	int omit_token = 0, normalize = 0, sign_body = 0;
	assert_int_equal(json_unpack(vector->context, "{s:{s:s,s:s,s?s},s:b,s:b,s?b,s:s,s:s,s:s}",
				 "credentials", "access_key_id", &id, "secret_access_key", &secret,
				 "token", &token, "normalize", &normalize, "sign_body", &sign_body,
				 "omit_session_token", &omit_token, "region", &vector->region,
				 "service", &vector->service, "timestamp", &time),
		0);
	vector->normalize = normalize;
	vector->sign_body = sign_body;
	vector->omit_token = omit_token;
	text_copy(vector->credentials.access_key_id, sizeof(vector->credentials.access_key_id), id);
	secret_set(&vector->credentials.secret_access_key, secret, strlen(secret));
	secret_set(&vector->credentials.session_token, token, strlen(token));
	assert_int_equal(text_parse_time(time, &vector->unix_s, &err), 0);
}

/* "Name:value"; lines that begin with a blank belong to the one before. */
static void cut_headers(struct vector *vector, char *text)
{
	char *line = text;
	while (line != NULL) {
		char *end = line;
		do
			end = strchr(end + 1, '\n');
		while (end != NULL && (end[1] == ' ' || end[1] == '\t'));
		if (end != NULL)
			*end++ = '\0';
		char *colon = strchr(line, ':');
		assert_non_null(colon);
		*colon = '\0';
		vector->header[vector->header_count++] = (struct http_header){line, colon + 1};
		line = end;
	}
}

static void load_request(struct vector *vector)
{
	vector->text = load_file(vector, "request.txt");
	char *blank = strstr(vector->text, "\n\n");
	vector->body = "";
	if (blank != NULL) {
		vector->body = blank + 2;
		*blank = '\0';
	}
	size_t len = strlen(vector->text);
	if (len > 0 && vector->text[len - 1] == '\n')
		vector->text[len - 1] = '\0';
	vector->head = xstrdup(vector->text);

	char *line_end = strchr(vector->text, '\n');
	assert_non_null(line_end);
	*line_end = '\0';
	cut_headers(vector, line_end + 1);
	char *version = strstr(vector->text, " HTTP/1.1");
	assert_non_null(version);
	*version = '\0';
	vector->method = vector->text;
	vector->path = strchr(vector->text, ' ');
	*vector->path++ = '\0';
	vector->query = strchr(vector->path, '?');
	if (vector->query != NULL)
		*vector->query++ = '\0';
}

static void vector_load(struct vector *vector, const char *name)
{
	*vector = (struct vector){.name = name};
	load_context(vector);
	load_request(vector);
}

static void vector_clear(struct vector *vector)
{
	aws_credentials_clear(&vector->credentials);
	json_decref(vector->context);
	free(vector->text);
	free(vector->head);
}

/* --- the stages ------------------------------------------------------------------------------- */

static void assert_file(
	const struct vector *vector, const char *way, const char *stage, const char *text)
{
	char *file = xasprintf("%s-%s.txt", way, stage);
	char *expected = load_file(vector, file);
	if (strcmp(text, expected) != 0)
		fail_msg("%s %s:\n%s\nexpected:\n%s", vector->name, file, text, expected);
	free(expected);
	free(file);
}

static void run_stages(struct sigv4 *sigv4, const struct vector *vector, const char *way,
	const struct sigv4_canonical *request, struct stages *stages)
{
	struct err err = ERR_INIT;
	char amz_date[SIGV4_DATE_MAX];
	assert_int_equal(sigv4_format_date(vector->unix_s, amz_date, &err), 0);
	assert_int_equal(
		sigv4_canonical_request(request, &stages->canonical, &stages->signed_headers, &err),
		0);
	assert_file(vector, way, "canonical-request", buf_text(&stages->canonical));
	assert_int_equal(sigv4_string_to_sign(sigv4, amz_date, vector->region, vector->service,
				 &stages->canonical, &stages->string_to_sign, &err),
		0);
	assert_file(vector, way, "string-to-sign", buf_text(&stages->string_to_sign));
	assert_int_equal(
		sigv4_key_derive(sigv4, &stages->key, &vector->credentials.secret_access_key,
			amz_date, vector->region, vector->service, &err),
		0);
	assert_int_equal(sigv4_signature(sigv4, &stages->key, &stages->string_to_sign,
				 stages->signature, &err),
		0);
	assert_file(vector, way, "signature", stages->signature);
}

static void stages_init(struct stages *stages, struct sigv4 *sigv4, const struct vector *vector)
{
	struct err err = ERR_INIT;
	*stages = (struct stages){.signature = ""};
	buf_init_secret(&stages->canonical, TEXT_MAX);
	buf_init(&stages->signed_headers, TEXT_MAX);
	buf_init(&stages->string_to_sign, TEXT_MAX);
	assert_int_equal(sigv4_sha256_hex(sigv4, vector->body, strlen(vector->body),
				 stages->body_sha256, &err),
		0);
}

static void stages_clear(struct stages *stages)
{
	buf_clear(&stages->canonical);
	buf_clear(&stages->signed_headers);
	buf_clear(&stages->string_to_sign);
	sigv4_key_clear(&stages->key);
}

/* The headers that a client adds before it signs; token first, as the vectors have it. */
static size_t add_headers(const struct vector *vector, const struct stages *stages,
	const char *amz_date, struct http_header *header)
{
	size_t count = vector->header_count;
	memcpy(header, vector->header, sizeof(vector->header));
	if (vector->credentials.session_token.len > 0 && !vector->omit_token)
		header[count++] = (struct http_header){
			"X-Amz-Security-Token", secret_bytes(&vector->credentials.session_token)};
	header[count++] = (struct http_header){"X-Amz-Date", amz_date};
	if (vector->sign_body)
		header[count++] = (struct http_header){"x-amz-content-sha256", stages->body_sha256};
	return count;
}

static void assert_signed_request(const struct vector *vector, const struct stages *stages,
	const char *amz_date, const char *authorization)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	buf_addf(&text, "%s\n", vector->head);
	if (vector->credentials.session_token.len > 0)
		buf_addf(&text, "X-Amz-Security-Token:%s\n",
			secret_bytes(&vector->credentials.session_token));
	buf_addf(&text, "X-Amz-Date:%s\n", amz_date);
	if (vector->sign_body)
		buf_addf(&text, "x-amz-content-sha256:%s\n", stages->body_sha256);
	buf_addf(&text, "Authorization:%s\n\n%s", authorization, vector->body);
	assert_file(vector, "header", "signed-request", buf_text(&text));
	buf_clear(&text);
}

/* The whole of it in one call, where the vector asks for what the product does. */
static void check_sign(struct sigv4 *sigv4, struct vector *vector, const struct stages *stages,
	const struct http_header *header, size_t count, const char *expected)
{
	struct aws_credentials credentials = AWS_CREDENTIALS_INIT;
	aws_credentials_copy(&credentials, &vector->credentials);
	if (vector->omit_token)
		secret_clear(&credentials.session_token);
	struct http_header own[SIGV4_HEADERS_MAX];
	size_t own_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (!text_equal_ci(header[i].name, "X-Amz-Date") &&
			!text_equal_ci(header[i].name, "X-Amz-Security-Token"))
			own[own_count++] = header[i];
	}
	struct err err = ERR_INIT;
	struct sigv4_key key = {.date = ""};
	struct sigv4_signed made;
	struct sigv4_request request = {
		.method = vector->method,
		.path = vector->path,
		.query = vector->query,
		.header = own,
		.header_count = own_count,
		.body = vector->body,
		.body_len = strlen(vector->body),
		.credentials = &credentials,
		.region = vector->region,
		.service = vector->service,
		.unix_s = vector->unix_s,
	};
	assert_int_equal(sigv4_sign(sigv4, &key, &request, &made, &err), 0);
	assert_string_equal(made.authorization, expected);
	assert_signed_request(vector, stages, made.amz_date, made.authorization);
	sigv4_key_clear(&key);
	aws_credentials_clear(&credentials);
}

static void check_header_way(struct sigv4 *sigv4, struct vector *vector)
{
	struct err err = ERR_INIT;
	struct stages stages;
	struct http_header header[SIGV4_HEADERS_MAX + 3];
	char amz_date[SIGV4_DATE_MAX];
	stages_init(&stages, sigv4, vector);
	assert_int_equal(sigv4_format_date(vector->unix_s, amz_date, &err), 0);
	size_t count = add_headers(vector, &stages, amz_date, header);
	struct sigv4_canonical request = {
		.method = vector->method,
		.path = vector->path,
		.query = vector->query,
		.header = header,
		.header_count = count,
		.body_sha256 = stages.body_sha256,
		.keep_path = !vector->normalize,
	};
	run_stages(sigv4, vector, "header", &request, &stages);
	char *authorization = xasprintf("AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
					"SignedHeaders=%s, Signature=%s",
		vector->credentials.access_key_id, amz_date, vector->region, vector->service,
		buf_text(&stages.signed_headers), stages.signature);
	assert_signed_request(vector, &stages, amz_date, authorization);
	if (vector->normalize)
		check_sign(sigv4, vector, &stages, header, count, authorization);
	free(authorization);
	stages_clear(&stages);
}

/* --- signed by the query: the product never does it, but it goes through the same stages ------ */

static void add_encoded(struct buf *to, const char *name, const char *value)
{
	buf_addf(to, "%s%s=", to->len > 0 ? "&" : "", name);
	text_percent_encode(to, value, strlen(value), "");
}

static void check_query_way(struct sigv4 *sigv4, struct vector *vector)
{
	struct err err = ERR_INIT;
	struct stages stages;
	char amz_date[SIGV4_DATE_MAX];
	stages_init(&stages, sigv4, vector);
	assert_int_equal(sigv4_format_date(vector->unix_s, amz_date, &err), 0);
	const char *token = secret_bytes(&vector->credentials.session_token);

	struct buf names, ignored, query;
	buf_init(&names, TEXT_MAX);
	buf_init(&ignored, TEXT_MAX);
	buf_init(&query, TEXT_MAX);
	struct sigv4_canonical request = {
		.method = vector->method,
		.path = vector->path,
		.header = vector->header,
		.header_count = vector->header_count,
		.body_sha256 = stages.body_sha256,
		.keep_path = !vector->normalize,
	};
	assert_int_equal(sigv4_canonical_request(&request, &ignored, &names, &err), 0);

	char *credential = xasprintf("%s/%.8s/%s/%s/aws4_request",
		vector->credentials.access_key_id, amz_date, vector->region, vector->service);
	buf_add_text(&query, vector->query != NULL ? vector->query : "");
	add_encoded(&query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
	add_encoded(&query, "X-Amz-Credential", credential);
	add_encoded(&query, "X-Amz-Date", amz_date);
	add_encoded(&query, "X-Amz-SignedHeaders", buf_text(&names));
	add_encoded(&query, "X-Amz-Expires", "3600");
	if (token[0] != '\0' && !vector->omit_token)
		add_encoded(&query, "X-Amz-Security-Token", token);
	request.query = buf_text(&query);
	run_stages(sigv4, vector, "query", &request, &stages);

	if (token[0] != '\0' && vector->omit_token)
		add_encoded(&query, "X-Amz-Security-Token", token);
	add_encoded(&query, "X-Amz-Signature", stages.signature);
	const char *headers = strchr(vector->head, '\n');
	char *whole = xasprintf("%s %s?%s HTTP/1.1%s\n\n%s", vector->method, vector->path,
		buf_text(&query), headers, vector->body);
	assert_file(vector, "query", "signed-request", whole);
	free(whole);
	free(credential);
	buf_clear(&names);
	buf_clear(&ignored);
	buf_clear(&query);
	stages_clear(&stages);
}

/* --- all of them ------------------------------------------------------------------------------ */

static void for_each(void (*check)(struct sigv4 *sigv4, struct vector *vector))
{
	struct err err = ERR_INIT;
	struct sigv4 *sigv4 = sigv4_new(&err);
	assert_non_null(sigv4);
	DIR *folder = opendir(VECTORS);
	assert_non_null(folder);
	int count = 0;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		struct vector vector;
		vector_load(&vector, entry->d_name);
		check(sigv4, &vector);
		vector_clear(&vector);
		count++;
	}
	closedir(folder);
	sigv4_free(sigv4);
	assert_int_equal(count, VECTOR_COUNT);
}

static void every_stage_is_reproduced_when_headers_carry_the_signature(void **state)
{
	(void)state;
	for_each(check_header_way);
}

static void every_stage_is_reproduced_when_the_query_carries_the_signature(void **state)
{
	(void)state;
	for_each(check_query_way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_stage_is_reproduced_when_headers_carry_the_signature),
		cmocka_unit_test(every_stage_is_reproduced_when_the_query_carries_the_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
