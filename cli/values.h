/*
 * What may stand for a value. The tables of commands name it with one word, or several ("ACCOUNT",
 * "yes|no", "[JOB]", "HOST[:PORT]..."); here is what each of these words means to completion. Pure.
 */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include <stddef.h>

enum value_kind {
	VALUE_FREE,  /* only the user knows */
	VALUE_FILES, /* the shell knows */
	VALUE_WORDS, /* one of words */
	VALUE_COMMANDS,
	/* The daemon knows: */
	VALUE_CONNECTORS,
	VALUE_ACCOUNTS,
	VALUE_REGIONS,
	VALUE_ARNS,
	VALUE_DOMAINS,
	VALUE_PLANS,
	VALUE_JOBS,
	VALUE_REQUESTS,
	VALUE_ALERTS,
	VALUE_CHANNELS,
};

struct value {
	enum value_kind kind;
	bool is_known; /* whether the word is in the table; what is not is free */
	/* VALUE_WORDS: separated by blanks; static, or borrowed from the argument. */
	const char *words;
	size_t words_len;
};

/* Walks an argument of the tables: the next alternative, or false at the end, which a blank is too.
 * *at: the argument to begin with. */
bool value_next(const char **at, struct value *ret_value);

#endif
