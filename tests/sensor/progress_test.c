#include "sensor/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/text.h"

static struct progress half_way(void)
{
	return (struct progress){.cycle_id = "prod-1",
		.connector = "prod",
		.phase = PROGRESS_SCAN,
		.started_s = 1795219200,
		.scan_mono_ms = 1000,
		.accounts_total = 10,
		.accounts_opened = 5,
		.accounts_done = 3,
		.pairs_known = 20,
		.pairs_done = 10,
		.pairs_running = 4};
}

static void accounts_not_opened_yet_are_counted_with_the_average(void **state)
{
	(void)state;
	struct progress progress = half_way();
	assert_int_equal(progress_pairs_total(&progress), 40);
	progress.accounts_opened = 10;
	assert_int_equal(progress_pairs_total(&progress), 20);
	progress.accounts_opened = 0;
	progress.pairs_known = 0;
	assert_int_equal(progress_pairs_total(&progress), 0);
}

static void time_left_follows_the_pace_so_far(void **state)
{
	(void)state;
	struct progress progress = half_way();
	assert_int_equal(progress_eta_s(&progress, 1000 + 60000), 180);
	progress.pairs_done = 40;
	assert_int_equal(progress_eta_s(&progress, 1000 + 60000), 0);
	progress.pairs_done = 50; /* the estimate was too low */
	assert_int_equal(progress_eta_s(&progress, 1000 + 60000), 0);
}

static void time_left_is_not_told_before_there_is_a_pace(void **state)
{
	(void)state;
	struct progress progress = half_way();
	assert_int_equal(progress_eta_s(&progress, 1000 + 1999), -1);
	progress.pairs_done = 0;
	assert_int_equal(progress_eta_s(&progress, 1000 + 60000), -1);
	progress = half_way();
	progress.phase = PROGRESS_ACCOUNTS;
	assert_int_equal(progress_eta_s(&progress, 1000 + 60000), -1);
	progress = half_way();
	progress.scan_mono_ms = 0;
	assert_int_equal(progress_eta_s(&progress, 60000), -1);
}

static void expect_rendered(const struct progress *progress, const char *expected)
{
	char text[2048];
	struct json_writer writer;
	struct buf to;
	buf_init(&to, sizeof(text) - 1);
	json_writer_init(&writer, &to, false);
	progress_render(progress, 61000, &writer);
	(void)text_copy(text, sizeof(text), buf_text(&to));
	buf_clear(&to);
	assert_string_equal(text, expected);
}

static void result_is_told_only_when_the_end_is_stored(void **state)
{
	(void)state;
	struct progress progress = half_way();
	expect_rendered(&progress,
		"{\"cycle_id\":\"prod-1\",\"connector\":\"prod\",\"kind\":\"cycle\",\"phase\":"
		"\"scan\",\"started\":\"2026-11-21T00:00:00Z\",\"finished\":null,\"result\":null,"
		"\"error\":null,\"accounts_total\":10,\"accounts_done\":3,\"pairs_total\":40,"
		"\"pairs_done\":10,\"pairs_running\":4,\"pairs_problem\":0,\"certificates\":0,"
		"\"calls\":0,\"throttles\":0,\"retries\":0,\"eta_s\":180}");
	progress.phase = PROGRESS_FINISHING;
	progress.result = PROGRESS_FAILED;
	progress.finished_s = 1795219201;
	(void)err_set(&progress.err, ERR_DENIED, "no");
	expect_rendered(&progress,
		"{\"cycle_id\":\"prod-1\",\"connector\":\"prod\",\"kind\":\"cycle\",\"phase\":"
		"\"finishing\",\"started\":\"2026-11-21T00:00:00Z\",\"finished\":null,\"result\":"
		"null,\"error\":null,\"accounts_total\":10,\"accounts_done\":3,\"pairs_total\":40,"
		"\"pairs_done\":10,\"pairs_running\":4,\"pairs_problem\":0,\"certificates\":0,"
		"\"calls\":0,\"throttles\":0,\"retries\":0,\"eta_s\":null}");
	progress.phase = PROGRESS_DONE;
	expect_rendered(&progress,
		"{\"cycle_id\":\"prod-1\",\"connector\":\"prod\",\"kind\":\"cycle\",\"phase\":"
		"\"done\",\"started\":\"2026-11-21T00:00:00Z\",\"finished\":"
		"\"2026-11-21T00:00:01Z\",\"result\":\"failed\",\"error\":\"no\","
		"\"accounts_total\":10,\"accounts_done\":3,\"pairs_total\":40,\"pairs_done\":10,"
		"\"pairs_running\":4,\"pairs_problem\":0,\"certificates\":0,\"calls\":0,"
		"\"throttles\":0,\"retries\":0,\"eta_s\":null}");
}

static void every_word_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(progress_phase_name(PROGRESS_QUEUED), "queued");
	assert_string_equal(progress_phase_name(PROGRESS_DONE), "done");
	assert_string_equal(progress_kind_name(PROGRESS_ASKED), "asked");
	assert_string_equal(progress_result_name(PROGRESS_CANCELLED), "cancelled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accounts_not_opened_yet_are_counted_with_the_average),
		cmocka_unit_test(time_left_follows_the_pace_so_far),
		cmocka_unit_test(time_left_is_not_told_before_there_is_a_pace),
		cmocka_unit_test(result_is_told_only_when_the_end_is_stored),
		cmocka_unit_test(every_word_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
