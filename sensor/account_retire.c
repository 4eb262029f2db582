#include "sensor/account_retire.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/accounts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"

enum {
	CHUNK = 64,	   /* certificates a write: a commit of this size takes a millisecond */
	REGIONS_MAX = 512, /* on record for one account */
	LOOKED_MAX = 2000, /* records looked at in one turn */
};

enum state { CERTS, ACCOUNT };

struct account_retire {
	enum state state;
	struct loop *loop;				   /* borrowed */
	struct store *store;				   /* borrowed */
	struct store_write *write;			   /* owned until it ends */
	struct loop_timer *timer;			   /* owned until it fires */
	char *connector, *partition, *account_id, *reason; /* owned */
	bool keeps_certificates, keeps_account;
	int64_t now_s;
	char region[REGIONS_MAX][32];
	size_t region_count, region_at;
	char position[CERT_ARN_MAX + 1]; /* in the region's certificates */
	char arn[CHUNK][CERT_ARN_MAX + 1];
	size_t arn_count;
	account_retire_done_fn *done;
	void *arg;
};

static void step(void *arg);

static void destroy(struct account_retire *retire)
{
	store_write_cancel(retire->write);
	loop_timer_cancel(retire->timer);
	free(retire->connector);
	free(retire->partition);
	free(retire->account_id);
	free(retire->reason);
	free(retire);
}

static void finish(struct account_retire *retire, const struct err *err)
{
	retire->done(retire->arg, err);
	destroy(retire);
}

static void read_regions(struct account_retire *retire, struct store_txn *txn)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (retire->region_count < REGIONS_MAX &&
		store_coverage_next(txn, retire->connector, retire->account_id, position, &record))
		if (strcmp(record.region, COVERAGE_ANY_REGION) != 0)
			(void)text_copy(retire->region[retire->region_count++],
				sizeof(retire->region[0]), record.region);
}

/* Collects the next certificates to mark; returns whether all regions are through. */
static bool collect(struct account_retire *retire, struct store_txn *txn)
{
	struct cert_record record;
	retire->arn_count = 0;
	for (int looked = 0; looked < LOOKED_MAX && retire->arn_count < CHUNK; looked++) {
		if (retire->region_at == retire->region_count)
			return true;
		if (!store_cert_next_in_region(txn, retire->partition,
			    retire->region[retire->region_at], retire->account_id, retire->position,
			    &record)) {
			retire->region_at++;
			retire->position[0] = '\0';
			continue;
		}
		if (record.gone_s == 0 && strcmp(record.connector, retire->connector) == 0)
			(void)text_copy(retire->arn[retire->arn_count++], sizeof(retire->arn[0]),
				record.arn);
	}
	return false;
}

static void mark_gone(struct store_txn *txn, const struct account_retire *retire, const char *arn)
{
	struct cert_record record;
	if (!store_cert_get(txn, arn, &record))
		return;
	char *domain_name = xstrdup(record.domain_name); /* the put may move the map under it */
	char *region = xstrdup(record.region);
	record.gone_s = retire->now_s;
	store_cert_put(txn, &record);
	store_event_append(txn, &(struct event_record){
					.at_s = retire->now_s,
					.kind = EVENT_CERT_GONE,
					.connector = retire->connector,
					.account_id = retire->account_id,
					.region = region,
					.arn = arn,
					.subject = domain_name,
					.detail = retire->reason,
				});
	free(domain_name);
	free(region);
}

static void write_chunk(struct store_txn *txn, void *arg)
{
	const struct account_retire *retire = arg;
	for (size_t i = 0; i < retire->arn_count; i++)
		mark_gone(txn, retire, retire->arn[i]);
}

static void write_gone_account(struct store_txn *txn, const struct account_retire *retire)
{
	struct account_record record;
	if (!store_account_get(txn, retire->connector, retire->account_id, &record))
		return;
	char *name = xstrdup(record.name);
	record.state = "GONE";
	store_account_put(txn, &record);
	store_event_append(txn, &(struct event_record){
					.at_s = retire->now_s,
					.kind = EVENT_ACCOUNT_GONE,
					.connector = retire->connector,
					.account_id = retire->account_id,
					.region = "",
					.arn = "",
					.subject = name,
					.detail = retire->reason,
				});
	free(name);
}

static void write_account(struct store_txn *txn, void *arg)
{
	const struct account_retire *retire = arg;
	for (size_t i = 0; i < retire->region_count; i++)
		store_coverage_delete(
			txn, retire->connector, retire->account_id, retire->region[i]);
	store_coverage_delete(txn, retire->connector, retire->account_id, COVERAGE_ANY_REGION);
	if (retire->keeps_account)
		write_gone_account(txn, retire);
	else
		store_account_delete(txn, retire->connector, retire->account_id);
}

static void on_written(void *arg, const struct err *err)
{
	struct account_retire *retire = arg;
	retire->write = NULL;
	if (err != NULL || retire->state == ACCOUNT)
		finish(retire, err);
	else
		step(retire);
}

static int read_chunk(struct account_retire *retire, bool *ret_is_last, struct err *err)
{
	struct store_txn *txn = NULL;
	if (store_read_begin(retire->store, &txn, err) != 0)
		return -1;
	if (retire->region_count == 0)
		read_regions(retire, txn);
	*ret_is_last = retire->keeps_certificates || collect(retire, txn);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static void step(void *arg)
{
	struct account_retire *retire = arg;
	struct err err = ERR_INIT;
	bool is_last = false;
	retire->timer = NULL;
	if (read_chunk(retire, &is_last, &err) != 0) {
		finish(retire, &err);
		return;
	}
	store_write_fn *write = write_chunk;
	if (is_last && retire->arn_count == 0) {
		retire->state = ACCOUNT;
		write = write_account;
	} else if (retire->arn_count == 0) {
		retire->timer = loop_timer_start(retire->loop, 0, step, retire);
		return;
	}
	retire->write = store_write_start(retire->store, write, retire, on_written, retire);
}

struct account_retire *account_retire_start(
	const struct account_retire_options *options, account_retire_done_fn *done, void *arg)
{
	struct account_retire *retire = xcalloc(1, sizeof(*retire));
	retire->loop = options->loop;
	retire->store = options->store;
	retire->connector = xstrdup(options->connector);
	retire->partition = xstrdup(options->partition);
	retire->account_id = xstrdup(options->account_id);
	retire->reason = xstrdup(options->reason);
	retire->keeps_certificates = options->keeps_certificates;
	retire->keeps_account = options->keeps_account;
	retire->now_s = options->now_s;
	retire->done = done;
	retire->arg = arg;
	retire->timer = loop_timer_start(retire->loop, 0, step, retire);
	return retire;
}

void account_retire_cancel(struct account_retire *retire)
{
	if (retire != NULL)
		destroy(retire);
}
