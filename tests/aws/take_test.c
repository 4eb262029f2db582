#include "aws/take.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static void words_are_cut_and_texts_are_not(void **state)
{
	(void)state;
	json_t *object = json_pack("{s:s, s:i}", "Status", "A_LONG_WORD", "Number", 5);
	struct err err = ERR_INIT;
	char word[8];
	assert_int_equal(take_word(object, "Status", word, sizeof(word), &err), 0);
	assert_string_equal(word, "A_LONG_");
	assert_int_equal(take_word(object, "Absent", word, sizeof(word), &err), 0);
	assert_string_equal(word, "");
	assert_int_equal(take_word(object, "Number", word, sizeof(word), &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);

	char *text = NULL;
	assert_int_equal(take_text(object, "Status", 11, &text, &err), 0);
	assert_string_equal(text, "A_LONG_WORD");
	free(text);
	assert_int_equal(take_text(object, "Absent", 10, &text, &err), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(take_text(object, "Status", 10, &text, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	json_decref(object);
}

static void token_is_replaced_or_gone(void **state)
{
	(void)state;
	json_t *second = json_pack("{s:s}", "NextToken", "two");
	json_t *empty = json_pack("{s:s}", "NextToken", "");
	json_t *none = json_pack("{s:n}", "NextToken");
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(take_next_token(second, 10, &token, &err), 0);
	assert_string_equal(token, "two");
	assert_int_equal(take_next_token(empty, 10, &token, &err), 0);
	assert_null(token);
	token = xstrdup("one");
	assert_int_equal(take_next_token(none, 10, &token, &err), 0);
	assert_null(token);
	json_decref(second);
	json_decref(empty);
	json_decref(none);
}

static void the_same_token_again_would_never_end(void **state)
{
	(void)state;
	json_t *object = json_pack("{s:s}", "NextToken", "two");
	struct err err = ERR_INIT;
	char *token = xstrdup("two");
	assert_int_equal(take_next_token(object, 10, &token, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_string_equal(token, "two");
	assert_int_equal(take_next_token(object, 2, &token, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	free(token);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_cut_and_texts_are_not),
		cmocka_unit_test(token_is_replaced_or_gone),
		cmocka_unit_test(the_same_token_again_would_never_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
