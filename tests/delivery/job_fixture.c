#include "tests/delivery/job_fixture.h"

#include <dirent.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/x509.h"
#include "delivery/delivery_internal.h"
#include "store/coverage.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/fake_tls_probe.h"
#include "tests/lib/make_cert.h"
#include "tests/lib/read_file.h"
#include "tests/lib/sample_delivery.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, STEPS_MAX = 200000 };

static unsigned char *der_of(const char *pem, size_t *ret_len)
{
	struct err err = ERR_INIT;
	const char *at = pem;
	unsigned char *der = NULL;
	assert_int_equal(x509_pem_next(&at, pem + strlen(pem), &der, ret_len, &err), 1);
	return der;
}

static unsigned char *serve(void *arg, const char *host, int port, size_t *ret_len)
{
	struct job_fixture *fixture = arg;
	struct write_acm_cert *cert = write_acm_find(&fixture->acm, fixture->arn);
	const char *pem = fixture->served;
	assert_string_equal(host, "www.example.com");
	assert_int_equal(port, 443);
	if (pem == NULL)
		pem = cert != NULL ? cert->pem : fixture->acm.cert[0].pem;
	return fixture->is_unreachable ? NULL : der_of(pem, ret_len);
}

/* --- what was before --------------------------------------------------------------------------- */

static void put_pem(struct store_txn *txn, const char *pem, unsigned char *ret_sha256)
{
	size_t len;
	unsigned char *der = der_of(pem, &len);
	SHA256(der, len, ret_sha256);
	store_pem_put(txn, ret_sha256, der, len);
	free(der);
}

static void put_key(
	struct job_fixture *fixture, struct store_txn *txn, const char *id, const char *text)
{
	struct err err = ERR_INIT;
	struct vault_sealed sealed;
	struct secret key = SECRET_INIT;
	secret_set(&key, text, strlen(text));
	assert_int_equal(vault_seal(fixture->vault, id, VAULT_KEY, &key, NOW_S, NOW_S + 90 * DAY_S,
				 &sealed, &err),
		0);
	store_vault_put(txn, &sealed);
	vault_sealed_clear(&sealed);
	secret_clear(&key);
}

static struct job_record earlier_job(const struct job_fixture *fixture)
{
	struct job_record job = sample_job_running("j-20261101-000000-0000000001", ACCOUNT, REGION);
	job.plan_id = job.new_key_id = "p-20261101-000000-0000000001";
	job.arn = fixture->arn;
	job.certificate_id = "shop";
	job.phase = JOB_DONE;
	job.state = JOB_SUCCEEDED;
	job.created_s = job.updated_s = job.ended_s = NOW_S - 20 * DAY_S;
	job.may_have_imported = true;
	job.new_serial = "0a";
	return job;
}

static const char *plan_key_id(const struct job_fixture *fixture)
{
	return fixture->options.escrow == ESCROW_SECRETS_MANAGER ? "acmsensor/sensor1/" PLAN_ID
								 : PLAN_ID;
}

static void write_world(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	const struct job_fixture_options *options = &fixture->options;
	static const char tags[] = "owner\0shop team", hosts[] = "www.example.com:443";
	struct job_record earlier = earlier_job(fixture);
	struct plan_record plan = {.id = PLAN_ID,
		.connector = "prod",
		.account_id = ACCOUNT,
		.region = REGION,
		.arn = fixture->arn,
		.certificate_id = "shop",
		.decision = options->is_first_import ? PLAN_IMPORT_NEW : PLAN_REIMPORT,
		.created_s = NOW_S,
		.expires_s = NOW_S + PLAN_LIFE_S,
		.old_serial = options->is_first_import ? "" : "0a",
		.escrow = options->escrow,
		.key_id = plan_key_id(fixture),
		.tags = {.bytes = tags, .len = sizeof(tags), .count = 2},
		.may_roll_back = !options->lacks_old_key && options->no_rollback == NULL,
		.auto_rollback = options->auto_rollback,
		.rollback_reason = options->no_rollback != NULL ? options->no_rollback : "",
		.job_id = "",
		.requested_by = "uid 0",
		.document = "{}"};
	if (options->host != NULL)
		plan.verify_hosts = (struct pack){.bytes = hosts, .len = sizeof(hosts), .count = 1};
	put_pem(txn, fixture->new_pem, plan.leaf_sha256);
	put_pem(txn, fixture->old_pem, earlier.new_fingerprint_sha256);
	if (!options->is_first_import)
		memcpy(plan.old_fingerprint_sha256, earlier.new_fingerprint_sha256,
			CERT_SHA256_LEN);
	store_plan_put(txn, &plan);
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = REGION,
					.state = COVERAGE_OK,
					.last_success_s = NOW_S - 30 * DAY_S});
	if (!options->lacks_old_key && !options->is_first_import) {
		store_job_put(txn, &earlier);
		put_key(fixture, txn, earlier.new_key_id, OLD_KEY);
	}
	if (options->escrow == ESCROW_SENSOR)
		put_key(fixture, txn, PLAN_ID, NEW_KEY);
}

