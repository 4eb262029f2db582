/*
 * Files of data_dir/vault. The folder is held open, so that every name is looked up in the folder
 * that was checked. Beside the files themselves there are, for an instant or after a kill:
 *
 *   NAME.new   being made; never read, removed at the next open
 *   NAME.gone  being destroyed; never read, overwritten and removed at the next open
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/vault_internal.h"

enum {
	NAME_BYTES = 64, /* "epoch-" and 20 digits and ".gone" */
	FOLDER_OTHERS = S_IRWXG | S_IRWXO,
	FILE_OTHERS = S_IWGRP | S_IXGRP | S_IRWXO, /* group root may read, see check_file */
	OVERWRITE_BYTES = 4096,
};

static int fail(struct err *err, const char *verb, const char *shown)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	return err_set_errno(
		err, is_full ? ERR_STORE_FULL : ERR_SYSTEM, "cannot %s %s", verb, shown);
}

static int fail_in(const struct vault *vault, struct err *err, const char *verb, const char *name)
{
	int number = errno;
	char *shown = xasprintf("%s/%s", vault->folder, name);
	errno = number;
	fail(err, verb, shown);
	free(shown);
	return -1;
}

/* --- the folder ------------------------------------------------------------------------------ */

static bool is_owner_fine(const struct stat *status)
{
	return status->st_uid == geteuid() || status->st_uid == 0;
}

static int sync_folder(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : fail(err, "sync the folder", path);
	if (fd >= 0)
		(void)close(fd); /* nothing was written through it */
	return rc;
}

