/* The text that a monitoring system reads, letter by letter. */
#include "base/openmetrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"

struct text {
	struct buf buf;
	struct openmetrics metrics;
};

static void begin(struct text *text, enum openmetrics_format format)
{
	buf_init(&text->buf, 65536);
	openmetrics_begin(&text->metrics, &text->buf, format);
}

static void expect(struct text *text, const char *expected)
{
	assert_string_equal(buf_text(&text->buf), expected);
	buf_clear(&text->buf);
}

static void a_counter_is_named_by_its_family_and_sampled_as_total(void **state)
{
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_COUNTER, "x_calls", "", "Calls of x");
	openmetrics_int(&text.metrics, NULL, 0, INT64_MAX);
	openmetrics_end(&text.metrics);
	expect(&text, "# HELP x_calls Calls of x\n# TYPE x_calls counter\n"
		      "x_calls_total 9223372036854775807\n# EOF\n");
	begin(&text, OPENMETRICS_CLASSIC);
	openmetrics_family(&text.metrics, OPENMETRICS_COUNTER, "x_calls", "", "Calls of x");
	openmetrics_int(&text.metrics, NULL, 0, 0);
	openmetrics_end(&text.metrics);
	expect(&text, "# HELP x_calls_total Calls of x\n# TYPE x_calls_total counter\n"
		      "x_calls_total 0\n");
}

static void an_info_is_a_gauge_in_the_older_format(void **state)
{
	const struct openmetrics_label version = {"version", "1.2"};
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_INFO, "x_build", "", "What runs");
	openmetrics_int(&text.metrics, &version, 1, 1);
	expect(&text, "# HELP x_build What runs\n# TYPE x_build info\n"
		      "x_build_info{version=\"1.2\"} 1\n");
	begin(&text, OPENMETRICS_CLASSIC);
	openmetrics_family(&text.metrics, OPENMETRICS_INFO, "x_build", "", "What runs");
	openmetrics_int(&text.metrics, &version, 1, 1);
	expect(&text, "# HELP x_build_info What runs\n# TYPE x_build_info gauge\n"
		      "x_build_info{version=\"1.2\"} 1\n");
}

static void a_unit_is_told_in_openmetrics_only(void **state)
{
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE, "x_lag_seconds", "seconds", "Lag");
	openmetrics_milli(&text.metrics, NULL, 0, 12);
	openmetrics_milli(&text.metrics, NULL, 0, -1500);
	openmetrics_micro(&text.metrics, NULL, 0, 2000001);
	openmetrics_micro(&text.metrics, NULL, 0, INT64_MIN);
	expect(&text, "# HELP x_lag_seconds Lag\n# TYPE x_lag_seconds gauge\n"
		      "# UNIT x_lag_seconds seconds\nx_lag_seconds 0.012\nx_lag_seconds -1.500\n"
		      "x_lag_seconds 2.000001\nx_lag_seconds -9223372036854.775808\n");
	begin(&text, OPENMETRICS_CLASSIC);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE, "x_lag_seconds", "seconds", "Lag");
	expect(&text, "# HELP x_lag_seconds Lag\n# TYPE x_lag_seconds gauge\n");
}

static void labels_and_help_are_escaped(void **state)
{
	const struct openmetrics_label label[] = {{"a", "back\\slash \"quoted\"\nline"}, {"b", ""}};
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE, "x", "", "One \"\\\" and\ntwo");
	openmetrics_int(&text.metrics, label, 2, -3);
	expect(&text, "# HELP x One \\\"\\\\\\\" and\\ntwo\n# TYPE x gauge\n"
		      "x{a=\"back\\\\slash \\\"quoted\\\"\\nline\",b=\"\"} -3\n");
}

static const int64_t bound[] = {5, 1000, 604800000, 1209600000, 31536000000};
static const int64_t bucket[] = {1, 0, 2, 0, 3, 4};
static const struct openmetrics_histogram histogram = {
	.bound_milli = bound, .bucket = bucket, .bounds = 5, .sum_milli = 2500};

