/* acmsensor help: from the tables of commands and options. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "sensor/local_api.h"

enum { OPTION_COLUMNS = 24 };

/* What options alone do not tell. */
static const struct {
	const char *command, *text;
} more[] = {
	{"alerts",
		"An alert is told once on each channel, and again only when it gets worse: a nearer\n"
		"threshold, a higher class. ack: it is known; it is told again when it gets worse.\n"
		"test: sends a test message and says what the receiver answered.\n"
		"\n"
		"  acmsensor alerts --class critical\n"
		"  acmsensor alerts ack 3f9c0a1b2c3d4e5f --note \"new certificate is ordered\"\n"
		"  acmsensor alerts test ops\n"},
	{"plan",
		"Reads what ACM holds now and tells what a delivery would do; nothing is changed.\n"
		"The decision is reimport (same ARN), import (a new ARN) or refuse, with the reason.\n"
		"A plan can be applied once, for plan_life (1h), while ACM holds what it has seen.\n"
		"\n"
		"  acmsensor plan --arn ARN --cert new.pem --key new.key --chain chain.pem \\\n"
		"      --verify-host www.example.com\n"
		"  acmsensor plan --account 123456789012 --region eu-central-1 --pkcs12 new.p12 \\\n"
		"      --certificate-id shop --tag team=web\n"
		"\n"
		"Exit codes: 0 it can be applied, 4 it can, with warnings, 1 refused by ACM's rules\n"
		"or by what is there, 2 what was given cannot be used (a key that does not fit, ...).\n"},
	{"apply",
		"The daemon carries the plan out as a job, which goes on without this command and\n"
		"after a restart. Exit codes with --wait: 0 succeeded, 4 succeeded with warnings,\n"
		"1 failed or cancelled. Ctrl-C leaves the job running.\n"},
	{"jobs", "Exit codes with --follow: 0 succeeded or restored, 4 with warnings, 1 failed,\n"
		 "impossible or cancelled. Ctrl-C leaves the job running.\n"},
	{"cancel",
		"Works until the import is sent; what was sent cannot be called back: see rollback.\n"},
	{"rollback",
		"Imports the certificate that was there before, with the key that this sensor\n"
		"delivered and kept sealed. ACM never returns a private key, so a certificate that\n"
		"somebody else imported cannot be brought back; the plan said so before.\n"
		"Exit codes with --wait: 0 restored, 4 with warnings, 1 failed or impossible.\n"},
	{"csr", "The request goes to standard output, its id (REQUEST) to standard error. The private key\n"
		"stays on the sensor:\n"
		"\n"
		"  acmsensor csr --domain www.example.com --key-type ec256 >www.csr\n"
		"  acmsensor plan --csr REQUEST --account 123456789012 --region eu-central-1 \\\n"
		"      --cert signed.pem --chain chain.pem\n"
		"\n"
		"DN: KEY=VALUE,KEY=VALUE with CN, O, OU, L, ST, C (two letters), emailAddress, ...\n"
		"With --arn the plan takes the same --arn instead of account and region. The key is\n"
		"in the vault whatever key_escrow says, for 90 days if no certificate comes. Until then\n"
		"--list has the requests, --show REQUEST prints one again, --drop REQUEST wipes it.\n"},
	{"metrics",
		"The same as Prometheus gets from metrics_listen, whatever -o says. As a file for its\n"
		"node exporter, where nothing listens:\n"
		"\n"
		"  acmsensor metrics --classic >a.tmp && mv a.tmp /var/lib/node_exporter/a.prom\n"},
	{"delete",
		"Refuses while something uses the certificate, or waits with --wait-until-unused.\n"
		"Asks for the domain name (where a scan has seen it) or the last 8 characters of the\n"
		"ARN; in a script --yes ARN must repeat the ARN. The private key cannot be had again\n"
		"from ACM.\n"
		"Exit codes with --wait: 0 deleted, or there was nothing to delete, 1 failed.\n"},
	{"vault",
		"What the daemon keeps sealed (keys that wait for a certificate, keys for a way back)\n"
		"lies in data_dir, and so does the master key that it makes for itself. vault init\n"
		"makes it a credential of systemd instead, sealed by this host (its TPM if there is\n"
		"one) from systemd 250 on, switches it on with a drop-in for acmsensord.service, and\n"
		"says what to back up. A key that the daemon has made already is taken over; nothing\n"
		"is overwritten. --offline DATA_DIR: where its data are, if not " LOCAL_API_DATA_DIR
		".\n"
		"Restoring on another host: put the key into DATA_DIR/vault/master.key (0600, the\n"
		"daemon's), then vault init.\n"},
};

/* is_offline_one: whether --offline is among them. */
static void print_options(const struct option_spec *option, bool is_offline_one)
{
	for (; option->name != NULL; option++) {
		char left[64];
		if (!is_offline_one && strcmp(option->name, "offline") == 0)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", option->name,
			option->argument != NULL ? " " : "",
			option->argument != NULL ? option->argument : "");
		/* An option too long for its column has a line of its own. */
		if (strlen(left) > OPTION_COLUMNS)
			printf("  %s\n  %-*s %s\n", left, OPTION_COLUMNS, "", option->help);
		else
			printf("  %-*s %s\n", OPTION_COLUMNS, left, option->help);
	}
}

static void print_all(void)
{
	printf("Usage: acmsensor [OPTIONS] COMMAND [OPTIONS] [ARGUMENT]\n\nCommands:\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		printf("  %-10s %s\n", command->name, command->summary);
	printf("\nOptions of every command:\n");
	print_options(global_options, true);
	printf("\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 done with warnings.\n"
	       "Help of a command: acmsensor help COMMAND\n");
}

static void print_one(const struct command *command)
{
	printf("Usage: acmsensor %s%s%s%s\n\n%s.\n", command->name,
		command->option->name != NULL ? " [OPTIONS]" : "",
		command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (strcmp(more[i].command, command->name) == 0)
			printf("\n%s", more[i].text);
	if (command->option->name != NULL)
		printf("\nOptions:\n");
	print_options(command->option, true);
	printf("\nOptions of every command:\n");
	print_options(global_options, command->works_offline);
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
