/*
 * A way to tell people, and sending one message on it. What is a secret (a webhook's URL, a
 * password) is in a file, read anew for each message, and never in an error.
 */
#ifndef ALERT_CHANNEL_H
#define ALERT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mail.h"
#include "store/alerts.h"

struct channel_send;
struct err;
struct http;
struct loop;
struct message;

enum channel_type { CHANNEL_WEBHOOK, CHANNEL_MAIL, CHANNEL_COMMAND, CHANNEL_JOURNAL };
enum channel_shape { CHANNEL_JSON, CHANNEL_SLACK, CHANNEL_TEAMS };

/* All texts are owned and never NULL; "" where nothing is set. */
struct alert_channel {
	char *name;
	enum channel_type type;
	enum alert_class minimum;
	bool resolved; /* tell also what is over */
	/* webhook */
	char *url_file;
	enum channel_shape shape;
	char *proxy, *no_proxy;
	char *ca_bundle; /* mail too */
	/* mail */
	char *server; /* host, host:port or [address]:port */
	enum mail_tls tls;
	char *user, *password_file, *from;
	char **to; /* owned, each owned */
	size_t to_count;
	/* command */
	char *command;
	int64_t timeout_s; /* of any channel */
};

void alert_channel_clear(struct alert_channel *channel);
void alert_channel_copy(struct alert_channel *to, const struct alert_channel *from);
const char *channel_type_name(enum channel_type type);

/* "host[:port]", "[address]:port": ERR_CONFIG. default_port: where none is named. */
int channel_server_parse(const char *server, int default_port, char *host, size_t size,
	int *ret_port, struct err *err);

/* One line for the journal, of a class. */
typedef void channel_journal_fn(void *arg, enum alert_class class, const char *line);

struct channel_ways {
	struct loop *loop; /* borrowed, as are all of these */
	struct http *http;
	struct mail *mail;
	channel_journal_fn *journal;
	void *arg; /* for journal */
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
