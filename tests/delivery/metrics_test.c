/* What a monitoring system reads of deliveries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/openmetrics.h"
#include "delivery/delivery.h"

static void every_kind_and_outcome_is_there_from_the_start(void **state)
{
	const struct delivery_stats stats = {
		.ended = {[JOB_DELIVER][JOB_FAILED] = 3, [JOB_ROLLBACK][JOB_RESTORED] = 7}};
	struct openmetrics metrics;
	struct buf text;
	size_t samples = 0;
	(void)state;
	buf_init(&text, 65536);
	openmetrics_begin(&metrics, &text, OPENMETRICS_1_0);
	delivery_metrics(&stats, &metrics);
#define JOBS "\nacmsensor_delivery_jobs_total{kind="
	assert_non_null(strstr(buf_text(&text), JOBS "\"deliver\",outcome=\"failed\"} 3\n"));
	assert_non_null(strstr(buf_text(&text), JOBS "\"rollback\",outcome=\"restored\"} 7\n"));
	assert_non_null(strstr(buf_text(&text), JOBS "\"delete\",outcome=\"succeeded\"} 0\n"));
	for (const char *at = buf_text(&text); (at = strstr(at, JOBS)) != NULL; at++)
		samples++;
	assert_int_equal(samples, 15);
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_and_outcome_is_there_from_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
