/*
 * The LMDB environment: opening, growing, beginning transactions, and LMDB's errors in our terms.
 *
 * MDB_NOTLS because a transaction belongs to its struct, not to a thread; no MDB_WRITEMAP, so that
 * a stray pointer cannot write into the store and a full disk is an error instead of a SIGBUS;
 * every commit is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store_internal.h"

enum {
	MAP_DEFAULT_BYTES = 64 << 20, /* address space only: the file grows with what is written */
	MAP_STEP_MAX_BYTES = 1 << 30,
	PROBE_BYTES = 4096,
	SHORT_FILE_TRIES = 3,
	LOCK_BYTES = (STORE_READERS_MAX + 16) * 64, /* LMDB's own needs fit into 16 slots */
};

static const char *const table_names[STORE_TABLES] = {
	[TABLE_META] = "meta",
	[TABLE_ACCOUNTS] = "accounts",
	[TABLE_UNITS] = "units",
	[TABLE_CYCLES] = "cycles",
	[TABLE_COVERAGE] = "coverage",
	[TABLE_CERTS] = "certs",
	[TABLE_CERT_FINGERPRINT] = "cert_fingerprint",
	[TABLE_CERT_EXPIRY] = "cert_expiry",
	[TABLE_CERT_DOMAIN] = "cert_domain",
	[TABLE_HISTORY] = "history",
	[TABLE_PEM] = "pem",
	[TABLE_EVENTS] = "events",
	[TABLE_VAULT] = "vault",
	[TABLE_PLANS] = "plans",
	[TABLE_JOBS] = "jobs",
	[TABLE_JOB_LEAF] = "job_leaf",
	[TABLE_JOB_STEPS] = "job_steps",
	[TABLE_JOBS_RUNNING] = "jobs_running",
	[TABLE_VAULT_NEEDS] = "vault_needs",
	[TABLE_ALERTS] = "alerts",
	[TABLE_ALERT_NOTICES] = "alert_notices",
	[TABLE_ALERT_CHANNELS] = "alert_channels",
};

const char *table_name(enum store_table table)
{
	return table_names[table];
}

/* --- errors ---------------------------------------------------------------------------------- */

/* -1 where it cannot be told. */
static int64_t free_bytes(const struct store *store)
{
	struct statvfs status;
	if (statvfs(store->data_dir, &status) != 0)
		return -1;
	return (int64_t)(status.f_bavail * status.f_frsize);
}

static bool is_no_space(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

/* LMDB answers EIO for a write that was cut short, which is how a full disk, a quota or a limit
 * begins. One more page at the end of the file tells; LMDB writes over it when it gets there. */
static bool is_full(const struct store *store, int rc)
{
	static const char page[PROBE_BYTES];
	struct stat status;
	int fd;
	if (is_no_space(rc))
		return true;
	if (rc != EIO || store->is_read_only || store->env == NULL ||
		mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &status) != 0)
		return false;
	ssize_t written = pwrite(fd, page, sizeof(page), status.st_size);
	return written < 0 ? is_no_space(errno) : written < (ssize_t)sizeof(page);
}

static int fail(const struct store *store, int rc, bool is_full, const char *what, struct err *err)
{
	if (is_full)
		return err_set(err, ERR_STORE_FULL,
			"%s: no space for the store %s (%lld bytes free): %s", what, store->file,
			(long long)free_bytes(store), mdb_strerror(rc));
	if (rc == MDB_READERS_FULL)
		return err_set(err, ERR_STORE, "%s: all %d reader slots of the store %s are taken",
			what, STORE_READERS_MAX, store->file);
	if (rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
		return err_set(err, ERR_STORE, "%s: %s is not a store of acmsensor: %s", what,
			store->file, mdb_strerror(rc));
	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		return err_set(err, ERR_STORE,
			"%s: the store %s is damaged: %s; restore a backup or move it away", what,
			store->file, mdb_strerror(rc));
	enum err_kind kind = rc > 0 ? ERR_SYSTEM : ERR_STORE;
	return err_set(err, kind, "%s: store %s: %s", what, store->file, mdb_strerror(rc));
}

int env_fail(const struct store *store, int rc, const char *what, struct err *err)
{
	return fail(store, rc, is_full(store, rc), what, err);
}

int env_fail_reading(const struct store *store, int rc, const char *what, struct err *err)
{
	return fail(store, rc, is_no_space(rc), what, err);
}

bool env_is_broken_by(int rc)
{
	return rc > 0 || rc == MDB_PANIC;
}

/* --- opening --------------------------------------------------------------------------------- */

/* When root looks into a store that was copied here, the daemon must still be able to open it. */
static void give_lock_to_owner(const struct store *store)
{
	char *lock = xasprintf("%s-lock", store->file);
	struct stat data, status;
	if (geteuid() == 0 && stat(store->file, &data) == 0 && stat(lock, &status) == 0 &&
		status.st_uid == 0 && data.st_uid != 0) {
		int rc = lchown(lock, data.st_uid, data.st_gid);
		(void)rc; /* the daemon's own open would say what is wrong */
	}
	free(lock);
}

static int file_bytes(const struct store *store, int64_t *ret_bytes, int64_t *ret_needed)
{
	MDB_envinfo info;
	MDB_stat stat_main;
	int fd;
	struct stat status;
	if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat_main) != 0 ||
		mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &status) != 0)
		return -1;
	*ret_bytes = status.st_size;
	*ret_needed = (int64_t)(info.me_last_pgno + 1) * stat_main.ms_psize;
	return 0;
}

