/* acmsensor help: from the tables of commands and options. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

static void print_options(const struct option_spec *option)
{
	for (; option->name != NULL; option++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", option->name,
			option->argument != NULL ? " " : "",
			option->argument != NULL ? option->argument : "");
		printf("  %-24s %s\n", left, option->help);
	}
}

static void print_all(void)
{
	printf("Usage: acmsensor [OPTIONS] COMMAND [OPTIONS] [ARGUMENT]\n\nCommands:\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		printf("  %-10s %s\n", command->name, command->summary);
	printf("\nOptions of every command:\n");
	print_options(global_options);
	printf("\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 done with warnings.\n"
	       "Help of a command: acmsensor help COMMAND\n");
}

static void print_one(const struct command *command)
{
	printf("Usage: acmsensor %s%s%s%s\n\n%s.\n", command->name,
		command->option->name != NULL ? " [OPTIONS]" : "",
		command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
	if (command->option->name != NULL)
		printf("\nOptions:\n");
	print_options(command->option);
	printf("\nOptions of every command:\n");
	print_options(global_options);
}

int command_help(struct cli *cli, const struct args *args)
{
	(void)cli;
	const char *name = args->positional_count > 0 ? args->positional[0] : NULL;
	if (name == NULL) {
		print_all();
		return EXIT_DONE;
	}
	for (const struct command *command = commands; command->name != NULL; command++) {
		if (strcmp(command->name, name) == 0) {
			print_one(command);
			return EXIT_DONE;
		}
	}
	cli_note("there is no command \"%.80s\"; `acmsensor help` lists them", name);
	return EXIT_USAGE;
}
