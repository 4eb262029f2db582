/*
 * The consistency check. It decodes by itself instead of through certs.c and its neighbours, whose
 * first damaged record ends the transaction: here the rest is to be looked at as well.
 */
#include "store/check.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/accounts.h"
#include "store/alerts_internal.h"
#include "store/cert_internal.h"
#include "store/coverage.h"
#include "store/delivery_internal.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/key_internal.h"
#include "store/record_internal.h"

enum { PROBLEM_MAX = 640, KEY_SHOWN_MAX = 200 };

struct check {
	struct store_txn *txn;
	store_check_fn *found;
	void *arg;
	int64_t problems;
	int64_t domain_entries; /* those that certificates must have and do have */
};

static bool is_index(enum store_table table)
{
	return table == TABLE_CERT_EXPIRY || table == TABLE_CERT_FINGERPRINT ||
	       table == TABLE_CERT_DOMAIN || table == TABLE_JOBS_RUNNING || table == TABLE_JOB_LEAF;
}

/* table: where it is to be mended; key: of what lacks or has something. */
static void report(struct check *check, enum store_table table, struct slice key,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void report(
	struct check *check, enum store_table table, struct slice key, const char *format, ...)
{
	char what[PROBLEM_MAX], problem[2 * PROBLEM_MAX];
	struct buf shown;
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	buf_init(&shown, PROBLEM_MAX * 4);
	text_escape(&shown, (const char *)key.bytes, key.len, KEY_SHOWN_MAX);
	snprintf(problem, sizeof(problem), "table %s, key \"%s\": %s", table_name(table),
		buf_text(&shown), what);
	buf_clear(&shown);
	check->problems++;
	check->found(check->arg, problem, is_index(table));
}

/* --- walking a table ------------------------------------------------------------------------- */

typedef void entry_fn(struct check *check, struct slice key, struct slice value);

static void walk(struct check *check, enum store_table table, entry_fn *entry)
{
	struct key at = key_empty();
	struct slice key, value;
	while (txn_seek(check->txn, table, &at, false, &key, &value)) {
		at = key_bytes(key.bytes, key.len);
		entry(check, key, value);
	}
}

static bool decode(struct check *check, enum store_table table, struct slice key,
	struct slice value, const struct record_format *format, void *ret_record)
{
	struct err err = ERR_INIT;
	if (record_decode(format, value.bytes, value.len, ret_record, &err) == 0)
		return true;
	report(check, table, key, "%s", err.text);
	return false;
}

static bool has(struct check *check, enum store_table table, const struct key *key)
{
	struct slice value;
	return txn_get(check->txn, table, key, &value);
}

/* --- certificates ---------------------------------------------------------------------------- */

static void check_cert_indexes(
	struct check *check, struct slice key, const struct cert_record *cert)
{
	struct slice value;
	struct key expiry = key_cert_expiry(cert->not_after_s, cert->arn);
	if (!txn_get(check->txn, TABLE_CERT_EXPIRY, &expiry, &value))
		report(check, TABLE_CERT_EXPIRY, key, "has no entry in the expiry index");
	else if (value.len != 1 || value.bytes[0] != cert_flags(cert))
		report(check, TABLE_CERT_EXPIRY, key, "has other flags in the expiry index");
	struct key fingerprint = key_cert_fingerprint(cert->fingerprint_sha256, cert->arn);
	if (delivery_has_hash(cert->fingerprint_sha256) &&
		!has(check, TABLE_CERT_FINGERPRINT, &fingerprint))
		report(check, TABLE_CERT_FINGERPRINT, key, "has no entry in the fingerprint index");
	struct domain_keys names;
	domain_keys_make(cert, &names);
	for (size_t i = 0; i < names.count; i++)
		if (!txn_get(check->txn, TABLE_CERT_DOMAIN, &names.key[i], &value) ||
			value.len != key.len || memcmp(value.bytes, key.bytes, key.len) != 0)
			report(check, TABLE_CERT_DOMAIN, key,
				"has no entry in the domain index for name %zu", i);
		else
			check->domain_entries++;
	domain_keys_clear(&names);
}

static bool has_serial(struct check *check, const struct cert_record *cert)
{
	struct key prefix = key_history(cert->arn, 0), at = prefix;
	struct slice key, value;
	while (txn_seek(check->txn, TABLE_HISTORY, &at, false, &key, &value) &&
		key_is_prefix_of(&prefix, key.bytes, key.len)) {
		struct cert_history history;
		struct err err = ERR_INIT;
		if (record_decode(&cert_history_format, value.bytes, value.len, &history, &err) ==
				0 &&
			strcmp(history.serial, cert->serial) == 0)
			return true;
		at = key_bytes(key.bytes, key.len);
	}
	return false;
}

static void check_cert(struct check *check, struct slice key, struct slice value)
{
	struct cert_record cert;
	if (!decode(check, TABLE_CERTS, key, value, &cert_format, &cert))
		return;
	struct key own = key_cert(cert.arn);
	if (!key_equals(&own, key.bytes, key.len)) {
		report(check, TABLE_CERTS, key, "holds the certificate %s", cert.arn);
		return;
	}
	const char *flaw = cert_flaw(key, &cert);
	if (flaw != NULL)
		report(check, TABLE_CERTS, key, "%s", flaw);
	check_cert_indexes(check, key, &cert);
	struct key pem = key_pem(cert.fingerprint_sha256);
	if (cert.has_pem && !has(check, TABLE_PEM, &pem))
		report(check, TABLE_CERTS, key, "its PEM is missing");
	for (uint32_t i = 0; i < cert.chain_count; i++) {
		struct key link = key_pem(cert.chain_sha256[i]);
		if (!has(check, TABLE_PEM, &link))
			report(check, TABLE_CERTS, key, "certificate %u of its chain is missing",
				i);
	}
	if (cert.serial[0] != '\0' && !has_serial(check, &cert))
		report(check, TABLE_CERTS, key, "its serial is not in the history");
}

/* The certificate an index entry stands for; false: reported. */
static bool get_cert(struct check *check, enum store_table table, struct slice entry,
	struct slice arn, struct cert_record *ret)
{
	struct err err = ERR_INIT;
	struct key key = key_bytes(arn.bytes, arn.len);
	struct slice value;
	if (!txn_get(check->txn, TABLE_CERTS, &key, &value)) {
		report(check, table, entry, "stands for no certificate");
		return false;
	}
	/* A damaged one is reported where it is. */
	return record_decode(&cert_format, value.bytes, value.len, ret, &err) == 0;
}

static struct slice behind(struct slice key, size_t skip)
{
	size_t skipped = key.len < skip ? key.len : skip;
	return (struct slice){.bytes = key.bytes + skipped, .len = key.len - skipped};
}

static void check_expiry(struct check *check, struct slice key, struct slice value)
{
	(void)value; /* compared with the record in check_cert */
	struct cert_record cert;
	if (!get_cert(check, TABLE_CERT_EXPIRY, key, behind(key, sizeof(uint64_t)), &cert))
		return;
	struct key own = key_cert_expiry(cert.not_after_s, cert.arn);
	if (!key_equals(&own, key.bytes, key.len))
		report(check, TABLE_CERT_EXPIRY, key, "the certificate has another expiry");
}

static void check_fingerprint(struct check *check, struct slice key, struct slice value)
{
	(void)value; /* always empty */
	struct cert_record cert;
	if (!get_cert(check, TABLE_CERT_FINGERPRINT, key, behind(key, CERT_SHA256_LEN), &cert))
		return;
	struct key own = key_cert_fingerprint(cert.fingerprint_sha256, cert.arn);
	if (!key_equals(&own, key.bytes, key.len))
		report(check, TABLE_CERT_FINGERPRINT, key,
			"the certificate has another fingerprint");
}

static void check_domain(struct check *check, struct slice key, struct slice value)
{
	struct cert_record cert;
	struct domain_keys names;
	if (!get_cert(check, TABLE_CERT_DOMAIN, key, value, &cert))
		return;
	domain_keys_make(&cert, &names);
	if (!domain_keys_have(&names, key))
		report(check, TABLE_CERT_DOMAIN, key, "the certificate has no such name: %s",
			cert.arn);
	domain_keys_clear(&names);
}

static void check_history(struct check *check, struct slice key, struct slice value)
{
	struct cert_history history;
	if (!decode(check, TABLE_HISTORY, key, value, &cert_history_format, &history))
		return;
	size_t tail = sizeof(uint32_t) + 1; /* separator and number */
	if (key.len <= tail) {
		report(check, TABLE_HISTORY, key, "not a key of this table");
		return;
	}
	struct key arn = key_bytes(key.bytes, key.len - tail);
	if (!has(check, TABLE_CERTS, &arn))
		report(check, TABLE_HISTORY, key, "stands for no certificate");
}

static void check_pem(struct check *check, struct slice key, struct slice value)
{
	unsigned char sha256[CERT_SHA256_LEN];
	SHA256(value.bytes, value.len, sha256);
	if (key.len != sizeof(sha256) || memcmp(sha256, key.bytes, sizeof(sha256)) != 0)
		report(check, TABLE_PEM, key, "the certificate is not the one of this hash");
}

/* --- the rest -------------------------------------------------------------------------------- */

static void check_own_key(
	struct check *check, enum store_table table, struct slice key, const struct key *own)
{
	if (!key_equals(own, key.bytes, key.len))
		report(check, table, key, "holds a record of another key");
}

static void check_account(struct check *check, struct slice key, struct slice value)
{
	struct account_record account;
	if (!decode(check, TABLE_ACCOUNTS, key, value, &account_format, &account))
		return;
	struct key own = key_account(account.connector, account.account_id);
	check_own_key(check, TABLE_ACCOUNTS, key, &own);
}

static void check_unit(struct check *check, struct slice key, struct slice value)
{
	struct unit_record unit;
	if (!decode(check, TABLE_UNITS, key, value, &unit_format, &unit))
		return;
	struct key own = key_unit(unit.connector, unit.unit_id);
	check_own_key(check, TABLE_UNITS, key, &own);
}

static void check_cycle(struct check *check, struct slice key, struct slice value)
{
	struct cycle_record cycle;
	if (!decode(check, TABLE_CYCLES, key, value, &cycle_format, &cycle))
		return;
	struct key own = key_cycle(cycle.connector);
	check_own_key(check, TABLE_CYCLES, key, &own);
}

static void check_coverage(struct check *check, struct slice key, struct slice value)
{
	struct coverage_record coverage;
	if (!decode(check, TABLE_COVERAGE, key, value, &coverage_format, &coverage))
		return;
	struct key own = key_coverage(coverage.connector, coverage.account_id, coverage.region);
	check_own_key(check, TABLE_COVERAGE, key, &own);
	if ((unsigned)coverage.state >= COVERAGE_STATES)
		report(check, TABLE_COVERAGE, key, "unknown state %d", (int)coverage.state);
}

/* --- deliveries ------------------------------------------------------------------------------ */

static void check_sealed(struct check *check, struct slice key, struct slice value)
{
	struct vault_record record;
	if (!decode(check, TABLE_VAULT, key, value, &vault_format, &record))
		return;
	const char *flaw = vault_flaw(key, &record);
	if (flaw != NULL)
		report(check, TABLE_VAULT, key, "%s", flaw);
}

static void check_need(struct check *check, struct slice key, struct slice value)
{
	const char *flaw = vault_need_flaw(value);
	if (flaw != NULL)
		report(check, TABLE_VAULT_NEEDS, key, "%s", flaw);
	const unsigned char *end = memchr(key.bytes, KEY_SEPARATOR, key.len);
	struct key id = key_bytes(key.bytes, end != NULL ? (size_t)(end - key.bytes) : key.len);
	if (!has(check, TABLE_VAULT, &id))
		report(check, TABLE_VAULT_NEEDS, key, "stands for no sealed key");
}

/* What the hashes of a plan or a job name. */
static void check_chain(struct check *check, enum store_table table, struct slice key,
	const unsigned char (*sha256)[CERT_SHA256_LEN], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct key link = key_pem(sha256[i]);
		if (!has(check, TABLE_PEM, &link))
			report(check, table, key, "certificate %u of its chain is missing", i);
	}
}

