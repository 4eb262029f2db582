/* Where a key waits: put, got and deleted in each of the three places. */
#include "delivery/escrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "delivery/delivery_internal.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"

#define ID "p-20261121-000000-00000000ff"

static const enum key_escrow kinds[] = {ESCROW_SENSOR, ESCROW_MEMORY, ESCROW_SECRETS_MANAGER};

struct answer {
	int ends;
	char key[64];
	struct err err;
};

static void on_done(void *arg, struct secret *key, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
	answer->key[0] = '\0';
	if (key != NULL)
		snprintf(answer->key, sizeof(answer->key), "%.*s", (int)key->len,
			(const char *)secret_bytes(key));
}

enum what { PUT, GET, DELETE };

static struct escrow_call *start(enum what what, enum key_escrow kind, struct answer *answer)
{
	char key_id[ESCROW_KEY_ID_MAX + 1];
	const struct delivery_target target = {
		.hub = world.hub, .hub_region = "us-east-1", .kms_key_id = "alias/k"};
	struct secret key = SECRET_INIT;
	struct escrow_call *call = NULL;
	escrow_key_id(world.delivery, kind, ID, key_id);
	const struct escrow_place place = {
		.kind = kind, .key_id = key_id, .plan_id = ID, .target = &target};
	*answer = (struct answer){.ends = 0};
	secret_set(&key, NEW_KEY, strlen(NEW_KEY));
	if (what == PUT)
		call = escrow_put_start(
			world.delivery, &place, &key, NOW_S + 3600, on_done, answer);
	else if (what == GET)
		call = escrow_get_start(world.delivery, &place, on_done, answer);
	else
		call = escrow_delete_start(world.delivery, &place, on_done, answer);
	secret_clear(&key);
	assert_int_equal(answer->ends, 0);
	return call;
}

static struct answer run(enum what what, enum key_escrow kind)
{
	struct answer answer;
	(void)start(what, kind, &answer);
	fake_loop_run_ready();
	assert_int_equal(answer.ends, 1);
	return answer;
}

static void ids_are_names_that_the_place_takes(void **state)
{
	(void)state;
	char id[ESCROW_KEY_ID_MAX + 1];
	escrow_key_id(world.delivery, ESCROW_SENSOR, ID, id);
	assert_string_equal(id, ID);
	escrow_key_id(world.delivery, ESCROW_MEMORY, ID, id);
	assert_string_equal(id, ID);
	escrow_key_id(world.delivery, ESCROW_SECRETS_MANAGER, ID, id);
	assert_string_equal(id, "acmsensor/sensor1/" ID);
	char name[300];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memcpy(name, "a b\xc3\xa4,_+=.@-", 12);
	struct delivery named = {.sensor_name = name};
	escrow_key_id(&named, ESCROW_SECRETS_MANAGER, ID, id);
	assert_non_null(strstr(id, "acmsensor/a"));
	assert_int_equal(strlen(id), strlen("acmsensor/") + 200 + 1 + strlen(ID));
	assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789/_+=.@-"), strlen(id));
	assert_string_equal(id + strlen(id) - strlen(ID), ID);
}

static void what_is_put_is_got_until_it_is_deleted(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run(GET, kinds[i]).err.kind, ERR_NOT_FOUND);
		assert_int_equal(run(PUT, kinds[i]).err.kind, ERR_NONE);
		struct answer got = run(GET, kinds[i]);
		assert_int_equal(got.err.kind, ERR_NONE);
		assert_string_equal(got.key, NEW_KEY);
		assert_int_equal(run(DELETE, kinds[i]).err.kind, ERR_NONE);
		assert_int_equal(run(DELETE, kinds[i]).err.kind, ERR_NONE); /* again is fine */
		assert_int_equal(run(GET, kinds[i]).err.kind, ERR_NOT_FOUND);
	}
	assert_non_null(strstr(run(GET, ESCROW_SENSOR).err.text, "the private key"));
	assert_non_null(strstr(run(GET, ESCROW_MEMORY).err.text,
		"kept in memory only (key_escrow = memory) and is lost"));
}

