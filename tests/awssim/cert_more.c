/* The explicit part of a certificate: what was imported into it, its tags, further users. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/cert.h"

struct cert_more *cert_more(struct cert *cert)
{
	if (cert->more == NULL)
		cert->more = mem_alloc(sizeof(*cert->more));
	return cert->more;
}

static void drop_tag(struct cert_more *more, size_t index)
{
	free(more->tag_key[index]);
	free(more->tag_value[index]);
	size_t after = --more->tag_count - index;
	memmove(&more->tag_key[index], &more->tag_key[index + 1], after * sizeof(char *));
	memmove(&more->tag_value[index], &more->tag_value[index + 1], after * sizeof(char *));
}

void cert_past_clear(struct cert_past *past)
{
	free(past->state.signature);
	cert_more_free(past->state.more);
}

struct cert_more *cert_more_copy(const struct cert_more *more)
{
	if (more == NULL)
		return NULL;
	struct cert_more *copy = mem_alloc(sizeof(*copy));
	*copy = *more;
	held_use(copy->held);
	for (size_t i = 0; i < copy->tag_count; i++) {
		copy->tag_key[i] = mem_strdup(more->tag_key[i]);
		copy->tag_value[i] = mem_strdup(more->tag_value[i]);
	}
	copy->uses = (struct text_list){0};
	for (size_t i = 0; i < more->uses.count; i++)
		text_list_add(&copy->uses, more->uses.item[i]);
	copy->past = NULL;
	copy->past_count = 0;
	return copy;
}

/* A state in the past has no past of its own, so this goes one level deep. */
void cert_more_free(struct cert_more *more)
{
	if (more == NULL)
		return;
	for (size_t i = 0; i < more->past_count; i++)
		cert_past_clear(&more->past[i]);
	free(more->past);
	held_free(more->held);
	while (more->tag_count > 0)
		drop_tag(more, more->tag_count - 1);
	text_list_clear(&more->uses);
	free(more);
}

void cert_own_tags(struct cert *cert, const struct cert_facts *facts)
{
	struct cert_more *more = cert_more(cert);
	if (more->has_tags)
		return;
	more->has_tags = true;
	for (size_t i = 0; i < facts->tag_count; i++)
		cert_tag_set(more, facts->tag[i].key, facts->tag[i].value);
}

static size_t tag_position(const struct cert_more *more, const char *key)
{
	size_t at = 0;
	while (at < more->tag_count && strcmp(more->tag_key[at], key) != 0)
		at++;
	return at;
}

void cert_tag_set(struct cert_more *more, const char *key, const char *value)
{
	size_t at = tag_position(more, key);
	if (at == more->tag_count) {
		if (at == CERT_TAGS_MAX)
			abort(); /* the caller counts them first */
		more->tag_key[more->tag_count++] = mem_strdup(key);
	} else {
		free(more->tag_value[at]);
	}
	more->tag_value[at] = mem_strdup(value);
}

void cert_tag_remove(struct cert_more *more, const char *key, const char *value)
{
	size_t at = tag_position(more, key);
	if (at < more->tag_count && (value == NULL || strcmp(more->tag_value[at], value) == 0))
		drop_tag(more, at);
}
