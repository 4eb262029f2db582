/* See fake_migrations.h. */
#include "tests/lib/fake_migrations.h"

#include <string.h>

#include "base/text.h"
#include "store/accounts.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

static void put_old_unit(struct store_txn *txn, const char *unit_id, const char *value)
{
	struct key key = key_unit("prod", unit_id);
	txn_put(txn, TABLE_UNITS, &key, value, strlen(value));
}

void fake_migrations_put_old(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_old_unit(txn, "ou-1", "r-1/Prod");
	put_old_unit(txn, "r-1", "/Root");
	meta_put_number(txn, META_SCHEMA, 0);
}

void fake_migrations_put_damaged(struct store_txn *txn, void *arg)
{
	fake_migrations_put_old(txn, arg);
	put_old_unit(txn, "r-1", "Root");
}

/* One record at a time: what is read dies with the first change. */
static void units_get_a_version(struct store_txn *txn)
{
	struct key at = key_empty();
	struct slice key, value;
	while (txn_seek(txn, TABLE_UNITS, &at, false, &key, &value)) {
		char unit_id[64] = "", text[64] = "";
		at = key_bytes(key.bytes, key.len);
		memcpy(unit_id, key.bytes + 5, key.len - 5); /* behind "prod" and separator */
		memcpy(text, value.bytes, value.len);
		char *slash = strchr(text, '/');
		if (slash == NULL) {
			txn_fail_damaged(txn, TABLE_UNITS, key, "no slash");
			return;
		}
		*slash = '\0';
		store_unit_put(txn, &(struct unit_record){.connector = "prod",
					    .unit_id = unit_id,
					    .parent_id = text,
					    .name = slash + 1});
	}
}

const struct migration migrations[] = {
	{.from = 0, .to = STORE_SCHEMA, .run = units_get_a_version},
	{.from = 0, .to = 0, .run = NULL},
};
