/* The consistency check finds each kind of damage and goes on to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "store/accounts.h"
#include "store/alerts_internal.h"
#include "store/check.h"
#include "store/coverage.h"
#include "store/delivery_internal.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"
#include "store/vault.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static struct sample_cert sample;

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < 20; i++)
		sample_cert_put(txn, i);
	store_account_put(
		txn, &(struct account_record){.connector = "prod", .account_id = "000000000001"});
	store_unit_put(txn, &(struct unit_record){.connector = "prod", .unit_id = "r-1"});
	store_cycle_put(txn, &(struct cycle_record){.connector = "prod"});
	store_coverage_put(
		txn, &(struct coverage_record){
			     .connector = "prod", .account_id = "000000000001", .region = "*"});
	store_plan_put(
		txn, &(struct plan_record){
			     .id = "plan-1", .decision = PLAN_REIMPORT, .escrow = ESCROW_SENSOR});
	store_job_put(txn, &(struct job_record){.id = "job-1",
				   .kind = JOB_DELIVER,
				   .phase = JOB_CHECK,
				   .state = JOB_RUNNING});
	for (int i = 0; i < 2; i++)
		store_job_step_append(txn, "job-1", &(struct job_step){.phase = JOB_CHECK});
	unsigned char bytes[32] = {0};
	store_vault_put(txn, &(struct vault_sealed){.id = "plan-1",
				     .kind = VAULT_KEY,
				     .epoch = 1,
				     .bytes = bytes,
				     .len = sizeof(bytes)});
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	sample_cert_init(&sample, 6);
	store_fixture_write(put_all, NULL);
	return 0;
}

static int teardown(void **state)
{
	sample_cert_clear(&sample);
	return store_fixture_close_damaged(state);
}

struct damage {
	enum store_table table;
	struct key key;
	const void *bytes; /* NULL: delete */
	size_t len;
	struct key copy_of; /* len > 0: the value of that key instead of bytes */
};

static void do_damage(struct store_txn *txn, void *arg)
{
	const struct damage *damage = arg;
	struct slice value;
	char copy[4096];
	if (damage->copy_of.len > 0) {
		assert_true(txn_get(txn, damage->table, &damage->copy_of, &value));
		memcpy(copy, value.bytes, value.len);
		txn_put(txn, damage->table, &damage->key, copy, value.len);
	} else if (damage->bytes != NULL) {
		txn_put(txn, damage->table, &damage->key, damage->bytes, damage->len);
	} else {
		txn_delete(txn, damage->table, &damage->key);
	}
}

static void damage(struct damage what)
{
	store_fixture_write(do_damage, &what);
}

static char problems[8192];

static void note(void *arg, const char *problem, bool is_of_index)
{
	(void)is_of_index;
	(void)arg;
	size_t len = strlen(problems);
	snprintf(problems + len, sizeof(problems) - len, "%s\n", problem);
}

/* Exactly so many problems, with that among them. */
static void assert_problems(int64_t expected, const char *says)
{
	struct err err = ERR_INIT;
	int64_t count = -1;
	problems[0] = '\0';
	assert_int_equal(store_check(store, note, NULL, &count, &err), 0);
	if (count != expected || strstr(problems, says) == NULL)
		fail_msg("%d problems: %s(expected %d with \"%s\")", (int)count, problems,
			(int)expected, says);
}

static void a_sound_store_has_no_problems(void **state)
{
	(void)state;
	assert_problems(0, "");
}

static void missing_index_entries_are_found(void **state)
{
	(void)state;
	unsigned char hash[KEY_ARN_HASH_LEN];
	key_hash_arn(sample.arn, hash);
	damage((struct damage){.table = TABLE_CERT_EXPIRY,
		.key = key_cert_expiry(sample.record.not_after_s, sample.arn)});
	assert_problems(1, "has no entry in the expiry index");
	damage((struct damage){.table = TABLE_CERT_FINGERPRINT,
		.key = key_cert_fingerprint(sample.record.fingerprint_sha256, sample.arn)});
	assert_problems(2, "has no entry in the fingerprint index");
	damage((struct damage){
		.table = TABLE_CERT_DOMAIN, .key = key_cert_domain(sample.domain_name, hash)});
	assert_problems(3, "has no entry in the domain index");
	damage((struct damage){.table = TABLE_HISTORY, .key = key_history(sample.arn, 1)});
	assert_problems(4, "its serial is not in the history");
}

