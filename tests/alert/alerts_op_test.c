/* What a person asks of alerts: to acknowledge one, to try a channel. */
#include "alert/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/alerts.h"
#include "tests/alert/alerts_fixture.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

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
	(void)alerts_ack_start(world.alerts, which, "known", "uid 7", on_op, NULL);
	assert_int_equal(op_ends, 0);
	advance(0);
	assert_int_equal(op_ends, 1);
}

static void what_is_acknowledged_is_not_told_until_it_is_worse(void **state)
{
	(void)state;
	char arn[128];
	cert_arn(1, arn);
	put_cert(1, "www.example.com", 16, true);
	world.http_status = 500;
	advance(2000);
	ack(arn);
	assert_int_equal(op_err.kind, ERR_NONE);
	assert_int_equal(strlen(op_said), ALERT_ID_LEN);
	world.http_status = 200;
	advance(60000);
	assert_int_equal(fake_http_count(), 1); /* the one that failed */
	assert_int_equal(alerts_counts(world.alerts)->acknowledged, 1);
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_EMERGENCY], 0);
	ack(op_said); /* by its id */
	assert_int_equal(op_err.kind, ERR_NONE);
	advance(3 * (int64_t)DAY_MS);
	assert_int_equal(fake_http_count(), 2);
	put_cert(1, "www.example.com", 200, true);
	alerts_look(world.alerts);
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
	store_fixture_write(put_failures, NULL);
	world.credentials_end_s = SAMPLE_NOW_S + 600;
	advance(2000);
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_CRITICAL], 3);
	ack("prod");
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_CRITICAL], 2);
	assert_int_equal(alerts_counts(world.alerts)->acknowledged, 1);
	assert_true(read_alert(ALERT_CONNECTOR, "prod", &is_there).acknowledged_s != 0);
	assert_true(read_alert(ALERT_IDENTITY, "prod", &is_there).acknowledged_s == 0);
	ack("prod");
	assert_true(read_alert(ALERT_IDENTITY, "prod", &is_there).acknowledged_s != 0);
	store_fixture_write(mend, NULL);
	alerts_look(world.alerts);
	advance(2000);
	assert_true(read_alert(ALERT_CONNECTOR, "prod", &is_there).resolved_s != 0);
	ack("prod");
	assert_int_equal(op_err.kind, ERR_NONE);
	world.credentials_end_s = 0;
	alerts_look(world.alerts);
	advance(2000);
	ack("prod");
	assert_int_equal(op_err.kind, ERR_REFUSED);
}

static void a_channel_can_be_tried(void **state)
{
	(void)state;
	op_ends = 0;
	(void)alerts_test_start(world.alerts, "ops", on_op, NULL);
	advance(0);
	assert_int_equal(op_ends, 1);
	assert_string_equal(op_said, "HTTP 200");
	expect_message(0, 0, "test message of acmsensor on dc1");
	char id[48]; /* two tests are two messages */
	(void)snprintf(id, sizeof(id), "\"id\":\"test-%lld\"", (long long)SAMPLE_NOW_S);
	assert_non_null(strstr(fake_http_request(0)->body, id));
	(void)alerts_test_start(world.alerts, "other", on_op, NULL);
	advance(0);
	assert_int_equal(op_err.kind, ERR_NOT_FOUND);
	/* Who has seen it work does not want to wait for the next attempt. */
	put_cert(1, "www.example.com", 20, true);
	world.http_status = 500;
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	world.http_status = 200;
	(void)alerts_test_start(world.alerts, "ops", on_op, NULL);
	advance(0);
	assert_int_equal(fake_http_count(), 4);
	expect_message(3, 1, "1 open alert");
	op_ends = 0;
	struct alert_op *op[] = {alerts_test_start(world.alerts, "ops", on_op, NULL),
		alerts_test_start(world.alerts, "other", on_op, NULL),
		alerts_ack_start(world.alerts, "x", "", "", on_op, NULL)};
	for (size_t i = 0; i < 3; i++)
		alerts_op_cancel(op[i]);
	alerts_op_cancel(NULL);
	advance(0);
	assert_int_equal(op_ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALERTS_TEST(what_is_acknowledged_is_not_told_until_it_is_worse),
		ALERTS_TEST(the_open_one_of_two_is_acknowledged),
		ALERTS_TEST(a_channel_can_be_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
