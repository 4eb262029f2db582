#include "alert/sender.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/message.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/alerts.h"

enum { SLICE_US = 5000, ID_BYTES = 96 };

enum state { IDLE, GATHER, SEND, WRITE, WAIT_RETRY };

struct alert_sender {
	const struct channel_ways *ways; /* borrowed */
	struct store *store;		 /* borrowed */
	struct alert_channel channel;	 /* owned */
	enum state state;
	bool is_loaded; /* the record was read */
	bool is_pumped; /* while at work: look again afterwards */
	bool is_noted;	/* what is in the store is what is here */
	int64_t position, sent_s, failing_since_s, attempts; /* as in the store */
	struct err err;					     /* of the last attempt */
	/* GATHER and SEND */
	struct message message;
	char id[ID_BYTES];
	char walk[ALERT_ID_LEN + 1]; /* over all alerts */
	bool is_all;
	int64_t next, last;	   /* notices looked at, and to look at */
	struct channel_send *send; /* owned; SEND */
	struct store_write *write; /* owned; WRITE */
	struct loop_timer *timer;  /* owned; GATHER, WAIT_RETRY */
};

int64_t alert_sender_retry_s(int64_t attempts)
{
	int64_t wait_s = SENDER_RETRY_MIN_S;
	for (int64_t i = 1; i < attempts && wait_s < SENDER_RETRY_MAX_S; i++)
		wait_s *= 2;
	return wait_s < SENDER_RETRY_MAX_S ? wait_s : SENDER_RETRY_MAX_S;
}

/* --- the record ------------------------------------------------------------------------------- */

/* A channel that is new is told first what is open. */
static void load(struct alert_sender *sender, struct store_txn *txn)
{
	struct alert_channel_record record;
	sender->position = -1;
	if (store_alert_channel_get(txn, sender->channel.name, &record)) {
		sender->position = record.position;
		sender->sent_s = record.sent_s;
		sender->failing_since_s = record.failing_since_s;
		sender->attempts = record.attempts;
		if (record.error[0] != '\0')
			(void)err_set(&sender->err, ERR_SERVICE, "%s", record.error);
	}
	/* What was numbered anew (a store that was restored) is told again rather than never. */
	if (sender->position > store_alert_notice_last(txn))
		sender->position = -1;
	sender->is_loaded = sender->is_noted = true;
}

static void write_record(struct store_txn *txn, void *arg)
{
	const struct alert_sender *sender = arg;
	store_alert_channel_put(txn, &(struct alert_channel_record){.name = sender->channel.name,
					     .position = sender->position,
					     .sent_s = sender->sent_s,
					     .failing_since_s = sender->failing_since_s,
					     .attempts = sender->attempts,
					     .error = sender->err.text});
}

/* --- gathering -------------------------------------------------------------------------------- */

static bool is_wanted(const struct alert_sender *sender, const struct alert_record *alert)
{
	if (alert->told_class < sender->channel.minimum)
		return false;
	if (alert->resolved_s == 0)
		return alert->acknowledged_s == 0 && alert->class >= sender->channel.minimum;
	/* Only what this channel has heard of. */
	return sender->channel.resolved && !sender->is_all &&
	       alert->first_notice <= sender->position;
}

/* false: there is no more. */
static bool gather_open(struct alert_sender *sender, struct store_txn *txn)
{
	struct alert_record alert;
	if (!store_alert_next(txn, sender->walk, &alert))
		return false;
	if (is_wanted(sender, &alert))
		message_add(&sender->message, &alert);
	return true;
}

static bool gather_notice(struct alert_sender *sender, struct store_txn *txn)
{
	struct alert_record alert;
	const char *id;
	int64_t number;
	if (!store_alert_notice_next(txn, sender->next, &number, &id) || number > sender->last)
		return false;
	sender->next = number;
	/* Only the last word about each. */
	if (store_alert_get(txn, id, &alert) && alert.last_notice == number &&
		is_wanted(sender, &alert))
		message_add(&sender->message, &alert);
	return true;
}

static void begin_gathering(struct alert_sender *sender, struct store_txn *txn)
{
	int64_t first = 0;
	const char *id;
	if (!sender->is_loaded)
		load(sender, txn);
	sender->last = store_alert_notice_last(txn);
	sender->next = sender->position;
	/* Some that it has not told are gone from the queue: then all that is open. */
	bool has_gap = store_alert_notice_next(txn, 0, &first, &id) &&
		       first > sender->position + 1 && sender->last > sender->position;
	sender->is_all = sender->position < 0 || has_gap;
	sender->walk[0] = '\0';
	(void)snprintf(sender->id, sizeof(sender->id), "%s-%" PRId64 "-%" PRId64,
		sender->channel.name, sender->position, sender->last);
	message_clear(&sender->message);
	sender->message = (struct message){.sensor = sender->ways->sensor,
		.id = sender->id,
		.now_s = sender->ways->now_s(sender->ways->arg),
		.is_all = sender->is_all};
}

static void on_gather(void *arg);
static void start_write(struct alert_sender *sender);
static void on_retry(void *arg);

static void on_sent(void *arg, const char *said, const struct err *err)
{
	struct alert_sender *sender = arg;
	int64_t now_s = sender->ways->now_s(sender->ways->arg);
	sender->send = NULL;
	log_debug("alert_sender %s state=SEND said=%s", sender->channel.name,
		err == NULL ? said : err->text);
	if (err == NULL) {
		sender->position = sender->last;
		sender->sent_s = now_s;
		sender->failing_since_s = sender->attempts = 0;
		sender->err = (struct err)ERR_INIT;
	} else {
		sender->err = *err;
		sender->attempts++;
		if (sender->failing_since_s == 0)
			sender->failing_since_s = now_s;
	}
	start_write(sender);
}

