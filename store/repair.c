/*
 * Indexes are made anew from their records: they hold nothing that is not in these. What is damaged
 * in a record is nobody's to guess; it stays for the check to tell, and for a backup to mend.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/cert_internal.h"
#include "store/check.h"
#include "store/delivery_internal.h"
#include "store/jobs.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

/* value lies outside the map, which changes under it. */
typedef void add_fn(struct store_txn *txn, struct slice key, struct slice value);

static void walk(struct store_txn *txn, enum store_table table, add_fn *add)
{
	struct key at = key_empty();
	struct slice key, value;
	struct buf copy;
	buf_init(&copy, STORE_RECORD_MAX);
	while (txn_seek(txn, table, &at, false, &key, &value)) {
		at = key_bytes(key.bytes, key.len);
		buf_reset(&copy);
		buf_add(&copy, value.bytes, value.len);
		if (copy.is_over)
			continue; /* larger than any record */
		add(txn, (struct slice){.bytes = at.bytes, .len = at.len},
			(struct slice){
				.bytes = (const unsigned char *)buf_text(&copy), .len = copy.len});
	}
	buf_clear(&copy);
}

static void add_cert(struct store_txn *txn, struct slice key, struct slice value)
{
	struct cert_record cert;
	struct err damaged = ERR_INIT; /* the check tells */
	if (record_decode(&cert_format, value.bytes, value.len, &cert, &damaged) != 0)
		return;
	struct key own = key_cert(cert.arn);
	if (key_equals(&own, key.bytes, key.len) && cert_flaw(key, &cert) == NULL)
		cert_index_update(txn, NULL, &cert);
}

static void add_job(struct store_txn *txn, struct slice key, struct slice value)
{
	struct job_record job;
	struct err damaged = ERR_INIT; /* the check tells */
	if (record_decode(&job_format, value.bytes, value.len, &job, &damaged) == 0 &&
		job_flaw(key, &job) == NULL)
		job_index_add(txn, &job);
}

static void make_indexes(struct store_txn *txn, void *arg)
{
	(void)arg;
	txn_clear(txn, TABLE_CERT_EXPIRY);
	txn_clear(txn, TABLE_CERT_FINGERPRINT);
	txn_clear(txn, TABLE_CERT_DOMAIN);
	walk(txn, TABLE_CERTS, add_cert);
	txn_clear(txn, TABLE_JOBS_RUNNING);
	txn_clear(txn, TABLE_JOB_LEAF);
	walk(txn, TABLE_JOBS, add_job);
}

int store_repair_indexes(struct store *store, struct err *err)
{
	return store_write_now(store, make_indexes, NULL, err);
}

struct first_look {
	store_check_fn *found;
	void *arg;
	int64_t of_index;
};

static void on_problem(void *arg, const char *problem, bool is_of_index)
{
	struct first_look *look = arg;
	look->of_index += is_of_index;
	look->found(look->arg, problem, is_of_index);
}

static void ignore(void *arg, const char *problem, bool is_of_index)
{
	(void)arg, (void)problem, (void)is_of_index; /* told at the first look */
}

int store_mend(struct store *store, store_check_fn *found, void *arg,
	struct store_mended *ret_mended, struct err *err)
{
	struct first_look look = {.found = found, .arg = arg};
	struct store_mended mended = {.found = 0};
	if (store_check(store, on_problem, &look, &mended.found, err) != 0)
		return -1;
	mended.left = mended.found;
	if (look.of_index > 0 && (store_repair_indexes(store, err) != 0 ||
					 store_check(store, ignore, NULL, &mended.left, err) != 0))
		return -1;
	mended.repaired = mended.found - mended.left;
	*ret_mended = mended;
	return 0;
}