static void a_secret_says_whose_it_is(void **state)
{
	(void)state;
	assert_int_equal(run(PUT, ESCROW_SECRETS_MANAGER).err.kind, ERR_NONE);
	const struct fake_record *call = fake_call_record(0);
	assert_string_equal(call->operation, "CreateSecret");
	assert_string_equal(call->region, "us-east-1");
	assert_true(call->is_body_secret);
	static const char *const parts[] = {("\"Name\":\"acmsensor/sensor1/" ID "\""), "alias/k",
		"acmsensor:managed-by", "acmsensor:sensor", "acmsensor:plan",
		("Private key of acmsensor's plan " ID)};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_non_null(strstr(call->body, parts[i]));
	assert_int_equal(run(DELETE, ESCROW_SECRETS_MANAGER).err.kind, ERR_NONE);
	assert_int_equal(run(PUT, ESCROW_SECRETS_MANAGER).err.kind, ERR_NONE);
	const char *token = strstr(fake_call_record(0)->body, "\"ClientRequestToken\"");
	const char *again = strstr(fake_call_record(2)->body, "\"ClientRequestToken\"");
	assert_memory_equal(token, again, strlen("\"ClientRequestToken\":\"\"") + 36);
	assert_int_equal(run(DELETE, ESCROW_SECRETS_MANAGER).err.kind, ERR_NONE);
}

static void each_call_fails_in_each_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAKE_CALL_ERRORS; i++) {
		for (enum what what = PUT; what <= DELETE; what++) {
			enum err_kind kind = fake_call_errors[i].kind;
			fake_call_fail_at(1, kind, fake_call_errors[i].code);
			struct answer answer = run(what, ESCROW_SECRETS_MANAGER);
			bool is_gone = what == DELETE && kind == ERR_NOT_FOUND;
			assert_int_equal(answer.err.kind, is_gone ? ERR_NONE : kind);
			assert_string_equal(answer.key, "");
		}
	}
	assert_int_equal(write_acm_secrets(&world.acm), 0);
}

static void a_store_that_fails_is_told(void **state)
{
	(void)state;
	fake_store_fail_at(1, ERR_STORE_FULL);
	assert_int_equal(run(PUT, ESCROW_SENSOR).err.kind, ERR_STORE_FULL);
	assert_int_equal(run(GET, ESCROW_SENSOR).err.kind, ERR_NOT_FOUND);
	assert_int_equal(run(PUT, ESCROW_SENSOR).err.kind, ERR_NONE);
	fake_store_fail_at(1, ERR_STORE_FULL);
	assert_int_equal(run(DELETE, ESCROW_SENSOR).err.kind, ERR_STORE_FULL);
	assert_int_equal(run(GET, ESCROW_SENSOR).err.kind, ERR_NONE); /* it is still there */
	assert_int_equal(run(DELETE, ESCROW_SENSOR).err.kind, ERR_NONE);
}

static void memory_has_an_end(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	char id[DELIVERY_ID_MAX + 1];
	secret_set(&key, "x", 1);
	for (int i = 0; i < DELIVERY_MEMORY_KEYS_MAX; i++) {
		snprintf(id, sizeof(id), "p-%d", i);
		assert_int_equal(memory_key_put(world.delivery, id, &key, NOW_S + 60, &err), 0);
	}
	struct answer answer = run(PUT, ESCROW_MEMORY);
	assert_int_equal(answer.err.kind, ERR_LIMIT);
	assert_non_null(strstr(answer.err.text, "more than 256 keys wait in memory"));
	assert_int_equal(memory_key_put(world.delivery, id, &key, NOW_S + 60, &err), 0); /* again */
	delivery_hold_key(world.delivery, "p-7"); /* its job has begun */
	delivery_hold_key(world.delivery, "p-none");
	memory_key_drop(world.delivery, "p-none");
	fake_loop_advance_ms(120000); /* nobody has to ask for them to be wiped */
	assert_int_equal(world.delivery->memory_count, 1);
	assert_int_equal(run(PUT, ESCROW_MEMORY).err.kind, ERR_NONE);
	assert_non_null(memory_key_get(world.delivery, "p-7"));
	secret_clear(&key);
	fake_loop_advance_ms(3600 * 1000);
	assert_int_equal(run(GET, ESCROW_MEMORY).err.kind, ERR_NOT_FOUND);
	memory_key_drop(world.delivery, "p-7");
	fake_loop_advance_ms(120000);
}

static void cancel_leaves_nothing_waiting(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(run(PUT, kinds[i]).err.kind, ERR_NONE);
		for (enum what what = PUT; what <= DELETE; what++) {
			struct answer answer;
			escrow_call_cancel(start(what, kinds[i], &answer));
			fake_loop_run_ready();
			assert_int_equal(answer.ends, 0);
			assert_int_equal(fake_call_pending(), 0);
			assert_int_equal(fake_store_waiting_count(), 0);
		}
	}
	escrow_call_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(ids_are_names_that_the_place_takes),
		JOB_TEST(what_is_put_is_got_until_it_is_deleted),
		JOB_TEST(a_secret_says_whose_it_is),
		JOB_TEST(each_call_fails_in_each_way),
		JOB_TEST(a_store_that_fails_is_told),
		JOB_TEST(memory_has_an_end),
		JOB_TEST(cancel_leaves_nothing_waiting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
