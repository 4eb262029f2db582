/* Orders from start to answer: what each leaves in the store, and nothing when it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/desk_fixture.h"

enum { ENDLESS = 200 };

/* All that an order may change, but for the key of a plan that could not be stored: the vault's
 * sweep takes it within the hour. */
static void digest(unsigned char ret_digest[STORE_DIGEST_LEN])
{
	temp_store_digest_of(desk.sensor->store,
		"certs pem events plans jobs job_leaf job_steps jobs_running", ret_digest);
}

static const char *with_id(const char *name, const char *id)
{
	static char body[256];
	snprintf(body, sizeof(body), "{'%s': '%s'}", name, id);
	return body;
}

static const char *of_arn(const char *arn, const char *more)
{
	static char body[256];
	snprintf(body, sizeof(body), "{'arn': '%s', 'connector': 'prod'%s}", arn, more);
	return body;
}

/* An id that is kept while other documents come. */
static void plan_id(char ret_id[DELIVERY_ID_MAX + 1])
{
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""));
	text_copy(ret_id, DELIVERY_ID_MAX + 1, desk_fixture_text(&desk, "plan", "id"));
}

static void from_a_plan_to_its_proof_and_back_to_nothing(void **state)
{
	(void)state;
	char plan[DELIVERY_ID_MAX + 1], job[DELIVERY_ID_MAX + 1], arn[128];
	plan_id(plan);
	assert_string_equal(desk_fixture_text(&desk, "plan", "decision"), "import");
	assert_int_equal(plan[0], PLAN_ID_PREFIX);
	desk_fixture_run(&desk, DESK_APPLY, with_id("plan", plan));
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	assert_int_equal(job[0], JOB_ID_DELIVER);
	assert_string_equal(desk_fixture_text(&desk, "job", "state"), "running");
	fake_loop_advance_ms(1000); /* nobody has to start it */
	if (strncmp(desk_fixture_state(&desk, job), "succeeded done: ACM holds", 25) != 0)
		fail_msg("%s", desk_fixture_state(&desk, job));
	assert_int_equal(desk.acm.imported, 1);
	text_copy(arn, sizeof(arn), desk.acm.cert[0].arn);
	desk_fixture_refuse(
		&desk, DESK_APPLY, with_id("plan", plan), ERR_REFUSED, "applied already");
	desk_fixture_refuse(
		&desk, DESK_ROLLBACK, with_id("job", job), ERR_REFUSED, "it was a first import");
	desk_fixture_refuse(&desk, DESK_CANCEL, with_id("job", job), ERR_REFUSED, "has ended");
	desk_fixture_run(&desk, DESK_DELETE, of_arn(arn, ""));
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	assert_int_equal(job[0], JOB_ID_DELETE);
	fake_loop_advance_ms(1000);
	assert_int_equal(desk.acm.deleted, 1);
}

static void a_cancel_is_heard_at_once(void **state)
{
	(void)state;
	char job[DELIVERY_ID_MAX + 1];
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	cert->in_use_by = "arn:aws:elasticloadbalancing:x";
	desk_fixture_run(&desk, DESK_DELETE, of_arn(cert->arn, ", 'wait': true"));
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	fake_loop_advance_ms(600000); /* it waits for longer and longer */
	assert_string_equal(desk_fixture_text(&desk, "job", "kind"), "delete");
	desk_fixture_run(&desk, DESK_CANCEL, with_id("job", job));
	fake_loop_advance_ms(50);
	if (strncmp(desk_fixture_state(&desk, job), "cancelled", 9) != 0)
		fail_msg("%s", desk_fixture_state(&desk, job));
	assert_int_equal(desk.acm.deleted, 0);
}