void env_pad_file(const struct store *store)
{
	int64_t bytes, needed;
	int fd;
	if (file_bytes(store, &bytes, &needed) != 0 || bytes >= needed ||
		mdb_env_get_fd(store->env, &fd) != 0)
		return;
	/* LMDB leaves out pages at the end that were freed before they were written. Failing is
	 * harmless: such pages are read only in a store that was cut short. */
	int rc = ftruncate(fd, needed);
	(void)rc;
}

/* Reading a map behind the end of its file is a SIGBUS. The writer pads after each commit, so that
 * another process finds the file short for an instant at most. */
static int check_not_short(const struct store *store, struct err *err)
{
	int64_t bytes = 0, needed = 0;
	for (int i = 0; i < SHORT_FILE_TRIES; i++)
		if (file_bytes(store, &bytes, &needed) == 0 && bytes >= needed)
			return 0;
	return err_set(err, ERR_STORE,
		"the store %s has %lld bytes but needs %lld: an incomplete copy, or the daemon was "
		"killed in a commit: then starting it once mends this",
		store->file, (long long)bytes, (long long)needed);
}

/*
 * LMDB writes its lock file through a map, where a full disk is a SIGBUS: so its space is taken
 * first. Where that is not possible for another reason LMDB goes on alone, or says what is wrong.
 */
static int reserve_lock(const struct store *store, struct err *err)
{
	struct stat status;
	if (store->is_read_only && stat(store->file, &status) != 0)
		return 0; /* no store: nothing is to be left behind */
	char *lock = xasprintf("%s-lock", store->file);
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	int rc = 0;
	if (fd >= 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LOCK_BYTES) != 0 &&
		is_full(store, errno))
		rc = err_set_errno(
			err, ERR_STORE_FULL, "cannot open: no space for the lock file %s", lock);
	if (fd >= 0)
		(void)close(fd); /* before LMDB locks it: closing would end its lock */
	free(lock);
	return rc;
}

static int create_env(struct store *store, int64_t map_bytes, struct err *err)
{
	if (reserve_lock(store, err) != 0)
		return -1;
	int rc = mdb_env_create(&store->env);
	if (rc != 0) {
		store->env = NULL;
		return env_fail(store, rc, "cannot open", err);
	}
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (store->is_read_only ? MDB_RDONLY : 0);
	rc = mdb_env_set_maxdbs(store->env, STORE_TABLES_MAX);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(store->env, STORE_READERS_MAX);
	if (rc == 0 && map_bytes > 0)
		rc = mdb_env_set_mapsize(store->env, (size_t)map_bytes);
	if (rc == 0)
		rc = mdb_env_open(store->env, store->file, flags, S_IRUSR | S_IWUSR);
	if (rc == ENOENT && store->is_read_only)
		return err_set(err, ERR_STORE, "there is no store in %s: %s does not exist",
			store->data_dir, store->file);
	return rc == 0 ? 0 : env_fail(store, rc, "cannot open", err);
}

int env_open(struct store *store, int64_t map_bytes, struct err *err)
{
	struct stat status;
	if (map_bytes == 0)
		map_bytes = MAP_DEFAULT_BYTES;
	if (stat(store->file, &status) == 0 && map_bytes < status.st_size)
		map_bytes = status.st_size;
	/* A reader takes the size that the file names. */
	if (create_env(store, store->is_read_only ? 0 : map_bytes, err) != 0) {
		env_close(store);
		return -1;
	}
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	store->map_bytes = (int64_t)info.me_mapsize;
	int dead;
	mdb_reader_check(
		store->env, &dead); /* only frees slots; readers come and go all the time */
	if (store->is_read_only)
		give_lock_to_owner(store);
	if ((store->is_read_only || store->restored_from != NULL) &&
		check_not_short(store, err) != 0) {
		env_close(store);
		return -1;
	}
	if (!store->is_read_only)
		env_pad_file(store);
	return 0;
}

void env_close(struct store *store)
{
	if (store->env != NULL)
		mdb_env_close(store->env);
	store->env = NULL;
}

int env_open_tables(struct store *store, MDB_txn *mdb, unsigned flags)
{
	for (int table = 0; table < STORE_TABLES; table++) {
		int rc = mdb_dbi_open(mdb, table_names[table], flags, &store->table[table]);
		if (rc == MDB_NOTFOUND && table >= STORE_TABLES_FIRST)
			store->table[table] = TABLE_ABSENT;
		else if (rc != 0)
			return rc;
	}
	return 0;
}

