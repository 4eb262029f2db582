/*
 * acmsensor complete WORD...: what the completion of shells calls (packaging/completion). The words
 * are those behind the program's name, the last is being typed. Prints candidates, one a line, with
 * a tab and a description where there is one; ":files" where the shell should offer files. Whatever
 * fails is silent, and it never takes longer than LIMIT_S: somebody waits at a prompt.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/complete_line.h"
#include "cli/row.h"
#include "cli/source.h"
#include "cli/values.h"
#include "sensor/local_api.h"

enum {
	LIMIT_S = 2,
	CANDIDATES_MAX = 1000,	/* more than a person looks through */
	REGION_ROWS_MAX = 2000, /* coverage of so many account-regions names every region in use */
	DESCRIPTION_MAX = 60,
	NAME_MAX_BYTES = 64,
};

struct candidates {
	const struct complete_line *line;
	char *seen[CANDIDATES_MAX]; /* owned */
	size_t count;
	size_t rows;
};

/* --- printing --------------------------------------------------------------------------------- */

/* Names come from outside and land on a command line, so only those are offered that no shell reads
 * anything into. */
static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "._-:/@+=,*";
	return text[0] != '\0' && text[strspn(text, plain)] == '\0';
}

static void print(const struct complete_line *line, const char *candidate, const char *help)
{
	printf("%.*s%s", line->front_len, line->front, candidate);
	if (help[0] != '\0') {
		struct buf text;
		buf_init(&text, 8 * DESCRIPTION_MAX);
		text_escape_line(&text, help, strlen(help), DESCRIPTION_MAX);
		printf("\t%s", buf_text(&text));
		buf_clear(&text);
	}
	putchar('\n');
}

/* help: may be NULL. Offered once, when it begins as typed. */
static void offer(struct candidates *candidates, const char *candidate, const char *help)
{
	if (!text_has_prefix(candidate, candidates->line->typed) || !is_plain(candidate) ||
		candidates->count == CANDIDATES_MAX)
		return;
	for (size_t i = 0; i < candidates->count; i++)
		if (strcmp(candidates->seen[i], candidate) == 0)
			return;
	candidates->seen[candidates->count++] = xstrdup(candidate);
	print(candidates->line, candidate, help != NULL ? help : "");
}

/* A name that somebody else gave, which the program must not take for an option. */
static void offer_name(struct candidates *candidates, const char *name, const char *help)
{
	if (name[0] != '-')
		offer(candidates, name, help);
}

static void offer_words(struct candidates *candidates, const struct value *value)
{
	const char *at = value->words, *end = at + value->words_len;
	while (at < end) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		size_t len = (size_t)((blank != NULL ? blank : end) - at);
		char *word = xstrndup(at, len);
		offer(candidates, word, NULL);
		free(word);
		at += len + 1;
	}
}

static void offer_commands(struct candidates *candidates)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		offer(candidates, command->name, command->summary);
}

/* command: NULL before its name. */
static bool is_of_use(const struct command *command, const char *option)
{
	return command == NULL || command->works_offline || strcmp(option, "offline") != 0;
}

static void offer_options(struct candidates *candidates, const struct args *args)
{
	for (int i = 0; args->option != NULL && args->option[i].name != NULL; i++) {
		char name[NAME_MAX_BYTES];
		snprintf(name, sizeof(name), "--%s", args->option[i].name);
		if (complete_line_offers(args, i) &&
			is_of_use(candidates->line->command, args->option[i].name))
			offer(candidates, name, args->option[i].help);
	}
}

/* --- what the daemon knows -------------------------------------------------------------------- */

/* Of a list: one row to at most one candidate. */
struct list_source {
	enum list_kind kind;
	const char *candidate, *help; /* members of a row; help: NULL without one */
	size_t rows_max;	      /* 0: all */
};

struct taking {
	struct candidates *candidates;
	const struct list_source *source;
};