/* Whoever asked may go before the answer: what was written is heard all the same. */
static void a_cancel_whose_asker_goes_is_heard(void **state)
{
	(void)state;
	char job[DELIVERY_ID_MAX + 1];
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	cert->in_use_by = "arn:aws:elasticloadbalancing:x";
	desk_fixture_run(&desk, DESK_DELETE, of_arn(cert->arn, ", 'wait': true"));
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	fake_loop_advance_ms(600000);
	struct job_record record = desk_fixture_job(job); /* what the write would have left */
	record.kind = JOB_DELETE;
	record.phase = JOB_DRAIN;
	record.arn = cert->arn;
	record.is_cancel_asked = true;
	desk_fixture_start(&desk, DESK_CANCEL, with_id("job", job));
	assert_true(fake_loop_step());
	assert_int_equal(fake_store_waiting_count(), 1);
	desk_fixture_put_job(&desk, &record);
	desk_op_cancel(desk.op);
	desk.op = NULL;
	fake_loop_advance_ms(50);
	if (strncmp(desk_fixture_state(&desk, job), "cancelled", 9) != 0)
		fail_msg("%s", desk_fixture_state(&desk, job));
}

static void wrong_bodies_are_one_sentence(void **state)
{
	(void)state;
	static const struct {
		enum desk_verb verb;
		const char *body, *text;
	} row[] = {
		{DESK_APPLY, "{}", "plan: expected the id of a plan"},
		{DESK_APPLY, "{'plan': ''}", "plan: expected the id of a plan"},
		{DESK_APPLY, "{'plan': '0123456789012345678901234567890123456789x'}",
			"plan: expected the id of a plan"},
		{DESK_APPLY, "{'plan': 'p-1', 'when': 'now'}", "unknown member \"when\""},
		{DESK_ROLLBACK, "{'plan': 'p-1'}", "unknown member \"plan\""},
		{DESK_ROLLBACK, "{'job': ''}", "job: expected the id of a job"},
		{DESK_CANCEL, "{}", "job: expected the id of a job"},
		{DESK_DELETE, "{'arn': 'x', 'why': 1}", "unknown member \"why\""},
		{DESK_DELETE, "{'arn': 'x'}", "arn: expected the ARN of an ACM certificate"},
		{DESK_DELETE, "{}", "arn: expected the ARN of an ACM certificate"},
	};
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	digest(before);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		desk_fixture_refuse(&desk, row[i].verb, row[i].body, ERR_CONFIG, row[i].text);
	desk_fixture_refuse(&desk, DESK_APPLY, "{'plan': 7}", ERR_PROTOCOL, "plan");
	desk_fixture_refuse(&desk, DESK_ROLLBACK, "{'job': []}", ERR_PROTOCOL, "job");
	desk_fixture_refuse(&desk, DESK_DELETE, "{'arn': 7}", ERR_PROTOCOL, "arn");
	desk_fixture_refuse(&desk, DESK_DELETE, "{'wait': 'x'}", ERR_PROTOCOL, "wait");
	desk_fixture_refuse(&desk, DESK_DELETE, "{'connector': 1}", ERR_PROTOCOL, "connector");
	desk_fixture_refuse(&desk, DESK_DELETE,
		"{'arn': 'arn:aws:acm:eu-west-1:222222222222:certificate/1', 'connector': 'x'}",
		ERR_NOT_FOUND, "there is no connector \"x\"");
	desk_fixture_refuse(&desk, DESK_APPLY, "{'plan': 'p-1'}", ERR_NOT_FOUND, "no plan p-1");
	desk_fixture_refuse(&desk, DESK_ROLLBACK, "{'job': 'j-1'}", ERR_NOT_FOUND, "no job j-1");
	desk_fixture_refuse(&desk, DESK_CANCEL, "{'job': 'j-1'}", ERR_NOT_FOUND, "no job j-1");
	digest(after);
	assert_memory_equal(before, after, STORE_DIGEST_LEN);
}

