/*
 * One entry of a store that is otherwise whole, with any bytes: in each table, under a key that is
 * there or a new one. The first byte chooses the table, the second an entry (its high bit: a new
 * key, whose length is the third byte and which comes first); the rest is the value. Everything that
 * reads the store ends well or says that it is damaged, and then store_check says so too.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "store/check.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/key_internal.h"
#include "store/list.h"
#include "store/render.h"
#include "store/store_internal.h"
#include "store/vault.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, CERTIFICATES = 3, NEW_KEY = 0x80, TEXT_MAX = 64 << 20, OLD_MAX = 65536 };

/* --- the entry -------------------------------------------------------------------------------- */

struct change {
	enum store_table table;
	struct key key;
	const void *value; /* NULL: to be deleted */
	size_t len;
};

static void write_change(struct store_txn *txn, void *arg)
{
	const struct change *change = arg;
	if (change->value != NULL)
		txn_put(txn, change->table, &change->key, change->value, change->len);
	else
		txn_delete(txn, change->table, &change->key);
}

static struct key nth_key(struct store_txn *txn, enum store_table table, size_t number)
{
	struct key at = key_empty();
	struct slice key, value;
	while (txn_seek(txn, table, &at, false, &key, &value)) {
		at = key_bytes(key.bytes, key.len);
		if (number-- == 0)
			break;
	}
	return at;
}

/* What lies under the key now; in memory of its own. */
static void remember(
	struct store_txn *txn, const struct change *change, void *memory, struct change *ret_old)
{
	struct slice value;
	*ret_old = *change;
	ret_old->value = NULL;
	if (!txn_get(txn, change->table, &change->key, &value))
		return;
	assert(value.len <= OLD_MAX);
	memcpy(memory, value.bytes, value.len);
	ret_old->value = memory;
	ret_old->len = value.len;
}

/* --- readers ---------------------------------------------------------------------------------- */

typedef void read_fn(struct store_txn *txn, void *arg);

/* Whether the store is damaged for this reader. */
static bool is_damaged_for(struct store *store, read_fn *read, void *arg)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	if (store_read_begin(store, &txn, &err) != 0)
		abort();
	read(txn, arg);
	int rc = store_txn_check(txn, &err);
	assert(rc == 0 || (err.kind == ERR_STORE && err.text[0] != '\0'));
	store_read_end(txn);
	return rc != 0;
}

struct listing {
	enum list_kind kind;
	const char *key, *value; /* NULL: without a parameter */
};

static void read_list(struct store_txn *txn, void *arg)
{
	const struct listing *listing = arg;
	struct list_param param = {.key = listing->key, .value = listing->value};
	struct err err = ERR_INIT;
	struct buf text;
	bool is_end = false;
	struct list *list = list_new(
		listing->kind, &param, listing->key != NULL ? 1 : 0, false, SAMPLE_NOW_S, &err);
	assert(list != NULL);
	buf_init(&text, TEXT_MAX);
	int rc = list_write(list, txn, &text, TEXT_MAX, SIZE_MAX, &is_end, &err);
	assert((rc != 0) == store_txn_failed(txn));
	if (rc == 0) {
		json_t *document = json_read_object(buf_text(&text), text.len, &err);
		assert(is_end && document != NULL);
		json_decref(document);
	}
	buf_clear(&text);
	list_free(list);
}

static void read_in_full(struct store_txn *txn, void *arg)
{
	struct cert_query *query = arg;
	struct cert_record record;
	bool is_end = false;
	struct buf text;
	struct json_writer writer;
	buf_init(&text, TEXT_MAX);
	while (!is_end) {
		if (!cert_query_next(query, txn, SIZE_MAX, &record, &is_end))
			continue;
		buf_reset(&text);
		json_writer_init(&writer, &text, false);
		render_certificate_full(&writer, txn, &record, SAMPLE_NOW_S, true);
	}
	buf_clear(&text);
}

static void read_counts(struct store_txn *txn, void *arg)
{
	struct cert_counts counts;
	(void)arg;
	store_cert_count(txn, SAMPLE_NOW_S, &counts);
}

static void read_region(struct store_txn *txn, void *arg)
{
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	(void)arg;
	while (store_cert_next_in_region(
		txn, "aws", "us-west-2", "000000100000", position, &record))
		assert(position[0] != '\0');
}

