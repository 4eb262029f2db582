/* A way to tell people, as it is configured. */
#ifndef ALERT_CHANNEL_H
#define ALERT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mail.h"
#include "store/alerts.h"

struct err;

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
bool alert_channel_equals(const struct alert_channel *a, const struct alert_channel *b);
const char *channel_type_name(enum channel_type type);

/* "host[:port]", "[address]:port": ERR_CONFIG. default_port: where none is named. */
int channel_server_parse(const char *server, int default_port, char *host, size_t size,
	int *ret_port, struct err *err);

#endif
