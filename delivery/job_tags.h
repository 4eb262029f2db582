/*
 * The tags that a delivered certificate is to have: where it comes from (nobody may override that),
 * what the operator gave, and what was there before. Pure.
 */
#ifndef DELIVERY_JOB_TAGS_H
#define DELIVERY_JOB_TAGS_H

#include "aws/acm_read.h"
#include "store/pack.h"

struct buf;

enum { JOB_TAGS_MAX = ACM_TAGS_MAX + 64 };

struct job_tags {
	struct acm_tag item[JOB_TAGS_MAX]; /* borrowed texts */
	bool was_there[JOB_TAGS_MAX];	   /* before the import */
	size_t count;
};

struct job_tags_input {
	const char *sensor_name, *certificate_id;
	struct pack operator_tags; /* key, value ... */
	struct pack old_tags;
};

/* Texts are borrowed from the input. */
void job_tags_want(const struct job_tags_input *input, struct job_tags *ret_tags);

/* Those of want that have lacks, and those of ours and the operator's that have another value
 * there. Texts stay borrowed. */
void job_tags_missing(
	const struct job_tags *want, const struct acm_tag_list *have, struct job_tags *ret_missing);

/* Takes off what goes into one call, at most what ACM takes at once: ours alone, so that a refusal
 * of the others (a tag policy) costs no certificate its id. Nothing when there are none. */
void job_tags_take_part(struct job_tags *tags, struct job_tags *ret_part);

/* Keys, for people: "team, env". */
void job_tags_text(const struct job_tags *tags, struct buf *to);

/* The first character that AWS takes neither in a key nor in a value, which are of letters, digits
 * and blanks of any script and of some signs; NULL: none is known. source: ACM 2015-12-08, TagKey
 * and TagValue */
const char *job_tags_misfit(const char *text);

/* "acmsensor:" and "aws:" belong to us and to AWS. */
bool job_tags_is_reserved(const char *key);

#endif
