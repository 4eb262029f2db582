#include "aws/usage.h"

#include <assert.h>
#include <string.h>

#include "base/openmetrics.h"

/* From a list in the same region to what is given up after a minute. */
static const int64_t bound_ms[AWS_USAGE_BOUNDS] = {
	10, 25, 50, 100, 250, 500, 1000, 2500, 10000, 30000};

struct aws_usage_row *aws_usage_row(
	struct aws_usage *usage, const char *service, const char *operation)
{
	for (size_t i = 0; i < usage->count; i++) {
		struct aws_usage_row *row = &usage->row[i];
		if (strcmp(row->operation, operation) == 0 && strcmp(row->service, service) == 0)
			return row;
	}
	assert(usage->count < AWS_USAGE_MAX);
	struct aws_usage_row *row = &usage->row[usage->count++];
	row->service = service;
	row->operation = operation;
	return row;
}

void aws_usage_took(struct aws_usage_row *row, int64_t took_ms)
{
	row->took[openmetrics_bucket(bound_ms, AWS_USAGE_BOUNDS, took_ms)]++;
	row->took_ms += took_ms;
}

/* One of the counters of a row: offset is that of its field. */
static void counter(const struct aws_usage *usage, struct openmetrics *metrics, const char *name,
	size_t offset, const char *help)
{
	openmetrics_family(metrics, OPENMETRICS_COUNTER, name, "", help);
	for (size_t i = 0; i < usage->count; i++) {
		const struct aws_usage_row *row = &usage->row[i];
		const struct openmetrics_label label[] = {
			{"service", row->service}, {"operation", row->operation}};
		int64_t value;
		memcpy(&value, (const char *)row + offset, sizeof(value));
		openmetrics_int(metrics, label, 2, value);
	}
}

void aws_usage_metrics(const struct aws_usage *usage, struct openmetrics *metrics)
{
	counter(usage, metrics, "acmsensor_aws_calls", offsetof(struct aws_usage_row, calls),
		"API calls asked for; a call is one request or, with retries, several");
	counter(usage, metrics, "acmsensor_aws_call_failures",
		offsetof(struct aws_usage_row, failures),
		"API calls that ended in an error, denials included");
	counter(usage, metrics, "acmsensor_aws_requests", offsetof(struct aws_usage_row, requests),
		"HTTP requests sent for API calls");
	counter(usage, metrics, "acmsensor_aws_throttles",
		offsetof(struct aws_usage_row, throttles),
		"Answers that asked to slow down; the sensor does, and asks again");
	counter(usage, metrics, "acmsensor_aws_retries", offsetof(struct aws_usage_row, retries),
		"Requests beyond the first one of a call");
	openmetrics_family(metrics, OPENMETRICS_HISTOGRAM, "acmsensor_aws_request_duration_seconds",
		"seconds", "From a request sent to its answer complete, good or not");
	for (size_t i = 0; i < usage->count; i++) {
		const struct aws_usage_row *row = &usage->row[i];
		const struct openmetrics_label label[] = {
			{"service", row->service}, {"operation", row->operation}};
		openmetrics_histogram(metrics, label, 2,
			&(struct openmetrics_histogram){.bound_milli = bound_ms,
				.bucket = row->took,
				.bounds = AWS_USAGE_BOUNDS,
				.sum_milli = row->took_ms});
	}
}
