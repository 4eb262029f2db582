/* What a monitoring system reads of a store, from numbers made by hand. */
#include "store/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/openmetrics.h"
#include "store/cert_query.h"
#include "store/store.h"

enum { DAY_S = 86400 };

struct text {
	struct buf buf;
	struct openmetrics metrics;
};

static void begin(struct text *text)
{
	buf_init(&text->buf, 1 << 20);
	openmetrics_begin(&text->metrics, &text->buf, OPENMETRICS_1_0);
}

static void expect(const struct text *text, const char *line)
{
	char whole[512];
	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(buf_text(&text->buf), whole) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, buf_text(&text->buf));
}

static void each_number_of_the_store_has_its_metric(void **state)
{
	const struct store_stats stats = {.used_bytes = 1,
		.map_bytes = 2,
		.file_bytes = 3,
		.commits = 4,
		.writes = 5,
		.longest_commit_us = 6000001,
		.commit_us = 7000000,
		.failed_writes = 8,
		.last_event = 9,
		.last_event_s = 10,
		.waiting_writes = 11,
		.oldest_write_ms = 12,
		.disk_free_bytes = 13,
		.disk_bytes = 14};
	struct text text;
	(void)state;
	begin(&text);
	store_metrics(&stats, &text.metrics);
	expect(&text, "acmsensor_store_used_bytes 1");
	expect(&text, "acmsensor_store_map_bytes 2");
	expect(&text, "acmsensor_store_file_bytes 3");
	expect(&text, "acmsensor_store_commits_total 4");
	expect(&text, "acmsensor_store_writes_total 5");
	expect(&text, "acmsensor_store_longest_commit_seconds 6.000001");
	expect(&text, "acmsensor_store_commit_seconds_total 7.000000");
	expect(&text, "acmsensor_store_write_failures_total 8");
	expect(&text, "acmsensor_events_total 9");
	expect(&text, "acmsensor_last_event_timestamp_seconds 10");
	expect(&text, "acmsensor_store_waiting_writes 11");
	expect(&text, "acmsensor_event_lag_seconds 0.012");
	expect(&text, "acmsensor_store_disk_free_bytes 13");
	expect(&text, "acmsensor_store_disk_bytes 14");
	buf_clear(&text.buf);
}

static void what_is_not_known_is_not_told(void **state)
{
	const struct store_stats stats = {.used_bytes = 1};
	struct text text;
	(void)state;
	begin(&text);
	store_metrics(&stats, &text.metrics);
	expect(&text, "acmsensor_events_total 0");
	assert_null(strstr(buf_text(&text.buf), "acmsensor_store_disk"));
	assert_null(strstr(buf_text(&text.buf), "acmsensor_last_event_timestamp"));
	buf_clear(&text.buf);
}

static void certificates_are_told_by_status_and_by_what_they_have_left(void **state)
{
	const struct cert_counts counts = {.issued = 1,
		.pending = 2,
		.expired = 3,
		.other = 4,
		.in_use = 5,
		.imported = 6,
		.detail_failed = 7,
		.gone = 8,
		.life = {{{.bucket = {1}}, {.bucket = {[9] = 2}}},
			{{.bucket = {1, 0, 0, 1, 1}, .sum_s = 20 * DAY_S}, {.sum_s = 0}}}};
	struct text text;
	(void)state;
	begin(&text);
	cert_metrics(&counts, &text.metrics);
	expect(&text, "acmsensor_certificates{status=\"issued\"} 1");
	expect(&text, "acmsensor_certificates{status=\"pending\"} 2");
	expect(&text, "acmsensor_certificates{status=\"expired\"} 3");
	expect(&text, "acmsensor_certificates{status=\"other\"} 4");
	expect(&text, "acmsensor_certificates_in_use 5");
	expect(&text, "acmsensor_certificates_imported 6");
	expect(&text, "acmsensor_certificates_without_details 7");
	expect(&text, "acmsensor_certificates_gone 8");
#define LIFE "acmsensor_certificate_remaining_seconds"
	expect(&text, LIFE "_bucket{in_use=\"no\",renews=\"no\",le=\"0.0\"} 1");
	expect(&text, LIFE "_bucket{in_use=\"no\",renews=\"yes\",le=\"1.728e+07\"} 0");
	expect(&text, LIFE "_bucket{in_use=\"no\",renews=\"yes\",le=\"+Inf\"} 2");
	expect(&text, LIFE "_bucket{in_use=\"yes\",renews=\"no\",le=\"259200.0\"} 1");
	expect(&text, LIFE "_bucket{in_use=\"yes\",renews=\"no\",le=\"604800.0\"} 2");
	expect(&text, LIFE "_bucket{in_use=\"yes\",renews=\"no\",le=\"1.2096e+06\"} 3");
	expect(&text, LIFE "_gsum{in_use=\"yes\",renews=\"no\"} 1728000.000");
	expect(&text, LIFE "_gcount{in_use=\"yes\",renews=\"no\"} 3");
	buf_clear(&text.buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_of_the_store_has_its_metric),
		cmocka_unit_test(what_is_not_known_is_not_told),
		cmocka_unit_test(certificates_are_told_by_status_and_by_what_they_have_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