static void wait_retry(struct alert_sender *sender)
{
	sender->state = WAIT_RETRY;
	sender->timer = loop_timer_start(sender->ways->loop,
		alert_sender_retry_s(sender->attempts) * 1000, on_retry, sender);
}

static void go_idle(struct alert_sender *sender)
{
	sender->state = IDLE;
	if (sender->is_pumped)
		alert_sender_pump(sender);
}

/* Also when there was nothing for this channel: its place moves on. */
static void end_gathering(struct alert_sender *sender)
{
	if (message_total(&sender->message) > 0) {
		sender->state = SEND;
		sender->send = channel_send_start(
			sender->ways, &sender->channel, &sender->message, on_sent, sender);
		return;
	}
	sender->is_noted =
		sender->is_noted && sender->position == sender->last && sender->attempts == 0;
	sender->position = sender->last;
	sender->failing_since_s = sender->attempts = 0;
	sender->err = (struct err)ERR_INIT;
	if (sender->is_noted)
		go_idle(sender);
	else
		start_write(sender);
}

static void fail_reading(struct alert_sender *sender, const struct err *err)
{
	sender->err = *err;
	sender->attempts++;
	wait_retry(sender);
}

static void on_gather(void *arg)
{
	struct alert_sender *sender = arg;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	bool has_more = true;
	sender->timer = NULL;
	int rc = store_read_begin(sender->store, &txn, &err);
	if (rc == 0) {
		int64_t until_us = clock_mono_us() + SLICE_US;
		if (sender->state == IDLE || sender->state == WAIT_RETRY)
			begin_gathering(sender, txn);
		sender->state = GATHER;
		while (has_more && clock_mono_us() < until_us)
			has_more = sender->is_all ? gather_open(sender, txn)
						  : gather_notice(sender, txn);
		rc = store_txn_check(txn, &err);
	}
	store_read_end(txn);
	if (rc != 0)
		fail_reading(sender, &err);
	else if (has_more)
		sender->timer = loop_timer_start(sender->ways->loop, 0, on_gather, sender);
	else
		end_gathering(sender);
}

static void on_retry(void *arg)
{
	on_gather(arg);
}

static void on_written(void *arg, const struct err *err)
{
	struct alert_sender *sender = arg;
	sender->write = NULL;
	sender->is_noted = err == NULL;
	if (err != NULL)
		log_debug("alert_sender %s state=WRITE reason=%s", sender->channel.name, err->text);
	if (err != NULL || sender->attempts > 0)
		wait_retry(
			sender); /* a place that is not noted is, when there is nothing to send */
	else
		go_idle(sender);
}

static void start_write(struct alert_sender *sender)
{
	sender->state = WRITE;
	sender->is_noted = false;
	sender->write = store_write_start(sender->store, write_record, sender, on_written, sender);
}

/* --- life ------------------------------------------------------------------------------------- */

void alert_sender_pump(struct alert_sender *sender)
{
	sender->is_pumped = sender->state != IDLE || sender->timer != NULL;
	if (!sender->is_pumped)
		sender->timer = loop_timer_start(sender->ways->loop, 0, on_gather, sender);
}

void alert_sender_hurry(struct alert_sender *sender)
{
	if (sender->state != WAIT_RETRY)
		return;
	loop_timer_cancel(sender->timer);
	sender->timer = loop_timer_start(sender->ways->loop, 0, on_retry, sender);
}

struct alert_sender *alert_sender_new(
	const struct channel_ways *ways, struct store *store, const struct alert_channel *channel)
{
	struct alert_sender *sender = xcalloc(1, sizeof(*sender));
	sender->ways = ways;
	sender->store = store;
	sender->position = -1;
	alert_channel_copy(&sender->channel, channel);
	return sender;
}

void alert_sender_free(struct alert_sender *sender)
{
	if (sender == NULL)
		return;
	struct err err = ERR_INIT;
	channel_send_cancel(sender->send);
	store_write_cancel(sender->write);
	/* What was told is not told again by the next daemon. */
	if (sender->is_loaded && !sender->is_noted &&
		store_write_now(sender->store, write_record, sender, &err) != 0)
		log_debug("alert_sender %s state=END reason=%s", sender->channel.name, err.text);
	loop_timer_cancel(sender->timer);
	message_clear(&sender->message);
	alert_channel_clear(&sender->channel);
	free(sender);
}

static int64_t told_up_to(const struct alert_sender *sender)
{
	bool is_telling_all = sender->is_all && (sender->state == GATHER || sender->state == SEND);
	if (!sender->is_loaded)
		return 0; /* the store knows */
	return is_telling_all ? sender->last : sender->position;
}

struct alert_sender_state alert_sender_get_state(const struct alert_sender *sender)
{
	return (struct alert_sender_state){.name = sender->channel.name,
		.type = sender->channel.type,
		.sent_s = sender->sent_s,
		.told_up_to = told_up_to(sender),
		.failing_since_s = sender->failing_since_s,
		.error = sender->err.text};
}

const struct alert_channel *alert_sender_channel(const struct alert_sender *sender)
{
	return &sender->channel;
}
