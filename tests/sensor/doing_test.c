#include "sensor/doing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sensor/progress.h"

enum { NOW_S = 1795219200 }; /* 2026-11-21T00:00:00Z */

static void expect(const struct doing_connector *connector, size_t count, size_t deliveries,
	const char *expected)
{
	struct buf line;
	buf_init(&line, 400);
	doing_line(connector, count, deliveries, NOW_S, &line);
	assert_string_equal(buf_text(&line), expected);
	buf_clear(&line);
}

static void idle_tells_the_next_cycle_of_all(void **state)
{
	(void)state;
	struct doing_connector connector[] = {{"prod", NULL, NOW_S + 7200},
		{"dev", NULL, NOW_S + 3600}, {"lab", NULL, NOW_S + 9000}};
	expect(connector, 3, 0, "idle; next cycle of dev at 2026-11-21T01:00:00Z");
	connector[2].next_s = 0;
	expect(connector, 3, 0, "idle; next cycle of lab at once");
	connector[2].next_s = NOW_S;
	expect(connector, 3, 0, "idle; next cycle of lab at once");
	expect(NULL, 0, 0, "no connector is configured");
}

static void each_phase_of_a_cycle_has_its_words(void **state)
{
	static const struct {
		enum progress_phase phase;
		const char *words;
	} phase[] = {
		{PROGRESS_QUEUED, "prod: cycle, reading the organization"},
		{PROGRESS_ORGANIZATION, "prod: cycle, reading the organization"},
		{PROGRESS_ACCOUNTS, "prod: cycle, storing the accounts"},
		{PROGRESS_SCAN, "prod: cycle, 3 of 8 account-regions"},
		{PROGRESS_FINISHING, "prod: cycle, finishing"},
		{PROGRESS_DONE, "prod: cycle, finishing"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(phase) / sizeof(phase[0]); i++) {
		const struct progress progress = {
			.phase = phase[i].phase, .pairs_known = 8, .pairs_done = 3};
		const struct doing_connector connector = {"prod", &progress, 0};
		expect(&connector, 1, 0, phase[i].words);
	}
}

static void several_things_at_once_are_all_told(void **state)
{
	(void)state;
	const struct progress scan = {.kind = PROGRESS_ASKED,
		.phase = PROGRESS_SCAN,
		.pairs_known = 8,
		.pairs_done = 3,
		.pairs_problem = 2};
	const struct progress again = {.kind = PROGRESS_CATCH_UP};
	const struct doing_connector connector[] = {
		{"prod", &scan, 0}, {"dev", NULL, NOW_S}, {"lab", &again, 0}};
	expect(connector, 3, 0,
		"prod: scan by hand, 3 of 8 account-regions (2 not read); "
		"lab: trying again what failed, reading the organization");
	expect(connector, 1, 2,
		"prod: scan by hand, 3 of 8 account-regions (2 not read); 2 deliveries");
}

static void deliveries_go_on_between_cycles(void **state)
{
	(void)state;
	const struct doing_connector connector = {"prod", NULL, NOW_S + 3600};
	expect(&connector, 1, 1, "idle; next cycle of prod at 2026-11-21T01:00:00Z; 1 delivery");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_tells_the_next_cycle_of_all),
		cmocka_unit_test(each_phase_of_a_cycle_has_its_words),
		cmocka_unit_test(several_things_at_once_are_all_told),
		cmocka_unit_test(deliveries_go_on_between_cycles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
