/* What a person sees of a JSON value. */
#ifndef TESTS_CLI_PRINT_FIXTURE_H
#define TESTS_CLI_PRINT_FIXTURE_H

#include <jansson.h>

#include "cli/cli.h"

/* text: JSON with ' for ". Owned. */
json_t *print_fixture_json(const char *text);

typedef void print_fixture_fn(const struct cli *cli, const json_t *value);
/* What print wrote to stdout; owned. text as above. */
char *print_fixture_run(print_fixture_fn *print, const struct cli *cli, const char *text);

/* The same, compared: all of it, a part that must be there, a part that must not. */
void print_fixture_is(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *expected);
void print_fixture_shows(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *part);
void print_fixture_hides(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *part);

#endif
