/* The progress line: what it says, and what it leaves out when there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/progress.h"

static json_t *running(const char *phase, int accounts_done, int pairs_done, int pairs_total)
{
	json_t *one = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:n}", "phase",
		phase, "accounts_done", accounts_done, "accounts_total", 40, "pairs_done",
		pairs_done, "pairs_total", pairs_total, "certificates", 1204, "calls", 1234567,
		"throttles", 3, "eta_s", 61, "result");
	assert_non_null(one);
	return one;
}

static void reads(const json_t *cycles, int columns, bool has_bar, const char *expected)
{
	struct progress_view view;
	struct buf line;
	size_t i;
	json_t *one;
	buf_init(&line, 4096);
	progress_view_init(&view);
	json_array_foreach(cycles, i, one) progress_view_add(&view, one);
	progress_line(&line, &view, columns, has_bar, false);
	assert_string_equal(buf_text(&line), expected);
	buf_clear(&line);
}

static void everything_is_said_when_there_is_room(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("scan", 12, 83, 160));
	reads(cycles, 0, true,
		"[##########----------]  51%  83/160 account-regions  1m 1s left  1,204 "
		"certificates  12/40 accounts  1,234,567 calls  3 throttles");
	reads(cycles, 0, false,
		"83/160 account-regions  1m 1s left  1,204 certificates  12/40 accounts  1,234,567 "
		"calls  3 throttles");
	json_decref(cycles);
}

static void what_does_not_fit_is_left_out_from_the_right(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("scan", 12, 83, 160));
	reads(cycles, 79, true, "[##########----------]  51%  83/160 account-regions  1m 1s left");
	reads(cycles, 51, true, "[##########----------]  51%  83/160 account-regions");
	reads(cycles, 40, true, "[##########----------]  51%");
	json_decref(cycles);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("scan", 12, 83, 160));
	for (int columns = 30; columns <= 200; columns++) {
		struct progress_view view;
		struct buf line;
		buf_init(&line, 4096);
		progress_view_init(&view);
		progress_view_add(&view, json_array_get(cycles, 0));
		progress_line(&line, &view, columns, true, true);
		assert_true(text_columns(buf_text(&line)) <= (size_t)columns);
		buf_clear(&line);
	}
	json_decref(cycles);
}

static void several_cycles_are_summed_and_the_last_one_behind_counts(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o, o]", running("scan", 1, 10, 20), running("scan", 2, 5, 20));
	json_t *second = json_array_get(cycles, 1);
	json_object_set_new(second, "eta_s", json_integer(7200));
	reads(cycles, 60, false, "15/40 account-regions  2h left  2,408 certificates");
	json_object_set_new(second, "eta_s", json_null());
	reads(cycles, 60, false, "15/40 account-regions  2,408 certificates  3/80 accounts");
	/* Of one that cannot be estimated nothing is known of all, whichever comes first. */
	json_object_set_new(json_array_get(cycles, 0), "eta_s", json_null());
	json_object_set_new(second, "eta_s", json_integer(7200));
	reads(cycles, 60, false, "15/40 account-regions  2,408 certificates  3/80 accounts");
	json_object_set_new(json_array_get(cycles, 0), "eta_s", json_integer(61));
	json_object_set_new(second, "eta_s", json_integer(5));
	reads(cycles, 60, false, "15/40 account-regions  1m 1s left  2,408 certificates");
	json_object_set_new(second, "pairs_total", json_integer(0));
	json_object_set_new(second, "phase", json_string("queued"));
	reads(cycles, 80, true, "[--------------------]   0%  waiting for the cycle that runs");
	json_decref(cycles);
}

static void a_phase_without_numbers_is_said_in_words(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("organization", 0, 0, 0));
	reads(cycles, 0, false, "reading the organization");
	json_object_set_new(json_array_get(cycles, 0), "phase", json_string("accounts"));
	reads(cycles, 0, false, "writing the accounts");
	json_object_set_new(json_array_get(cycles, 0), "phase", json_string("scan"));
	reads(cycles, 0, false, "opening accounts");
	json_decref(cycles);
}

static void an_ended_cycle_holds_up_nothing(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("done", 0, 0, 0));
	json_object_set_new(json_array_get(cycles, 0), "result", json_string("complete"));
	reads(cycles, 0, false, "done");
	json_array_append_new(cycles, running("scan", 12, 160, 160));
	reads(cycles, 40, false, "160/160 account-regions");
	json_decref(cycles);
}

static void the_total_is_an_estimate_and_never_more_than_all(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("scan", 12, 30, 20));
	reads(cycles, 28, true, "[####################] 100%");
	json_decref(cycles);
}

static void numbers_beyond_all_bounds_are_no_harm(void **state)
{
	(void)state;
	json_t *one = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "phase", "scan", "pairs_done",
		INT64_MAX - 1, "pairs_total", INT64_MAX, "certificates", INT64_MAX, "calls",
		INT64_MIN, "eta_s", INT64_MAX);
	json_t *cycles = json_pack("[O, o]", one, one);
	reads(cycles, 100, true,
		"[####################] 100%  1,000,000,000,000,000/"
		"1,000,000,000,000,000 account-regions");
	json_decref(cycles);
}

static void a_phase_of_a_newer_daemon_is_no_mistake(void **state)
{
	(void)state;
	json_t *cycles = json_pack("[o]", running("unheard-of", 1, 1, 2));
	reads(cycles, 30, false, "1/2 account-regions");
	json_decref(cycles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_said_when_there_is_room),
		cmocka_unit_test(what_does_not_fit_is_left_out_from_the_right),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(several_cycles_are_summed_and_the_last_one_behind_counts),
		cmocka_unit_test(a_phase_without_numbers_is_said_in_words),
		cmocka_unit_test(an_ended_cycle_holds_up_nothing),
		cmocka_unit_test(the_total_is_an_estimate_and_never_more_than_all),
		cmocka_unit_test(numbers_beyond_all_bounds_are_no_harm),
		cmocka_unit_test(a_phase_of_a_newer_daemon_is_no_mistake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
