/*
 * A job on a real store and vault, against write_acm.h: certificates "old", "new" and "other", an
 * ARN that holds "old" (delivered by this sensor, so its key is in the vault) and a plan that waits.
 */
#ifndef TESTS_DELIVERY_JOB_FIXTURE_H
#define TESTS_DELIVERY_JOB_FIXTURE_H

#include "base/err.h"
#include "delivery/delivery.h"
#include "store/vault.h"
#include "tests/lib/write_acm.h"

#define ACCOUNT "111122223333"
#define REGION	"eu-west-1"
#define PLAN_ID "p-20261121-000000-0000000001"
#define OLD_KEY "the private key of old"
#define NEW_KEY "the private key of new"

enum { NOW_S = 1795219200, PLAN_LIFE_S = 3600, KEEP_KEYS_S = 30 * 86400 };

struct job_fixture_options {
	bool is_first_import;
	bool lacks_old_key; /* it was delivered by somebody else */
	bool auto_rollback;
	const char *no_rollback; /* why the plan saw no way back, though the key is there */
	enum key_escrow escrow;	 /* 0: the sensor */
	const char *host;	 /* NULL: none is verified */
};

struct job_fixture {
	char *folder;
	struct loop *loop;
	struct aws *aws;
	struct aws_client *client, *hub;
	struct store *store;
	struct vault *vault;
	struct delivery *delivery;
	struct write_acm acm;
	char *old_pem, *new_pem, *other_pem; /* owned */
	char arn[128];			     /* of old; "" with a first import */
	struct job_fixture_options options;
	char job_id[DELIVERY_ID_MAX + 1];
	const char *served; /* by every host; a PEM, borrowed; NULL: what ACM holds under arn */
	bool is_unreachable;

	struct job_run *run;
	size_t ends;
	struct err err; /* of the last end */
};

/* cmocka's setup and teardown: one of the usual options a test. */
extern struct job_fixture world;
int job_fixture_set_up(void **state);
int job_fixture_tear_down(void **state);
#define JOB_TEST(name)                                                                             \
	cmocka_unit_test_setup_teardown(name, job_fixture_set_up, job_fixture_tear_down)

/* options: NULL for the usual ones, all zero. */
void job_fixture_open(struct job_fixture *fixture, const struct job_fixture_options *options);
/* Also checks that nothing is left waiting. */
void job_fixture_close(struct job_fixture *fixture);

/* Orders the job; 0, or -1 and err. order->now_s is set. */
int job_fixture_order(struct job_fixture *fixture, struct job_order *order, struct err *err);
/* A rollback of the last job; as job_fixture_order. */
int job_fixture_order_roll_back(struct job_fixture *fixture, struct err *err);
/* The plan's job, which must be taken. */
void job_fixture_apply(struct job_fixture *fixture);
int job_fixture_cancel_job(struct job_fixture *fixture, struct err *err);

/* Where the fixture's jobs and plans go. */
struct delivery_target job_fixture_target(const struct job_fixture *fixture);
void job_fixture_start(struct job_fixture *fixture);
/* The one turn of a job whose account cannot be entered; fixture->err tells what done got. */
void job_fixture_be_away(struct job_fixture *fixture, const struct err *why);
/* The daemon dies and starts again: keys in memory are gone. */
void job_fixture_restart(struct job_fixture *fixture);
/* Until the record says that it ended; runs it again when the store failed. */
void job_fixture_finish(struct job_fixture *fixture);

/* The record's fields that tests look at; texts cut. */
struct job_outcome {
	enum job_state state;
	enum job_phase phase;
	bool may_have_imported;
	uint32_t attempts;
	int64_t next_attempt_s, keep_key_until_s;
	char reason[1024], evidence[4096], arn[128], old_key_id[80], new_key_id[80];
};
void job_fixture_outcome(
	struct job_fixture *fixture, const char *job_id, struct job_outcome *ret_outcome);
void job_fixture_expect(
	const struct job_outcome *outcome, enum job_state state, const char *part_of_reason);
/* Of the last job that was ordered: from where its run is to its end; from its start. */
void job_fixture_see_end(struct job_fixture *fixture, struct job_outcome *ret_outcome);
void job_fixture_run(struct job_fixture *fixture, struct job_outcome *ret_outcome);
/* From the order of the fixture's plan to its job's end. */
void job_fixture_run_plan(struct job_fixture *fixture, struct job_outcome *ret_outcome);
/* The same, of a rollback of the last job. */
void job_fixture_roll_back(struct job_fixture *fixture, struct job_outcome *ret_outcome);
/* Of what ACM holds under the first ARN. */
void job_fixture_expect_tag(struct job_fixture *fixture, const char *key, const char *value);
void job_fixture_let_acm_hold(struct job_fixture *fixture, const char *pem);
/* A store_write_fn: as the desk's upkeep, at the time arg points to. */
void job_fixture_wipe_due(struct store_txn *txn, void *arg);
bool job_fixture_has_key(struct job_fixture *fixture, const char *id);
/* The id of the only running job; "" when there is none. */
void job_fixture_running(struct job_fixture *fixture, char ret_id[DELIVERY_ID_MAX + 1]);

#endif
