/*
 * Record formats as tables of fields. A record is one version byte, then its fields without
 * padding: integers little endian, texts with their length and a NUL, so that a decoded record
 * points into the bytes it was read from. The type of each field is taken from the struct, so a
 * format cannot disagree with it.
 *
 * Decoding trusts nothing: every length is checked, every text ends where it says, and bytes that
 * decode are the bytes that encoding the result gives again.
 */
#ifndef STORE_RECORD_INTERNAL_H
#define STORE_RECORD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/pack.h"

struct buf;
struct err;

enum record_type {
	RECORD_TEXT, /* u16 length, bytes, NUL */
	RECORD_PACK, /* u32 count, u32 length, texts each with its NUL */
	RECORD_INT64,
	RECORD_UINT32,
	RECORD_BOOL,	  /* one byte, 0 or 1 */
	RECORD_BYTES,	  /* fixed size */
	RECORD_HASHES,	  /* u8 count, count * 32 bytes; the count is a member of its own */
	RECORD_LONG_TEXT, /* as RECORD_TEXT, with a u32 length: documents */
	RECORD_BLOB,	  /* u32 length, bytes */
};

enum { RECORD_HASH_LEN = 32, RECORD_TEXT_MAX = UINT16_MAX };

struct record_blob {
	const unsigned char *bytes; /* borrowed when written, a view when read */
	size_t len;
};

struct record_field {
	const char *name;
	enum record_type type;
	size_t offset;
	size_t size;	     /* of the member */
	size_t count_offset; /* RECORD_HASHES: of the uint32_t that counts */
};

struct record_format {
	const char *name;
	uint8_t version; /* the only one that is read; a schema's migration rewrites older ones */
	const struct record_field *field;
	size_t count;
};

#define RECORD_TYPE_OF(member)                                                                     \
	_Generic((member),                                                                         \
		const char *: RECORD_TEXT,                                                         \
		struct pack: RECORD_PACK,                                                          \
		int64_t: RECORD_INT64,                                                             \
		uint32_t: RECORD_UINT32,                                                           \
		bool: RECORD_BOOL,                                                                 \
		struct record_blob: RECORD_BLOB,                                                   \
		unsigned char *: RECORD_BYTES)
#define RECORD_FIELD(record, member)                                                               \
	{                                                                                          \
#member, RECORD_TYPE_OF(((struct record *)0)->member),                             \
			offsetof(struct record, member), sizeof(((struct record *)0)->member), 0   \
	}
#define RECORD_LONG(record, member)                                                                \
	{                                                                                          \
#member, RECORD_LONG_TEXT, offsetof(struct record, member), sizeof(const char *),  \
			0                                                                          \
	}
#define RECORD_HASH_LIST(record, member, count_member)                                             \
	{                                                                                          \
#member, RECORD_HASHES, offsetof(struct record, member),                           \
			sizeof(((struct record *)0)->member),                                      \
			offsetof(struct record, count_member)                                      \
	}
#define RECORD_FORMAT(text, number, fields)                                                        \
	{                                                                                          \
		.name = (text), .version = (number), .field = (fields),                            \
		.count = sizeof(fields) / sizeof((fields)[0])                                      \
	}

/* Appends the record's bytes. ERR_LIMIT names the format and the field that does not fit; `to` is
 * over or holds rubbish then. Texts that are NULL count as "". */
int record_encode(
	const struct record_format *format, const void *record, struct buf *to, struct err *err);

/* Texts and packs of ret_record point into bytes; members without a field are left alone. ERR_STORE
 * says what is wrong, without the table or key; ret_record is in no defined state then. */
int record_decode(const struct record_format *format, const unsigned char *bytes, size_t len,
	void *ret_record, struct err *err);

/* All formats, for the fuzzer and the tests. */
struct event_record;
struct cert_record;
extern const struct record_format cert_format, cert_history_format, coverage_format, account_format,
	unit_format, cycle_format, event_format, vault_format, plan_format, job_format,
	job_step_format, alert_format, alert_notice_format, alert_channel_format;

#endif
