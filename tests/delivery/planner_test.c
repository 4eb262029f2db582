/* From a request to a stored plan: what is read, what is kept, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/delivery/planner_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/make_pki.h"

static void without_arn_it_is_a_first_import(void **state)
{
	(void)state;
	struct planner_answer answer;
	planner_run(&world, &(struct plan_request){.reimport_allowed = true}, &answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"import\""));
	planner_expect_stored(&world, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(fake_call_count(), 0);
}

/* Self-signed, of a kind that ACM takes; owned. */
static char *make_pem(void)
{
	struct pki pki = pki_make(&(struct pki_spec){.common_name = "www.example.com",
					  .not_before_s = NOW_S - 86400,
					  .not_after_s = NOW_S + 90LL * 86400},
		NULL);
	char *pem = pki_pem(&pki);
	pki_clear(&pki);
	return pem;
}

/* The job that brought what is there; its key is the fixture's, if that has it. */
static void put_bringer(struct store_txn *txn, void *arg)
{
	struct bundle_der *leaf = arg;
	struct job_record job;
	assert_true(store_job_get(txn, "j-20261101-000000-0000000001", &job));
	job.id = "j-20261101-000000-0000000002";
	memcpy(job.new_fingerprint_sha256, leaf->facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_job_put(txn, &job);
}

/* Into the fixture; ret_serial: its own. */
static void replace_what_is_there(
	struct job_fixture *fixture, bool has_key, char ret_serial[X509_SERIAL_HEX_MAX])
{
	struct bundle_der leaf;
	struct err err = ERR_INIT;
	free(fixture->acm.cert[0].pem);
	fixture->acm.cert[0].pem = make_pem();
	planner_decode(fixture->acm.cert[0].pem, &leaf);
	text_copy(ret_serial, X509_SERIAL_HEX_MAX, leaf.facts.serial);
	if (has_key)
		assert_int_equal(store_write_now(fixture->store, put_bringer, &leaf, &err), 0);
	x509_facts_clear(&leaf.facts);
	free(leaf.bytes);
}

static void wipe_old_key(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_vault_delete(txn, "p-20261101-000000-0000000001");
}

#define NO_KEY                                                                                        \
	"\"rollback\":{\"possible\":false,\"reason\":\"ACM never gives a private key back, and this " \
	"sensor does not have the key"

static void what_is_there_decides_with_the_connector_and_the_vault(void **state)
{
	(void)state;
	static const struct {
		bool was_brought, has_key, reimport_allowed;
		enum plan_decision decision;
		const char *says;
	} row[] = {{true, true, true, PLAN_REIMPORT, "\"rollback\":{\"possible\":true"},
		{false, true, true, PLAN_REIMPORT, NO_KEY},
		{true, false, true, PLAN_REIMPORT, NO_KEY}, /* it was wiped */
		{true, true, false, PLAN_IMPORT_NEW, "reimport = no of connector prod"}};
	char *pem = make_pem(), serial[X509_SERIAL_HEX_MAX], told[128];
	struct err err = ERR_INIT;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct job_fixture fixture;
		struct planner_answer answer;
		job_fixture_open(&fixture, NULL);
		replace_what_is_there(&fixture, row[i].was_brought, serial);
		if (!row[i].has_key)
			assert_int_equal(
				store_write_now(fixture.store, wipe_old_key, NULL, &err), 0);
		planner_leaf_pem = pem;
		planner_run(&fixture,
			&(struct plan_request){
				.arn = fixture.arn, .reimport_allowed = row[i].reimport_allowed},
			&answer);
		planner_leaf_pem = NULL;
		snprintf(told, sizeof(told), "\"status\":\"ISSUED\",\"serial\":\"%s\"", serial);
		if (strstr(answer.document, row[i].says) == NULL ||
			strstr(answer.document, told) == NULL)
			fail_msg("\"%s\" lacks %s or %s", answer.document, row[i].says, told);
		planner_expect_stored(&fixture, row[i].decision, NULL);
		job_fixture_close(&fixture);
	}
	free(pem);
}

