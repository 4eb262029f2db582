/* See alerts_fixture.h. */
#include "tests/alert/alerts_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/http.h"
#include "base/loop.h"
#include "store/accounts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/alert/make_channel.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/fake_ways.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

struct alerts_fixture world;
const struct alert_settings usual_settings = {
	.days = {45, 30, 14, 7, 3, 1, 0}, .days_count = 7, .coverage_after_s = 0};

/* --- life ------------------------------------------------------------------------------------- */

static void write_journal(void *arg, enum alert_class class, const char *line)
{
	(void)arg;
	size_t len = strlen(world.journal);
	(void)snprintf(
		world.journal + len, sizeof(world.journal) - len, "%d %s\n", (int)class, line);
}

static bool get_busy(void *arg)
{
	(void)arg;
	return world.is_busy;
}

static int64_t now_s(void *arg)
{
	(void)arg;
	return world.told_now_s != 0 ? world.told_now_s : clock_now_s();
}

static void count_failure(void *arg, const struct err *err)
{
	(void)arg;
	assert_true(err->kind != ERR_NONE);
	world.failures++;
}

static bool identity_at(void *arg, size_t i, struct alert_identity *ret_identity)
{
	(void)arg;
	*ret_identity = (struct alert_identity){.connector = "prod",
		.source = "environment",
		.is_known = world.credentials_end_s >= 0,
		.expires_s = world.credentials_end_s};
	return i == 0;
}

struct alert_channel webhook_channel(void)
{
	static char name[] = "ops";
	struct alert_channel channel = make_channel(name, CHANNEL_WEBHOOK);
	channel.resolved = true;
	channel.url_file = world.url_file;
	return channel;
}

struct alert_channel journal_channel(void)
{
	static char name[] = "log";
	struct alert_channel channel = make_channel(name, CHANNEL_JOURNAL);
	channel.resolved = true;
	return channel;
}

void alerts_fixture_open(void)
{
	struct err err = ERR_INIT;
	const struct http_limits limits = {.max_requests = 4, .per_host_max = 4, .idle_max = 4};
	world.loop = loop_new(&err);
	store = temp_store_open(world.loop, folder);
	world.http = http_new(world.loop, NULL, &limits, &err);
	world.alerts = alerts_new(&(struct alerts_options){.loop = world.loop,
					  .store = store,
					  .http = world.http,
					  .sensor_name = "dc1",
					  .identity = identity_at,
					  .journal = write_journal,
					  .is_busy = get_busy,
					  .now_s = now_s,
					  .failed = count_failure},
		&err);
	struct alert_channel channel[] = {webhook_channel()};
	alerts_configure(world.alerts, &usual_settings, channel, 1);
}

void alerts_fixture_close(void)
{
	alerts_free(world.alerts);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_http_pending(), 0);
	assert_int_equal(fake_ways_pending(), 0);
	http_free(world.http);
	store_close(store);
	loop_free(world.loop);
}

void alerts_fixture_restart(void)
{
	alerts_fixture_close();
	alerts_fixture_open();
}

int alerts_fixture_set_up(void **state)
{
	(void)state;
	folder = temp_folder_new();
	world = (struct alerts_fixture){.http_status = 200};
	world.url_file = temp_path(folder, "hook.url");
	FILE *to = fopen(world.url_file, "w");
	fputs("https://hook.example.com/secret\n", to);
	assert_int_equal(fchmod(fileno(to), 0600), 0);
	fclose(to);
	fake_clock_set_now_s(SAMPLE_NOW_S);
	fake_http_reset();
	fake_ways_reset();
	fake_store_reset();
	alerts_fixture_open();
	return 0;
}

int alerts_fixture_tear_down(void **state)
{
	(void)state;
	alerts_fixture_close();
	fake_http_reset();
	free(world.url_file);
	temp_folder_remove(folder);
	return 0;
}

/* --- the inventory ---------------------------------------------------------------------------- */

void cert_arn(unsigned number, char ret_arn[128])
{
	(void)snprintf(ret_arn, 128, "arn:aws:acm:eu-west-1:000000000001:certificate/%u", number);
}

struct put {
	unsigned number;
	const char *name;
	int64_t not_after_s, gone_s;
	bool in_use;
};

static void write_cert(struct store_txn *txn, void *arg)
{
	const struct put *put = arg;
	char arn[128];
	cert_arn(put->number, arn);
	store_cert_put(
		txn, &(struct cert_record){.arn = arn,
			     .connector = "prod",
			     .account_id = "000000000001",
			     .region = "eu-west-1",
			     .domain_name = put->name,
			     .status = put->not_after_s != 0 ? "ISSUED" : "PENDING_VALIDATION",
			     .type = "IMPORTED",
			     .renewal_eligibility = "INELIGIBLE",
			     .not_before_s = put->not_after_s != 0 ? 1 : 0,
			     .not_after_s = put->not_after_s,
			     .gone_s = put->gone_s,
			     .in_use = put->in_use});
	store_event_append(txn, &(struct event_record){.at_s = 1,
					.kind = EVENT_CERT_CHANGED,
					.connector = "",
					.account_id = "",
					.region = "",
					.arn = arn,
					.subject = "",
					.detail = ""});
}