static int on_row(void *arg, const json_t *row, struct err *err)
{
	struct taking *taking = arg;
	const struct list_source *source = taking->source;
	struct candidates *candidates = taking->candidates;
	candidates->rows++;
	offer_name(candidates, row_text(row, source->candidate),
		source->help != NULL ? row_text(row, source->help) : NULL);
	if (candidates->count == CANDIDATES_MAX || candidates->rows == source->rows_max)
		return err_set(err, ERR_STOPPED, "enough");
	return 0;
}

/* What is typed of an ARN says where to look: its field number at, when it is complete. */
static const char *typed_field(const char *typed, int at, char ret_field[static NAME_MAX_BYTES])
{
	const char *colon = strchr(typed, ':');
	while (colon != NULL && --at > 0) {
		typed = colon + 1;
		colon = strchr(typed, ':');
	}
	if (at > 0 || colon == NULL || colon == typed || colon - typed >= NAME_MAX_BYTES)
		return NULL;
	snprintf(ret_field, NAME_MAX_BYTES, "%.*s", (int)(colon - typed), typed);
	return ret_field;
}

static void offer_list(
	const struct cli *cli, struct candidates *candidates, const struct list_source *source)
{
	const struct complete_line *line = candidates->line;
	struct params params = {.count = 0};
	struct err ignored = ERR_INIT;
	struct taking taking = {candidates, source};
	char region[NAME_MAX_BYTES], account[NAME_MAX_BYTES];
	const char *in_region = NULL, *in_account = NULL;
	if (text_has_prefix(line->typed, "arn:")) {
		in_region = typed_field(line->typed, 4, region);
		in_account = typed_field(line->typed, 5, account);
	}
	params_add(&params, "connector", complete_line_value(line, "connector"));
	bool has_place = source->kind != LIST_ACCOUNTS && source->kind != LIST_ALERTS;
	if (has_place) {
		params_add(&params, "account",
			in_account != NULL ? in_account : complete_line_value(line, "account"));
		params_add(&params, "region",
			in_region != NULL ? in_region : complete_line_value(line, "region"));
	}
	candidates->rows = 0;
	(void)source_rows(cli, source->kind, &params, on_row, &taking, &ignored); /* silent */
}

/* What the command would refuse is not offered; NULL: it takes any. */
static const char *wanted_state(const struct complete_line *line)
{
	static const char *const wanted[][2] = {{"apply", "open"}, {"cancel", "running"}};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (line->command != NULL && strcmp(line->command->name, wanted[i][0]) == 0)
			return wanted[i][1];
	return NULL;
}

/* Of a document that is read whole. path: where its rows are, ends with NULL. */
static void offer_document(const struct cli *cli, struct candidates *candidates,
	const char *document_path, const char *const path[], const char *const member[3])
{
	struct err ignored = ERR_INIT;
	json_t *document = NULL;
	size_t i;
	json_t *row;
	if (source_get(cli, document_path, NULL, LIMIT_S, &document, &ignored) != 0)
		return; /* silent */
	const json_t *rows = document;
	while (*path != NULL)
		rows = row_get(rows, *path++);
	const char *state = wanted_state(candidates->line);
	json_array_foreach(rows, i, row)
	{
		char help[DESCRIPTION_MAX];
		if (state != NULL && strcmp(row_text(row, "state"), state) != 0)
			continue;
		snprintf(help, sizeof(help), "%s%s%s", row_text(row, member[1]),
			member[2] != NULL ? " " : "",
			member[2] != NULL ? row_text(row, member[2]) : "");
		offer_name(candidates, row_text(row, member[0]), help);
	}
	json_decref(document);
}

/* To be acknowledged: by id, or by ARN once that is begun. */
static void offer_alerts(const struct cli *cli, struct candidates *candidates)
{
	static const struct list_source ids = {LIST_ALERTS, "id", "text", 0};
	static const struct list_source subjects = {LIST_ALERTS, "subject", "text", 0};
	const char *typed = candidates->line->typed;
	bool is_arn = text_has_prefix(typed, "arn:") ||
		      (typed[0] != '\0' && text_has_prefix("arn:", typed));
	offer_list(cli, candidates, &ids);
	if (is_arn)
		offer_list(cli, candidates, &subjects);
}

/* --- what is to be completed ------------------------------------------------------------------ */

