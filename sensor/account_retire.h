/*
 * An account that is no longer there: it left the organization, or its connector left the
 * configuration. Its certificates are marked gone with the reason, then its coverage goes.
 *
 *   start -> CERTS -(all regions)-> ACCOUNT -> done
 *            ^   |
 *            +---+ a chunk of certificates
 */
#ifndef SENSOR_ACCOUNT_RETIRE_H
#define SENSOR_ACCOUNT_RETIRE_H

#include <stdbool.h>
#include <stdint.h>

struct account_retire;
struct err;
struct loop;
struct store;

struct account_retire_options {
	struct loop *loop;				/* borrowed */
	struct store *store;				/* borrowed */
	const char *connector, *partition, *account_id; /* copied */
	const char *reason;				/* copied; why its certificates are gone */
	bool keeps_certificates;			/* another connector lists them */
	bool keeps_account; /* with the state "GONE"; else its record is deleted */
	int64_t now_s;
};

/* err: of the store. What was marked before stays marked; starting again goes on. */
typedef void account_retire_done_fn(void *arg, const struct err *err);
struct account_retire *account_retire_start(
	const struct account_retire_options *options, account_retire_done_fn *done, void *arg);
void account_retire_cancel(struct account_retire *retire);

#endif
