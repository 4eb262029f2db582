/* The status from the store (see status_offline.h). */
#include "cli/status_offline.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/source.h"
#include "sensor/local_api.h"
#include "store/render.h"

static void write_connectors(struct json_writer *writer, struct store_txn *txn)
{
	char position[ACCOUNT_POSITION_MAX] = "";
	struct cycle_record record;
	json_open_array(writer);
	while (store_cycle_next(txn, position, &record)) {
		json_open_object(writer);
		json_member_text(writer, "name", record.connector);
		json_member_time(writer, "next", record.next_s);
		json_key(writer, "cycle");
		render_cycle(writer, &record);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void write_coverage(struct json_writer *writer, struct store_txn *txn)
{
	int64_t count[COVERAGE_STATES] = {0};
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (store_coverage_next(txn, NULL, NULL, position, &record))
		count[record.state]++;
	json_open_object(writer);
	for (int state = 0; state < COVERAGE_STATES; state++)
		json_member_int(
			writer, coverage_state_name((enum coverage_state)state), count[state]);
	json_close_object(writer);
}

static void write_stats(struct json_writer *writer, const struct store_stats *stats)
{
	char epoch[24];
	snprintf(epoch, sizeof(epoch), "%016" PRIx64, stats->epoch);
	json_open_object(writer);
	json_member_text(writer, "epoch", epoch);
	json_member_int(writer, "used_bytes", stats->used_bytes);
	json_member_int(writer, "map_bytes", stats->map_bytes);
	json_member_int(writer, "file_bytes", stats->file_bytes);
	json_member_int(writer, "certificates", stats->certificates);
	json_member_int(writer, "events", stats->events);
	json_close_object(writer);
}

static void write_status(const struct cli *cli, struct store_txn *txn,
	const struct store_stats *stats, struct buf *to)
{
	struct json_writer writer;
	struct cert_counts counts;
	store_cert_count(txn, cli->now_s, &counts);
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, "status");
	json_open_object(&writer);
	json_key(&writer, "sensor");
	json_open_object(&writer);
	json_member_text(&writer, "data_dir", cli->offline_dir);
	json_close_object(&writer);
	json_key(&writer, "connectors");
	write_connectors(&writer, txn);
	json_key(&writer, "counts");
	render_counts(&writer, &counts);
	json_key(&writer, "coverage");
	write_coverage(&writer, txn);
	json_key(&writer, "store");
	write_stats(&writer, stats);
	json_close_object(&writer);
	json_close_object(&writer);
}

static int read_store(const struct cli *cli, struct store *store, struct buf *to, struct err *err)
{
	struct store_stats stats;
	struct store_txn *txn;
	if (store_get_stats(store, &stats, err) != 0 || store_read_begin(store, &txn, err) != 0)
		return -1;
	write_status(cli, txn, &stats, to);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc == 0 ? buf_check(to, "the status", err) : -1;
}

int status_offline(const struct cli *cli, json_t **ret_document, struct err *err)
{
	struct store_options options = {.data_dir = cli->offline_dir, .is_read_only = true};
	struct store *store = store_open(NULL, &options, err);
	struct buf text;
	json_t *document = NULL;
	if (store == NULL)
		return -1;
	buf_init(&text, SOURCE_DOCUMENT_MAX);
	if (read_store(cli, store, &text, err) == 0)
		document = json_read_object(buf_text(&text), text.len, err);
	buf_clear(&text);
	store_close(store);
	if (document == NULL)
		return -1;
	*ret_document = document;
	return 0;
}