static void offer_value(
	const struct cli *cli, struct candidates *candidates, const struct value *value)
{
	static const struct list_source accounts = {LIST_ACCOUNTS, "account_id", "name", 0};
	static const struct list_source regions = {LIST_COVERAGE, "region", NULL, REGION_ROWS_MAX};
	static const struct list_source arns = {LIST_CERTIFICATES, "arn", "domain_name", 0};
	static const struct list_source domains = {LIST_CERTIFICATES, "domain_name", NULL, 0};
	static const char *const connector[] = {"name", "scope", NULL};
	static const char *const plan[] = {"id", "decision", "state"};
	static const char *const job[] = {"id", "kind", "state"};
	static const char *const channel[] = {"name", "type", NULL};
	static const char *const connectors[] = {"status", "connectors", NULL};
	static const char *const channels[] = {"status", "alerts", "channels", NULL};
	static const char *const csr[] = {"id", "key_algorithm", "arn"}, *const csrs[] = {
										 "csrs", NULL};
	static const char *const plans[] = {"plans", NULL}, *const jobs[] = {"jobs", NULL};
	const char *first = candidates->line->first;
	switch (value->kind) {
	case VALUE_FREE:
		return;
	case VALUE_FILES:
		puts(":files");
		return;
	case VALUE_WORDS:
		offer_words(candidates, value);
		return;
	case VALUE_COMMANDS:
		offer_commands(candidates);
		return;
	case VALUE_CONNECTORS:
		offer_document(cli, candidates, LOCAL_API_STATUS, connectors, connector);
		return;
	case VALUE_ACCOUNTS:
		offer_list(cli, candidates, &accounts);
		return;
	case VALUE_REGIONS:
		offer_list(cli, candidates, &regions);
		return;
	case VALUE_ARNS:
		offer_list(cli, candidates, &arns);
		return;
	case VALUE_DOMAINS:
		offer_list(cli, candidates, &domains);
		return;
	case VALUE_PLANS:
		offer_document(cli, candidates, LOCAL_API_PLANS, plans, plan);
		return;
	case VALUE_JOBS:
		offer_document(cli, candidates, LOCAL_API_JOBS, jobs, job);
		return;
	case VALUE_REQUESTS:
		offer_document(cli, candidates, LOCAL_API_CSRS, csrs, csr);
		return;
	case VALUE_ALERTS: /* alerts ack ALERT, alerts test CHANNEL */
		if (first != NULL && strcmp(first, "ack") == 0)
			offer_alerts(cli, candidates);
		return;
	case VALUE_CHANNELS:
		if (first != NULL && strcmp(first, "test") == 0)
			offer_document(cli, candidates, LOCAL_API_STATUS, channels, channel);
		return;
	}
}

static void offer_all(const struct cli *cli, struct candidates *candidates)
{
	const struct complete_line *line = candidates->line;
	const char *at = line->argument;
	struct value value;
	switch (line->what) {
	case COMPLETE_NOTHING:
		return;
	case COMPLETE_COMMAND:
		offer_commands(candidates);
		return;
	case COMPLETE_OPTION:
		offer_options(candidates, &line->args);
		offer_options(candidates, &line->global);
		return;
	case COMPLETE_VALUE:
		while (value_next(&at, &value))
			offer_value(cli, candidates, &value);
		return;
	}
}

static void on_limit(int signal_number)
{
	(void)signal_number;
	_exit(EXIT_DONE); /* whole lines are out already */
}

int complete_run(struct cli *cli, int count, char *const *words)
{
	struct complete_line line;
	struct candidates candidates = {.line = &line};
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	signal(SIGALRM, on_limit);
	alarm(LIMIT_S);
	complete_line_read(commands, count, words, &line);
	const char *socket_path = args_get(&line.global, "socket");
	cli->socket_path = socket_path != NULL ? socket_path : LOCAL_API_SOCKET;
	cli->offline_dir = args_get(&line.global, "offline");
	cli->now_s = clock_now_s();
	offer_all(cli, &candidates);
	for (size_t i = 0; i < candidates.count; i++)
		free(candidates.seen[i]);
	return EXIT_DONE;
}
