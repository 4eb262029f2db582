/* acmsensor show: everything about one certificate; several matches are listed. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cert_style.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/row.h"

static void show_name(const struct cli *cli, const json_t *row)
{
	const char *domain = row_text(row, "domain_name");
	facts_heading(cli, domain[0] != '\0' ? domain : "(no domain)");
}

static void show_identity(const struct cli *cli, const json_t *row)
{
	show_name(cli, row);
	facts_styled(cli, "Status", cert_status_word(row), cert_style(row, cli->now_s));
	char text[2 * DATES_TEXT_MAX];
	if (row_has(row, "not_after"))
		facts_styled(cli, row_bool(row, "expired") ? "Expired" : "Expires",
			dates_both(row_time(row, "not_after"), cli->now_s, text),
			cert_style(row, cli->now_s));
	facts_line(cli, "ARN", row_text(row, "arn"));
	facts_line(cli, "Account", row_text(row, "account_name"));
	facts_line(cli, row_has(row, "account_name") ? "" : "Account", row_text(row, "account_id"));
	facts_line(cli, "Unit", row_text(row, "unit_path"));
	facts_line(cli, "Region", row_text(row, "region"));
	facts_line(cli, "Connector", row_text(row, "connector"));
	facts_styled(cli, "Incomplete", row_text(row, "detail_error"), STYLE_YELLOW);
}

static void show_x509(const struct cli *cli, const json_t *row)
{
	facts_title(cli, "Certificate");
	facts_line(cli, "Subject", row_text(row, "subject"));
	facts_line(cli, "Issuer", row_text(row, "issuer"));
	facts_list(cli, "Names", row_get(row, "subject_alternative_names"));
	facts_line(cli, "Serial", row_text(row, "serial"));
	facts_line(cli, "SHA-256", row_text(row, "fingerprint_sha256"));
	facts_line(cli, "Key", row_text(row, "key_algorithm"));
	facts_line(cli, "Signature", row_text(row, "signature_algorithm"));
	facts_list(cli, "Key usage", row_get(row, "key_usages"));
	facts_list(cli, "Extended usage", row_get(row, "extended_key_usages"));
	facts_time(cli, "Valid from", row_time(row, "not_before"));
}

static void show_tags(const struct cli *cli, const json_t *tags)
{
	const char *key;
	json_t *ignored;
	if (json_object_size(tags) == 0)
		return;
	facts_title(cli, "Tags");
	json_object_foreach((json_t *)tags, key, ignored)
	{
		const char *value = row_text(tags, key);
		facts_line(cli, key, value[0] != '\0' ? value : "(empty)");
	}
}

static void show_acm(const struct cli *cli, const json_t *row)
{
	facts_title(cli, "In ACM");
	facts_line(cli, "Type", row_text(row, "type"));
	facts_line(cli, "Key pair", row_text(row, "key_pair_origin"));
	facts_line(cli, "Managed by", row_text(row, "managed_by"));
	facts_line(cli, "Failure", row_text(row, "failure_reason"));
	facts_line(cli, "Revocation", row_text(row, "revocation_reason"));
	facts_line(cli, "Renewal", row_text(row, "renewal_eligibility"));
	facts_line(cli, "", row_text(row, "renewal_status"));
	facts_line(cli, "", row_text(row, "renewal_reason"));
	facts_line(cli, "Validation", row_text(row, "validation_method"));
	facts_line(cli, "Private CA", row_text(row, "certificate_authority_arn"));
	facts_line(cli, "Export", row_text(row, "export_option"));
	facts_line(cli, "Exported", row_bool(row, "exported") ? "yes" : "no");
	facts_time(cli, "Created", row_time(row, "created_at"));
	facts_time(cli, "Issued", row_time(row, "issued_at"));
	facts_time(cli, "Imported", row_time(row, "imported_at"));
	facts_time(cli, "Revoked", row_time(row, "revoked_at"));
	facts_line(cli, "In use", row_bool(row, "in_use") ? "yes, by" : "no");
	size_t i;
	json_t *arn;
	json_array_foreach(row_get(row, "in_use_by"), i, arn)
	{
		facts_line(cli, "", json_is_string(arn) ? json_string_value(arn) : "");
	}
}

static void show_chain(const struct cli *cli, const json_t *chain)
{
	size_t i;
	json_t *issuer;
	if (json_array_size(chain) == 0)
		return;
	facts_title(cli, "Chain");
	json_array_foreach(chain, i, issuer)
	{
		char label[24];
		snprintf(label, sizeof(label), "%zu", i + 1);
		facts_line(cli, label, row_text(issuer, "subject"));
		facts_line(cli, label, row_text(issuer, "error"));
		facts_time(cli, "", row_time(issuer, "not_after"));
	}
}

static void show_seen(const struct cli *cli, const json_t *row)
{
	facts_title(cli, "Seen by this sensor");
	facts_time(cli, "First", row_time(row, "first_seen"));
	facts_time(cli, "Last", row_time(row, "last_seen"));
	facts_time(cli, "Details read", row_time(row, "detailed_at"));
	facts_time(cli, "Gone since", row_time(row, "gone_since"));
	const json_t *history = row_get(row, "history");
	size_t i;
	json_t *serial;
	if (json_array_size(history) < 2)
		return;
	facts_title(cli, "Serials under this ARN, oldest first");
	json_array_foreach(history, i, serial)
	{
		char day[DATES_TEXT_MAX];
		facts_line(cli, dates_day(row_time(serial, "first_seen"), day),
			row_text(serial, "serial"));
	}
}

struct found {
	const struct cli *cli;
	bool is_pem;
	json_t *rows; /* owned */
};

