#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/aborts.h"

static volatile size_t far_too_much = PTRDIFF_MAX;

static void ask_malloc(void)
{
	free(xmalloc(far_too_much));
}

static void ask_calloc(void)
{
	free(xcalloc(far_too_much, far_too_much));
}

static void ask_reallocarray(void)
{
	free(xreallocarray(NULL, far_too_much, far_too_much));
}

static void ask_strndup(void)
{
	free(xstrndup("", SIZE_MAX));
}

static void ask_grow(void)
{
	size_t capacity = SIZE_MAX / 2 + 1;
	free(xgrow(NULL, &capacity, SIZE_MAX / 2 + 1, 1));
}

static void failure_to_allocate_aborts(void **state)
{
	(void)state;
	assert_true(aborts(ask_malloc));
	assert_true(aborts(ask_calloc));
	assert_true(aborts(ask_reallocarray));
	assert_true(aborts(ask_strndup));
	assert_true(aborts(ask_grow));
}

static void nothing_asked_still_gives_memory(void **state)
{
	(void)state;
	void *memory[] = {xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xreallocarray(NULL, 0, 8),
		xreallocarray(NULL, 8, 0)};
	for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
		assert_non_null(memory[i]);
		free(memory[i]);
	}
}

static void calloc_gives_zeroes(void **state)
{
	(void)state;
	static const char zeroes[64];
	void *memory = xcalloc(8, 8);
	assert_memory_equal(memory, zeroes, sizeof(zeroes));
	free(memory);
}

static void copies_of_text(void **state)
{
	(void)state;
	assert_null(xstrdup(NULL));
	char *copy = xstrdup("text");
	assert_string_equal(copy, "text");
	free(copy);
	copy = xstrndup("text", 2);
	assert_string_equal(copy, "te");
	free(copy);
	copy = xstrndup(NULL, 0);
	assert_string_equal(copy, "");
	free(copy);
	copy = xasprintf("%s %d", "number", 7);
	assert_string_equal(copy, "number 7");
	free(copy);
}

static void grow_doubles_and_keeps_what_was_there(void **state)
{
	(void)state;
	int *number = NULL;
	size_t capacity = 0;
	int moves = 0;
	for (size_t count = 0; count < 1000; count++) {
		size_t before = capacity;
		number = xgrow(number, &capacity, count, sizeof(number[0]));
		moves += capacity != before ? 1 : 0;
		assert_true(capacity > count);
		number[count] = (int)count;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(number[i], i);
	assert_int_equal(moves, 8); /* 8, 16, ... 1024 */
	number = xgrow(number, &capacity, 5000, sizeof(number[0]));
	assert_int_equal(capacity, 8192);
	free(number);
}

static void wipe_overwrites(void **state)
{
	(void)state;
	char text[] = "secret";
	mem_wipe(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(text[i], 0);
	mem_wipe(NULL, 0);
}

/* Whether anything can be given back depends on the system; what is in use stays. */
static void trim_leaves_what_is_in_use(void **state)
{
	(void)state;
	char *text = xstrdup("kept");
	free(xcalloc(1, 1 << 20));
	mem_trim();
	assert_string_equal(text, "kept");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_to_allocate_aborts),
		cmocka_unit_test(nothing_asked_still_gives_memory),
		cmocka_unit_test(calloc_gives_zeroes),
		cmocka_unit_test(copies_of_text),
		cmocka_unit_test(grow_doubles_and_keeps_what_was_there),
		cmocka_unit_test(wipe_overwrites),
		cmocka_unit_test(trim_leaves_what_is_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
