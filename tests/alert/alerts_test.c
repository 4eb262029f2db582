/*
 * The engine, its pass and its senders on a real store, with time that a test moves: what is told,
 * once; every write that fails, every moment at which the daemon ends.
 */
#include "alert/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/http.h"
#include "base/loop.h"
#include "store/accounts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/jobs.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/fake_ways.h"
#include "tests/lib/temp_store.h"

enum { DAY = 86400, HOUR_MS = 3600000, TURNS_MAX = 400 };

static const struct alert_settings usual = {
	.days = {45, 30, 14, 7, 3, 1, 0}, .days_count = 7, .coverage_after_s = 0};

static char *folder, *url_file;
static struct loop *loop;
static struct store *store;
static struct http *http;
static struct alerts *alerts;
static bool is_busy;
static int64_t told_now_s;	  /* by AWS; 0: as the clock here */
static int64_t credentials_end_s; /* -1: not known */
static char journal[65536];

static void write_journal(void *arg, enum alert_class class, const char *line)
{
	(void)arg;
	size_t len = strlen(journal);
	(void)snprintf(journal + len, sizeof(journal) - len, "%d %s\n", (int)class, line);
}

static bool get_busy(void *arg)
{
	(void)arg;
	return is_busy;
}

static int64_t now_s(void *arg)
{
	(void)arg;
	return told_now_s != 0 ? told_now_s : clock_now_s();
}

static int failures;

static void count_failure(void *arg, const struct err *err)
{
	(void)arg;
	assert_true(err->kind != ERR_NONE);
	failures++;
}

static bool identity_at(void *arg, size_t i, struct alert_identity *ret_identity)
{
	(void)arg;
	*ret_identity = (struct alert_identity){.connector = "prod",
		.source = "environment",
		.is_known = credentials_end_s >= 0,
		.expires_s = credentials_end_s};
	return i == 0;
}

static char none[] = "", ops_name[] = "ops", log_name[] = "log";

static struct alert_channel channel_of(char *name, enum channel_type type)
{
	return (struct alert_channel){.name = name,
		.type = type,
		.minimum = ALERT_NOTICE,
		.resolved = true,
		.url_file = type == CHANNEL_WEBHOOK ? url_file : none,
		.proxy = none,
		.no_proxy = none,
		.ca_bundle = none,
		.server = none,
		.user = none,
		.password_file = none,
		.from = none,
		.command = none,
		.timeout_s = 7};
}

static void open_alerts(void)
{
	struct err err = ERR_INIT;
	const struct http_limits limits = {.max_requests = 4, .per_host_max = 4, .idle_max = 4};
	loop = loop_new(&err);
	store = temp_store_open(loop, folder);
	http = http_new(loop, NULL, &limits, &err);
	alerts = alerts_new(&(struct alerts_options){.loop = loop,
				    .store = store,
				    .http = http,
				    .sensor_name = "dc1",
				    .identity = identity_at,
				    .journal = write_journal,
				    .is_busy = get_busy,
				    .now_s = now_s,
				    .failed = count_failure},
		&err);
	struct alert_channel channel[] = {channel_of(ops_name, CHANNEL_WEBHOOK)};
	alerts_configure(alerts, &usual, channel, 1);
}

static void close_alerts(void)
{
	alerts_free(alerts);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_http_pending(), 0);
	assert_int_equal(fake_ways_pending(), 0);
	http_free(http);
	store_close(store);
	loop_free(loop);
}

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	url_file = temp_path(folder, "hook.url");
	FILE *to = fopen(url_file, "w");
	fputs("https://hook.example.com/secret\n", to);
	assert_int_equal(fchmod(fileno(to), 0600), 0);
	fclose(to);
	fake_clock_set_now_s(SAMPLE_NOW_S);
	fake_http_reset();
	fake_ways_reset();
	fake_store_reset();
	is_busy = false;
	told_now_s = 0;
	credentials_end_s = 0;
	journal[0] = '\0';
	failures = 0;
	open_alerts();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close_alerts();
	fake_http_reset();
	free(url_file);
	temp_folder_remove(folder);
	return 0;
}

static void restart(void)
{
	close_alerts();
	open_alerts();
}

/* --- the inventory ---------------------------------------------------------------------------- */

