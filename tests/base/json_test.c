#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

/* ACM ListCertificates, shortened to one summary. */
static const char list_reply[] =
	"{\"CertificateSummaryList\":[{\"CertificateArn\":\"arn:aws:acm:eu-central-1:123456789012:"
	"certificate/0b1c\",\"CreatedAt\":1.69E9,\"DomainName\":\"www.example.com\",\"InUse\":true,"
	"\"KeyAlgorithm\":\"RSA-2048\",\"NotAfter\":1.756684799E9,\"RevokedAt\":null,"
	"\"SubjectAlternativeNameSummaries\":[\"www.example.com\",\"caf\\u00e9 \\ud83d\\udd11\"]}],"
	"\"NextToken\":\"\\\\{[\\\"\"}";

static json_t *read_text(const char *text)
{
	struct err err = ERR_INIT;
	json_t *document = json_read_object(text, strlen(text), &err);
	if (document == NULL)
		fail_msg("%s: %s", text, err.text);
	return document;
}

static void check_refused(const char *text, size_t len, enum err_kind kind, const char *part)
{
	struct err err = ERR_INIT;
	json_t *document = json_read_object(text, len, &err);
	if (document != NULL)
		fail_msg("%.*s passed", (int)len, text);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, err.text);
}

static void real_answer_is_read(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	json_t *document = read_text(list_reply);
	const json_t *list = NULL, *names = NULL;
	const char *text = NULL;
	bool in_use = false;
	int64_t created_s = 0, revoked_s = 77;
	assert_int_equal(json_get_array(document, "CertificateSummaryList", 1, &list, &err), 0);
	const json_t *summary = json_array_get(list, 0);
	assert_int_equal(json_get_text(summary, "DomainName", 15, &text, &err), 0);
	assert_string_equal(text, "www.example.com");
	assert_int_equal(json_get_bool(summary, "InUse", &in_use, &err), 0);
	assert_true(in_use);
	assert_int_equal(json_get_time(summary, "CreatedAt", &created_s, &err), 0);
	assert_int_equal(created_s, 1690000000);
	assert_int_equal(json_get_time(summary, "RevokedAt", &revoked_s, &err), 0);
	assert_int_equal(revoked_s, 77);
	assert_int_equal(
		json_get_array(summary, "SubjectAlternativeNameSummaries", 9, &names, &err), 0);
	assert_string_equal(
		json_string_value(json_array_get(names, 1)), "caf\xc3\xa9 \xf0\x9f\x94\x91");
	assert_int_equal(json_get_text(document, "NextToken", 10, &text, &err), 0);
	assert_string_equal(text, "\\{[\"");
	json_decref(document);
}

static void answer_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(list_reply) - 1; len++) {
		char *cut = xmalloc(len); /* exactly, so that a byte too many is seen */
		memcpy(cut, list_reply, len);
		check_refused(cut, len, ERR_PROTOCOL, "line 1");
		free(cut);
	}
}

static void what_is_not_one_whole_object_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} wrong[] = {
		{"", "line 1"},
		{" ", "line 1"},
		{"[]", "not an object"},
		{"\"text\"", "line 1"},
		{"null", "line 1"},
		{"{} x", "something follows"},
		{"{}{}", "something follows"},
		{"{\"a\":1,}", "not JSON"},
		{"{'a':1}", "not JSON"},
		{"{\"a\":NaN}", "not JSON"},
		{"{\"a\":01}", "not JSON"},
		{"{\"a\":1}//", "something follows"},
		{"\xef\xbb\xbf{}", "line 1"},
		{"<html>504 Gateway Time-out</html>", "line 1, column 1: not JSON"},
		{"{\n\"a\": 1,\n\"a\": 2}", "line 3, column 3: a member appears twice"},
		{"{\"a\":\"\xff\"}", "invalid UTF-8"},
		{"{\"a\":\"\\ud800\"}", "not JSON"},
		{"{\"a\":\"\\u0000\"}", "NUL"},
		{"{\"\\u0000\":1}", "NUL"},
		{"{\"a\":9223372036854775808}", "too large"},
		{"{\"a\":1e999}", "too large"},
		{"{\"a\":\"\n\"}", "line"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_refused(wrong[i].text, strlen(wrong[i].text), ERR_PROTOCOL, wrong[i].part);
	check_refused("{}\0", 3, ERR_PROTOCOL, "line 1");
	check_refused("{\"a\":\"\0\"}", 9, ERR_PROTOCOL, "line 1");
}

static void messages_never_quote_the_document(void **state)
{
	(void)state;
	static const char *const secret[] = {"{\"k\": \"hush\", }", "{\"k\": \"hush",
		"{\"k\": hush}", "{\"k\": \"hush\" \"hush\"}", "{\"hush\":1,\"hush\":1}"};
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
		struct err err = ERR_INIT;
		assert_null(json_read_object(secret[i], strlen(secret[i]), &err));
		assert_null(strstr(err.text, "hush"));
	}
}