static void put_new_key(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	secret_set(&key, NEW_KEY, strlen(NEW_KEY));
	if (fixture->options.escrow == ESCROW_MEMORY)
		assert_int_equal(
			memory_key_put(fixture->delivery, PLAN_ID, &key, NOW_S + PLAN_LIFE_S, &err),
			0);
	if (fixture->options.escrow == ESCROW_SECRETS_MANAGER)
		write_acm_put_secret(&fixture->acm, plan_key_id(fixture), NEW_KEY);
	secret_clear(&key);
}

/* --- life -------------------------------------------------------------------------------------- */

static struct delivery *open_delivery(const struct job_fixture *fixture)
{
	return delivery_new(&(struct delivery_options){.loop = fixture->loop,
		.store = fixture->store,
		.vault = fixture->vault,
		.sensor_name = "sensor1",
		.times = {.plan_life_s = PLAN_LIFE_S, .keep_keys_s = KEEP_KEYS_S}});
}

void job_fixture_open(struct job_fixture *fixture, const struct job_fixture_options *options)
{
	static const struct job_fixture_options usual = {.host = NULL};
	struct err err = ERR_INIT;
	options = options != NULL ? options : &usual;
	fake_clock_set_now_s(NOW_S);
	fake_call_reset();
	fake_store_reset();
	*fixture = (struct job_fixture){.folder = temp_folder_new(),
		.loop = loop_new(&err),
		.acm = {.account_id = ACCOUNT, .region = REGION},
		.options = *options};
	if (fixture->options.escrow == 0)
		fixture->options.escrow = ESCROW_SENSOR;
	fixture->aws = aws_new(fixture->loop, NULL, "test");
	fixture->client = aws_client_new(fixture->aws, NULL, ACCOUNT, NULL);
	fixture->hub = aws_client_new(fixture->aws, NULL, "999988887777", NULL);
	fixture->store = temp_store_open(fixture->loop, fixture->folder);
	fixture->vault = vault_open(fixture->folder, NULL, &err);
	assert_non_null(fixture->vault);
	fixture->delivery = open_delivery(fixture);
	fixture->old_pem = make_cert_pem("www.example.com", 10, NOW_S - DAY_S, NOW_S + 30 * DAY_S);
	fixture->new_pem = make_cert_pem("www.example.com", 11, NOW_S - DAY_S, NOW_S + 90 * DAY_S);
	fixture->other_pem =
		make_cert_pem("www.example.com", 12, NOW_S - DAY_S, NOW_S + 80 * DAY_S);
	fake_call_set_answerer(write_acm_answer, &fixture->acm);
	fake_tls_probe_set(serve, fixture);
	if (!options->is_first_import) {
		struct write_acm_cert *cert =
			write_acm_add(&fixture->acm, fixture->old_pem, OLD_KEY);
		text_copy(fixture->arn, sizeof(fixture->arn), cert->arn);
		write_acm_set_tag(cert, "team", "a");
	}
	assert_int_equal(store_write_now(fixture->store, write_world, fixture, &err), 0);
	put_new_key(fixture);
}

static void search_folder(const char *folder)
{
	DIR *open = opendir(folder);
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
		struct stat status;
		char *path = temp_path(folder, entry->d_name);
		assert_int_equal(lstat(path, &status), 0);
		if (S_ISREG(status.st_mode)) {
			size_t len;
			char *bytes = read_file(path, &len);
			assert_null(memmem(bytes, len, OLD_KEY, strlen(OLD_KEY)));
			assert_null(memmem(bytes, len, NEW_KEY, strlen(NEW_KEY)));
			free(bytes);
		}
		free(path);
	}
	closedir(open);
}

