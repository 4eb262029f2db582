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

#include "base/text.h"

static char line[4 * LOG_LINE_MAX];
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
