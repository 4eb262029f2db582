/*
 * The store's identity. (epoch, sequence) names an event for ever, so a store that went back in
 * time (a restored backup) must not go on under the same epoch: it would give other events numbers
 * that were used.
 *
 * A side file, data_dir/store.epoch, notes the last event by sequence and hash, in one short line
 * that is overwritten after each commit that appended events. At open that very event must be in
 * the store; if it is not, or the file is missing, a new epoch begins and an event says so. The
 * file is written after the store was synced, so it can lag behind (kill -9, power cut) but never
 * be ahead; it is itself synced at open and close only. A snapshot of the whole folder that is
 * rolled back takes the side file with it: that only the console can see.
 *
 * A store that another machine wrote (a clone, a folder that was moved) begins a new epoch too,
 * because the other one may go on. Clones that share a machine id are not told apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/events.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

struct note {
	uint64_t sequence; /* 0: no event */
	unsigned char hash[32];
};

#define NOTE_BEGIN "acmsensor-epoch-1 "
enum {
	NOTE_BEGIN_LEN = sizeof(NOTE_BEGIN) - 1,
	NOTE_BYTES = sizeof(uint64_t) + 32,
	NOTE_LEN = NOTE_BEGIN_LEN + 2 * NOTE_BYTES + 1, /* hexadecimal, newline */
};

/* --- the side file --------------------------------------------------------------------------- */

static int note_open(struct store *store, struct err *err)
{
	char *path = xasprintf("%s/store.epoch", store->data_dir);
	store->epoch_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (store->epoch_fd < 0) {
		enum err_kind kind =
			errno == ENOSPC || errno == EDQUOT ? ERR_STORE_FULL : ERR_SYSTEM;
		err_set_errno(err, kind, "cannot open %s", path);
	}
	free(path);
	return store->epoch_fd >= 0 ? 0 : -1;
}

