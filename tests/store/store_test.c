/* Opening, locking, refusing, growing; the write that runs again. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/certs.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/temp_store.h"

static void put_one(struct store_txn *txn, void *arg)
{
	const uint32_t *number = arg;
	sample_cert_put(txn, *number);
}

static void what_was_written_is_there_after_opening_again(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	uint32_t number = 7;
	assert_int_equal(store_write_now(store, put_one, &number, &err), 0);
	store_close(store);

	store = temp_store_open(NULL, folder);
	struct store_txn *txn;
	struct cert_record record;
	struct sample_cert sample;
	sample_cert_init(&sample, 7);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_cert_get(txn, sample.arn, &record));
	assert_string_equal(record.domain_name, "www7.shop7.example.com");
	assert_int_equal(store_event_verify(txn, &err), 0);
	store_read_end(txn);
	sample_cert_clear(&sample);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_there_after_opening_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
