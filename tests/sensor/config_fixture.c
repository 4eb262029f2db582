/* See config_fixture.h. */
#include "tests/sensor/config_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/temp_store.h"

void config_fixture_write(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

void config_fixture_drop_in(
	const struct config_fixture *fixture, const char *name, const char *text)
{
	char *folder = temp_path(fixture->folder, "conf.d");
	char *path = xasprintf("%s/%s", folder, name);
	mkdir(folder, 0755);
	config_fixture_write(path, text);
	free(path);
	free(folder);
}

int config_fixture_set_up(void **state)
{
	static struct config_fixture fixture;
	fixture.folder = temp_folder_new();
	fixture.file = temp_path(fixture.folder, "a.conf");
	*state = &fixture;
	return 0;
}

int config_fixture_tear_down(void **state)
{
	struct config_fixture *fixture = *state;
	free(fixture->file);
	temp_folder_remove(fixture->folder);
	return 0;
}

struct config *config_fixture_load(const struct config_fixture *fixture, const char *text)
{
	struct err err = ERR_INIT;
	config_fixture_write(fixture->file, text);
	struct config *config = config_load(fixture->file, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	return config;
}

void config_fixture_refuse(
	const struct config_fixture *fixture, const char *text, const char *expected)
{
	struct err err = ERR_INIT;
	config_fixture_write(fixture->file, text);
	struct config *config = config_load(fixture->file, &err);
	if (config != NULL)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.kind, ERR_CONFIG);
	size_t len = strlen(fixture->file);
	assert_memory_equal(err.text, fixture->file, len);
	assert_string_equal(err.text + len + 1, expected);
}
