/* Memory of jansson's trees: laid end to end, given back and wiped when the last object is freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_memory.h"

enum { LARGE = 1 << 20 };

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Runs first: there is no block of the usual size yet, and a larger one is not kept. */
static void a_large_first_object_leaves_nothing(void **state)
{
	(void)state;
	json_memory_free(json_memory_alloc(LARGE));
	assert_int_equal(json_memory_used(), 0);
	json_memory_free(json_memory_alloc(10));
	assert_int_equal(json_memory_used(), 0);
}

static void objects_are_apart_and_aligned(void **state)
{
	(void)state;
	unsigned char *object[100];
	for (size_t i = 0; i < 100; i++) {
		object[i] = json_memory_alloc(i);
		assert_int_equal((uintptr_t)object[i] % 16, 0);
		memset(object[i], (int)i, i);
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t at = 0; at < i; at++)
			assert_int_equal(object[i][at], i);
	for (size_t i = 0; i < 100; i++)
		json_memory_free(object[i]);
	assert_int_equal(json_memory_used(), 0);
}

static void memory_is_wiped_with_the_last_object(void **state)
{
	(void)state;
	unsigned char *first = json_memory_alloc(64), *second = json_memory_alloc(64);
	memset(first, 0x5a, 64);
	memset(second, 0x5a, 64);
	json_memory_free(first);
	assert_true(json_memory_used() >= 128);
	json_memory_free(second);
	assert_int_equal(json_memory_used(), 0);
	assert_true(is_zero(first, 64) && is_zero(second, 64)); /* the kept block */
	assert_ptr_equal(json_memory_alloc(64), first);
	json_memory_free(first);
}

static void objects_larger_than_a_block_have_their_own(void **state)
{
	(void)state;
	unsigned char *small = json_memory_alloc(10), *large = json_memory_alloc(LARGE);
	unsigned char *after = json_memory_alloc(10);
	memset(large, 1, LARGE);
	json_memory_free(large);
	json_memory_free(small);
	assert_true(json_memory_used() > LARGE);
	json_memory_free(after);
	assert_int_equal(json_memory_used(), 0);
	large = json_memory_alloc(LARGE);
	json_memory_free(large);
	assert_int_equal(json_memory_used(), 0);
}

static void impossible_sizes_are_refused_and_null_is_fine(void **state)
{
	(void)state;
	json_memory_free(NULL);
	assert_null(json_memory_alloc(SIZE_MAX));
	assert_null(json_memory_alloc(SIZE_MAX / 2 + 1));
	assert_int_equal(json_memory_used(), 0);
}

static void add_certificates(struct buf *text, size_t count)
{
	buf_add_text(text, "{\"list\": [");
	for (size_t i = 0; i < count; i++)
		buf_addf(text, "%s{\"number\": %zu, \"names\": [\"a%zu.example\", \"\\u00e9\"]}",
			i > 0 ? "," : "", i, i);
	buf_add_text(text, "]}");
}

static void trees_live_in_it(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, LARGE);
	add_certificates(&text, 5000);
	json_t *tree = json_read_object(buf_text(&text), text.len, &err);
	assert_non_null(tree);
	assert_true(json_memory_used() > 0);
	assert_int_equal(json_array_size(json_object_get(tree, "list")), 5000);
	json_t *last = json_array_get(json_object_get(tree, "list"), 4999);
	assert_int_equal(json_integer_value(json_object_get(last, "number")), 4999);
	json_decref(tree);
	assert_int_equal(json_memory_used(), 0);
	assert_null(json_read_object(buf_text(&text), text.len - 1, &err)); /* cut */
	assert_int_equal(json_memory_used(), 0);
	buf_clear(&text);
}

static int set_functions(void **state)
{
	(void)state;
	json_set_alloc_funcs(json_memory_alloc, json_memory_free);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_first_object_leaves_nothing),
		cmocka_unit_test(objects_are_apart_and_aligned),
		cmocka_unit_test(memory_is_wiped_with_the_last_object),
		cmocka_unit_test(objects_larger_than_a_block_have_their_own),
		cmocka_unit_test(impossible_sizes_are_refused_and_null_is_fine),
		cmocka_unit_test(trees_live_in_it),
	};
	return cmocka_run_group_tests(tests, set_functions, NULL);
}
