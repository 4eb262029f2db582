/*
 * Delivery over the local API: orders go to the desk, which the test plays; plans and jobs are read
 * from the store, one of them until it has a new step.
 */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/api_internal.h"
#include "sensor/local_api.h"
#include "store/jobs.h"
#include "store/store.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/api_client.h"

#define FIRST_JOB  "j-20261121-000000-0000000001"
#define SECOND_JOB "j-20261121-000000-0000000002"
#define FIRST_PLAN "p-20261121-000000-0000000001"

enum { NOW_S = 1795219200, MANY_PLANS = 500, TURNS = 50, LOOK_MS = 250 };

struct fixture {
	char *folder, *socket_path;
	struct loop *loop;
	struct store *store;
	struct api *api;
	struct api_client client;
};

/* --- the desk ---------------------------------------------------------------------------------- */

struct desk_op {
	desk_done_fn *done;
	void *arg;
	json_t *body; /* a reference */
};

static struct {
	struct desk_op *op; /* owned; NULL: none waits */
	size_t started, cancelled;
	const char *held_up; /* of every job; NULL: goes on */
	enum desk_verb verb;
	char by[32];
} desk;

const char *desk_job_held_up(const struct desk *of, const char *id)
{
	(void)of, (void)id;
	return desk.held_up != NULL ? desk.held_up : "";
}

bool desk_has_key(const struct desk *of, const struct plan_record *plan)
{
	(void)of;
	return plan->escrow != ESCROW_MEMORY;
}

/* The desk has two requests. */
bool desk_render_request(
	struct desk *of, struct store_txn *txn, const char *id, struct json_writer *writer)
{
	(void)of;
	(void)txn;
	if (strcmp(id, "q-1") != 0 && strcmp(id, "q-2") != 0)
		return false;
	json_open_object(writer);
	json_member_text(writer, "id", id);
	json_close_object(writer);
	return true;
}

bool desk_render_next_request(
	struct desk *of, struct store_txn *txn, char *position, struct json_writer *writer)
{
	if (strcmp(position, "q-2") == 0)
		return false;
	strcpy(position, position[0] == '\0' ? "q-1" : "q-2");
	return desk_render_request(of, txn, position, writer);
}

struct desk_op *desk_op_start(struct desk *of, enum desk_verb verb, json_t *body, const char *by,
	desk_done_fn *done, void *arg)
{
	assert_non_null(of);
	assert_null(desk.op);
	desk.op = xcalloc(1, sizeof(*desk.op));
	*desk.op = (struct desk_op){.done = done, .arg = arg, .body = json_incref(body)};
	desk.started++;
	desk.verb = verb;
	(void)snprintf(desk.by, sizeof(desk.by), "%s", by);
	return desk.op;
}

static void drop_op(struct desk_op *op)
{
	assert_ptr_equal(op, desk.op);
	desk.op = NULL;
	json_decref(op->body);
	free(op);
}

void desk_op_cancel(struct desk_op *op)
{
	if (op == NULL)
		return;
	desk.cancelled++;
	drop_op(op);
}

/* Ends what waits: document, or err. */
static void answer_order(const char *document, const struct err *err)
{
	struct desk_op *op = desk.op;
	struct buf bytes;
	buf_init(&bytes, 1024);
	if (document != NULL)
		buf_add_text(&bytes, document);
	op->done(op->arg, document != NULL ? &bytes : NULL, err);
	buf_clear(&bytes);
	drop_op(op);
}

/* --- set up ------------------------------------------------------------------------------------ */

static const struct api_backend backend = {.status = NULL};

