/*
 * acmsensor backup: a consistent, compacted copy of the store, made by this process as one of
 * LMDB's readers while the daemon goes on writing.
 */
#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"
#include "store/store.h"

enum { STATUS_TIMEOUT_S = 10 };

static int copy(const char *data_dir, const char *file, struct err *err)
{
	struct store_options options = {.data_dir = data_dir, .is_read_only = true};
	sigset_t interrupts, former;
	struct store *store = store_open(NULL, &options, err);
	if (store == NULL)
		return -1;
	/* Ctrl-C waits for the end of the copy: a part of one must not be taken for a backup. */
	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTERM);
	sigaddset(&interrupts, SIGHUP);
	sigprocmask(SIG_BLOCK, &interrupts, &former);
	int rc = store_backup(store, file, err);
	sigprocmask(SIG_SETMASK, &former, NULL);
	store_close(store);
	return rc;
}

int command_backup(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	const char *file = args->positional[0], *data_dir = cli->offline_dir;
	if (data_dir == NULL) {
		if (source_get(cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, &err) != 0)
			return cli_fail(&err);
		data_dir = row_text(row_get(row_get(document, "status"), "sensor"), "data_dir");
	}
	int rc = data_dir[0] != '\0' ? copy(data_dir, file, &err)
				     : err_set(&err, ERR_PROTOCOL,
					       "answer of the daemon: it does not say where its "
					       "data are");
	if (rc == 0)
		cli_note("%s holds a copy of %s", file, data_dir);
	json_decref(document);
	return rc == 0 ? EXIT_DONE : cli_fail(&err);
}
