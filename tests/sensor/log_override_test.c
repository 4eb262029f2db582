#include "sensor/log_override.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/loop.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

enum { SAMPLE_S = 1795219200 };

static struct loop *loop;
static struct log_override *override;

static int set_up(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	loop = loop_new(&err);
	override = log_override_new(loop, LOG_WARNING);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_override_free(override);
	loop_free(loop);
	return 0;
}

static void another_level_goes_back_by_itself(void **state)
{
	(void)state;
	assert_int_equal(log_get_level(), LOG_WARNING);
	log_override_start(override, LOG_DEBUG, 600);
	fake_loop_advance_ms(599999);
	assert_int_equal(log_get_level(), LOG_DEBUG);
	fake_loop_advance_ms(1);
	assert_int_equal(log_get_level(), LOG_WARNING);
}

static void it_holds_over_a_reload_and_goes_back_to_what_is_configured_then(void **state)
{
	(void)state;
	log_override_start(override, LOG_DEBUG, 10);
	log_override_configure(override, LOG_ERROR);
	assert_int_equal(log_get_level(), LOG_DEBUG);
	fake_loop_advance_ms(10000);
	assert_int_equal(log_get_level(), LOG_ERROR);
	log_override_configure(override, LOG_INFO);
	assert_int_equal(log_get_level(), LOG_INFO);
}

static void the_last_order_counts(void **state)
{
	(void)state;
	log_override_start(override, LOG_DEBUG, 10);
	log_override_start(override, LOG_ERROR, 20);
	fake_loop_advance_ms(15000);
	assert_int_equal(log_get_level(), LOG_ERROR);
	log_override_end(override);
	assert_int_equal(log_get_level(), LOG_WARNING);
	log_override_end(override);
	fake_loop_advance_ms(15000);
	assert_int_equal(log_get_level(), LOG_WARNING);
}

static void expect(const char *expected)
{
	struct buf text;
	struct json_writer writer;
	buf_init(&text, 1 << 20);
	json_writer_init(&writer, &text, false);
	log_override_render(override, &writer);
	char *lines = strstr(buf_text(&text), ",\"lines\":[");
	assert_non_null(lines);
	*lines = '\0';
	assert_string_equal(buf_text(&text), expected);
	buf_clear(&text);
}

static void it_is_shown_with_its_end(void **state)
{
	(void)state;
	fake_clock_set_now_s(SAMPLE_S);
	expect("{\"level\":\"warning\",\"configured\":\"warning\",\"until\":null");
	log_override_start(override, LOG_DEBUG, 60);
	expect("{\"level\":\"debug\",\"configured\":\"warning\",\"until\":\"2026-11-21T00:01:00Z\"");
}

static void the_last_lines_are_shown(void **state)
{
	(void)state;
	struct buf text;
	struct json_writer writer;
	log_warning("a \"line\"");
	log_error("another");
	buf_init(&text, 1 << 20);
	json_writer_init(&writer, &text, false);
	log_override_render(override, &writer);
	assert_non_null(strstr(buf_text(&text), " warning a \\\"line\\\"\",\""));
	assert_non_null(strstr(buf_text(&text), " error another\"]}"));
	buf_clear(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(another_level_goes_back_by_itself),
		TEST(it_holds_over_a_reload_and_goes_back_to_what_is_configured_then),
		TEST(the_last_order_counts),
		TEST(it_is_shown_with_its_end),
		TEST(the_last_lines_are_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
