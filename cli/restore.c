/* acmsensor restore: a backup in place of the store, while the daemon is stopped. */
#include "store/restore.h"

#include <inttypes.h>

#include "base/err.h"
#include "cli/cli.h"
#include "sensor/local_api.h"

enum { TOLD_MAX = 20 };

static void tell_problem(void *arg, const char *problem, bool is_of_index)
{
	int64_t *told = arg;
	if (!is_of_index && ++*told <= TOLD_MAX)
		cli_note("%s", problem);
}

static int tell(const char *data_dir, const char *file, const struct store_restored *restored)
{
	const struct store_mended *mended = &restored->mended;
	cli_note("%s holds %s now: %" PRId64 " certificates, %" PRId64
		 " events, new epoch %016" PRIx64,
		data_dir, file, restored->stats.certificates, restored->stats.events,
		restored->stats.epoch);
	if (restored->kept_as != NULL)
		cli_note("the store before it is kept as %s", restored->kept_as);
	if (mended->found > 0)
		cli_note("%" PRId64 " problems were found in it: %" PRId64 " repaired, %" PRId64
			 " left (acmsensord --check-store lists them)",
			mended->found, mended->repaired, mended->left);
	cli_note("start the daemon: a cycle brings it up to date");
	return mended->left > 0 ? EXIT_WARNINGS : EXIT_DONE;
}

int command_restore(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	struct store_restored restored;
	int64_t told = 0;
	const char *file = args->positional[0];
	const char *data_dir = cli->offline_dir != NULL ? cli->offline_dir : LOCAL_API_DATA_DIR;
	if (store_restore(data_dir, file, tell_problem, &told, &restored, &err) != 0)
		return cli_fail(&err);
	int code = tell(data_dir, file, &restored);
	store_restored_clear(&restored);
	return code;
}
