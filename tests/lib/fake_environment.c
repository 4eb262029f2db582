#include "tests/lib/fake_environment.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VARIABLES_MAX = 32 };

static struct variable {
	char *name, *value; /* owned */
} variable[VARIABLES_MAX];
static char home[64];

static void check(int is_good, const char *what)
{
	if (is_good)
		return;
	perror(what);
	abort();
}

const char *fake_getenv(const char *name)
{
	for (int i = 0; i < VARIABLES_MAX; i++) {
		if (variable[i].name != NULL && strcmp(variable[i].name, name) == 0)
			return variable[i].value;
	}
	return NULL;
}

static void unset(struct variable *of)
{
	free(of->name);
	free(of->value);
	*of = (struct variable){.name = NULL};
}

void fake_setenv(const char *name, const char *value)
{
	struct variable *free_one = NULL;
	for (int i = 0; i < VARIABLES_MAX; i++) {
		struct variable *of = &variable[i];
		if (of->name != NULL && strcmp(of->name, name) == 0)
			unset(of);
		if (of->name == NULL)
			free_one = of;
	}
	if (value == NULL)
		return;
	check(free_one != NULL, "fake_setenv");
	free_one->name = strdup(name);
	free_one->value = strdup(value);
}

static void path_of(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/.aws/%s", home, name);
}

void fake_environment_begin(void)
{
	for (int i = 0; i < VARIABLES_MAX; i++)
		unset(&variable[i]);
	snprintf(home, sizeof(home), "/tmp/acmsensor-test.XXXXXX");
	check(mkdtemp(home) != NULL, home);
	char path[128];
	path_of("", path, sizeof(path));
	check(mkdir(path, 0700) == 0, path);
	fake_setenv("HOME", home);
}

void fake_environment_write(const char *name, const char *text)
{
	char path[128];
	path_of(name, path, sizeof(path));
	if (text == NULL) {
		unlink(path);
		return;
	}
	/* Not stdio, whose buffer would keep a copy of secrets. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0, path);
	check(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0, path);
}

void fake_environment_end(void)
{
	char path[128];
	fake_environment_write("config", NULL);
	fake_environment_write("credentials", NULL);
	path_of("", path, sizeof(path));
	rmdir(path);
	rmdir(home);
	for (int i = 0; i < VARIABLES_MAX; i++)
		unset(&variable[i]);
}
