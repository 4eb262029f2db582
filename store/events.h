/*
 * The event log: append-only, numbered without a gap, each record chained to the one before by
 * SHA-256. Its identity is (epoch, sequence); the epoch is random, made with the store.
 */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include "store/store.h"

enum event_kind { /* stored: numbers are fixed */
	EVENT_STORE_CREATED = 1,
	EVENT_CERT_APPEARED = 2,
	EVENT_CERT_CHANGED = 3,	   /* anything but the ones below; detail names the fields */
	EVENT_CERT_RENEWED = 4,	   /* a new serial under an ARN that ACM renews */
	EVENT_CERT_REIMPORTED = 5, /* a new serial under an imported ARN, not delivered by us */
	EVENT_CERT_GONE = 6,
	EVENT_CERT_EXPIRED = 7,
	EVENT_COVERAGE_CHANGED = 8, /* detail: "ok -> denied: reason" */
	EVENT_ACCOUNT_APPEARED = 9,
	EVENT_ACCOUNT_CHANGED = 10, /* state, name or unit */
	EVENT_ACCOUNT_GONE = 11,
	EVENT_CYCLE_STARTED = 12,
	EVENT_CYCLE_FINISHED = 13,
	EVENT_CYCLE_FAILED = 14,
	EVENT_OPERATOR = 15, /* somebody asked for something: scan, reload */
	EVENT_SENSOR_STARTED = 16,
	EVENT_SENSOR_STOPPED = 17,
	EVENT_CERT_RETURNED = 18,     /* listed again after it was gone */
	EVENT_STORE_RESTORED = 19,    /* a new epoch began: restored, or back in time */
	EVENT_DELIVERY_STEP = 20,     /* of a job; subject: its id, detail: the step's text */
	EVENT_DELIVERY_FINISHED = 21, /* subject: the job's id, detail: how it ended */
	EVENT_KINDS
};
const char *event_kind_name(enum event_kind kind); /* "certificate_appeared", ... */

struct event_record {
	uint64_t sequence; /* set by append; from 1 */
	int64_t at_s;
	enum event_kind kind;
	const char *connector, *account_id, *region, *arn; /* "" where it does not apply */
	const char *subject;	/* domain name, account name, operator "uid 0"; "" */
	const char *detail;	/* one line, for people; "" */
	unsigned char hash[32]; /* SHA-256 over the previous hash and this record; set by append */
};

/* The text fields are cut to fit a record of 4 KiB. */
void store_event_append(struct store_txn *txn, const struct event_record *event);
/* The first with sequence >= from; false: none. */
bool store_event_get_from(struct store_txn *txn, uint64_t from, struct event_record *ret_event);
/* The last with sequence <= to (0: the newest). */
bool store_event_get_last(struct store_txn *txn, uint64_t to, struct event_record *ret_event);
/* The newest's, without reading it; 0: none. */
uint64_t store_event_last_sequence(struct store_txn *txn);
/*
 * Drops the oldest events, at most max of them: those of before before_s, and with them those of
 * after now_s, which a clock that was wrong has stamped. Never one of the newest EVENTS_KEPT.
 * Returns how many. The chain goes on from a recorded anchor, with which verifying begins.
 */
enum { EVENTS_KEPT = 1000 };
size_t store_events_prune(struct store_txn *txn, int64_t before_s, int64_t now_s, size_t max);
/* Recomputes the chain, from the anchor on; ERR_STORE names the first broken sequence or gap. */
int store_event_verify(struct store_txn *txn, struct err *err);

#endif
