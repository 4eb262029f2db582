/*
 * One look at everything that can be worth an alert, in slices of a few milliseconds: certificates
 * from the expiry index (only those within the largest threshold), coverage by account,
 * connectors, recent jobs, credentials, then what is stored as an alert already, so that it ends
 * when its reason has. Each change is written with its notice in one transaction. While the
 * inventory is being brought up to date, what depends on it (certificates, coverage) stays as it
 * is.
 */
#ifndef ALERT_PASS_H
#define ALERT_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/settings.h"
#include "store/alerts.h"

struct alert_pass;
struct err;
struct loop;
struct store;

struct alert_identity {
	const char *connector, *source; /* borrowed until the loop runs again */
	bool is_known;			/* credentials were had */
	int64_t expires_s;		/* 0: never */
};
/* The i-th connector's; false: there are no more. */
typedef bool alert_identity_fn(void *arg, size_t i, struct alert_identity *ret_identity);

struct alert_pass_options {
	struct loop *loop; /* borrowed, as is the store */
	struct store *store;
	struct alert_settings settings;
	bool is_inventory_old; /* about to be brought up to date */
	int64_t now_s;
	alert_identity_fn *identity; /* NULL: there are none */
	void *identity_arg;
};

struct alert_counts {
	int64_t open[ALERT_EMERGENCY + 1]; /* by class; not acknowledged */
	int64_t acknowledged;
};

/* counts: NULL with err: the store's. */
typedef void alert_pass_done_fn(
	void *arg, const struct alert_counts *counts, const struct err *err);
struct alert_pass *alert_pass_start(
	const struct alert_pass_options *options, alert_pass_done_fn *done, void *arg);
void alert_pass_cancel(struct alert_pass *pass);

#endif