static void open_api(struct fixture *fixture, bool has_desk)
{
	struct err err = ERR_INIT;
	fixture->api = api_new(&(struct api_options){.loop = fixture->loop,
				       .store = fixture->store,
				       .socket_path = fixture->socket_path,
				       .desk = has_desk ? (struct desk *)&desk : NULL,
				       .backend = &backend},
		&err);
	if (fixture->api == NULL)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	memset(&desk, 0, sizeof(desk));
	fake_clock_set_now_s(NOW_S);
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	char *data_dir = temp_path(fixture.folder, "data");
	fixture.socket_path = temp_path(fixture.folder, "run/control.sock");
	fixture.store = temp_store_open(fixture.loop, data_dir);
	open_api(&fixture, true);
	api_client_init(&fixture.client, fixture.loop, fixture.socket_path);
	free(data_dir);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	api_free(fixture->api);
	assert_null(desk.op);
	store_close(fixture->store);
	loop_free(fixture->loop);
	api_client_clear(&fixture->client);
	free(fixture->socket_path);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- the store --------------------------------------------------------------------------------- */

static void put(struct fixture *fixture, store_write_fn *write, const void *what)
{
	struct err err = ERR_INIT;
	if (store_write_now(fixture->store, write, (void *)what, &err) != 0)
		fail_msg("%s", err.text);
}

static void write_job(struct store_txn *txn, void *arg)
{
	store_job_put(txn, arg);
}

static void write_many_plans(struct store_txn *txn, void *arg)
{
	struct plan_record plan = *(const struct plan_record *)arg;
	for (int i = 0; i < MANY_PLANS; i++) {
		char id[DELIVERY_ID_MAX + 1];
		(void)snprintf(id, sizeof(id), "p-20261121-000000-%010d", i);
		plan.id = id;
		store_plan_put(txn, &plan);
	}
}

static void write_step(struct store_txn *txn, void *arg)
{
	store_job_step_append(txn, arg,
		&(struct job_step){.at_s = NOW_S, .phase = JOB_CHECK, .text = "a new step"});
}

static void put_job(struct fixture *fixture, const char *id, enum job_state state)
{
	put(fixture, write_job,
		&(struct job_record){.id = id,
			.kind = JOB_DELIVER,
			.phase = state == JOB_RUNNING ? JOB_CHECK : JOB_DONE,
			.state = state,
			.arn = "arn:aws:acm:eu-west-1:111122223333:certificate/c"});
}

static struct plan_record a_plan(const char *document)
{
	return (struct plan_record){.id = FIRST_PLAN,
		.decision = PLAN_IMPORT_NEW,
		.escrow = ESCROW_SENSOR,
		.created_s = NOW_S,
		.expires_s = NOW_S + 3600,
		.document = document};
}

/* --- orders ------------------------------------------------------------------------------------ */

static const struct {
	const char *path;
	enum desk_verb verb;
} orders[] = {{LOCAL_API_PLAN, DESK_PLAN}, {LOCAL_API_APPLY, DESK_APPLY},
	{LOCAL_API_CANCEL, DESK_CANCEL}, {LOCAL_API_ROLLBACK, DESK_ROLLBACK},
	{LOCAL_API_CSR, DESK_CSR}, {LOCAL_API_CSR_DROP, DESK_CSR_DROP},
	{LOCAL_API_DELETE, DESK_DELETE}};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

/* Sends an order and waits until the desk has it. */
static int order(struct fixture *fixture, const char *path)
{
	char request[256];
	(void)snprintf(request, sizeof(request),
		"POST %s HTTP/1.0\r\nContent-Length: 12\r\n\r\n{\"x\": \"y z\"}", path);
	int fd = api_client_ask(&fixture->client, request);
	for (int i = 0; i < TURNS && desk.op == NULL; i++)
		api_client_turn(&fixture->client);
	assert_non_null(desk.op);
	return fd;
}

static void an_order_goes_to_the_desk_with_who_asks(void **state)
{
	struct fixture *fixture = *state;
	char by[32];
	(void)snprintf(by, sizeof(by), "uid %ld", (long)getuid());
	for (size_t i = 0; i < ORDERS; i++) {
		int fd = order(fixture, orders[i].path);
		assert_int_equal(desk.verb, orders[i].verb);
		assert_string_equal(desk.by, by);
		assert_string_equal(json_string_value(json_object_get(desk.op->body, "x")), "y z");
		assert_int_equal(desk.op->body->refcount, 1); /* a key may be in it */
		answer_order("{\"schema\":1,\"job\":{}}\n", NULL);
		const char *answer = api_client_finish(&fixture->client, fd, false);
		expect_status(answer, 200);
		assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "{\"schema\":1,\"job\":{}}\n");
	}
	assert_int_equal(desk.started, ORDERS);
	assert_int_equal(desk.cancelled, 0);
}

static void a_refusal_of_the_desk_is_the_answer(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		enum err_kind kind;
		int status;
	} refusal[] = {{ERR_REFUSED, 409}, {ERR_NOT_FOUND, 404}, {ERR_CONFIG, 400}};
	for (size_t i = 0; i < sizeof(refusal) / sizeof(refusal[0]); i++) {
		struct err err = ERR_INIT;
		int fd = order(fixture, LOCAL_API_APPLY);
		(void)err_set(&err, refusal[i].kind, "plan p-1 expired: plan again");
		answer_order(NULL, &err);
		const char *answer = api_client_finish(&fixture->client, fd, false);
		expect_status(answer, refusal[i].status);
		assert_non_null(strstr(answer, "\"plan p-1 expired: plan again\""));
	}
}

