/* From a request to a stored plan: what is read, what is kept, where the key goes. */
#include <openssl/sha.h>
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
#include "delivery/delivery_internal.h"
#include "store/coverage.h"
#include "store/vault.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/make_pki.h"
#include "tests/lib/read_file.h"

struct answer {
	int ends;
	char document[PLAN_DOCUMENT_MAX];
	struct err err;
};

static void on_plan(void *arg, const char *document, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	assert_true((document == NULL) != (err == NULL));
	text_copy(answer->document, sizeof(answer->document), document != NULL ? document : "");
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
}

/* Of the test data, with a text for its key: nobody looks into it here. */
static const char *leaf_name = "rsa-2048", *issuer_name;
static const char *leaf_pem; /* NULL: of the test data */

static void decode(const char *pem, struct bundle_der *ret_der)
{
	struct err err = ERR_INIT;
	const char *at = pem, *end = pem + strlen(pem);
	assert_int_equal(x509_pem_next(&at, end, &ret_der->bytes, &ret_der->len, &err), 1);
	assert_int_equal(
		x509_facts_from_der(ret_der->bytes, ret_der->len, &ret_der->facts, &err), 0);
}

static void read_der(const char *name, struct bundle_der *ret_der)
{
	size_t len;
	char *pem = read_data("x509", name, ".pem", &len);
	decode(pem, ret_der);
	free(pem);
}

static void make_bundle(struct bundle *bundle)
{
	*bundle = (struct bundle){.chain_count = 0};
	if (leaf_pem != NULL)
		decode(leaf_pem, &bundle->leaf);
	else
		read_der(leaf_name, &bundle->leaf);
	if (issuer_name != NULL)
		read_der(issuer_name, &bundle->chain[bundle->chain_count++]);
	bundle->leaf.facts.not_before_s = NOW_S - 86400; /* not hours behind the fixture's time */
	text_copy(bundle->key_algorithm, sizeof(bundle->key_algorithm), "RSA_2048");
	secret_set(&bundle->key_pem, NEW_KEY, strlen(NEW_KEY));
}

static struct plan_make *start(
	struct job_fixture *fixture, const struct plan_request *request, struct answer *answer)
{
	const struct delivery_target target = job_fixture_target(fixture);
	struct plan_request own = *request;
	struct bundle bundle;
	make_bundle(&bundle);
	own.bundle = &bundle;
	own.requested_by = "uid 0";
	if (own.escrow == 0)
		own.escrow = ESCROW_SENSOR;
	*answer = (struct answer){.ends = 0};
	struct plan_make *make = plan_make_start(fixture->delivery, &target, &own, on_plan, answer);
	assert_int_equal(answer->ends, 0);
	assert_null(bundle.leaf.bytes); /* moved */
	return make;
}

static void run(
	struct job_fixture *fixture, const struct plan_request *request, struct answer *answer)
{
	(void)start(fixture, request, answer);
	for (int i = 0; i < 1000 && answer->ends == 0; i++)
		assert_true(fake_loop_step());
	assert_int_equal(answer->ends, 1);
}

/* The plan that is not the fixture's. */
static bool find_plan(struct store_txn *txn, struct plan_record *ret_plan)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	while (store_plan_next(txn, position, ret_plan)) {
		if (strcmp(ret_plan->id, PLAN_ID) != 0)
			return true;
	}
	return false;
}

static void expect_stored(
	struct job_fixture *fixture, enum plan_decision decision, const char *certificate_id)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	const void *der;
	size_t len;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(find_plan(txn, &plan));
	if (plan.decision != decision)
		fail_msg("%s", plan.document);
	if (certificate_id != NULL)
		assert_string_equal(plan.certificate_id, certificate_id);
	assert_int_equal(plan.expires_s, NOW_S + PLAN_LIFE_S);
	assert_true(store_pem_get(txn, plan.leaf_sha256, &der, &len));
	bool is_sealed = decision != PLAN_REFUSE && plan.escrow == ESCROW_SENSOR;
	assert_int_equal(store_vault_has(txn, plan.id), is_sealed);
	store_read_end(txn);
}