static void wrong_index_entries_are_found(void **state)
{
	(void)state;
	unsigned char hash[KEY_ARN_HASH_LEN] = {1};
	damage((struct damage){.table = TABLE_CERT_EXPIRY,
		.key = key_cert_expiry(sample.record.not_after_s, sample.arn),
		.bytes = "\xff",
		.len = 1});
	assert_problems(1, "has other flags in the expiry index");
	damage((struct damage){.table = TABLE_CERT_EXPIRY,
		.key = key_cert_expiry(5, sample.arn),
		.bytes = "",
		.len = 1});
	assert_problems(2, "the certificate has another expiry");
	damage((struct damage){
		.table = TABLE_CERT_FINGERPRINT, .key = key_bytes("short", 5), .bytes = ""});
	assert_problems(3, "table cert_fingerprint, key \"short\": stands for no certificate");
	damage((struct damage){.table = TABLE_CERT_DOMAIN,
		.key = key_cert_domain("foreign.example", hash),
		.bytes = sample.arn,
		.len = strlen(sample.arn)});
	assert_problems(4, "the certificate has no such name");
	damage((struct damage){.table = TABLE_CERT_DOMAIN,
		.key = key_cert_domain("lost.example", hash),
		.bytes = "arn:lost",
		.len = 8});
	assert_problems(5, "stands for no certificate");
}

static void lost_and_wrong_pem_is_found(void **state)
{
	(void)state;
	damage((struct damage){
		.table = TABLE_PEM, .key = key_pem(sample.record.fingerprint_sha256)});
	assert_problems(1, "its PEM is missing");
	damage((struct damage){.table = TABLE_PEM,
		.key = key_pem(sample.record.fingerprint_sha256),
		.bytes = "another",
		.len = 7});
	assert_problems(1, "not the one of this hash");
	damage((struct damage){.table = TABLE_PEM, .key = key_pem(sample.record.chain_sha256[0])});
	/* Every certificate that has PEM shares that chain. */
	assert_problems(1 + 17, "certificate 0 of its chain is missing");
}

static void damaged_records_do_not_end_the_check(void **state)
{
	(void)state;
	damage((struct damage){
		.table = TABLE_CERTS, .key = key_cert(sample.arn), .bytes = "\x01x", .len = 2});
	assert_problems(1, "damaged at created_s");
	damage((struct damage){
		.table = TABLE_UNITS, .key = key_unit("prod", "r-1"), .bytes = "", .len = 0});
	damage((struct damage){
		.table = TABLE_CYCLES, .key = key_cycle("prod"), .bytes = "\x02", .len = 1});
	damage((struct damage){.table = TABLE_HISTORY,
		.key = key_history("arn:lost", 1),
		.copy_of = key_history(sample.arn, 1)});
	assert_problems(4, "record version 2 is not known");
}

static void records_under_other_keys_are_found(void **state)
{
	(void)state;
	struct key account = key_account("prod", "000000000001");
	damage((struct damage){.table = TABLE_ACCOUNTS,
		.key = key_account("prod", "000000000002"),
		.copy_of = account});
	damage((struct damage){.table = TABLE_COVERAGE,
		.key = key_coverage("prod", "000000000002", "*"),
		.copy_of = key_coverage("prod", "000000000001", "*")});
	damage((struct damage){.table = TABLE_UNITS,
		.key = key_unit("prod", "r-2"),
		.copy_of = key_unit("prod", "r-1")});
	damage((struct damage){
		.table = TABLE_CYCLES, .key = key_cycle("dev"), .copy_of = key_cycle("prod")});
	assert_problems(4, "holds a record of another key");
	damage((struct damage){.table = TABLE_CERTS,
		.key = key_cert("arn:other"),
		.copy_of = key_cert(sample.arn)});
	assert_problems(5, "holds the certificate arn:aws");
}