static void texts_of_lists_are_checked(void **state)
{
	(void)state;
	char long_list[520] = "['";
	memset(long_list + 2, 'a', 513);
	strcpy(long_list + 515, "']");
	const char *const row[] = {"[1]", "['']", "[null]", "[[]]", long_list};
	struct err err = ERR_INIT;
	const char *text[2];
	size_t count;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char list[600];
		snprintf(list, sizeof(list), "{'hosts': %s}", row[i]);
		for (char *c = list; *c != '\0'; c++)
			*c = *c == '\'' ? '"' : *c;
		json_t *body = json_loads(list, 0, NULL);
		assert_int_equal(desk_read_texts(body, "hosts", text, 2, &count, &err), -1);
		assert_non_null(strstr(err.text, "hosts: expected texts of 1 to 512 bytes"));
		json_decref(body);
	}
	json_t *body = json_pack("{s: [s, s, s]}", "hosts", "a", "b", "c");
	assert_int_equal(desk_read_texts(body, "hosts", text, 2, &count, &err), -1);
	assert_int_equal(desk_read_texts(body, "none", text, 2, &count, &err), 0);
	assert_int_equal(count, 0);
	json_decref(body);
}

static void there_is_a_limit_of_orders(void **state)
{
	(void)state;
	struct desk_op *op[DESK_OPS_MAX];
	struct desk_fixture one[DESK_OPS_MAX]; /* each hears of its own end */
	for (size_t i = 0; i < DESK_OPS_MAX; i++) {
		one[i] = (struct desk_fixture){.desk = desk.desk};
		desk_fixture_start(&one[i], DESK_CANCEL, "{'job': 'j-1'}");
		op[i] = one[i].op;
	}
	desk_fixture_start(&desk, DESK_CANCEL, "{'job': 'j-1'}");
	struct desk_op *late = desk.op;
	assert_non_null(late);
	fake_loop_run_ready();
	for (size_t i = 0; i < DESK_OPS_MAX; i++) {
		assert_non_null(op[i]);
		assert_int_equal(one[i].ends, 1);
	}
	assert_int_equal(desk.ends, 1);
	size_t refused = 0;
	for (size_t i = 0; i < DESK_OPS_MAX; i++)
		refused += one[i].err.kind == ERR_STOPPED;
	refused += desk.err.kind == ERR_STOPPED;
	assert_int_equal(refused, 1);
	desk_fixture_refuse(&desk, DESK_CANCEL, "{'job': 'j-1'}", ERR_NOT_FOUND, "no job j-1");
}

/* --- torture ----------------------------------------------------------------------------------- */

static char replaced_arn[128];

/* What an order needs to be there; its body. */
static const char *plan_body(void)
{
	return desk_fixture_plan(&desk, "");
}

static const char *reimport_body(void)
{
	static char more[256];
	snprintf(more, sizeof(more), "'arn': '%s', ", replaced_arn);
	return desk_fixture_plan(&desk, more);
}

static const char *csr_body(void)
{
	return "{'domains': ['a.example.com'], 'key_type': 'ec256'}";
}

static const char *csr_of_arn_body(void)
{
	return of_arn(replaced_arn, "");
}

static const char *delete_body(void)
{
	return csr_of_arn_body();
}

static const char *apply_body(void)
{
	static char body[128];
	char plan[DELIVERY_ID_MAX + 1];
	plan_id(plan);
	snprintf(body, sizeof(body), "{'plan': '%s'}", plan);
	return body;
}

static const struct order {
	enum desk_verb verb;
	const char *(*body)(void);
	bool uses_connector;
} orders[] = {
	{DESK_PLAN, plan_body, true},
	{DESK_PLAN, reimport_body, true},
	{DESK_CSR, csr_body, false},
	{DESK_CSR, csr_of_arn_body, true},
	{DESK_DELETE, delete_body, true},
	{DESK_APPLY, apply_body, false},
};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

static void begin(void **state)
{
	assert_int_equal(desk_fixture_set_up(state), 0);
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	text_copy(replaced_arn, sizeof(replaced_arn), cert->arn);
}

static void end(void **state)
{
	assert_int_equal(desk_fixture_tear_down(state), 0);
}

/* Runs the order with that failure planned; whether it had no effect. */
static bool succeeds(const struct order *order, const char *body)
{
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	digest(before);
	desk_fixture_run(&desk, order->verb, body);
	if (desk.err.kind == ERR_NONE)
		return true;
	digest(after);
	assert_memory_equal(before, after, STORE_DIGEST_LEN);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(desk.acm.imported + desk.acm.deleted, 0);
	return false;
}

