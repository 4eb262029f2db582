/* What a job brings; see job_goods.h. */
#include "delivery/job_goods.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

enum { PACK_BYTES_MAX = 1 << 20, LEAF_PEM_MAX = 2 * X509_DER_MAX };

void job_goods_clear(struct job_goods *goods)
{
	buf_clear(&goods->leaf_pem);
	buf_clear(&goods->chain_pem);
	buf_clear(&goods->tag_bytes);
	buf_clear(&goods->host_bytes);
	x509_facts_clear(&goods->leaf);
	free(goods->key_id);
	free(goods->no_rollback);
	*goods = (struct job_goods){.key_id = NULL};
}

static int add_pem(struct store_txn *txn, const unsigned char *sha256, struct buf *to,
	const void **ret_der, size_t *ret_len, struct err *err)
{
	if (!store_pem_get(txn, sha256, ret_der, ret_len))
		return err_set(err, ERR_NOT_FOUND, "a certificate of the job is not in the store");
	x509_pem_add(to, *ret_der, *ret_len);
	return 0;
}

static int load_pems(struct store_txn *txn, const unsigned char *leaf,
	const unsigned char (*chain)[CERT_SHA256_LEN], uint32_t count, struct job_goods *goods,
	struct err *err)
{
	const void *der;
	size_t len;
	if (add_pem(txn, leaf, &goods->leaf_pem, &der, &len, err) != 0 ||
		x509_facts_from_der(der, len, &goods->leaf, err) != 0)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		if (add_pem(txn, chain[i], &goods->chain_pem, &der, &len, err) != 0)
			return -1;
	}
	return buf_check(&goods->chain_pem, "the chain", err);
}

static struct pack copy_pack(const struct pack *from, struct buf *bytes)
{
	struct pack copy = {.count = 0};
	for (const char *text = pack_first(from); text != NULL; text = pack_next(from, text)) {
		pack_add(bytes, text);
		copy.count++;
	}
	copy.bytes = bytes->data;
	copy.len = bytes->len;
	return copy;
}

/* 0: not in the store, or not to be read; then there is no way back to it either. */
static int64_t read_end(struct store_txn *txn, const unsigned char *sha256)
{
	struct x509_facts facts = {.san_count = 0};
	struct err unread = ERR_INIT;
	const void *der;
	size_t len;
	if (!store_pem_get(txn, sha256, &der, &len) ||
		x509_facts_from_der(der, len, &facts, &unread) != 0)
		return 0;
	int64_t ends_s = facts.not_after_s;
	x509_facts_clear(&facts);
	return ends_s;
}

static int load_deliver(struct store_txn *txn, const struct job_record *job,
	struct job_goods *goods, struct err *err)
{
	struct plan_record plan;
	if (!store_plan_get(txn, job->plan_id, &plan))
		return err_set(err, ERR_NOT_FOUND, "plan %s is not in the store", job->plan_id);
	goods->escrow = plan.escrow;
	goods->key_id = xstrdup(plan.key_id);
	goods->tags = copy_pack(&plan.tags, &goods->tag_bytes);
	goods->hosts = copy_pack(&plan.verify_hosts, &goods->host_bytes);
	goods->auto_rollback = plan.auto_rollback;
	goods->old_ends_s = read_end(txn, job->old_fingerprint_sha256);
	if (!plan.may_roll_back)
		goods->no_rollback = xstrdup(plan.rollback_reason);
	return load_pems(txn, plan.leaf_sha256, plan.chain_sha256, plan.chain_count, goods, err);
}

static int load_rollback(struct store_txn *txn, const struct job_record *job,
	struct job_goods *goods, struct err *err)
{
	struct plan_record plan;
	struct job_record undone;
	if (!store_job_get(txn, job->of_job_id, &undone))
		return err_set(err, ERR_NOT_FOUND, "job %s is not in the store", job->of_job_id);
	goods->escrow = ESCROW_SENSOR;
	goods->key_id = xstrdup(job->new_key_id);
	if (store_plan_get(txn, job->plan_id, &plan))
		goods->hosts = copy_pack(&plan.verify_hosts, &goods->host_bytes);
	return load_pems(txn, job->new_fingerprint_sha256,
		(const unsigned char(*)[CERT_SHA256_LEN])undone.old_chain_sha256,
		undone.old_chain_count, goods, err);
}

int job_goods_load(struct store_txn *txn, const struct job_record *job, struct job_goods *ret_goods,
	struct err *err)
{
	struct job_goods goods = {.key_id = NULL};
	int rc = 0;
	buf_init(&goods.leaf_pem, LEAF_PEM_MAX);
	buf_init(&goods.chain_pem, X509_PEM_MAX);
	buf_init(&goods.tag_bytes, PACK_BYTES_MAX);
	buf_init(&goods.host_bytes, PACK_BYTES_MAX);
	switch (job->kind) {
	case JOB_DELIVER:
		rc = load_deliver(txn, job, &goods, err);
		break;
	case JOB_ROLLBACK:
		rc = load_rollback(txn, job, &goods, err);
		break;
	case JOB_DELETE:
		break;
	}
	if (rc == 0 && store_txn_check(txn, err) != 0)
		rc = -1;
	if (rc != 0) {
		job_goods_clear(&goods);
		return -1;
	}
	*ret_goods = goods;
	return 0;
}
