/* Any bytes as an INI file, in both dialects. What is handed over must be whole: text in UTF-8,
 * places inside the file; and the first failing entry ends it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/ini.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t file_len;
	int left; /* entries until one fails */
};

static int take_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	struct seen *seen = arg;
	assert(seen->left > 0);
	assert(place->line >= 1 && (size_t)place->line <= seen->file_len);
	assert(place->column >= 1 && place->column <= INI_LINE_MAX);
	assert(place->value_column >= place->column && place->value_column <= INI_LINE_MAX + 1);
	assert(section[0] != '\0' && text_is_utf8(section, strlen(section)));
	assert((key == NULL) == (value == NULL));
	if (key != NULL) {
		assert(key[0] != '\0' && text_is_utf8(key, strlen(key)));
		assert(text_is_utf8(value, strlen(value)));
	}
	return --seen->left > 0 ? 0 : err_set(err, ERR_CONFIG, "enough");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int dialect = INI_OURS; dialect <= INI_AWS; dialect++) {
		struct err err = ERR_INIT;
		struct seen seen = {.file_len = size, .left = 100};
		int rc = ini_parse((enum ini_dialect)dialect, "fuzz", (const char *)data, size,
			take_entry, &seen, &err);
		assert((rc == 0) == (err.kind == ERR_NONE));
		assert(rc == 0 || text_has_prefix(err.text, "fuzz:"));
	}
	return 0;
}