static void check_plan(struct check *check, struct slice key, struct slice value)
{
	struct plan_record plan;
	if (!decode(check, TABLE_PLANS, key, value, &plan_format, &plan))
		return;
	const char *flaw = plan_flaw(key, &plan);
	if (flaw != NULL)
		report(check, TABLE_PLANS, key, "%s", flaw);
	struct key leaf = key_pem(plan.leaf_sha256);
	if (delivery_has_hash(plan.leaf_sha256) && !has(check, TABLE_PEM, &leaf))
		report(check, TABLE_PLANS, key, "its certificate is missing");
	check_chain(check, TABLE_PLANS, key, plan.chain_sha256, plan.chain_count);
}

static void check_job(struct check *check, struct slice key, struct slice value)
{
	struct job_record job;
	if (!decode(check, TABLE_JOBS, key, value, &job_format, &job))
		return;
	const char *flaw = job_flaw(key, &job);
	if (flaw != NULL) {
		report(check, TABLE_JOBS, key, "%s", flaw);
		return;
	}
	check_chain(check, TABLE_JOBS, key, job.old_chain_sha256, job.old_chain_count);
	struct key own = key_id(job.id, DELIVERY_ID_MAX);
	if (job.state == JOB_RUNNING && !has(check, TABLE_JOBS_RUNNING, &own))
		report(check, TABLE_JOBS_RUNNING, key, "is not among those that run");
	struct key leaf = key_job_leaf(job.arn, job.new_fingerprint_sha256);
	if (job_is_delivery(&job) && !has(check, TABLE_JOB_LEAF, &leaf))
		report(check, TABLE_JOB_LEAF, key, "is not found by what it delivered");
}

