/* A copy of the store, taken by a reader while the daemon goes on writing. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "store/store_internal.h"

static int fail(int rc, const char *file, struct err *err)
{
	enum err_kind kind = rc == ENOSPC || rc == EDQUOT || rc == EFBIG ? ERR_STORE_FULL
			     : rc > 0					 ? ERR_SYSTEM
									 : ERR_STORE;
	return err_set(err, kind, "cannot write the backup %s: %s", file, mdb_strerror(rc));
}

/* Compacting leaves out free pages, and with them what was deleted. */
static int copy(struct store *store, int fd, const char *file, struct err *err)
{
	MDB_txn *mdb;
	if (env_begin(store, MDB_RDONLY, &mdb, err) != 0) /* adopts a map that has grown */
		return -1;
	mdb_txn_abort(mdb);
	int rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
	return rc == 0 ? 0 : fail(rc, file, err);
}

int store_backup(struct store *store, const char *file, struct err *err)
{
	int fd =
		open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_CONFIG,
			"the backup %s exists already: name a new file, nothing is overwritten",
			file);
	if (fd < 0)
		return fail(errno, file, err);
	int rc = copy(store, fd, file, err);
	if (close(fd) != 0 && rc == 0)
		rc = fail(errno, file, err);
	if (rc != 0)
		unlink(file);
	return rc;
}
