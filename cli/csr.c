/* acmsensor csr: a key made on the sensor, where it stays, and the request for its certificate. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/argument.h"
#include "cli/arn_place.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

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

static int check(const struct args *args, struct err *err)
{
	struct arn_place ignored;
	const char *arn = args_get(args, "arn");
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

/* The request alone on stdout, so that it can go into a file. */
static void print_csr(const struct cli *cli, const json_t *csr)
{
	fputs(row_text(csr, "pem"), stdout);
	cli_note("request %s, key %s, which stays on the sensor", row_text(csr, "id"),
		row_text(csr, "key_algorithm"));
	note_escrow(csr);
	note_next(cli, csr);
}

int command_csr(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	if (check(args, &err) != 0)
		return cli_fail(&err);
	json_t *order = make_order(args);
	int rc = source_post(cli, LOCAL_API_CSR, order, &document, &err);
	json_decref(order);
	const json_t *csr = row_get(document, "csr");
	if (rc == 0 && (row_text(csr, "pem")[0] == '\0' || !row_is_pem(csr, "pem")))
		rc = err_set(&err, ERR_PROTOCOL, "answer of the daemon: there is no request in it");
	if (rc == 0)
		output_object(cli, document, "csr", print_csr);
	json_decref(document);
	return rc == 0 ? EXIT_DONE : cli_fail(&err);
}
