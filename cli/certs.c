/* acmsensor certs: the inventory, what ends soonest first. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cert_style.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"

enum column {
	EXPIRES,
	DATE,
	DOMAIN,
	STATUS,
	TYPE,
	IN_USE,
	ACCOUNT,
	REGION,
	KEY,
	NAMES,
	SERIAL,
	ARN
};

static const struct table_column columns[] = {
	[EXPIRES] = {"EXPIRES", 0, 0, false, false, false},
	[DATE] = {"DATE", 3, 0, false, false, false},
	[DOMAIN] = {"DOMAIN", 0, 16, false, false, false},
	[STATUS] = {"STATUS", 0, 0, false, false, false},
	[TYPE] = {"TYPE", 4, 0, false, false, false},
	[IN_USE] = {"IN USE", 2, 0, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 1, 12, false, false, false},
	[REGION] = {"REGION", 1, 0, false, false, false},
	[KEY] = {"KEY", 5, 0, false, true, false},
	[NAMES] = {"NAMES", 6, 0, true, true, false},
	[SERIAL] = {"SERIAL", 7, 0, false, true, false},
	[ARN] = {"ARN", 8, 0, false, true, false},
	{NULL, 0, 0, false, false, false},
};

static void add_certificate(struct table *table, const json_t *row, const struct cli *cli)
{
	char relative[DATES_TEXT_MAX], day[DATES_TEXT_MAX], names[16];
	int64_t not_after_s = row_time(row, "not_after");
	const char *domain = row_text(row, "domain_name"), *account = row_text(row, "account_name");
	const char *cell[TABLE_COLUMNS_MAX] = {
		[EXPIRES] = dates_relative(not_after_s, cli->now_s, relative),
		[DATE] = dates_day(not_after_s, day),
		[DOMAIN] = domain[0] != '\0' ? domain : "(no domain)",
		[STATUS] = cert_status_word(row),
		[TYPE] = row_text(row, "type"),
		[IN_USE] = row_bool(row, "in_use") ? "yes" : "no",
		[ACCOUNT] = account[0] != '\0' ? account : row_text(row, "account_id"),
		[REGION] = row_text(row, "region"),
		[KEY] = row_text(row, "key_algorithm"),
		[NAMES] = names,
		[SERIAL] = row_text(row, "serial"),
		[ARN] = row_text(row, "arn"),
	};
	snprintf(names, sizeof(names), "%zu",
		json_array_size(row_get(row, "subject_alternative_names")));
	table_add(table, cell, EXPIRES, cert_style(row, cli->now_s));
}

int command_certs(struct cli *cli, const struct args *args)
{
	static const char *const pair[][2] = {{"expires", "expires"},
		{"expires-after", "expires_after"}, {"domain", "domain"},
		{"domain-suffix", "domain_suffix"}, {"connector", "connector"},
		{"account", "account"}, {"region", "region"}, {"status", "status"},
		{"type", "type"}, {"in-use", "in_use"}, {"tag", "tag"},
		{"fingerprint", "fingerprint"}, {"serial", "serial"}, {"sort", "sort"}};
	static const struct view view = {LIST_CERTIFICATES, columns, add_certificate};
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 0;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		params_add(&params, pair[i][1], args_get(args, pair[i][0]));
	params_add(&params, "gone", args_has(args, "gone") ? "yes" : NULL);
	if (output_list(cli, &view, &params, &rows, &err) != 0)
		return cli_fail(&err);
	if (rows == 0)
		output_nothing_found(cli, "no certificates match");
	return EXIT_DONE;
}
