/*
 * What the tests of alerts as one object share: the engine, its pass and its senders on a real
 * store (store_fixture.h), with time that a test moves; one channel "ops", a webhook, and looks at
 * what it was told. Tests: ALERTS_TEST, at whose end nothing may be left waiting.
 */
#ifndef TESTS_ALERT_ALERTS_FIXTURE_H
#define TESTS_ALERT_ALERTS_FIXTURE_H

#include <jansson.h>

#include "alert/alerts.h"
#include "store/jobs.h"
#include "store/store.h"

enum { DAY_S = 86400, HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

#define ALERTS_TEST(name)                                                                          \
	cmocka_unit_test_setup_teardown(name, alerts_fixture_set_up, alerts_fixture_tear_down)

struct alerts_fixture {
	char *url_file;
	struct loop *loop;
	struct http *http;
	struct alerts *alerts;
	/* What a test may set. */
	bool is_busy;		   /* the inventory is being brought up to date */
	int64_t told_now_s;	   /* by AWS; 0: as the clock here */
	int64_t credentials_end_s; /* of the connector "prod"; -1: not known */
	int http_status;	   /* what the webhook answers */
	/* What it may look at. */
	int failures; /* looks that failed */
	char journal[65536];
};
extern struct alerts_fixture world;
extern const struct alert_settings usual_settings; /* 45, 30, 14, 7, 3, 1, 0 days */

int alerts_fixture_set_up(void **state);
int alerts_fixture_tear_down(void **state);
/* The daemon ends, and starts on the same store, with the one channel. */
void alerts_fixture_close(void);
void alerts_fixture_open(void);
void alerts_fixture_restart(void);
/* "ops", the webhook; "log", the journal. */
struct alert_channel webhook_channel(void);
struct alert_channel journal_channel(void);

/* From now on the webhook answers; until then, what is sent to it waits. */
void answer_messages(void);
/* Messages that are sent meanwhile are answered. */
void advance(int64_t ms);

/* --- the inventory ---------------------------------------------------------------------------- */

/* Of prod's account 000000000001, imported; ends in so many days, 0: still pending. */
void put_cert(unsigned number, const char *name, int64_t days, bool in_use);
/* Ends in ten days, unused, and is not at AWS any more. */
void put_gone_cert(unsigned number, const char *name);
void cert_arn(unsigned number, char ret_arn[128]);
/* Failed a minute ago. */
void put_failed_job(struct store_txn *txn, const char *id, enum job_kind kind);
/* Three that are told: an account of "shop" is lost, the connector "prod" fails, a job has failed. */
void put_failures(struct store_txn *txn, void *arg);
/* All of these but the job. */
void mend(struct store_txn *txn, void *arg);

/* --- what was told ---------------------------------------------------------------------------- */

/* The i-th message; owned. */
json_t *read_message(size_t i);
/* Its count, and a part of its text. */
void expect_message(size_t i, int count, const char *text);

/* Of its texts only the resolution, until the next call. */
struct alert_record read_alert(enum alert_kind kind, const char *subject, bool *ret_is_there);
struct alert_record read_cert_alert(unsigned number); /* it must be there */

#endif
