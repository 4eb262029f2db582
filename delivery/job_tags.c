/* Tags of a delivery; see job_tags.h. */
#include "delivery/job_tags.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "delivery/delivery_internal.h"

bool job_tags_is_reserved(const char *key)
{
	return text_has_prefix(key, TAG_PREFIX) || strncasecmp(key, "aws:", 4) == 0;
}

/* Beyond ASCII: blocks of controls, marks, punctuation, symbols and emoji that have no letter,
 * digit or blank. Of single characters elsewhere AWS judges itself. source: Unicode 15,
 * General_Category */
static const struct {
	uint32_t first, last;
} symbols[] = {{0x80, 0x9f}, {0xa1, 0xa9}, {0xab, 0xb1}, {0xb4, 0xb4}, {0xb6, 0xb8}, {0xbb, 0xbb},
	{0xbf, 0xbf}, {0xd7, 0xd7}, {0xf7, 0xf7}, {0x300, 0x36f}, {0x200b, 0x2027},
	{0x202a, 0x202e}, {0x2030, 0x205e}, {0x2060, 0x206f}, {0x20a0, 0x20ff}, {0x2190, 0x245f},
	{0x249c, 0x24e9}, {0x2500, 0x2775}, {0x2794, 0x2bff}, {0x3001, 0x3004}, {0x3008, 0x3020},
	{0xe000, 0xf8ff}, {0xfe00, 0xfe0f}, {0xfff0, 0xffff}, {0x1f000, 0x1f0ff},
	{0x1f10d, 0x1faff}, {0xe0000, 0xe01ff}};

static bool is_in_tags(uint32_t c)
{
	if (c < 0x80)
		return c != 0 && (isalnum((int)c) || strchr(" _.:/=+-@", (int)c) != NULL);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (c >= symbols[i].first && c <= symbols[i].last)
			return false;
	return true;
}

const char *job_tags_misfit(const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		uint32_t code_point;
		size_t size = text_utf8_next(text, len, &code_point);
		if (size == 0 || !is_in_tags(code_point))
			return text;
		text += size;
		len -= size;
	}
	return NULL;
}

static struct acm_tag *find(struct job_tags *tags, const char *key)
{
	for (size_t i = 0; i < tags->count; i++) {
		if (strcmp(tags->item[i].key, key) == 0)
			return &tags->item[i];
	}
	return NULL;
}

static void add(struct job_tags *tags, const char *key, const char *value, bool was_there)
{
	if (tags->count == JOB_TAGS_MAX || find(tags, key) != NULL)
		return;
	tags->was_there[tags->count] = was_there;
	tags->item[tags->count++] = (struct acm_tag){.key = (char *)key, .value = (char *)value};
}

static void add_pack(struct job_tags *tags, const struct pack *pack, bool was_there)
{
	for (const char *key = NULL, *value = NULL; pack_next_pair(pack, &key, &value);)
		if (!job_tags_is_reserved(key))
			add(tags, key, value, was_there);
}

void job_tags_want(const struct job_tags_input *input, struct job_tags *ret_tags)
{
	ret_tags->count = 0;
	add(ret_tags, TAG_MANAGED_BY, MANAGED_BY, false);
	add(ret_tags, TAG_SENSOR, input->sensor_name, false);
	add(ret_tags, TAG_CERTIFICATE_ID, input->certificate_id, false);
	add_pack(ret_tags, &input->operator_tags, false);
	add_pack(ret_tags, &input->old_tags, true);
}

/* AWS keeps values at a reimport: another one where a tag was is somebody's, who came meanwhile. */
static bool has(const struct acm_tag_list *have, const struct acm_tag *tag, bool was_there)
{
	for (size_t i = 0; i < have->count; i++) {
		if (strcmp(have->item[i].key, tag->key) == 0)
			return was_there || strcmp(have->item[i].value, tag->value) == 0;
	}
	return false;
}

void job_tags_missing(
	const struct job_tags *want, const struct acm_tag_list *have, struct job_tags *ret_missing)
{
	ret_missing->count = 0;
	for (size_t i = 0; i < want->count; i++) {
		if (!has(have, &want->item[i], want->was_there[i]))
			add(ret_missing, want->item[i].key, want->item[i].value,
				want->was_there[i]);
	}
}

void job_tags_take_part(struct job_tags *tags, struct job_tags *ret_part)
{
	enum { AT_ONCE_MAX = 50 };
	size_t count = 0, left = 0;
	while (count < tags->count && job_tags_is_reserved(tags->item[count].key))
		count++;
	if (count == 0)
		count = tags->count < AT_ONCE_MAX ? tags->count : AT_ONCE_MAX;
	ret_part->count = 0;
	for (size_t i = 0; i < tags->count; i++) {
		struct job_tags *to = i < count ? ret_part : tags;
		size_t at = i < count ? ret_part->count++ : left++;
		to->item[at] = tags->item[i];
		to->was_there[at] = tags->was_there[i];
	}
	tags->count = left;
}

void job_tags_text(const struct job_tags *tags, struct buf *to)
{
	for (size_t i = 0; i < tags->count; i++)
		buf_addf(to, "%s%s", i > 0 ? ", " : "", tags->item[i].key);
}
