#include "alert/alerts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/message.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mail.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/alerts.h"

enum {
	FIRST_MS = 1000,
	BUSY_MS = 5000,	       /* looks again whether the inventory is up to date */
	BUSY_MAX_MS = 3600000, /* a whole look on old data is better than none */
	FAILED_MS = 60000,
	REST_FACTOR = 20,    /* so many times as long as a look has taken, there is none */
	REST_MAX_MS = 30000, /* some of it may have been waiting for a busy disk */
	HOUR_MS = 3600000,
	TRIM_MAX = 1000, /* notices in one write */
};

struct alerts {
	struct alerts_options options;
	char *sensor_name; /* owned */
	struct alert_settings settings;
	struct mail *mail; /* owned */
	struct channel_ways ways;
	struct alert_sender *sender[ALERT_CHANNELS_MAX]; /* owned */
	size_t sender_count;
	struct loop_timer *timer; /* owned; NULL while a pass runs, and before the first look */
	int64_t due_ms;		  /* of the timer; monotonic, as are these */
	int64_t began_ms;	  /* the last look */
	int64_t rest_until_ms;
	struct alert_pass *pass;  /* owned until it ends */
	struct store_write *tidy; /* owned until it ends */
	int64_t busy_since_ms;	  /* monotonic; 0: was not */
	bool is_asked;		  /* since the last look began */
	bool is_inventory_old;	  /* the last look left out what depends on it */
	bool has_counts;
	struct alert_counts counts;
	struct err err; /* of the last look */
	/* For the thread that tidies. */
	int64_t told_up_to;
	int op_count;
};

static void on_timer(void *arg);

/* What is due sooner stays: who calls again and again puts nothing off. */
static void look_after(struct alerts *alerts, int64_t delay_ms)
{
	int64_t now_ms = clock_mono_ms();
	if (now_ms + delay_ms < alerts->rest_until_ms)
		delay_ms = alerts->rest_until_ms - now_ms;
	if (alerts->timer != NULL && alerts->due_ms <= now_ms + delay_ms)
		return;
	loop_timer_cancel(alerts->timer);
	alerts->due_ms = now_ms + delay_ms;
	alerts->timer = loop_timer_start(alerts->options.loop, delay_ms, on_timer, alerts);
}

/* --- tidying ---------------------------------------------------------------------------------- */

static struct alert_sender *find_sender(const struct alerts *alerts, const char *channel)
{
	for (size_t i = 0; i < alerts->sender_count; i++)
		if (strcmp(alert_sender_channel(alerts->sender[i])->name, channel) == 0)
			return alerts->sender[i];
	return NULL;
}

/* What all channels have told goes from the queue, and channels that are gone from the store. */
static void tidy(struct store_txn *txn, void *arg)
{
	const struct alerts *alerts = arg;
	char position[ALERT_CHANNEL_NAME_MAX + 1] = "", gone[ALERT_CHANNEL_NAME_MAX + 1];
	struct alert_channel_record record;
	store_alert_notice_trim(txn, alerts->told_up_to, TRIM_MAX);
	while (store_alert_channel_next(txn, position, &record)) {
		if (find_sender(alerts, record.name) != NULL)
			continue;
		(void)text_copy(gone, sizeof(gone), record.name);
		store_alert_channel_delete(txn, gone);
	}
}

static void on_tidied(void *arg, const struct err *err)
{
	struct alerts *alerts = arg;
	alerts->tidy = NULL;
	if (err != NULL)
		log_debug("alerts tidy reason=%s", err->text);
}

