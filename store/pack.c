/* Packed lists of texts. */
#include "store/pack.h"

#include <string.h>

#include "base/buf.h"

void pack_add(struct buf *to, const char *text)
{
	buf_add(to, text, strlen(text) + 1);
}

const char *pack_first(const struct pack *pack)
{
	return pack->count > 0 && pack->len > 0 ? pack->bytes : NULL;
}

const char *pack_next(const struct pack *pack, const char *current)
{
	const char *next = current + strlen(current) + 1;
	return next < pack->bytes + pack->len ? next : NULL;
}

bool pack_next_pair(const struct pack *pack, const char **key, const char **value)
{
	*key = *key == NULL ? pack_first(pack) : pack_next(pack, *value);
	*value = *key != NULL ? pack_next(pack, *key) : NULL;
	return *value != NULL;
}
