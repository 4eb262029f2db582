/* The pass by itself: many certificates, an end at every turn, a store that is damaged. What it finds
 * is in alerts_pass_test.c. */
#include "alert/pass.h"

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
#include "base/err.h"
#include "base/loop.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 200, DAY = 86400 };

static struct loop *loop;
static int ends;
static struct alert_counts end_counts;
static struct err end_err;

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < CERTS; i++) {
		char arn[128], name[64];
		(void)snprintf(
			arn, sizeof(arn), "arn:aws:acm:eu-west-1:000000000001:certificate/%d", i);
		(void)snprintf(name, sizeof(name), "www%d.example.com", i);
		store_cert_put(
			txn, &(struct cert_record){.arn = arn,
				     .connector = "prod",
				     .account_id = "000000000001",
				     .region = "eu-west-1",
				     .domain_name = name,
				     .status = "ISSUED",
				     .type = "IMPORTED",
				     .not_after_s = SAMPLE_NOW_S + (i % 2 == 0 ? 10 : 99) * DAY,
				     .in_use = i % 4 == 0});
	}
}

static int setup(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	fake_clock_set_now_s(SAMPLE_NOW_S);
	fake_store_reset();
	loop = loop_new(&err);
	store_fixture_open_with(loop);
	store_fixture_write(put_all, NULL);
	ends = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	int rc = store_fixture_close(state);
	loop_free(loop);
	return rc;
}

static void on_done(void *arg, const struct alert_counts *counts, const struct err *err)
{
	(void)arg;
	ends++;
	if (counts != NULL)
		end_counts = *counts;
	end_err = err != NULL ? *err : (struct err)ERR_INIT;
}

static struct alert_pass *start(void)
{
	ends = 0;
	struct alert_pass *pass = alert_pass_start(
		&(struct alert_pass_options){.loop = loop,
			.store = store,
			.settings = {.days = {45, 30, 14, 7, 3, 1, 0}, .days_count = 7},
			.now_s = clock_now_s()},
		on_done, NULL);
	assert_int_equal(ends, 0);
	return pass;
}

static int64_t notices(void)
{
	struct store_txn *txn = store_fixture_read();
	int64_t last = store_alert_notice_last(txn);
	store_read_end(txn);
	return last;
}

static void all_are_found_once(void **state)
{
	(void)state;
	(void)start();
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(end_counts.open[ALERT_EMERGENCY], CERTS / 4);
	assert_int_equal(end_counts.open[ALERT_NOTICE], CERTS / 4);
	assert_int_equal(notices(), CERTS / 2);
	assert_true(fake_store_write_count() >= 2); /* not all in one */
	size_t writes = fake_store_write_count();
	(void)start();
	fake_loop_run_ready();
	assert_int_equal(fake_store_write_count(), writes); /* nothing is new */
	assert_int_equal(end_counts.open[ALERT_EMERGENCY], CERTS / 4);
	assert_int_equal(temp_store_problems(store), 0);
}

static void it_may_be_cancelled_at_every_turn(void **state)
{
	(void)state;
	alert_pass_cancel(NULL);
	for (int turns = 0;; turns++) {
		struct alert_pass *pass = start();
		for (int i = 0; i < turns && ends == 0; i++)
			(void)fake_loop_step();
		if (ends > 0)
			break;
		alert_pass_cancel(pass);
		assert_int_equal(fake_loop_timer_count(), 0);
		assert_int_equal(ends, 0);
	}
	assert_int_equal(notices(), CERTS / 2); /* each once, over all these passes */
}

static void a_write_that_fails_ends_it(void **state)
{
	(void)state;
	fake_store_fail_at(2, ERR_STORE_FULL);
	(void)start();
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	assert_int_equal(end_err.kind, ERR_STORE_FULL);
	(void)start();
	fake_loop_run_ready();
	assert_int_equal(end_err.kind, ERR_NONE);
	assert_int_equal(notices(), CERTS / 2);
}

/* --- twins ------------------------------------------------------------------------------------ */

enum { SAME_NAME = 100 };