/* What its job will go by. */
static void what_was_asked_for_is_stored(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	struct bundle_der old;
	struct acm_tag tag = {.key = (char *)"team", .value = (char *)"web"};
	const char *host[] = {"www.example.com", "[2001:db8::1]:8443"};
	char *pem = make_pem(), serial[X509_SERIAL_HEX_MAX];
	replace_what_is_there(&world, false, serial);
	planner_leaf_pem = pem;
	planner_run(&world,
		&(struct plan_request){.arn = world.arn,
			.reimport_allowed = true,
			.certificate_id = "shop",
			.tag = &tag,
			.tag_count = 1,
			.verify_host = host,
			.verify_host_count = 2,
			.auto_rollback = true},
		&answer);
	planner_leaf_pem = NULL;
	planner_decode(world.acm.cert[0].pem, &old);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(planner_find_plan(txn, &plan));
	assert_int_equal(plan.decision, PLAN_REIMPORT);
	assert_string_equal(plan.arn, world.arn);
	assert_string_equal(plan.certificate_id, "shop");
	assert_string_equal(plan.requested_by, "uid 0");
	assert_string_equal(plan.old_serial, serial);
	assert_memory_equal(
		plan.old_fingerprint_sha256, old.facts.fingerprint_sha256, CERT_SHA256_LEN);
	assert_int_equal(plan.tags.count, 2);
	assert_memory_equal(plan.tags.bytes, "team\0web", sizeof("team\0web"));
	const char *first = pack_first(&plan.verify_hosts);
	assert_string_equal(first, "www.example.com:443");
	assert_string_equal(pack_next(&plan.verify_hosts, first), "[2001:db8::1]:8443");
	assert_true(plan.auto_rollback);
	assert_false(plan.may_roll_back);
	assert_non_null(strstr(plan.rollback_reason, "does not have the key"));
	store_read_end(txn);
	x509_facts_clear(&old.facts);
	free(old.bytes);
	free(pem);
}

static void what_it_refuses_is_stored_without_a_key(void **state)
{
	(void)state;
	struct planner_answer answer;
	planner_run(&world,
		&(struct plan_request){
			.arn = "arn:aws:acm:" REGION ":" ACCOUNT ":certificate/unknown",
			.reimport_allowed = true},
		&answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"refuse\""));
	planner_expect_stored(&world, PLAN_REFUSE, NULL);
}

static void the_chain_is_kept_with_the_plan(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	const void *der;
	size_t len;
	planner_issuer = "chain-intermediate";
	planner_run(&world, &(struct plan_request){.reimport_allowed = true}, &answer);
	planner_issuer = NULL;
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(planner_find_plan(txn, &plan));
	assert_int_equal(plan.chain_count, 1);
	assert_true(store_pem_get(txn, plan.chain_sha256[0], &der, &len));
	store_read_end(txn);
}

/* The daemon's API refuses these before; here they have no way around it. */
static void orders_have_limits(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct acm_tag tag[DELIVERY_TAGS_MAX + 1];
	const char *host[VERIFY_HOSTS_MAX + 1];
	for (size_t i = 0; i <= DELIVERY_TAGS_MAX; i++)
		tag[i] = (struct acm_tag){.key = (char *)"k", .value = (char *)"v"};
	for (size_t i = 0; i <= VERIFY_HOSTS_MAX; i++)
		host[i] = "www.example.com";
	planner_run(&world, &(struct plan_request){.tag = tag, .tag_count = DELIVERY_TAGS_MAX + 1},
		&answer);
	assert_string_equal(answer.err.text, "more than 40 tags");
	planner_run(&world,
		&(struct plan_request){
			.verify_host = host, .verify_host_count = VERIFY_HOSTS_MAX + 1},
		&answer);
	assert_string_equal(answer.err.text, "more than 32 hosts to verify");
	tag[0].key = (char *)"";
	planner_run(&world, &(struct plan_request){.tag = tag, .tag_count = 1}, &answer);
	assert_non_null(strstr(answer.err.text, "the tag key \"\" is empty"));
}

