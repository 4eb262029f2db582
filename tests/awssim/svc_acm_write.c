/* ACM: tags and DeleteCertificate. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/acm.h"
#include "tests/awssim/consistency.h"

enum { TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

/* The character that begins at *at (the JSON was UTF-8), which moves behind it. */
static unsigned long next_character(const char **at)
{
	const unsigned char *bytes = (const unsigned char *)*at;
	int more = bytes[0] >= 0xf0 ? 3 : bytes[0] >= 0xe0 ? 2 : bytes[0] >= 0xc0 ? 1 : 0;
	unsigned long c = more > 0 ? bytes[0] & (0x3fUL >> more) : bytes[0];
	for (int i = 1; i <= more; i++)
		c = c << 6 | (bytes[i] & 0x3f);
	*at += more + 1;
	return c;
}

/* Neither \p{L}, \p{Z} nor \p{N}: of what people type, not the whole of Unicode. */
static bool is_symbol(unsigned long c)
{
	static const char *const signs = "\u00a7\u00a9\u00ae\u00b0\u00b1\u00b7\u00d7\u00f7";
	for (const char *at = signs; *at != '\0';)
		if (next_character(&at) == c)
			return true;
	bool is_punctuation = (c >= 0x2010 && c <= 0x2027) || (c >= 0x3008 && c <= 0x3011);
	bool is_currency = c >= 0x20a0 && c <= 0x20c0;
	bool is_drawn = (c >= 0x2190 && c <= 0x23ff) || (c >= 0x2600 && c <= 0x2767);
	bool is_emoji = (c >= 0x1f300 && c <= 0x1faff) || (c >= 0xfe00 && c <= 0xfe0f);
	return (c >= 0x80 && c <= 0x9f) || is_punctuation || is_currency || is_drawn || is_emoji;
}

/* Letters, blanks and digits of any script, and the marks of the pattern; within max characters. */
static bool is_tag_text(const char *text, size_t max)
{
	static const char marks[] = "_.:/=+-@ ";
	size_t characters = 0;
	while (*text != '\0') {
		unsigned long c = next_character(&text);
		bool is_letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (c < 0x80 ? !is_letter && strchr(marks, (int)c) == NULL : is_symbol(c))
			return false;
		characters++;
	}
	return characters <= max;
}

static bool read_tag(struct call *call, const json_t *given, size_t number, struct acm_tag *tag)
{
	const json_t *key = json_object_get(given, "Key"), *value = json_object_get(given, "Value");
	if (!json_is_object(given) || (key != NULL && !json_is_string(key)) ||
		(value != NULL && !json_is_null(value) && !json_is_string(value))) {
		call_fail_common(call, ERROR_MALFORMED, "Tags must be a list of structures");
		return false;
	}
	tag->key = json_string_value(key);
	tag->value = json_string_value(value);
	bool is_good = tag->key != NULL && tag->key[0] != '\0' &&
		       is_tag_text(tag->key, TAG_KEY_MAX) &&
		       (tag->value == NULL || is_tag_text(tag->value, TAG_VALUE_MAX));
	if (!is_good) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value at 'tags.%zu.member' failed to satisfy "
			"constraint: a key of 1 to 128 and a value of at most 256 characters that "
			"satisfy ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
			number + 1);
		return false;
	}
	if (strncmp(tag->key, "aws:", 4) == 0 ||
		(tag->value != NULL && strncmp(tag->value, "aws:", 4) == 0)) {
		call_fail(call, 400, "InvalidTagException",
			"Tag keys and values may not begin with aws: (%s)", tag->key);
		return false;
	}
	return true;
}

bool acm_read_tags(struct call *call, struct acm_tag ret_tags[CERT_TAGS_MAX], size_t *ret_count)
{
	const json_t *tags = json_object_get(call->input, "Tags");
	size_t count = json_array_size(tags);
	if (tags == NULL || json_is_null(tags)) {
		acm_fail_null(call, "tags");
		return false;
	}
	if (!json_is_array(tags)) {
		call_fail_common(call, ERROR_MALFORMED, "Tags must be a list");
		return false;
	}
	if (count < 1) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value '[]' at 'tags' failed to satisfy constraint: "
			"Member must have length greater than or equal to 1");
		return false;
	}
	if (count > CERT_TAGS_MAX) {
		call_fail(call, 400, "TooManyTagsException",
			"The request contains too many tags: %zu, at most %d.", count,
			CERT_TAGS_MAX);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!read_tag(call, json_array_get(tags, i), i, &ret_tags[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(ret_tags[k].key, ret_tags[i].key) == 0) {
				call_fail(call, 400, "InvalidTagException",
					"The tag key %s is given twice.", ret_tags[i].key);
				return false;
			}
	}
	*ret_count = count;
	return true;
}

/* How many tags there would be with those added. */
static size_t count_with(const struct cert_facts *facts, const struct acm_tag *tags, size_t count)
{
	size_t total = facts->tag_count;
	for (size_t i = 0; i < count; i++) {
		bool is_there = false;
		for (size_t k = 0; k < facts->tag_count; k++)
			is_there = is_there || strcmp(facts->tag[k].key, tags[i].key) == 0;
		total += !is_there;
	}
	return total;
}

void acm_add_tags_to_certificate(struct call *call)
{
	struct acm_tag tags[CERT_TAGS_MAX];
	size_t count;
	struct cert_facts facts;
	if (!acm_read_tags(call, tags, &count))
		return;
	struct cert *cert = acm_find(call, "acm:AddTagsToCertificate", &facts);
	if (cert == NULL)
		return;
	if (count_with(&facts, tags, count) > CERT_TAGS_MAX) {
		call_fail(call, 400, "TooManyTagsException",
			"Certificate %s would have more than %d tags.", facts.arn, CERT_TAGS_MAX);
		return;
	}
	consistency_keep(call->sim, facts.account, facts.region, cert);
	cert_own_tags(cert, &facts);
	for (size_t i = 0; i < count; i++)
		cert_tag_set(cert->more, tags[i].key, tags[i].value != NULL ? tags[i].value : "");
}

void acm_remove_tags_from_certificate(struct call *call)
{
	struct acm_tag tags[CERT_TAGS_MAX];
	size_t count;
	struct cert_facts facts;
	if (!acm_read_tags(call, tags, &count))
		return;
	struct cert *cert = acm_find(call, "acm:RemoveTagsFromCertificate", &facts);
	if (cert == NULL)
		return;
	consistency_keep(call->sim, facts.account, facts.region, cert);
	cert_own_tags(cert, &facts);
	for (size_t i = 0; i < count; i++)
		cert_tag_remove(cert->more, tags[i].key, tags[i].value);
}

void acm_delete_certificate(struct call *call)
{
	struct cert_facts facts;
	const struct cert *cert = acm_find(call, "acm:DeleteCertificate", &facts);
	if (cert == NULL)
		return;
	if (facts.in_use) {
		call_fail(call, 400, "ResourceInUseException",
			"Certificate %s in account %s is in use.", facts.arn,
			call->sim->world->account[facts.account].id);
		return;
	}
	if (facts.kind->origin == ACME) {
		call_fail(call, 400, "ConflictException",
			"Certificate %s was issued by ACME: it cannot be deleted.", facts.arn);
		return;
	}
	const struct pair *pair = &call->sim->world->account[facts.account].pair[facts.region];
	consistency_remove(call->sim, facts.account, facts.region, cert_position(pair, cert->uid));
}
