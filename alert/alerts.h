/*
 * Alerts as one object: looks at the store when told to and every hour, and lets each channel tell
 * what is new. What is an alert: judge.h; what is told again: decide.h; how: channel.h.
 */
#ifndef ALERT_ALERTS_H
#define ALERT_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/channel_send.h"
#include "alert/pass.h"
#include "alert/sender.h"
#include "alert/settings.h"

struct alert_op;
struct alerts;
struct err;
struct http;
struct loop;
struct resolve;
struct store;

enum { ALERT_CHANNELS_MAX = 16 };

/* Whether the inventory is about to be brought up to date, so that certificates and coverage
 * wait. */
typedef bool alerts_busy_fn(void *arg);
/* A look failed, the store's fault; it is tried again. */
typedef void alerts_failed_fn(void *arg, const struct err *err);

struct alerts_options {
	struct loop *loop; /* borrowed, as are the next three */
	struct store *store;
	struct resolve *resolve;
	struct http *http;
	const char *sensor_name; /* copied */
	alert_identity_fn *identity;
	channel_journal_fn *journal;
	alerts_busy_fn *is_busy;
	channel_now_fn *now_s;
	alerts_failed_fn *failed;
	void *arg; /* for the five */
};

/* ERR_SYSTEM. Nothing is looked at before alerts_configure. */
struct alerts *alerts_new(const struct alerts_options *options, struct err *err);
void alerts_free(struct alerts *alerts); /* all ops must have ended; NULL is fine */

/* settings and channels are copied; channels that are gone are forgotten. A message under way goes
 * on when its channel is the same, else it is begun again; what waits to be tried is tried now. */
void alerts_configure(struct alerts *alerts, const struct alert_settings *settings,
	const struct alert_channel *channel, size_t count);

/* Something has changed: looks soon, once however often it is called, and never so often that
 * looking becomes what the daemon does. */
void alerts_look(struct alerts *alerts);

/* Of the last look; NULL: none at the whole inventory yet. Borrowed. */
const struct alert_counts *alerts_counts(const struct alerts *alerts);
/* Why the last look failed; "": it did not. Borrowed until the loop runs. */
const char *alerts_error(const struct alerts *alerts);
/* Index from 0; false: there are no more. */
bool alerts_channel_state(
	const struct alerts *alerts, size_t i, struct alert_sender_state *ret_state);

/*
 * Acknowledges; done's said is the alert's id. which: an id, a certificate's ARN, a job's id, or
 * any other subject. ERR_NOT_FOUND: there is no such alert; ERR_REFUSED: it is resolved.
 */
struct alert_op *alerts_ack_start(struct alerts *alerts, const char *which, const char *note,
	const char *by, channel_done_fn *done, void *arg);
/* Sends a test message on a channel. ERR_NOT_FOUND: there is no such channel; else as
 * channel_send_start. */
struct alert_op *alerts_test_start(
	struct alerts *alerts, const char *channel, channel_done_fn *done, void *arg);
void alerts_op_cancel(struct alert_op *op);

#endif