static void write_now(store_write_fn *write, void *arg)
{
	struct err err = ERR_INIT;
	if (store_write_now(store, write, arg, &err) != 0)
		fail_msg("%s", err.text);
}

struct put {
	unsigned number;
	const char *name;
	int64_t not_after_s, gone_s;
	bool in_use;
};

static void arn_of(unsigned number, char arn[128])
{
	(void)snprintf(arn, 128, "arn:aws:acm:eu-west-1:000000000001:certificate/%u", number);
}

static void put_cert(struct store_txn *txn, void *arg)
{
	const struct put *put = arg;
	char arn[128];
	arn_of(put->number, arn);
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

static void put(unsigned number, const char *name, int64_t days, bool in_use)
{
	struct put one = {.number = number,
		.name = name,
		.not_after_s = days == 0 ? 0 : SAMPLE_NOW_S + days * DAY,
		.in_use = in_use};
	write_now(put_cert, &one);
}

static void put_failures(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "000000000001",
					.region = "eu-west-1",
					.state = COVERAGE_OK,
					.code = "",
					.reason = ""});
	store_coverage_put(txn, &(struct coverage_record){.connector = "shop",
					.account_id = "000000000002",
					.region = "eu-west-1",
					.state = COVERAGE_DENIED,
					.code = "",
					.reason = "no",
					.last_success_s = 1});
	store_coverage_put(txn, &(struct coverage_record){.connector = "shop",
					.account_id = "000000000002",
					.region = "eu-west-2",
					.state = COVERAGE_DENIED,
					.code = "",
					.reason = "no",
					.last_success_s = 1});
	store_cycle_put(txn, &(struct cycle_record){.connector = "prod", .error = "no walk"});
	store_job_put(txn, &(struct job_record){.id = "j-20261120-1",
				   .kind = JOB_DELIVER,
				   .phase = JOB_DONE,
				   .state = JOB_FAILED,
				   .reason = "refused",
				   .connector = "prod",
				   .account_id = "000000000001",
				   .region = "eu-west-1",
				   .ended_s = SAMPLE_NOW_S - DAY});
	store_job_put(txn, &(struct job_record){.id = "j-20261001-1",
				   .kind = JOB_DELIVER,
				   .phase = JOB_DONE,
				   .state = JOB_FAILED,
				   .reason = "long ago",
				   .ended_s = SAMPLE_NOW_S - 50 * (int64_t)DAY});
}

static void mend(struct store_txn *txn, void *arg)
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
	(void)request;
	const int *status = arg;
	*ret_answer = (struct fake_answer){.status = *status, .body = ""};
	return true;
}

static int status = 200;

static void advance(int64_t ms)
{
	fake_http_set_answerer(answer, &status);
	fake_loop_advance_ms(ms);
}

/* Of the i-th message; owned. */
static json_t *message(size_t i)
{
	assert_true(i < fake_http_count());
	json_t *document = json_loads(fake_http_request(i)->body, 0, NULL);
	assert_non_null(document);
	return document;
}

static void expect_message(size_t i, int count, const char *text)
{
	json_t *document = message(i);
	assert_int_equal(json_integer_value(json_object_get(document, "count")), count);
	const char *found = json_string_value(json_object_get(document, "text"));
	if (strstr(found, text) == NULL)
		fail_msg("message %zu: %s", i, found);
	json_decref(document);
}

static struct alert_record get(enum alert_kind kind, const char *subject, bool *ret_is_there)
{
	static struct alert_record alert;
	static char resolution[512];
	char id[ALERT_ID_LEN + 1];
	struct store_txn *txn;
	struct err err = ERR_INIT;
	alert_make_id(kind, subject, id);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	*ret_is_there = store_alert_get(txn, id, &alert);
	if (*ret_is_there)
		(void)snprintf(resolution, sizeof(resolution), "%s", alert.resolution);
	store_read_end(txn);
	alert.resolution = resolution;
	return alert; /* its other texts are gone */
}

