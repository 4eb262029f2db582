/* Whole files of test data. */
#include "tests/lib/read_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

char *read_file(const char *path, size_t *ret_len)
{
	enum { STEP = 65536 };
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	char *data = xmalloc(STEP + 1);
	size_t len = 0;
	for (size_t got; (got = fread(data + len, 1, STEP, file)) > 0;) {
		len += got;
		data = xreallocarray(data, len + STEP + 1, 1);
	}
	if (ferror(file)) {
		perror(path);
		exit(1);
	}
	fclose(file);
	data[len] = '\0';
	*ret_len = len;
	return data;
}

char *read_data(const char *folder, const char *name, const char *suffix, size_t *ret_len)
{
	char *path = xasprintf("tests/data/%s/%s%s", folder, name, suffix);
	char *data = read_file(path, ret_len);
	free(path);
	return data;
}