static void read_deliveries(struct store_txn *txn, void *arg)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	struct plan_record plan;
	(void)arg;
	while (store_plan_next(txn, position, &plan))
		(void)store_vault_has(txn, plan.key_id);
	struct job_record job, same;
	position[0] = '\0';
	while (store_job_next(txn, position, &job)) {
		struct job_step step;
		uint32_t number = 0;
		(void)store_job_get(txn, position, &same);
		if (store_job_of_leaf(txn, job.arn, job.new_fingerprint_sha256, &same))
			assert(strcmp(same.arn, job.arn) == 0);
		while (store_job_step_next(txn, job.id, &number, &step))
			assert(step.number == number);
	}
	position[0] = '\0';
	while (store_job_next_running(txn, position, &job))
		assert(job.state == JOB_RUNNING);
}

static void read_last(struct store_txn *txn, void *arg)
{
	struct cycle_record record;
	(void)arg;
	struct event_record event;
	(void)store_cycle_get(txn, "prod", &record);
	(void)store_event_get_last(txn, 0, &event);
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool is_damaged_for_lists(struct store *store)
{
	static const struct listing listing[] = {{LIST_CERTIFICATES, "gone", "yes"},
		{LIST_CERTIFICATES, "account", "000000100000"},
		{LIST_CERTIFICATES, "domain_suffix", "example.com"},
		{LIST_CERTIFICATE, "q", "www1.shop1.example.com"}, {LIST_ACCOUNTS, NULL, NULL},
		{LIST_COVERAGE, "connector", "prod"}, {LIST_EVENTS, "since", "1h"},
		{LIST_ALERTS, "all", "yes"}};
	bool is_damaged = false;
	for (size_t i = 0; i < sizeof(listing) / sizeof(listing[0]); i++) {
		struct listing copy = listing[i];
		is_damaged |= is_damaged_for(store, read_list, &copy);
	}
	return is_damaged;
}

static bool is_damaged_for_queries(struct store *store)
{
	struct cert_filter filter = {.in_use = -1, .include_gone = true, .now_s = SAMPLE_NOW_S};
	bool is_damaged = false;
	for (int i = 0; i < 2; i++) {
		struct err err = ERR_INIT;
		enum cert_sort sort = i == 0 ? CERT_SORT_EXPIRES : CERT_SORT_STATUS;
		struct cert_query *query = cert_query_new(&filter, sort, &err);
		assert(query != NULL);
		is_damaged |= is_damaged_for(store, read_in_full, query);
		cert_query_free(query);
	}
	return is_damaged;
}

static void count_problem(void *arg, const char *problem, bool is_of_index)
{
	(void)is_of_index;
	assert(problem[0] != '\0');
	++*(int64_t *)arg;
}

static void read_everything(struct store *store)
{
	struct err err = ERR_INIT;
	int64_t problems = -1, told = 0;
	bool is_damaged = is_damaged_for_lists(store);
	is_damaged |= is_damaged_for_queries(store);
	is_damaged |= is_damaged_for(store, read_counts, NULL);
	is_damaged |= is_damaged_for(store, read_last, NULL);
	is_damaged |= is_damaged_for(store, read_region, NULL);
	is_damaged |= is_damaged_for(store, read_deliveries, NULL);
	assert(store_check(store, count_problem, &told, &problems, &err) == 0);
	assert(problems == told);
	assert(!is_damaged || problems > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	static unsigned char old_value[OLD_MAX];
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct change change, old;
	if (store == NULL)
		store = filled_store_open(NULL, CERTIFICATES);
	if (size < HEAD)
		return 0;
	size_t skip = HEAD;
	if (store_read_begin(store, &txn, &err) != 0)
		abort();
	change.table = (enum store_table)(data[0] % STORE_TABLES);
	if ((data[1] & NEW_KEY) != 0) {
		skip += data[2] < size - HEAD ? data[2] : size - HEAD;
		change.key = key_bytes(data + HEAD, skip - HEAD);
	} else {
		change.key = nth_key(txn, change.table, data[1]);
	}
	change.value = data + skip;
	change.len = size - skip;
	remember(txn, &change, old_value, &old);
	store_read_end(txn);
	if (change.key.len == 0 || store_write_now(store, write_change, &change, &err) != 0)
		return 0;
	read_everything(store);
	if (store_write_now(store, write_change, &old, &err) != 0)
		abort();
	return 0;
}