static struct alert_record get_cert(unsigned number)
{
	char arn[128];
	bool is_there;
	arn_of(number, arn);
	struct alert_record alert = get(ALERT_CERTIFICATE, arn, &is_there);
	assert_true(is_there);
	return alert;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_new_channel_is_told_what_is_open_and_then_what_is_new(void **state)
{
	(void)state;
	put(1, "www.example.com", 20, true);
	put(2, "later.example.com", 60, true);
	put(3, "pending.example.com", 0, true);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	expect_message(0, 1, "1 open alert (1 emergency) on dc1");
	advance(24 * (int64_t)HOUR_MS);
	assert_int_equal(fake_http_count(), 1);
	restart();
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	advance(16 * 24 * (int64_t)HOUR_MS);	/* 60 - 17 = 43 days, and 20 - 17 = 3 */
	assert_int_equal(fake_http_count(), 5); /* at 14, 7 and 3 days, and the other at 45 */
	assert_int_equal(alerts_counts(alerts)->open[ALERT_EMERGENCY], 2);
}

static void only_the_worst_is_told_after_an_outage(void **state)
{
	(void)state;
	put(1, "www.example.com", 44, false);
	advance(2000);
	close_alerts();
	fake_clock_set_now_s(SAMPLE_NOW_S + 42 * (int64_t)DAY); /* 2 days are left */
	open_alerts();
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 1, "1 alert (1 warning) on dc1");
	assert_int_equal(get_cert(1).days, 3);
}

static void what_is_lost_and_failed_is_told_and_ends(void **state)
{
	(void)state;
	bool is_there;
	write_now(put_failures, NULL);
	credentials_end_s = SAMPLE_NOW_S + 600;
	advance(2000);
	expect_message(0, 4, "4 open alerts (3 critical, 1 warning) on dc1");
	assert_int_equal(get(ALERT_COVERAGE, "shop 000000000002", &is_there).class, ALERT_WARNING);
	(void)get(ALERT_COVERAGE, "prod 000000000001", &is_there);
	assert_false(is_there);
	(void)get(ALERT_JOB, "j-20261001-1", &is_there);
	assert_false(is_there);
	write_now(mend, NULL);
	credentials_end_s = -1; /* a new daemon that has none yet */
	alerts_look(alerts);
	advance(2000);
	expect_message(1, 2, "2 resolved on dc1");
	assert_int_equal(get(ALERT_IDENTITY, "prod", &is_there).resolved_s, 0);
	credentials_end_s = 0;
	alerts_look(alerts);
	advance(2000);
	expect_message(2, 1, "1 resolved on dc1");
	assert_string_equal(get(ALERT_IDENTITY, "prod", &is_there).resolution,
		"the credentials do not end soon");
	advance(8 * 24 * (int64_t)HOUR_MS);
	assert_string_equal(get(ALERT_JOB, "j-20261120-1", &is_there).resolution,
		"it failed more than a week ago");
	advance(31 * 24 * (int64_t)HOUR_MS);
	(void)get(ALERT_CONNECTOR, "prod", &is_there);
	assert_false(is_there); /* forgotten */
}

static void put_failed_job(struct store_txn *txn, const char *id, enum job_kind kind)
{
	store_job_put(txn, &(struct job_record){.id = id,
				   .kind = kind,
				   .phase = JOB_DONE,
				   .state = JOB_FAILED,
				   .reason = "refused",
				   .connector = "prod",
				   .account_id = "000000000001",
				   .region = "eu-west-1",
				   .ended_s = SAMPLE_NOW_S - 60});
}

static void put_jobs(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_failed_job(txn, "d-20260101-000000-1", JOB_DELETE); /* older than any that can run */
	put_failed_job(txn, "d-20261101-000000-1", JOB_DELETE); /* has waited to the end */
	put_failed_job(txn, "j-20261120-000000-1", JOB_DELIVER);
	put_failed_job(txn, "r-20260101-000000-1", JOB_ROLLBACK);
	put_failed_job(txn, "r-20261120-000000-1", JOB_ROLLBACK);
}

static void jobs_of_every_kind_that_failed_are_told(void **state)
{
	(void)state;
	bool is_there;
	write_now(put_jobs, NULL);
	advance(2000);
	expect_message(0, 3, "3 open alerts (2 critical, 1 warning) on dc1");
	assert_int_equal(get(ALERT_JOB, "d-20261101-000000-1", &is_there).class, ALERT_WARNING);
	assert_true(is_there);
	(void)get(ALERT_JOB, "r-20261120-000000-1", &is_there);
	assert_true(is_there);
}