/* evhttp sees it when it has something to write: the order goes on, its answer goes nowhere. */
static void who_hangs_up_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	close(order(fixture, LOCAL_API_PLAN));
	for (int i = 0; i < TURNS; i++)
		api_client_turn(&fixture->client);
	answer_order("{}", NULL);
	for (int i = 0; i < TURNS; i++)
		api_client_turn(&fixture->client);
	assert_int_equal(fixture->api->job_count, 0);
	assert_int_equal(desk.cancelled, 0);
}

static void an_order_ends_with_the_daemon(void **state)
{
	struct fixture *fixture = *state;
	int fd = order(fixture, LOCAL_API_PLAN);
	api_free(fixture->api);
	assert_int_equal(desk.cancelled, 1);
	assert_null(desk.op);
	close(fd);
	open_api(fixture, true);
}

static void what_is_no_order_does_not_reach_the_desk(void **state)
{
	struct fixture *fixture = *state;
	char get[64];
	for (size_t i = 0; i < ORDERS; i++) {
		(void)snprintf(get, sizeof(get), "GET %s", orders[i].path);
		expect_status(api_client_get(&fixture->client, get), 405);
		expect_status(api_client_post(&fixture->client, orders[i].path, "[1]"), 400);
		expect_status(api_client_post(&fixture->client, orders[i].path, "{\"x\""), 400);
	}
	expect_status(api_client_post(&fixture->client, "/v1/undo", "{}"), 405);
	assert_int_equal(desk.started, 0);
}

/* A daemon that has none (acmsensord --once). */
static void without_a_desk_there_is_no_order(void **state)
{
	struct fixture *fixture = *state;
	api_free(fixture->api);
	open_api(fixture, false);
	for (size_t i = 0; i < ORDERS; i++)
		expect_status(api_client_post(&fixture->client, orders[i].path, "{}"), 405);
	assert_int_equal(desk.started, 0);
}

/* --- plans and jobs ---------------------------------------------------------------------------- */

/* The rows' ids in order, a blank behind each; borrowed until the next. */
static const char *ids_of(const char *answer, const char *name)
{
	static char ids[4096];
	size_t i, len = 0;
	json_t *row, *document = body_of(answer);
	expect_status(answer, 200);
	assert_int_equal(json_integer_value(json_object_get(document, "schema")), 1);
	ids[0] = '\0';
	json_array_foreach(json_object_get(document, name), i, row) len += (size_t)snprintf(
		ids + len, sizeof(ids) - len, "%s ", json_string_value(json_object_get(row, "id")));
	json_decref(document);
	return ids;
}

static void jobs_are_listed_in_order_and_one_with_its_steps(void **state)
{
	struct fixture *fixture = *state;
	assert_string_equal(ids_of(api_client_get(&fixture->client, "GET /v1/jobs"), "jobs"), "");
	put_job(fixture, SECOND_JOB, JOB_SUCCEEDED);
	put_job(fixture, FIRST_JOB, JOB_RUNNING);
	put(fixture, write_step, FIRST_JOB);
	const char *answer = api_client_get(&fixture->client, "GET /v1/jobs");
	assert_null(strstr(answer, "a new step"));
	assert_string_equal(ids_of(answer, "jobs"), FIRST_JOB " " SECOND_JOB " ");
	answer = api_client_get(&fixture->client, "GET /v1/jobs?id=" FIRST_JOB);
	assert_non_null(strstr(answer, "a new step"));
	assert_string_equal(ids_of(answer, "jobs"), FIRST_JOB " ");
}

static void jobs_of_all_kinds_are_listed_by_their_time(void **state)
{
	struct fixture *fixture = *state;
	static const char *const by_time[] = {"r-20261120-235959-00000000ff", FIRST_JOB,
		"d-20261121-000000-0000000002", "j-20261121-000001-0000000000",
		"d-20261121-000002-0000000000", "r-20261122-000000-0000000000"};
	char wanted[512] = "";
	for (size_t i = 0; i < sizeof(by_time) / sizeof(by_time[0]); i++) {
		put_job(fixture, by_time[(i + 3) % 6], JOB_SUCCEEDED);
		strcat(strcat(wanted, by_time[i]), " ");
	}
	assert_string_equal(
		ids_of(api_client_get(&fixture->client, "GET /v1/jobs"), "jobs"), wanted);
}

