/* Alerts by id, the queue of notices, and the places of channels in it. */
#include "store/alerts.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "store/alerts_internal.h"
#include "store/key_internal.h"
#include "store/record_internal.h"

#define ALERT(member)	RECORD_FIELD(alert_record, member)
#define CHANNEL(member) RECORD_FIELD(alert_channel_record, member)

static const struct record_field alert_fields[] = {
	ALERT(kind),
	ALERT(class),
	ALERT(told_class),
	ALERT(days),
	ALERT(told_days),
	ALERT(ends_s),
	ALERT(raised_s),
	ALERT(changed_s),
	ALERT(resolved_s),
	ALERT(acknowledged_s),
	ALERT(first_notice),
	ALERT(last_notice),
	ALERT(id),
	ALERT(subject),
	ALERT(connector),
	ALERT(account_id),
	ALERT(region),
	ALERT(name),
	ALERT(text),
	ALERT(resolution),
	ALERT(acknowledged_by),
	ALERT(note),
};
const struct record_format alert_format = RECORD_FORMAT("alert", 1, alert_fields);

static const struct record_field notice_fields[] = {RECORD_FIELD(alert_notice, alert_id)};
const struct record_format alert_notice_format = RECORD_FORMAT("alert notice", 1, notice_fields);

static const struct record_field channel_fields[] = {
	CHANNEL(position),
	CHANNEL(sent_s),
	CHANNEL(failing_since_s),
	CHANNEL(attempts),
	CHANNEL(name),
	CHANNEL(error),
};
const struct record_format alert_channel_format = RECORD_FORMAT("alert channel", 1, channel_fields);

/* --- names ----------------------------------------------------------------------------------- */

const char *alert_kind_name(enum alert_kind kind)
{
	switch (kind) {
	case ALERT_CERTIFICATE:
		return "certificate";
	case ALERT_COVERAGE:
		return "coverage";
	case ALERT_CONNECTOR:
		return "connector";
	case ALERT_JOB:
		return "job";
	case ALERT_IDENTITY:
		return "identity";
	}
	return "unknown";
}

static const char *const class_names[] = {"notice", "warning", "critical", "emergency"};

const char *alert_class_name(enum alert_class class)
{
	return class >= ALERT_NOTICE && class <= ALERT_EMERGENCY ? class_names[class - ALERT_NOTICE]
								 : "unknown";
}

bool alert_class_parse(const char *text, enum alert_class *ret_class)
{
	for (int i = 0; i <= ALERT_EMERGENCY - ALERT_NOTICE; i++) {
		if (strcmp(text, class_names[i]) != 0)
			continue;
		*ret_class = (enum alert_class)(ALERT_NOTICE + i);
		return true;
	}
	return false;
}

