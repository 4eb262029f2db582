/* Sealed records: round trips, who needs them for how long, tampering. What is left of them on the disk is
 * in vault_epoch_test.c. */
#include "store/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/secret.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"
#include "tests/store/vault_fixture.h"

/* --- round trips ------------------------------------------------------------------------------ */

static void a_sealed_key_opens_again_also_after_a_restart(void **state)
{
	(void)state;
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-2", "another", NOW_S + 1, 0);
	assert_opens("csr-1", key_text);
	vault_fixture_reopen();
	assert_opens("csr-1", key_text);
	assert_opens("csr-2", "another");
	assert_true(has_sealed("csr-1"));
	assert_false(has_sealed("csr-3"));
	assert_fails("csr-3", ERR_NOT_FOUND, "no key is sealed under the id csr-3");
	assert_fails("", ERR_NOT_FOUND, "no key");
	assert_fails("../../etc/passwd\n", ERR_NOT_FOUND, "no key");
	assert_int_equal(temp_store_problems(store), 0);
}

static void a_put_under_the_same_id_replaces(void **state)
{
	(void)state;
	seal_and_put("csr-1", "first", NOW_S, 0);
	seal_and_put("csr-1", "second", NOW_S, 0);
	assert_opens("csr-1", "second");
	delete_sealed("csr-1");
	assert_fails("csr-1", ERR_NOT_FOUND, "csr-1");
}

static const char *ids_of(enum vault_kind kind)
{
	static char ids[256];
	char position[VAULT_ID_MAX + 1] = "";
	struct err err = ERR_INIT;
	struct store_txn *txn;
	ids[0] = '\0';
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	while (store_vault_next(txn, kind, position))
		strcat(strcat(ids, position), " ");
	store_read_end(txn);
	return ids;
}

