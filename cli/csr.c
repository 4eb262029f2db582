/* acmsensor csr: a key made on the sensor, where it stays, and the request for its certificate; and
 * those that were made. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/argument.h"
#include "cli/arn_place.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum { TIMEOUT_S = 30 };

static int check_texts(const struct args *args, struct err *err)
{
	if (argument_check_text(args, "connector", LOCAL_API_CONNECTOR_MAX, err) != 0 ||
		argument_check_text(args, "arn", LOCAL_API_ARN_MAX, err) != 0 ||
		argument_check_text(args, "domain", LOCAL_API_DOMAIN_MAX, err) != 0 ||
		argument_check_text(args, "subject", LOCAL_API_SUBJECT_MAX, err) != 0 ||
		argument_check_count(args, "domain", LOCAL_API_DOMAINS_MAX, err) != 0)
		return -1;
	return argument_check_word(args, "key-type", err);
}

/* Of what was made before, instead of making one; NULL: none of them. */
static const char *other_task(const struct args *args)
{
	static const char *const task[] = {"list", "show", "drop"};
	for (size_t i = 0; i < sizeof(task) / sizeof(task[0]); i++)
		if (args_has(args, task[i]))
			return task[i];
	return NULL;
}

static int check_alone(const struct args *args, const char *task, struct err *err)
{
	for (const struct option_spec *option = args->option; option->name != NULL; option++)
		if (strcmp(option->name, task) != 0 && args_has(args, option->name))
			return err_set(err, ERR_CONFIG, "--%s and --%s exclude each other", task,
				option->name);
	return 0;
}

static int check(const struct args *args, struct err *err)
{
	struct arn_place ignored;
	const char *arn = args_get(args, "arn"), *task = other_task(args);
	if (task != NULL)
		return check_alone(args, task, err);
	if (arn == NULL && !args_has(args, "domain"))
		return err_set(err, ERR_CONFIG,
			"what for is missing: give --domain DOMAIN (may be repeated), or --arn ARN "
			"to take the names of what is to be replaced");
	if (arn != NULL && !arn_place_parse(arn, &ignored))
		return err_set(err, ERR_CONFIG,
			"--arn %.100s: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID", arn);
	return check_texts(args, err);
}

static json_t *make_order(const struct args *args)
{
	static const char *const text[][2] = {{"connector", "connector"}, {"key-type", "key_type"},
		{"subject", "subject"}, {"arn", "arn"}};
	json_t *order = json_object(), *domains = json_array();
	const char *domain;
	for (int at = 0; (domain = args_next(args, "domain", &at)) != NULL;)
		json_array_append_new(domains, row_argument(domain));
	if (json_array_size(domains) > 0)
		json_object_set(order, "domains", domains);
	json_decref(domains);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (args_has(args, text[i][0]))
			json_object_set_new(
				order, text[i][1], row_argument(args_get(args, text[i][0])));
	return order;
}

static void note_escrow(const json_t *csr)
{
	const char *escrow = row_text(csr, "key_escrow");
	if (escrow[0] != '\0' && strcmp(escrow, "sensor") != 0)
		cli_note("key_escrow = %s does not hold for it: a key that waits for its "
			 "certificate is sealed in the sensor's vault, to outlive a restart",
			escrow);
}

/* The whole command that goes on with it; only files, and a place without an ARN, are to be filled
 * in. */
static void note_next(const struct cli *cli, const json_t *csr)
{
	const char *arn = row_text(csr, "arn"), *connector = row_text(csr, "connector");
	cli_note("once it is signed: %s plan --csr %s%s%s%s%s --cert FILE --chain FILE",
		cli_program(cli), row_text(csr, "id"), connector[0] != '\0' ? " --connector " : "",
		connector, arn[0] != '\0' ? " --arn " : " --account ACCOUNT --region REGION", arn);
}

static bool is_applied(const json_t *csr)
{
	return strcmp(row_text(csr, "state"), "applied") == 0;
}

static void note_warnings(const json_t *csr)
{
	size_t i;
	json_t *text;
	json_array_foreach(row_get(csr, "warnings"), i, text)
	{
		cli_note("warning: %s", json_is_string(text) ? json_string_value(text) : "");
	}
}

/* The request alone on stdout, so that it can go into a file. */
static void print_csr(const struct cli *cli, const json_t *csr)
{
	fputs(row_text(csr, "pem"), stdout);
	cli_note("request %s, key %s, which stays on the sensor", row_text(csr, "id"),
		row_text(csr, "key_algorithm"));
	note_warnings(csr);
	note_escrow(csr);
	if (is_applied(csr))
		cli_note("its certificate is applied: the key is being delivered, or was, and is "
			 "wiped when the time for the way back is over");
	else
		note_next(cli, csr);
}

