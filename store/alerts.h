/*
 * Alerts: what a person was or is to be told of, one record a subject, kept after its end for a
 * while. Every change that is to be told appends a notice; a channel is a place in that queue, so
 * that what was sent is known after a restart, and a channel that is slow holds up no other.
 */
#ifndef STORE_ALERTS_H
#define STORE_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum {
	ALERT_ID_LEN = 16, /* lower hex */
	ALERT_TEXT_MAX = 1024,
	ALERT_NOTE_MAX = 256,
	ALERT_CHANNEL_NAME_MAX = 32,
	/* A channel that has missed some begins with all that is open. */
	ALERT_NOTICES_MAX = 10000,
};

enum alert_kind {	       /* stored: numbers are fixed */
	ALERT_CERTIFICATE = 1, /* subject: its ARN */
	ALERT_COVERAGE = 2,    /* subject: "CONNECTOR ACCOUNT" */
	ALERT_CONNECTOR = 3,   /* subject: its name */
	ALERT_JOB = 4,	       /* subject: its id */
	ALERT_IDENTITY = 5,    /* subject: the connector whose credentials end */
};

enum alert_class { /* stored: numbers are fixed; from the least */
	ALERT_NOTICE = 1,
	ALERT_WARNING = 2,
	ALERT_CRITICAL = 3,
	ALERT_EMERGENCY = 4,
};

enum { ALERT_NO_DAYS = -1 }; /* no threshold of days: of what has no end */

const char *alert_kind_name(enum alert_kind kind);    /* "certificate", ... */
const char *alert_class_name(enum alert_class class); /* "notice", ... */
bool alert_class_parse(const char *text, enum alert_class *ret_class);

/* Texts as in struct cert_record: borrowed when written, views when read, never NULL. */
struct alert_record {
	const char *id; /* alert_make_id */
	enum alert_kind kind;
	enum alert_class class;
	int64_t days;	/* the threshold that was passed; ALERT_NO_DAYS */
	int64_t ends_s; /* NotAfter, or the end of credentials; 0: none */
	const char *subject, *connector, *account_id, *region;
	const char *name; /* the certificate's domain; "" */
	const char *text; /* one sentence without a relative time */
	int64_t raised_s, changed_s;
	int64_t resolved_s;	/* 0: open */
	const char *resolution; /* why it ended; "" while open */
	int64_t acknowledged_s; /* 0: not; void as soon as it gets worse */
	const char *acknowledged_by, *note;
	/* The worst that was told of this occurrence: only worse than that is told again. */
	enum alert_class told_class;
	int64_t told_days;
	int64_t first_notice, last_notice; /* of this occurrence, in the queue; 0: none */
};

/* The same for the same kind and subject. */
void alert_make_id(enum alert_kind kind, const char *subject, char ret_id[ALERT_ID_LEN + 1]);

/* Fails the transaction with ERR_LIMIT when the id is not that of kind and subject, or a number is
 * none of its enum. */
void store_alert_put(struct store_txn *txn, const struct alert_record *alert);
bool store_alert_get(struct store_txn *txn, const char *id, struct alert_record *ret_alert);
void store_alert_delete(struct store_txn *txn, const char *id);
/* In order of id. position: ALERT_ID_LEN + 1 bytes, "" to begin. */
bool store_alert_next(struct store_txn *txn, char *position, struct alert_record *ret_alert);

/* Appends one for the alert and returns its number, from 1. Beyond ALERT_NOTICES_MAX the oldest
 * goes. */
int64_t store_alert_notice_append(struct store_txn *txn, const char *alert_id);
/* The first with a number above `after`; false: none. ret_id: a view. */
bool store_alert_notice_next(
	struct store_txn *txn, int64_t after, int64_t *ret_number, const char **ret_id);
int64_t store_alert_notice_last(struct store_txn *txn); /* number; 0: there never was any */
/* Deletes those up to and with the number, at most max of them; the newest stays, since numbers go
 * on from it. */
void store_alert_notice_trim(struct store_txn *txn, int64_t up_to, size_t max);

struct alert_channel_record {
	const char *name;
	int64_t position; /* the last notice that was told or left out; -1: begins with all open */
	int64_t sent_s;	  /* last success; 0: none yet */
	int64_t failing_since_s; /* 0: does not */
	int64_t attempts;	 /* in a row that failed */
	const char *error;	 /* of the last one; "" */
};
void store_alert_channel_put(struct store_txn *txn, const struct alert_channel_record *channel);
bool store_alert_channel_get(
	struct store_txn *txn, const char *name, struct alert_channel_record *ret_channel);
void store_alert_channel_delete(struct store_txn *txn, const char *name);
/* In order of name. position: ALERT_CHANNEL_NAME_MAX + 1 bytes, "" to begin. */
bool store_alert_channel_next(
	struct store_txn *txn, char *position, struct alert_channel_record *ret_channel);

#endif
