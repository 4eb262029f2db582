/* DER by SHA-256, stored once. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/fake_lmdb.h"
#include "tests/lib/temp_store.h"

static const char der[] = "a certificate in DER";

static void put_twice(struct store_txn *txn, void *arg)
{
	const unsigned char *sha256 = arg;
	store_pem_put(txn, sha256, der, sizeof(der));
	store_pem_put(txn, sha256, der, sizeof(der));
}

static void a_chain_that_is_there_already_is_not_put_again(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	const void *found;
	size_t len;
	unsigned char sha256[CERT_SHA256_LEN], other[CERT_SHA256_LEN] = {1};
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	SHA256((const unsigned char *)der, sizeof(der), sha256);
	fake_lmdb_reset();
	assert_int_equal(store_write_now(store, put_twice, sha256, &err), 0);
	assert_int_equal(store_write_now(store, put_twice, sha256, &err), 0);
	assert_int_equal(fake_lmdb_count(FAKE_LMDB_PUT), 1);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_pem_get(txn, sha256, &found, &len));
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(found, der, len);
	assert_false(store_pem_get(txn, other, &found, &len));
	store_read_end(txn);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_that_is_there_already_is_not_put_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
