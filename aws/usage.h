/*
 * How AWS's operations are used: calls, requests, what was refused for its rate, and how long
 * answers took. One table for the whole daemon; a row an operation, so as many as the code knows,
 * whatever the number of accounts.
 */
#ifndef AWS_USAGE_H
#define AWS_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct openmetrics;

enum {
	AWS_USAGE_MAX = 48, /* operations: twice those that are called today */
	AWS_USAGE_BOUNDS = 10,
};

/* Zeroed to begin. */
struct aws_usage_row {
	const char *service, *operation; /* shared static */
	int64_t calls, failures;	 /* as in struct aws_stats */
	int64_t requests, throttles, retries;
	int64_t took[AWS_USAGE_BOUNDS + 1]; /* answered requests by time; each alone */
	int64_t took_ms;
};

/* Zeroed to begin; not to be moved while calls go on. */
struct aws_usage {
	struct aws_usage_row row[AWS_USAGE_MAX];
	size_t count;
};

/* Made when it is new. service, operation: shared static. */
struct aws_usage_row *aws_usage_row(
	struct aws_usage *usage, const char *service, const char *operation);
/* A request was answered, well or not. */
void aws_usage_took(struct aws_usage_row *row, int64_t took_ms);

void aws_usage_metrics(const struct aws_usage *usage, struct openmetrics *metrics);

#endif
