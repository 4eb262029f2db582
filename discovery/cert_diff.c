/* Compares two records of a certificate, member by member as the table of cert_fields.h says. */
#include "discovery/cert_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "discovery/cert_fields.h"
#include "discovery/change.h"

enum {
	VALUE_MAX = 200,	    /* bytes of a value in the line */
	LISTED_MAX = 100,	    /* texts; longer lists are told by their lengths */
	LINE_MAX_BYTES = 64 * 1024, /* before it is shortened; what passes it is left out */
};

static const void *member_of(const struct cert_record *record, const struct cert_field *field)
{
	return (const char *)record + field->offset;
}

static const char *text_of(const struct cert_record *record, const struct cert_field *field)
{
	return *(const char *const *)member_of(record, field);
}

static int64_t time_of(const struct cert_record *record, const struct cert_field *field)
{
	return *(const int64_t *)member_of(record, field);
}

static bool bool_of(const struct cert_record *record, const struct cert_field *field)
{
	return *(const bool *)member_of(record, field);
}

/* --- equality --------------------------------------------------------------------------------- */

static bool is_same_pack(const struct pack *a, const struct pack *b)
{
	return a->count == b->count && a->len == b->len &&
	       (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static bool is_same(
	const struct cert_record *a, const struct cert_record *b, const struct cert_field *field)
{
	switch (field->kind) {
	case CERT_FIELD_TEXT:
		return strcmp(text_of(a, field), text_of(b, field)) == 0;
	case CERT_FIELD_LIST:
	case CERT_FIELD_PAIRS:
		return is_same_pack(member_of(a, field), member_of(b, field));
	case CERT_FIELD_TIME:
		return time_of(a, field) == time_of(b, field);
	case CERT_FIELD_BOOL:
		return bool_of(a, field) == bool_of(b, field);
	case CERT_FIELD_HASH:
	case CERT_FIELD_BYTES:
		return memcmp(member_of(a, field), member_of(b, field), field->size) == 0;
	case CERT_FIELD_CHAIN:
		return a->chain_count == b->chain_count &&
		       memcmp(a->chain_sha256, b->chain_sha256,
			       a->chain_count * sizeof(a->chain_sha256[0])) == 0;
	}
	abort();
}

/* --- telling ---------------------------------------------------------------------------------- */

static void tell_text(struct buf *line, const char *text)
{
	if (text[0] == '\0')
		buf_add_text(line, "none");
	else
		text_escape(line, text, strlen(text), VALUE_MAX);
}

static void tell_time(struct buf *line, int64_t unix_s)
{
	char text[TEXT_TIME_MAX];
	buf_add_text(line, unix_s == 0 ? "none" : text_format_time(unix_s, text));
}

static void tell_hash(struct buf *line, const unsigned char *hash)
{
	char hex[2 * CERT_SHA256_LEN + 1];
	text_hex(hash, CERT_SHA256_LEN, hex);
	buf_add_text(line, strspn(hex, "0") == strlen(hex) ? "none" : hex);
}

static void tell_value(
	struct buf *line, const struct cert_record *record, const struct cert_field *field)
{
	switch (field->kind) {
	case CERT_FIELD_TEXT:
		tell_text(line, text_of(record, field));
		return;
	case CERT_FIELD_TIME:
		tell_time(line, time_of(record, field));
		return;
	case CERT_FIELD_BOOL:
		buf_add_text(line, bool_of(record, field) ? "yes" : "no");
		return;
	case CERT_FIELD_HASH:
		tell_hash(line, member_of(record, field));
		return;
	case CERT_FIELD_CHAIN:
		buf_addf(line, "%" PRIu32 " certificates", record->chain_count);
		return;
	case CERT_FIELD_LIST:
	case CERT_FIELD_PAIRS:
		buf_addf(line, "%" PRIu32 " entries",
			((const struct pack *)member_of(record, field))->count);
		return;
	case CERT_FIELD_BYTES:
		abort(); /* they are compared in silence */
	}
}

/* The entry at text: a text, or a key and its value. */
static bool is_same_entry(const struct cert_field *field, const struct pack *pack_a, const char *a,
	const struct pack *pack_b, const char *b)
{
	if (strcmp(a, b) != 0)
		return false;
	return field->kind == CERT_FIELD_LIST ||
	       strcmp(pack_next(pack_a, a), pack_next(pack_b, b)) == 0;
}

static const char *next_entry(
	const struct cert_field *field, const struct pack *pack, const char *entry)
{
	const char *next = pack_next(pack, entry);
	return field->kind == CERT_FIELD_LIST ? next : pack_next(pack, next);
}

/* " +entry" for each of pack's that others has not. */
static void tell_entries(struct buf *line, const struct cert_field *field, char sign,
	const struct pack *pack, const struct pack *others)
{
	for (const char *entry = pack_first(pack); entry != NULL;
		entry = next_entry(field, pack, entry)) {
		const char *other = pack_first(others);
		while (other != NULL && !is_same_entry(field, pack, entry, others, other))
			other = next_entry(field, others, other);
		if (other != NULL)
			continue;
		buf_add_char(line, ' ');
		buf_add_char(line, sign);
		text_escape(line, entry, strlen(entry), VALUE_MAX);
		if (field->kind == CERT_FIELD_PAIRS) {
			const char *value = pack_next(pack, entry);
			buf_add_char(line, '=');
			text_escape(line, value, strlen(value), VALUE_MAX);
		}
	}
}

static bool is_told_by_entry(const struct cert_field *field, const struct cert_record *previous,
	const struct cert_record *now)
{
	if (field->kind != CERT_FIELD_LIST && field->kind != CERT_FIELD_PAIRS)
		return false;
	const struct pack *before = member_of(previous, field), *after = member_of(now, field);
	uint32_t entry_texts = field->kind == CERT_FIELD_PAIRS ? 2 : 1;
	return before->count <= LISTED_MAX && after->count <= LISTED_MAX &&
	       before->count % entry_texts == 0 && after->count % entry_texts == 0;
}

/* "name: old -> new", or "name: +added -removed" for lists. */
static void tell_change(struct buf *line, const struct cert_field *field,
	const struct cert_record *previous, const struct cert_record *now)
{
	if (line->len > 0)
		buf_add_text(line, "; ");
	buf_addf(line, "%s:", field->name);
	if (is_told_by_entry(field, previous, now)) {
		const struct pack *before = member_of(previous, field);
		const struct pack *after = member_of(now, field);
		size_t len = line->len;
		tell_entries(line, field, '+', after, before);
		tell_entries(line, field, '-', before, after);
		if (line->len == len)
			buf_add_text(line, " another order");
		return;
	}
	if (field->kind == CERT_FIELD_CHAIN && previous->chain_count == now->chain_count) {
		buf_add_text(line, " other certificates");
		return;
	}
	buf_add_char(line, ' ');
	tell_value(line, previous, field);
	buf_add_text(line, " -> ");
	tell_value(line, now, field);
}

static void tell_appearance(struct buf *line, const struct cert_record *now)
{
	buf_add_text(line, "type: ");
	tell_text(line, now->type);
	buf_add_text(line, "; status: ");
	tell_text(line, now->status);
	buf_add_text(line, "; not_after: ");
	tell_time(line, now->not_after_s);
	buf_add_text(line, "; serial: ");
	tell_text(line, now->serial);
}

/* --- the event -------------------------------------------------------------------------------- */

static enum event_kind kind_of(const struct cert_record *previous, const struct cert_record *now)
{
	if (previous->gone_s != 0)
		return EVENT_CERT_RETURNED;
	if (change_is_same_serial(previous->serial, now->serial))
		return EVENT_CERT_CHANGED;
	return strcmp(now->type, "IMPORTED") == 0 ? EVENT_CERT_REIMPORTED : EVENT_CERT_RENEWED;
}

static void compare(const struct cert_record *previous, const struct cert_record *now,
	struct cert_diff *diff, struct buf *line)
{
	for (size_t i = 0; i < cert_field_count; i++) {
		const struct cert_field *field = &cert_fields[i];
		if (field->use == CERT_FIELD_OWN || is_same(previous, now, field))
			continue;
		diff->differs = true;
		if (field->use == CERT_FIELD_TOLD)
			tell_change(line, field, previous, now);
	}
	diff->kind = kind_of(previous, now);
	diff->has_event = line->len > 0 || diff->kind == EVENT_CERT_RETURNED;
}

void cert_diff_make(const struct cert_record *previous, const struct cert_record *now,
	struct cert_diff *ret_diff)
{
	struct cert_diff diff = {.differs = false};
	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	if (previous == NULL) {
		diff.differs = diff.has_event = true;
		diff.kind = EVENT_CERT_APPEARED;
		tell_appearance(&line, now);
	} else {
		compare(previous, now, &diff, &line);
	}
	text_shorten(diff.detail, sizeof(diff.detail), buf_text(&line));
	buf_clear(&line);
	*ret_diff = diff;
}
