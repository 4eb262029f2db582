/* Encoding and decoding of all records, driven by their tables of fields. */
#include "store/record_internal.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

/* --- encoding -------------------------------------------------------------------------------- */

static void add_u16(struct buf *to, uint16_t number)
{
	uint16_t little = htole16(number);
	buf_add(to, &little, sizeof(little));
}

static void add_u32(struct buf *to, uint32_t number)
{
	uint32_t little = htole32(number);
	buf_add(to, &little, sizeof(little));
}

static void add_u64(struct buf *to, uint64_t number)
{
	uint64_t little = htole64(number);
	buf_add(to, &little, sizeof(little));
}

static bool add_text(struct buf *to, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	if (len > RECORD_TEXT_MAX)
		return false;
	add_u16(to, (uint16_t)len);
	buf_add(to, len > 0 ? text : "", len + 1);
	return true;
}

static bool add_long_text(struct buf *to, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	if (len > UINT32_MAX)
		return false;
	add_u32(to, (uint32_t)len);
	buf_add(to, len > 0 ? text : "", len + 1);
	return true;
}

static bool add_blob(struct buf *to, const struct record_blob *blob)
{
	if (blob->len > UINT32_MAX)
		return false;
	add_u32(to, (uint32_t)blob->len);
	buf_add(to, blob->bytes, blob->len);
	return true;
}

/* A pack that does not hold what it counts is a bug of the caller. */
static bool add_pack(struct buf *to, const struct pack *pack)
{
	if (pack->len > UINT32_MAX)
		return false;
	assert((pack->count == 0) == (pack->len == 0));
	add_u32(to, pack->count);
	add_u32(to, (uint32_t)pack->len);
	buf_add(to, pack->bytes, pack->len);
	return true;
}

static bool add_hashes(struct buf *to, const unsigned char *hashes, size_t size, uint32_t count)
{
	if (count > size / RECORD_HASH_LEN || count > UINT8_MAX)
		return false;
	buf_add_char(to, (char)(unsigned char)count);
	buf_add(to, hashes, (size_t)count * RECORD_HASH_LEN);
	return true;
}

static bool encode_field(
	const struct record_field *field, const unsigned char *record, struct buf *to)
{
	const unsigned char *member = record + field->offset;
	switch (field->type) {
	case RECORD_TEXT: {
		const char *text;
		memcpy(&text, member, sizeof(text));
		return add_text(to, text);
	}
	case RECORD_PACK: {
		struct pack pack;
		memcpy(&pack, member, sizeof(pack));
		return add_pack(to, &pack);
	}
	case RECORD_INT64: {
		uint64_t number;
		memcpy(&number, member, sizeof(number));
		add_u64(to, number);
		return true;
	}
	case RECORD_UINT32: {
		uint32_t number;
		memcpy(&number, member, sizeof(number));
		add_u32(to, number);
		return true;
	}
	case RECORD_BOOL: {
		bool flag;
		memcpy(&flag, member, sizeof(flag));
		buf_add_char(to, flag ? 1 : 0);
		return true;
	}
	case RECORD_BYTES:
		buf_add(to, member, field->size);
		return true;
	case RECORD_HASHES: {
		uint32_t count;
		memcpy(&count, record + field->count_offset, sizeof(count));
		return add_hashes(to, member, field->size, count);
	}
	case RECORD_LONG_TEXT: {
		const char *text;
		memcpy(&text, member, sizeof(text));
		return add_long_text(to, text);
	}
	case RECORD_BLOB: {
		struct record_blob blob;
		memcpy(&blob, member, sizeof(blob));
		return add_blob(to, &blob);
	}
	}
	return false;
}

int record_encode(
	const struct record_format *format, const void *record, struct buf *to, struct err *err)
{
	buf_add_char(to, (char)format->version);
	for (size_t i = 0; i < format->count; i++) {
		const struct record_field *field = &format->field[i];
		if (!encode_field(field, record, to))
			return err_set(
				err, ERR_LIMIT, "%s: %s is too large", format->name, field->name);
	}
	if (to->is_over)
		return err_set(err, ERR_LIMIT, "%s: record is larger than %zu bytes", format->name,
			to->max_bytes);
	return 0;
}

/* --- decoding -------------------------------------------------------------------------------- */

struct reader {
	const unsigned char *at, *end;
};

/* len bytes, or NULL when there are not as many. */
static const unsigned char *take(struct reader *reader, size_t len)
{
	if ((size_t)(reader->end - reader->at) < len)
		return NULL;
	const unsigned char *bytes = reader->at;
	reader->at += len;
	return bytes;
}

static bool take_u16(struct reader *reader, uint16_t *ret_number)
{
	const unsigned char *bytes = take(reader, sizeof(*ret_number));
	if (bytes == NULL)
		return false;
	memcpy(ret_number, bytes, sizeof(*ret_number));
	*ret_number = le16toh(*ret_number);
	return true;
}

static bool take_u32(struct reader *reader, uint32_t *ret_number)
{
	const unsigned char *bytes = take(reader, sizeof(*ret_number));
	if (bytes == NULL)
		return false;
	memcpy(ret_number, bytes, sizeof(*ret_number));
	*ret_number = le32toh(*ret_number);
	return true;
}

