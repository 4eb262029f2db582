/*
 * Sending one message on a channel. What is a secret (a webhook's URL, a password) is read from its
 * file anew for each message, and never in an error.
 */
#ifndef ALERT_CHANNEL_SEND_H
#define ALERT_CHANNEL_SEND_H

#include "alert/channel.h"

struct channel_send;
struct err;
struct http;
struct loop;
struct mail;
struct message;

/* One line for the journal, of a class. */
typedef void channel_journal_fn(void *arg, enum alert_class class, const char *line);

/* The time by who can be trusted with it. */
typedef int64_t channel_now_fn(void *arg);

struct channel_ways {
	struct loop *loop; /* borrowed, as are all of these */
	struct http *http;
	struct mail *mail;
	channel_journal_fn *journal;
	channel_now_fn *now_s;
	void *arg; /* for journal and now_s */
	const char *sensor;
};

/*
 * said  what the other side answered, for people: "HTTP 204"; borrowed for the call
 * err   begins with the channel's type; ERR_CONFIG: a file cannot be read or used; ERR_REFUSED,
 *       ERR_SERVICE: the other side answered no; else what http, mail or child met
 */
typedef void channel_done_fn(void *arg, const char *said, const struct err *err);
/* channel and message are borrowed for the call; ways until the end. */
struct channel_send *channel_send_start(const struct channel_ways *ways,
	const struct alert_channel *channel, const struct message *message, channel_done_fn *done,
	void *arg);
void channel_send_cancel(struct channel_send *send);

#endif
