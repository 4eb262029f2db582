/* See store_fixture.h. */
#include "tests/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/temp_store.h"

char *folder;
struct store *store;

int store_fixture_make_folder(void **state)
{
	(void)state;
	folder = temp_folder_new();
	return 0;
}

int store_fixture_remove_folder(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

void store_fixture_open_with(struct loop *loop)
{
	(void)store_fixture_make_folder(NULL);
	store = temp_store_open(loop, folder);
}

int store_fixture_open(void **state)
{
	(void)state;
	store_fixture_open_with(NULL);
	return 0;
}

int store_fixture_close_damaged(void **state)
{
	store_close(store);
	return store_fixture_remove_folder(state);
}

int store_fixture_close(void **state)
{
	assert_int_equal(temp_store_problems(store), 0);
	return store_fixture_close_damaged(state);
}

void store_fixture_write(store_write_fn *write, const void *arg)
{
	struct err err = ERR_INIT;
	if (store_write_now(store, write, (void *)(uintptr_t)arg, &err) != 0)
		fail_msg("%s", err.text);
}

struct store_txn *store_fixture_read(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = NULL;
	if (store_read_begin(store, &txn, &err) != 0)
		fail_msg("%s", err.text);
	return txn;
}

bool store_fixture_has(uint32_t number)
{
	struct cert_record record;
	struct sample_cert sample;
	sample_cert_init(&sample, number);
	struct store_txn *txn = store_fixture_read();
	bool is_there = store_cert_get(txn, sample.arn, &record);
	store_read_end(txn);
	sample_cert_clear(&sample);
	return is_there;
}