static void expect_key(struct job_fixture *fixture, bool is_there)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(find_plan(txn, &plan));
	assert_int_equal(delivery_has_key(fixture->delivery, &plan), is_there);
	store_read_end(txn);
}

static void without_arn_it_is_a_first_import(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"import\""));
	expect_stored(&fixture, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(fake_call_count(), 0);
	job_fixture_close(&fixture);
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
	decode(fixture->acm.cert[0].pem, &leaf);
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
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		replace_what_is_there(&fixture, row[i].was_brought, serial);
		if (!row[i].has_key)
			assert_int_equal(
				store_write_now(fixture.store, wipe_old_key, NULL, &err), 0);
		leaf_pem = pem;
		run(&fixture,
			&(struct plan_request){
				.arn = fixture.arn, .reimport_allowed = row[i].reimport_allowed},
			&answer);
		leaf_pem = NULL;
		snprintf(told, sizeof(told), "\"status\":\"ISSUED\",\"serial\":\"%s\"", serial);
		if (strstr(answer.document, row[i].says) == NULL ||
			strstr(answer.document, told) == NULL)
			fail_msg("\"%s\" lacks %s or %s", answer.document, row[i].says, told);
		expect_stored(&fixture, row[i].decision, NULL);
		job_fixture_close(&fixture);
	}
	free(pem);
}

/* What its job will go by. */
static void what_was_asked_for_is_stored(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	struct bundle_der old;
	struct acm_tag tag = {.key = (char *)"team", .value = (char *)"web"};
	const char *host[] = {"www.example.com", "[2001:db8::1]:8443"};
	char *pem = make_pem(), serial[X509_SERIAL_HEX_MAX];
	job_fixture_open(&fixture, NULL);
	replace_what_is_there(&fixture, false, serial);
	leaf_pem = pem;
	run(&fixture,
		&(struct plan_request){.arn = fixture.arn,
			.reimport_allowed = true,
			.certificate_id = "shop",
			.tag = &tag,
			.tag_count = 1,
			.verify_host = host,
			.verify_host_count = 2,
			.auto_rollback = true},
		&answer);
	leaf_pem = NULL;
	decode(fixture.acm.cert[0].pem, &old);
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	assert_true(find_plan(txn, &plan));
	assert_int_equal(plan.decision, PLAN_REIMPORT);
	assert_string_equal(plan.arn, fixture.arn);
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
	job_fixture_close(&fixture);
}

static void the_id_of_a_certificate_stays_with_it(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	write_acm_set_tag(&fixture.acm.cert[0], "acmsensor:certificate-id", "shop");
	run(&fixture,
		&(struct plan_request){
			.arn = fixture.arn, .reimport_allowed = true, .is_new_arn = true},
		&answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"import\""));
	expect_stored(&fixture, PLAN_IMPORT_NEW, "shop");
	job_fixture_close(&fixture);
}

static void what_it_refuses_is_stored_without_a_key(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	run(&fixture,
		&(struct plan_request){
			.arn = "arn:aws:acm:" REGION ":" ACCOUNT ":certificate/unknown",
			.reimport_allowed = true},
		&answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"refuse\""));
	expect_stored(&fixture, PLAN_REFUSE, NULL);
	job_fixture_close(&fixture);
}