static void requests_are_the_desks(void **state)
{
	struct fixture *fixture = *state;
	assert_string_equal(
		ids_of(api_client_get(&fixture->client, "GET /v1/csrs"), "csrs"), "q-1 q-2 ");
	assert_string_equal(
		ids_of(api_client_get(&fixture->client, "GET /v1/csrs?id=q-2"), "csrs"), "q-2 ");
	const char *answer = api_client_get(&fixture->client, "GET /v1/csrs?id=q-3");
	expect_status(answer, 404);
	assert_non_null(strstr(answer, "there is no request q-3"));
	expect_status(api_client_get(&fixture->client, "GET /v1/csrs?id=q-1&after=1"), 400);
	api_free(fixture->api);
	open_api(fixture, false);
	assert_string_equal(ids_of(api_client_get(&fixture->client, "GET /v1/csrs"), "csrs"), "");
}

static void plans_are_listed_whole_however_many(void **state)
{
	struct fixture *fixture = *state;
	char document[4096] = "{\"id\":\"p-x\",\"filler\":\"";
	size_t len = strlen(document);
	memset(document + len, 'x', 2048);
	strcpy(document + len + 2048, "\"}");
	struct plan_record plan = a_plan(document);
	put(fixture, write_many_plans, &plan);
	const char *answer = api_client_get(&fixture->client, "GET /v1/plans");
	assert_true(strlen(answer) > API_SLICE_BYTES); /* more than one slice */
	json_t *body = body_of(answer);
	assert_int_equal(json_array_size(json_object_get(body, "plans")), MANY_PLANS);
	json_decref(body);
	body = body_of(
		api_client_get(&fixture->client, "GET /v1/plans?id=p-20261121-000000-0000000007"));
	assert_int_equal(json_array_size(json_object_get(body, "plans")), 1);
	json_decref(body);
}

static void a_wrong_query_is_refused_with_what_was_expected(void **state)
{
	static const struct {
		const char *query;
		int status;
		const char *text;
	} wrong[] = {{"plans?id=p-x", 404, "there is no plan p-x"},
		{"jobs?id=j-x", 404, "there is no job j-x"},
		{"jobs?id=j-x&wait_s=60", 404, "there is no job j-x"},
		{"jobs?id=01234567890123456789012345678901234567890", 400,
			"id: expected at most 40 bytes"},
		{"plans?id=p-x&wait_s=1", 400, "expected nothing but id"},
		{"plans?id=p-x&after=1", 400, "expected nothing but id"},
		{"jobs?wait_s=1", 400, "for one job after and wait_s"},
		{"jobs?id=j-x&after=-1", 400, "after: "}, {"jobs?id=j-x&after=x", 400, "after: "},
		{"jobs?id=j-x&after=4294967296", 400, "after: "},
		{"jobs?id=j-x&wait_s=61", 400, "wait_s: "},
		{"jobs?sort=id", 400, "expected nothing but id"}, {"jobs?id=%ff", 400, ""}};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char get[128];
		(void)snprintf(get, sizeof(get), "GET /v1/%s", wrong[i].query);
		const char *answer = api_client_get(&fixture->client, get);
		expect_status(answer, wrong[i].status);
		if (strstr(answer, wrong[i].text) == NULL)
			fail_msg("%s: expected \"%s\" in: %s", get, wrong[i].text, answer);
	}
	assert_int_equal(fixture->api->job_count, 0);
}

static void a_store_that_cannot_be_read_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct store_txn *txn[1024] = {NULL};
	struct err err = ERR_INIT;
	size_t count = 0;
	put_job(fixture, FIRST_JOB, JOB_RUNNING);
	while (count < 1024 && store_read_begin(fixture->store, &txn[count], &err) == 0)
		count++;
	assert_true(count < 1024); /* every place for a reader is taken */
	expect_status(api_client_get(&fixture->client, "GET /v1/jobs"), 500);
	expect_status(api_client_get(&fixture->client, "GET /v1/plans"), 500);
	expect_status(
		api_client_get(&fixture->client, "GET /v1/jobs?wait_s=60&id=" FIRST_JOB), 500);
	while (count > 0)
		store_read_end(txn[--count]);
	expect_status(api_client_get(&fixture->client, "GET /v1/jobs"), 200);
}

/* --- waiting for a step ------------------------------------------------------------------------ */

/* Asks for the first job's step after the first, which is not there yet. */
static int wait_for_step(struct fixture *fixture)
{
	put_job(fixture, FIRST_JOB, JOB_RUNNING);
	put(fixture, write_step, FIRST_JOB);
	int fd = api_client_ask(&fixture->client,
		"GET /v1/jobs?id=" FIRST_JOB "&after=1&wait_s=60 HTTP/1.0\r\n\r\n");
	for (int i = 0; i < TURNS; i++)
		api_client_turn(&fixture->client);
	assert_int_equal(fixture->api->job_count, 1);
	assert_true(api_client_receive(&fixture->client, fd));
	assert_int_equal(fixture->client.answer.len, 0);
	return fd;
}

