/* Keys of every table, and comparing them. */
#include "store/key_internal.h"

#include <assert.h>
#include <endian.h>
#include <openssl/sha.h>
#include <string.h>

/* --- pieces ---------------------------------------------------------------------------------- */

static void add(struct key *key, const void *bytes, size_t len)
{
	if (len > sizeof(key->bytes) - key->len) {
		key->is_unfit = true;
		return;
	}
	if (len > 0)
		memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

static void add_byte(struct key *key, unsigned char byte)
{
	add(key, &byte, 1);
}

/* Control bytes would be taken for separators. */
static void add_text(struct key *key, const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ')
			key->is_unfit = true;
	add(key, text, strlen(text));
}

static void add_u32(struct key *key, uint32_t number)
{
	uint32_t big = htobe32(number);
	add(key, &big, sizeof(big));
}

static void add_u64(struct key *key, uint64_t number)
{
	uint64_t big = htobe64(number);
	add(key, &big, sizeof(big));
}

/* first SEP second SEP third; a NULL ends it behind the separator: the prefix of all below. */
static struct key join(const char *first, const char *second, const char *third, size_t parts)
{
	const char *const part[] = {first, second, third};
	struct key key = key_empty();
	for (size_t i = 0; i < parts && part[i] != NULL; i++) {
		add_text(&key, part[i]);
		if (i + 1 < parts)
			add_byte(&key, KEY_SEPARATOR);
	}
	return key;
}

/* --- in general ------------------------------------------------------------------------------ */

/* Not zeroed as a whole: keys are made by the million. */
struct key key_empty(void)
{
	struct key key;
	key.len = 0;
	key.is_unfit = false;
	return key;
}

struct key key_bytes(const void *bytes, size_t len)
{
	struct key key = key_empty();
	add(&key, bytes, len);
	return key;
}

int key_compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
	size_t shorter = a_len < b_len ? a_len : b_len;
	int order = shorter > 0 ? memcmp(a, b, shorter) : 0;
	if (order != 0 || a_len == b_len)
		return order;
	return a_len < b_len ? -1 : 1;
}

bool key_equals(const struct key *key, const void *bytes, size_t len)
{
	return key_compare(key->bytes, key->len, bytes, len) == 0;
}

bool key_is_prefix_of(const struct key *prefix, const void *bytes, size_t len)
{
	return len >= prefix->len && memcmp(prefix->bytes, bytes, prefix->len) == 0;
}

struct key key_after_prefix(const struct key *prefix)
{
	struct key key = *prefix;
	while (key.len > 0 && key.bytes[key.len - 1] == 0xff)
		key.len--;
	if (key.len > 0)
		key.bytes[key.len - 1]++;
	return key;
}

struct key key_position(const char *position)
{
	return key_bytes(position, strlen(position));
}

/* Only for keys made of texts; one that does not fit cannot have been made by us. */
void key_to_position(const void *bytes, size_t len, char *position, size_t size)
{
	assert(len < size);
	memcpy(position, bytes, len);
	position[len] = '\0';
}

uint64_t key_read_u64(const unsigned char *bytes)
{
	uint64_t big;
	memcpy(&big, bytes, sizeof(big));
	return be64toh(big);
}

uint32_t key_read_u32(const unsigned char *bytes)
{
	uint32_t big;
	memcpy(&big, bytes, sizeof(big));
	return be32toh(big);
}

/* --- a function a table ---------------------------------------------------------------------- */

struct key key_meta(const char *name)
{
	return join(name, NULL, NULL, 1);
}

struct key key_cycle(const char *connector)
{
	return join(connector, NULL, NULL, 1);
}

struct key key_account(const char *connector, const char *account_id)
{
	return join(connector, account_id, NULL, 2);
}

struct key key_unit(const char *connector, const char *unit_id)
{
	return join(connector, unit_id, NULL, 2);
}

struct key key_coverage(const char *connector, const char *account_id, const char *region)
{
	return join(connector, account_id, region, 3);
}

struct key key_cert(const char *arn)
{
	return join(arn, NULL, NULL, 1);
}

