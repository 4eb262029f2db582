/* What the _take functions share: members of JSON answers into fields of records. */
#ifndef AWS_TAKE_H
#define AWS_TAKE_H

#include <jansson.h>
#include <stddef.h>

struct err;

/* An enum's text into a fixed field: "" when absent, cut when AWS invents a longer one than any so
 * far. ERR_PROTOCOL: not a text. */
int take_word(const json_t *object, const char *name, char *ret_word, size_t size, struct err *err);

/* A text of at most max_bytes as an owned copy, "" when absent. ERR_PROTOCOL, ERR_LIMIT. */
int take_text(
	const json_t *object, const char *name, size_t max_bytes, char **ret_text, struct err *err);

/*
 * NextToken into *next_token: in owned or NULL, the one that was asked with; out owned, NULL when
 * there is none (or an empty one). Unchanged on failure.
 * errors   ERR_LIMIT: too long; ERR_PROTOCOL: not a text, or the same token again, which would
 *          never end
 */
int take_next_token(const json_t *object, size_t max_bytes, char **next_token, struct err *err);

#endif
