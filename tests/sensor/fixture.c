#include "tests/sensor/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/cert_query.h"
#include "store/events.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

static size_t calls_before;

struct config *config_of_text(const struct fixture *fixture, const char *text)
{
	char *file = temp_path(fixture->folder, "acmsensor.conf");
	FILE *stream = fopen(file, "w");
	struct err err = ERR_INIT;
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
	struct config *config = config_load(file, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	free(file);
	return config;
}

void use_config(struct fixture *fixture, const char *text)
{
	const struct config_connector *earlier[CONFIG_CONNECTORS_MAX];
	overlap_clear(&fixture->overlap);
	config_free(fixture->config);
	fixture->config = config_of_text(fixture, text);
	size_t last = fixture->config->connector_count - 1;
	for (size_t i = 0; i < last; i++)
		earlier[i] = &fixture->config->connector[i];
	overlap_init(&fixture->overlap, earlier, last);
	fixture->connector = &fixture->config->connector[last];
}

int sensor_set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	log_set_level(LOG_ERROR);
	fake_clock_set_now_s(NOW_S);
	fake_call_reset();
	fake_store_reset();
	calls_before = 0;
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	fixture.aws = aws_new(fixture.loop, NULL, "test");
	fixture.hub = aws_client_new(fixture.aws, NULL, "", NULL);
	fixture.store = temp_store_open(fixture.loop, fixture.folder);
	use_config(&fixture, "[connector prod]\nimport = all\n");
	fake_org_init(&fixture.org);
	fake_org_add(&fixture.org, SHOP, "shop");
	fake_org_add(&fixture.org, BANK, "bank");
	fake_org_install(&fixture.org);
	*state = &fixture;
	return 0;
}

void sensor_start_over(struct fixture *fixture)
{
	store_close(fixture->store);
	temp_folder_remove(fixture->folder);
	fixture->folder = temp_folder_new();
	fixture->store = temp_store_open(fixture->loop, fixture->folder);
	fake_clock_set_now_s(NOW_S);
}

int sensor_tear_down(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_clients_alive(), 1); /* the hub's */
	assert_int_equal(temp_store_problems(fixture->store), 0);
	overlap_clear(&fixture->overlap);
	config_free(fixture->config);
	store_close(fixture->store);
	aws_client_free(fixture->hub);
	aws_free(fixture->aws);
	fake_call_reset();
	loop_free(fixture->loop);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- looks into the store ---------------------------------------------------------------------- */

static struct store_txn *begin_read(struct fixture *fixture)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	if (store_read_begin(fixture->store, &txn, &err) != 0)
		fail_msg("%s", err.text);
	return txn;
}

/* Freed before it is compared: a failing comparison does not return. */
static void expect_text(struct buf *found, const char *expected)
{
	static char text[65536];
	snprintf(text, sizeof(text), "%s", buf_text(found));
	buf_clear(found);
	assert_string_equal(text, expected);
}

void expect_coverage(struct fixture *fixture, const char *connector, const char *expected)
{
	struct store_txn *txn = begin_read(fixture);
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	struct buf found;
	buf_init(&found, 1 << 20);
	while (store_coverage_next(txn, connector, NULL, position, &record))
		buf_addf(&found, "%s%s%s %s %s %lld\n", connector == NULL ? record.connector : "",
			connector == NULL ? " " : "", record.account_id, record.region,
			coverage_state_name(record.state), (long long)record.certificate_count);
	store_read_end(txn);
	expect_text(&found, expected);
}

void expect_accounts(struct fixture *fixture, const char *expected)
{
	struct store_txn *txn = begin_read(fixture);
	char position[ACCOUNT_POSITION_MAX] = "";
	struct account_record record;
	struct buf found;
	buf_init(&found, 1 << 20);
	while (store_account_next(txn, NULL, position, &record))
		buf_addf(&found, "%s %s %s %s\n", record.connector, record.account_id, record.state,
			record.unit_path);
	store_read_end(txn);
	expect_text(&found, expected);
}

