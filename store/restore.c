#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store_internal.h"

enum { COPY_BYTES = 1 << 20, NAMES_MAX = 100 };

/* Everything that the work folder can hold, from this attempt or a former one. */
static const char *const work_files[] = {
	"store.mdb", "store.mdb-lock", "store.lock", "store.epoch"};

struct restore {
	const char *file;  /* borrowed */
	struct store lock; /* holds nothing but the folder's lock */
	char *work;	   /* owned; the folder where the copy becomes a store */
};

static int fail(int number, const char *verb, const char *path, struct err *err)
{
	bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
	errno = number;
	return err_set_errno(
		err, is_full ? ERR_STORE_FULL : ERR_SYSTEM, "cannot %s %s", verb, path);
}

/* --- the work folder ------------------------------------------------------------------------- */

static void remove_work(const struct restore *restore)
{
	for (size_t i = 0; i < sizeof(work_files) / sizeof(work_files[0]); i++) {
		char *path = xasprintf("%s/%s", restore->work, work_files[i]);
		(void)unlink(path); /* most are not there; rmdir tells when one stays */
		free(path);
	}
	(void)rmdir(restore->work); /* mkdir says what is in the way of the next attempt */
}

static int make_work(const struct restore *restore, struct err *err)
{
	struct stat folder;
	remove_work(restore);
	if (mkdir(restore->work, S_IRWXU) != 0)
		return fail(errno, "make the folder", restore->work, err);
	/* What root restores is the daemon's: store_open goes by the folder's owner. */
	if (stat(restore->lock.data_dir, &folder) != 0 ||
		(geteuid() == 0 && lchown(restore->work, folder.st_uid, folder.st_gid) != 0))
		return fail(errno, "give to the daemon's user the folder", restore->work, err);
	return 0;
}

static int copy_bytes(int from, int to, const char *from_path, const char *to_path, struct err *err)
{
	char *bytes = xmalloc(COPY_BYTES);
	ssize_t len, written = 0;
	while ((len = read(from, bytes, COPY_BYTES)) > 0) {
		for (ssize_t done = 0; done < len; done += written)
			if ((written = write(to, bytes + done, (size_t)(len - done))) < 0)
				break;
		if (written < 0)
			break;
	}
	int number = errno;
	free(bytes);
	if (len < 0)
		return fail(number, "read", from_path, err);
	return written < 0 ? fail(number, "write", to_path, err) : 0;
}

static int open_backup(const char *file, int *ret_fd, struct err *err)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us up */
	if (fd < 0)
		return fail(errno, "open", file, err);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return err_set(err, ERR_CONFIG, "%s is not a file", file);
	}
	*ret_fd = fd;
	return 0;
}

static int copy(const struct restore *restore, struct err *err)
{
	int from = -1, rc = -1;
	if (open_backup(restore->file, &from, err) != 0)
		return -1;
	char *path = xasprintf("%s/store.mdb", restore->work);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (to < 0) {
		fail(errno, "make", path, err);
	} else {
		rc = copy_bytes(from, to, restore->file, path, err);
		if (close(to) != 0 && rc == 0)
			rc = fail(errno, "write", path, err);
	}
	close(from);
	free(path);
	return rc;
}

/* The copy becomes a store of this schema, sound as far as it can be, of an epoch of its own. */
static int prepare(const struct restore *restore, store_check_fn *found, void *arg,
	struct store_restored *ret, struct err *err)
{
	const struct store_options options = {
		.data_dir = restore->work, .restored_from = restore->file};
	struct store *store = store_open(NULL, &options, err);
	if (store == NULL)
		return -1;
	int rc = store_mend(store, found, arg, &ret->mended, err);
	if (rc == 0)
		rc = store_get_stats(store, &ret->stats, err);
	store_close(store);
	return rc;
}

/* --- putting it in place --------------------------------------------------------------------- */

/* A second name for the store that is replaced, "store-replaced-TIME.mdb"; NULL: there is none. */
static int keep(const struct restore *restore, char **ret_kept, struct err *err)
{
	const char *data_dir = restore->lock.data_dir;
	char time[TEXT_TIME_MAX];
	char *store = xasprintf("%s/store.mdb", data_dir), *kept = NULL;
	int number = EEXIST;
	text_format_time(clock_now_s(), time);
	for (int i = 1; i <= NAMES_MAX && number == EEXIST; i++) {
		free(kept);
		kept = i == 1 ? xasprintf("%s/store-replaced-%s.mdb", data_dir, time)
			      : xasprintf("%s/store-replaced-%s-%d.mdb", data_dir, time, i);
		number = link(store, kept) == 0 ? 0 : errno;
	}
	free(store);
	if (number != 0) {
		if (number != ENOENT)
			fail(number, "keep the present store as", kept, err);
		free(kept);
		*ret_kept = NULL;
		return number == ENOENT ? 0 : -1;
	}
	*ret_kept = kept;
	return 0;
}

static int move(const struct restore *restore, const char *name, struct err *err)
{
	char *from = xasprintf("%s/%s", restore->work, name);
	char *to = xasprintf("%s/%s", restore->lock.data_dir, name);
	int rc = rename(from, to) == 0 ? 0 : fail(errno, "put in place", to, err);
	free(from);
	free(to);
	return rc;
}

/* LMDB's lock file tells who reads the store that goes; the one that comes has a new one. */
static void remove_lmdb_lock(const struct restore *restore)
{
	char *path = xasprintf("%s/store.mdb-lock", restore->lock.data_dir);
	(void)unlink(path); /* when it is not there, good */
	free(path);
}

static int sync_folder(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : fail(errno, "sync the folder", path, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

/*
 * The store first: with its predecessor's note beside it, it would begin one more epoch, and that
 * is all. The note is synced when it is written, as the store is.
 */
static int put_in_place(const struct restore *restore, char **ret_kept, struct err *err)
{
	char *kept = NULL;
	if (keep(restore, &kept, err) != 0)
		return -1;
	remove_lmdb_lock(restore);
	if (move(restore, "store.mdb", err) != 0) {
		if (kept != NULL)
			(void)unlink(kept); /* the store is still there under its own name */
		free(kept);
		return -1;
	}
	*ret_kept = kept;
	if (move(restore, "store.epoch", err) != 0 || sync_folder(restore->lock.data_dir, err) != 0)
		return err_wrap(err, "the store is restored, but");
	return 0;
}

int store_restore(const char *data_dir, const char *file, store_check_fn *found, void *arg,
	struct store_restored *ret_restored, struct err *err)
{
	struct store_restored restored = {.kept_as = NULL};
	struct restore restore = {
		.file = file, .lock = {.data_dir = xstrdup(data_dir), .lock_fd = -1}};
	restore.work = xasprintf("%s/restore.new", data_dir);
	int rc = lock_take(&restore.lock, err);
	if (rc == 0) {
		rc = make_work(&restore, err);
		if (rc == 0)
			rc = copy(&restore, err);
		if (rc == 0)
			rc = prepare(&restore, found, arg, &restored, err);
		if (rc == 0)
			rc = put_in_place(&restore, &restored.kept_as, err);
		remove_work(&restore);
		store_give_files_to_owner(data_dir);
		close(restore.lock.lock_fd);
	}
	free(restore.work);
	free(restore.lock.data_dir);
	if (rc != 0) {
		store_restored_clear(&restored);
		return err_wrap(err, "cannot restore %s", file);
	}
	*ret_restored = restored;
	return 0;
}

void store_restored_clear(struct store_restored *restored)
{
	free(restored->kept_as);
	restored->kept_as = NULL;
}