/* --- growing and beginning ------------------------------------------------------------------- */

int env_grow(struct store *store, struct err *err)
{
	int dead, rc = ENOMEM;
	pthread_rwlock_wrlock(&store->map_lock);
	mdb_reader_check(store->env, &dead); /* a dead reader keeps pages from being used again */
	int64_t step =
		store->map_bytes < MAP_STEP_MAX_BYTES ? store->map_bytes : MAP_STEP_MAX_BYTES;
	if (store->map_bytes <= INT64_MAX / 2)
		rc = mdb_env_set_mapsize(store->env, (size_t)(store->map_bytes + step));
	if (rc == 0)
		store->map_bytes += step;
	pthread_rwlock_unlock(&store->map_lock);
	return rc == 0 ? 0 : env_fail(store, rc, "cannot grow the map", err);
}

/* Another process has grown the map. */
static int adopt_map(struct store *store)
{
	int rc = mdb_env_set_mapsize(store->env, 0);
	if (rc != 0)
		return rc;
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	store->map_bytes = (int64_t)info.me_mapsize;
	return 0;
}

/* After a failure to write its meta page LMDB refuses everything until it is opened again. */
static int reopen(struct store *store, struct err *err)
{
	env_close(store);
	if (env_open(store, store->map_bytes, err) != 0)
		return -1;
	MDB_txn *mdb;
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &mdb);
	if (rc == 0) {
		rc = env_open_tables(store, mdb, 0);
		if (rc == 0)
			rc = mdb_txn_commit(mdb); /* keeps the handles */
		else
			mdb_txn_abort(mdb);
	}
	if (rc == 0)
		return 0;
	env_fail(store, rc, "cannot open again", err);
	env_close(store);
	return -1;
}

void store_rest(struct store *store)
{
	struct err ignored =
		ERR_INIT; /* whoever begins a transaction next tries again, and tells */
	if (store->open_reads > 0 || pthread_rwlock_trywrlock(&store->map_lock) != 0)
		return;
	if (store->env != NULL)
		(void)reopen(store, &ignored);
	pthread_rwlock_unlock(&store->map_lock);
}

/* What a first attempt ended with is mended alone; somebody else may have done so meanwhile. */
static int mend_alone(struct store *store, struct err *err)
{
	MDB_txn *mdb;
	if (store->env == NULL)
		return reopen(store, err);
	int rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &mdb);
	if (rc == 0)
		mdb_txn_abort(mdb);
	if (rc == MDB_PANIC)
		return reopen(store, err);
	if (rc == MDB_MAP_RESIZED)
		rc = adopt_map(store);
	return rc == 0 ? 0 : env_fail_reading(store, rc, "cannot begin a transaction", err);
}

/* A read does not wait: it may be within another one of its thread. */
static int mend(struct store *store, int why, bool is_write, struct err *err)
{
	if (is_write)
		pthread_rwlock_wrlock(&store->map_lock);
	else if (pthread_rwlock_trywrlock(&store->map_lock) != 0)
		return env_fail_reading(store, why, "cannot begin a transaction now", err);
	int rc = mend_alone(store, err);
	pthread_rwlock_unlock(&store->map_lock);
	return rc;
}

static bool is_mendable(int rc)
{
	return rc == MDB_MAP_RESIZED || rc == MDB_PANIC;
}

/* Under the lock, shared, on success. */
static int begin(struct store *store, unsigned flags, MDB_txn **ret_mdb)
{
	int dead;
	pthread_rwlock_rdlock(&store->map_lock);
	int rc = MDB_PANIC;
	if (store->env != NULL)
		rc = mdb_txn_begin(store->env, NULL, flags, ret_mdb);
	if (rc == MDB_READERS_FULL && mdb_reader_check(store->env, &dead) == 0)
		rc = mdb_txn_begin(store->env, NULL, flags, ret_mdb);
	if (rc != 0)
		pthread_rwlock_unlock(&store->map_lock);
	return rc;
}

int env_begin(struct store *store, unsigned flags, MDB_txn **ret_mdb, struct err *err)
{
	bool is_write = (flags & MDB_RDONLY) == 0;
	int rc = begin(store, flags, ret_mdb);
	if (is_mendable(rc)) {
		if (mend(store, rc, is_write, err) != 0)
			return -1;
		rc = begin(store, flags, ret_mdb);
	}
	if (rc == 0)
		return 0;
	return is_write ? env_fail(store, rc, "cannot begin a transaction", err)
			: env_fail_reading(store, rc, "cannot begin a transaction", err);
}

void env_end(struct store *store)
{
	pthread_rwlock_unlock(&store->map_lock);
}

void store_forget_dead_readers(struct store *store)
{
	int dead;
	pthread_rwlock_rdlock(&store->map_lock);
	if (store->env != NULL)
		mdb_reader_check(store->env, &dead); /* or later */
	pthread_rwlock_unlock(&store->map_lock);
}
