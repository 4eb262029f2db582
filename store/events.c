/*
 * The event log. A record's last 32 bytes are SHA-256 over the hash before it, its sequence and its
 * other bytes, so that nothing in the middle can be changed or left out unseen. The meta table
 * keeps the last sequence and hash: a log that was cut at its end does not match them.
 */
#include "store/events.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/text.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

enum {
	HASH_LEN = SHA256_DIGEST_LENGTH,
	/* Texts are cut to these; together they stay below 4 KiB. */
	PLACE_MAX = 128, /* connector, account, region */
	ARN_MAX = 400,
	SUBJECT_MAX = 512,
	DETAIL_MAX = 2048,
};

#define EVENT(member) RECORD_FIELD(event_record, member)

static const struct record_field event_fields[] = {
	EVENT(at_s),
	EVENT(kind),
	EVENT(connector),
	EVENT(account_id),
	EVENT(region),
	EVENT(arn),
	EVENT(subject),
	EVENT(detail),
};
const struct record_format event_format = RECORD_FORMAT("event", 1, event_fields);

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_STORE_CREATED] = "store_created",
	[EVENT_CERT_APPEARED] = "certificate_appeared",
	[EVENT_CERT_CHANGED] = "certificate_changed",
	[EVENT_CERT_RENEWED] = "certificate_renewed",
	[EVENT_CERT_REIMPORTED] = "certificate_reimported",
	[EVENT_CERT_GONE] = "certificate_gone",
	[EVENT_CERT_EXPIRED] = "certificate_expired",
	[EVENT_COVERAGE_CHANGED] = "coverage_changed",
	[EVENT_ACCOUNT_APPEARED] = "account_appeared",
	[EVENT_ACCOUNT_CHANGED] = "account_changed",
	[EVENT_ACCOUNT_GONE] = "account_gone",
	[EVENT_CYCLE_STARTED] = "cycle_started",
	[EVENT_CYCLE_FINISHED] = "cycle_finished",
	[EVENT_CYCLE_FAILED] = "cycle_failed",
	[EVENT_OPERATOR] = "operator",
	[EVENT_SENSOR_STARTED] = "sensor_started",
	[EVENT_SENSOR_STOPPED] = "sensor_stopped",
	[EVENT_CERT_RETURNED] = "certificate_returned",
	[EVENT_STORE_RESTORED] = "store_restored",
	[EVENT_DELIVERY_STEP] = "delivery_step",
	[EVENT_DELIVERY_FINISHED] = "delivery_finished",
};

const char *event_kind_name(enum event_kind kind)
{
	if ((unsigned)kind >= EVENT_KINDS || kind_names[kind] == NULL)
		return "unknown";
	return kind_names[kind];
}

/* --- the chain ------------------------------------------------------------------------------- */

struct tail {
	uint64_t sequence; /* 0: no event yet */
	unsigned char hash[HASH_LEN];
};