static void put_named(struct store_txn *txn, const char *account_id, const char *id,
	const char *name, const char *san, int64_t days)
{
	char arn[160];
	struct buf sans;
	(void)snprintf(arn, sizeof(arn), "arn:aws:acm:eu-west-1:%s:certificate/%s", account_id, id);
	buf_init(&sans, 1000);
	if (san[0] != '\0')
		pack_add(&sans, san);
	store_cert_put(
		txn, &(struct cert_record){.arn = arn,
			     .connector = "prod",
			     .account_id = account_id,
			     .region = "eu-west-1",
			     .domain_name = name,
			     .sans = {.bytes = sans.data, .len = sans.len, .count = san[0] != '\0'},
			     .status = "ISSUED",
			     .type = "IMPORTED",
			     .not_after_s = SAMPLE_NOW_S + days * DAY});
	buf_clear(&sans);
}

/* The same name in so many accounts that the index of names is no help, and a twin in one. */
static void put_twins(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < SAME_NAME; i++) {
		char account_id[13];
		(void)snprintf(account_id, sizeof(account_id), "%012d", 500 + i);
		put_named(txn, account_id, "old", "*.corp.example.com", "", 20);
		if (i % 2 == 0)
			put_named(txn, account_id, "new", "*.CORP.example.com", "", 200);
	}
	put_named(txn, "000000000400", "old", "", "only.example.com", 20);
	put_named(txn, "000000000400", "new", "", "only.example.com", 200);
	put_named(txn, "000000000400", "other", "shop.example.com", "more.example.com", 20);
	put_named(txn, "000000000400", "less", "shop.example.com", "", 200);
	put_named(txn, "000000000400", "nameless", "", "", 20);
	put_named(txn, "000000000400", "nameless2", "", "", 200);
}

static bool is_open(const char *account_id, const char *cert_id)
{
	char arn[160], id[ALERT_ID_LEN + 1];
	struct alert_record alert;
	(void)snprintf(
		arn, sizeof(arn), "arn:aws:acm:eu-west-1:%s:certificate/%s", account_id, cert_id);
	alert_make_id(ALERT_CERTIFICATE, arn, id);
	struct store_txn *txn = store_fixture_read();
	bool is_there = store_alert_get(txn, id, &alert) && alert.resolved_s == 0;
	store_read_end(txn);
	return is_there;
}

static void a_twin_is_found_by_name_or_by_place(void **state)
{
	(void)state;
	store_fixture_write(put_twins, NULL);
	(void)start();
	fake_loop_run_ready();
	for (int i = 0; i < SAME_NAME; i++) {
		char account_id[13];
		(void)snprintf(account_id, sizeof(account_id), "%012d", 500 + i);
		assert_int_equal(is_open(account_id, "old"), i % 2 != 0);
	}
	assert_false(is_open("000000000400", "old"));
	assert_true(is_open("000000000400", "other"));
	assert_true(is_open("000000000400", "nameless"));
}

static void put_place(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "000000000001",
					.region = "eu-west-1",
					.state = COVERAGE_UNREACHABLE,
					.code = "",
					.reason = "",
					.state_since_s = SAMPLE_NOW_S,
					.last_success_s = SAMPLE_NOW_S - 30 * DAY});
}

static void what_was_last_read_long_ago_says_so(void **state)
{
	(void)state;
	struct alert_record alert;
	char position[ALERT_ID_LEN + 1] = "";
	store_fixture_write(put_place, NULL);
	(void)start();
	fake_loop_run_ready();
	struct store_txn *txn = store_fixture_read();
	while (store_alert_next(txn, position, &alert))
		if (alert.kind == ALERT_CERTIFICATE)
			assert_non_null(strstr(alert.text, "; last read 2026-10-22T00:00:00Z"));
	store_read_end(txn);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(all_are_found_once),
		IN_STORE(it_may_be_cancelled_at_every_turn),
		IN_STORE(a_write_that_fails_ends_it),
		IN_STORE(a_twin_is_found_by_name_or_by_place),
		IN_STORE(what_was_last_read_long_ago_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
