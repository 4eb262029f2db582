#include "sensor/check_store.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "store/check.h"
#include "store/store.h"

enum { CODE_SOUND = 0, CODE_FAILED = 1, CODE_REPAIRED = 4, SHOWN_MAX = 1000 };

static void print_problem(void *arg, const char *problem, bool is_of_index)
{
	int64_t *shown = arg;
	(void)is_of_index;
	if (++*shown <= SHOWN_MAX)
		printf("%s\n", problem);
	else if (*shown == SHOWN_MAX + 1)
		printf("... and more, which are counted below\n");
}

static int fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	return CODE_FAILED;
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static int tell(
	const char *data_dir, const struct store_stats *stats, const struct store_mended *mended)
{
	printf("%s: %" PRId64 " certificate%s, %" PRId64 " event%s, epoch %016" PRIx64 ": ",
		data_dir, stats->certificates, plural(stats->certificates), stats->events,
		plural(stats->events), stats->epoch);
	if (mended->found == 0) {
		printf("no problem\n");
		return CODE_SOUND;
	}
	printf("%" PRId64 " problem%s, %" PRId64 " repaired", mended->found, plural(mended->found),
		mended->repaired);
	if (mended->repaired > 0)
		printf(" (the indexes were made anew)");
	if (mended->left == 0) {
		printf("\n");
		return CODE_REPAIRED;
	}
	printf(", %" PRId64 " left: restore a backup (acmsensor restore FILE), or move the store "
	       "away and let a cycle read everything again\n",
		mended->left);
	return CODE_FAILED;
}

int check_store_run(const char *data_dir)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct store_mended mended;
	int64_t shown = 0;
	struct store *store = store_open(NULL, &(struct store_options){.data_dir = data_dir}, &err);
	if (store == NULL)
		return fail(&err);
	int rc = store_mend(store, print_problem, &shown, &mended, &err);
	if (rc == 0)
		rc = store_get_stats(store, &stats, &err);
	store_close(store);
	return rc == 0 ? tell(data_dir, &stats, &mended) : fail(&err);
}