static struct slice slice_of_key(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

/* false: it cannot be what was written. */
static bool tail_read(struct slice value, struct tail *ret)
{
	if (value.len != sizeof(uint64_t) + HASH_LEN)
		return false;
	ret->sequence = key_read_u64(value.bytes);
	memcpy(ret->hash, value.bytes + sizeof(uint64_t), HASH_LEN);
	return true;
}

/* name: META_EVENTS or META_EVENTS_BEGIN. */
static bool tail_get(struct store_txn *txn, const char *name, struct tail *ret)
{
	struct key key = key_meta(name);
	struct slice value;
	*ret = (struct tail){.sequence = 0};
	if (!txn_get(txn, TABLE_META, &key, &value))
		return !store_txn_failed(txn);
	if (!tail_read(value, ret)) {
		txn_fail_damaged(txn, TABLE_META, slice_of_key(&key), "not a number and a hash");
		return false;
	}
	return true;
}

static void tail_put(struct store_txn *txn, const char *name, const struct tail *tail)
{
	unsigned char value[sizeof(uint64_t) + HASH_LEN];
	struct key sequence = key_event(tail->sequence), key = key_meta(name);
	memcpy(value, sequence.bytes, sizeof(uint64_t));
	memcpy(value + sizeof(uint64_t), tail->hash, HASH_LEN);
	txn_put(txn, TABLE_META, &key, value, sizeof(value));
}

/* Moves tail on to the event with these bytes. */
static void tail_advance(struct tail *tail, const void *bytes, size_t len)
{
	struct buf input;
	buf_init(&input, STORE_RECORD_MAX + sizeof(struct tail));
	struct key sequence = key_event(++tail->sequence);
	buf_add(&input, tail->hash, HASH_LEN);
	buf_add(&input, sequence.bytes, sequence.len);
	buf_add(&input, bytes, len);
	SHA256((const unsigned char *)buf_text(&input), input.len, tail->hash);
	buf_clear(&input);
}

/* --- appending ------------------------------------------------------------------------------- */

/* Cuts between characters. NULL is "". */
static const char *cut(const char *text, char *copy, size_t size)
{
	if (text == NULL || text_copy(copy, size, text))
		return text;
	size_t len = size - 1;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	copy[len] = '\0';
	return copy;
}

static void append_record(struct store_txn *txn, const struct event_record *event)
{
	struct tail tail;
	if (!tail_get(txn, META_EVENTS, &tail))
		return;
	struct buf bytes;
	struct err err = ERR_INIT;
	buf_init(&bytes, STORE_RECORD_MAX);
	if (record_encode(&event_format, event, &bytes, &err) == 0) {
		tail_advance(&tail, bytes.data, bytes.len);
		buf_add(&bytes, tail.hash, HASH_LEN);
		struct key key = key_event(tail.sequence);
		txn_append(txn, TABLE_EVENTS, &key, bytes.data, bytes.len);
		tail_put(txn, META_EVENTS, &tail);
	} else {
		store_txn_fail(txn, &err);
	}
	buf_clear(&bytes);
}

void store_event_append(struct store_txn *txn, const struct event_record *event)
{
	char connector[PLACE_MAX], account_id[PLACE_MAX], region[PLACE_MAX], arn[ARN_MAX + 1];
	char subject[SUBJECT_MAX], detail[DETAIL_MAX];
	struct event_record copy = *event;
	copy.connector = cut(event->connector, connector, sizeof(connector));
	copy.account_id = cut(event->account_id, account_id, sizeof(account_id));
	copy.region = cut(event->region, region, sizeof(region));
	copy.arn = cut(event->arn, arn, sizeof(arn));
	copy.subject = cut(event->subject, subject, sizeof(subject));
	copy.detail = cut(event->detail, detail, sizeof(detail));
	append_record(txn, &copy);
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_sequence(struct store_txn *txn, struct slice key, uint64_t *ret_sequence)
{
	uint64_t sequence = key.len == sizeof(uint64_t) ? key_read_u64(key.bytes) : 0;
	if (sequence == 0 || sequence > INT64_MAX) { /* the next would be before it */
		txn_fail_damaged(txn, TABLE_EVENTS, key, "not the number of an event");
		return false;
	}
	*ret_sequence = sequence;
	return true;
}

static bool decode(
	struct store_txn *txn, struct slice key, struct slice value, struct event_record *ret_event)
{
	struct event_record event;
	uint64_t sequence;
	if (!read_sequence(txn, key, &sequence))
		return false;
	if (value.len < HASH_LEN) {
		txn_fail_damaged(txn, TABLE_EVENTS, key, "too short for an event");
		return false;
	}
	struct slice fields = {.bytes = value.bytes, .len = value.len - HASH_LEN};
	if (!entry_decode(txn, TABLE_EVENTS, key, fields, &event_format, &event))
		return false;
	if (event.kind == 0 || (unsigned)event.kind >= EVENT_KINDS) {
		txn_fail_damaged(txn, TABLE_EVENTS, key, "unknown kind of event");
		return false;
	}
	event.sequence = sequence;
	memcpy(event.hash, value.bytes + fields.len, HASH_LEN);
	*ret_event = event;
	return true;
}

bool store_event_get_from(struct store_txn *txn, uint64_t from, struct event_record *ret_event)
{
	struct key at = key_event(from);
	struct slice key, value;
	return txn_seek(txn, TABLE_EVENTS, &at, true, &key, &value) &&
	       decode(txn, key, value, ret_event);
}

bool store_event_get_last(struct store_txn *txn, uint64_t to, struct event_record *ret_event)
{
	struct key at = to != 0 ? key_event(to) : key_empty();
	struct slice key, value;
	return txn_seek_back(txn, TABLE_EVENTS, &at, &key, &value) &&
	       decode(txn, key, value, ret_event);
}

uint64_t store_event_last_sequence(struct store_txn *txn)
{
	struct key last = key_empty();
	struct slice key, value;
	uint64_t sequence;
	return txn_seek_back(txn, TABLE_EVENTS, &last, &key, &value) &&
			       read_sequence(txn, key, &sequence)
		       ? sequence
		       : 0;
}

/* --- retention ------------------------------------------------------------------------------- */

/* The last one that may go, behind `before`; sequence 0: none. */
static struct tail find_last_old(
	struct store_txn *txn, uint64_t before, int64_t before_s, int64_t now_s, size_t max)
{
	struct tail last = {.sequence = 0};
	struct event_record event;
	uint64_t newest = store_event_last_sequence(txn), next = before + 1;
	for (size_t i = 0; i < max && next + EVENTS_KEPT <= newest; i++, next++) {
		if (!store_event_get_from(txn, next, &event) || event.sequence != next)
			break; /* damaged: the check tells */
		if (event.at_s >= before_s && event.at_s <= now_s)
			break;
		if (event.at_s >= before_s)
			continue; /* goes with an older one behind it */
		last.sequence = event.sequence;
		memcpy(last.hash, event.hash, HASH_LEN);
	}
	return last;
}

size_t store_events_prune(struct store_txn *txn, int64_t before_s, int64_t now_s, size_t max)
{
	struct tail begin;
	if (!tail_get(txn, META_EVENTS_BEGIN, &begin))
		return 0;
	struct tail last = find_last_old(txn, begin.sequence, before_s, now_s, max);
	if (last.sequence == 0)
		return 0;
	for (uint64_t sequence = begin.sequence + 1; sequence <= last.sequence; sequence++) {
		struct key key = key_event(sequence);
		txn_delete(txn, TABLE_EVENTS, &key);
	}
	tail_put(txn, META_EVENTS_BEGIN, &last);
	return (size_t)(last.sequence - begin.sequence);
}

/* --- verifying ------------------------------------------------------------------------------- */

static int verify_one(struct tail *tail, struct slice key, struct slice value, struct err *err)
{
	uint64_t expected = tail->sequence + 1;
	if (key.len != sizeof(uint64_t) || key_read_u64(key.bytes) != expected)
		return err_set(err, ERR_STORE, "event log: event %llu is missing",
			(unsigned long long)expected);
	if (value.len < HASH_LEN)
		return err_set(err, ERR_STORE, "event log: event %llu is damaged",
			(unsigned long long)expected);
	tail_advance(tail, value.bytes, value.len - HASH_LEN);
	if (memcmp(tail->hash, value.bytes + value.len - HASH_LEN, HASH_LEN) != 0)
		return err_set(err, ERR_STORE,
			"event log: the chain breaks at event %llu: it or the one before was changed",
			(unsigned long long)expected);
	return 0;
}

/* What is damaged is told, but does not fail the transaction: others look on in it. name: of the
 * meta record; not there: zeroes. */
static int read_note(struct store_txn *txn, const char *name, const char *what, struct tail *ret,
	struct err *err)
{
	struct key key = key_meta(name);
	struct slice value;
	*ret = (struct tail){.sequence = 0};
	bool is_noted = txn_get(txn, TABLE_META, &key, &value);
	if (store_txn_failed(txn))
		return store_txn_check(txn, err);
	if (is_noted && !tail_read(value, ret))
		return err_set(err, ERR_STORE, "event log: the note of its %s is damaged", what);
	return 0;
}

int store_event_verify(struct store_txn *txn, struct err *err)
{
	struct tail tail, noted;
	struct key at = key_empty();
	struct slice key, value;
	if (read_note(txn, META_EVENTS_BEGIN, "beginning", &tail, err) != 0)
		return -1;
	while (txn_seek(txn, TABLE_EVENTS, &at, false, &key, &value)) {
		if (verify_one(&tail, key, value, err) != 0)
			return -1;
		at = key_bytes(key.bytes, key.len);
	}
	if (read_note(txn, META_EVENTS, "end", &noted, err) != 0)
		return -1;
	if (noted.sequence != tail.sequence || memcmp(noted.hash, tail.hash, HASH_LEN) != 0)
		return err_set(err, ERR_STORE,
			"event log: it ends at event %llu, but %llu were written",
			(unsigned long long)tail.sequence, (unsigned long long)noted.sequence);
	return 0;
}