static void an_error_at_each_call_leaves_nothing(void **state)
{
	for (size_t k = 0; k < ORDERS; k++) {
		bool is_past = false;
		for (size_t n = 1; !is_past; n++) {
			begin(state);
			const char *body = orders[k].body();
			fake_call_fail_at(n, ERR_DENIED, "AccessDeniedException");
			is_past = succeeds(&orders[k], body);
			if (!is_past)
				assert_int_equal(desk.err.kind, ERR_DENIED);
			fake_call_fail_at(0, ERR_NONE, NULL);
			assert_true(n < ENDLESS);
			end(state);
		}
	}
}

static void an_error_at_each_write_leaves_nothing(void **state)
{
	for (size_t k = 0; k < ORDERS; k++) {
		bool is_past = false;
		for (size_t n = 1; !is_past; n++) {
			begin(state);
			const char *body = orders[k].body();
			fake_store_fail_at(n, ERR_STORE_FULL);
			is_past = succeeds(&orders[k], body);
			if (!is_past)
				assert_int_equal(desk.err.kind, ERR_STORE_FULL);
			fake_store_fail_at(0, ERR_NONE);
			assert_true(n < ENDLESS);
			end(state);
		}
	}
}

static void a_cancel_at_each_turn_leaves_nothing_waiting(void **state)
{
	for (size_t k = 0; k < ORDERS; k++) {
		bool is_past = false;
		for (size_t n = 0; !is_past; n++) {
			begin(state);
			desk_fixture_start(&desk, orders[k].verb, orders[k].body());
			size_t ends = desk.ends;
			for (size_t i = 0; i < n && desk.op != NULL; i++)
				assert_true(fake_loop_step());
			is_past = desk.op == NULL;
			desk_op_cancel(desk.op);
			desk.op = NULL;
			fake_loop_advance_ms(100);
			assert_int_equal(desk.ends, ends + is_past);
			assert_true(n < ENDLESS);
			end(state);
		}
	}
}

static void the_end_comes_at_each_turn(void **state)
{
	for (size_t k = 0; k < ORDERS; k++) {
		bool is_past = false;
		for (size_t n = 0; !is_past; n++) {
			begin(state);
			desk_fixture_start(&desk, orders[k].verb, orders[k].body());
			for (size_t i = 0; i < n && desk.op != NULL; i++)
				assert_true(fake_loop_step());
			is_past = desk.op == NULL;
			desk.op = NULL; /* desk_free ends it, and tells nobody */
			size_t ends = desk.ends;
			desk_fixture_restart(&desk);
			assert_int_equal(desk.ends, ends);
			assert_int_equal(fake_call_pending(), 0);
			assert_int_equal(fake_loop_timer_count(), 1); /* the upkeep's */
			assert_true(n < ENDLESS);
			end(state);
		}
	}
}

/* It may wait for its turn when the plan's time is over. */
static void a_key_in_memory_stays_for_a_job_that_was_ordered(void **state)
{
	(void)state;
	char plan[DELIVERY_ID_MAX + 1], job[DELIVERY_ID_MAX + 1];
	((struct config_connector *)(uintptr_t)connector_config(desk.connector[0]))->key_escrow =
		ESCROW_MEMORY;
	plan_id(plan);
	size_t ends = desk.ends;
	desk_fixture_start(&desk, DESK_APPLY, with_id("plan", plan));
	while (desk.ends == ends)
		assert_true(fake_loop_step());
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	fake_clock_set_now_s(NOW_S + DESK_PLAN_LIFE_S + 1);
	fake_loop_advance_ms(1000);
	if (strncmp(desk_fixture_state(&desk, job), "succeeded done: ACM holds", 25) != 0)
		fail_msg("%s", desk_fixture_state(&desk, job));
}