struct key key_cert_place(const char *partition, const char *region, const char *account_id)
{
	struct key key = key_empty();
	add_text(&key, "arn:");
	add_text(&key, partition);
	add_text(&key, ":acm:");
	add_text(&key, region);
	add_text(&key, ":");
	if (account_id != NULL) {
		add_text(&key, account_id);
		add_text(&key, ":");
	}
	return key;
}

struct key key_cert_fingerprint(const unsigned char *sha256, const char *arn)
{
	struct key key = key_empty();
	add(&key, sha256, SHA256_DIGEST_LENGTH);
	if (arn != NULL)
		add_text(&key, arn);
	return key;
}

/* Seconds before 1970 sort below those after: the sign bit is turned. */
struct key key_cert_expiry(int64_t not_after_s, const char *arn)
{
	struct key key = key_empty();
	int64_t sorted = not_after_s != 0 ? not_after_s : INT64_MAX;
	add_u64(&key, (uint64_t)sorted ^ (UINT64_C(1) << 63));
	if (arn != NULL)
		add_text(&key, arn);
	return key;
}

int64_t key_expiry_read(const unsigned char *bytes)
{
	int64_t sorted = (int64_t)(key_read_u64(bytes) ^ (UINT64_C(1) << 63));
	return sorted != INT64_MAX ? sorted : 0;
}

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Labels from right to left, lower case, at most KEY_DOMAIN_MAX bytes. */
static void add_reversed(struct key *key, const char *name)
{
	size_t end = strlen(name);
	size_t room = KEY_DOMAIN_MAX;
	while (room > 0) {
		size_t start = end;
		while (start > 0 && name[start - 1] != '.')
			start--;
		for (size_t i = start; i < end && room > 0; i++, room--)
			add_byte(key, lower(name[i]));
		if (start == 0 || room == 0)
			break;
		add_byte(key, '.');
		room--;
		end = start - 1;
	}
}

struct key key_cert_domain(const char *name, const unsigned char *arn_hash)
{
	struct key key = key_cert_domain_exact(name);
	add(&key, arn_hash, KEY_ARN_HASH_LEN);
	return key;
}

struct key key_cert_domain_exact(const char *name)
{
	struct key key = key_empty();
	add_reversed(&key, name);
	add_byte(&key, '\0');
	return key;
}

struct key key_cert_domain_below(const char *suffix)
{
	struct key key = key_empty();
	add_reversed(&key, suffix);
	if (key.len < KEY_DOMAIN_MAX)
		add_byte(&key, '.');
	return key;
}

void key_hash_arn(const char *arn, unsigned char ret_hash[KEY_ARN_HASH_LEN])
{
	unsigned char sha256[SHA256_DIGEST_LENGTH];
	SHA256((const unsigned char *)arn, strlen(arn), sha256);
	memcpy(ret_hash, sha256, KEY_ARN_HASH_LEN);
}

/* text SEP number; 0: the prefix of all of them. */
static struct key numbered(const char *text, uint32_t number)
{
	struct key key = key_empty();
	add_text(&key, text);
	add_byte(&key, KEY_SEPARATOR);
	if (number != 0)
		add_u32(&key, number);
	return key;
}

struct key key_history(const char *arn, uint32_t number)
{
	return numbered(arn, number);
}

struct key key_pem(const unsigned char *sha256)
{
	return key_bytes(sha256, SHA256_DIGEST_LENGTH);
}

struct key key_event(uint64_t sequence)
{
	struct key key = key_empty();
	add_u64(&key, sequence);
	return key;
}

struct key key_id(const char *id, size_t max)
{
	struct key key = join(id, NULL, NULL, 1);
	if (key.len == 0 || key.len > max)
		key.is_unfit = true;
	return key;
}

struct key key_job_leaf(const char *arn, const unsigned char *leaf_sha256)
{
	struct key key = join(arn, "", NULL, 2);
	if (leaf_sha256 != NULL)
		add(&key, leaf_sha256, SHA256_DIGEST_LENGTH);
	return key;
}

struct key key_vault_need(const char *id, const char *who)
{
	return join(id, who != NULL ? who : "", NULL, 2);
}

struct key key_job_step(const char *job_id, uint32_t number)
{
	return numbered(job_id, number);
}
