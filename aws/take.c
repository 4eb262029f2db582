/* Members of JSON answers. */
#include "aws/take.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

int take_word(const json_t *object, const char *name, char *ret_word, size_t size, struct err *err)
{
	const char *text = "";
	if (json_get_text(object, name, SIZE_MAX, &text, err) != 0)
		return -1;
	(void)text_copy(ret_word, size, text);
	return 0;
}

int take_text(
	const json_t *object, const char *name, size_t max_bytes, char **ret_text, struct err *err)
{
	const char *text = "";
	if (json_get_text(object, name, max_bytes, &text, err) != 0)
		return -1;
	*ret_text = xstrdup(text);
	return 0;
}

int take_next_token(const json_t *object, size_t max_bytes, char **next_token, struct err *err)
{
	const char *token = "";
	if (json_get_text(object, "NextToken", max_bytes, &token, err) != 0)
		return -1;
	if (token[0] != '\0' && *next_token != NULL && strcmp(token, *next_token) == 0)
		return err_set(
			err, ERR_PROTOCOL, "the answer's NextToken is the one it was asked with");
	free(*next_token);
	*next_token = token[0] != '\0' ? xstrdup(token) : NULL;
	return 0;
}
