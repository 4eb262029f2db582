/* The table of steps as it is released. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/store_internal.h"
#include "tests/lib/temp_store.h"

static void every_step_leads_upwards_to_this_schema(void **state)
{
	(void)state;
	for (const struct migration *step = migrations; step->run != NULL; step++) {
		assert_true(step->to > step->from);
		assert_true(step->to <= STORE_SCHEMA);
	}
}

static void put_schema_0(struct store_txn *txn, void *arg)
{
	(void)arg;
	meta_put_number(txn, META_SCHEMA, 0);
}

static void a_schema_without_a_step_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_schema_0, NULL, &err), 0);
	store_close(store);
	store = store_open(NULL, &(struct store_options){.data_dir = folder}, &err);
	assert_null(store);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "has schema 0, from which this version cannot migrate"));
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_leads_upwards_to_this_schema),
		cmocka_unit_test(a_schema_without_a_step_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
