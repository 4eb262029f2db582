#include "sensor/pair_scan.h"

#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "discovery/acm_scan.h"
#include "orgscope/region_probe.h"
#include "sensor/config.h"
#include "sensor/coverage_put.h"

struct pair_scan {
	struct store *store;		       /* borrowed */
	struct aws_client *client;	       /* borrowed */
	const struct config_connector *config; /* borrowed */
	char account_id[13], region[32];
	char *account_name; /* owned */
	/* One at a time is not NULL; owned until it ends. */
	struct acm_scan *scan;
	struct region_probe *probe;
	struct store_write *write;
	struct err scan_err; /* why the scan failed */
	bool is_region_disabled;
	int64_t began_s, now_s; /* now_s: when the scan ended */
	struct pair_result result;
	pair_scan_done_fn *done;
	void *arg;
};

static void destroy(struct pair_scan *pair)
{
	acm_scan_cancel(pair->scan);
	region_probe_cancel(pair->probe);
	store_write_cancel(pair->write);
	free(pair->account_name);
	free(pair);
}

static void put_attempt(
	struct store_txn *txn, struct pair_scan *pair, const struct coverage_attempt *attempt)
{
	const struct coverage_place place = {.connector = pair->config->name,
		.account_id = pair->account_id,
		.account_name = pair->account_name,
		.region = pair->region};
	pair->result.state = coverage_put_attempt(txn, &place, attempt);
}

/* In the scan's write. Run again after a rollback it sets the result again, to the same. */
static void write_success(struct store_txn *txn, const struct acm_scan_result *scanned, void *arg)
{
	struct pair_scan *pair = arg;
	put_attempt(txn, pair,
		&(struct coverage_attempt){.certificate_count = scanned->tracked,
			.interval_s = pair->config->interval_s,
			.now_s = scanned->now_s,
			.began_s = pair->began_s});
}

static void write_failure(struct store_txn *txn, void *arg)
{
	struct pair_scan *pair = arg;
	put_attempt(txn, pair,
		&(struct coverage_attempt){.err = &pair->scan_err,
			.is_region_disabled = pair->is_region_disabled,
			.interval_s = pair->config->interval_s,
			.now_s = pair->now_s});
}

static void on_recorded(void *arg, const struct err *err)
{
	struct pair_scan *pair = arg;
	bool is_lost = pair->scan_err.kind == ERR_ROLE;
	pair->write = NULL;
	pair->result.why = &pair->scan_err;
	pair->done(pair->arg, err == NULL ? &pair->result : NULL, is_lost ? &pair->scan_err : NULL,
		err);
	destroy(pair);
}

static void record(struct pair_scan *pair)
{
	pair->now_s = clock_now_s();
	pair->write = store_write_start(pair->store, write_failure, pair, on_recorded, pair);
}

static void on_probe(void *arg, bool session_works, const struct err *err)
{
	struct pair_scan *pair = arg;
	pair->probe = NULL;
	pair->is_region_disabled = err == NULL && session_works;
	record(pair);
}

static void on_scan(void *arg, const struct acm_scan_result *scanned, const struct err *err)
{
	struct pair_scan *pair = arg;
	pair->scan = NULL;
	if (err == NULL) {
		pair->result.certificates = scanned->tracked;
		pair->done(pair->arg, &pair->result, NULL, NULL);
		destroy(pair);
		return;
	}
	pair->scan_err = *err;
	const char *home = pair->config->region;
	if (region_probe_is_needed(err) && strcmp(pair->region, home) != 0)
		pair->probe = region_probe_start(pair->client, home, on_probe, pair);
	else
		record(pair);
}

struct pair_scan *pair_scan_start(
	const struct pair_scan_options *options, pair_scan_done_fn *done, void *arg)
{
	struct pair_scan *pair = xcalloc(1, sizeof(*pair));
	*pair = (struct pair_scan){.store = options->store,
		.client = options->client,
		.config = options->config,
		.account_name = xstrdup(options->account_name),
		.began_s = clock_now_s(),
		.done = done,
		.arg = arg};
	(void)text_copy(pair->account_id, sizeof(pair->account_id), options->account_id);
	(void)text_copy(pair->region, sizeof(pair->region), options->region);
	pair->scan = acm_scan_start(&(struct acm_scan_options){.client = options->client,
					    .store = options->store,
					    .connector = options->config->name,
					    .partition = options->partition,
					    .account_id = pair->account_id,
					    .region = pair->region,
					    .import = options->config->import,
					    .detail_max_age_s = options->config->detail_max_age_s,
					    .lacks_origins = options->lacks_origins,
					    .also_write = write_success,
					    .arg = pair},
		on_scan);
	return pair;
}

void pair_scan_cancel(struct pair_scan *pair)
{
	if (pair != NULL)
		destroy(pair);
}