static void check_job_running(struct check *check, struct slice key, struct slice value)
{
	(void)value; /* a mark */
	struct key id = key_bytes(key.bytes, key.len);
	struct slice found;
	struct job_record job;
	struct err err = ERR_INIT;
	if (!txn_get(check->txn, TABLE_JOBS, &id, &found))
		report(check, TABLE_JOBS_RUNNING, key, "stands for no job");
	else if (record_decode(&job_format, found.bytes, found.len, &job, &err) == 0 &&
		 job.state != JOB_RUNNING)
		report(check, TABLE_JOBS_RUNNING, key, "the job does not run");
}

static void check_job_leaf(struct check *check, struct slice key, struct slice value)
{
	struct key id = key_bytes(value.bytes, value.len);
	struct slice found;
	struct job_record job;
	struct err err = ERR_INIT;
	if (!txn_get(check->txn, TABLE_JOBS, &id, &found)) {
		report(check, TABLE_JOB_LEAF, key, "stands for no job");
		return;
	}
	if (record_decode(&job_format, found.bytes, found.len, &job, &err) != 0)
		return; /* reported where it is */
	struct key own = key_job_leaf(job.arn, job.new_fingerprint_sha256);
	if (!job_is_delivery(&job) || !key_equals(&own, key.bytes, key.len))
		report(check, TABLE_JOB_LEAF, key, "the job %s did not deliver that", job.id);
}

