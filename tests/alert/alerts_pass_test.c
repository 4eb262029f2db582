/* What a pass finds and how it ends, as it is told: the engine with its pass. The pass by itself is in
 * pass_test.c. */
#include "alert/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/accounts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "tests/alert/alerts_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static void only_the_worst_is_told_after_an_outage(void **state)
{
	(void)state;
	put_cert(1, "www.example.com", 44, false);
	advance(2000);
	alerts_fixture_close();
	fake_clock_set_now_s(SAMPLE_NOW_S + 42 * (int64_t)DAY_S); /* 2 days are left */
	alerts_fixture_open();
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 1, "1 alert (1 warning) on dc1");
	assert_int_equal(read_cert_alert(1).days, 3);
}

static void what_is_lost_and_failed_is_told_and_ends(void **state)
{
	(void)state;
	bool is_there;
	store_fixture_write(put_failures, NULL);
	world.credentials_end_s = SAMPLE_NOW_S + 600;
	advance(2000);
	expect_message(0, 4, "4 open alerts (3 critical, 1 warning) on dc1");
	assert_int_equal(
		read_alert(ALERT_COVERAGE, "shop 000000000002", &is_there).class, ALERT_WARNING);
	(void)read_alert(ALERT_COVERAGE, "prod 000000000001", &is_there);
	assert_false(is_there);
	(void)read_alert(ALERT_JOB, "j-20261001-1", &is_there);
	assert_false(is_there);
	store_fixture_write(mend, NULL);
	world.credentials_end_s = -1; /* a new daemon that has none yet */
	alerts_look(world.alerts);
	advance(2000);
	expect_message(1, 2, "2 resolved on dc1");
	assert_int_equal(read_alert(ALERT_IDENTITY, "prod", &is_there).resolved_s, 0);
	world.credentials_end_s = 0;
	alerts_look(world.alerts);
	advance(2000);
	expect_message(2, 1, "1 resolved on dc1");
	assert_string_equal(read_alert(ALERT_IDENTITY, "prod", &is_there).resolution,
		"the credentials do not end soon");
	advance(8 * (int64_t)DAY_MS);
	assert_string_equal(read_alert(ALERT_JOB, "j-20261120-1", &is_there).resolution,
		"it failed more than a week ago");
	advance(31 * (int64_t)DAY_MS);
	(void)read_alert(ALERT_CONNECTOR, "prod", &is_there);
	assert_false(is_there); /* forgotten */
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
	store_fixture_write(put_jobs, NULL);
	advance(2000);
	expect_message(0, 3, "3 open alerts (2 critical, 1 warning) on dc1");
	assert_int_equal(
		read_alert(ALERT_JOB, "d-20261101-000000-1", &is_there).class, ALERT_WARNING);
	assert_true(is_there);
	(void)read_alert(ALERT_JOB, "r-20261120-000000-1", &is_there);
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
	store_fixture_write(lose_many, NULL);
	advance(2000);
	expect_message(0, 1, "1 open alert (1 critical) on dc1");
	store_fixture_write(mend, NULL); /* the cycle works, and the accounts are still lost */
	alerts_look(world.alerts);
	advance(2000);
	expect_message(1, 101, "100 alerts (100 warning), 1 resolved on dc1");
	json_t *document = read_message(1);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(document, "kinds"), "coverage")),
		100);
	json_decref(document);
}

static void delete_cert(struct store_txn *txn, void *arg)
{
	char arn[128];
	(void)arg;
	cert_arn(4, arn);
	store_cert_delete(txn, arn);
}

static void a_certificate_that_is_replaced_renewed_or_gone_is_over(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 4; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "www%u.example.com", i);
		put_cert(i, name, 10, false);
	}
	put_cert(5, "www5.example.com", 10, true);
	advance(2000);
	expect_message(0, 5, "5 open alerts (1 emergency, 4 notice)");
	put_cert(11, "WWW1.example.com", 100, false);
	put_cert(15, "www5.example.com", 100, false);
	put_cert(2, "www2.example.com", 100, false);
	put_gone_cert(3, "www3.example.com");
	store_fixture_write(delete_cert, NULL);
	alerts_look(world.alerts);
	advance(2000);
	expect_message(1, 4, "4 resolved on dc1");
	assert_string_equal(read_cert_alert(1).resolution,
		"replaced by arn:aws:acm:eu-west-1:000000000001:certificate/11");
	assert_string_equal(read_cert_alert(2).resolution,
		"it ends 2027-03-01T00:00:00Z, later than any threshold");
	assert_string_equal(read_cert_alert(3).resolution, "the certificate is gone");
	assert_string_equal(read_cert_alert(4).resolution, "it is not in the inventory any more");
	assert_int_equal(read_cert_alert(5).resolved_s, 0); /* in use: the alert stays */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALERTS_TEST(only_the_worst_is_told_after_an_outage),
		ALERTS_TEST(what_is_lost_and_failed_is_told_and_ends),
		ALERTS_TEST(jobs_of_every_kind_that_failed_are_told),
		ALERTS_TEST(a_connector_that_fails_is_one_alert),
		ALERTS_TEST(a_certificate_that_is_replaced_renewed_or_gone_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
