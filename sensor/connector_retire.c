#include "sensor/connector_retire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/account_retire.h"
#include "sensor/overlap.h"
#include "store/accounts.h"

struct connector_retire {
	struct loop *loop;		/* borrowed */
	struct store *store;		/* borrowed */
	struct loop_timer *timer;	/* owned until it fires */
	struct account_retire *account; /* owned until it ends */
	struct store_write *write;	/* owned until it ends; the last step */
	char *connector;		/* owned */
	char **remaining;		/* owned, each owned */
	size_t remaining_count;
	connector_retire_done_fn *done;
	void *arg;
};

static void destroy(struct connector_retire *retire)
{
	loop_timer_cancel(retire->timer);
	account_retire_cancel(retire->account);
	store_write_cancel(retire->write);
	for (size_t i = 0; i < retire->remaining_count; i++)
		free(retire->remaining[i]);
	free(retire->remaining);
	free(retire->connector);
	free(retire);
}

static void finish(struct connector_retire *retire, const struct err *err)
{
	retire->done(retire->arg, err);
	destroy(retire);
}

static void step(struct connector_retire *retire);

static void on_account(void *arg, const struct err *err)
{
	struct connector_retire *retire = arg;
	retire->account = NULL;
	if (err != NULL)
		finish(retire, err);
	else
		step(retire);
}

static void write_end(struct store_txn *txn, void *arg)
{
	const struct connector_retire *retire = arg;
	store_connector_delete(txn, retire->connector);
}

static void on_end(void *arg, const struct err *err)
{
	struct connector_retire *retire = arg;
	retire->write = NULL;
	finish(retire, err);
}

static bool is_read_by_another(
	const struct connector_retire *retire, struct store_txn *txn, const char *account_id)
{
	for (size_t i = 0; i < retire->remaining_count; i++)
		if (overlap_reads(txn, retire->remaining[i], account_id))
			return true;
	return false;
}

/* The connector's first account that is left; false: none. */
static bool read_account(struct connector_retire *retire, struct store_txn *txn,
	char account_id[13], char partition[16], bool *ret_is_read)
{
	char position[ACCOUNT_POSITION_MAX] = "";
	struct account_record record;
	struct cycle_record cycle;
	if (!store_account_next(txn, retire->connector, position, &record))
		return false;
	(void)text_copy(account_id, 13, record.account_id);
	bool has_cycle = store_cycle_get(txn, retire->connector, &cycle);
	(void)text_copy(partition, 16, has_cycle ? cycle.partition : "aws");
	*ret_is_read = is_read_by_another(retire, txn, account_id);
	return true;
}

static void step(struct connector_retire *retire)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = NULL;
	char account_id[13] = "", partition[16] = "";
	bool is_read = false;
	if (store_read_begin(retire->store, &txn, &err) != 0) {
		finish(retire, &err);
		return;
	}
	bool has_account = read_account(retire, txn, account_id, partition, &is_read);
	bool has_failed = store_txn_check(txn, &err) != 0;
	store_read_end(txn);
	if (has_failed) {
		finish(retire, &err);
	} else if (has_account) {
		retire->account = account_retire_start(
			&(struct account_retire_options){.loop = retire->loop,
				.store = retire->store,
				.connector = retire->connector,
				.partition = partition,
				.account_id = account_id,
				.reason = "the connector was removed from the configuration",
				.keeps_certificates = is_read,
				.now_s = clock_now_s()},
			on_account, retire);
	} else {
		retire->write = store_write_start(retire->store, write_end, retire, on_end, retire);
	}
}

static void on_start(void *arg)
{
	struct connector_retire *retire = arg;
	retire->timer = NULL;
	step(retire);
}

struct connector_retire *connector_retire_start(
	const struct connector_retire_options *options, connector_retire_done_fn *done, void *arg)
{
	struct connector_retire *retire = xcalloc(1, sizeof(*retire));
	retire->loop = options->loop;
	retire->store = options->store;
	retire->connector = xstrdup(options->connector);
	retire->remaining_count = options->remaining_count;
	retire->remaining = xcalloc(options->remaining_count + 1, sizeof(*retire->remaining));
	for (size_t i = 0; i < options->remaining_count; i++)
		retire->remaining[i] = xstrdup(options->remaining[i]);
	retire->done = done;
	retire->arg = arg;
	retire->timer = loop_timer_start(retire->loop, 0, on_start, retire);
	return retire;
}

void connector_retire_cancel(struct connector_retire *retire)
{
	if (retire != NULL)
		destroy(retire);
}
