#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void set_makes_kind_and_text_and_returns_failure(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set_code(&err, "Old");
	assert_int_equal(err_set(&err, ERR_LIMIT, "more than %d certificates", 20), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "more than 20 certificates");
	assert_string_equal(err.code, "");
}

static void text_that_just_fits_stays_whole(void **state)
{
	(void)state;
	char longest[ERR_TEXT_MAX];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	struct err err = ERR_INIT;
	err_set(&err, ERR_SYSTEM, "%s", longest);
	assert_string_equal(err.text, longest);
}

static void text_that_does_not_fit_is_cut_with_dots(void **state)
{
	(void)state;
	char too_long[ERR_TEXT_MAX + 1];
	memset(too_long, 'a', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	struct err err = ERR_INIT;
	err_set(&err, ERR_SYSTEM, "%s", too_long);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_true(text_has_suffix(err.text, "aaa..."));
}

static void cut_never_splits_a_character(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		char text[ERR_TEXT_MAX + 64] = "aaaa";
		size_t len = shift;
		while (len + 4 < sizeof(text) - 1) {
			memcpy(text + len, "\xf0\x9f\x94\x91", 4);
			len += 4;
		}
		text[len] = '\0';
		struct err err = ERR_INIT;
		err_set(&err, ERR_SYSTEM, "%s", text);
		assert_true(strlen(err.text) < ERR_TEXT_MAX);
		assert_true(text_is_utf8(err.text, strlen(err.text)));
		assert_true(text_has_suffix(err.text, "..."));
	}
}

static void errno_text_follows_the_message(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	errno = ENOENT;
	assert_int_equal(err_set_errno(&err, ERR_SYSTEM, "open %s", "x"), -1);
	assert_string_equal(err.text, "open x: No such file or directory");
	errno = 9999;
	err_set_errno(&err, ERR_SYSTEM, "open");
	assert_string_equal(err.text, "open: errno 9999");
}

static void wrap_keeps_kind_and_code(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set(&err, ERR_DENIED, "not authorized");
	assert_int_equal(err_set_code(&err, "AccessDenied"), -1);
	assert_int_equal(err_wrap(&err, "acm %s/%s", "123456789012", "eu-west-1"), -1);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_string_equal(err.code, "AccessDenied");
	assert_string_equal(err.text, "acm 123456789012/eu-west-1: not authorized");
}

static void wrapping_for_ever_keeps_the_front(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set(&err, ERR_SERVICE, "end");
	for (int i = 0; i < 500; i++)
		err_wrap(&err, "layer %d", i);
	assert_true(text_has_prefix(err.text, "layer 499: layer 498: "));
	assert_true(text_has_suffix(err.text, "..."));
}

static void old_text_may_be_an_argument(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set(&err, ERR_SERVICE, "inner");
	err_set(&err, ERR_TIMEOUT, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	err_wrap(&err, "%s again", err.text);
	assert_string_equal(err.text, "outer (inner) again: outer (inner)");
}

static void code_is_cut_and_cleaned(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set_code(&err, "com.amazon#Throttling\n<x>");
	assert_string_equal(err.code, "com.amazon?Throttling??x?");
	err_set_code(&err, "AZaz09_.-@[`{/: ");
	assert_string_equal(err.code, "AZaz09_.-???????");
	char longest[200];
	memset(longest, 'C', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	err_set_code(&err, longest);
	assert_int_equal(strlen(err.code), ERR_CODE_MAX - 1);
	err_set_code(&err, "");
	assert_string_equal(err.code, "");
}

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = ERR_NONE; a <= ERR_STOPPED; a++) {
		assert_string_not_equal(err_kind_name((enum err_kind)a), "unknown");
		for (int b = ERR_NONE; b < a; b++)
			assert_string_not_equal(
				err_kind_name((enum err_kind)a), err_kind_name((enum err_kind)b));
	}
	assert_string_equal(err_kind_name(ERR_DENIED_BY_SCP), "denied_by_scp");
	assert_string_equal(err_kind_name((enum err_kind)(ERR_STOPPED + 1)), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_makes_kind_and_text_and_returns_failure),
		cmocka_unit_test(text_that_just_fits_stays_whole),
		cmocka_unit_test(text_that_does_not_fit_is_cut_with_dots),
		cmocka_unit_test(cut_never_splits_a_character),
		cmocka_unit_test(errno_text_follows_the_message),
		cmocka_unit_test(wrap_keeps_kind_and_code),
		cmocka_unit_test(wrapping_for_ever_keeps_the_front),
		cmocka_unit_test(old_text_may_be_an_argument),
		cmocka_unit_test(code_is_cut_and_cleaned),
		cmocka_unit_test(every_kind_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