void expect_certificates(struct fixture *fixture, const char *expected)
{
	struct store_txn *txn = begin_read(fixture);
	struct cert_filter filter = {.in_use = -1, .include_gone = true, .now_s = NOW_S};
	struct err err = ERR_INIT;
	struct cert_query *query = cert_query_new(&filter, CERT_SORT_ACCOUNT, &err);
	struct cert_record record;
	bool is_end = false;
	struct buf found;
	buf_init(&found, 1 << 20);
	while (cert_query_next(query, txn, 1000, &record, &is_end))
		buf_addf(&found, "%s %s %s %s%s\n", record.connector, record.account_id,
			record.region, strrchr(record.arn, '/') + 1,
			record.gone_s != 0 ? " gone" : "");
	cert_query_free(query);
	store_read_end(txn);
	expect_text(&found, expected);
}

static bool is_of_certificate(enum event_kind kind)
{
	return strncmp(event_kind_name(kind), "certificate", strlen("certificate")) == 0;
}

void expect_events(struct fixture *fixture, uint64_t after, const char *expected)
{
	struct store_txn *txn = begin_read(fixture);
	struct event_record event;
	struct buf found;
	buf_init(&found, 1 << 20);
	for (uint64_t from = after + 1; store_event_get_from(txn, from, &event);
		from = event.sequence + 1) {
		if (is_of_certificate(event.kind) && strcmp(event.detail, "") == 0)
			continue;
		if (event.kind == EVENT_STORE_CREATED || event.kind == EVENT_CERT_APPEARED)
			continue;
		buf_addf(&found, "%s", event_kind_name(event.kind));
		const char *const part[] = {event.account_id, event.region, event.detail};
		for (size_t i = 0; i < 3; i++)
			if (part[i][0] != '\0')
				buf_addf(&found, " %s", part[i]);
		buf_add_text(&found, "\n");
	}
	store_read_end(txn);
	expect_text(&found, expected);
}

uint64_t last_event(struct fixture *fixture)
{
	struct store_txn *txn = begin_read(fixture);
	struct event_record event = {.sequence = 0};
	(void)store_event_get_last(txn, 0, &event);
	store_read_end(txn);
	return event.sequence;
}

struct coverage_record read_coverage(
	struct fixture *fixture, const char *account_id, const char *region)
{
	static char code[128], reason[1024];
	struct store_txn *txn = begin_read(fixture);
	struct coverage_record record;
	if (!store_coverage_get(txn, fixture->connector->name, account_id, region, &record))
		fail_msg("no coverage of %s %s", account_id, region);
	snprintf(code, sizeof(code), "%s", record.code);
	snprintf(reason, sizeof(reason), "%s", record.reason);
	store_read_end(txn);
	record.code = code;
	record.reason = reason;
	record.connector = fixture->connector->name;
	record.account_id = account_id;
	record.region = region;
	return record;
}

static void write_coverage(struct store_txn *txn, void *arg)
{
	store_coverage_put(txn, arg);
}

void put_coverage(struct fixture *fixture, const struct coverage_record *record)
{
	struct coverage_record copy = *record;
	struct err err = ERR_INIT;
	if (store_write_now(fixture->store, write_coverage, &copy, &err) != 0)
		fail_msg("%s", err.text);
}

/* --- calls ------------------------------------------------------------------------------------- */

void reset_calls(struct fixture *fixture)
{
	(void)fixture;
	calls_before = fake_call_count();
}

size_t calls_of(const char *account_id, const char *operation)
{
	size_t count = 0;
	for (size_t i = calls_before; i < fake_call_count(); i++) {
		const struct fake_record *record = fake_call_record(i);
		count += (account_id == NULL || strcmp(record->account, account_id) == 0) &&
			 (operation == NULL || strcmp(record->operation, operation) == 0);
	}
	return count;
}
