/* Whose store it is: the machine that writes to it, and the name of its sensor. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

bool identity_is_of_machine(struct store_txn *txn, const unsigned char *machine)
{
	struct key key = key_meta(META_MACHINE);
	struct slice value;
	return !txn_get(txn, TABLE_META, &key, &value) ||
	       (value.len == MACHINE_LEN && memcmp(value.bytes, machine, MACHINE_LEN) == 0);
}

bool identity_has_machine(struct store_txn *txn)
{
	struct key key = key_meta(META_MACHINE);
	struct slice value;
	return txn_get(txn, TABLE_META, &key, &value);
}

void identity_put_machine(struct store_txn *txn, const unsigned char *machine)
{
	struct key key = key_meta(META_MACHINE);
	txn_put(txn, TABLE_META, &key, machine, MACHINE_LEN);
}

struct name_change {
	const char *name;
	char *former; /* owned; NULL: none */
};

/* May run twice. */
static void put_name(struct store_txn *txn, void *arg)
{
	struct name_change *change = arg;
	struct key key = key_meta(META_NAME);
	struct slice value;
	free(change->former);
	change->former = NULL;
	if (txn_get(txn, TABLE_META, &key, &value)) {
		if (value.len == strlen(change->name) &&
			memcmp(value.bytes, change->name, value.len) == 0)
			return;
		change->former = xstrndup((const char *)value.bytes, value.len);
	}
	txn_put(txn, TABLE_META, &key, change->name, strlen(change->name));
}

int store_note_name(struct store *store, const char *name, char **ret_former, struct err *err)
{
	struct name_change change = {.name = name};
	if (store_write_now(store, put_name, &change, err) != 0) {
		free(change.former);
		return -1;
	}
	*ret_former = change.former;
	return 0;
}
