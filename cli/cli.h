/* What every command of the CLI works with: where the data comes from, how it is shown, how it
 * ends. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/terminal.h"

struct err;

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_REACHABLE = 3, /* no daemon behind the socket */
	EXIT_WARNINGS = 4,	/* done, but something could not be read, or is to be looked at */
	EXIT_INTERRUPTED = 130, /* as a shell says of SIGINT */
};

enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_CSV };

struct cli {
	const char *socket_path; /* borrowed for the program's life, as offline_dir */
	const char *offline_dir; /* NULL: ask the daemon */
	bool works_offline;	 /* the command could, so it may be advised */
	char *program;		 /* owned; cli_program_new; NULL: no option was given */
	enum output output;
	struct terminal terminal; /* of stdout */
	int64_t now_s;
	bool is_for_others; /* what is printed leaves this host: external ids are not shown */
};

/* One line "acmsensor: ..." on stderr, outsiders' bytes escaped, cut to LOG_LINE_MAX; what was
 * printed on stdout before it comes first. */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * The error's text as a note.
 *
 * returns  EXIT_USAGE: ERR_CONFIG; EXIT_NOT_REACHABLE: ERR_UNREACHABLE; EXIT_INTERRUPTED: as
 *          interrupt_is; else EXIT_FAILED
 */
int cli_fail(const struct err *err);

/* "acmsensor", with --socket or --offline when the user gave it: every command that is suggested
 * begins so. Borrowed from cli. */
const char *cli_program(const struct cli *cli);
/* Both NULL when not given; a shell reads the result as one word an argument. Owned by the
 * caller. */
char *cli_program_new(const char *socket_path, const char *offline_dir);

/* The commands, a file each; all return an exit code. */
int command_status(struct cli *cli, const struct args *args);
int command_scan(struct cli *cli, const struct args *args);
int command_accounts(struct cli *cli, const struct args *args);
int command_coverage(struct cli *cli, const struct args *args);
int command_certs(struct cli *cli, const struct args *args);
int command_show(struct cli *cli, const struct args *args);
int command_events(struct cli *cli, const struct args *args);
int command_alerts(struct cli *cli, const struct args *args);
int command_config(struct cli *cli, const struct args *args);
int command_metrics(struct cli *cli, const struct args *args);
int command_backup(struct cli *cli, const struct args *args);
int command_support_bundle(struct cli *cli, const struct args *args);
int command_log(struct cli *cli, const struct args *args);
int command_restore(struct cli *cli, const struct args *args);
int command_plan(struct cli *cli, const struct args *args);
int command_plans(struct cli *cli, const struct args *args);
int command_apply(struct cli *cli, const struct args *args);
int command_jobs(struct cli *cli, const struct args *args);
int command_cancel(struct cli *cli, const struct args *args);
int command_rollback(struct cli *cli, const struct args *args);
int command_csr(struct cli *cli, const struct args *args);
int command_delete(struct cli *cli, const struct args *args);
int command_vault(struct cli *cli, const struct args *args);
int command_help(struct cli *cli, const struct args *args);

/* No command of the table: what the completion of shells calls. words: without the program's name,
 * the last is being typed. Prints a candidate a line; never says a word on stderr, never takes
 * longer than 2 s, and always returns EXIT_DONE. */
int complete_run(struct cli *cli, int count, char *const *words);

extern const struct command commands[]; /* ended by a NULL name */

#endif
