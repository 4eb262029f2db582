/*
 * Certificates themselves: DER by SHA-256, so that a chain that 10,000 certificates share is there
 * once. The key is the hash of the value, which is checked when the store is (check.c), not at
 * each read.
 */
#include "store/cert_internal.h"
#include "store/key_internal.h"

void store_pem_put(struct store_txn *txn, const unsigned char *sha256, const void *der, size_t len)
{
	struct key key = key_pem(sha256);
	struct slice value;
	if (!txn_get(txn, TABLE_PEM, &key, &value))
		txn_put(txn, TABLE_PEM, &key, der, len);
}

bool store_pem_get(
	struct store_txn *txn, const unsigned char *sha256, const void **ret_der, size_t *ret_len)
{
	struct key key = key_pem(sha256);
	struct slice value;
	if (!txn_get(txn, TABLE_PEM, &key, &value))
		return false;
	*ret_der = value.bytes;
	*ret_len = value.len;
	return true;
}