void alert_make_id(enum alert_kind kind, const char *subject, char ret_id[ALERT_ID_LEN + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buf both;
	buf_init(&both, SIZE_MAX - 1);
	buf_addf(&both, "%s %s", alert_kind_name(kind), subject);
	SHA256((const unsigned char *)both.data, both.len, digest);
	buf_clear(&both);
	text_hex(digest, ALERT_ID_LEN / 2, ret_id);
}

/* --- alerts ---------------------------------------------------------------------------------- */

static bool is_text(struct slice key, const char *text)
{
	return strlen(text) == key.len && memcmp(text, key.bytes, key.len) == 0;
}

static bool is_class(enum alert_class class)
{
	return class >= ALERT_NOTICE && class <= ALERT_EMERGENCY;
}

const char *alert_flaw(struct slice key, const struct alert_record *alert)
{
	char id[ALERT_ID_LEN + 1];
	if (alert->kind < ALERT_CERTIFICATE || alert->kind > ALERT_IDENTITY)
		return "unknown kind";
	if (!is_class(alert->class) || !is_class(alert->told_class))
		return "unknown class";
	alert_make_id(alert->kind, alert->subject, id);
	return !is_text(key, alert->id) || strcmp(id, alert->id) != 0 ? "holds another alert"
								      : NULL;
}

static struct slice slice_of(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

static bool is_sound(struct store_txn *txn, struct slice key, const struct alert_record *alert)
{
	const char *flaw = alert_flaw(key, alert);
	if (flaw != NULL)
		txn_fail_damaged(txn, TABLE_ALERTS, key, flaw);
	return flaw == NULL;
}

void store_alert_put(struct store_txn *txn, const struct alert_record *alert)
{
	struct buf bytes;
	struct alert_record copy;
	buf_init(&bytes, STORE_RECORD_MAX);
	if (entry_copy(txn, &alert_format, alert, &bytes, &copy)) {
		struct key key = key_id(copy.id, ALERT_ID_LEN);
		const char *flaw = alert_flaw(slice_of(&key), &copy);
		if (flaw == NULL)
			txn_put(txn, TABLE_ALERTS, &key, bytes.data, bytes.len);
		else
			store_txn_fail_as(txn, ERR_LIMIT, "alert %s: %s", copy.id, flaw);
	}
	buf_clear(&bytes);
}

bool store_alert_get(struct store_txn *txn, const char *id, struct alert_record *ret_alert)
{
	struct key key = key_id(id, ALERT_ID_LEN);
	struct alert_record alert;
	if (!entry_get(txn, TABLE_ALERTS, &key, &alert_format, &alert) ||
		!is_sound(txn, slice_of(&key), &alert))
		return false;
	*ret_alert = alert;
	return true;
}

void store_alert_delete(struct store_txn *txn, const char *id)
{
	struct key key = key_id(id, ALERT_ID_LEN);
	txn_delete(txn, TABLE_ALERTS, &key);
}

bool store_alert_next(struct store_txn *txn, char *position, struct alert_record *ret_alert)
{
	struct key all = key_empty();
	struct alert_record alert;
	if (!entry_next(txn, TABLE_ALERTS, &all, position, ALERT_ID_LEN + 1, &alert_format, &alert))
		return false;
	struct key key = key_position(position);
	if (!is_sound(txn, slice_of(&key), &alert))
		return false;
	*ret_alert = alert;
	return true;
}

/* --- the queue ------------------------------------------------------------------------------- */

const char *alert_notice_flaw(struct slice key, const struct alert_notice *notice)
{
	uint64_t number = key.len == sizeof(uint64_t) ? key_read_u64(key.bytes) : 0;
	if (number == 0 || number > INT64_MAX)
		return "not a key of this table";
	return strlen(notice->alert_id) != ALERT_ID_LEN ? "stands for no alert" : NULL;
}

static bool decode_notice(struct store_txn *txn, struct slice key, struct slice value,
	int64_t *ret_number, const char **ret_id)
{
	struct alert_notice notice;
	if (!entry_decode(txn, TABLE_ALERT_NOTICES, key, value, &alert_notice_format, &notice))
		return false;
	const char *flaw = alert_notice_flaw(key, &notice);
	if (flaw != NULL) {
		txn_fail_damaged(txn, TABLE_ALERT_NOTICES, key, flaw);
		return false;
	}
	*ret_number = (int64_t)key_read_u64(key.bytes);
	*ret_id = notice.alert_id;
	return true;
}

int64_t store_alert_notice_last(struct store_txn *txn)
{
	struct key end = key_empty();
	struct slice key, value;
	int64_t number = 0;
	const char *id;
	if (!txn_seek_back(txn, TABLE_ALERT_NOTICES, &end, &key, &value) ||
		!decode_notice(txn, key, value, &number, &id))
		return 0;
	return number;
}

bool store_alert_notice_next(
	struct store_txn *txn, int64_t after, int64_t *ret_number, const char **ret_id)
{
	struct key at = key_event((uint64_t)after);
	struct slice key, value;
	return txn_seek(txn, TABLE_ALERT_NOTICES, &at, false, &key, &value) &&
	       decode_notice(txn, key, value, ret_number, ret_id);
}

int64_t store_alert_notice_append(struct store_txn *txn, const char *alert_id)
{
	int64_t number = store_alert_notice_last(txn) + 1;
	struct key key = key_event((uint64_t)number);
	struct alert_notice notice = {.alert_id = alert_id};
	entry_put(txn, TABLE_ALERT_NOTICES, &key, &alert_notice_format, &notice);
	if (number > ALERT_NOTICES_MAX)
		store_alert_notice_trim(txn, number - ALERT_NOTICES_MAX, 2);
	return number;
}

void store_alert_notice_trim(struct store_txn *txn, int64_t up_to, size_t max)
{
	int64_t last = store_alert_notice_last(txn);
	for (size_t i = 0; i < max; i++) {
		int64_t number = 0;
		const char *id;
		if (!store_alert_notice_next(txn, 0, &number, &id) || number > up_to ||
			number == last)
			return;
		struct key key = key_event((uint64_t)number);
		txn_delete(txn, TABLE_ALERT_NOTICES, &key);
	}
}

/* --- channels -------------------------------------------------------------------------------- */

const char *alert_channel_flaw(struct slice key, const struct alert_channel_record *channel)
{
	if (key.len > ALERT_CHANNEL_NAME_MAX || !is_text(key, channel->name))
		return "holds another channel";
	return channel->position < -1 ? "not a place in the queue" : NULL;
}

void store_alert_channel_put(struct store_txn *txn, const struct alert_channel_record *channel)
{
	struct key key = key_id(channel->name, ALERT_CHANNEL_NAME_MAX);
	entry_put(txn, TABLE_ALERT_CHANNELS, &key, &alert_channel_format, channel);
}

static bool is_sound_channel(
	struct store_txn *txn, struct slice key, const struct alert_channel_record *channel)
{
	const char *flaw = alert_channel_flaw(key, channel);
	if (flaw != NULL)
		txn_fail_damaged(txn, TABLE_ALERT_CHANNELS, key, flaw);
	return flaw == NULL;
}

bool store_alert_channel_get(
	struct store_txn *txn, const char *name, struct alert_channel_record *ret_channel)
{
	struct key key = key_id(name, ALERT_CHANNEL_NAME_MAX);
	struct alert_channel_record channel;
	if (!entry_get(txn, TABLE_ALERT_CHANNELS, &key, &alert_channel_format, &channel) ||
		!is_sound_channel(txn, slice_of(&key), &channel))
		return false;
	*ret_channel = channel;
	return true;
}

void store_alert_channel_delete(struct store_txn *txn, const char *name)
{
	struct key key = key_id(name, ALERT_CHANNEL_NAME_MAX);
	txn_delete(txn, TABLE_ALERT_CHANNELS, &key);
}

bool store_alert_channel_next(
	struct store_txn *txn, char *position, struct alert_channel_record *ret_channel)
{
	struct key all = key_empty();
	struct alert_channel_record channel;
	if (!entry_next(txn, TABLE_ALERT_CHANNELS, &all, position, ALERT_CHANNEL_NAME_MAX + 1,
		    &alert_channel_format, &channel))
		return false;
	struct key key = key_position(position);
	if (!is_sound_channel(txn, slice_of(&key), &channel))
		return false;
	*ret_channel = channel;
	return true;
}
