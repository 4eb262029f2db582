#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/json_internal.h"
#include "base/mem.h"

/* Of the kinds that AWS answers with. */
static const char *const answer[] = {
	"{}",
	" { } \n",
	("{\"CertificateSummaryList\":[{\"CertificateArn\":\"arn:aws:acm:eu-west-1:1:certificate/0b\","
	 "\"CreatedAt\":1.69E9,\"NotAfter\":1756684799.5,\"InUse\":true,\"Exported\":false,"
	 "\"RevokedAt\":null,\"SubjectAlternativeNameSummaries\":[\"www.example.com\",\"x.y\"]}]}"),
	("{\"Certificate\":\"-----BEGIN CERTIFICATE-----\\nMIIB\\/w==\\n-----END CERTIFICATE-----\\n\","
	 "\"CertificateChain\":\"\\\"\\\\\\b\\f\\r\\t\\u00e9\\u20ac\\u0041\"}"),
	"{\"a\":[[],{},[{\"b\":[]},{}],-0,0,-1,12345678901234567,0.5,-2.5e-3,1E+2,1e-999]}",
	"{\"\":\"\",\"a b\":\"\x7f \x7f\",\"c\" : [ 1 , 2 ] }",
	"{\"name\":\"exactly 8 bytes and a quote: 12345678\",\"x\":\"1234567\",\"y\":\"123456789\"}",
};

/* What is read quickly is what jansson reads; what jansson refuses is not read. */
static bool check(const char *text, size_t len)
{
	char *exact = xmalloc(len > 0 ? len : 1); /* so that a byte too many is seen */
	if (len > 0)
		memcpy(exact, text, len);
	json_t *quick = json_quick_read(exact, len);
	json_t *expected = json_loadb(exact, len, JSON_REJECT_DUPLICATES, NULL);
	free(exact);
	if (quick != NULL && !json_equal(quick, expected))
		fail_msg("%.*s is read otherwise than jansson reads it", (int)len, text);
	bool is_read = quick != NULL;
	json_decref(quick);
	json_decref(expected);
	return is_read;
}

static void plain_documents_are_read_as_jansson_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answer) / sizeof(answer[0]); i++) {
		if (!check(answer[i], strlen(answer[i])))
			fail_msg("%s", answer[i]);
	}
}

static void numbers_keep_their_type(void **state)
{
	(void)state;
	static const char text[] = "{\"i\":[0,-0,-7,123456789012345678],\"r\":[0.0,1e0,-1.5E+3]}";
	json_t *document = json_quick_read(text, strlen(text)), *value;
	size_t i;
	assert_non_null(document);
	json_array_foreach(json_object_get(document, "i"), i, value)
		assert_true(json_is_integer(value));
	assert_true(json_integer_value(json_array_get(json_object_get(document, "i"), 3)) ==
		    123456789012345678);
	json_array_foreach(json_object_get(document, "r"), i, value)
		assert_true(json_is_real(value));
	assert_true(json_real_value(json_array_get(json_object_get(document, "r"), 2)) == -1500.0);
	json_decref(document);
}

static void what_is_cut_is_left_to_jansson(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answer) / sizeof(answer[0]); i++) {
		size_t last = strlen(answer[i]);
		while (answer[i][last - 1] != '}')
			last--;
		for (size_t len = 0; len < last; len++)
			assert_false(check(answer[i], len));
	}
}

/* Every byte made into each of those that mean something. */
static void damaged_documents_are_never_read_otherwise(void **state)
{
	(void)state;
	static const char damage[] = "\"\\{}[]:,0159-+.eEutfn \n\x01\x1f\x7f\x80\xc3\xff";
	for (size_t i = 0; i < sizeof(answer) / sizeof(answer[0]); i++) {
		size_t len = strlen(answer[i]);
		char *text = xstrdup(answer[i]);
		for (size_t at = 0; at < len; at++) {
			char good = text[at];
			for (size_t d = 0; d < sizeof(damage); d++) { /* its NUL as well */
				text[at] = damage[d];
				check(text, len);
			}
			text[at] = good;
		}
		free(text);
	}
}

static void what_is_out_of_the_ordinary_is_left_to_jansson(void **state)
{
	(void)state;
	static const char *const left[] = {
		"",
		" ",
		"[]",
		"null",
		"\"text\"",
		"{} x",
		"{}{}",
		"{]",
		"{\"a\":[}",
		"{\"a\":1,}",
		"{\"a\":[1,]}",
		"{,}",
		"{\"a\"1}",
		"{\"a\":}",
		"{\"a\":tru}",
		"{\"a\":truely}",
		"{\"a\":01}",
		"{\"a\":-}",
		"{\"a\":1.}",
		"{\"a\":.5}",
		"{\"a\":1e}",
		"{\"a\":1e+}",
		"{\"a\":+1}",
		"{\"a\":1.2.3}",
		"{\"a\":1e999}",
		"{\"a\":1234567890123456789}",
		"{\"a\":0.12345678901234567890123456789012345678901234567890}",
		"{\"a\":1,\"a\":2}",
		"{\"\\u0061\":1}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud83d\\udd11\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12\"}",
		"{\"a\":\"caf\xc3\xa9\"}",
		"{\"a\":\"\n\"}",
		"{'a':1}",
	};
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		if (check(left[i], strlen(left[i])))
			fail_msg("%s", left[i]);
	}
	assert_false(check("{}\0", 3));
	assert_false(check("{\"a\":\0}", 7));
}

static void depth_is_limited(void **state)
{
	(void)state;
	struct buf text;
	for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
		buf_init(&text, 1000);
		buf_add_text(&text, "{\"a\":");
		for (int i = 1; i < depth; i++)
			buf_add_char(&text, '[');
		for (int i = 1; i < depth; i++)
			buf_add_char(&text, ']');
		buf_add_char(&text, '}');
		assert_true(check(buf_text(&text), text.len) == (depth <= JSON_DEPTH_MAX));
		buf_clear(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_documents_are_read_as_jansson_reads_them),
		cmocka_unit_test(numbers_keep_their_type),
		cmocka_unit_test(what_is_cut_is_left_to_jansson),
		cmocka_unit_test(damaged_documents_are_never_read_otherwise),
		cmocka_unit_test(what_is_out_of_the_ordinary_is_left_to_jansson),
		cmocka_unit_test(depth_is_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
