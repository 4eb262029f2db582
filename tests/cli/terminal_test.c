/* What stdout is: what the environment says of it, and what it says itself. */
#include "cli/terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static int tty, tty_master, file;

static int setup(void **state)
{
	struct winsize size = {.ws_col = 132, .ws_row = 40};
	(void)state;
	file = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return file >= 0 ? openpty(&tty_master, &tty, NULL, NULL, &size) : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(tty);
	close(tty_master);
	return close(file);
}

static int clean(void **state)
{
	(void)state;
	unsetenv("COLUMNS");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C", 1);
	return 0;
}

static void a_terminal_has_its_width_and_colours(void **state)
{
	(void)state;
	struct terminal terminal = terminal_detect(tty);
	assert_true(terminal.is_tty);
	assert_true(terminal.has_color);
	assert_false(terminal.is_utf8);
	assert_int_equal(terminal.columns, 132);
}

static void a_pipe_has_no_limit_and_no_colours(void **state)
{
	(void)state;
	struct terminal terminal = terminal_detect(file);
	assert_false(terminal.is_tty);
	assert_false(terminal.has_color);
	assert_int_equal(terminal.columns, 0);
	terminal = terminal_detect(-1);
	assert_false(terminal.is_tty);
	assert_int_equal(terminal.columns, 0);
}

static void columns_is(int fd, const char *text, int columns)
{
	setenv("COLUMNS", text, 1);
	assert_int_equal(terminal_detect(fd).columns, columns);
}

static void columns_goes_before_the_terminal_when_it_makes_sense(void **state)
{
	(void)state;
	columns_is(tty, "40", 40);
	columns_is(file, "40", 40);
	columns_is(tty, "", 132);
	columns_is(file, "", 0);
	columns_is(tty, "20", 20);
	columns_is(tty, "19", 132);
	columns_is(tty, "1000", 1000);
	columns_is(tty, "1001", 132);
	columns_is(tty, "-1", 132);
	columns_is(tty, "99999999999999999999", 132);
	columns_is(tty, "wide", 132);
	columns_is(file, "wide", 80);
}

static void a_terminal_that_does_not_know_its_width_has_80(void **state)
{
	(void)state;
	struct winsize size = {.ws_col = 0}, former = {.ws_col = 132};
	assert_int_equal(ioctl(tty, TIOCSWINSZ, &size), 0);
	assert_int_equal(terminal_detect(tty).columns, 80);
	size.ws_col = 65535; /* no more than COLUMNS may say */
	assert_int_equal(ioctl(tty, TIOCSWINSZ, &size), 0);
	assert_int_equal(terminal_detect(tty).columns, 1000);
	assert_int_equal(ioctl(tty, TIOCSWINSZ, &former), 0);
}

static void colours_are_only_for_who_wants_them(void **state)
{
	(void)state;
	setenv("NO_COLOR", "1", 1);
	assert_false(terminal_detect(tty).has_color);
	setenv("NO_COLOR", "", 1);
	assert_true(terminal_detect(tty).has_color);
	setenv("TERM", "dumb", 1);
	assert_false(terminal_detect(tty).has_color);
	unsetenv("TERM");
	assert_false(terminal_detect(tty).has_color);
}

static void utf8_is_what_the_locale_says(void **state)
{
	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	if (setlocale(LC_CTYPE, "") == NULL)
		skip();
	assert_true(terminal_detect(file).is_utf8);
	setenv("LC_ALL", "C", 1);
	assert_false(terminal_detect(file).is_utf8);
}

static void a_style_is_switched_on_and_off(void **state)
{
	(void)state;
	const struct terminal plain = {.is_tty = true}, colours = {.has_color = true};
	for (enum style style = STYLE_PLAIN; style <= STYLE_GREEN; style++) {
		assert_string_equal(style_on(&plain, style), "");
		assert_string_equal(style_off(&plain, style), "");
		assert_int_equal(style_on(&colours, style)[0], style == STYLE_PLAIN ? 0 : '\033');
		assert_string_equal(
			style_off(&colours, style), style == STYLE_PLAIN ? "" : "\033[0m");
	}
	assert_string_equal(style_on(&colours, STYLE_RED), "\033[31m");
}

#define TERMINAL_TEST(test) cmocka_unit_test_setup(test, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TERMINAL_TEST(a_terminal_has_its_width_and_colours),
		TERMINAL_TEST(a_pipe_has_no_limit_and_no_colours),
		TERMINAL_TEST(columns_goes_before_the_terminal_when_it_makes_sense),
		TERMINAL_TEST(a_terminal_that_does_not_know_its_width_has_80),
		TERMINAL_TEST(colours_are_only_for_who_wants_them),
		TERMINAL_TEST(utf8_is_what_the_locale_says),
		TERMINAL_TEST(a_style_is_switched_on_and_off),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