static void a_key_goes_where_its_escrow_says(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	run(&fixture, &(struct plan_request){.escrow = ESCROW_SECRETS_MANAGER}, &answer);
	expect_stored(&fixture, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(write_acm_secrets(&fixture.acm), 1);
	assert_true(text_has_prefix(fixture.acm.secret_name[0], "acmsensor/sensor1/p-"));
	assert_string_equal(fixture.acm.secret[0], NEW_KEY);
	const struct fake_record *call = fake_call_record(fake_call_count() - 1);
	assert_string_equal(call->region, "us-east-1");
	assert_string_equal(call->account, "999988887777");
	assert_non_null(strstr(call->body, "acmsensor:managed-by"));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	run(&fixture, &(struct plan_request){.escrow = ESCROW_MEMORY}, &answer);
	expect_stored(&fixture, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(fixture.delivery->memory_count, 1);
	expect_key(&fixture, true);
	fake_loop_advance_ms(1000LL * (PLAN_LIFE_S + 120)); /* and is wiped with its plan */
	assert_int_equal(fixture.delivery->memory_count, 0);
	expect_key(&fixture, false);
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	expect_key(&fixture, true);
	job_fixture_close(&fixture);
}

/* A job of this sensor that the inventory knows nothing of yet. */
struct earlier {
	const char *id, *arn, *certificate_id, *region;
	enum job_kind kind;
	int64_t age_s;
};

static void put_earlier(struct store_txn *txn, void *arg)
{
	for (const struct earlier *earlier = arg; earlier->id != NULL; earlier++)
		store_job_put(txn, &(struct job_record){.id = earlier->id,
					   .kind = earlier->kind,
					   .plan_id = "",
					   .of_job_id = "",
					   .connector = "prod",
					   .account_id = ACCOUNT,
					   .region = earlier->region,
					   .arn = earlier->arn,
					   .certificate_id = earlier->certificate_id,
					   .phase = JOB_DONE,
					   .state = JOB_SUCCEEDED,
					   .reason = "",
					   .created_s = NOW_S - earlier->age_s,
					   .ended_s = NOW_S - earlier->age_s,
					   .may_have_imported = true,
					   .old_serial = "0a",
					   .new_serial = "",
					   .old_key_id = "",
					   .new_key_id = "",
					   .evidence = "",
					   .requested_by = "uid 0"});
}

#define NEW_ARN "arn:aws:acm:" REGION ":" ACCOUNT ":certificate/not-scanned-yet"

static void expect_told(const struct answer *answer, const char *wanted)
{
	const char *told = answer->err.kind != ERR_NONE ? answer->err.text : answer->document;
	if (strstr(told, wanted) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", told, wanted);
}

/* earlier: ended by a NULL id. */
static void put_jobs(struct job_fixture *fixture, struct earlier *earlier)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(fixture->store, put_earlier, earlier, &err), 0);
}

static void run_after(struct earlier *earlier, const char *wanted)
{
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, earlier);
	run(&fixture, &(struct plan_request){.certificate_id = "blog", .reimport_allowed = true},
		&answer);
	expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void what_was_delivered_since_the_last_cycle_is_found_by_its_id(void **state)
{
	(void)state;
	struct earlier delivered = {
		"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 0};
	struct earlier again = delivered, deleted = delivered, elsewhere = delivered;
	struct earlier other_id = delivered, other_arn = delivered, other_deleted = delivered;
	again.id = "j-20261121-000001-00000000ab";
	deleted.id = other_deleted.id = "d-20261121-000002-00000000ac";
	deleted.kind = other_deleted.kind = JOB_DELETE;
	other_deleted.arn = NEW_ARN "-other";
	elsewhere.region = "us-east-1";
	other_id.certificate_id = "shop";
	other_arn.id = again.id;
	other_arn.arn = NEW_ARN "-other";
	run_after((struct earlier[]){delivered, again, other_deleted, {.id = NULL}}, NEW_ARN);
	run_after((struct earlier[]){delivered, deleted, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){elsewhere, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){other_id, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){delivered, other_arn, {.id = NULL}},
		"two certificates would carry the id blog");
}

#define CAN_IMPORT "\"decision\":\"import\""
/* The keys of the fixture and of the plan are of two types. */
#define REPLACES "ACM would refuse it under this ARN: key type and size must stay"

/* Others deleted it, and no scan has told. */
static void what_acm_does_not_have_any_more_is_imported_anew(void **state)
{
	(void)state;
	struct earlier gone[] = {
		{"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 3600},
		{.id = NULL}};
	run_after(gone, CAN_IMPORT);
	run_after(gone, NEW_ARN " carried the id blog and is gone: whatever was set up with that "
				"ARN is to be given the new one");
}

/* A second certificate would come of it. */
static void what_may_have_yet_to_show_is_not_imported_again(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct earlier young[] = {
		{"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 3599},
		{.id = NULL}};
	run_after(young, "\"decision\":\"refuse\"");
	run_after(young, NEW_ARN " carries the id blog and is less than an hour old, and ACM does "
				 "not show it");
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, young);
	run(&fixture,
		&(struct plan_request){
			.certificate_id = "blog", .reimport_allowed = true, .is_new_arn = true},
		&answer);
	expect_told(&answer, CAN_IMPORT);
	job_fixture_close(&fixture);
}

/* One certificate at the ARN of the fixture, and one more. */
static void run_with_two(const char *second_arn, const struct plan_request *request, int64_t age_s,
	const char *wanted)
{
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	struct write_acm_cert *second =
		write_acm_add(&fixture.acm, fixture.other_pem, "the private key of other");
	if (second_arn == NULL)
		second_arn = second->arn;
	put_jobs(&fixture, (struct earlier[]){{"j-20261121-000000-00000000aa", fixture.arn, "blog",
						      REGION, JOB_DELIVER, age_s},
				   {"j-20261121-000000-00000000ab", second_arn, "blog", REGION,
					   JOB_DELIVER, age_s},
				   {.id = NULL}});
	run(&fixture, request, &answer);
	expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void two_that_carry_the_id_are_not_guessed_between(void **state)
{
	(void)state;
	const struct plan_request one = {.certificate_id = "blog", .reimport_allowed = true};
	struct plan_request new = one, off = one;
	new.is_new_arn = true;
	off.reimport_allowed = false;
	run_with_two(NULL, &one, 7200, "two certificates would carry the id blog, ");
	run_with_two(NULL, &one, 7200,
		": name the one to replace by --arn alone, or import a new one with --new-arn");
	run_with_two(NULL, &new, 7200, CAN_IMPORT);
	run_with_two(NULL, &off, 7200, CAN_IMPORT);
	run_with_two(NEW_ARN, &one, 7200, REPLACES); /* the other one is gone */
	run_with_two(NEW_ARN, &one, 60, "two certificates would carry the id blog");
}

static void too_many_that_carry_the_id_hinder_no_new_arn(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct earlier many[10] = {{.id = NULL}};
	char id[9][DELIVERY_ID_MAX + 1], arn[9][128];
	struct plan_request request = {.certificate_id = "blog", .reimport_allowed = true};
	for (size_t i = 0; i < 9; i++) {
		snprintf(id[i], sizeof(id[i]), "j-20261121-000000-00000000a%zu", i);
		snprintf(arn[i], sizeof(arn[i]), NEW_ARN "-%zu", i);
		many[i] = (struct earlier){id[i], arn[i], "blog", REGION, JOB_DELIVER, 7200};
	}
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, many);
	run(&fixture, &request, &answer);
	expect_told(&answer, "more than 8 certificates carry the id blog");
	request.is_new_arn = true;
	run(&fixture, &request, &answer);
	expect_told(&answer, CAN_IMPORT);
	job_fixture_close(&fixture);
}

static void run_given(const char *tag, const char *id, bool is_new_arn, const char *wanted)
{
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	if (tag != NULL)
		write_acm_set_tag(&fixture.acm.cert[0], "acmsensor:certificate-id", tag);
	run(&fixture,
		&(struct plan_request){.arn = fixture.arn,
			.certificate_id = id,
			.reimport_allowed = true,
			.is_new_arn = is_new_arn},
		&answer);
	expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void an_arn_may_be_given_an_id_and_keeps_it(void **state)
{
	(void)state;
	run_given(NULL, "blog", false, "\"certificate_id\":\"blog\"");
	run_given(NULL, "blog", false, REPLACES);
	run_given("blog", "blog", false, REPLACES);
	run_given("shop", "blog", false,
		" carries the certificate id shop, not blog: leave out one of --arn and "
		"--certificate-id");
	run_given("shop", "blog", true, CAN_IMPORT);
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, (struct earlier[]){{"j-20261121-000000-00000000aa", NEW_ARN, "blog",
						      REGION, JOB_DELIVER, 60},
				   {"j-20261121-000000-00000000ab", fixture.arn, "blog", REGION,
					   JOB_DELIVER, 60},
				   {.id = NULL}});
	run(&fixture,
		&(struct plan_request){
			.arn = fixture.arn, .certificate_id = "blog", .reimport_allowed = true},
		&answer);
	expect_told(&answer, "two certificates would carry the id blog");
	job_fixture_close(&fixture);
}

static void deny_it(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = REGION,
					.state = COVERAGE_DENIED,
					.reason = "acm:ListCertificates is not allowed"});
}

/* "Denied" is not "empty": one that carries the id may be there. */
static void an_id_where_nobody_ever_read_is_not_imported_anew(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct err err = ERR_INIT;
	struct plan_request request = {.certificate_id = "blog", .reimport_allowed = true};
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, deny_it, NULL, &err), 0);
	run(&fixture, &request, &answer);
	expect_told(&answer, "\"decision\":\"refuse\"");
	expect_told(&answer, "connector prod never read them (denied: acm:ListCertificates is not "
			     "allowed)");
	expect_stored(&fixture, PLAN_REFUSE, "blog");
	request.is_new_arn = true;
	run(&fixture, &request, &answer);
	expect_told(&answer, CAN_IMPORT);
	expect_told(&answer, "\"inventory_blind\"");
	run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	expect_told(&answer, CAN_IMPORT);
	expect_told(&answer, "\"inventory_blind\"");
	put_jobs(&fixture, (struct earlier[]){{"j-20261121-000000-00000000aa", fixture.arn, "blog",
						      REGION, JOB_DELIVER, 7200},
				   {.id = NULL}});
	request.is_new_arn = false;
	run(&fixture, &request, &answer);
	expect_told(&answer, REPLACES); /* found: this sensor delivered it */
	job_fixture_close(&fixture);
}

