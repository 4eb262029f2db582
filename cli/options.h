/*
 * The command line: global options, one command, its options and arguments, from tables. Options
 * may stand before or after the command's name and its arguments; "--" ends them. Pure.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct err;

enum {
	OPTIONS_MAX = 24,
	POSITIONALS_MAX = 2,
	REPEATS_MAX = 128, /* values of options beyond the first of each, on one command line */
};

struct option_spec {
	const char *name; /* without "--"; NULL ends a table */
	/* What to call its value in help; NULL: a flag. With "..." at its end: may be repeated. */
	const char *argument;
	const char *help;
};

bool option_may_repeat(const struct option_spec *option);

struct args {
	const struct option_spec *option; /* shared static */
	const char *value[OPTIONS_MAX]; /* borrowed from argv, by place in option; "" for a flag */
	struct {
		int option;
		const char *value;
	} repeat[REPEATS_MAX]; /* beyond the first */
	int repeat_count;
	const char *positional[POSITIONALS_MAX];
	int positional_count;
};

struct command {
	const char *name;
	const char *arguments; /* for help: "ARN|DOMAIN" */
	const char *summary;
	const struct option_spec *option;
	int positional_min, positional_max;
	int (*run)(struct cli *cli, const struct args *args);
	bool works_offline; /* on a store without its daemon */
};

/* Options that every command takes. */
extern const struct option_spec global_options[];

/*
 * Splits argv (without the program's name).
 *
 * argv         borrowed as long as the args are used
 * ret_command  the entry of commands (ended by a NULL name); NULL when no command was named
 * err          ERR_CONFIG with one sentence that names the mistake and, when one is close, a
 *              suggestion
 */
int options_parse(const struct command *commands, int argc, char **argv,
	const struct command **ret_command, struct args *ret_global, struct args *ret_args,
	struct err *err);

/* The first value of an option: NULL when not given, "" for a flag. Borrowed from argv. The name
 * must be in the table, here and below. */
const char *args_get(const struct args *args, const char *name);
/* Each value of an option in turn, NULL after the last. *at: 0 to begin. */
const char *args_next(const struct args *args, const char *name, int *at);
bool args_has(const struct args *args, const char *name);

#endif
