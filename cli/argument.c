/* Values of options (see argument.h). */
#include "cli/argument.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/values.h"

enum { EXPECTED_MAX = 512 };

int argument_check_text(
	const struct args *args, const char *option, size_t max_bytes, struct err *err)
{
	const char *text;
	for (int at = 0; (text = args_next(args, option, &at)) != NULL;) {
		size_t len = strlen(text);
		if (len == 0)
			return err_set(err, ERR_CONFIG, "--%s is empty", option);
		if (!text_is_utf8(text, len))
			return err_set(err, ERR_CONFIG, "--%s is not UTF-8 text", option);
		if (len > max_bytes)
			return err_set(err, ERR_CONFIG, "--%s is longer than %zu bytes: %.40s...",
				option, max_bytes, text);
	}
	return 0;
}

int argument_check_count(const struct args *args, const char *option, size_t max, struct err *err)
{
	size_t count = 0;
	for (int at = 0; args_next(args, option, &at) != NULL;)
		count++;
	return count <= max
		       ? 0
		       : err_set(err, ERR_CONFIG, "--%s is given %zu times, at most %zu are taken",
				 option, count, max);
}

static const char *argument_of(const struct args *args, const char *option)
{
	const struct option_spec *spec = args->option;
	while (strcmp(spec->name, option) != 0)
		spec++;
	return spec->argument;
}

/* Appends the words, and returns whether text is one of them. */
static bool take_words(const struct value *value, const char *text, struct buf *to)
{
	bool is_one = false;
	const char *end = value->words + value->words_len;
	for (const char *word = value->words; word < end;) {
		size_t len = strcspn(word, " ");
		len = len < (size_t)(end - word) ? len : (size_t)(end - word);
		buf_addf(to, "%s%.*s", to->len > 0 ? ", " : "", (int)len, word);
		is_one |= strlen(text) == len && memcmp(text, word, len) == 0;
		word += len + 1;
	}
	return is_one;
}

int argument_check_word(const struct args *args, const char *option, struct err *err)
{
	const char *text = args_get(args, option), *at = argument_of(args, option);
	bool is_one = text == NULL;
	struct value value;
	struct buf expected;
	buf_init(&expected, EXPECTED_MAX);
	while (text != NULL && value_next(&at, &value))
		is_one |= take_words(&value, text, &expected);
	if (!is_one)
		err_set(err, ERR_CONFIG, "--%s %.40s: expected %s", option, text,
			buf_text(&expected));
	buf_clear(&expected);
	return is_one ? 0 : -1;
}