static void deliveries_under_other_keys_are_found(void **state)
{
	(void)state;
	damage((struct damage){.table = TABLE_PLANS,
		.key = key_id("plan-2", VAULT_ID_MAX),
		.copy_of = key_id("plan-1", VAULT_ID_MAX)});
	damage((struct damage){.table = TABLE_VAULT,
		.key = key_id("plan-2", VAULT_ID_MAX),
		.copy_of = key_id("plan-1", VAULT_ID_MAX)});
	damage((struct damage){.table = TABLE_JOBS,
		.key = key_id("job-2", DELIVERY_ID_MAX),
		.copy_of = key_id("job-1", DELIVERY_ID_MAX)});
	assert_problems(3, "table jobs, key \"job-2\": holds another job");
	damage((struct damage){.table = TABLE_JOB_STEPS,
		.key = key_job_step("job-1", 7),
		.copy_of = key_job_step("job-1", 1)});
	assert_problems(4, "holds another step");
	damage((struct damage){.table = TABLE_JOB_STEPS,
		.key = key_job_step("job-3", 1),
		.copy_of = key_job_step("job-1", 1)});
	assert_problems(5, "stands for no job");
	damage((struct damage){.table = TABLE_JOB_STEPS,
		.key = key_bytes("short", 5),
		.copy_of = key_job_step("job-1", 1)});
	assert_problems(6, "not a key of this table");
}

static void put_wrong_alerts(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct key id = key_id("0123456789abcdef", ALERT_ID_LEN), short_key = key_id("ops", 3);
	struct key number = key_event(1);
	struct alert_record alert = {.id = "0123456789abcdef",
		.kind = ALERT_JOB,
		.class = ALERT_NOTICE,
		.told_class = ALERT_NOTICE,
		.subject = "j-1"};
	entry_put(txn, TABLE_ALERTS, &id, &alert_format, &alert);
	entry_put(txn, TABLE_ALERT_NOTICES, &number, &alert_notice_format,
		&(struct alert_notice){.alert_id = "x"});
	entry_put(txn, TABLE_ALERT_CHANNELS, &short_key, &alert_channel_format,
		&(struct alert_channel_record){.name = "other"});
}

static void wrong_entries_of_alerts_are_found(void **state)
{
	(void)state;
	store_fixture_write(put_wrong_alerts, NULL);
	assert_problems(3, "holds another alert");
	assert_problems(3, "stands for no alert");
	assert_problems(3, "holds another channel");
	damage((struct damage){
		.table = TABLE_ALERTS, .key = key_id("x", 1), .bytes = "x", .len = 1});
	damage((struct damage){
		.table = TABLE_ALERT_NOTICES, .key = key_event(2), .bytes = "x", .len = 1});
	damage((struct damage){
		.table = TABLE_ALERT_CHANNELS, .key = key_id("x", 1), .bytes = "x", .len = 1});
	assert_problems(6, "table alert_notices");
}

static void put_unknown(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct key sealed = key_id("plan-1", VAULT_ID_MAX), plan = sealed;
	struct key job = key_id("job-1", DELIVERY_ID_MAX), step = key_job_step("job-1", 1);
	entry_put(txn, TABLE_PLANS, &plan, &plan_format,
		&(struct plan_record){.id = "plan-1", .decision = 4, .escrow = 1});
	entry_put(txn, TABLE_JOBS, &job, &job_format,
		&(struct job_record){.id = "job-1", .kind = 4, .phase = 1, .state = 1});
	entry_put(txn, TABLE_JOB_STEPS, &step, &job_step_format,
		&(struct job_step){.number = 1, .phase = 0});
	entry_put(txn, TABLE_VAULT, &sealed, &vault_format,
		&(struct vault_record){.id = "plan-1", .kind = 3, .epoch = 1});
}

static void values_that_mean_nothing_are_found(void **state)
{
	(void)state;
	static const char *const says[] = {"unknown decision", "unknown kind of job",
		"unknown phase", "unknown kind of record"};
	enum { COUNT = sizeof(says) / sizeof(says[0]) };
	store_fixture_write(put_unknown, NULL);
	for (size_t i = 0; i < COUNT; i++)
		assert_problems(COUNT, says[i]);
}

