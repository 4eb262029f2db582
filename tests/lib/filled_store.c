/* See filled_store.h. */
#include "tests/lib/filled_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "store/vault.h"
#include "tests/lib/fill.h"
#include "tests/lib/temp_store.h"

enum { NAME_LONG = 300, ODD_FIRST = 1000000 };

/* A SAN may hold anything; a domain name is 63 bytes here. */
static const char *const odd_name[][2] = {
	{"WWW.Example.COM", "example.com"},
	{"www.example.com.", "*.example.com"},
	{"*.example.com", "*.example.com"},
	{"a.*.example.com", "*.*.example.com"},
	{"xn--bcher-kva.example.com", "b\303\274cher.example.com"},
	{"localhost", "*"},
	{".", ".."},
	{"a..b", "*."},
	{"192.0.2.1", "2001:db8::1"},
	{"blank in.name", "tab\tin.name"},
	{"x@example.com", "https://example.com/x"},
	{"\377\376", "\303"},
};

static const struct {
	const char *partition, *region;
} place[] = {{"aws-us-gov", "us-gov-west-1"}, {"aws-cn", "cn-north-1"}, {"aws", "eu-central-1"},
	{"aws", "us-east-1"}, {"aws", "us-east-2"}};

static const int64_t ends_s[] = {-62135596800, -1, 1, 253402300799, 0};

static void put_odd(struct store_txn *txn, uint32_t number)
{
	struct sample_cert sample;
	char long_name[NAME_LONG + 1];
	size_t at = number % (sizeof(place) / sizeof(place[0]));
	sample_cert_init(&sample, ODD_FIRST + number);
	snprintf(sample.arn, sizeof(sample.arn), "arn:%s:acm:%s:%s:certificate/%u",
		place[at].partition, place[at].region, sample.account_id, number);
	sample.record.region = place[at].region;
	sample.record.not_after_s = ends_s[number % (sizeof(ends_s) / sizeof(ends_s[0]))];
	for (size_t i = 0; i < NAME_LONG; i++)
		long_name[i] = i % 50 == 49 ? '.' : (char)('a' + i % 26);
	long_name[NAME_LONG] = '\0';
	sample_cert_set_names(&sample, odd_name[number][0], odd_name[number][1],
		number == 0 ? long_name : "www.example.com", NULL);
	/* Two in three share a certificate, as one that was imported into several regions. */
	if (number % 3 != 0)
		memset(sample.record.fingerprint_sha256, 0xab, CERT_SHA256_LEN);
	sample.record.has_pem = false; /* no DER lies under these hashes */
	sample.record.chain_count = 0;
	store_cert_put(txn, &sample.record);
	sample_cert_clear(&sample);
}

static void put_odd_ones(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < sizeof(odd_name) / sizeof(odd_name[0]); i++)
		put_odd(txn, i);
}

/* --- deliveries -------------------------------------------------------------------------------- */

/* Of the certificate `number` of fill.h, whose PEM is there. */
static void put_delivery(struct store_txn *txn, uint32_t number, enum job_state state)
{
	struct sample_cert sample;
	char plan_id[32], job_id[32];
	sample_cert_init(&sample, number);
	const struct cert_record *cert = &sample.record;
	snprintf(plan_id, sizeof(plan_id), "p-20261121-00000%u", number);
	snprintf(job_id, sizeof(job_id), "j-20261121-00000%u", number);
	struct plan_record plan = {.id = plan_id,
		.decision = PLAN_REIMPORT,
		.escrow = ESCROW_SENSOR,
		.arn = cert->arn,
		.key_id = plan_id,
		.tags = cert->tags,
		.verify_hosts = cert->sans,
		.chain_count = 1,
		.document = "{\"decision\":\"reimport\"}"};
	struct job_record job = {.id = job_id,
		.kind = JOB_DELIVER,
		.phase = state == JOB_RUNNING ? JOB_CONFIRM : JOB_DONE,
		.state = state,
		.plan_id = plan_id,
		.arn = cert->arn,
		.ended_s = state == JOB_RUNNING ? 0 : SAMPLE_NOW_S,
		.old_tags = cert->tags,
		.old_chain_count = 1,
		.new_key_id = plan_id,
		.evidence = "{}"};
	memcpy(plan.leaf_sha256, cert->fingerprint_sha256, CERT_SHA256_LEN);
	memcpy(plan.chain_sha256, cert->chain_sha256, CERT_SHA256_LEN);
	memcpy(job.new_fingerprint_sha256, cert->fingerprint_sha256, CERT_SHA256_LEN);
	memcpy(job.old_chain_sha256, cert->chain_sha256, CERT_SHA256_LEN);
	store_plan_put(txn, &plan);
	store_job_put(txn, &job);
	for (enum job_phase phase = JOB_CHECK; phase <= JOB_TAG; phase++)
		store_job_step_append(txn, job_id,
			&(struct job_step){.at_s = SAMPLE_NOW_S, .phase = phase, .text = "done"});
	sample_cert_clear(&sample);
}

static void put_deliveries(struct store_txn *txn, void *arg)
{
	unsigned char bytes[64] = {0};
	(void)arg;
	put_delivery(txn, 0, JOB_RUNNING);
	put_delivery(txn, 1, JOB_SUCCEEDED);
	put_delivery(txn, 2, JOB_FAILED);
	store_vault_put(txn, &(struct vault_sealed){.id = "p-20261121-000000",
				     .kind = VAULT_KEY,
				     .epoch = SAMPLE_NOW_S,
				     .bytes = bytes,
				     .len = sizeof(bytes)});
}

struct store *filled_store_open(struct loop *loop, uint32_t certificates)
{
	struct err err = ERR_INIT;
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0); /* else below /tmp */
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(loop, folder);
	if (fill(store, certificates, SAMPLE_NOW_S, &err) != 0 ||
		store_write_now(store, put_odd_ones, NULL, &err) != 0 ||
		store_write_now(store, put_deliveries, NULL, &err) != 0) {
		fprintf(stderr, "filled_store: %s\n", err.text);
		abort();
	}
	temp_folder_remove(folder);
	return store;
}