static void check_job_step(struct check *check, struct slice key, struct slice value)
{
	struct job_step step;
	size_t tail = sizeof(uint32_t) + 1; /* separator and number */
	if (!decode(check, TABLE_JOB_STEPS, key, value, &job_step_format, &step))
		return;
	const char *flaw = "not a key of this table";
	if (key.len > tail)
		flaw = job_step_flaw(key_read_u32(key.bytes + key.len - sizeof(uint32_t)), &step);
	if (flaw != NULL) {
		report(check, TABLE_JOB_STEPS, key, "%s", flaw);
		return;
	}
	struct key job = key_bytes(key.bytes, key.len - tail);
	if (!has(check, TABLE_JOBS, &job))
		report(check, TABLE_JOB_STEPS, key, "stands for no job");
}

static void check_deliveries(struct check *check)
{
	walk(check, TABLE_VAULT, check_sealed);
	walk(check, TABLE_VAULT_NEEDS, check_need);
	walk(check, TABLE_PLANS, check_plan);
	walk(check, TABLE_JOBS, check_job);
	walk(check, TABLE_JOBS_RUNNING, check_job_running);
	walk(check, TABLE_JOB_LEAF, check_job_leaf);
	walk(check, TABLE_JOB_STEPS, check_job_step);
}

/* --- alerts ---------------------------------------------------------------------------------- */