/* One that cannot be opened any more says why in place of all else. */
static int check_answer(const json_t *csr, struct err *err)
{
	if (row_text(csr, "pem")[0] != '\0' && row_is_pem(csr, "pem"))
		return 0;
	if (row_has(csr, "error"))
		return err_set(err, ERR_STORE, "%s", row_text(csr, "error"));
	return err_set(err, ERR_PROTOCOL, "answer of the daemon: there is no request in it");
}

static int make(
	const struct cli *cli, const struct args *args, bool *ret_has_warnings, struct err *err)
{
	json_t *document = NULL, *order = make_order(args);
	int rc = source_post(cli, LOCAL_API_CSR, order, &document, err);
	json_decref(order);
	if (rc == 0)
		rc = check_answer(row_get(document, "csr"), err);
	if (rc == 0) {
		*ret_has_warnings =
			json_array_size(row_get(row_get(document, "csr"), "warnings")) > 0;
		output_object(cli, document, "csr", print_csr);
	}
	json_decref(document);
	return rc;
}

/* --- those that were made --------------------------------------------------------------------- */

enum column { ID, STATE, KEY, CREATED, EXPIRES, NAMES, ARN, PROBLEM };

static const struct table_column columns[] = {
	[ID] = {"REQUEST", 0, TABLE_WHOLE, false, false, false},
	[STATE] = {"STATE", 1, 0, false, false, false},
	[KEY] = {"KEY", 1, 0, false, false, false},
	[CREATED] = {"CREATED", 2, 0, false, false, false},
	[EXPIRES] = {"WIPED", 2, 0, false, false, false},
	[NAMES] = {"NAMES", 0, 12, false, false, false},
	[ARN] = {"ARN", 3, 0, false, true, false},
	[PROBLEM] = {"", 1, 0, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static void print_list(const struct cli *cli, const json_t *csrs)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *csr;
	json_array_foreach(csrs, i, csr)
	{
		char created[DATES_TEXT_MAX], expires[DATES_TEXT_MAX];
		struct buf names;
		buf_init(&names, FACTS_VALUE_MAX);
		facts_join(&names, row_get(csr, "domains"));
		const char *cell[TABLE_COLUMNS_MAX] = {
			[ID] = row_text(csr, "id"),
			[STATE] = row_text(csr, "state"),
			[KEY] = row_text(csr, "key_algorithm"),
			[CREATED] = dates_relative(row_time(csr, "created"), cli->now_s, created),
			[EXPIRES] = is_applied(csr) ? "" /* with its way back */
						    : dates_relative(row_time(csr, "expires"),
							      cli->now_s, expires),
			[NAMES] = buf_text(&names),
			[ARN] = row_text(csr, "arn"),
			[PROBLEM] = row_text(csr, "error"),
		};
		table_add(table, cell, PROBLEM, STYLE_RED);
		buf_clear(&names);
	}
	if (table_rows(table) > 0)
		table_print(table, stdout);
	else
		cli_note("there is no request: %s csr --domain DOMAIN makes one", cli_program(cli));
	table_free(table);
}

static int list(const struct cli *cli, struct err *err)
{
	json_t *document = NULL;
	if (source_get(cli, LOCAL_API_CSRS, NULL, TIMEOUT_S, &document, err) != 0)
		return -1;
	output_document(cli, document, "csrs", print_list);
	json_decref(document);
	return 0;
}

static int show(const struct cli *cli, const char *id, struct err *err)
{
	struct params params = {.count = 0};
	json_t *document = NULL;
	params_add(&params, "id", id);
	if (source_get(cli, LOCAL_API_CSRS, &params, TIMEOUT_S, &document, err) != 0)
		return -1;
	json_t *csr = json_array_get(row_get(document, "csrs"), 0);
	int rc = check_answer(csr, err);
	if (rc == 0) {
		json_object_set(document, "csr", csr);
		json_object_del(document, "csrs");
		output_object(cli, document, "csr", print_csr);
	}
	json_decref(document);
	return rc;
}

static int drop(const struct cli *cli, const char *id, struct err *err)
{
	json_t *document = NULL, *order = json_object();
	json_object_set_new(order, "csr", row_argument(id));
	int rc = source_post(cli, LOCAL_API_CSR_DROP, order, &document, err);
	json_decref(order);
	if (rc == 0)
		cli_note("request %s is dropped, and its key wiped", id);
	json_decref(document);
	return rc;
}

int command_csr(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	bool has_warnings = false;
	int rc = check(args, &err);
	if (rc != 0)
		return cli_fail(&err);
	if (args_has(args, "list"))
		rc = list(cli, &err);
	else if (args_has(args, "show"))
		rc = show(cli, args_get(args, "show"), &err);
	else if (args_has(args, "drop"))
		rc = drop(cli, args_get(args, "drop"), &err);
	else
		rc = make(cli, args, &has_warnings, &err);
	if (rc != 0)
		return cli_fail(&err);
	return has_warnings ? EXIT_WARNINGS : EXIT_DONE;
}
