/* acmsensor: the admin CLI. commands.c is the table of commands; each has a file of its own. */
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem_wiping.h"
#include "base/std_files.h"
#include "cli/cli.h"
#include "sensor/local_api.h"

static int parse_output(const char *text, enum output *ret_output, struct err *err)
{
	static const char *const name[] = {"table", "wide", "json", "csv"};
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		if (strcmp(text, name[i]) == 0) {
			*ret_output = (enum output)i;
			return 0;
		}
	}
	return err_set(err, ERR_CONFIG, "-o: \"%.40s\" is none of table, wide, json and csv", text);
}

static int fill_in(struct cli *cli, const struct args *global, struct err *err)
{
	const char *socket_path = args_get(global, "socket"), *output = args_get(global, "output");
	cli->socket_path = socket_path != NULL ? socket_path : LOCAL_API_SOCKET;
	cli->offline_dir = args_get(global, "offline");
	cli->program = cli_program_new(socket_path, cli->offline_dir);
	cli->terminal = terminal_detect(STDOUT_FILENO);
	cli->now_s = clock_now_s();
	if (socket_path != NULL && cli->offline_dir != NULL)
		return err_set(err, ERR_CONFIG, "--socket and --offline exclude each other");
	return output != NULL ? parse_output(output, &cli->output, err) : 0;
}

/* What was printed must have arrived: a full disk is a failure, a closed pipe is not worth a
 * word. */
static int flush(int code)
{
	bool has_failed = ferror(stdout) != 0;
	if (fflush(stdout) == 0 && !has_failed)
		return code;
	if (code != EXIT_FAILED) /* else it has been said */
		cli_note("standard output cannot be written: %s", strerror(errno));
	return EXIT_FAILED;
}

/* A request may carry a private key: what libcurl frees is wiped. */
static void start_curl(void)
{
	curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_wiping_alloc, mem_wiping_free,
		mem_wiping_realloc, strdup, calloc);
}

static int complete(int count, char *const *words)
{
	struct cli cli = {.output = OUTPUT_TABLE};
	start_curl();
	int code = complete_run(&cli, count, words);
	curl_global_cleanup();
	return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct err err = ERR_INIT;
	const struct command *command;
	struct args global, args;
	if (options_parse(commands, argc - 1, argv + 1, &command, &global, &args, &err) != 0 ||
		fill_in(cli, &global, &err) != 0)
		return cli_fail(&err);
	if (args_has(&global, "version")) {
		printf("acmsensor %s\n", ACMSENSOR_VERSION);
		return flush(EXIT_DONE);
	}
	if (command == NULL || args_has(&global, "help")) {
		static const struct option_spec none[] = {{NULL, NULL, NULL}};
		struct args topic = {.option = none,
			.positional = {command != NULL ? command->name : NULL},
			.positional_count = command != NULL ? 1 : 0};
		int code = flush(command_help(cli, &topic));
		return command == NULL && !args_has(&global, "help") ? EXIT_USAGE : code;
	}
	cli->works_offline = command->works_offline;
	start_curl();
	int code = flush(command->run(cli, &args));
	curl_global_cleanup();
	return code;
}

int main(int argc, char **argv)
{
	struct cli cli = {.output = OUTPUT_TABLE};
	std_files_open();
	/* `acmsensor certs | head` ends quietly, as any filter does. */
	signal(SIGPIPE, SIG_DFL);
	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return complete(argc - 2, argv + 2);
	int code = run(&cli, argc, argv);
	free(cli.program);
	return code;
}