static void lose_many(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		char account_id[13];
		(void)snprintf(account_id, sizeof(account_id), "%012d", i);
		store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
						.account_id = account_id,
						.region = "eu-west-1",
						.state = COVERAGE_FAILED,
						.code = "",
						.reason = "no credentials",
						.last_success_s = 1});
	}
	store_cycle_put(
		txn, &(struct cycle_record){.connector = "prod", .error = "no credentials"});
}

static void a_connector_that_fails_is_one_alert(void **state)
{
	(void)state;
	write_now(lose_many, NULL);
	advance(2000);
	expect_message(0, 1, "1 open alert (1 critical) on dc1");
	write_now(mend, NULL); /* the cycle works, and the accounts are still lost */
	alerts_look(alerts);
	advance(2000);
	expect_message(1, 101, "100 alerts (100 warning), 1 resolved on dc1");
	json_t *document = message(1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(document, "kinds"), "coverage")),
		100);
	json_decref(document);
}

static void delete_cert(struct store_txn *txn, void *arg)
{
	char cert_arn[128];
	(void)arg;
	arn_of(4, cert_arn);
	store_cert_delete(txn, cert_arn);
}

static void a_certificate_that_is_replaced_renewed_or_gone_is_over(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 4; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "www%u.example.com", i);
		put(i, name, 10, false);
	}
	put(5, "www5.example.com", 10, true);
	advance(2000);
	expect_message(0, 5, "5 open alerts (1 emergency, 4 notice)");
	put(11, "WWW1.example.com", 100, false);
	put(15, "www5.example.com", 100, false);
	put(2, "www2.example.com", 100, false);
	struct put gone = {.number = 3,
		.name = "www3.example.com",
		.not_after_s = SAMPLE_NOW_S + 10 * DAY,
		.gone_s = 1};
	write_now(put_cert, &gone);
	write_now(delete_cert, NULL);
	alerts_look(alerts);
	advance(2000);
	expect_message(1, 4, "4 resolved on dc1");
	assert_string_equal(get_cert(1).resolution,
		"replaced by arn:aws:acm:eu-west-1:000000000001:certificate/11");
	assert_string_equal(
		get_cert(2).resolution, "it ends 2027-03-01T00:00:00Z, later than any threshold");
	assert_string_equal(get_cert(3).resolution, "the certificate is gone");
	assert_string_equal(get_cert(4).resolution, "it is not in the inventory any more");
	assert_int_equal(get_cert(5).resolved_s, 0); /* in use: the alert stays */
}

static void a_channel_that_fails_is_tried_later_and_told_once(void **state)
{
	(void)state;
	struct alert_sender_state channel;
	put(1, "www.example.com", 20, true);
	status = 500;
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_false(alerts_channel_state(alerts, 1, &channel));
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, SAMPLE_NOW_S + 1);
	assert_string_equal(channel.error, "webhook: the receiver answered HTTP 500");
	advance(10000);
	assert_int_equal(fake_http_count(), 2);
	advance(15000);
	assert_int_equal(fake_http_count(), 2);
	restart();
	put(2, "more.example.com", 20, false); /* joins */
	advance(2000);
	assert_int_equal(fake_http_count(), 3);
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, SAMPLE_NOW_S + 1); /* also after a restart */
	status = 200;
	advance(41000);
	assert_int_equal(fake_http_count(), 4);
	expect_message(3, 2, "2 open alerts (1 emergency, 1 notice)");
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, 0);
	advance(24 * (int64_t)HOUR_MS);
	assert_int_equal(fake_http_count(), 4);
}

static void what_waits_is_not_told_with_all_the_rest_after_a_restart(void **state)
{
	(void)state;
	put(1, "www1.example.com", 20, true);
	advance(2000);
	status = 500;
	put(2, "www2.example.com", 20, true);
	put(3, "www3.example.com", 20, true);
	alerts_look(alerts);
	advance(2000);
	expect_message(1, 2, "2 alerts (2 emergency) on dc1");
	restart();
	advance(2000);
	status = 200;
	advance(HOUR_MS);
	size_t last = fake_http_count() - 1;
	assert_true(last > 2); /* it has failed once more */
	expect_message(last, 2, "2 alerts (2 emergency) on dc1");
}

