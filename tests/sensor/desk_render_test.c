/* Plans and jobs as the local API's clients get them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_write.h"
#include "sensor/desk_internal.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = SAMPLE_NOW_S };

static char *folder;
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

static struct job_record make_job(void)
{
	return (struct job_record){.id = "j-1",
		.kind = JOB_DELIVER,
		.plan_id = "p-1",
		.of_job_id = "",
		.connector = "prod",
		.account_id = "222222222222",
		.region = "eu-west-1",
		.arn = "arn",
		.certificate_id = "shop",
		.phase = JOB_VERIFY,
		.state = JOB_RUNNING,
		.reason = "a \"reason\"",
		.created_s = NOW_S,
		.updated_s = NOW_S + 1,
		.next_attempt_s = NOW_S + 2,
		.attempts = 3,
		.old_serial = "0a",
		.new_serial = "0b",
		.old_key_id = "k-1",
		.new_key_id = "k-2",
		.evidence = "",
		.requested_by = "uid 0"};
}

static void write_job(struct store_txn *txn, void *arg)
{
	const struct job_record *job = arg;
	store_job_put(txn, job);
	store_job_step_append(txn, job->id,
		&(struct job_step){.at_s = NOW_S, .phase = JOB_CHECK, .text = "ACM holds 0a"});
	store_job_step_append(txn, job->id,
		&(struct job_step){
			.at_s = NOW_S + 1, .phase = JOB_IMPORT, .is_failure = true, .text = "no"});
}

static void expect_job(struct job_record job, bool with_steps, const char *expected)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct json_writer writer;
	struct buf text;
	buf_init(&text, 65536);
	assert_int_equal(store_write_now(store, write_job, &job, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_job_get(txn, "j-1", &job));
	json_writer_init(&writer, &text, false);
	desk_render_job(txn, &job, with_steps, "the disk is full", &writer);
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_string_equal(buf_text(&text), expected);
	buf_clear(&text);
}

static void a_job_is_one_object(void **state)
{
	(void)state;
	expect_job(make_job(), false,
		"{\"id\":\"j-1\",\"kind\":\"deliver\",\"state\":\"running\",\"phase\":\"verify\","
		"\"reason\":\"a \\\"reason\\\"\",\"held_up\":\"the disk is full\","
		"\"plan\":\"p-1\",\"of_job\":\"\","
		"\"connector\":\"prod\",\"account_id\":\"222222222222\",\"region\":\"eu-west-1\","
		"\"arn\":\"arn\",\"certificate_id\":\"shop\",\"created\":\"2026-11-21T00:00:00Z\","
		"\"updated\":\"2026-11-21T00:00:01Z\",\"ended\":null,"
		"\"next_attempt\":\"2026-11-21T00:00:02Z\",\"attempts\":3,\"old_serial\":\"0a\","
		"\"new_serial\":\"0b\",\"rollback_possible\":false,\"evidence\":null}");
}

static void put_another(const char *id, const char *of_job_id)
{
	struct err err = ERR_INIT;
	struct job_record job = make_job();
	job.id = id;
	job.kind = JOB_ROLLBACK;
	job.of_job_id = of_job_id;
	assert_int_equal(store_write_now(store, write_job, &job, &err), 0);
}

static void expect_rollback(enum job_state job_state, const char *expected)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct json_writer writer;
	struct buf text;
	struct job_record job = make_job();
	buf_init(&text, 65536);
	job.state = job_state;
	job.ended_s = job_state == JOB_RUNNING ? 0 : NOW_S;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	json_writer_init(&writer, &text, false);
	desk_render_job(txn, &job, true, "", &writer);
	store_read_end(txn);
	if (strstr(buf_text(&text), expected) == NULL)
		fail_msg("%s", buf_text(&text));
	buf_clear(&text);
}

static void the_last_rollback_of_an_ended_job_is_named(void **state)
{
	(void)state;
	put_another("r-20261121-000005-0000000001", "j-0");
	put_another("s-20261121-000005-0000000001", "j-1"); /* of no kind that there is */
	expect_rollback(JOB_FAILED, "\"rollback\":\"\"");
	put_another("r-20261121-000000-0000000001", "j-1"); /* written with the job's end */
	expect_rollback(JOB_FAILED, "\"rollback\":\"r-20261121-000000-0000000001\"");
	put_another("r-20261122-000000-0000000001", "j-1");
	put_another("r-20261123-000000-0000000001", "j-0");
	expect_rollback(JOB_FAILED, "\"rollback\":\"r-20261122-000000-0000000001\"");
	expect_rollback(JOB_RUNNING, "\"rollback\":\"\"");
}