static void start_tidy(struct alerts *alerts)
{
	int64_t least = INT64_MAX;
	if (alerts->tidy != NULL)
		return;
	for (size_t i = 0; i < alerts->sender_count; i++) {
		int64_t at = alert_sender_get_state(alerts->sender[i]).told_up_to;
		least = at >= 0 && at < least ? at : least;
	}
	alerts->told_up_to = least;
	alerts->tidy = store_write_start(alerts->options.store, tidy, alerts, on_tidied, alerts);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void rest(struct alerts *alerts)
{
	int64_t now_ms = clock_mono_ms();
	int64_t rest_ms = (now_ms - alerts->began_ms) * REST_FACTOR;
	alerts->rest_until_ms = now_ms + (rest_ms < REST_MAX_MS ? rest_ms : REST_MAX_MS);
}

static void on_pass(void *arg, const struct alert_counts *counts, const struct err *err)
{
	struct alerts *alerts = arg;
	alerts->pass = NULL;
	rest(alerts);
	if (err == NULL) {
		alerts->counts = *counts;
		alerts->has_counts = alerts->has_counts || !alerts->is_inventory_old;
		alerts->err = (struct err)ERR_INIT;
		for (size_t i = 0; i < alerts->sender_count; i++)
			alert_sender_pump(alerts->sender[i]);
		start_tidy(alerts);
	} else {
		alerts->err = *err;
		alerts->is_asked = true;
		alerts->options.failed(alerts->options.arg, err);
	}
	look_after(alerts, err != NULL		      ? FAILED_MS
			   : alerts->is_asked	      ? FIRST_MS
			   : alerts->is_inventory_old ? BUSY_MS
						      : HOUR_MS);
}

/* A certificate that was renewed while nobody looked must not be reported as ended. */
static bool waits_for_inventory(struct alerts *alerts)
{
	int64_t now_ms = clock_mono_ms();
	if (!alerts->options.is_busy(alerts->options.arg)) {
		alerts->busy_since_ms = 0;
		return false;
	}
	if (alerts->busy_since_ms == 0)
		alerts->busy_since_ms = now_ms;
	return now_ms - alerts->busy_since_ms < BUSY_MAX_MS;
}

/* A job that has failed and the like does not wait for the inventory. */
static void on_timer(void *arg)
{
	struct alerts *alerts = arg;
	alerts->timer = NULL;
	alerts->is_inventory_old = waits_for_inventory(alerts);
	if (alerts->is_inventory_old && !alerts->is_asked) {
		look_after(alerts, BUSY_MS);
		return;
	}
	if (!alerts->is_inventory_old)
		alerts->busy_since_ms = 0;
	alerts->is_asked = false;
	alerts->began_ms = clock_mono_ms();
	alerts->pass = alert_pass_start(&(struct alert_pass_options){.loop = alerts->options.loop,
						.store = alerts->options.store,
						.settings = alerts->settings,
						.is_inventory_old = alerts->is_inventory_old,
						.now_s = alerts->options.now_s(alerts->options.arg),
						.identity = alerts->options.identity,
						.identity_arg = alerts->options.arg},
		on_pass, alerts);
}

void alerts_look(struct alerts *alerts)
{
	alerts->is_asked = true;
	if (alerts->pass == NULL)
		look_after(alerts, FIRST_MS);
}

/* --- life ------------------------------------------------------------------------------------- */

static void free_senders(struct alerts *alerts)
{
	for (size_t i = 0; i < alerts->sender_count; i++)
		alert_sender_free(alerts->sender[i]);
	alerts->sender_count = 0;
}

/* Takes it out of the senders; NULL: none has this channel. */
static struct alert_sender *take_sender(struct alerts *alerts, const struct alert_channel *channel)
{
	for (size_t i = 0; i < alerts->sender_count; i++) {
		struct alert_sender *sender = alerts->sender[i];
		if (!alert_channel_equals(alert_sender_channel(sender), channel))
			continue;
		alerts->sender[i] = alerts->sender[--alerts->sender_count];
		return sender;
	}
	return NULL;
}

static void set_senders(struct alerts *alerts, const struct alert_channel *channel, size_t count)
{
	struct alert_sender *kept[ALERT_CHANNELS_MAX];
	for (size_t i = 0; i < count; i++)
		kept[i] = take_sender(alerts, &channel[i]);
	free_senders(alerts); /* they note their places before others of the same name begin */
	for (size_t i = 0; i < count; i++) {
		alerts->sender[i] = kept[i] != NULL ? kept[i]
						    : alert_sender_new(&alerts->ways,
							      alerts->options.store, &channel[i]);
		alert_sender_hurry(alerts->sender[i]);
	}
	alerts->sender_count = count;
}

void alerts_configure(struct alerts *alerts, const struct alert_settings *settings,
	const struct alert_channel *channel, size_t count)
{
	assert(count <= ALERT_CHANNELS_MAX);
	store_write_cancel(alerts->tidy); /* it reads what is changed here */
	alerts->tidy = NULL;
	alert_pass_cancel(alerts->pass);
	alerts->pass = NULL;
	alerts->is_asked = true;
	set_senders(alerts, channel, count);
	alerts->settings = *settings;
	alerts->rest_until_ms = 0;
	look_after(alerts, FIRST_MS);
}

struct alerts *alerts_new(const struct alerts_options *options, struct err *err)
{
	struct mail *mail = mail_new(options->loop, options->resolve, err);
	if (mail == NULL)
		return NULL;
	struct alerts *alerts = xcalloc(1, sizeof(*alerts));
	alerts->options = *options;
	alerts->sensor_name = xstrdup(options->sensor_name);
	alerts->mail = mail;
	alerts->ways = (struct channel_ways){.loop = options->loop,
		.http = options->http,
		.mail = mail,
		.journal = options->journal,
		.now_s = options->now_s,
		.arg = options->arg,
		.sensor = alerts->sensor_name};
	return alerts;
}

void alerts_free(struct alerts *alerts)
{
	if (alerts == NULL)
		return;
	assert(alerts->op_count == 0);
	loop_timer_cancel(alerts->timer);
	store_write_cancel(alerts->tidy);
	alert_pass_cancel(alerts->pass);
	free_senders(alerts);
	mail_free(alerts->mail);
	free(alerts->sensor_name);
	free(alerts);
}

const struct alert_counts *alerts_counts(const struct alerts *alerts)
{
	return alerts->has_counts ? &alerts->counts : NULL;
}

const char *alerts_error(const struct alerts *alerts)
{
	return alerts->err.text;
}

bool alerts_channel_state(
	const struct alerts *alerts, size_t i, struct alert_sender_state *ret_state)
{
	if (i >= alerts->sender_count)
		return false;
	*ret_state = alert_sender_get_state(alerts->sender[i]);
	return true;
}

/* --- what a person asks for ------------------------------------------------------------------- */

struct alert_op {
	struct alerts *alerts;	 /* borrowed */
	char *which, *note, *by; /* owned */
	char id[ALERT_ID_LEN + 1];
	int64_t at_s;
	enum alert_class class; /* of what was acknowledged */
	bool was_acknowledged;
	struct store_write *write; /* owned until it ends, as are these */
	struct channel_send *send;
	struct loop_timer *timer;
	struct err err;
	channel_done_fn *done;
	void *arg;
};

static struct alert_op *op_new(
	struct alerts *alerts, const char *which, channel_done_fn *done, void *arg)
{
	struct alert_op *op = xcalloc(1, sizeof(*op));
	*op = (struct alert_op){.alerts = alerts,
		.which = xstrdup(which),
		.at_s = alerts->options.now_s(alerts->options.arg),
		.done = done,
		.arg = arg};
	alerts->op_count++;
	return op;
}

void alerts_op_cancel(struct alert_op *op)
{
	if (op == NULL)
		return;
	store_write_cancel(op->write);
	channel_send_cancel(op->send);
	loop_timer_cancel(op->timer);
	op->alerts->op_count--;
	free(op->which);
	free(op->note);
	free(op->by);
	free(op);
}

static void op_finish(struct alert_op *op, const char *said, const struct err *err)
{
	op->done(op->arg, err == NULL ? said : NULL, err);
	alerts_op_cancel(op);
}

/* What is meant first: open, and nobody has acknowledged it. */
static int rank(const struct alert_record *alert)
{
	return alert->resolved_s != 0 ? 1 : alert->acknowledged_s != 0 ? 2 : 3;
}

/* By its id, or as the subject of any kind: connector and identity have the same. */
static bool find(struct store_txn *txn, const char *which, struct alert_record *ret_alert)
{
	char id[ALERT_ID_LEN + 1];
	struct alert_record alert;
	int best = store_alert_get(txn, which, ret_alert) ? rank(ret_alert) : 0;
	for (int kind = ALERT_CERTIFICATE; kind <= ALERT_IDENTITY; kind++) {
		alert_make_id((enum alert_kind)kind, which, id);
		if (!store_alert_get(txn, id, &alert) || rank(&alert) <= best)
			continue;
		best = rank(&alert);
		*ret_alert = alert;
	}
	return best > 0;
}

static void write_ack(struct store_txn *txn, void *arg)
{
	struct alert_op *op = arg;
	struct alert_record alert;
	if (!find(txn, op->which, &alert)) {
		store_txn_fail_as(txn, ERR_NOT_FOUND, "there is no alert %.400s", op->which);
		return;
	}
	if (alert.resolved_s != 0) {
		store_txn_fail_as(txn, ERR_REFUSED, "the alert is resolved already: %.400s",
			alert.resolution);
		return;
	}
	(void)text_copy(op->id, sizeof(op->id), alert.id);
	op->class = alert.class;
	op->was_acknowledged = alert.acknowledged_s != 0;
	alert.acknowledged_s = op->at_s;
	alert.acknowledged_by = op->by;
	alert.note = op->note;
	store_alert_put(txn, &alert);
}

/* Who has acknowledged one is not to be shown it as open until the next look. */
static void count_acknowledged(struct alerts *alerts, enum alert_class class)
{
	if (alerts->pass != NULL)
		alerts->is_asked = true; /* it may have counted it already */
	if (!alerts->has_counts || alerts->counts.open[class] == 0)
		return;
	alerts->counts.open[class]--;
	alerts->counts.acknowledged++;
}

static void on_acked(void *arg, const struct err *err)
{
	struct alert_op *op = arg;
	op->write = NULL;
	if (err == NULL && !op->was_acknowledged)
		count_acknowledged(op->alerts, op->class);
	op_finish(op, op->id, err);
}

struct alert_op *alerts_ack_start(struct alerts *alerts, const char *which, const char *note,
	const char *by, channel_done_fn *done, void *arg)
{
	struct alert_op *op = op_new(alerts, which, done, arg);
	op->note = xstrdup(note);
	op->by = xstrdup(by);
	op->write = store_write_start(alerts->options.store, write_ack, op, on_acked, op);
	return op;
}

static void on_no_channel(void *arg)
{
	struct alert_op *op = arg;
	op->timer = NULL;
	op_finish(op, NULL, &op->err);
}

static void on_tested(void *arg, const char *said, const struct err *err)
{
	struct alert_op *op = arg;
	struct alert_sender *sender = find_sender(op->alerts, op->which);
	op->send = NULL;
	if (err == NULL && sender != NULL)
		alert_sender_hurry(sender);
	op_finish(op, said, err);
}

struct alert_op *alerts_test_start(
	struct alerts *alerts, const char *channel, channel_done_fn *done, void *arg)
{
	struct alert_op *op = op_new(alerts, channel, done, arg);
	char id[32]; /* a mail that has the id of another one may be dropped as its copy */
	(void)snprintf(id, sizeof(id), "test-%" PRId64, op->at_s);
	const struct message message = {
		.sensor = alerts->sensor_name, .id = id, .now_s = op->at_s, .is_test = true};
	const struct alert_sender *sender = find_sender(alerts, channel);
	if (sender != NULL) {
		op->send = channel_send_start(
			&alerts->ways, alert_sender_channel(sender), &message, on_tested, op);
		return op;
	}
	(void)err_set(&op->err, ERR_NOT_FOUND, "there is no channel %.80s", channel);
	op->timer = loop_timer_start(alerts->options.loop, 0, on_no_channel, op);
	return op;
}
