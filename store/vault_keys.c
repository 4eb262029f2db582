/*
 * The vault's keys: master.key (32 bytes) and a file for each epoch: created_s (8 bytes, little
 * endian), then the epoch's key sealed under the master key with number and created_s as associated
 * data. A file comes to its name only when it is whole and on disk, so what is left by halves has
 * another name and is removed.
 */
#include <assert.h>
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/text.h"
#include "store/vault_internal.h"

#define MASTER_NAME  "master.key"
#define EPOCH_PREFIX "epoch-"
#define PART_SUFFIX  ".part"

enum {
	EPOCH_FILE_LEN = 8 + SEAL_KEY_LEN + SEAL_EXTRA,
	PATH_TEXT_MAX = 4400,
	KEY_MODE = 0600,
	FOLDER_MODE = 0700,
};

struct associated {
	uint64_t number_le, created_le;
};

static enum err_kind kind_of(int number)
{
	return number == ENOSPC || number == EDQUOT ? ERR_STORE_FULL : ERR_SYSTEM;
}

static void path_of(const struct vault *vault, const char *name, char path[PATH_TEXT_MAX])
{
	(void)snprintf(path, PATH_TEXT_MAX, "%s/%s", vault->folder, name);
}

static int sync_folder(const struct vault *vault, struct err *err)
{
	int fd = open(vault->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	if (rc != 0)
		(void)err_set_errno(err, kind_of(errno), "vault: cannot sync %s", vault->folder);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Whole or not at all: under another name, synced, then renamed. */
static int write_file(
	const struct vault *vault, const char *name, const void *bytes, size_t len, struct err *err)
{
	char path[PATH_TEXT_MAX], part[PATH_TEXT_MAX + sizeof(PART_SUFFIX)];
	path_of(vault, name, path);
	(void)snprintf(part, sizeof(part), "%s" PART_SUFFIX, path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, KEY_MODE);
	bool is_written = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
	int number = errno;
	if (fd >= 0)
		close(fd);
	if (!is_written || rename(part, path) != 0) {
		errno = is_written ? errno : number;
		(void)err_set_errno(err, kind_of(errno), "vault: cannot write %s", path);
		(void)unlink(part);
		return -1;
	}
	return sync_folder(vault, err);
}

/* Beside the owner, root's group may read: a systemd credential is root's with an ACL for the
 * service's user, and the ACL's mask stands where the group's bits are (0440). */
static bool is_private(const struct stat *status)
{
	return S_ISREG(status->st_mode) && (status->st_mode & 037) == 0 &&
	       ((status->st_mode & 040) == 0 || status->st_gid == 0);
}

/* len bytes and no more. ret: a secret, since it may hold the master key. */
static int read_file(const char *path, size_t len, struct secret *ret, struct err *err)
{
	unsigned char bytes[EPOCH_FILE_LEN + 1];
	struct stat status;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0) {
		(void)err_set_errno(err, ERR_CONFIG, "vault: cannot read %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	ssize_t got = read(fd, bytes, len + 1);
	close(fd);
	int rc = 0;
	if (!is_private(&status))
		rc = err_set(err, ERR_CONFIG,
			"vault: %s must be a file that only its owner can read (chmod 600)", path);
	else if (got != (ssize_t)len)
		rc = err_set(err, ERR_CONFIG, "vault: %s must hold %zu bytes", path, len);
	else
		secret_set(ret, bytes, len);
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

/* --- master key ------------------------------------------------------------------------------- */

static int make_master(struct vault *vault, struct err *err)
{
	seal_key_make(&vault->master);
	return write_file(vault, MASTER_NAME, vault->master.bytes, vault->master.len, err);
}

static int open_master(
	struct vault *vault, const char *master_key_file, bool has_epochs, struct err *err)
{
	char path[PATH_TEXT_MAX];
	if (master_key_file != NULL)
		return read_file(master_key_file, SEAL_KEY_LEN, &vault->master, err);
	path_of(vault, MASTER_NAME, path);
	if (access(path, F_OK) == 0)
		return read_file(path, SEAL_KEY_LEN, &vault->master, err);
	if (has_epochs)
		return err_set(err, ERR_CONFIG,
			"vault: %s is missing, though keys are sealed under it: restore it, or move "
			"%s away to begin anew without the sealed keys",
			path, vault->folder);
	return make_master(vault, err);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void epoch_name(uint64_t number, char name[32])
{
	(void)snprintf(name, 32, EPOCH_PREFIX "%" PRIu64, number);
}

static struct associated associate(uint64_t number, int64_t created_s)
{
	return (struct associated){
		.number_le = htole64(number), .created_le = htole64((uint64_t)created_s)};
}

/* 0: the name is not an epoch's. */
static uint64_t number_of(const char *name)
{
	struct err ignored = ERR_INIT;
	int64_t number = 0;
	if (!text_has_prefix(name, EPOCH_PREFIX) ||
		text_parse_int(name + strlen(EPOCH_PREFIX), 1, INT64_MAX, &number, &ignored) != 0)
		return 0;
	return (uint64_t)number;
}

static int read_epoch(struct vault *vault, struct vault_epoch *epoch, struct err *err)
{
	char name[32], path[PATH_TEXT_MAX];
	struct secret file = SECRET_INIT;
	uint64_t little;
	epoch_name(epoch->number, name);
	path_of(vault, name, path);
	if (read_file(path, EPOCH_FILE_LEN, &file, err) != 0)
		return -1;
	assert(file.bytes != NULL && file.len == EPOCH_FILE_LEN);
	memcpy(&little, file.bytes, sizeof(little));
	epoch->created_s = (int64_t)le64toh(little);
	struct associated data = associate(epoch->number, epoch->created_s);
	int rc = seal_open(&vault->master, &data, sizeof(data), file.bytes + 8, file.len - 8,
		&epoch->key, err);
	secret_clear(&file);
	return rc == 0 ? 0
		       : err_set(err, ERR_CONFIG,
				 "vault: %s cannot be opened: it was sealed under another master "
				 "key, or was changed",
				 path);
}

static int compare_epochs(const void *a, const void *b)
{
	const struct vault_epoch *left = a, *right = b;
	return left->number < right->number ? -1 : left->number > right->number;
}

/* Names of epochs into the table; parts are removed. */
static int list_epochs(struct vault *vault, struct err *err)
{
	DIR *dir = opendir(vault->folder);
	struct dirent *entry;
	int rc = 0;
	if (dir == NULL)
		return err_set_errno(err, ERR_SYSTEM, "vault: cannot read %s", vault->folder);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		uint64_t number = number_of(entry->d_name);
		if (text_has_suffix(entry->d_name, PART_SUFFIX))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		else if (number != 0 && vault->epoch_count == VAULT_EPOCHS_MAX)
			rc = err_set(err, ERR_LIMIT, "vault: more than %d epochs in %s",
				VAULT_EPOCHS_MAX, vault->folder);
		else if (number != 0)
			vault->epoch[vault->epoch_count++] = (struct vault_epoch){.number = number};
	}
	closedir(dir);
	qsort(vault->epoch, vault->epoch_count, sizeof(vault->epoch[0]), compare_epochs);
	return rc;
}

int vault_keys_open(
	struct vault *vault, const char *data_dir, const char *master_key_file, struct err *err)
{
	char folder[PATH_TEXT_MAX];
	(void)snprintf(folder, sizeof(folder), "%s/vault", data_dir);
	vault->folder = xstrdup(folder);
	if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST)
		return err_set_errno(err, kind_of(errno), "vault: cannot make %s", folder);
	if (list_epochs(vault, err) != 0 ||
		open_master(vault, master_key_file, vault->epoch_count > 0, err) != 0)
		return -1;
	for (size_t i = 0; i < vault->epoch_count; i++)
		if (read_epoch(vault, &vault->epoch[i], err) != 0)
			return -1;
	return 0;
}

int vault_keys_add(struct vault *vault, int64_t now_s, struct err *err)
{
	unsigned char file[EPOCH_FILE_LEN];
	char name[32];
	if (vault->epoch_count == VAULT_EPOCHS_MAX)
		return err_set(err, ERR_LIMIT, "vault: %d epochs hold records", VAULT_EPOCHS_MAX);
	uint64_t last = vault->epoch_count > 0 ? vault->epoch[vault->epoch_count - 1].number : 0;
	struct vault_epoch epoch = {.number = last + 1, .created_s = now_s};
	struct associated data = associate(epoch.number, now_s);
	uint64_t little = htole64((uint64_t)now_s);
	seal_key_make(&epoch.key);
	memcpy(file, &little, sizeof(little));
	seal_close(&vault->master, &data, sizeof(data), &epoch.key, file + sizeof(little));
	epoch_name(epoch.number, name);
	if (write_file(vault, name, file, sizeof(file), err) != 0) {
		secret_clear(&epoch.key);
		return -1;
	}
	vault->epoch[vault->epoch_count++] = epoch;
	return 0;
}

/* File systems that copy on write keep the old bytes a while; the master key is still needed to
 * read them. */
static void overwrite(const char *path)
{
	static const unsigned char zeroes[EPOCH_FILE_LEN];
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, zeroes, sizeof(zeroes)) == (ssize_t)sizeof(zeroes))
		(void)fsync(fd);
	close(fd);
}

int vault_keys_destroy(struct vault *vault, size_t index, struct err *err)
{
	struct vault_epoch *epoch = &vault->epoch[index];
	char name[32], path[PATH_TEXT_MAX];
	epoch_name(epoch->number, name);
	path_of(vault, name, path);
	overwrite(path);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set_errno(err, ERR_SYSTEM, "vault: cannot remove %s", path);
	secret_clear(&epoch->key);
	vault->epoch_count--;
	memmove(epoch, epoch + 1, (vault->epoch_count - index) * sizeof(*epoch));
	return sync_folder(vault, err);
}
