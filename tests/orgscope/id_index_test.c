#include "orgscope/id_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/aborts.h"

struct item {
	char id[8];
	int value;
};

static void nothing_is_found_in_an_empty_index(void **state)
{
	(void)state;
	struct id_index index = {.position = NULL};
	size_t at = 7;
	assert_false(id_index_find(&index, NULL, sizeof(struct item), "a", &at));
	assert_int_equal(at, 7);
	id_index_clear(&index);
}

/* In an order that is neither rising nor falling, in an array that moves. */
static void every_item_is_found_while_the_array_grows(void **state)
{
	(void)state;
	enum { ITEMS = 101 };
	struct id_index index = {.position = NULL};
	struct item *item = NULL;
	size_t capacity = 0;
	for (size_t i = 0; i < ITEMS; i++) {
		item = xgrow(item, &capacity, i, sizeof(*item));
		snprintf(item[i].id, sizeof(item[i].id), "%03zu", i * 37 % ITEMS);
		id_index_add(&index, item, sizeof(*item), i);
		for (size_t known = 0; known <= i; known++) {
			size_t at = ITEMS;
			assert_true(
				id_index_find(&index, item, sizeof(*item), item[known].id, &at));
			assert_int_equal(at, known);
		}
	}
	size_t at;
	assert_false(id_index_find(&index, item, sizeof(*item), "", &at));
	assert_false(id_index_find(&index, item, sizeof(*item), "0505", &at));
	assert_false(id_index_find(&index, item, sizeof(*item), "999", &at));
	id_index_clear(&index);
	assert_int_equal(index.count, 0);
	free(item);
}

static void add_twice(void)
{
	struct id_index index = {.position = NULL};
	struct item item[2] = {{.id = "a"}, {.id = "a"}};
	id_index_add(&index, item, sizeof(item[0]), 0);
	id_index_add(&index, item, sizeof(item[0]), 1);
}

static void adding_an_id_twice_is_a_bug(void **state)
{
	(void)state;
	assert_true(aborts(add_twice));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_in_an_empty_index),
		cmocka_unit_test(every_item_is_found_while_the_array_grows),
		cmocka_unit_test(adding_an_id_twice_is_a_bug),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
