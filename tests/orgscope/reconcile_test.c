#include "orgscope/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/regions_read.h"
#include "base/text.h"

enum { LIST_MAX = 8 };

/* "a b c" as a list of texts. */
struct names {
	char text[LIST_MAX][32];
	const char *pointer[LIST_MAX];
	size_t count;
};

static void set_names(struct names *names, const char *text)
{
	char copy[256], *at = copy, *name;
	names->count = 0;
	text_copy(copy, sizeof(copy), text);
	while ((name = strsep(&at, " ")) != NULL) {
		if (name[0] == '\0')
			continue;
		text_copy(names->text[names->count], 32, name);
		names->pointer[names->count] = names->text[names->count];
		names->count++;
	}
}

/* "a -b": a enabled, b disabled. NULL: not known. */
static const struct region_list *set_regions(struct region_list *list, const char *text)
{
	struct names names;
	if (text == NULL)
		return NULL;
	set_names(&names, text);
	list->count = names.count;
	for (size_t i = 0; i < names.count; i++) {
		bool is_disabled = names.text[i][0] == '-';
		text_copy(list->item[i].name, sizeof(list->item[i].name),
			names.text[i] + is_disabled);
		list->item[i].state = is_disabled ? REGION_DISABLED : REGION_ENABLED;
	}
	return list;
}

static void expect(bool is_lost, const char *known, const char *wanted, const char *regions,
	const char *expected)
{
	static const char *const name[] = {"visit", "disabled", "mark", "excluded", "delete"};
	struct names known_names, wanted_names;
	struct region_list list;
	struct reconcile_plan plan;
	char got[512] = "";
	set_names(&known_names, known);
	set_names(&wanted_names, wanted);
	reconcile_regions(&(struct reconcile_input){.known = known_names.pointer,
				  .known_count = known_names.count,
				  .wanted = wanted_names.pointer,
				  .wanted_count = wanted_names.count,
				  .regions = set_regions(&list, regions),
				  .is_lost = is_lost},
		&plan);
	for (size_t i = 0; i < plan.count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s:%s", i > 0 ? " " : "",
			plan.item[i].region, name[plan.item[i].action]);
	assert_string_equal(got, expected);
	reconcile_plan_clear(&plan);
}

static void new_account_is_visited_where_it_is_enabled(void **state)
{
	(void)state;
	expect(false, "", "", "a -b c", "a:visit b:disabled c:visit");
}

static void account_that_was_never_seen_and_is_lost_has_one_record(void **state)
{
	(void)state;
	expect(true, "", "", NULL, "*:mark");
	expect(true, "*", "", NULL, "*:mark");
}

static void any_region_is_deleted_once_regions_are_known(void **state)
{
	(void)state;
	expect(false, "*", "", "a -b", "a:visit b:disabled *:delete");
	expect(false, "*", "a", NULL, "a:visit *:delete");
	expect(true, "* a", "", NULL, "a:mark *:delete");
}

static void lost_account_keeps_its_regions(void **state)
{
	(void)state;
	expect(true, "a b", "", NULL, "a:mark b:mark");
	expect(true, "a b", "", "a", "a:mark b:mark"); /* what AWS said before it was lost */
}

static void region_that_aws_no_longer_names_is_deleted(void **state)
{
	(void)state;
	expect(false, "a b", "", "a c", "a:visit c:visit b:delete");
}

static void list_of_the_connector_decides(void **state)
{
	(void)state;
	expect(false, "a b", "a c", NULL, "a:visit c:visit b:excluded");
	expect(true, "a b", "a c", NULL, "a:mark c:mark b:excluded");
	expect(false, "", "a c d", "a -c", "a:visit c:disabled d:visit");
}

static void region_counts_once(void **state)
{
	(void)state;
	expect(false, "a a", "", "a a", "a:visit");
	expect(false, "b b", "a a", NULL, "a:visit b:excluded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_account_is_visited_where_it_is_enabled),
		cmocka_unit_test(account_that_was_never_seen_and_is_lost_has_one_record),
		cmocka_unit_test(any_region_is_deleted_once_regions_are_known),
		cmocka_unit_test(lost_account_keeps_its_regions),
		cmocka_unit_test(region_that_aws_no_longer_names_is_deleted),
		cmocka_unit_test(list_of_the_connector_decides),
		cmocka_unit_test(region_counts_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
