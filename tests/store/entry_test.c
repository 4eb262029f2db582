/* One damaged entry among whole ones: whoever walks over it ends and says so, and so does the check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/accounts.h"
#include "store/cert_query.h"
#include "store/check.h"
#include "store/events.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { STEPS_MAX = 1000, COPY_MAX = 8192 };

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	sample_cert_put(txn, 1);
	store_account_put(
		txn, &(struct account_record){.connector = "prod", .account_id = "000000000001"});
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR});
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(put_all, NULL);
	return 0;
}

struct damage {
	enum store_table table;
	struct key key, like; /* gets the value of that one */
};

static void do_damage(struct store_txn *txn, void *arg)
{
	const struct damage *damage = arg;
	struct slice value;
	char copy[COPY_MAX];
	assert_true(txn_get(txn, damage->table, &damage->like, &value));
	assert_true(value.len <= sizeof(copy));
	memcpy(copy, value.bytes, value.len);
	txn_put(txn, damage->table, &damage->key, copy, value.len);
}

static void damage(enum store_table table, struct key key, struct key like)
{
	struct err err = ERR_INIT;
	struct damage damage = {.table = table, .key = key, .like = like};
	assert_int_equal(store_write_now(store, do_damage, &damage, &err), 0);
}

static void end_damaged(struct store_txn *txn, const char *says)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_txn_check(txn, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, says));
	store_read_end(txn);
	assert_true(temp_store_problems(store) > 0);
}

static struct key sample_key(void)
{
	struct sample_cert sample;
	sample_cert_init(&sample, 1);
	struct key key = key_cert(sample.arn);
	sample_cert_clear(&sample);
	return key;
}

/* Its position, a text, would end before the NUL: the walk would come back to it for ever. */
static void a_key_with_a_nul_ends_a_walk(void **state)
{
	(void)state;
	char position[ACCOUNT_POSITION_MAX] = "";
	struct account_record record;
	int steps = 0;
	damage(TABLE_ACCOUNTS, key_bytes("prod\001x\0y", 8), key_account("prod", "000000000001"));
	struct store_txn *txn = store_fixture_read();
	while (store_account_next(txn, "prod", position, &record))
		assert_true(++steps < STEPS_MAX);
	assert_int_equal(steps, 1);
	end_damaged(txn, "table accounts");
}

/* From each place that exists the walk seeks the next: a key that lies elsewhere than its text says
 * would lead back. */
static void a_certificate_under_a_key_that_is_no_arn_ends_a_query(void **state)
{
	(void)state;
	static const char *const key[] = {"zrn:aws:acm:eu-west-1:000000100000:certificate/1", "arn",
		"arn:aws:acm:a-region-with-a-name-that-is-longer-than-any-that-aws-will-ever-have-1:x",
		"arn:aws:zzz:eu-west-1:000000100000:certificate/1", "arn:a\1:acm:eu-west-1:x"};
	struct cert_filter filter = {.in_use = -1, .account_id = "000000100000"};
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
		struct err err = ERR_INIT;
		struct cert_record record;
		bool is_end = false;
		struct cert_query *query = cert_query_new(&filter, CERT_SORT_ARN, &err);
		assert_non_null(query);
		damage(TABLE_CERTS, key_bytes(key[i], strlen(key[i])), sample_key());
		struct store_txn *txn = store_fixture_read();
		while (!is_end)
			(void)cert_query_next(query, txn, STEPS_MAX, &record, &is_end);
		end_damaged(txn, "not a certificate's ARN");
		cert_query_free(query);
	}
}

static void put_record(struct store_txn *txn, void *arg)
{
	struct key key = key_cert(((struct cert_record *)arg)->arn);
	entry_put(txn, TABLE_CERTS, &key, &cert_format, arg);
}

static void read_damaged(struct sample_cert *sample, const char *says)
{
	struct err err = ERR_INIT;
	struct cert_record record;
	char position[CERT_ARN_MAX + 1] = "";
	assert_int_equal(store_write_now(store, put_record, &sample->record, &err), 0);
	struct store_txn *txn = store_fixture_read();
	while (store_cert_next_in_region(
		txn, "aws", sample->record.region, sample->record.account_id, position, &record))
		;
	end_damaged(txn, says);
}

static void an_arn_that_no_position_holds_is_damage(void **state)
{
	(void)state;
	struct sample_cert sample;
	char arn[CERT_ARN_MAX + 20];
	sample_cert_init(&sample, 1);
	(void)snprintf(arn, sizeof(arn), "%s%0*d", sample.arn,
		(int)(sizeof(arn) - strlen(sample.arn) - 1), 0);
	sample.record.arn = arn;
	read_damaged(&sample, "not the ARN of its region and account");
	sample_cert_clear(&sample);
}

static void a_record_of_another_place_than_its_arn_is_damage(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 1);
	sample.record.region = "eu-west-2";
	struct err err = ERR_INIT;
	struct cert_record record;
	assert_int_equal(store_write_now(store, put_record, &sample.record, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_cert_get(txn, sample.arn, &record));
	end_damaged(txn, "not the ARN of its region and account");
	sample_cert_clear(&sample);
}

static void a_tag_without_a_value_is_damage(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 1);
	sample.record.tags = sample.record.key_usages;
	read_damaged(&sample, "a tag has no value");
	sample_cert_clear(&sample);
}

static void a_record_under_the_key_of_another_is_damage(void **state)
{
	(void)state;
	struct sample_cert sample;
	struct cert_record record;
	sample_cert_init(&sample, 2);
	damage(TABLE_CERTS, key_cert(sample.arn), sample_key());
	struct store_txn *txn = store_fixture_read();
	assert_false(store_cert_get(txn, sample.arn, &record));
	end_damaged(txn, "holds another ARN");
	sample_cert_clear(&sample);
}

static void the_last_number_of_all_is_no_event(void **state)
{
	(void)state;
	struct event_record record;
	uint64_t next = 0;
	int steps = 0;
	damage(TABLE_EVENTS, key_event(UINT64_MAX), key_event(1));
	struct store_txn *txn = store_fixture_read();
	while (store_event_get_from(txn, next, &record)) {
		next = record.sequence + 1;
		assert_true(++steps < STEPS_MAX);
	}
	end_damaged(txn, "not the number of an event");
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close_damaged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_key_with_a_nul_ends_a_walk),
		WITH_STORE(a_certificate_under_a_key_that_is_no_arn_ends_a_query),
		WITH_STORE(an_arn_that_no_position_holds_is_damage),
		WITH_STORE(a_record_of_another_place_than_its_arn_is_damage),
		WITH_STORE(a_tag_without_a_value_is_damage),
		WITH_STORE(a_record_under_the_key_of_another_is_damage),
		WITH_STORE(the_last_number_of_all_is_no_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
