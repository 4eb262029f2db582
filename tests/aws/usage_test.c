/* The table of operations, and what a monitoring system reads of it. */
#include "aws/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/openmetrics.h"

static void an_operation_has_one_row(void **state)
{
	struct aws_usage usage = {.count = 0};
	(void)state;
	struct aws_usage_row *list = aws_usage_row(&usage, "acm", "ListCertificates");
	struct aws_usage_row *regions = aws_usage_row(&usage, "account", "ListRegions");
	struct aws_usage_row *other = aws_usage_row(&usage, "ec2", "ListRegions");
	assert_ptr_equal(aws_usage_row(&usage, "acm", "ListCertificates"), list);
	assert_ptr_equal(aws_usage_row(&usage, "account", "ListRegions"), regions);
	assert_ptr_not_equal(regions, other);
	assert_int_equal(usage.count, 3);
}

static void expect(const struct buf *text, const char *line)
{
	char whole[512];
	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(buf_text(text), whole) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, buf_text(text));
}

static void each_number_has_its_metric(void **state)
{
#define OF   "{service=\"acm\",operation=\"GetCertificate\"} "
#define TOOK "acmsensor_aws_request_duration_seconds"
	struct aws_usage usage = {.count = 0};
	struct openmetrics metrics;
	struct buf text;
	(void)state;
	struct aws_usage_row *row = aws_usage_row(&usage, "acm", "GetCertificate");
	row->calls = 1;
	row->failures = 2;
	row->requests = 3;
	row->throttles = 4;
	row->retries = 5;
	aws_usage_took(row, 0);
	aws_usage_took(row, 100);
	aws_usage_took(row, 60000);
	buf_init(&text, 65536);
	openmetrics_begin(&metrics, &text, OPENMETRICS_1_0);
	aws_usage_metrics(&usage, &metrics);
	expect(&text, "acmsensor_aws_calls_total" OF "1");
	expect(&text, "acmsensor_aws_call_failures_total" OF "2");
	expect(&text, "acmsensor_aws_requests_total" OF "3");
	expect(&text, "acmsensor_aws_throttles_total" OF "4");
	expect(&text, "acmsensor_aws_retries_total" OF "5");
	expect(&text, TOOK "_bucket{service=\"acm\",operation=\"GetCertificate\",le=\"0.01\"} 1");
	expect(&text, TOOK "_bucket{service=\"acm\",operation=\"GetCertificate\",le=\"0.1\"} 2");
	expect(&text, TOOK "_bucket{service=\"acm\",operation=\"GetCertificate\",le=\"+Inf\"} 3");
	expect(&text, TOOK "_count" OF "3");
	expect(&text, TOOK "_sum" OF "60.100");
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_operation_has_one_row),
		cmocka_unit_test(each_number_has_its_metric),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
