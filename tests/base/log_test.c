/* Lines are read back from a temporary file in place of stderr; time is the fake clock. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "tests/lib/fake_clock.h"

static char line[8 * LOG_LINE_MAX];
static int file, real_stderr;

static void capture(void)
{
	real_stderr = dup(STDERR_FILENO);
	file = memfd_create("log", 0);
	dup2(file, STDERR_FILENO);
}

static void stop_capture(void)
{
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	ssize_t len = pread(file, line, sizeof(line) - 1, 0);
	line[len > 0 ? len : 0] = '\0';
	close(file);
}

static int set_up(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_INFO);
	return 0;
}

static void line_has_time_level_and_text(void **state)
{
	(void)state;
	capture();
	log_error("store open path=%s", "/x");
	log_warning("w");
	log_info("i");
	stop_capture();
	assert_string_equal(line, "2026-11-21T00:00:00Z error store open path=/x\n"
				  "2026-11-21T00:00:00Z warning w\n"
				  "2026-11-21T00:00:00Z info i\n");
}

static void levels_below_the_chosen_one_are_silent(void **state)
{
	(void)state;
	capture();
	log_debug("hidden");
	log_set_level(LOG_DEBUG);
	log_debug("shown");
	log_set_level(LOG_ERROR);
	log_warning("hidden");
	log_info("hidden");
	stop_capture();
	assert_string_equal(line, "2026-11-21T00:00:00Z debug shown\n");
	assert_int_equal(log_get_level(), LOG_ERROR);
}

static void outsiders_cannot_forge_a_line(void **state)
{
	(void)state;
	capture();
	log_info("account name=\"%s\"", "x\n2026-11-21T00:00:00Z error forged\x1b[2J\xff");
	stop_capture();
	assert_string_equal(line,
		"2026-11-21T00:00:00Z info account name=\"x\\n2026-11-21T00:00:00Z "
		"error forged\\x1b[2J\\xff\"\n");
}

static void long_lines_are_cut_between_characters(void **state)
{
	(void)state;
	char text[3 * LOG_LINE_MAX];
	for (size_t shift = 0; shift < 2; shift++) {
		for (size_t i = 0; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 3);
		capture();
		log_info("%s%s", shift > 0 ? "x" : "", text);
		stop_capture();
		assert_true(strlen(line) <= LOG_LINE_MAX);
		assert_true(strlen(line) > LOG_LINE_MAX - 8);
		assert_true(text_has_suffix(line, "...\n"));
		assert_true(text_is_utf8(line, strlen(line)));
	}
	memset(text, '\n', sizeof(text) - 1); /* grows fourfold */
	text[sizeof(text) - 1] = '\0';
	capture();
	log_info("%s", text);
	stop_capture();
	assert_true(strlen(line) <= LOG_LINE_MAX);
	assert_true(text_has_suffix(line, "...\n"));
}

static void journal_gets_priorities_and_no_time(void **state)
{
	(void)state;
	capture();
	struct stat status;
	fstat(file, &status);
	char stream[64];
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_set_level(LOG_DEBUG);
	log_error("e");
	log_warning("w");
	log_info("i");
	log_debug("d");
	stop_capture();
	assert_string_equal(line, "<3>e\n<4>w\n<6>i\n<7>d\n");
}

static void redirected_stderr_is_not_the_journal(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:12345", 1);
	capture();
	log_info("i");
	stop_capture();
	assert_string_equal(line, "2026-11-21T00:00:00Z info i\n");
}

static void closed_stderr_is_nothing_to_stop_for(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:12345", 1);
	capture();
	close(STDERR_FILENO);
	log_error("lost");
	stop_capture();
	assert_string_equal(line, "");
}

static void repeats_are_counted_and_told(void **state)
{
	(void)state;
	char expected[8 * LOG_LINE_MAX] = "";
	capture();
	for (int i = 0; i < 25; i++)
		log_warning("write event number=%d", i);
	log_info("another");
	fake_clock_advance_ms(60000);
	log_info("later");
	log_set_level(LOG_DEBUG);
	for (int i = 0; i < 25; i++)
		log_debug("never left out");
	stop_capture();
	for (int i = 0; i < 20; i++)
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
			"2026-11-21T00:00:00Z warning write event number=%d\n", i);
	snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s",
		"2026-11-21T00:00:00Z info another\n"
		"2026-11-21T00:01:00Z warning 5 more like it within 60 s: write event number=20\n"
		"2026-11-21T00:01:00Z info later\n");
	for (int i = 0; i < 25; i++)
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
			"2026-11-21T00:01:00Z debug never left out\n");
	assert_string_equal(line, expected);
}

static void what_is_said_once_is_never_left_out(void **state)
{
	(void)state;
	char last[64];
	capture();
	for (int i = 0; i < 25; i++) {
		(void)snprintf(last, sizeof(last), "alert number=%d", i);
		log_always(LOG_WARNING, last);
	}
	log_always(LOG_DEBUG, "hidden");
	stop_capture();
	assert_non_null(strstr(line, "Z warning alert number=24\n"));
	assert_null(strstr(line, "more like it"));
	assert_null(strstr(line, "hidden"));
}

static void what_is_counted_is_told_at_the_end(void **state)
{
	(void)state;
	capture();
	for (int i = 0; i < 21; i++)
		log_error("fail %d", i);
	log_tell_repeats(true);
	stop_capture();
	assert_non_null(
		strstr(line, "Z error fail 19\n2026-11-21T00:00:00Z error 1 more like it within "
			     "60 s: fail 20\n"));
}

static void the_last_lines_are_kept_with_their_time_for_the_journal_too(void **state)
{
	(void)state;
	struct buf lines;
	journal_gets_priorities_and_no_time(state);
	buf_init(&lines, 1 << 20);
	log_last_lines(&lines);
	assert_true(text_has_suffix(buf_text(&lines),
		"2026-11-21T00:00:00Z error e\n2026-11-21T00:00:00Z warning w\n"
		"2026-11-21T00:00:00Z info i\n2026-11-21T00:00:00Z debug d\n"));
	buf_clear(&lines);
}

static void level_names(void **state)
{
	(void)state;
	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		enum log_level parsed = LOG_ERROR;
		assert_true(log_level_parse(log_level_name((enum log_level)level), &parsed));
		assert_int_equal(parsed, level);
	}
	enum log_level level = LOG_WARNING;
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("Info", &level));
	assert_false(log_level_parse("warn", &level));
	assert_int_equal(level, LOG_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(line_has_time_level_and_text, set_up),
		cmocka_unit_test_setup(levels_below_the_chosen_one_are_silent, set_up),
		cmocka_unit_test_setup(outsiders_cannot_forge_a_line, set_up),
		cmocka_unit_test_setup(long_lines_are_cut_between_characters, set_up),
		cmocka_unit_test_setup(journal_gets_priorities_and_no_time, set_up),
		cmocka_unit_test_setup(redirected_stderr_is_not_the_journal, set_up),
		cmocka_unit_test_setup(closed_stderr_is_nothing_to_stop_for, set_up),
		cmocka_unit_test_setup(level_names, set_up),
		cmocka_unit_test_setup(what_is_said_once_is_never_left_out, set_up),
		cmocka_unit_test_setup(what_is_counted_is_told_at_the_end, set_up),
		cmocka_unit_test_setup(
			the_last_lines_are_kept_with_their_time_for_the_journal_too, set_up),
		cmocka_unit_test_setup(repeats_are_counted_and_told, set_up), /* moves the clock */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
