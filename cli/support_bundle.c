/*
 * acmsensor support-bundle: what somebody who helps needs to know, in one file of text that a
 * person reads before sending it. Each section is what a command prints (standard output and error
 * go into the file meanwhile), so that nothing is in it that the command would not show; what is
 * for this host's people only is left out by cli->is_for_others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/events.h"
#include "cli/output.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"

enum { STATUS_TIMEOUT_S = 10, EVENTS_MAX = 500, WORDS_MAX = 4, TOLD_MAX = 4096 };

/* Returns an exit code. */
typedef int section_fn(struct cli *cli);

struct section {
	const char *title;
	section_fn *run;	     /* NULL: the command */
	const char *word[WORDS_MAX]; /* a command line; one that this program lacks is left out */
	bool needs_daemon;
};

/* --- sections of our own ---------------------------------------------------------------------- */

static void print_system(void)
{
	struct utsname system;
	char line[256];
	if (uname(&system) == 0)
		printf("system      %s %s %s\n", system.sysname, system.release, system.machine);
	FILE *file = fopen("/etc/os-release", "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "PRETTY_NAME=", 12) == 0)
			printf("            %s", line + 12);
	if (file != NULL)
		fclose(file);
}

/* What the daemon tells, on one line. */
static void print_told(const char *label, const char *text)
{
	struct buf line;
	buf_init(&line, 4 * TOLD_MAX + 1);
	text_escape_line(&line, text, strlen(text), TOLD_MAX);
	printf("%s%s\n", label, buf_text(&line));
	buf_clear(&line);
}

static int print_versions(struct cli *cli)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	printf("acmsensor   %s\n", ACMSENSOR_VERSION);
	print_system();
	if (cli->offline_dir != NULL)
		return EXIT_DONE;
	if (source_get(cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, &err) != 0)
		return cli_fail(&err);
	const json_t *status = row_get(document, "status"), *sensor = row_get(status, "sensor");
	print_told("acmsensord  ", row_text(sensor, "version"));
	print_told("started     ", row_text(sensor, "started"));
	print_told("libraries   ", row_text(sensor, "libraries"));
	printf("store       ");
	output_json(row_get(status, "store"));
	json_decref(document);
	return EXIT_DONE;
}

static int print_events(struct cli *cli)
{
	struct err err = ERR_INIT;
	return events_print_last(cli, "30d", EVENTS_MAX, &err) == 0 ? EXIT_DONE : cli_fail(&err);
}

static const struct section sections[] = {
	{"versions", print_versions, {NULL}, false},
	{"status", NULL, {"status"}, false},
	{"configuration", NULL, {"config"}, true},
	{"places that were not read", NULL, {"coverage", "--problems"}, false},
	{"alerts", NULL, {"alerts"}, true},
	{"deliveries", NULL, {"jobs"}, true},
	{"metrics", NULL, {"metrics"}, true},
	{"events, the last ones", print_events, {NULL}, false},
	{"log, the last lines", NULL, {"log"}, true},
};

/* --- the file --------------------------------------------------------------------------------- */

static const struct command *find_command(const char *name)
{
	const struct command *command = commands;
	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	return command->name != NULL ? command : NULL;
}

static int run_command(struct cli *cli, const struct section *section)
{
	struct err err = ERR_INIT;
	const struct command *command;
	struct args global, args;
	char *word[WORDS_MAX];
	int count = 0;
	for (; count < WORDS_MAX && section->word[count] != NULL; count++)
		word[count] = (char *)section->word[count]; /* as argv; they are only read */
	if (options_parse(commands, count, word, &command, &global, &args, &err) != 0)
		return cli_fail(&err);
	return command->run(cli, &args);
}

/* Returns whether it is as it should be. */
static bool write_section(struct cli *cli, const struct section *section)
{
	if (section->run == NULL && find_command(section->word[0]) == NULL)
		return true;
	printf("\n=== %s\n\n", section->title);
	fflush(stdout); /* standard error goes to the same file */
	if (section->needs_daemon && cli->offline_dir != NULL) {
		printf("left out: it needs the daemon\n");
		return true;
	}
	int code = section->run != NULL ? section->run(cli) : run_command(cli, section);
	fflush(stdout);
	return code == EXIT_DONE || code == EXIT_WARNINGS;
}

static void write_head(const struct cli *cli)
{
	char time[TEXT_TIME_MAX];
	printf("Support bundle of acmsensor, made at %s.\n\n"
	       "Read it before you send it. It names accounts, domains, hosts, paths and users, and\n"
	       "what happened to certificates. It holds no private key, no credential of AWS and no\n"
	       "external id.\n",
		text_format_time(cli->now_s, time));
}

/* Returns how many sections failed. Standard output and error are the file. */
static int write_all(const struct cli *cli)
{
	int failed = 0;
	struct cli shown = *cli;
	shown.output = OUTPUT_WIDE;
	shown.terminal = (struct terminal){.is_utf8 = cli->terminal.is_utf8};
	shown.is_for_others = true;
	write_head(&shown);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		failed += !write_section(&shown, &sections[i]);
	return failed;
}

/* Runs write_all with both streams in the file. 0, or -1 with err when it could not be written. */
static int fill(const struct cli *cli, int fd, const char *file, int *ret_failed, struct err *err)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (out < 0 || errors < 0)
		return err_set_errno(err, ERR_SYSTEM, "cannot write %s", file);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	*ret_failed = write_all(cli);
	int rc = fflush(stdout) != 0 || ferror(stdout) != 0 || fsync(fd) != 0 ? -1 : 0;
	int number = errno;
	clearerr(stdout); /* what went wrong was the file */
	dup2(out, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	close(out);
	close(errors);
	errno = number;
	return rc == 0 ? 0 : err_set_errno(err, ERR_SYSTEM, "cannot write %s", file);
}

/* Nothing is made when there is nobody to ask. */
static int check_source(const struct cli *cli, struct err *err)
{
	json_t *document = NULL;
	if (cli->offline_dir != NULL)
		return 0;
	int rc = source_get(cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, err);
	json_decref(document);
	return rc;
}

int command_support_bundle(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	const char *file = args->positional[0];
	int failed = 0;
	if (check_source(cli, &err) != 0)
		return cli_fail(&err);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	if (fd < 0) {
		bool is_there = errno == EEXIST;
		err_set_errno(&err, is_there ? ERR_CONFIG : ERR_SYSTEM, "cannot make %s%s", file,
			is_there ? ", nothing is overwritten" : "");
		return cli_fail(&err);
	}
	int rc = fill(cli, fd, file, &failed, &err);
	close(fd);
	if (rc != 0) {
		unlink(file);
		return cli_fail(&err);
	}
	cli_note("%s is written: read it before you send it", file);
	if (failed > 0)
		cli_note("%d of its parts could not be read; it says why", failed);
	return failed > 0 ? EXIT_WARNINGS : EXIT_DONE;
}
