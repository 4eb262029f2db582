/* Trees drawn as lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cli/tree.h"

static void assert_drawn(struct tree *tree, const char *expected)
{
	struct buf all;
	const char *text;
	bool is_leaf;
	size_t item;
	buf_init(&all, 1 << 20);
	while (tree_next(tree, &text, &is_leaf, &item)) {
		buf_add_text(&all, text);
		if (is_leaf)
			buf_addf(&all, " #%zu", item);
		buf_add_char(&all, '\n');
	}
	assert_string_equal(buf_text(&all), expected);
	buf_clear(&all);
	tree_free(tree);
}

static void branches_are_opened_once_and_the_last_child_is_marked(void **state)
{
	(void)state;
	struct tree *tree = tree_new(false);
	tree_begin(tree, NULL);
	tree_add(tree, "Root", "management", 0);
	tree_add(tree, "Root/A", "one", 1);
	tree_add(tree, "Root/A", "two", 2);
	tree_add(tree, "Root/A/B", "three", 3);
	tree_add(tree, "Root/C", "four", 4);
	assert_drawn(tree, "Root\n"
			   "|- management #0\n"
			   "|- A\n"
			   "|  |- one #1\n"
			   "|  |- two #2\n"
			   "|  `- B\n"
			   "|     `- three #3\n"
			   "`- C\n"
			   "   `- four #4\n");
}

static void titles_part_several_trees(void **state)
{
	(void)state;
	struct tree *tree = tree_new(true);
	tree_begin(tree, "prod");
	tree_add(tree, "Root", "a", 0);
	tree_begin(tree, "test");
	tree_add(tree, "", "b", 1);
	assert_drawn(tree, "prod\n"
			   "\u2514\u2500 Root\n"
			   "   \u2514\u2500 a #0\n"
			   "test\n"
			   "\u2514\u2500 b #1\n");
}

static void lines_lead_past_what_lies_between(void **state)
{
	(void)state;
	struct tree *tree = tree_new(true);
	tree_begin(tree, NULL);
	tree_add(tree, "Root/A/B", "one", 1);
	tree_add(tree, "Root/A", "two", 2);
	tree_add(tree, "Root/AB", "three", 3); /* as long as no other, and begins as one */
	tree_add(tree, "Root/AC", "four", 4);
	assert_drawn(tree, "Root\n"
			   "\u251c\u2500 A\n"
			   "\u2502  \u251c\u2500 B\n"
			   "\u2502  \u2502  \u2514\u2500 one #1\n"
			   "\u2502  \u2514\u2500 two #2\n"
			   "\u251c\u2500 AB\n"
			   "\u2502  \u2514\u2500 three #3\n"
			   "\u2514\u2500 AC\n"
			   "   \u2514\u2500 four #4\n");
}

static void accounts_without_units_stand_at_the_margin(void **state)
{
	(void)state;
	struct tree *tree = tree_new(false);
	tree_begin(tree, NULL);
	tree_add(tree, "", "only", 7);
	assert_drawn(tree, "only #7\n");
}

static void an_empty_tree_has_no_lines(void **state)
{
	(void)state;
	assert_drawn(tree_new(false), "");
	tree_free(NULL);
}

/* Deeper than AWS allows: what does not fit is left at the deepest branch, nothing breaks. */
static void a_path_that_is_too_deep_ends_at_the_limit(void **state)
{
	(void)state;
	struct buf path;
	const char *text;
	bool is_leaf = false;
	size_t item = 0, lines = 0;
	struct tree *tree = tree_new(true);
	buf_init(&path, 1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_add_text(&path, "unit/");
	tree_begin(tree, "title");
	tree_add(tree, buf_text(&path), "leaf", 3);
	while (tree_next(tree, &text, &is_leaf, &item))
		lines++;
	assert_int_equal(lines, 1 + TREE_DEPTH_MAX + 1);
	assert_true(is_leaf);
	assert_int_equal(item, 3);
	tree_free(tree);
	buf_clear(&path);
}

static int compare(const void *a, const void *b)
{
	const char *const *path_a = a, *const *path_b = b;
	return tree_compare(*path_a, *path_b);
}

/* A blank sorts before the separator in ASCII; "A B" must not come between "A" and "A/C". */
static void paths_sort_so_that_no_branch_is_opened_twice(void **state)
{
	(void)state;
	const char *path[] = {"R/A B", "R/A/C", "R", "R/A", "R/A\x01", "R/B", "R/A/C/D"};
	const char *expected[] = {"R", "R/A", "R/A/C", "R/A/C/D", "R/A\x01", "R/A B", "R/B"};
	qsort(path, 7, sizeof(path[0]), compare);
	for (int i = 0; i < 7; i++)
		assert_string_equal(path[i], expected[i]);
	assert_int_equal(tree_compare("R/A", "R/A"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches_are_opened_once_and_the_last_child_is_marked),
		cmocka_unit_test(titles_part_several_trees),
		cmocka_unit_test(lines_lead_past_what_lies_between),
		cmocka_unit_test(accounts_without_units_stand_at_the_margin),
		cmocka_unit_test(an_empty_tree_has_no_lines),
		cmocka_unit_test(a_path_that_is_too_deep_ends_at_the_limit),
		cmocka_unit_test(paths_sort_so_that_no_branch_is_opened_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