static bool take_u64(struct reader *reader, uint64_t *ret_number)
{
	const unsigned char *bytes = take(reader, sizeof(*ret_number));
	if (bytes == NULL)
		return false;
	memcpy(ret_number, bytes, sizeof(*ret_number));
	*ret_number = le64toh(*ret_number);
	return true;
}

/* ret_text: a member, written as bytes because the table of fields has lost its type. */
static bool take_text_of(struct reader *reader, size_t len, void *ret_text)
{
	const unsigned char *bytes = take(reader, len + 1);
	if (bytes == NULL || memchr(bytes, '\0', len + 1) != bytes + len)
		return false;
	const char *text = (const char *)bytes;
	memcpy(ret_text, &text, sizeof(text));
	return true;
}

static bool take_text(struct reader *reader, void *ret_text)
{
	uint16_t len;
	return take_u16(reader, &len) && take_text_of(reader, len, ret_text);
}

static bool take_long_text(struct reader *reader, void *ret_text)
{
	uint32_t len;
	return take_u32(reader, &len) && take_text_of(reader, len, ret_text);
}

static bool take_blob(struct reader *reader, void *ret_blob)
{
	uint32_t len;
	if (!take_u32(reader, &len))
		return false;
	const unsigned char *bytes = take(reader, len);
	if (bytes == NULL)
		return false;
	struct record_blob blob = {.bytes = bytes, .len = len};
	memcpy(ret_blob, &blob, sizeof(blob));
	return true;
}

/* Whoever loops over count texts must find that many, and the last must end inside. */
static bool take_pack(struct reader *reader, struct pack *ret_pack)
{
	uint32_t count, len;
	if (!take_u32(reader, &count) || !take_u32(reader, &len))
		return false;
	const unsigned char *bytes = take(reader, len);
	if (bytes == NULL)
		return false;
	const unsigned char *at = bytes, *end = bytes + len;
	uint32_t found = 0;
	for (; at < end; found++) {
		const unsigned char *nul = memchr(at, '\0', (size_t)(end - at));
		if (nul == NULL)
			return false;
		at = nul + 1;
	}
	if (found != count)
		return false;
	*ret_pack = (struct pack){.bytes = (const char *)bytes, .len = len, .count = count};
	return true;
}

static bool take_hashes(
	struct reader *reader, unsigned char *ret_hashes, size_t size, uint32_t *ret_count)
{
	const unsigned char *count = take(reader, 1);
	if (count == NULL || *count > size / RECORD_HASH_LEN)
		return false;
	const unsigned char *bytes = take(reader, (size_t)*count * RECORD_HASH_LEN);
	if (bytes == NULL)
		return false;
	memcpy(ret_hashes, bytes, (size_t)*count * RECORD_HASH_LEN);
	*ret_count = *count;
	return true;
}

static bool decode_field(
	const struct record_field *field, struct reader *reader, unsigned char *record)
{
	unsigned char *member = record + field->offset;
	switch (field->type) {
	case RECORD_TEXT:
		return take_text(reader, member);
	case RECORD_LONG_TEXT:
		return take_long_text(reader, member);
	case RECORD_BLOB:
		return take_blob(reader, member);
	case RECORD_PACK: {
		struct pack pack;
		if (!take_pack(reader, &pack))
			return false;
		memcpy(member, &pack, sizeof(pack));
		return true;
	}
	case RECORD_INT64: {
		uint64_t number;
		if (!take_u64(reader, &number))
			return false;
		memcpy(member, &number, sizeof(number));
		return true;
	}
	case RECORD_UINT32: {
		uint32_t number;
		if (!take_u32(reader, &number))
			return false;
		memcpy(member, &number, sizeof(number));
		return true;
	}
	case RECORD_BOOL: {
		const unsigned char *byte = take(reader, 1);
		if (byte == NULL || *byte > 1)
			return false;
		bool flag = *byte == 1;
		memcpy(member, &flag, sizeof(flag));
		return true;
	}
	case RECORD_BYTES: {
		const unsigned char *bytes = take(reader, field->size);
		if (bytes == NULL)
			return false;
		memcpy(member, bytes, field->size);
		return true;
	}
	case RECORD_HASHES: {
		uint32_t count;
		if (!take_hashes(reader, member, field->size, &count))
			return false;
		memcpy(record + field->count_offset, &count, sizeof(count));
		return true;
	}
	}
	return false;
}

int record_decode(const struct record_format *format, const unsigned char *bytes, size_t len,
	void *ret_record, struct err *err)
{
	struct reader reader = {.at = bytes, .end = bytes + len};
	const unsigned char *version = take(&reader, 1);
	if (version == NULL)
		return err_set(err, ERR_STORE, "the record is empty");
	if (*version != format->version)
		return err_set(err, ERR_STORE, "record version %d is not known (%d is)", *version,
			format->version);
	for (size_t i = 0; i < format->count; i++) {
		const struct record_field *field = &format->field[i];
		size_t at = (size_t)(reader.at - bytes);
		if (!decode_field(field, &reader, ret_record))
			return err_set(err, ERR_STORE, "damaged at %s (byte %zu of %zu)",
				field->name, at, len);
	}
	if (reader.at != reader.end)
		return err_set(err, ERR_STORE, "damaged: %zu bytes too long",
			(size_t)(reader.end - reader.at));
	return 0;
}