static void a_new_arn_does_not_need_the_old_one(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	run(&fixture,
		&(struct plan_request){
			.arn = NEW_ARN, .reimport_allowed = true, .is_new_arn = true},
		&answer);
	expect_told(&answer, CAN_IMPORT);
	expect_told(&answer, "ACM does not have " NEW_ARN ": it was deleted or never was");
	job_fixture_close(&fixture);
}

static void put_same(struct store_txn *txn, void *arg)
{
	const struct bundle *bundle = arg;
	struct cert_record cert = {.arn = NEW_ARN,
		.connector = "prod",
		.account_id = ACCOUNT,
		.region = REGION,
		.has_pem = true};
	memcpy(cert.fingerprint_sha256, bundle->leaf.facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_cert_put(txn, &cert);
}

static void what_is_there_under_another_arn_is_told(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct bundle bundle;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	make_bundle(&bundle);
	assert_int_equal(store_write_now(fixture.store, put_same, &bundle, &err), 0);
	bundle_clear(&bundle);
	run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	expect_told(&answer, "is in ACM already, under " NEW_ARN ": there would be two of it");
	job_fixture_close(&fixture);
}

static void the_chain_is_kept_with_the_plan(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	const void *der;
	size_t len;
	job_fixture_open(&fixture, NULL);
	issuer_name = "chain-intermediate";
	run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	issuer_name = NULL;
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	assert_true(find_plan(txn, &plan));
	assert_int_equal(plan.chain_count, 1);
	assert_true(store_pem_get(txn, plan.chain_sha256[0], &der, &len));
	store_read_end(txn);
	job_fixture_close(&fixture);
}

static void write_key(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void seal_csr_key(struct job_fixture *fixture, const char *id, const char *name)
{
	struct vault_sealed sealed;
	struct err err = ERR_INIT;
	struct secret plain = SECRET_INIT;
	size_t len;
	char *pem = read_data("x509", name, ".key", &len);
	secret_set(&plain, pem, len);
	assert_int_equal(vault_seal(fixture->vault, id, VAULT_KEY, &plain, NOW_S, NOW_S + 86400,
				 &sealed, &err),
		0);
	assert_int_equal(store_write_now(fixture->store, write_key, &sealed, &err), 0);
	vault_sealed_clear(&sealed);
	secret_clear(&plain);
	free(pem);
}

static void the_certificate_must_be_for_the_key_of_its_request(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	job_fixture_open(&fixture, NULL);
	leaf_name = "chain-leaf";
	seal_csr_key(&fixture, "csr-other", "other");
	seal_csr_key(&fixture, "csr-leaf", "leaf");
	run(&fixture, &(struct plan_request){.csr_id = "csr-other"}, &answer);
	assert_int_equal(answer.err.kind, ERR_CONFIG);
	assert_string_equal(answer.err.text, "the certificate is not for the key of CSR csr-other: "
					     "it was signed for another request");
	run(&fixture, &(struct plan_request){.csr_id = "csr-leaf", .reimport_allowed = true},
		&answer);
	assert_int_equal(answer.err.kind, ERR_NONE);
	leaf_name = "rsa-2048";
	job_fixture_close(&fixture);
}

static void drop_key(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

/* Dropped, or due, while ACM was asked. */
static void a_plan_whose_request_went_meanwhile_is_not_made(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	char id[] = "csr-leaf";
	job_fixture_open(&fixture, NULL);
	leaf_name = "chain-leaf";
	seal_csr_key(&fixture, id, "leaf");
	(void)start(&fixture,
		&(struct plan_request){.csr_id = id,
			.arn = fixture.arn,
			.is_new_arn = true,
			.reimport_allowed = true},
		&answer);
	while (fake_call_count() == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(fixture.store, drop_key, id, &err), 0);
	while (answer.ends == 0)
		assert_true(fake_loop_step());
	assert_int_equal(answer.err.kind, ERR_NOT_FOUND);
	assert_string_equal(answer.err.text,
		"the key of CSR csr-leaf was wiped meanwhile: ask for a new certificate");
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	assert_false(find_plan(txn, &plan));
	store_read_end(txn);
	leaf_name = "rsa-2048";
	job_fixture_close(&fixture);
}

static void put_delivered(struct store_txn *txn, void *arg)
{
	struct job_record job = {.id = "j-20261102-000000-0000000001",
		.kind = JOB_DELIVER,
		.phase = JOB_DONE,
		.state = JOB_SUCCEEDED,
		.arn = arg,
		.ended_s = NOW_S,
		.may_have_imported = true,
		.new_key_id = "key-there"};
	struct bundle_der leaf;
	read_der(leaf_name, &leaf);
	memcpy(job.new_fingerprint_sha256, leaf.facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_job_put(txn, &job);
	free(leaf.bytes);
	x509_facts_clear(&leaf.facts);
}

/* A store that was restored without its vault, say: a way back that is none is not promised. */
static void a_key_that_cannot_be_opened_is_no_way_back(void **state)
{
	(void)state;
	for (int opens = 0; opens < 2; opens++) {
		struct job_fixture fixture;
		struct answer answer;
		struct vault_sealed sealed;
		struct err err = ERR_INIT;
		struct secret key = SECRET_INIT;
		size_t len;
		job_fixture_open(&fixture, NULL);
		free(fixture.acm.cert[0].pem);
		fixture.acm.cert[0].pem = read_data("x509", leaf_name, ".pem", &len);
		secret_set(&key, OLD_KEY, strlen(OLD_KEY));
		assert_int_equal(
			store_write_now(fixture.store, put_delivered, fixture.arn, &err), 0);
		assert_int_equal(vault_seal(fixture.vault, opens ? "key-there" : "key-other",
					 VAULT_KEY, &key, NOW_S, 0, &sealed, &err),
			0);
		text_copy(sealed.id, sizeof(sealed.id), "key-there");
		assert_int_equal(store_write_now(fixture.store, write_key, &sealed, &err), 0);
		vault_sealed_clear(&sealed);
		secret_clear(&key);
		run(&fixture, &(struct plan_request){.arn = fixture.arn, .reimport_allowed = true},
			&answer);
		bool is_known =
			strstr(answer.document, "this sensor does not have the key") == NULL;
		assert_int_equal(is_known, opens);
		job_fixture_close(&fixture);
	}
}

/* The daemon's API refuses these before; here they have no way around it. */
static void orders_have_limits(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	struct acm_tag tag[DELIVERY_TAGS_MAX + 1];
	const char *host[VERIFY_HOSTS_MAX + 1];
	job_fixture_open(&fixture, NULL);
	for (size_t i = 0; i <= DELIVERY_TAGS_MAX; i++)
		tag[i] = (struct acm_tag){.key = (char *)"k", .value = (char *)"v"};
	for (size_t i = 0; i <= VERIFY_HOSTS_MAX; i++)
		host[i] = "www.example.com";
	run(&fixture, &(struct plan_request){.tag = tag, .tag_count = DELIVERY_TAGS_MAX + 1},
		&answer);
	assert_string_equal(answer.err.text, "more than 40 tags");
	run(&fixture,
		&(struct plan_request){
			.verify_host = host, .verify_host_count = VERIFY_HOSTS_MAX + 1},
		&answer);
	assert_string_equal(answer.err.text, "more than 32 hosts to verify");
	tag[0].key = (char *)"";
	run(&fixture, &(struct plan_request){.tag = tag, .tag_count = 1}, &answer);
	assert_non_null(strstr(answer.err.text, "the tag key \"\" is empty"));
	job_fixture_close(&fixture);
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
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		run(&fixture, &row[i].request, &answer);
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
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		fake_call_fail_at(n, ERR_DENIED, "AccessDeniedException");
		run(&fixture, &(struct plan_request){.arn = fixture.arn}, &answer);
		assert_int_equal(answer.err.kind, ERR_DENIED);
		job_fixture_close(&fixture);
	}
	for (size_t n = 1; n <= 2; n++) { /* the key's, the plan's */
		struct job_fixture fixture;
		struct answer answer;
		struct store_txn *txn;
		struct plan_record plan;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		fake_store_fail_at(n, ERR_STORE_FULL);
		run(&fixture, &(struct plan_request){.arn = ""}, &answer);
		assert_int_equal(answer.err.kind, ERR_STORE_FULL);
		assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
		assert_false(find_plan(txn, &plan));
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
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		struct plan_make *make = start(&fixture,
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
		cmocka_unit_test(without_arn_it_is_a_first_import),
		cmocka_unit_test(what_is_there_decides_with_the_connector_and_the_vault),
		cmocka_unit_test(what_was_asked_for_is_stored),
		cmocka_unit_test(the_id_of_a_certificate_stays_with_it),
		cmocka_unit_test(what_it_refuses_is_stored_without_a_key),
		cmocka_unit_test(a_key_goes_where_its_escrow_says),
		cmocka_unit_test(what_was_delivered_since_the_last_cycle_is_found_by_its_id),
		cmocka_unit_test(what_acm_does_not_have_any_more_is_imported_anew),
		cmocka_unit_test(what_may_have_yet_to_show_is_not_imported_again),
		cmocka_unit_test(two_that_carry_the_id_are_not_guessed_between),
		cmocka_unit_test(too_many_that_carry_the_id_hinder_no_new_arn),
		cmocka_unit_test(an_arn_may_be_given_an_id_and_keeps_it),
		cmocka_unit_test(an_id_where_nobody_ever_read_is_not_imported_anew),
		cmocka_unit_test(a_new_arn_does_not_need_the_old_one),
		cmocka_unit_test(what_is_there_under_another_arn_is_told),
		cmocka_unit_test(the_chain_is_kept_with_the_plan),
		cmocka_unit_test(the_certificate_must_be_for_the_key_of_its_request),
		cmocka_unit_test(a_plan_whose_request_went_meanwhile_is_not_made),
		cmocka_unit_test(a_key_that_cannot_be_opened_is_no_way_back),
		cmocka_unit_test(orders_have_limits),
		cmocka_unit_test(wrong_requests_are_one_sentence),
		cmocka_unit_test(each_failure_leaves_no_plan),
		cmocka_unit_test(cancel_at_each_turn_leaves_nothing_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