void put_cert(unsigned number, const char *name, int64_t days, bool in_use)
{
	store_fixture_write(
		write_cert, &(struct put){.number = number,
				    .name = name,
				    .not_after_s = days == 0 ? 0 : SAMPLE_NOW_S + days * DAY_S,
				    .in_use = in_use});
}

void put_gone_cert(unsigned number, const char *name)
{
	store_fixture_write(write_cert, &(struct put){.number = number,
						.name = name,
						.not_after_s = SAMPLE_NOW_S + 10 * DAY_S,
						.gone_s = 1});
}

static void put_job(struct store_txn *txn, const char *id, enum job_kind kind, int64_t seconds_ago)
{
	store_job_put(txn, &(struct job_record){.id = id,
				   .kind = kind,
				   .phase = JOB_DONE,
				   .state = JOB_FAILED,
				   .reason = "refused",
				   .connector = "prod",
				   .account_id = "000000000001",
				   .region = "eu-west-1",
				   .ended_s = SAMPLE_NOW_S - seconds_ago});
}

void put_failed_job(struct store_txn *txn, const char *id, enum job_kind kind)
{
	put_job(txn, id, kind, 60);
}

static void put_coverage(struct store_txn *txn, const char *connector, const char *account_id,
	const char *region, enum coverage_state state)
{
	store_coverage_put(txn, &(struct coverage_record){.connector = connector,
					.account_id = account_id,
					.region = region,
					.state = state,
					.code = "",
					.reason = state == COVERAGE_OK ? "" : "no",
					.last_success_s = state == COVERAGE_OK ? 0 : 1});
}

void put_failures(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_coverage(txn, "prod", "000000000001", "eu-west-1", COVERAGE_OK);
	put_coverage(txn, "shop", "000000000002", "eu-west-1", COVERAGE_DENIED);
	put_coverage(txn, "shop", "000000000002", "eu-west-2", COVERAGE_DENIED);
	store_cycle_put(txn, &(struct cycle_record){.connector = "prod", .error = "no walk"});
	put_job(txn, "j-20261120-1", JOB_DELIVER, DAY_S);
	put_job(txn, "j-20261001-1", JOB_DELIVER, 50 * (int64_t)DAY_S); /* too long ago to tell */
}

void mend(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_delete(txn, "shop", "000000000002", "eu-west-1");
	store_coverage_delete(txn, "shop", "000000000002", "eu-west-2");
	store_cycle_put(txn, &(struct cycle_record){.connector = "prod", .error = ""});
}

/* --- what was told ---------------------------------------------------------------------------- */

static bool answer(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)arg;
	(void)request;
	*ret_answer = (struct fake_answer){.status = world.http_status, .body = ""};
	return true;
}

void answer_messages(void)
{
	fake_http_set_answerer(answer, NULL);
}

void advance(int64_t ms)
{
	answer_messages();
	fake_loop_advance_ms(ms);
}

json_t *read_message(size_t i)
{
	assert_true(i < fake_http_count());
	json_t *document = json_loads(fake_http_request(i)->body, 0, NULL);
	assert_non_null(document);
	return document;
}

void expect_message(size_t i, int count, const char *text)
{
	json_t *document = read_message(i);
	assert_int_equal(json_integer_value(json_object_get(document, "count")), count);
	const char *found = json_string_value(json_object_get(document, "text"));
	if (strstr(found, text) == NULL)
		fail_msg("message %zu: %s", i, found);
	json_decref(document);
}

struct alert_record read_alert(enum alert_kind kind, const char *subject, bool *ret_is_there)
{
	static struct alert_record alert;
	static char resolution[512];
	char id[ALERT_ID_LEN + 1];
	alert_make_id(kind, subject, id);
	struct store_txn *txn = store_fixture_read();
	*ret_is_there = store_alert_get(txn, id, &alert);
	if (*ret_is_there)
		(void)snprintf(resolution, sizeof(resolution), "%s", alert.resolution);
	store_read_end(txn);
	alert.resolution = resolution;
	return alert; /* its other texts are gone */
}

struct alert_record read_cert_alert(unsigned number)
{
	char arn[128];
	bool is_there;
	cert_arn(number, arn);
	struct alert_record alert = read_alert(ALERT_CERTIFICATE, arn, &is_there);
	assert_true(is_there);
	return alert;
}