static void what_ends_before_it_is_told_is_not(void **state)
{
	(void)state;
	struct alert_sender_state channel;
	advance(2000);
	put(1, "www.example.com", 20, true);
	status = 500;
	alerts_look(alerts);
	advance(2000);
	put(1, "www.example.com", 200, true);
	status = 200;
	alerts_look(alerts);
	advance(60000);
	assert_int_equal(fake_http_count(), 1); /* the one that failed */
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, 0);
	assert_string_equal(channel.error, "");
}

static void each_channel_has_its_least_class(void **state)
{
	(void)state;
	struct alert_channel channel[] = {
		channel_of(ops_name, CHANNEL_WEBHOOK), channel_of(log_name, CHANNEL_JOURNAL)};
	channel[0].minimum = ALERT_EMERGENCY;
	channel[0].resolved = false;
	alerts_configure(alerts, &usual, channel, 2);
	put(1, "www.example.com", 20, true);
	put(2, "idle.example.com", 20, false);
	advance(2000);
	expect_message(0, 1, "(1 emergency)");
	assert_non_null(strstr(journal, "class=notice"));
	assert_non_null(strstr(journal, "class=emergency"));
	put(1, "www.example.com", 200, true);
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	assert_non_null(strstr(journal, "class=resolved"));
}

static void nothing_is_judged_before_the_inventory_is_up_to_date(void **state)
{
	(void)state;
	put(1, "www.example.com", -5, true);
	is_busy = true;
	advance(600000);
	assert_null(alerts_counts(alerts));
	put(1, "www.example.com", 300, true); /* it was renewed while nobody looked */
	is_busy = false;
	advance(6000);
	assert_int_equal(fake_http_count(), 0);
	assert_non_null(alerts_counts(alerts));
	/* But not for ever. */
	put(1, "www.example.com", 3, true);
	is_busy = true;
	advance(HOUR_MS + 600000);
	assert_int_equal(fake_http_count(), 0);
	advance(HOUR_MS);
	assert_int_equal(fake_http_count(), 1);
}

static void put_late_job(struct store_txn *txn, void *arg)
{
	put_failed_job(txn, arg, JOB_DELIVER);
}

static void a_job_that_failed_does_not_wait_for_the_inventory(void **state)
{
	(void)state;
	char first[] = "j-20261120-000000-1", second[] = "j-20261120-000000-2";
	write_now(put_failures, NULL);
	put(1, "www.example.com", 20, true);
	advance(2000);
	expect_message(0, 4, "open alerts");
	is_busy = true;
	write_now(mend, NULL);
	put(1, "www.example.com", 200, true);
	put(2, "new.example.com", -5, true);
	write_now(put_late_job, first);
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 2, "1 alert (1 critical), 1 resolved"); /* the connector */
	/* What the inventory tells stands as it was. */
	assert_int_equal(alerts_counts(alerts)->open[ALERT_EMERGENCY], 1);
	assert_int_equal(alerts_counts(alerts)->open[ALERT_WARNING], 1);
	/* One that fails while a look is under way has another. */
	alerts_look(alerts);
	fake_loop_advance_ms(1000);
	write_now(put_late_job, second);
	alerts_look(alerts);
	advance(70000);
	assert_int_equal(fake_http_count(), 3);
	expect_message(2, 1, "1 alert (1 critical)");
	is_busy = false;
	advance(6000);
	assert_int_equal(alerts_counts(alerts)->open[ALERT_EMERGENCY], 1);
	assert_int_equal(alerts_counts(alerts)->open[ALERT_WARNING], 0);
	bool is_there;
	char arn[128];
	arn_of(1, arn);
	assert_true(get(ALERT_CERTIFICATE, arn, &is_there).resolved_s != 0);
}

static void a_wrong_clock_of_this_host_ends_no_certificate(void **state)
{
	(void)state;
	told_now_s = SAMPLE_NOW_S - 400 * DAY;
	put(1, "www.example.com", 3, true);
	advance(2000);
	assert_non_null(alerts_counts(alerts));
	assert_int_equal(fake_http_count(), 0);
	told_now_s = SAMPLE_NOW_S;
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
}

