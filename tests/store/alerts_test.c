/* Alerts come back as they were put; the queue is bounded and numbers go on; channels keep their
 * place. */
#include "store/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/alerts_internal.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

#define ARN "arn:aws:acm:eu-west-1:000000000001:certificate/1"

static char id[ALERT_ID_LEN + 1];

static int setup(void **state)
{
	(void)store_fixture_open(state);
	alert_make_id(ALERT_CERTIFICATE, ARN, id);
	return 0;
}

static struct alert_record sample(void)
{
	return (struct alert_record){.id = id,
		.kind = ALERT_CERTIFICATE,
		.class = ALERT_CRITICAL,
		.days = 3,
		.ends_s = 1000,
		.subject = ARN,
		.name = "www.example.com",
		.text = "ends",
		.told_class = ALERT_CRITICAL,
		.told_days = 3};
}

static void do_put(struct store_txn *txn, void *arg)
{
	store_alert_put(txn, arg);
}

static void do_delete(struct store_txn *txn, void *arg)
{
	store_alert_delete(txn, arg);
}

static void an_alert_comes_back_until_it_is_deleted(void **state)
{
	(void)state;
	struct alert_record alert = sample(), got;
	char position[ALERT_ID_LEN + 1] = "";
	store_fixture_write(do_put, &alert);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_alert_get(txn, id, &got));
	assert_string_equal(got.subject, ARN);
	assert_string_equal(got.connector, "");
	assert_int_equal(got.class, ALERT_CRITICAL);
	assert_true(store_alert_next(txn, position, &got));
	assert_string_equal(got.id, id);
	assert_false(store_alert_next(txn, position, &got));
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_fixture_write(do_delete, id);
	txn = store_fixture_read();
	assert_false(store_alert_get(txn, id, &got));
	assert_false(store_alert_get(txn, "", &got));
	assert_false(store_alert_get(txn, "0123456789abcdef0", &got));
	store_read_end(txn);
}

static void what_is_no_alert_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct alert_record alert = sample();
	alert.subject = "another";
	assert_int_equal(store_write_now(store, do_put, &alert, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "holds another alert"));
	alert = sample();
	alert.kind = 9;
	assert_int_equal(store_write_now(store, do_put, &alert, &err), -1);
	assert_non_null(strstr(err.text, "unknown kind"));
	alert = sample();
	alert.told_class = 0;
	assert_int_equal(store_write_now(store, do_put, &alert, &err), -1);
	assert_non_null(strstr(err.text, "unknown class"));
}

static void names_and_ids_are_fixed(void **state)
{
	(void)state;
	char other[ALERT_ID_LEN + 1];
	enum alert_class class = ALERT_NOTICE;
	assert_string_equal(alert_kind_name(ALERT_CERTIFICATE), "certificate");
	assert_string_equal(alert_kind_name(ALERT_COVERAGE), "coverage");
	assert_string_equal(alert_kind_name(ALERT_CONNECTOR), "connector");
	assert_string_equal(alert_kind_name(ALERT_JOB), "job");
	assert_string_equal(alert_kind_name(ALERT_IDENTITY), "identity");
	assert_string_equal(alert_kind_name(77), "unknown");
	assert_string_equal(alert_class_name(ALERT_NOTICE), "notice");
	assert_string_equal(alert_class_name(ALERT_EMERGENCY), "emergency");
	assert_string_equal(alert_class_name(0), "unknown");
	assert_true(alert_class_parse("critical", &class));
	assert_int_equal(class, ALERT_CRITICAL);
	assert_false(alert_class_parse("loud", &class));
	alert_make_id(ALERT_JOB, ARN, other);
	assert_int_equal(strlen(id), ALERT_ID_LEN);
	assert_string_not_equal(other, id);
}

static void append(struct store_txn *txn, void *arg)
{
	const int *count = arg;
	for (int i = 0; i < *count; i++)
		(void)store_alert_notice_append(txn, id);
}

static void trim(struct store_txn *txn, void *arg)
{
	store_alert_notice_trim(txn, *(const int64_t *)arg, 100);
}