/* depth: of everything together, the outer object too. */
static char *nested(int depth, const char *open, const char *close)
{
	size_t each = strlen(open) + strlen(close);
	char *text = xmalloc((size_t)depth * each + 32), *at = stpcpy(text, "{\"a\":");
	for (int i = 1; i < depth; i++)
		at = stpcpy(at, open);
	at = stpcpy(at, "1");
	for (int i = 1; i < depth; i++)
		at = stpcpy(at, close);
	stpcpy(at, "}");
	return text;
}

static void depth_is_limited_before_anything_recurses(void **state)
{
	(void)state;
	static const struct {
		int depth;
		bool passes;
	} known[] = {
		{2, true}, {JSON_DEPTH_MAX, true}, {JSON_DEPTH_MAX + 1, false}, {1000000, false}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char *text[] = {
			nested(known[i].depth, "[", "]"), nested(known[i].depth, "{\"a\":", "}")};
		for (size_t k = 0; k < 2; k++) {
			if (known[i].passes)
				json_decref(read_text(text[k]));
			else
				check_refused(text[k], strlen(text[k]), ERR_LIMIT,
					"nested more than 64 deep");
			free(text[k]);
		}
	}
	char *brackets_in_a_string = xmalloc(1000);
	char *at = stpcpy(brackets_in_a_string, "{\"a\":\"\\\"");
	for (int i = 0; i < 200; i++)
		at = stpcpy(at, "[{");
	stpcpy(at, "\"}");
	json_decref(read_text(brackets_in_a_string));
	free(brackets_in_a_string);
	json_decref(read_text("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
			      "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
			      "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}"));
}

static void absent_and_null_members_leave_the_default(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	json_t *document = read_text("{\"null\":null}");
	static const char *const name[] = {"null", "absent"};
	for (size_t i = 0; i < 2; i++) {
		const char *text = "default";
		bool flag = true;
		int64_t number = 7, time_s = 8;
		const json_t *array = document, *object = document;
		assert_int_equal(json_get_text(document, name[i], 0, &text, &err), 0);
		assert_int_equal(json_get_bool(document, name[i], &flag, &err), 0);
		assert_int_equal(json_get_int(document, name[i], &number, &err), 0);
		assert_int_equal(json_get_time(document, name[i], &time_s, &err), 0);
		assert_int_equal(json_get_array(document, name[i], 0, &array, &err), 0);
		assert_int_equal(json_get_object(document, name[i], &object, &err), 0);
		assert_string_equal(text, "default");
		assert_true(flag && number == 7 && time_s == 8);
		assert_ptr_equal(array, document);
		assert_ptr_equal(object, document);
	}
	json_decref(document);
}

enum type { TEXT, BOOL, INT, TIME, ARRAY, OBJECT, TYPES };

/* Untouched outputs are checked here too. */
static int get(const json_t *object, const char *name, enum type type, struct err *err)
{
	const char *text = NULL;
	bool flag = false;
	int64_t number = -1;
	const json_t *value = NULL;
	int rc = 0;
	switch (type) {
	case TEXT:
		rc = json_get_text(object, name, 1000, &text, err);
		break;
	case BOOL:
		rc = json_get_bool(object, name, &flag, err);
		break;
	case INT:
		rc = json_get_int(object, name, &number, err);
		break;
	case TIME:
		rc = json_get_time(object, name, &number, err);
		break;
	case ARRAY:
		rc = json_get_array(object, name, 1000, &value, err);
		break;
	case OBJECT:
		rc = json_get_object(object, name, &value, err);
		break;
	case TYPES:
		abort();
	}
	bool is_untouched = text == NULL && !flag && number == -1 && value == NULL;
	assert_true(rc == 0 ? !is_untouched : is_untouched);
	return rc;
}