static void a_message_reckons_with_the_time_that_is_trusted(void **state)
{
	(void)state;
	told_now_s = SAMPLE_NOW_S + 10 * DAY;
	put(1, "www.example.com", 20, true);
	advance(2000);
	struct alert_sender_state channel;
	json_t *document = message(0);
	const json_t *first = json_array_get(json_object_get(document, "alerts"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "days_left")), 10);
	assert_string_equal(
		json_string_value(json_object_get(document, "at")), "2026-12-01T00:00:00Z");
	json_decref(document);
	assert_true(alerts_channel_state(alerts, 0, &channel));
	assert_true(channel.sent_s >= told_now_s && channel.sent_s < told_now_s + DAY);
}

static void who_asks_again_and_again_puts_nothing_off(void **state)
{
	(void)state;
	advance(2000);
	put(1, "www.example.com", 20, true);
	for (int i = 0; i < 20; i++) {
		alerts_look(alerts);
		advance(500);
	}
	assert_int_equal(fake_http_count(), 1);
}

/* A thousand jobs that end one by one must not make a thousand looks. */
static void a_look_that_took_long_is_not_made_again_at_once(void **state)
{
	(void)state;
	advance(2000);
	put(1, "www.example.com", 20, true);
	alerts_look(alerts);
	while (fake_store_waiting_count() == 0)
		assert_true(fake_loop_step());
	fake_clock_advance_ms(1000); /* it waits for its write */
	advance(0);
	assert_int_equal(fake_http_count(), 1);
	put(2, "more.example.com", 20, true);
	alerts_look(alerts);
	advance(19000);
	assert_int_equal(fake_http_count(), 1);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
}

static void a_look_that_fails_is_told_and_made_again_soon(void **state)
{
	(void)state;
	put(1, "www.example.com", 20, true);
	fake_store_fail_at(1, ERR_STORE_FULL);
	advance(2000);
	assert_int_equal(failures, 1);
	assert_string_not_equal(alerts_error(alerts), "");
	assert_int_equal(fake_http_count(), 0);
	fake_store_fail_at(0, ERR_NONE);
	advance(60000);
	assert_int_equal(failures, 1);
	assert_string_equal(alerts_error(alerts), "");
	assert_int_equal(fake_http_count(), 1);
}

static void a_reload_leaves_what_is_under_way_and_tries_what_waits(void **state)
{
	(void)state;
	struct alert_channel channel[] = {
		channel_of(log_name, CHANNEL_JOURNAL), channel_of(ops_name, CHANNEL_WEBHOOK)};
	put(1, "www.example.com", 20, true);
	fake_loop_advance_ms(2000); /* nobody answers */
	assert_int_equal(fake_http_count(), 1);
	alerts_configure(alerts, &usual, channel, 2);
	fake_loop_advance_ms(2000);
	assert_int_equal(fake_http_pending(), 1);
	assert_int_equal(fake_http_count(), 1);
	assert_non_null(strstr(journal, "class=emergency"));
	/* What is changed is begun again. */
	channel[1].minimum = ALERT_WARNING;
	status = 500;
	alerts_configure(alerts, &usual, channel, 2);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	status = 200;
	alerts_configure(alerts, &usual, channel, 2);
	advance(0);
	assert_int_equal(fake_http_count(), 3);
	advance(HOUR_MS);
	assert_int_equal(fake_http_count(), 3);
}

/* More than the queue holds: a channel that was away begins with all that is open. */
static void append_notices(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < ALERT_NOTICES_MAX + 10; i++)
		(void)store_alert_notice_append(txn, "0123456789abcdef");
}

static void a_gap_in_the_queue_is_filled_with_what_is_open(void **state)
{
	(void)state;
	put(1, "www.example.com", 20, true);
	advance(2000);
	write_now(append_notices, NULL);
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 1, "1 open alert");
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
}

static void channels_that_are_gone_are_forgotten(void **state)
{
	(void)state;
	struct alert_channel channel[] = {channel_of(log_name, CHANNEL_JOURNAL)};
	struct alert_channel_record record;
	struct store_txn *txn;
	struct err err = ERR_INIT;
	advance(2000);
	alerts_configure(alerts, &usual, channel, 1);
	advance(2000);
	advance(HOUR_MS);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_false(store_alert_channel_get(txn, "ops", &record));
	assert_true(store_alert_channel_get(txn, "log", &record));
	store_read_end(txn);
	const struct alert_settings off = {.days_count = 0};
	put(1, "www.example.com", 3, true);
	alerts_configure(alerts, &off, channel, 1);
	advance(2000);
	assert_string_equal(journal, "");
}

