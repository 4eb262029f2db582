/* Opening and closing the store, in the order in which its parts need each other. */
#include "store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store_internal.h"

static struct store *store_new(struct loop *loop, const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof(*store));
	store->loop = loop;
	store->is_read_only = options->is_read_only;
	store->machine = options->machine;
	store->restored_from = options->restored_from;
	store->data_dir = xstrdup(options->data_dir);
	store->file = xasprintf("%s/store.mdb", options->data_dir);
	store->lock_fd = -1;
	store->epoch_fd = -1;
	buf_init(&store->scratch, STORE_RECORD_MAX);
	buf_init(&store->scratch_old, STORE_RECORD_MAX);
	if (pthread_rwlock_init(&store->map_lock, NULL) != 0 ||
		pthread_mutex_init(&store->counts_mutex, NULL) != 0)
		abort(); /* fail for lack of memory only */
	return store;
}

static void store_free(struct store *store)
{
	env_close(store);
	if (store->epoch_fd >= 0)
		close(store->epoch_fd);
	if (store->lock_fd >= 0)
		close(store->lock_fd); /* the last thing: from here on another may write */
	buf_clear(&store->scratch);
	buf_clear(&store->scratch_old);
	pthread_mutex_destroy(&store->counts_mutex);
	pthread_rwlock_destroy(&store->map_lock);
	free(store->data_dir);
	free(store->file);
	free(store);
}

/* A part of what LMDB writes when it makes a file: a meta page of transaction 0, by number, flags
 * and magic. bytes: at least one, fewer than two pages. */
static bool is_unfinished(const unsigned char *found, size_t bytes)
{
	enum { FLAGS_AT = 10, MAGIC_AT = 16, MAGIC_END = 20, TXNID_AT = 144 };
	static const uint16_t meta_flag = 0x08;
	static const uint32_t magic = 0xBEEFC0DE;
	unsigned char begin[MAGIC_END] = {0};
	uint64_t txnid = 0;
	memcpy(begin + FLAGS_AT, &meta_flag, sizeof(meta_flag));
	memcpy(begin + MAGIC_AT, &magic, sizeof(magic));
	if (bytes >= TXNID_AT + sizeof(txnid))
		memcpy(&txnid, found + TXNID_AT, sizeof(txnid));
	return memcmp(found, begin, bytes < MAGIC_END ? bytes : MAGIC_END) == 0 && txnid == 0;
}

/*
 * LMDB begins a file with two meta pages in one write. A kill or a full disk can cut that short,
 * and LMDB takes the rest for a file of somebody else ever after. Nothing was ever in it: it is
 * removed.
 */
static int remove_unfinished(const struct store *store, struct err *err)
{
	unsigned char found[2 * 4096];
	int fd = open(store->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0; /* LMDB says what is wrong, if anything */
	ssize_t len = read(fd, found, sizeof(found));
	(void)close(fd); /* it is read only, and LMDB has not opened it yet */
	if (len <= 0 || len == sizeof(found) || !is_unfinished(found, (size_t)len) ||
		unlink(store->file) == 0)
		return 0;
	return err_set_errno(err, ERR_SYSTEM, "cannot remove the unfinished %s", store->file);
}

static int prepare(struct store *store, struct err *err)
{
	if (store->is_read_only)
		return 0;
	return lock_take(store, err) != 0 ? -1 : remove_unfinished(store, err);
}

void store_give_files_to_owner(const char *data_dir)
{
	static const char *const names[] = {
		"store.mdb", "store.mdb-lock", "store.lock", "store.epoch"};
	struct stat folder;
	if (geteuid() != 0 || stat(data_dir, &folder) != 0 || folder.st_uid == 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", data_dir, names[i]);
		int rc = lchown(path, folder.st_uid, folder.st_gid);
		(void)rc; /* the daemon's own open would say what is wrong */
		free(path);
	}
}

struct store *store_open(struct loop *loop, const struct store_options *options, struct err *err)
{
	struct store *store = store_new(loop, options);
	bool has_queue = loop != NULL && !store->is_read_only;
	bool is_open = prepare(store, err) == 0 && env_open(store, options->map_bytes, err) == 0 &&
		       migrate_open(store, err) == 0 && epoch_open(store, err) == 0;
	if (is_open && has_queue)
		store->queue = queue_new(store, err);
	if (is_open && !store->is_read_only)
		store_give_files_to_owner(store->data_dir);
	if (!is_open || (has_queue && store->queue == NULL)) {
		store_free(store);
		return NULL;
	}
	store->machine = NULL;
	store->restored_from = NULL;
	return store;
}

const char *store_library_version(void)
{
	return mdb_version(NULL, NULL, NULL);
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	queue_free(store->queue);
	epoch_close(store);
	store_free(store);
}
