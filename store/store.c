/* Opening and closing the store, in the order in which its parts need each other. */
#include "store/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store_internal.h"

static struct store *store_new(struct loop *loop, const struct store_options *options)
{
	struct store *store = xcalloc(1, sizeof(*store));
	store->loop = loop;
	store->is_read_only = options->is_read_only;
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

struct store *store_open(struct loop *loop, const struct store_options *options, struct err *err)
{
	struct store *store = store_new(loop, options);
	bool has_queue = loop != NULL && !store->is_read_only;
	bool is_open = (store->is_read_only || lock_take(store, err) == 0) &&
		       env_open(store, options->map_bytes, err) == 0 &&
		       migrate_open(store, err) == 0 && epoch_open(store, err) == 0;
	if (is_open && has_queue)
		store->queue = queue_new(store, err);
	if (!is_open || (has_queue && store->queue == NULL)) {
		store_free(store);
		return NULL;
	}
	return store;
}

void store_close(struct store *store)
{
	if (store == NULL)
		return;
	queue_free(store->queue);
	epoch_close(store);
	store_free(store);
}