static void what_is_of_a_connector_that_went_is_refused_at_once(void **state)
{
	(void)state;
	char plan[DELIVERY_ID_MAX + 1], job[DELIVERY_ID_MAX + 1];
	plan_id(plan);
	desk_fixture_run(&desk, DESK_APPLY, with_id("plan", plan));
	text_copy(job, sizeof(job), desk_fixture_text(&desk, "job", "id"));
	fake_loop_advance_ms(1000);
	plan_id(plan);
	struct connector *connector = desk.connector[0];
	desk.connector[0] = NULL;
	desk_fixture_refuse(&desk, DESK_APPLY, with_id("plan", plan), ERR_REFUSED,
		" is of connector prod, which is not configured any more: configure it again, or "
		"plan again through another one");
	desk_fixture_refuse(&desk, DESK_ROLLBACK, with_id("job", job), ERR_REFUSED,
		" is of connector prod, which is not configured any more: configure it again");
	desk.connector[0] = connector;
	desk_fixture_run(&desk, DESK_APPLY, with_id("plan", plan));
}

static void a_connector_goes_at_each_turn(void **state)
{
	for (size_t k = 0; k < ORDERS; k++) {
		bool is_past = false;
		for (size_t n = 1; !is_past; n++) {
			begin(state);
			desk_fixture_start(&desk, orders[k].verb, orders[k].body());
			size_t ends = desk.ends;
			for (size_t i = 0; i < n && desk.op != NULL; i++)
				assert_true(fake_loop_step());
			is_past = desk.op == NULL;
			struct connector *former = desk.connector[0];
			desk.connector[0] = NULL;
			desk_release(desk.desk, former);
			desk_release(
				desk.desk, former); /* while the worker has it, it is still there */
			connector_free(former);
			if (!is_past && orders[k].uses_connector) {
				assert_int_equal(desk.ends, ends + 1);
				assert_int_equal(desk.err.kind, ERR_STOPPED);
				assert_non_null(strstr(desk.err.text, "connector was changed"));
			}
			fake_loop_advance_ms(100);
			assert_int_equal(desk.ends, ends + 1);
			assert_true(n < ENDLESS);
			end(state);
		}
	}
}

static void the_worker_has_one_order_after_the_other(void **state)
{
	(void)state;
	struct desk_fixture first = {.desk = desk.desk}, second = {.desk = desk.desk};
	desk_fixture_start(&first, DESK_CSR, csr_body());
	desk_fixture_start(&second, DESK_CSR, csr_body());
	desk_fixture_start(&desk, DESK_CSR, csr_body());
	while (desk.desk->working == NULL)
		assert_true(fake_loop_step());
	assert_ptr_equal(desk.desk->working, first.op);
	desk_op_cancel(first.op); /* the worker has it: it is freed later */
	desk_op_cancel(second.op);
	assert_int_equal(desk.desk->op_count, 2);
	fake_loop_run_ready();
	assert_int_equal(first.ends + second.ends, 0);
	assert_int_equal(desk.ends, 1);
	assert_int_equal(desk_fixture_text(&desk, "csr", "id")[0], CSR_ID_PREFIX);
	assert_int_equal(desk.desk->op_count, 0);
	desk_op_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(from_a_plan_to_its_proof_and_back_to_nothing),
		DESK_TEST(a_cancel_is_heard_at_once),
		DESK_TEST(a_cancel_whose_asker_goes_is_heard),
		DESK_TEST(wrong_bodies_are_one_sentence),
		DESK_TEST(texts_of_lists_are_checked),
		DESK_TEST(there_is_a_limit_of_orders),
		DESK_TEST(the_worker_has_one_order_after_the_other),
		cmocka_unit_test(an_error_at_each_call_leaves_nothing),
		cmocka_unit_test(an_error_at_each_write_leaves_nothing),
		cmocka_unit_test(a_cancel_at_each_turn_leaves_nothing_waiting),
		cmocka_unit_test(the_end_comes_at_each_turn),
		DESK_TEST(a_key_in_memory_stays_for_a_job_that_was_ordered),
		DESK_TEST(what_is_of_a_connector_that_went_is_refused_at_once),
		cmocka_unit_test(a_connector_goes_at_each_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