/* --- orders ----------------------------------------------------------------------------------- */

static int op_ends;
static char op_said[256];
static struct err op_err;

static void on_op(void *arg, const char *said, const struct err *err)
{
	(void)arg;
	op_ends++;
	(void)snprintf(op_said, sizeof(op_said), "%s", said != NULL ? said : "");
	op_err = err != NULL ? *err : (struct err)ERR_INIT;
}

static void ack(const char *which)
{
	op_ends = 0;
	(void)alerts_ack_start(alerts, which, "known", "uid 7", on_op, NULL);
	assert_int_equal(op_ends, 0);
	advance(0);
	assert_int_equal(op_ends, 1);
}

static void what_is_acknowledged_is_not_told_until_it_is_worse(void **state)
{
	(void)state;
	char arn[128];
	arn_of(1, arn);
	put(1, "www.example.com", 16, true);
	status = 500;
	advance(2000);
	ack(arn);
	assert_int_equal(op_err.kind, ERR_NONE);
	assert_int_equal(strlen(op_said), ALERT_ID_LEN);
	status = 200;
	advance(60000);
	assert_int_equal(fake_http_count(), 1); /* the one that failed */
	assert_int_equal(alerts_counts(alerts)->acknowledged, 1);
	assert_int_equal(alerts_counts(alerts)->open[ALERT_EMERGENCY], 0);
	ack(op_said); /* by its id */
	assert_int_equal(op_err.kind, ERR_NONE);
	advance(3 * 24 * (int64_t)HOUR_MS);
	assert_int_equal(fake_http_count(), 2);
	put(1, "www.example.com", 200, true);
	alerts_look(alerts);
	advance(2000);
	ack(arn);
	assert_int_equal(op_err.kind, ERR_REFUSED);
	assert_non_null(strstr(op_err.text, "the alert is resolved already: it ends 2027-"));
	ack("nothing");
	assert_int_equal(op_err.kind, ERR_NOT_FOUND);
	assert_string_equal(op_err.text, "there is no alert nothing");
}

/* A connector and its credentials have one name. */
static void the_open_one_of_two_is_acknowledged(void **state)
{
	(void)state;
	bool is_there;
	write_now(put_failures, NULL);
	credentials_end_s = SAMPLE_NOW_S + 600;
	advance(2000);
	assert_int_equal(alerts_counts(alerts)->open[ALERT_CRITICAL], 3);
	ack("prod");
	assert_int_equal(alerts_counts(alerts)->open[ALERT_CRITICAL], 2);
	assert_int_equal(alerts_counts(alerts)->acknowledged, 1);
	assert_true(get(ALERT_CONNECTOR, "prod", &is_there).acknowledged_s != 0);
	assert_true(get(ALERT_IDENTITY, "prod", &is_there).acknowledged_s == 0);
	ack("prod");
	assert_true(get(ALERT_IDENTITY, "prod", &is_there).acknowledged_s != 0);
	write_now(mend, NULL);
	alerts_look(alerts);
	advance(2000);
	assert_true(get(ALERT_CONNECTOR, "prod", &is_there).resolved_s != 0);
	ack("prod");
	assert_int_equal(op_err.kind, ERR_NONE);
	credentials_end_s = 0;
	alerts_look(alerts);
	advance(2000);
	ack("prod");
	assert_int_equal(op_err.kind, ERR_REFUSED);
}