static void evidence_and_steps_are_in_it(void **state)
{
	(void)state;
	struct job_record job = make_job();
	job.kind = JOB_ROLLBACK;
	job.of_job_id = "j-0";
	job.state = JOB_RESTORED;
	job.phase = JOB_DONE;
	job.reason = "";
	job.next_attempt_s = 0;
	job.ended_s = NOW_S + 5;
	job.evidence = "{\"acm\":{}}";
	expect_job(job, true,
		"{\"id\":\"j-1\",\"kind\":\"rollback\",\"state\":\"restored\",\"phase\":\"done\","
		"\"reason\":\"\",\"held_up\":\"\",\"plan\":\"p-1\",\"of_job\":\"j-0\",\"connector\":\"prod\","
		"\"account_id\":\"222222222222\",\"region\":\"eu-west-1\",\"arn\":\"arn\","
		"\"certificate_id\":\"shop\",\"created\":\"2026-11-21T00:00:00Z\","
		"\"updated\":\"2026-11-21T00:00:01Z\",\"ended\":\"2026-11-21T00:00:05Z\","
		"\"next_attempt\":null,\"attempts\":3,\"old_serial\":\"0a\",\"new_serial\":\"0b\","
		"\"rollback_possible\":false,\"evidence\":{\"acm\":{}},\"rollback\":\"\",\"steps\":["
		"{\"number\":1,\"at\":\"2026-11-21T00:00:00Z\",\"phase\":\"check\","
		"\"failure\":false,\"text\":\"ACM holds 0a\"},"
		"{\"number\":2,\"at\":\"2026-11-21T00:00:01Z\",\"phase\":\"import\","
		"\"failure\":true,\"text\":\"no\"}]}");
}

static bool has_key = true;

static void expect_plan(const struct plan_record *plan, int64_t now_s, const char *expected)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct json_writer writer;
	struct buf text;
	buf_init(&text, 65536);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	json_writer_init(&writer, &text, false);
	desk_render_plan(txn, plan, now_s, has_key, &writer);
	store_read_end(txn);
	assert_string_equal(buf_text(&text), expected);
	buf_clear(&text);
}

static void a_plan_is_its_document_and_what_became_of_it(void **state)
{
	(void)state;
	struct plan_record plan = {.decision = PLAN_IMPORT_NEW,
		.connector = "prod",
		.account_id = "222222222222",
		.region = "eu-west-1",
		.arn = "",
		.certificate_id = "shop",
		.created_s = NOW_S - 2,
		.expires_s = NOW_S,
		.job_id = "",
		.document = "{\"id\":\"p-1\"}"};
	expect_plan(&plan, NOW_S - 3, "{\"state\":\"void\",\"job\":\"\",\"id\":\"p-1\"}");
	expect_plan(&plan, NOW_S - 1, "{\"state\":\"open\",\"job\":\"\",\"id\":\"p-1\"}");
	expect_plan(&plan, NOW_S, "{\"state\":\"expired\",\"job\":\"\",\"id\":\"p-1\"}");
	has_key = false;
	expect_plan(&plan, NOW_S - 1, "{\"state\":\"key_lost\",\"job\":\"\",\"id\":\"p-1\"}");
	expect_plan(&plan, NOW_S, "{\"state\":\"expired\",\"job\":\"\",\"id\":\"p-1\"}");
	has_key = true;
	struct job_record other = make_job(); /* it brings one with that id */
	struct err err = ERR_INIT;
	other.phase = JOB_CHECK;
	other.arn = "";
	assert_int_equal(store_write_now(store, write_job, &other, &err), 0);
	expect_plan(&plan, NOW_S - 1, "{\"state\":\"void\",\"job\":\"\",\"id\":\"p-1\"}");
	expect_plan(&plan, NOW_S, "{\"state\":\"expired\",\"job\":\"\",\"id\":\"p-1\"}");
	plan.job_id = "j-1";
	expect_plan(&plan, NOW_S, "{\"state\":\"applied\",\"job\":\"j-1\",\"id\":\"p-1\"}");
	plan.job_id = "";
	plan.decision = PLAN_REFUSE;
	expect_plan(&plan, NOW_S, "{\"state\":\"refused\",\"job\":\"\",\"id\":\"p-1\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_is_one_object),
		TEST(evidence_and_steps_are_in_it),
		TEST(the_last_rollback_of_an_ended_job_is_named),
		TEST(a_plan_is_its_document_and_what_became_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
