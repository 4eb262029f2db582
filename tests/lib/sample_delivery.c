/* See sample_delivery.h. */
#include "tests/lib/sample_delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/store.h"

enum { NOW_S = 1795219200 };

const struct plan_record sample_plan = {.id = "plan-1",
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.arn = "arn:aws:acm:eu-west-1:000000000001:certificate/1",
	.certificate_id = "shop",
	.decision = PLAN_REIMPORT,
	.created_s = 1,
	.expires_s = 2,
	.old_serial = "0a",
	.old_fingerprint_sha256 = {3},
	.leaf_sha256 = {4},
	.chain_sha256 = {{5}, {6}},
	.chain_count = 2,
	.escrow = ESCROW_SECRETS_MANAGER,
	.key_id = "acmsensor/plan-1",
	.tags = {.bytes = "team\0shop", .len = 10, .count = 2},
	.verify_hosts = {.bytes = "a:443\0b:8443", .len = 13, .count = 2},
	.may_roll_back = true,
	.auto_rollback = true,
	.rollback_reason = "kept",
	.job_id = "job-1",
	.requested_by = "uid 0",
	.document = "{\"id\":\"plan-1\"}"};

const struct job_record sample_job = {.id = "job-1",
	.kind = JOB_DELIVER,
	.plan_id = "plan-1",
	.of_job_id = "job-0",
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.arn = "arn:aws:acm:eu-west-1:000000000001:certificate/1",
	.certificate_id = "shop",
	.phase = JOB_CONFIRM,
	.state = JOB_RUNNING,
	.reason = "waits",
	.created_s = 1,
	.updated_s = 2,
	.ended_s = 3,
	.next_attempt_s = 4,
	.attempts = 5,
	.is_cancel_asked = true,
	.may_have_imported = true,
	.import_sent_s = 6,
	.old_serial = "0a",
	.new_serial = "0b",
	.old_fingerprint_sha256 = {7},
	.new_fingerprint_sha256 = {8},
	.old_chain_sha256 = {{9}, {10}},
	.old_chain_count = 2,
	.old_key_id = "key-1",
	.new_key_id = "key-2",
	.keep_key_until_s = 11,
	.old_tags = {.bytes = "team\0shop", .len = 10, .count = 2},
	.evidence = "{}",
	.requested_by = "uid 0"};

struct job_record sample_job_running(const char *id, const char *account_id, const char *region)
{
	return (struct job_record){.id = id,
		.kind = JOB_DELIVER,
		.plan_id = "",
		.of_job_id = "",
		.connector = "prod",
		.account_id = account_id,
		.region = region,
		.arn = "",
		.certificate_id = "",
		.phase = JOB_CHECK,
		.state = JOB_RUNNING,
		.reason = "",
		.created_s = NOW_S,
		.updated_s = NOW_S,
		.old_serial = "",
		.new_serial = "",
		.old_key_id = "",
		.new_key_id = "",
		.evidence = "",
		.requested_by = "uid 0"};
}

struct plan_record sample_plan_waiting(const char *id, const char *account_id, const char *region)
{
	return (struct plan_record){.id = id,
		.connector = "prod",
		.account_id = account_id,
		.region = region,
		.arn = "",
		.certificate_id = "",
		.decision = PLAN_IMPORT_NEW,
		.created_s = NOW_S,
		.expires_s = NOW_S + 3600,
		.old_serial = "",
		.escrow = ESCROW_SENSOR,
		.key_id = id,
		.rollback_reason = "",
		.job_id = "",
		.requested_by = "uid 0",
		.document = "{}"};
}

static void write_plan(struct store_txn *txn, void *arg)
{
	store_plan_put(txn, arg);
}

void sample_plan_put(struct store *store, const struct plan_record *plan)
{
	struct err err = ERR_INIT;
	if (store_write_now(store, write_plan, (void *)(uintptr_t)plan, &err) != 0)
		fail_msg("%s", err.text);
}

static void write_job(struct store_txn *txn, void *arg)
{
	store_job_put(txn, arg);
}

void sample_job_put(struct store *store, const struct job_record *job)
{
	struct err err = ERR_INIT;
	if (store_write_now(store, write_job, (void *)(uintptr_t)job, &err) != 0)
		fail_msg("%s", err.text);
}
