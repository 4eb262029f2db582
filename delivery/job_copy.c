/* A job's record in memory of its own; see job_copy.h. */
#include "delivery/job_copy.h"

#include <stdlib.h>

#include "base/mem.h"

enum { TAGS_BYTES_MAX = 1 << 20 };

enum { TEXTS = 15 };

/* The texts of a record, to be walked. */
static void list_texts(struct job_record *record, const char **text[TEXTS])
{
	const char **all[TEXTS] = {&record->id, &record->plan_id, &record->of_job_id,
		&record->connector, &record->account_id, &record->region, &record->arn,
		&record->certificate_id, &record->reason, &record->old_serial, &record->new_serial,
		&record->old_key_id, &record->new_key_id, &record->evidence, &record->requested_by};
	for (size_t i = 0; i < TEXTS; i++)
		text[i] = all[i];
}

void job_copy_make(const struct job_record *from, struct job_copy *ret_copy)
{
	const char **text[TEXTS];
	*ret_copy = (struct job_copy){.record = *from};
	list_texts(&ret_copy->record, text);
	for (size_t i = 0; i < TEXTS; i++)
		*text[i] = xstrdup(*text[i] != NULL ? *text[i] : "");
	buf_init(&ret_copy->old_tags, TAGS_BYTES_MAX);
	job_copy_set_tags(ret_copy, &from->old_tags);
}

void job_copy_clear(struct job_copy *copy)
{
	const char **text[TEXTS];
	list_texts(&copy->record, text);
	for (size_t i = 0; i < TEXTS; i++)
		free((char *)*text[i]);
	buf_clear(&copy->old_tags);
	*copy = (struct job_copy){.record = {.id = NULL}};
}

void job_copy_set(const char **field, const char *text)
{
	char *copy = xstrdup(text);
	free((char *)*field);
	*field = copy;
}

void job_copy_set_tags(struct job_copy *copy, const struct pack *tags)
{
	struct buf old = copy->old_tags;
	struct pack kept = {.count = 0};
	buf_init(&copy->old_tags, TAGS_BYTES_MAX);
	for (const char *text = pack_first(tags); text != NULL; text = pack_next(tags, text)) {
		pack_add(&copy->old_tags, text);
		kept.count++;
	}
	kept.bytes = copy->old_tags.data;
	kept.len = copy->old_tags.len;
	copy->record.old_tags = kept;
	buf_clear(&old);
}