static void wrong_entries_of_jobs_are_found(void **state)
{
	(void)state;
	struct key job = key_id("job-1", DELIVERY_ID_MAX), other = key_id("job-9", 9);
	unsigned char leaf[CERT_SHA256_LEN] = {1};
	damage((struct damage){.table = TABLE_JOBS_RUNNING, .key = job});
	assert_problems(1, "is not among those that run");
	damage((struct damage){.table = TABLE_JOBS_RUNNING, .key = other, .bytes = "x", .len = 1});
	assert_problems(2, "table jobs_running, key \"job-9\": stands for no job");
	damage((struct damage){.table = TABLE_JOB_LEAF,
		.key = key_job_leaf("arn", leaf),
		.bytes = "job-9",
		.len = 5});
	assert_problems(3, "table job_leaf");
	damage((struct damage){.table = TABLE_JOB_LEAF,
		.key = key_job_leaf("arn", leaf),
		.bytes = "job-1",
		.len = 5});
	assert_problems(3, "the job job-1 did not deliver that");
}

static void wrong_needs_of_keys_are_found(void **state)
{
	(void)state;
	static const unsigned char until[sizeof(uint64_t)] = {0};
	damage((struct damage){.table = TABLE_VAULT_NEEDS,
		.key = key_vault_need("plan-1", "arn:a"),
		.bytes = until,
		.len = 3});
	assert_problems(1, "table vault_needs, key \"plan-1\\x01arn:a\": no time");
	damage((struct damage){.table = TABLE_VAULT_NEEDS,
		.key = key_vault_need("plan-9", "arn:a"),
		.bytes = until,
		.len = sizeof(until)});
	assert_problems(2, "stands for no sealed key");
}

static void put_without_pem(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_put(txn, &(struct plan_record){.id = "plan-1",
				    .decision = PLAN_REIMPORT,
				    .escrow = ESCROW_SENSOR,
				    .leaf_sha256 = {1},
				    .chain_sha256 = {{2}},
				    .chain_count = 1});
	store_job_put(txn, &(struct job_record){.id = "job-1",
				   .kind = JOB_DELIVER,
				   .phase = JOB_CHECK,
				   .state = JOB_RUNNING,
				   .old_chain_sha256 = {{3}},
				   .old_chain_count = 1});
}

static void plans_and_jobs_whose_pem_is_lost_are_found(void **state)
{
	(void)state;
	store_fixture_write(put_without_pem, NULL);
	assert_problems(3, "table plans, key \"plan-1\": its certificate is missing");
	assert_problems(3, "table plans, key \"plan-1\": certificate 0 of its chain is missing");
	assert_problems(3, "table jobs, key \"job-1\": certificate 0 of its chain is missing");
}

static void damaged_deliveries_are_found(void **state)
{
	(void)state;
	damage((struct damage){.table = TABLE_PLANS,
		.key = key_id("plan-1", VAULT_ID_MAX),
		.bytes = "\x01x",
		.len = 2});
	damage((struct damage){.table = TABLE_JOBS,
		.key = key_id("job-1", DELIVERY_ID_MAX),
		.bytes = "\x09",
		.len = 1});
	damage((struct damage){
		.table = TABLE_JOB_STEPS, .key = key_job_step("job-1", 2), .bytes = "", .len = 0});
	damage((struct damage){.table = TABLE_VAULT,
		.key = key_id("plan-1", VAULT_ID_MAX),
		.bytes = "\x01x",
		.len = 2});
	assert_problems(4, "table job_steps");
}

static void a_broken_event_chain_is_found(void **state)
{
	(void)state;
	damage((struct damage){.table = TABLE_EVENTS, .key = key_event(1)});
	assert_problems(1, "event log: it ends at event 0, but 1 were written");
}

static void a_damaged_end_of_the_event_log_does_not_end_the_check(void **state)
{
	(void)state;
	damage((struct damage){
		.table = TABLE_META, .key = key_meta(META_EVENTS), .bytes = "short", .len = 5});
	assert_problems(1, "event log: the note of its end is damaged");
}

/* --- repair ---------------------------------------------------------------------------------- */

