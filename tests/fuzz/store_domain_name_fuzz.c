/* Names as typed: what is accepted is ASCII, lower case, short enough, and stays as it is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/domain_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	char name[DOMAIN_NAME_MAX + 1], again[DOMAIN_NAME_MAX + 1];
	char *typed = xstrndup((const char *)data, size);
	if (domain_name_to_ascii(typed, name, &err) == 0) {
		size_t len = strlen(name);
		if (len == 0 || len > DOMAIN_NAME_MAX)
			abort();
		for (size_t i = 0; i < len; i++)
			if (name[i] <= ' ' || name[i] >= 0x7f || (name[i] >= 'A' && name[i] <= 'Z'))
				abort();
		if (domain_name_to_ascii(name, again, &err) != 0 || strcmp(name, again) != 0)
			abort();
	}
	free(typed);
	return 0;
}