static void wrong_requests_are_one_sentence(void **state)
{
	(void)state;
	struct acm_tag reserved = {.key = (char *)"acmsensor:sensor", .value = (char *)"x"};
	const char *bad_host[] = {"www.example.com:99999"};
	const struct {
		struct plan_request request;
		const char *text;
	} row[] = {
		{{.tag = &reserved, .tag_count = 1}, "reserved"},
		{{.verify_host = bad_host, .verify_host_count = 1}, "port"},
		{{.certificate_id = "no blanks"}, "certificate id"},
		{{.csr_id = "csr-unknown"}, "the key of CSR csr-unknown"},
		{{.arn = "arn:aws:acm:eu-west-1:999999999999:certificate/c1"},
			"in account 999999999999"},
		{{.arn = "arn:aws-cn:acm:eu-west-1:111122223333:certificate/c1"},
			"of the partition aws-cn"},
		{{.arn = "arn:aws:acm:us-east-1:111122223333:certificate/c1"}, "region us-east-1"},
		{{.arn = "not an ARN"}, "not the ARN of an ACM certificate"},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct job_fixture fixture;
		struct planner_answer answer;
		job_fixture_open(&fixture, NULL);
		planner_run(&fixture, &row[i].request, &answer);
		if (strstr(answer.err.text, row[i].text) == NULL)
			fail_msg("\"%s\" lacks \"%s\"", answer.err.text, row[i].text);
		job_fixture_close(&fixture);
	}
}

static void each_failure_leaves_no_plan(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		struct job_fixture fixture;
		struct planner_answer answer;
		job_fixture_open(&fixture, NULL);
		fake_call_fail_at(n, ERR_DENIED, "AccessDeniedException");
		planner_run(&fixture, &(struct plan_request){.arn = fixture.arn}, &answer);
		assert_int_equal(answer.err.kind, ERR_DENIED);
		job_fixture_close(&fixture);
	}
	for (size_t n = 1; n <= 2; n++) { /* the key's, the plan's */
		struct job_fixture fixture;
		struct planner_answer answer;
		struct store_txn *txn;
		struct plan_record plan;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		fake_store_fail_at(n, ERR_STORE_FULL);
		planner_run(&fixture, &(struct plan_request){.arn = ""}, &answer);
		assert_int_equal(answer.err.kind, ERR_STORE_FULL);
		assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
		assert_false(planner_find_plan(txn, &plan));
		store_read_end(txn);
		job_fixture_close(&fixture);
	}
}

static void cancel_at_each_turn_leaves_nothing_waiting(void **state)
{
	(void)state;
	bool is_past = false;
	for (size_t n = 0; !is_past; n++) {
		struct job_fixture fixture;
		struct planner_answer answer;
		job_fixture_open(&fixture, NULL);
		struct plan_make *make = planner_start(&fixture,
			&(struct plan_request){.arn = fixture.arn, .is_new_arn = true}, &answer);
		for (size_t i = 0; i < n && answer.ends == 0; i++)
			assert_true(fake_loop_step());
		is_past = answer.ends != 0;
		if (!is_past)
			plan_make_cancel(make);
		assert_true(n < 50);
		job_fixture_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(without_arn_it_is_a_first_import),
		cmocka_unit_test(what_is_there_decides_with_the_connector_and_the_vault),
		JOB_TEST(what_was_asked_for_is_stored),
		JOB_TEST(what_it_refuses_is_stored_without_a_key),
		JOB_TEST(the_chain_is_kept_with_the_plan),
		JOB_TEST(orders_have_limits),
		cmocka_unit_test(wrong_requests_are_one_sentence),
		cmocka_unit_test(each_failure_leaves_no_plan),
		cmocka_unit_test(cancel_at_each_turn_leaves_nothing_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