/* No key lies in the data directory as it is. */
static void search_keys(const struct job_fixture *fixture)
{
	char *vault = temp_path(fixture->folder, "vault");
	search_folder(fixture->folder);
	search_folder(vault);
	free(vault);
}

void job_fixture_close(struct job_fixture *fixture)
{
	assert_null(fixture->run);
	delivery_free(fixture->delivery);
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_loop_timer_count(), 0);
	vault_close(fixture->vault);
	store_close(fixture->store);
	search_keys(fixture);
	aws_client_free(fixture->client);
	aws_client_free(fixture->hub);
	aws_free(fixture->aws);
	fake_call_reset();
	loop_free(fixture->loop);
	temp_folder_remove(fixture->folder);
	write_acm_clear(&fixture->acm);
	free(fixture->old_pem);
	free(fixture->new_pem);
	free(fixture->other_pem);
}

/* --- running ----------------------------------------------------------------------------------- */

static void write_order(struct store_txn *txn, void *arg)
{
	job_order_write(txn, arg);
}

int job_fixture_order(struct job_fixture *fixture, struct job_order *order, struct err *err)
{
	order->connector = "prod";
	order->account_id = ACCOUNT;
	order->region = REGION;
	order->requested_by = "uid 0";
	order->now_s = clock_now_s();
	if (order->id[0] == '\0')
		delivery_new_id(order->kind == JOB_DELIVER    ? JOB_ID_DELIVER
				: order->kind == JOB_ROLLBACK ? JOB_ID_ROLLBACK
							      : JOB_ID_DELETE,
			order->now_s, order->id);
	if (store_write_now(fixture->store, write_order, order, err) != 0)
		return -1;
	text_copy(fixture->job_id, sizeof(fixture->job_id), order->id);
	return 0;
}

void job_fixture_apply(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct job_order order = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	if (job_fixture_order(fixture, &order, &err) != 0)
		fail_msg("%s", err.text);
}

static void write_cancel(struct store_txn *txn, void *arg)
{
	const struct job_fixture *fixture = arg;
	job_cancel_write(txn, fixture->job_id, clock_now_s());
}

int job_fixture_cancel_job(struct job_fixture *fixture, struct err *err)
{
	return store_write_now(fixture->store, write_cancel, fixture, err);
}

static void on_done(void *arg, const struct err *err)
{
	struct job_fixture *fixture = arg;
	fixture->run = NULL;
	fixture->ends++;
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
}

struct delivery_target job_fixture_target(const struct job_fixture *fixture)
{
	return (struct delivery_target){.client = fixture->client,
		.hub = fixture->hub,
		.hub_region = "us-east-1",
		.kms_key_id = "",
		.connector = "prod",
		.partition = "aws",
		.account_id = ACCOUNT,
		.region = REGION};
}

void job_fixture_start(struct job_fixture *fixture)
{
	const struct delivery_target target = job_fixture_target(fixture);
	fixture->run = job_run_start(fixture->delivery, &target, fixture->job_id, on_done, fixture);
}

void job_fixture_be_away(struct job_fixture *fixture, const struct err *why)
{
	const struct delivery_target target = {.hub_region = "", .account_id = ACCOUNT};
	fixture->run = job_run_start_away(
		fixture->delivery, &target, fixture->job_id, why, 30, on_done, fixture);
	while (fixture->run != NULL)
		assert_true(fake_loop_step());
}

void job_fixture_restart(struct job_fixture *fixture)
{
	job_run_cancel(fixture->run);
	fixture->run = NULL;
	delivery_free(fixture->delivery);
	fixture->delivery = open_delivery(fixture);
	job_fixture_start(fixture);
}

void job_fixture_finish(struct job_fixture *fixture)
{
	struct job_outcome outcome;
	for (int i = 0; i < STEPS_MAX; i++) {
		if (fixture->run != NULL) {
			assert_true(fake_loop_step());
			continue;
		}
		job_fixture_outcome(fixture, fixture->job_id, &outcome);
		if (outcome.state != JOB_RUNNING)
			return;
		assert_int_not_equal(fixture->err.kind, ERR_NONE);
		job_fixture_start(fixture);
	}
	fail_msg("the job does not end");
}

