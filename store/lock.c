/*
 * The folder and its one daemon. The lock is flock's: it ends with the process, however that ends,
 * so the number in the file is for people only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store_internal.h"

enum { PID_TEXT_MAX = 24 };

static int make_folder(const struct store *store, struct err *err)
{
	if (mkdir(store->data_dir, S_IRWXU) == 0)
		return 0;
	if (errno != EEXIST) {
		enum err_kind kind =
			errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_SYSTEM;
		return err_set_errno(err, kind, "cannot make the data folder %s", store->data_dir);
	}
	struct stat status;
	if (stat(store->data_dir, &status) != 0)
		return err_set_errno(
			err, ERR_SYSTEM, "cannot look at the data folder %s", store->data_dir);
	if (!S_ISDIR(status.st_mode))
		return err_set(err, ERR_SYSTEM, "%s is not a folder", store->data_dir);
	return 0;
}

static int fail_held(const struct store *store, int fd, struct err *err)
{
	char pid[PID_TEXT_MAX];
	ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);
	while (len > 0 && (pid[len - 1] < '0' || pid[len - 1] > '9'))
		len--;
	if (len <= 0 || !text_is_digits(pid, (size_t)len))
		return err_set(err, ERR_STORE, "the store in %s is in use by another process",
			store->data_dir);
	return err_set(err, ERR_STORE, "the store in %s is in use by process %.*s", store->data_dir,
		(int)len, pid);
}

static int write_pid(int fd)
{
	char pid[PID_TEXT_MAX];
	int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0)
		return -1;
	ssize_t written = pwrite(fd, pid, (size_t)len, 0);
	if (written >= 0 && written < len)
		errno = ENOSPC;
	return written == len ? 0 : -1;
}

static int take(struct store *store, const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd < 0) {
		enum err_kind kind =
			errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_SYSTEM;
		return err_set_errno(err, kind, "cannot open the lock file %s", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			fail_held(store, fd, err);
		else
			err_set_errno(err, ERR_SYSTEM, "cannot lock %s", path);
		close(fd);
		return -1;
	}
	if (write_pid(fd) != 0 && errno != ENOSPC && errno != EDQUOT) {
		err_set_errno(err, ERR_SYSTEM, "cannot write the lock file %s", path);
		close(fd);
		return -1;
	}
	store->lock_fd = fd; /* on a full disk the lock holds without its number */
	return 0;
}

int lock_take(struct store *store, struct err *err)
{
	if (make_folder(store, err) != 0)
		return -1;
	char *path = xasprintf("%s/store.lock", store->data_dir);
	int rc = take(store, path, err);
	free(path);
	return rc;
}
