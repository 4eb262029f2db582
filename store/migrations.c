/*
 * The steps from one schema to the next. Schema 1 is the first one that was released, so there are
 * none yet; tests/lib/fake_migrations.c shows one.
 */
#include "store/store_internal.h"

const struct migration migrations[] = {
	{.from = 0, .to = 0, .run = NULL},
};