/* --- looking ----------------------------------------------------------------------------------- */

void job_fixture_outcome(
	struct job_fixture *fixture, const char *job_id, struct job_outcome *ret_outcome)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(store_job_get(txn, job_id, &job));
	*ret_outcome = (struct job_outcome){.state = job.state,
		.phase = job.phase,
		.may_have_imported = job.may_have_imported,
		.attempts = job.attempts,
		.next_attempt_s = job.next_attempt_s,
		.keep_key_until_s = job.keep_key_until_s};
	text_copy(ret_outcome->reason, sizeof(ret_outcome->reason), job.reason);
	text_copy(ret_outcome->evidence, sizeof(ret_outcome->evidence), job.evidence);
	text_copy(ret_outcome->arn, sizeof(ret_outcome->arn), job.arn);
	text_copy(ret_outcome->old_key_id, sizeof(ret_outcome->old_key_id), job.old_key_id);
	text_copy(ret_outcome->new_key_id, sizeof(ret_outcome->new_key_id), job.new_key_id);
	store_read_end(txn);
}

bool job_fixture_has_key(struct job_fixture *fixture, const char *id)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	bool has = store_vault_has(txn, id);
	store_read_end(txn);
	return has;
}

void job_fixture_running(struct job_fixture *fixture, char ret_id[DELIVERY_ID_MAX + 1])
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	char position[DELIVERY_ID_MAX + 1] = "";
	ret_id[0] = '\0';
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	while (store_job_next(txn, position, &job)) {
		if (job.state != JOB_RUNNING)
			continue;
		assert_string_equal(ret_id, "");
		text_copy(ret_id, DELIVERY_ID_MAX + 1, job.id);
	}
	store_read_end(txn);
}

/* --- of a test -------------------------------------------------------------------------------- */

struct job_fixture world;

int job_fixture_set_up(void **state)
{
	(void)state;
	job_fixture_open(&world, NULL);
	return 0;
}

int job_fixture_tear_down(void **state)
{
	(void)state;
	job_fixture_close(&world);
	return 0;
}

void job_fixture_see_end(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	job_fixture_finish(fixture);
	job_fixture_outcome(fixture, fixture->job_id, ret_outcome);
}

void job_fixture_run(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	job_fixture_start(fixture);
	job_fixture_see_end(fixture, ret_outcome);
}

void job_fixture_run_plan(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	job_fixture_apply(fixture);
	job_fixture_run(fixture, ret_outcome);
}

void job_fixture_expect(const struct job_outcome *outcome, enum job_state state, const char *text)
{
	if (outcome->state != state || strstr(outcome->reason, text) == NULL)
		fail_msg("state %d: \"%s\"; expected %d \"%s\"", (int)outcome->state,
			outcome->reason, (int)state, text);
}

void job_fixture_expect_tag(struct job_fixture *fixture, const char *key, const char *value)
{
	const char *text = write_acm_tag(&fixture->acm.cert[0], key);
	assert_non_null(text);
	assert_string_equal(text, value);
}

void job_fixture_let_acm_hold(struct job_fixture *fixture, const char *pem)
{
	free(fixture->acm.cert[0].pem);
	fixture->acm.cert[0].pem = strdup(pem);
}

int job_fixture_order_roll_back(struct job_fixture *fixture, struct err *err)
{
	char of_job_id[DELIVERY_ID_MAX + 1]; /* the order replaces the fixture's */
	memcpy(of_job_id, fixture->job_id, sizeof(of_job_id));
	struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = of_job_id};
	return job_fixture_order(fixture, &order, err);
}

void job_fixture_roll_back(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	struct err err = ERR_INIT;
	if (job_fixture_order_roll_back(fixture, &err) != 0)
		fail_msg("%s", err.text);
	job_fixture_run(fixture, ret_outcome);
}

void job_fixture_wipe_due(struct store_txn *txn, void *arg)
{
	const int64_t *now_s = arg;
	store_vault_delete_due(txn, *now_s);
}