/* false: empty or not a note, as after a power cut or a missing file. */
static bool note_read(const struct store *store, struct note *ret)
{
	char line[NOTE_LEN];
	unsigned char bytes[NOTE_BYTES];
	char hex[2 * NOTE_BYTES + 1];
	if (pread(store->epoch_fd, line, sizeof(line), 0) != (ssize_t)sizeof(line) ||
		memcmp(line, NOTE_BEGIN, NOTE_BEGIN_LEN) != 0)
		return false;
	memcpy(hex, line + NOTE_BEGIN_LEN, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	if (!text_unhex(hex, bytes, sizeof(bytes)))
		return false;
	ret->sequence = key_read_u64(bytes);
	memcpy(ret->hash, bytes + sizeof(uint64_t), sizeof(ret->hash));
	return true;
}

static int note_write(const struct store *store, const struct note *note, struct err *err)
{
	unsigned char bytes[NOTE_BYTES];
	struct key sequence = key_event(note->sequence);
	memcpy(bytes, sequence.bytes, sizeof(uint64_t));
	memcpy(bytes + sizeof(uint64_t), note->hash, sizeof(note->hash));
	char line[NOTE_LEN + 1] = NOTE_BEGIN;
	text_hex(bytes, sizeof(bytes), line + NOTE_BEGIN_LEN);
	line[NOTE_LEN - 1] = '\n';
	ssize_t written = pwrite(store->epoch_fd, line, NOTE_LEN, 0);
	if (written == NOTE_LEN)
		return 0;
	return env_fail(store, written < 0 ? errno : ENOSPC, "cannot note the epoch", err);
}

/* --- the store's side ------------------------------------------------------------------------ */

static void read_last(struct store_txn *txn, struct note *ret)
{
	struct event_record event;
	*ret = (struct note){.sequence = 0};
	if (store_event_get_last(txn, 0, &event)) {
		ret->sequence = event.sequence;
		memcpy(ret->hash, event.hash, sizeof(ret->hash));
	}
}

static bool has_event(struct store_txn *txn, const struct note *note)
{
	struct event_record event;
	if (note->sequence == 0)
		return true;
	return store_event_get_last(txn, note->sequence, &event) &&
	       event.sequence == note->sequence &&
	       memcmp(event.hash, note->hash, sizeof(note->hash)) == 0;
}

struct new_epoch {
	uint64_t epoch;
	bool is_created;
	const char *why;	      /* shared static; NULL: the epoch goes on */
	const char *from;	      /* borrowed; what follows why; "" */
	const unsigned char *machine; /* borrowed; NULL: not known */
	bool lacks_machine;	      /* none is noted yet */
};

static void put_machine(struct store_txn *txn, void *arg)
{
	const struct new_epoch *begin = arg;
	if (begin->machine != NULL)
		identity_put_machine(txn, begin->machine);
}

/* The epoch is in the event, so that no two stores share an event's hash. */
static void begin_epoch(struct store_txn *txn, void *arg)
{
	const struct new_epoch *begin = arg;
	put_machine(txn, arg);
	meta_put_number(txn, META_EPOCH, begin->epoch);
	char *detail = xasprintf(
		"epoch %016llx: %s%s", (unsigned long long)begin->epoch, begin->why, begin->from);
	store_event_append(
		txn, &(struct event_record){.at_s = clock_now_s(),
			     .kind = begin->is_created ? EVENT_STORE_CREATED : EVENT_STORE_RESTORED,
			     .detail = detail});
	free(detail);
}

static uint64_t random_epoch(void)
{
	uint64_t epoch;
	do
		epoch = (uint64_t)clock_random(UINT32_MAX) << 32 | clock_random(UINT32_MAX);
	while (epoch == 0);
	return epoch;
}

static int compare(struct store *store, struct new_epoch *ret, struct err *err)
{
	struct store_txn *txn;
	if (store_read_begin(store, &txn, err) != 0)
		return -1;
	struct note noted;
	*ret = (struct new_epoch){.from = ""};
	meta_get_number(txn, META_EPOCH, &ret->epoch);
	ret->is_created = ret->epoch == 0;
	if (ret->is_created)
		ret->why = "the store was created";
	else if (store->restored_from != NULL)
		*ret = (struct new_epoch){
			.why = "the store was restored from ", .from = store->restored_from};
	else if (!store->is_read_only && !note_read(store, &noted))
		ret->why = "store.epoch is missing, so the store may be a restored one";
	else if (!store->is_read_only && !has_event(txn, &noted))
		ret->why = "the store went back in time: the last event noted is not in it";
	else if (!store->is_read_only && store->machine != NULL &&
		 !identity_is_of_machine(txn, store->machine))
		ret->why = "another machine wrote this store: it was moved or copied here";
	ret->machine = store->machine;
	ret->lacks_machine = store->machine != NULL && !identity_has_machine(txn);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

int epoch_open(struct store *store, struct err *err)
{
	struct new_epoch begin;
	if (!store->is_read_only && note_open(store, err) != 0)
		return -1;
	if (compare(store, &begin, err) != 0)
		return -1;
	if (!store->is_read_only && begin.why != NULL) {
		/* A kill right after the creation leaves this note, not none, which would be a
		 * restored store's. */
		if (begin.is_created && note_write(store, &(struct note){.sequence = 0}, err) != 0)
			return -1;
		begin.epoch = random_epoch();
		if (store_write_now(store, begin_epoch, &begin, err) != 0)
			return -1;
	} else if (!store->is_read_only && begin.lacks_machine &&
		   store_write_now(store, put_machine, &begin, err) != 0) {
		return -1;
	}
	store->epoch = begin.epoch;
	return store->is_read_only ? 0 : epoch_note(store, true, err);
}

int epoch_note(struct store *store, bool is_synced, struct err *err)
{
	if (store->epoch_fd < 0)
		return 0;
	struct store_txn txn;
	struct note last;
	if (txn_begin(store, false, &txn, err) != 0)
		return -1;
	read_last(&txn, &last);
	int rc = store_txn_check(&txn, err);
	txn_abort(&txn);
	if (rc != 0)
		return -1;
	if (last.sequence != store->noted_sequence || is_synced) {
		if (note_write(store, &last, err) != 0)
			return -1;
		store->noted_sequence = last.sequence;
	}
	if (is_synced && fdatasync(store->epoch_fd) != 0)
		return env_fail(store, errno, "cannot note the epoch", err);
	return 0;
}

void epoch_close(struct store *store)
{
	if (store->epoch_fd < 0)
		return;
	struct err ignored = ERR_INIT;
	epoch_note(store, true, &ignored); /* what is lost is a little of the watch over restores */
	close(store->epoch_fd);
	store->epoch_fd = -1;
}