/* The answer, which the next look must bring. */
static const char *next_look(struct fixture *fixture, int fd)
{
	fake_clock_advance_ms(LOOK_MS);
	return api_client_finish(&fixture->client, fd, true);
}

static void a_new_step_ends_the_wait(void **state)
{
	struct fixture *fixture = *state;
	int fd = wait_for_step(fixture);
	put(fixture, write_step, FIRST_JOB);
	const char *answer = next_look(fixture, fd);
	assert_string_equal(ids_of(answer, "jobs"), FIRST_JOB " ");
	assert_non_null(strstr(answer, "\"number\":2"));
}

static void the_end_of_the_job_ends_the_wait(void **state)
{
	struct fixture *fixture = *state;
	int fd = wait_for_step(fixture);
	put_job(fixture, FIRST_JOB, JOB_CANCELLED);
	const char *answer = next_look(fixture, fd);
	assert_non_null(strstr(answer, "\"cancelled\""));
}

/* Its record cannot say it: the store is full. */
static void a_job_that_is_held_up_ends_the_wait_once(void **state)
{
	struct fixture *fixture = *state;
	int fd = wait_for_step(fixture);
	desk.held_up = "the disk is full";
	assert_non_null(strstr(next_look(fixture, fd), "\"held_up\":\"the disk is full\""));
	/* Who knows it waits. */
	fd = api_client_ask(&fixture->client,
		"GET /v1/jobs?id=" FIRST_JOB "&after=1&wait_s=60 HTTP/1.0\r\n\r\n");
	for (int i = 0; i < TURNS; i++)
		api_client_turn(&fixture->client);
	assert_int_equal(fixture->api->job_count, 1);
	fake_clock_advance_ms(60000);
	assert_non_null(strstr(next_look(fixture, fd), "\"held_up\":\"the disk is full\""));
	desk.held_up = NULL;
}

static void the_wait_has_an_end(void **state)
{
	struct fixture *fixture = *state;
	int fd = wait_for_step(fixture);
	fake_clock_advance_ms(60000);
	const char *answer = next_look(fixture, fd);
	assert_non_null(strstr(answer, "\"running\""));
}

static void what_is_known_already_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;
	put_job(fixture, FIRST_JOB, JOB_RUNNING);
	put(fixture, write_step, FIRST_JOB);
	put_job(fixture, SECOND_JOB, JOB_FAILED);
	(void)ids_of(
		api_client_get(&fixture->client, "GET /v1/jobs?id=" FIRST_JOB "&after=0&wait_s=60"),
		"jobs");
	(void)ids_of(api_client_get(
			     &fixture->client, "GET /v1/jobs?id=" SECOND_JOB "&after=9&wait_s=60"),
		"jobs");
	(void)ids_of(
		api_client_get(&fixture->client, "GET /v1/jobs?id=" FIRST_JOB "&after=1"), "jobs");
}

static void a_reader_that_goes_away_waits_no_longer(void **state)
{
	struct fixture *fixture = *state;
	close(wait_for_step(fixture));
	fake_clock_advance_ms(LOOK_MS);
	for (int i = 0; i < TURNS && fixture->api->job_count > 0; i++)
		(void)event_base_loop(loop_event_base(fixture->loop), EVLOOP_ONCE);
	assert_int_equal(fixture->api->job_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_order_goes_to_the_desk_with_who_asks),
		TEST(a_refusal_of_the_desk_is_the_answer),
		TEST(who_hangs_up_leaves_nothing_behind),
		TEST(an_order_ends_with_the_daemon),
		TEST(what_is_no_order_does_not_reach_the_desk),
		TEST(without_a_desk_there_is_no_order),
		TEST(jobs_are_listed_in_order_and_one_with_its_steps),
		TEST(jobs_of_all_kinds_are_listed_by_their_time),
		TEST(requests_are_the_desks),
		TEST(plans_are_listed_whole_however_many),
		TEST(a_wrong_query_is_refused_with_what_was_expected),
		TEST(a_store_that_cannot_be_read_is_an_error),
		TEST(a_new_step_ends_the_wait),
		TEST(the_end_of_the_job_ends_the_wait),
		TEST(a_job_that_is_held_up_ends_the_wait_once),
		TEST(the_wait_has_an_end),
		TEST(what_is_known_already_is_not_waited_for),
		TEST(a_reader_that_goes_away_waits_no_longer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