static void the_queue_is_bounded_and_its_numbers_go_on(void **state)
{
	(void)state;
	int count = ALERT_NOTICES_MAX + 5;
	int64_t number = 0, all = INT64_MAX;
	const char *found;
	struct store_txn *txn = store_fixture_read();
	assert_int_equal(store_alert_notice_last(txn), 0);
	assert_false(store_alert_notice_next(txn, 0, &number, &found));
	store_read_end(txn);
	store_fixture_write(append, &count);
	txn = store_fixture_read();
	assert_int_equal(store_alert_notice_last(txn), count);
	assert_int_equal(txn_count(txn, TABLE_ALERT_NOTICES), ALERT_NOTICES_MAX);
	assert_true(store_alert_notice_next(txn, 0, &number, &found));
	assert_int_equal(number, 6);
	assert_string_equal(found, id);
	store_read_end(txn);
	store_fixture_write(trim, &(int64_t){50});
	txn = store_fixture_read();
	assert_true(store_alert_notice_next(txn, 0, &number, &found));
	assert_int_equal(number, 51);
	store_read_end(txn);
	for (int i = 0; i < 101; i++)
		store_fixture_write(trim, &all);
	count = 1;
	store_fixture_write(append, &count);
	txn = store_fixture_read();
	assert_int_equal(txn_count(txn, TABLE_ALERT_NOTICES), 2); /* the newest stays */
	assert_int_equal(store_alert_notice_last(txn), ALERT_NOTICES_MAX + 6);
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
}

static void put_channel(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_alert_channel_put(txn,
		&(struct alert_channel_record){.name = "ops", .position = 7, .error = "refused"});
	store_alert_channel_put(txn, &(struct alert_channel_record){.name = "mail"});
}

static void delete_channel(struct store_txn *txn, void *arg)
{
	store_alert_channel_delete(txn, arg);
}

static void a_channel_keeps_its_place(void **state)
{
	(void)state;
	struct alert_channel_record channel;
	char position[ALERT_CHANNEL_NAME_MAX + 1] = "", name[] = "ops";
	store_fixture_write(put_channel, NULL);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_alert_channel_get(txn, "ops", &channel));
	assert_int_equal(channel.position, 7);
	assert_string_equal(channel.error, "refused");
	assert_true(store_alert_channel_next(txn, position, &channel));
	assert_string_equal(channel.name, "mail");
	assert_true(store_alert_channel_next(txn, position, &channel));
	assert_false(store_alert_channel_next(txn, position, &channel));
	store_read_end(txn);
	store_fixture_write(delete_channel, name);
	txn = store_fixture_read();
	assert_false(store_alert_channel_get(txn, "ops", &channel));
	store_read_end(txn);
}

/* --- damage ---------------------------------------------------------------------------------- */

static void damage_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct alert_record alert = sample();
	struct key wrong = key_id("0123456789abcdef", ALERT_ID_LEN), number = key_event(3);
	struct key channel = key_id("ops", 3);
	entry_put(txn, TABLE_ALERTS, &wrong, &alert_format, &alert);
	entry_put(txn, TABLE_ALERT_NOTICES, &number, &alert_notice_format,
		&(struct alert_notice){.alert_id = "short"});
	entry_put(txn, TABLE_ALERT_CHANNELS, &channel, &alert_channel_format,
		&(struct alert_channel_record){.name = "ops", .position = -2});
}

static bool get_alert(struct store_txn *txn)
{
	struct alert_record alert;
	return store_alert_get(txn, "0123456789abcdef", &alert);
}

static bool next_alert(struct store_txn *txn)
{
	struct alert_record alert;
	char position[ALERT_ID_LEN + 1] = "";
	return store_alert_next(txn, position, &alert);
}

static bool next_notice(struct store_txn *txn)
{
	int64_t number;
	const char *found;
	return store_alert_notice_next(txn, 0, &number, &found);
}

static bool last_notice(struct store_txn *txn)
{
	return store_alert_notice_last(txn) != 0;
}

static bool get_channel(struct store_txn *txn)
{
	struct alert_channel_record channel;
	return store_alert_channel_get(txn, "ops", &channel);
}

static bool next_channel(struct store_txn *txn)
{
	struct alert_channel_record channel;
	char position[ALERT_CHANNEL_NAME_MAX + 1] = "";
	return store_alert_channel_next(txn, position, &channel);
}

static void damage_is_told_and_never_given_out(void **state)
{
	(void)state;
	static bool (*const read[])(struct store_txn * txn) = {
		get_alert, next_alert, next_notice, last_notice, get_channel, next_channel};
	store_fixture_write(damage_all, NULL);
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		struct err err = ERR_INIT;
		struct store_txn *txn = store_fixture_read();
		assert_false(read[i](txn));
		assert_int_equal(store_txn_check(txn, &err), -1);
		assert_int_equal(err.kind, ERR_STORE);
		store_read_end(txn);
	}
	assert_int_equal(temp_store_problems(store), 3);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(an_alert_comes_back_until_it_is_deleted),
		IN_STORE(what_is_no_alert_is_refused),
		IN_STORE(names_and_ids_are_fixed),
		IN_STORE(the_queue_is_bounded_and_its_numbers_go_on),
		IN_STORE(a_channel_keeps_its_place),
		cmocka_unit_test_setup_teardown(
			damage_is_told_and_never_given_out, setup, store_fixture_close_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
