#include "orgscope/agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The next pair as "region/account", or "" when none waits. */
static const char *next(struct agenda *agenda)
{
	static char text[64];
	struct agenda_pair pair;
	text[0] = '\0';
	if (agenda_next(agenda, &pair))
		snprintf(text, sizeof(text), "%s/%zu", pair.region, pair.account);
	return text;
}

static void empty_agenda_has_no_next(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	assert_int_equal(agenda_count(agenda), 0);
	assert_string_equal(next(agenda), "");
	assert_int_equal(agenda_drop_account(agenda, 1), 0);
	agenda_free(agenda);
	agenda_free(NULL);
}

static void regions_take_turns_and_accounts_within_a_region(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	for (size_t account = 1; account <= 2; account++) {
		agenda_add(agenda, account, "a");
		agenda_add(agenda, account, "b");
		agenda_add(agenda, account, "c");
	}
	assert_int_equal(agenda_count(agenda), 6);
	assert_string_equal(next(agenda), "a/1");
	assert_string_equal(next(agenda), "b/1");
	assert_string_equal(next(agenda), "c/1");
	assert_string_equal(next(agenda), "a/2");
	assert_string_equal(next(agenda), "b/2");
	assert_string_equal(next(agenda), "c/2");
	assert_string_equal(next(agenda), "");
	assert_int_equal(agenda_count(agenda), 0);
	agenda_free(agenda);
}

static void accounts_that_come_one_by_one_begin_in_different_regions(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	static const char *const region[] = {"a", "b", "c"};
	static const char *const first[] = {"a/0", "b/1", "c/2", "a/3"};
	for (size_t account = 0; account < 4; account++) {
		for (size_t i = 0; i < 3; i++)
			agenda_add(agenda, account, region[i]);
		assert_string_equal(next(agenda), first[account]);
		assert_int_equal(agenda_drop_account(agenda, account), 2);
	}
	agenda_free(agenda);
}

static void region_with_many_waiting_does_not_hold_up_the_others(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	for (size_t account = 0; account < 100; account++)
		agenda_add(agenda, account, "us-east-1");
	agenda_add(agenda, 100, "eu-west-1");
	assert_string_equal(next(agenda), "us-east-1/0");
	assert_string_equal(next(agenda), "eu-west-1/100");
	assert_string_equal(next(agenda), "us-east-1/1");
	assert_string_equal(next(agenda), "us-east-1/2");
	agenda_free(agenda);
}

static void lost_account_is_taken_out_everywhere(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	for (size_t account = 1; account <= 3; account++) {
		agenda_add(agenda, account, "a");
		agenda_add(agenda, account, "b");
	}
	assert_string_equal(next(agenda), "a/1");
	assert_int_equal(agenda_drop_account(agenda, 1), 1);
	assert_int_equal(agenda_drop_account(agenda, 2), 2);
	assert_int_equal(agenda_drop_account(agenda, 9), 0);
	assert_int_equal(agenda_count(agenda), 2);
	assert_string_equal(next(agenda), "b/3");
	assert_string_equal(next(agenda), "a/3");
	assert_string_equal(next(agenda), "");
	agenda_free(agenda);
}

static void room_is_reused_and_order_is_kept(void **state)
{
	(void)state;
	struct agenda *agenda = agenda_new();
	size_t added = 0, taken = 0;
	struct agenda_pair pair;
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 7; i++)
			agenda_add(agenda, added++, "a");
		for (int i = 0; i < 6; i++) {
			assert_true(agenda_next(agenda, &pair));
			assert_int_equal(pair.account, taken++);
		}
	}
	while (agenda_next(agenda, &pair))
		assert_int_equal(pair.account, taken++);
	assert_int_equal(taken, added);
	agenda_add(agenda, 5, "a");
	assert_string_equal(next(agenda), "a/5");
	agenda_free(agenda);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_agenda_has_no_next),
		cmocka_unit_test(regions_take_turns_and_accounts_within_a_region),
		cmocka_unit_test(accounts_that_come_one_by_one_begin_in_different_regions),
		cmocka_unit_test(region_with_many_waiting_does_not_hold_up_the_others),
		cmocka_unit_test(lost_account_is_taken_out_everywhere),
		cmocka_unit_test(room_is_reused_and_order_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
