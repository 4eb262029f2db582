/* Memory of libraries that carry secrets: wiped when given back, and used again soon. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem_wiping.h"

enum { SIZE_MAX_TRIED = 24 * 1024, MANY = 50 };

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void every_size_has_its_room(void **state)
{
	(void)state;
	for (size_t size = 0; size < SIZE_MAX_TRIED; size += 37) {
		unsigned char *first = mem_wiping_alloc(size), *second = mem_wiping_alloc(size);
		assert_true(malloc_usable_size(first) >= size);
		memset(first, 1, size);
		memset(second, 2, size);
		assert_true(size == 0 || first[size - 1] == 1);
		mem_wiping_free(first);
		mem_wiping_free(second);
	}
}

static void buffer_that_comes_again_is_the_same_and_clean(void **state)
{
	(void)state;
	unsigned char *buffer = mem_wiping_alloc(16400);
	memset(buffer, 0x5a, malloc_usable_size(buffer));
	mem_wiping_free(buffer);
	unsigned char *again = mem_wiping_alloc(16384 + 1);
	assert_ptr_equal(again, buffer);
	assert_true(is_zero(again, malloc_usable_size(again)));
	mem_wiping_free(again);
}

static void no_more_than_a_few_are_kept(void **state)
{
	(void)state;
	void *buffer[MANY];
	for (size_t i = 0; i < MANY; i++)
		buffer[i] = mem_wiping_alloc(5000);
	for (size_t i = 0; i < MANY; i++)
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(buffer[i], buffer[j]);
	for (size_t i = 0; i < MANY; i++)
		mem_wiping_free(buffer[i]);
	void *again[MANY];
	for (size_t i = 0; i < MANY; i++)
		again[i] = mem_wiping_alloc(5000);
	for (size_t i = 0; i < MANY; i++)
		mem_wiping_free(again[i]);
}

static void what_malloc_gave_is_taken(void **state)
{
	(void)state;
	for (size_t size = 1; size < SIZE_MAX_TRIED; size += 501) {
		mem_wiping_free(malloc(size));
		mem_wiping_free(calloc(1, size));
		free(mem_wiping_alloc(size));
	}
	mem_wiping_free(NULL);
}

static void realloc_keeps_the_content(void **state)
{
	(void)state;
	char *memory = mem_wiping_realloc(NULL, 10);
	memcpy(memory, "0123456789", 10);
	memory = mem_wiping_realloc(memory, 5000);
	assert_memory_equal(memory, "0123456789", 10);
	char *smaller = mem_wiping_realloc(memory, 4);
	assert_memory_equal(smaller, "0123", 4);
	assert_null(mem_wiping_realloc(smaller, 0)); /* frees */
}

static void impossible_sizes_are_refused(void **state)
{
	(void)state;
	assert_null(mem_wiping_alloc(SIZE_MAX / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_has_its_room),
		cmocka_unit_test(buffer_that_comes_again_is_the_same_and_clean),
		cmocka_unit_test(no_more_than_a_few_are_kept),
		cmocka_unit_test(what_malloc_gave_is_taken),
		cmocka_unit_test(realloc_keeps_the_content),
		cmocka_unit_test(impossible_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
