#include "tests/discovery/scan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

static void write_coverage(struct store_txn *txn, const struct acm_scan_result *result, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = "eu-west-1",
					.state = COVERAGE_OK,
					.code = "",
					.reason = "",
					.certificate_count = result->tracked,
					.last_success_s = clock_now_s()});
}

int scan_set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	fake_clock_set_now_s(NOW_S);
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	fake_call_reset();
	fake_store_reset();
	fixture.aws = aws_new(fixture.loop, NULL, "test");
	fixture.client = aws_client_new(fixture.aws, NULL, ACCOUNT, NULL);
	fixture.store = temp_store_open(fixture.loop, fixture.folder);
	fixture.acm = (struct fake_acm){.account_id = ACCOUNT, .region = "eu-west-1"};
	fake_acm_install(&fixture.acm);
	fixture.options = (struct acm_scan_options){.client = fixture.client,
		.store = fixture.store,
		.connector = "prod",
		.partition = "aws",
		.account_id = ACCOUNT,
		.region = "eu-west-1",
		.import = {.mode = IMPORT_ALL},
		.detail_max_age_s = 7 * DAY_S,
		.lacks_origins = &fixture.lacks_origins,
		.also_write = write_coverage,
		.arg = &fixture};
	*state = &fixture;
	return 0;
}

/* Also what every test ends with: nothing is left waiting. */
int scan_tear_down(void **state)
{
	struct fixture *fixture = *state;
	assert_null(fixture->scan);
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_loop_timer_count(), 0);
	store_close(fixture->store);
	aws_client_free(fixture->client);
	aws_free(fixture->aws);
	fake_call_reset();
	loop_free(fixture->loop);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

static void on_done(void *arg, const struct acm_scan_result *result, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->scan = NULL;
	fixture->ends++;
	assert_true((result == NULL) != (err == NULL));
	fixture->result = result != NULL ? *result : (struct acm_scan_result){.listed = -1};
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
}

void scan_begin(struct fixture *fixture)
{
	fixture->ends = 0;
	fixture->calls_before = fake_call_count();
	fixture->scan = acm_scan_start(&fixture->options, on_done);
	assert_int_equal(fixture->ends, 0); /* never from start */
}

void scan_run(struct fixture *fixture)
{
	scan_begin(fixture);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
}

void scan_run_well(struct fixture *fixture)
{
	scan_run(fixture);
	if (fixture->err.kind != ERR_NONE)
		fail_msg("the scan failed: %s", fixture->err.text);
}

void expect_error(const struct fixture *fixture, enum err_kind kind, const char *text)
{
	assert_int_equal(fixture->err.kind, kind);
	if (strstr(fixture->err.text, text) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fixture->err.text, text);
}

/* Calls of the last scan. */
size_t scan_calls(const struct fixture *fixture, const char *operation)
{
	size_t count = 0;
	for (size_t i = fixture->calls_before; i < fake_call_count(); i++)
		count += strcmp(fake_call_record(i)->operation, operation) == 0;
	return count;
}

void expect_calls(
	const struct fixture *fixture, size_t lists, size_t describes, size_t gets, size_t tags)
{
	assert_int_equal(scan_calls(fixture, LIST), lists);
	assert_int_equal(scan_calls(fixture, DETAIL), describes);
	assert_int_equal(scan_calls(fixture, PEM), gets);
	assert_int_equal(scan_calls(fixture, TAGS), tags);
}

void expect_result(const struct fixture *fixture, int64_t listed, int64_t tracked, int64_t appeared,
	int64_t changed, int64_t gone)
{
	assert_int_equal(fixture->result.listed, listed);
	assert_int_equal(fixture->result.tracked, tracked);
	assert_int_equal(fixture->result.appeared, appeared);
	assert_int_equal(fixture->result.changed, changed);
	assert_int_equal(fixture->result.gone, gone);
}

/* --- looking into the store ------------------------------------------------------------------- */

struct store_txn *begin_read(struct fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	return txn;
}

/* "a ISSUED", one a line, with "gone" and the mark's text where they apply. Owned. */
char *stored_certs(struct fixture *fixture)
{
	struct store_txn *txn = begin_read(fixture);
	struct buf text;
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	buf_init(&text, 1 << 20);
	while (store_cert_next_in_region(txn, "aws", "eu-west-1", ACCOUNT, position, &record))
		buf_addf(&text, "%s %s%s%s%s\n", record.arn + strlen(PREFIX), record.status,
			record.gone_s != 0 ? " gone" : "",
			record.detail_error[0] != '\0' ? " " : "", record.detail_error);
	store_read_end(txn);
	return buf_take(&text);
}

void expect_stored(struct fixture *fixture, const char *expected)
{
	char *text = stored_certs(fixture);
	assert_string_equal(text, expected);
	free(text);
}

/* "certificate_appeared a: detail" of all but the store's own. Owned. */
char *stored_events(struct fixture *fixture, uint64_t from)
{
	struct store_txn *txn = begin_read(fixture);
	struct buf text;
	struct event_record event;
	buf_init(&text, 1 << 20);
	while (store_event_get_from(txn, from, &event)) {
		from = event.sequence + 1;
		if (event.kind == EVENT_STORE_CREATED)
			continue;
		assert_string_equal(event.connector, "prod");
		assert_string_equal(event.account_id, ACCOUNT);
		assert_string_equal(event.region, "eu-west-1");
		assert_string_equal(event.subject, "www.example.com");
		buf_addf(&text, "%s %s: %s\n", event_kind_name(event.kind),
			event.arn + strlen(PREFIX), event.detail);
	}
	store_read_end(txn);
	return buf_take(&text);
}

uint64_t last_event(struct fixture *fixture)
{
	struct store_txn *txn = begin_read(fixture);
	struct event_record event = {.sequence = 0};
	(void)store_event_get_last(txn, 0, &event); /* none: 0 */
	uint64_t sequence = event.sequence;
	store_read_end(txn);
	return sequence;
}

void expect_events(struct fixture *fixture, uint64_t after, const char *expected)
{
	char *text = stored_events(fixture, after + 1);
	assert_string_equal(text, expected);
	free(text);
}

/* Everything that a scan could change, as one text. Owned. */
char *store_snapshot(struct fixture *fixture)
{
	char *certs = stored_certs(fixture), *log = stored_events(fixture, 1);
	struct store_txn *txn = begin_read(fixture);
	struct coverage_record coverage;
	bool is_covered = store_coverage_get(txn, "prod", ACCOUNT, "eu-west-1", &coverage);
	char *all = xasprintf(
		"%s%s%lld", certs, log, (long long)(is_covered ? coverage.last_success_s : -1));
	store_read_end(txn);
	free(certs);
	free(log);
	return all;
}

void expect_snapshot(struct fixture *fixture, const char *before)
{
	char *after = store_snapshot(fixture);
	assert_string_equal(after, before);
	free(after);
}

/* The stored record, whose texts live until the txn ends. */
struct cert_record read_cert(struct store_txn *txn, const char *id)
{
	struct cert_record record;
	char *arn = xasprintf("%s%s", PREFIX, id);
	assert_true(store_cert_get(txn, arn, &record));
	free(arn);
	return record;
}

void pass_days(int days)
{
	fake_clock_advance_ms((int64_t)days * DAY_S * 1000);
}

struct err failure(enum err_kind kind, const char *text)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "%s", text);
	return err;
}