static void a_histogram_sums_its_buckets_up(void **state)
{
	const struct openmetrics_label label = {"op", "list"};
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_HISTOGRAM, "x_seconds", "seconds", "Took");
	openmetrics_histogram(&text.metrics, &label, 1, &histogram);
	expect(&text,
		"# HELP x_seconds Took\n# TYPE x_seconds histogram\n# UNIT x_seconds seconds\n"
		"x_seconds_bucket{op=\"list\",le=\"0.005\"} 1\n"
		"x_seconds_bucket{op=\"list\",le=\"1.0\"} 1\n"
		"x_seconds_bucket{op=\"list\",le=\"604800.0\"} 3\n"
		"x_seconds_bucket{op=\"list\",le=\"1.2096e+06\"} 3\n"
		"x_seconds_bucket{op=\"list\",le=\"3.1536e+07\"} 6\n"
		"x_seconds_bucket{op=\"list\",le=\"+Inf\"} 10\n"
		"x_seconds_count{op=\"list\"} 10\nx_seconds_sum{op=\"list\"} 2.500\n");
}

static void what_there_is_now_has_counts_of_its_own_in_openmetrics(void **state)
{
	const struct openmetrics_histogram none = {
		.bound_milli = bound, .bucket = bucket, .bounds = 0};
	struct text text;
	(void)state;
	begin(&text, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE_HISTOGRAM, "x", "", "Left");
	openmetrics_histogram(&text.metrics, NULL, 0, &none);
	expect(&text, "# HELP x Left\n# TYPE x gaugehistogram\nx_bucket{le=\"+Inf\"} 1\n"
		      "x_gcount 1\nx_gsum 0.000\n");
	begin(&text, OPENMETRICS_CLASSIC);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE_HISTOGRAM, "x", "", "Left");
	openmetrics_histogram(&text.metrics, NULL, 0, &none);
	expect(&text, "# HELP x Left\n# TYPE x histogram\nx_bucket{le=\"+Inf\"} 1\n"
		      "x_count 1\nx_sum 0.000\n");
}

static void a_value_counts_in_the_first_bucket_that_reaches_it(void **state)
{
	(void)state;
	assert_int_equal(openmetrics_bucket(bound, 5, -1), 0);
	assert_int_equal(openmetrics_bucket(bound, 5, 5), 0);
	assert_int_equal(openmetrics_bucket(bound, 5, 6), 1);
	assert_int_equal(openmetrics_bucket(bound, 5, 31536000000), 4);
	assert_int_equal(openmetrics_bucket(bound, 5, 31536000001), 5);
}

static void the_older_format_is_for_who_asks_for_nothing_else(void **state)
{
	static const struct {
		const char *accept;
		enum openmetrics_format format;
	} asked[] = {{NULL, OPENMETRICS_1_0}, {"*/*", OPENMETRICS_1_0},
		{"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5",
			OPENMETRICS_1_0},
		{"text/plain", OPENMETRICS_CLASSIC},
		{"text/plain;version=0.0.4;q=0.3,*/*;q=0.2", OPENMETRICS_CLASSIC}};
	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_int_equal(openmetrics_choose(asked[i].accept), asked[i].format);
	assert_string_equal(
		openmetrics_content_type(OPENMETRICS_CLASSIC), OPENMETRICS_CLASSIC_TYPE);
	assert_string_equal(openmetrics_content_type(OPENMETRICS_1_0), OPENMETRICS_CONTENT_TYPE);
}

static void a_text_that_does_not_fit_is_told_by_the_buffer(void **state)
{
	struct err err = ERR_INIT;
	struct text text;
	(void)state;
	buf_init(&text.buf, 20);
	openmetrics_begin(&text.metrics, &text.buf, OPENMETRICS_1_0);
	openmetrics_family(&text.metrics, OPENMETRICS_GAUGE, "x", "", "Much longer than that");
	openmetrics_int(&text.metrics, NULL, 0, 1);
	assert_int_equal(buf_check(&text.buf, "the metrics", &err), -1);
	buf_clear(&text.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_named_by_its_family_and_sampled_as_total),
		cmocka_unit_test(an_info_is_a_gauge_in_the_older_format),
		cmocka_unit_test(a_unit_is_told_in_openmetrics_only),
		cmocka_unit_test(labels_and_help_are_escaped),
		cmocka_unit_test(a_histogram_sums_its_buckets_up),
		cmocka_unit_test(what_there_is_now_has_counts_of_its_own_in_openmetrics),
		cmocka_unit_test(a_value_counts_in_the_first_bucket_that_reaches_it),
		cmocka_unit_test(the_older_format_is_for_who_asks_for_nothing_else),
		cmocka_unit_test(a_text_that_does_not_fit_is_told_by_the_buffer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
