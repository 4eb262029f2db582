/* Sizes and counters. */
#include <pthread.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "store/events.h"
#include "store/store_internal.h"

static int64_t table_bytes(struct store_txn *txn, enum store_table table)
{
	MDB_stat status;
	if (mdb_stat(txn->mdb, txn->store->table[table], &status) != 0)
		return 0;
	size_t pages = status.ms_branch_pages + status.ms_leaf_pages + status.ms_overflow_pages;
	return (int64_t)(pages * status.ms_psize);
}

static int64_t file_bytes(struct store *store)
{
	int fd;
	struct stat status;
	if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &status) != 0)
		return 0;
	return status.st_size;
}

static void look_at_disk(struct store *store, struct store_stats *stats)
{
	int fd;
	struct statvfs status;
	if (mdb_env_get_fd(store->env, &fd) != 0 || fstatvfs(fd, &status) != 0)
		return;
	stats->disk_free_bytes = (int64_t)(status.f_bavail * status.f_frsize);
	stats->disk_bytes = (int64_t)(status.f_blocks * status.f_frsize);
}

static void look_at_events(struct store_txn *txn, struct store_stats *stats)
{
	struct event_record event;
	if (!store_event_get_last(txn, 0, &event))
		return;
	stats->last_event = event.sequence;
	stats->last_event_s = event.at_s;
}

static int count_line(const char *line, void *arg)
{
	(void)line;
	int *lines = arg;
	(*lines)++;
	return 0;
}

/* Read transactions of all processes. LMDB lists them as lines of text below a heading. */
static int count_readers(struct store *store)
{
	int lines = 0;
	pthread_rwlock_rdlock(&store->map_lock);
	if (store->env != NULL)
		mdb_reader_list(store->env, count_line, &lines);
	pthread_rwlock_unlock(&store->map_lock);
	return lines > 0 ? lines - 1 : 0;
}

int store_get_stats(struct store *store, struct store_stats *ret_stats, struct err *err)
{
	struct store_txn *txn;
	MDB_envinfo info;
	if (store_read_begin(store, &txn, err) != 0)
		return -1;
	mdb_env_info(store->env, &info);
	pthread_mutex_lock(&store->counts_mutex);
	const struct store_counts counts = store->counts;
	pthread_mutex_unlock(&store->counts_mutex);
	struct store_stats stats = {
		.map_bytes = (int64_t)info.me_mapsize,
		.file_bytes = file_bytes(store),
		.commits = counts.commits,
		.writes = counts.writes,
		.records_written = counts.records_written,
		.last_commit_us = counts.last_commit_us,
		.longest_commit_us = counts.longest_commit_us,
		.commit_us = counts.commit_us,
		.run_us = counts.run_us,
		.failed_writes = counts.failed_writes,
		.certificates = txn_count(txn, TABLE_CERTS),
		.events = txn_count(txn, TABLE_EVENTS),
		.epoch = store->epoch,
	};
	for (int table = 0; table < STORE_TABLES; table++)
		stats.used_bytes += table_bytes(txn, (enum store_table)table);
	look_at_disk(store, &stats);
	look_at_events(txn, &stats);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	if (rc != 0)
		return -1;
	stats.readers = count_readers(store);
	if (store->queue != NULL)
		queue_get_stats(store->queue, &stats);
	*ret_stats = stats;
	return 0;
}