static int collect(void *arg, const json_t *row, struct err *err)
{
	struct found *found = arg;
	(void)err;
	json_array_append(found->rows, (json_t *)row);
	return 0;
}

static int print_pem(const json_t *row)
{
	if (!row_has(row, "pem")) {
		cli_note("%s has no certificate yet (%s)", row_text(row, "arn"),
			row_text(row, "status"));
		return EXIT_FAILED;
	}
	if (row_text(row, "pem")[0] == '\0' || !row_is_pem(row, "pem") ||
		!row_is_pem(row, "chain_pem")) {
		cli_note("the daemon's answer about %s is not PEM", row_text(row, "arn"));
		return EXIT_FAILED;
	}
	printf("%s%s", row_text(row, "pem"), row_text(row, "chain_pem"));
	return EXIT_DONE;
}

/* Blocks instead of a table: an ARN is longer than many a terminal, and it is what is copied. */
static int print_several(const struct found *found)
{
	const struct cli *cli = found->cli;
	size_t i;
	json_t *row;
	json_array_foreach(found->rows, i, row)
	{
		char text[2 * DATES_TEXT_MAX];
		show_name(cli, row);
		facts_line(cli, "ARN", row_text(row, "arn"));
		facts_styled(cli, "Status", cert_status_word(row), cert_style(row, cli->now_s));
		facts_styled(cli, "Expires",
			row_has(row, "not_after")
				? dates_both(row_time(row, "not_after"), cli->now_s, text)
				: "",
			cert_style(row, cli->now_s));
		facts_line(cli, "Account", row_text(row, "account_name"));
	}
	cli_note("%zu certificates match; show one by its ARN", json_array_size(found->rows));
	return EXIT_DONE;
}

static int print_found(const struct found *found)
{
	if (json_array_size(found->rows) != 1)
		return print_several(found);
	const json_t *row = json_array_get(found->rows, 0);
	if (found->is_pem)
		return print_pem(row);
	show_identity(found->cli, row);
	show_x509(found->cli, row);
	show_acm(found->cli, row);
	show_tags(found->cli, row_get(row, "tags"));
	show_chain(found->cli, row_get(row, "chain"));
	show_seen(found->cli, row);
	return EXIT_DONE;
}

static int show_text(const struct cli *cli, const struct args *args, const struct params *params)
{
	struct err err = ERR_INIT;
	struct found found = {.cli = cli, .is_pem = args_has(args, "pem"), .rows = json_array()};
	int code = EXIT_FAILED;
	int rc = source_rows(cli, LIST_CERTIFICATE, params, collect, &found, &err);
	if (rc != 0 && err.kind != ERR_NOT_FOUND)
		code = cli_fail(&err);
	else if (json_array_size(found.rows) > 0)
		code = print_found(&found);
	else
		output_nothing_found(cli, "no certificate matches");
	json_decref(found.rows);
	return code;
}

int command_show(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_CERTIFICATE, NULL, NULL};
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 0;
	params_add(&params, "q", args->positional[0]);
	params_add(&params, "pem", args_has(args, "pem") ? "yes" : NULL);
	params_add(&params, "gone", args_has(args, "gone") ? "yes" : NULL);
	if (cli->output == OUTPUT_TABLE || cli->output == OUTPUT_WIDE)
		return show_text(cli, args, &params);
	if (output_list(cli, &view, &params, &rows, &err) != 0)
		return cli_fail(&err);
	return EXIT_DONE;
}
