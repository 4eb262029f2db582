/* See split_params.h. */
#include "tests/fuzz/split_params.h"

#include <string.h>

#include "base/text.h"

size_t split_params(char *text, struct list_param *ret_param, size_t max)
{
	size_t count = 0;
	for (char *rest = text, *pair; count < max && (pair = strsep(&rest, "&")) != NULL;) {
		char *value = pair;
		(void)strsep(&value, "=");
		if (value != NULL && text_is_utf8(pair, strlen(pair)) &&
			text_is_utf8(value, strlen(value)))
			ret_param[count++] = (struct list_param){.key = pair, .value = value};
	}
	return count;
}