static void member_of_another_type_is_an_error(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool fits[TYPES];
	} value[] = {
		{"\"hush\"", {[TEXT] = true}},
		{"true", {[BOOL] = true}},
		{"7", {[INT] = true, [TIME] = true}},
		{"7.0", {[TIME] = true}},
		{"[1]", {[ARRAY] = true}},
		{"{\"x\":1}", {[OBJECT] = true}},
	};
	for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "{\"m\":%s}", value[i].json);
		json_t *document = read_text(text);
		for (int type = 0; type < TYPES; type++) {
			struct err err = ERR_INIT;
			int rc = get(document, "m", (enum type)type, &err);
			assert_int_equal(rc, value[i].fits[type] ? 0 : -1);
			if (rc == 0)
				continue;
			assert_int_equal(err.kind, ERR_PROTOCOL);
			assert_true(text_has_prefix(err.text, "member \"m\" is "));
			assert_null(strstr(err.text, "hush"));
		}
		json_decref(document);
	}
	struct err err = ERR_INIT;
	json_t *document = read_text("{\"Name\":\"x\",\"no\":false}");
	bool flag = true;
	assert_int_equal(json_get_bool(document, "no", &flag, &err), 0);
	assert_false(flag);
	int64_t number = 0;
	json_get_int(document, "Name", &number, &err);
	assert_string_equal(err.text, "member \"Name\" is a text, not a whole number");
	json_decref(document);
}

static void limits_count_bytes_and_items(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	json_t *document = read_text("{\"t\":\"caf\\u00e9\",\"a\":[1,2]}");
	const char *text = NULL;
	const json_t *array = NULL;
	assert_int_equal(json_get_text(document, "t", 5, &text, &err), 0);
	assert_int_equal(json_get_array(document, "a", 2, &array, &err), 0);
	text = NULL;
	array = NULL;
	assert_int_equal(json_get_text(document, "t", 4, &text, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "member \"t\" is longer than 4 bytes");
	assert_int_equal(json_get_array(document, "a", 1, &array, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "member \"a\" has more than 1 items");
	assert_null(text);
	assert_null(array);
	json_decref(document);
}

static void times_are_floored_and_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int64_t unix_s;
	} right[] = {{"0", 0}, {"1.7566848E9", 1756684800}, {"1756684799.999", 1756684799},
		{"-0.5", -1}, {"-62135596800", -62135596800}, {"253402300799.9", 253402300799}};
	static const char *const wrong[] = {"-62135596801", "-62135596800.5", "253402300800",
		"1e300", "-1e300", "9223372036854775807"};
	char text[64];
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		struct err err = ERR_INIT;
		int64_t unix_s = 77;
		snprintf(text, sizeof(text), "{\"t\":%s}", right[i].json);
		json_t *document = read_text(text);
		assert_int_equal(json_get_time(document, "t", &unix_s, &err), 0);
		assert_true(unix_s == right[i].unix_s);
		json_decref(document);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = ERR_INIT;
		int64_t unix_s = 77;
		snprintf(text, sizeof(text), "{\"t\":%s}", wrong[i]);
		json_t *document = read_text(text);
		assert_int_equal(json_get_time(document, "t", &unix_s, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_int_equal(unix_s, 77);
		json_decref(document);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_answer_is_read),
		cmocka_unit_test(answer_cut_at_any_byte_is_refused),
		cmocka_unit_test(what_is_not_one_whole_object_is_refused),
		cmocka_unit_test(messages_never_quote_the_document),
		cmocka_unit_test(depth_is_limited_before_anything_recurses),
		cmocka_unit_test(absent_and_null_members_leave_the_default),
		cmocka_unit_test(member_of_another_type_is_an_error),
		cmocka_unit_test(limits_count_bytes_and_items),
		cmocka_unit_test(times_are_floored_and_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