static void write_sealed(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void records_are_found_by_their_kind(void **state)
{
	(void)state;
	struct vault_sealed sealed;
	struct secret text = SECRET_INIT;
	struct err err = ERR_INIT;
	assert_string_equal(ids_of(VAULT_KEY), "");
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-3", key_text, NOW_S, 0);
	secret_set(&text, "{}", 2);
	assert_int_equal(
		vault_seal(vault, "csr-2", VAULT_REQUEST, &text, NOW_S, 0, &sealed, &err), 0);
	secret_clear(&text);
	assert_int_equal(store_write_now(store, write_sealed, &sealed, &err), 0);
	vault_sealed_clear(&sealed);
	assert_string_equal(ids_of(VAULT_KEY), "csr-1 csr-3 ");
	assert_string_equal(ids_of(VAULT_REQUEST), "csr-2 ");
	assert_opens("csr-2", "{}");
	assert_int_equal(temp_store_problems(store), 0);
}

static void the_longest_id_fits(void **state)
{
	(void)state;
	char id[VAULT_ID_MAX + 1];
	memset(id, 'a', VAULT_ID_MAX);
	id[VAULT_ID_MAX] = '\0';
	seal_and_put(id, key_text, NOW_S, 0);
	assert_opens(id, key_text);
	sweep(NOW_S + 30 * DAY_S); /* walks over it */
	assert_opens(id, key_text);
}

/* --- how long they stay ----------------------------------------------------------------------- */

static void write_wipe_after(struct store_txn *txn, void *arg)
{
	store_vault_need(txn, "csr-1", "arn:a", *(int64_t *)arg);
	store_vault_need(txn, "csr-none", "arn:a", *(int64_t *)arg);
}

static void write_delete_due(struct store_txn *txn, void *arg)
{
	store_vault_delete_due(txn, *(int64_t *)arg);
}

static void what_is_due_is_deleted_and_nothing_else(void **state)
{
	(void)state;
	int64_t at_s = NOW_S + 10;
	seal_and_put("csr-1", "1", NOW_S, 0);
	seal_and_put("csr-2", "2", NOW_S, at_s);
	seal_and_put("csr-3", "3", NOW_S, at_s + 1);
	seal_and_put("csr-4", "4", NOW_S, at_s - 1);
	store_fixture_write(write_delete_due, &at_s);
	assert_true(has_sealed("csr-1") && !has_sealed("csr-2") && has_sealed("csr-3") &&
		    !has_sealed("csr-4"));
	store_fixture_write(write_wipe_after, &at_s);
	assert_false(has_sealed("csr-none"));
	assert_opens("csr-1", "1"); /* when it is wiped may change */
	store_fixture_write(write_delete_due, &at_s);
	assert_true(!has_sealed("csr-1") && has_sealed("csr-3"));
}

static const struct need {
	const char *who;
	int64_t until_s;
} * need;

static void write_need(struct store_txn *txn, void *arg)
{
	store_vault_need(txn, arg, need->who, need->until_s);
}

static void write_release(struct store_txn *txn, void *arg)
{
	store_vault_release(txn, arg, need->who);
}

static bool stays_until(const char *id, int64_t until_s)
{
	int64_t before_s = until_s - 1;
	store_fixture_write(write_delete_due, &before_s);
	bool was_there = has_sealed(id);
	store_fixture_write(write_delete_due, &until_s);
	return was_there && !has_sealed(id);
}

static void a_key_stays_as_long_as_the_last_that_needs_it(void **state)
{
	(void)state;
	static const struct need one = {"arn:a", NOW_S + 30}, other = {"arn:b", NOW_S + 90},
				 job = {"j-1", 0}, less = {"arn:b", NOW_S + 20};
	char id[] = "csr-1", id_2[] = "csr-2", id_10[] = "csr-10";
	int64_t later_s = NOW_S + 1000;
	seal_and_put(id, "1", NOW_S, NOW_S + 5);
	seal_and_put(id_2, "2", NOW_S, 0);
	seal_and_put(id_10, "10", NOW_S, 0); /* begins as the first one does */
	store_fixture_write(write_need, ((need = &one), id));
	store_fixture_write(write_need, ((need = &other), id));
	store_fixture_write(write_need, ((need = &one), id)); /* the order does not matter */
	store_fixture_write(write_need, ((need = &job), id));
	store_fixture_write(write_delete_due, &later_s);
	assert_true(has_sealed(id)); /* the job runs */
	store_fixture_write(write_release, ((need = &job), id));
	store_fixture_write(write_release, ((need = &job), id_2)); /* nobody needed it: as it was */
	assert_true(stays_until(id, NOW_S + 90));
	assert_true(has_sealed(id_2) && has_sealed(id_10));
	seal_and_put(id, "1 again", NOW_S, NOW_S + 5); /* what needed the old one is forgotten */
	assert_true(stays_until(id, NOW_S + 5));
	store_fixture_write(write_need, ((need = &other), id_2));
	store_fixture_write(write_need, ((need = &less), id_2)); /* it may need it for less */
	assert_true(stays_until(id_2, NOW_S + 20));
}

/* Also one of a former version, which gave a request's key no need of its own. */
static void a_key_that_nobody_needs_any_more_goes_when_it_would_have_gone(void **state)
{
	(void)state;
	static const struct need job = {"j-1", 0}, arn = {"arn:a", NOW_S + 30}, own = {"csr-2", 0};
	char id[] = "csr-1", id_2[] = "csr-2";
	int64_t later_s = NOW_S + 1000;
	seal_and_put(id, "1", NOW_S, NOW_S + 90);
	store_fixture_write(write_need, ((need = &job), id));
	store_fixture_write(write_delete_due, &later_s);
	assert_true(has_sealed(id)); /* the job runs */
	store_fixture_write(write_release, ((need = &job), id));
	assert_true(stays_until(id, NOW_S + 90));
	seal_and_put(id_2, "2", NOW_S, NOW_S + 90);
	store_fixture_write(write_need, ((need = &job), id_2));
	store_fixture_write(write_need, ((need = &arn), id_2));
	store_fixture_write(write_release, ((need = &own), id_2)); /* the ARN has it now */
	store_fixture_write(write_release, ((need = &job), id_2));
	assert_true(stays_until(id_2, NOW_S + 30));
}

/* --- tampering -------------------------------------------------------------------------------- */

/* The one thing that may be changed is when it is wiped: eight bytes. */
static void no_changed_bit_of_a_record_goes_unseen(void **state)
{
	(void)state;
	seal_and_put("csr-1", "a key", NOW_S, NOW_S + 5);
	struct raw raw = get_raw("csr-1");
	size_t opened = 0;
	for (size_t bit = 0; bit < raw.len * 8; bit++) {
		struct err err = ERR_INIT;
		struct secret secret = SECRET_INIT;
		raw.bytes[bit / 8] = (unsigned char)(raw.bytes[bit / 8] ^ 1U << bit % 8);
		put_raw(&raw);
		if (unseal("csr-1", &secret, &err) == 0) {
			assert_string_equal(secret_bytes(&secret), "a key");
			opened++;
		} else {
			assert_int_equal(err.kind, ERR_STORE);
		}
		secret_clear(&secret);
		raw.bytes[bit / 8] = (unsigned char)(raw.bytes[bit / 8] ^ 1U << bit % 8);
	}
	assert_int_equal(opened, 64);
	free(raw.bytes);
}

static void a_record_cut_at_any_byte_does_not_open(void **state)
{
	(void)state;
	seal_and_put("csr-1", "a key", NOW_S, 0);
	struct raw raw = get_raw("csr-1");
	size_t whole = raw.len;
	for (raw.len = 0; raw.len < whole; raw.len++) {
		put_raw(&raw);
		assert_fails("csr-1", ERR_STORE, "csr-1");
	}
	assert_int_equal(temp_store_problems(store), 1);
	free(raw.bytes);
}

static void write_record(struct store_txn *txn, void *arg)
{
	const struct vault_record *record = arg;
	struct key key = key_id(record->id, VAULT_ID_MAX);
	entry_put(txn, TABLE_VAULT, &key, &vault_format, record);
}

static void no_record_can_stand_for_another(void **state)
{
	(void)state;
	seal_and_put("csr-1", "key one", NOW_S, 0);
	seal_and_put("csr-2", "key two", NOW_S, 0);
	struct raw one = get_raw("csr-1"), two = get_raw("csr-2");
	one.id = "csr-2"; /* the whole entry */
	put_raw(&one);
	assert_fails("csr-2", ERR_STORE, "holds another record");
	struct vault_record record = decode_raw(&one);
	record.id = "csr-2"; /* renamed as well */
	store_fixture_write(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "was changed after it was sealed");
	record = decode_raw(&two);
	record.sealed_s++;
	store_fixture_write(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "was changed after it was sealed");
	record = decode_raw(&two);
	record.kind = VAULT_REQUEST; /* a known kind, but not that of the record */
	store_fixture_write(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "was changed after it was sealed");
	record = decode_raw(&two);
	record.kind = 3;
	store_fixture_write(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "unknown kind of record");
	put_raw(&two);
	assert_opens("csr-2", "key two");
	free(one.bytes);
	free(two.bytes);
}

static void a_record_under_another_epoch_does_not_open(void **state)
{
	(void)state;
	seal_and_put("csr-1", "key one", NOW_S, 0);
	seal_and_put("csr-2", "key two", NOW_S + WEEK_S, 0);
	struct raw one = get_raw("csr-1");
	struct vault_record record = decode_raw(&one);
	assert_int_equal(record.epoch, NOW_S);
	record.epoch = NOW_S + WEEK_S;
	store_fixture_write(write_record, &record);
	assert_fails("csr-1", ERR_STORE, "was changed after it was sealed");
	free(one.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(a_sealed_key_opens_again_also_after_a_restart),
		VAULT_TEST(a_put_under_the_same_id_replaces),
		VAULT_TEST(records_are_found_by_their_kind),
		VAULT_TEST(the_longest_id_fits),
		VAULT_TEST(what_is_due_is_deleted_and_nothing_else),
		VAULT_TEST(a_key_stays_as_long_as_the_last_that_needs_it),
		VAULT_TEST(a_key_that_nobody_needs_any_more_goes_when_it_would_have_gone),
		VAULT_TEST(no_changed_bit_of_a_record_goes_unseen),
		VAULT_TEST(a_record_cut_at_any_byte_does_not_open),
		VAULT_TEST(no_record_can_stand_for_another),
		VAULT_TEST(a_record_under_another_epoch_does_not_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