int vault_folder_open(struct vault *vault, const char *data_dir, struct err *err)
{
	struct stat status;
	if (mkdir(vault->folder, S_IRWXU) == 0) {
		if (sync_folder(data_dir, err) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return fail(err, "make the folder", vault->folder);
	}
	vault->folder_fd = open(vault->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (vault->folder_fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(err, ERR_CONFIG, "%s is not a folder", vault->folder);
	if (vault->folder_fd < 0 || fstat(vault->folder_fd, &status) != 0)
		return fail(err, "open the folder", vault->folder);
	if (!is_owner_fine(&status))
		return err_set(err, ERR_CONFIG, "the folder %s belongs to another user (uid %ld)",
			vault->folder, (long)status.st_uid);
	if ((status.st_mode & FOLDER_OTHERS) != 0)
		return err_set(err, ERR_CONFIG,
			"the folder %s is open to others (mode %04o): it holds keys, chmod 700 it",
			vault->folder, (unsigned)(status.st_mode & 07777));
	return 0;
}

int vault_folder_each(struct vault *vault, vault_name_fn *each, void *arg, struct err *err)
{
	int fd = openat(vault->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		fail(err, "list", vault->folder);
		if (fd >= 0)
			(void)close(fd); /* nothing was written through it */
		return -1;
	}
	int rc = 0;
	errno = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(folder)) != NULL; errno = 0)
		if (entry->d_name[0] != '.')
			rc = each(arg, entry->d_name, err);
	if (rc == 0 && errno != 0)
		rc = fail(err, "list", vault->folder);
	(void)closedir(folder); /* was only read */
	return rc;
}

/* --- reading --------------------------------------------------------------------------------- */

/*
 * systemd gives a credential to a service either as its own file, or as root's with an access list,
 * whose mask shows as rights of the group, which is root.
 */
static int check_file(const struct stat *status, const char *shown, struct err *err)
{
	unsigned mode = (unsigned)(status->st_mode & 07777);
	if (!S_ISREG(status->st_mode))
		return err_set(err, ERR_CONFIG, "%s is not a regular file", shown);
	if (!is_owner_fine(status))
		return err_set(err, ERR_CONFIG, "%s belongs to another user (uid %ld)", shown,
			(long)status->st_uid);
	bool is_group_root = status->st_gid == 0 && status->st_uid == 0;
	if ((mode & FILE_OTHERS) != 0 || ((mode & S_IRGRP) != 0 && !is_group_root))
		return err_set(err, ERR_CONFIG,
			"%s is open to others (mode %04o): it holds a key, chmod 600 it", shown,
			mode);
	return 0;
}

/* Until the end or one byte too many. -1: errno. */
static ssize_t read_all(int fd, unsigned char *bytes, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t got = read(fd, bytes + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* Straight into the arena of secrets. */
static int read_open(
	int fd, const char *shown, size_t max_bytes, struct secret *ret_bytes, struct err *err)
{
	struct stat status;
	if (fstat(fd, &status) != 0)
		return fail(err, "look at", shown);
	if (check_file(&status, shown, err) != 0)
		return -1;
	size_t size = max_bytes + 1;
	unsigned char *room = xcalloc(1, size); /* zeroes, to make room in the arena */
	struct secret bytes = SECRET_INIT;
	secret_set(&bytes, room, size);
	free(room);
	ssize_t len = read_all(fd, bytes.bytes, size);
	if (len < 0)
		fail(err, "read", shown);
	else if ((size_t)len > max_bytes)
		len = err_set(err, ERR_CONFIG, "%s is larger than %zu bytes", shown, max_bytes);
	else
		secret_set(ret_bytes, bytes.bytes, (size_t)len);
	secret_clear(&bytes);
	return len < 0 ? -1 : 0;
}

int vault_file_read(int dir_fd, const char *name, const char *shown, size_t max_bytes,
	struct secret *ret_bytes, bool *ret_is_there, struct err *err)
{
	/* Not to wait for the writer of a pipe. */
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret_is_there = false;
		return 0;
	}
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_CONFIG, "%s is a symbolic link, not a file", shown);
	if (fd < 0)
		return fail(err, "open", shown);
	int rc = read_open(fd, shown, max_bytes, ret_bytes, err);
	(void)close(fd); /* was only read */
	if (rc == 0)
		*ret_is_there = true;
	return rc;
}

/* --- making ---------------------------------------------------------------------------------- */

static int write_all(int fd, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

static void with_suffix(char ret[NAME_BYTES], const char *name, const char *suffix)
{
	int len = snprintf(ret, NAME_BYTES, "%s%s", name, suffix);
	if (len < 0 || len >= NAME_BYTES)
		abort(); /* names are ours */
}

static int write_synced(
	struct vault *vault, const char *name, const void *bytes, size_t len, struct err *err)
{
	int fd = openat(vault->folder_fd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail_in(vault, err, "make", name);
	int rc = 0;
	if (write_all(fd, bytes, len) != 0 || fsync(fd) != 0)
		rc = fail_in(vault, err, "write", name);
	if (close(fd) != 0 && rc == 0)
		rc = fail_in(vault, err, "write", name);
	return rc;
}

int vault_file_make(
	struct vault *vault, const char *name, const void *bytes, size_t len, struct err *err)
{
	char unfinished[NAME_BYTES];
	with_suffix(unfinished, name, ".new");
	(void)unlinkat(vault->folder_fd, unfinished, 0); /* of an attempt that failed; or none */
	if (write_synced(vault, unfinished, bytes, len, err) != 0) {
		(void)unlinkat(vault->folder_fd, unfinished, 0); /* or at the next open */
		return -1;
	}
	if (renameat(vault->folder_fd, unfinished, vault->folder_fd, name) != 0 ||
		fsync(vault->folder_fd) != 0)
		return fail_in(vault, err, "make", name);
	return 0;
}

/* --- destroying ------------------------------------------------------------------------------ */

/* Flash and copy-on-write file systems may keep the old blocks: what counts is that the key under
 * which they are sealed is not beside them. Here the bytes at least leave the file. */
static int overwrite(struct vault *vault, const char *name, struct err *err)
{
	static const unsigned char zeroes[OVERWRITE_BYTES];
	struct stat status;
	int fd = openat(vault->folder_fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0) {
		fail_in(vault, err, "overwrite", name);
		if (fd >= 0)
			(void)close(fd); /* nothing was written */
		return -1;
	}
	int rc = 0;
	for (off_t at = 0; rc == 0 && at < status.st_size; at += OVERWRITE_BYTES) {
		off_t left = status.st_size - at;
		size_t len = left < OVERWRITE_BYTES ? (size_t)left : OVERWRITE_BYTES;
		if (write_all(fd, zeroes, len) != 0)
			rc = fail_in(vault, err, "overwrite", name);
	}
	if (rc == 0 && fsync(fd) != 0)
		rc = fail_in(vault, err, "overwrite", name);
	if (close(fd) != 0 && rc == 0)
		rc = fail_in(vault, err, "overwrite", name);
	return rc;
}

static int finish_destroying(struct vault *vault, const char *gone, struct err *err)
{
	if (overwrite(vault, gone, err) != 0)
		return -1;
	if (unlinkat(vault->folder_fd, gone, 0) != 0 || fsync(vault->folder_fd) != 0)
		return fail_in(vault, err, "remove", gone);
	return 0;
}

int vault_file_destroy(struct vault *vault, const char *name, struct err *err)
{
	char gone[NAME_BYTES];
	with_suffix(gone, name, ".gone");
	if (faccessat(vault->folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return 0; /* by an attempt that failed later: vault_folder_tidy went on with it */
	if (renameat(vault->folder_fd, name, vault->folder_fd, gone) != 0 ||
		fsync(vault->folder_fd) != 0)
		return fail_in(vault, err, "destroy", name);
	return finish_destroying(vault, gone, err);
}

static int tidy(void *arg, const char *name, struct err *err)
{
	struct vault *vault = arg;
	if (strlen(name) >= NAME_BYTES)
		return 0; /* none of ours */
	if (text_has_suffix(name, ".gone"))
		return finish_destroying(vault, name, err);
	if (text_has_suffix(name, ".new") && unlinkat(vault->folder_fd, name, 0) != 0)
		return fail_in(vault, err, "remove the unfinished", name);
	return 0;
}

int vault_folder_tidy(struct vault *vault, struct err *err)
{
	return vault_folder_each(vault, tidy, vault, err);
}