static void a_channel_can_be_tried(void **state)
{
	(void)state;
	op_ends = 0;
	(void)alerts_test_start(alerts, "ops", on_op, NULL);
	advance(0);
	assert_int_equal(op_ends, 1);
	assert_string_equal(op_said, "HTTP 200");
	expect_message(0, 0, "test message of acmsensor on dc1");
	char id[48]; /* two tests are two messages */
	(void)snprintf(id, sizeof(id), "\"id\":\"test-%lld\"", (long long)SAMPLE_NOW_S);
	assert_non_null(strstr(fake_http_request(0)->body, id));
	(void)alerts_test_start(alerts, "other", on_op, NULL);
	advance(0);
	assert_int_equal(op_err.kind, ERR_NOT_FOUND);
	/* Who has seen it work does not want to wait for the next attempt. */
	put(1, "www.example.com", 20, true);
	status = 500;
	alerts_look(alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	status = 200;
	(void)alerts_test_start(alerts, "ops", on_op, NULL);
	advance(0);
	assert_int_equal(fake_http_count(), 4);
	expect_message(3, 1, "1 open alert");
	op_ends = 0;
	struct alert_op *op[] = {alerts_test_start(alerts, "ops", on_op, NULL),
		alerts_test_start(alerts, "other", on_op, NULL),
		alerts_ack_start(alerts, "x", "", "", on_op, NULL)};
	for (size_t i = 0; i < 3; i++)
		alerts_op_cancel(op[i]);
	alerts_op_cancel(NULL);
	advance(0);
	assert_int_equal(op_ends, 0);
}

/* --- failures and ends ------------------------------------------------------------------------ */

static void put_story(void)
{
	put(1, "www.example.com", 20, true);
	put(2, "idle.example.com", 20, false);
	write_now(put_failures, NULL);
}

/* Whichever write fails, all is told in the end, and nothing is left undone. */
static void every_write_may_fail(void **state)
{
	(void)state;
	put_story();
	for (size_t n = 1; n <= 5; n++) {
		fake_store_fail_at(n, ERR_STORE_FULL);
		advance(2000);
		fake_store_fail_at(0, ERR_NONE);
		advance(3 * (int64_t)HOUR_MS);
		json_t *last = message(fake_http_count() - 1);
		assert_int_equal(json_integer_value(json_object_get(last, "count")), 5);
		json_decref(last);
		assert_int_equal(temp_store_problems(store), 0);
		teardown(state);
		setup(state);
		put_story();
	}
}

/* The daemon ends at every turn; the next one tells what was not told. What was under way may come
 * again, with the same id. */
static void it_may_end_at_every_turn(void **state)
{
	(void)state;
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		put_story();
		fake_http_set_answerer(answer, &status);
		int turn = 0;
		while (turn < turns && clock_now_s() < SAMPLE_NOW_S + 60 && fake_loop_step())
			turn++;
		bool is_over = turn < turns;
		restart();
		advance(10000);
		assert_true(fake_http_count() == 1 || fake_http_count() == 2);
		for (size_t i = 0; i < fake_http_count(); i++)
			expect_message(i, 5, "5 open alerts");
		assert_int_equal(temp_store_problems(store), 0);
		if (is_over) {
			assert_int_equal(fake_http_count(), 1);
			return;
		}
		teardown(state);
		setup(state);
	}
	fail_msg("it never came to rest");
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(a_new_channel_is_told_what_is_open_and_then_what_is_new),
		IN_STORE(only_the_worst_is_told_after_an_outage),
		IN_STORE(what_is_lost_and_failed_is_told_and_ends),
		IN_STORE(jobs_of_every_kind_that_failed_are_told),
		IN_STORE(a_connector_that_fails_is_one_alert),
		IN_STORE(a_certificate_that_is_replaced_renewed_or_gone_is_over),
		IN_STORE(a_channel_that_fails_is_tried_later_and_told_once),
		IN_STORE(what_waits_is_not_told_with_all_the_rest_after_a_restart),
		IN_STORE(what_ends_before_it_is_told_is_not),
		IN_STORE(each_channel_has_its_least_class),
		IN_STORE(nothing_is_judged_before_the_inventory_is_up_to_date),
		IN_STORE(a_job_that_failed_does_not_wait_for_the_inventory),
		IN_STORE(a_wrong_clock_of_this_host_ends_no_certificate),
		IN_STORE(a_message_reckons_with_the_time_that_is_trusted),
		IN_STORE(who_asks_again_and_again_puts_nothing_off),
		IN_STORE(a_look_that_took_long_is_not_made_again_at_once),
		IN_STORE(a_look_that_fails_is_told_and_made_again_soon),
		IN_STORE(a_reload_leaves_what_is_under_way_and_tries_what_waits),
		IN_STORE(a_gap_in_the_queue_is_filled_with_what_is_open),
		IN_STORE(channels_that_are_gone_are_forgotten),
		IN_STORE(what_is_acknowledged_is_not_told_until_it_is_worse),
		IN_STORE(the_open_one_of_two_is_acknowledged),
		IN_STORE(a_channel_can_be_tried),
		IN_STORE(every_write_may_fail),
		IN_STORE(it_may_end_at_every_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
