/*
 * A desk over tests/sensor/fixture.h: connectors "prod" and "other", the way into the account SHOP
 * (and into any other that a test names), and write_acm.h as the ACM of SHOP in DESK_REGION.
 */
#ifndef TESTS_SENSOR_DESK_FIXTURE_H
#define TESTS_SENSOR_DESK_FIXTURE_H

#include "sensor/desk_internal.h"
#include "store/jobs.h"
#include "tests/lib/write_acm.h"
#include "tests/sensor/fixture.h"

#define DESK_REGION  "eu-west-1"
#define DESK_UNKNOWN "444444444444" /* its role cannot be assumed */

enum {
	DESK_CONNECTORS = 2,
	DESK_PLAN_LIFE_S = 3600,
	DESK_KEEP_KEYS_S = 30 * DAY_S,
	DESK_KEEP_JOBS_S = 30 * DAY_S,
};
extern const struct desk_times desk_fixture_times; /* of these */

struct desk_fixture {
	struct fixture *sensor;			      /* borrowed */
	struct connector *connector[DESK_CONNECTORS]; /* owned; NULL: taken out by a test */
	struct desk *desk;
	struct write_acm acm;
	char *pem, *key_pem; /* owned; of a certificate of www.example.com */
	struct buf body;

	struct desk_op *op; /* the last that was started; NULL: it has ended */
	size_t ends, jobs_ended;
	char *document; /* owned; of the last end; NULL: it was err */
	struct err err;
};

/* cmocka's setup and teardown: one desk over one sensor a test. */
extern struct desk_fixture desk;
int desk_fixture_set_up(void **state);
int desk_fixture_tear_down(void **state);
#define DESK_TEST(name)                                                                            \
	cmocka_unit_test_setup_teardown(name, desk_fixture_set_up, desk_fixture_tear_down)

void desk_fixture_open(struct desk_fixture *fixture, struct fixture *sensor);
/* sensor_tear_down shows whether anything is left waiting. */
void desk_fixture_close(struct desk_fixture *fixture);
/* The daemon ends and starts again; nothing runs before desk_pump. */
void desk_fixture_restart(struct desk_fixture *fixture);

/* body: JSON, with ' for ". */
void desk_fixture_start(struct desk_fixture *fixture, enum desk_verb verb, const char *body);
/* To its end, which must come without time passing. */
void desk_fixture_run(struct desk_fixture *fixture, enum desk_verb verb, const char *body);
/* The same, with what it must answer: an error with that text in it. */
void desk_fixture_refuse(struct desk_fixture *fixture, enum desk_verb verb, const char *body,
	enum err_kind kind, const char *text);
/* A text of the document: "plan", "id". Borrowed until the next. */
const char *desk_fixture_text(struct desk_fixture *fixture, const char *object, const char *name);

/* The body of a plan for a certificate of its own, self-signed; with more members in front
 * ("'new_arn': true, "). Valid until the next. */
const char *desk_fixture_plan(struct desk_fixture *fixture, const char *more);

/* A running job of SHOP in DESK_REGION; a test sets what is to differ. */
struct job_record desk_fixture_job(const char *id);
void desk_fixture_put_job(struct desk_fixture *fixture, const struct job_record *job);
bool desk_fixture_has_key(struct desk_fixture *fixture, const char *id); /* the vault */
/* As stored: state, phase and reason, in a text of its own; "running check: ". */
const char *desk_fixture_state(struct desk_fixture *fixture, const char *job_id);

#endif