static void check_alert(struct check *check, struct slice key, struct slice value)
{
	struct alert_record alert;
	if (!decode(check, TABLE_ALERTS, key, value, &alert_format, &alert))
		return;
	const char *flaw = alert_flaw(key, &alert);
	if (flaw != NULL)
		report(check, TABLE_ALERTS, key, "%s", flaw);
}

/* The alert may be forgotten before its notices are. */
static void check_notice(struct check *check, struct slice key, struct slice value)
{
	struct alert_notice notice;
	if (!decode(check, TABLE_ALERT_NOTICES, key, value, &alert_notice_format, &notice))
		return;
	const char *flaw = alert_notice_flaw(key, &notice);
	if (flaw != NULL)
		report(check, TABLE_ALERT_NOTICES, key, "%s", flaw);
}

static void check_channel(struct check *check, struct slice key, struct slice value)
{
	struct alert_channel_record channel;
	if (!decode(check, TABLE_ALERT_CHANNELS, key, value, &alert_channel_format, &channel))
		return;
	const char *flaw = alert_channel_flaw(key, &channel);
	if (flaw != NULL)
		report(check, TABLE_ALERT_CHANNELS, key, "%s", flaw);
}

static void check_alerts(struct check *check)
{
	walk(check, TABLE_ALERTS, check_alert);
	walk(check, TABLE_ALERT_NOTICES, check_notice);
	walk(check, TABLE_ALERT_CHANNELS, check_channel);
}

/* --- all of it ------------------------------------------------------------------------------- */

static void check_events(struct check *check)
{
	struct err err = ERR_INIT;
	if (store_txn_failed(check->txn) || store_event_verify(check->txn, &err) == 0)
		return;
	if (store_txn_failed(check->txn))
		return; /* LMDB's failure, which ends the check */
	check->problems++;
	check->found(check->arg, err.text, false);
}

int store_check(struct store *store, store_check_fn *found, void *arg, int64_t *ret_problems,
	struct err *err)
{
	struct check check = {.found = found, .arg = arg};
	if (store_read_begin(store, &check.txn, err) != 0)
		return -1;
	walk(&check, TABLE_ACCOUNTS, check_account);
	walk(&check, TABLE_UNITS, check_unit);
	walk(&check, TABLE_CYCLES, check_cycle);
	walk(&check, TABLE_COVERAGE, check_coverage);
	walk(&check, TABLE_CERTS, check_cert);
	walk(&check, TABLE_CERT_EXPIRY, check_expiry);
	walk(&check, TABLE_CERT_FINGERPRINT, check_fingerprint);
	/* As many as there must be, and those that must be are there: then there are no others, and
	 * a certificate with thousands of names need not be taken apart for each of them. */
	if (txn_count(check.txn, TABLE_CERT_DOMAIN) != check.domain_entries)
		walk(&check, TABLE_CERT_DOMAIN, check_domain);
	walk(&check, TABLE_HISTORY, check_history);
	walk(&check, TABLE_PEM, check_pem);
	check_deliveries(&check);
	check_alerts(&check);
	check_events(&check);
	int rc = store_txn_check(check.txn, err);
	store_read_end(check.txn);
	if (rc == 0)
		*ret_problems = check.problems;
	return rc;
}