static void damage_every_index(void)
{
	unsigned char hash[KEY_ARN_HASH_LEN], leaf[CERT_SHA256_LEN] = {1};
	key_hash_arn(sample.arn, hash);
	damage((struct damage){.table = TABLE_CERT_EXPIRY,
		.key = key_cert_expiry(sample.record.not_after_s, sample.arn)});
	damage((struct damage){
		.table = TABLE_CERT_FINGERPRINT, .key = key_bytes("short", 5), .bytes = ""});
	damage((struct damage){
		.table = TABLE_CERT_DOMAIN, .key = key_cert_domain(sample.domain_name, hash)});
	damage((struct damage){
		.table = TABLE_JOBS_RUNNING, .key = key_id("job-1", DELIVERY_ID_MAX)});
	damage((struct damage){.table = TABLE_JOB_LEAF,
		.key = key_job_leaf("arn", leaf),
		.bytes = "job-9",
		.len = 5});
}

static void assert_mended(int64_t found, int64_t repaired, int64_t left)
{
	struct err err = ERR_INIT;
	struct store_mended mended;
	problems[0] = '\0';
	assert_int_equal(store_mend(store, note, NULL, &mended, &err), 0);
	if (mended.found != found || mended.repaired != repaired || mended.left != left)
		fail_msg("found %d, repaired %d, left %d: %s", (int)mended.found,
			(int)mended.repaired, (int)mended.left, problems);
}

static void every_index_is_made_anew_and_is_as_it_was(void **state)
{
	(void)state;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	temp_store_digest(store, before);
	damage_every_index();
	assert_mended(5, 5, 0);
	temp_store_digest(store, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_problems(0, "");
}

static void what_is_no_index_is_left_as_it_is(void **state)
{
	(void)state;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	damage((struct damage){
		.table = TABLE_PEM, .key = key_pem(sample.record.fingerprint_sha256)});
	temp_store_digest(store, before);
	assert_mended(1, 0, 1);
	temp_store_digest(store, after);
	assert_memory_equal(before, after, sizeof(before));
}

static void a_damaged_certificate_loses_its_entries_and_no_other_does(void **state)
{
	(void)state;
	damage((struct damage){
		.table = TABLE_CERTS, .key = key_cert(sample.arn), .bytes = "\x01x", .len = 2});
	damage((struct damage){.table = TABLE_JOBS,
		.key = key_id("job-1", DELIVERY_ID_MAX),
		.bytes = "\x09",
		.len = 1});
	damage((struct damage){.table = TABLE_CERTS,
		.key = key_cert("arn:other"),
		.copy_of = key_cert(sample.arn)});
	damage((struct damage){.table = TABLE_CERT_EXPIRY,
		.key = key_cert_expiry(5, sample.arn),
		.bytes = "",
		.len = 1});
	struct err err = ERR_INIT;
	assert_int_equal(store_repair_indexes(store, &err), 0);
	assert_problems(3, "damaged at created_s");
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_sound_store_has_no_problems),
		WITH_STORE(missing_index_entries_are_found),
		WITH_STORE(wrong_index_entries_are_found),
		WITH_STORE(lost_and_wrong_pem_is_found),
		WITH_STORE(damaged_records_do_not_end_the_check),
		WITH_STORE(records_under_other_keys_are_found),
		WITH_STORE(deliveries_under_other_keys_are_found),
		WITH_STORE(values_that_mean_nothing_are_found),
		WITH_STORE(wrong_entries_of_alerts_are_found),
		WITH_STORE(wrong_entries_of_jobs_are_found),
		WITH_STORE(wrong_needs_of_keys_are_found),
		WITH_STORE(plans_and_jobs_whose_pem_is_lost_are_found),
		WITH_STORE(damaged_deliveries_are_found),
		WITH_STORE(a_broken_event_chain_is_found),
		WITH_STORE(a_damaged_end_of_the_event_log_does_not_end_the_check),
		WITH_STORE(every_index_is_made_anew_and_is_as_it_was),
		WITH_STORE(what_is_no_index_is_left_as_it_is),
		WITH_STORE(a_damaged_certificate_loses_its_entries_and_no_other_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
