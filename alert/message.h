/*
 * What a channel sends: a batch of alerts as generic JSON, for Slack, for Teams, or as mail. Pure.
 * However many alerts there are, a message names the first MESSAGE_ITEMS_MAX and the count.
 */
#ifndef ALERT_MESSAGE_H
#define ALERT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/alerts.h"

struct buf;

enum { MESSAGE_ITEMS_MAX = 20 };

struct message_item {
	enum alert_kind kind;
	enum alert_class class;
	int64_t days, ends_s;
	bool is_resolved;
	char id[ALERT_ID_LEN + 1];
	char *subject, *connector, *account_id, *region, *name, *text; /* owned */
};

struct message {
	const char *sensor; /* borrowed */
	const char *id;	    /* borrowed; the same when the message is sent again */
	int64_t now_s;
	bool is_test;
	bool is_all;				/* everything that is open, not only what is new */
	int64_t count[ALERT_EMERGENCY + 1];	/* open, by class */
	int64_t kind_count[ALERT_IDENTITY + 1]; /* open, by kind */
	int64_t resolved;
	struct message_item item[MESSAGE_ITEMS_MAX]; /* the worst first, resolved ones last */
	size_t item_count;
};

void message_clear(struct message *message); /* zeroed is fine */
/* Counts the alert, and keeps it when it is among the worst. */
void message_add(struct message *message, const struct alert_record *alert);
/* What is counted. */
int64_t message_total(const struct message *message);
enum alert_class message_worst(const struct message *message); /* ALERT_NOTICE when none is open */

/* One line, printable ASCII: "3 alerts (1 emergency, 2 warning), 1 resolved on dc1". */
void message_headline(const struct message *message, struct buf *to);
void message_json(const struct message *message, struct buf *to);
void message_slack(const struct message *message, struct buf *to);
void message_teams(const struct message *message, struct buf *to);
/* Header and body, lines end in CR LF. from, to_text: addresses without control bytes. */
void message_mail(
	const struct message *message, const char *from, const char *to_text, struct buf *to);

#endif
