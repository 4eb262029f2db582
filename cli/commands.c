/*
 * The tables of commands and options: the command line, its help, the manual and the completion of
 * shells come from them. What is written for a value says what it is; values.c knows each.
 */
#include <stddef.h>

#include "cli/cli.h"
#include "sensor/local_api.h"

#define CONNECTOR                                                                                  \
	{                                                                                          \
		"connector", "CONNECTOR", "only of this connector"                                 \
	}
#define ACCOUNT                                                                                    \
	{                                                                                          \
		"account", "ACCOUNT", "only of this account (12 digits)"                           \
	}
#define REGION                                                                                     \
	{                                                                                          \
		"region", "REGION", "only of this region"                                          \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, NULL, NULL                                                                   \
	}

static const struct option_spec no_options[] = {END};
static const struct option_spec scan_options[] = {CONNECTOR, ACCOUNT, REGION,
	{"wait", NULL,
		"show the progress and the outcome; exit 4 when something could not be read"},
	END};
static const struct option_spec accounts_options[] = {CONNECTOR, END};
static const struct option_spec coverage_options[] = {CONNECTOR, ACCOUNT, REGION,
	{"state", "STATE", "only this state: ok, denied, region_disabled, ..."},
	{"problems", NULL, "only what could not be read and should be"}, END};
static const struct option_spec certs_options[] = {CONNECTOR, ACCOUNT, REGION,
	{"expires", "WHEN", "only what ends by then: 30d, 2026-12-31 (what has expired too)"},
	{"expires-after", "WHEN", "only what ends after then; 0d leaves out what has expired"},
	{"domain", "DOMAIN", "only what covers this name, by a wildcard too"},
	{"domain-suffix", "DOMAIN", "only with this name or any name below it"},
	{"status", "STATUS",
		"only this status: ISSUED, EXPIRED, PENDING_VALIDATION, FAILED, REVOKED, ..."},
	{"type", "TYPE", "only this type: IMPORTED, AMAZON_ISSUED or PRIVATE"},
	{"in-use", "yes|no", "only what is bound to something, or not"},
	{"tag", "KEY[=VALUE]", "only with this tag"},
	{"fingerprint", "HEX", "only with this SHA-256 of the certificate"},
	{"serial", "HEX", "only with this serial number"},
	{"sort", "FIELD",
		"order: expires (default), domain, account, region, status, type, first_seen or arn"},
	{"gone", NULL, "also those that ACM no longer lists"}, END};
static const struct option_spec show_options[] = {
	{"pem", NULL, "print the certificate and its chain as PEM"},
	{"gone", NULL, "also those that ACM no longer lists"}, END};
static const struct option_spec events_options[] = {
	{"since", "WHEN", "from then on: 2h, 7d, 2026-11-01 (default: 1d)"},
	{"limit", "N", "at most this many"},
	{"follow", NULL, "go on as events happen, until interrupted"}, END};

static const struct option_spec metrics_options[] = {
	{"classic", NULL, "the older text format of Prometheus, which the node exporter reads"},
	END};
static const struct option_spec alerts_options[] = {
	{"all", NULL, "also those that are over, for 30 days"},
	{"class", "CLASS", "only this class and worse: notice, warning, critical, emergency"},
	{"kind", "KIND", "only certificate, coverage, connector, job or identity"},
	{"note", "TEXT", "with ack: why"}, END};

static const struct option_spec plan_options[] = {
	{"connector", "CONNECTOR", "through this connector; needed when there is more than one"},
	{"account", "ACCOUNT", "into this account (12 digits); default: the ARN's"},
	{"region", "REGION", "into this region; default: the ARN's"},
	{"arn", "ARN", "replace the certificate under this ARN"},
	{"certificate-id", "ID",
		"replace the one tagged acmsensor:certificate-id=ID, or tag this one"},
	{"new-arn", NULL, "import as a new certificate, though there is one to replace"},
	{"cert", "FILE", "the certificate, PEM, DER or PKCS#7; - is standard input"},
	{"key", "FILE", "its private key, PEM or DER, encrypted or not"},
	{"chain", "FILE", "its chain, PEM, DER or PKCS#7, in any order"},
	{"pkcs12", "FILE", "certificate, key and chain in one PKCS#12 file"},
	{"passphrase-file", "FILE", "its first line opens the key; else asked for when needed"},
	{"csr", "REQUEST", "the key is that of this request of acmsensor csr"},
	{"keep-root", NULL, "send the root of the chain too"},
	{"tag", "KEY=VALUE...", "set this tag; up to 40"},
	{"verify-host", "HOST[:PORT]...", "prove it by a TLS handshake there; up to 32"},
	{"auto-rollback", NULL,
		"go back when ACM holds neither certificate, or a host shows another"},
	END};
static const struct option_spec wait_options[] = {
	{"wait", NULL, "show each step as it comes, and the outcome"}, END};
static const struct option_spec jobs_options[] = {
	{"follow", NULL, "of one job: each step as it comes, until it ends"}, END};
static const struct option_spec csr_options[] = {
	{"connector", "CONNECTOR", "whose; with --arn needed when there is more than one"},
	{"domain", "DOMAIN...", "a name of the certificate; up to 100"},
	{"key-type", "KEY_TYPE", "rsa2048 (default), rsa3072, rsa4096, ec256 or ec384"},
	{"subject", "DN", "such as CN=www.example.com,O=Example; default: the first domain"},
	{"arn", "ARN", "take names, key type and usages from what is to be replaced"},
	{"list", NULL, "the requests that were made, until they are wiped"},
	{"show", "REQUEST", "print one of them again"},
	{"drop", "REQUEST", "wipe one of them with its key, for ever"}, END};
static const struct option_spec log_options[] = {
	{"for", "TIME", "how long: 30s, 10m (default), up to 1d; then it goes back by itself"},
	END};
static const struct option_spec delete_options[] = {
	{"connector", "CONNECTOR", "through this connector; needed when there is more than one"},
	{"wait-until-unused", NULL, "wait until nothing uses it, then delete"},
	{"wait", NULL, "show each step as it comes, and the outcome"},
	{"yes", "ARN", "the same ARN again: do not ask (for scripts)"}, END};
static const struct option_spec vault_options[] = {
	{"key-file", "FILE", "make it there, for a daemon without systemd's credentials"}, END};

const struct option_spec global_options[] = {
	{"socket", "PATH", "the daemon's control socket (default " LOCAL_API_SOCKET ")"},
	{"offline", "DATA_DIR", "read the store itself, without a daemon"},
	{"output", "FORMAT", "-o table (default), wide, json or csv"},
	{"help", NULL, "print the help, or that of a command"},
	{"version", NULL, "print the version"},
	END,
};

const struct command commands[] = {
	{"status", "", "sensor, connectors, counts, and what needs attention first", no_options, 0,
		0, command_status, true},
	{"scan", "", "start a cycle now", scan_options, 0, 0, command_scan, false},
	{"accounts", "", "the tree of units and accounts with counts and coverage",
		accounts_options, 0, 0, command_accounts, true},
	{"coverage", "", "every account and region: read or not, why, and when last",
		coverage_options, 0, 0, command_coverage, true},
	{"certs", "", "the inventory; soonest end first", certs_options, 0, 0, command_certs, true},
	{"show", "ARN|FINGERPRINT|SERIAL|DOMAIN", "everything about a certificate", show_options, 1,
		1, command_show, true},
	{"events", "", "what happened", events_options, 0, 0, command_events, true},
	{"alerts", "[ack|test] [ALERT|CHANNEL]",
		"what is to be told, worst first; ack: it is known; test: try a channel",
		alerts_options, 0, 2, command_alerts, true},
	{"config", "", "effective configuration, and where each value comes from", no_options, 0, 0,
		command_config, false},
	{"plan", "", "what a delivery would do, before anything is done", plan_options, 0, 0,
		command_plan, false},
	{"apply", "PLAN", "carry out a plan", wait_options, 1, 1, command_apply, false},
	{"plans", "[PLAN]", "the plans, or one again", no_options, 0, 1, command_plans, false},
	{"jobs", "[JOB]", "deliveries, rollbacks and deletions; every step of one", jobs_options, 0,
		1, command_jobs, false},
	{"cancel", "JOB", "stop a job before it changes anything", no_options, 1, 1, command_cancel,
		false},
	{"rollback", "JOB", "bring back what a delivery replaced", wait_options, 1, 1,
		command_rollback, false},
	{"csr", "", "make a key on the sensor, and the request for its certificate", csr_options, 0,
		0, command_csr, false},
	{"delete", "ARN", "delete a certificate that nothing uses", delete_options, 1, 1,
		command_delete, false},
	{"metrics", "", "what a monitoring system is told, as OpenMetrics text", metrics_options, 0,
		0, command_metrics, false},
	{"backup", "FILE", "copy the store, consistent, while the daemon runs", no_options, 1, 1,
		command_backup, true},
	{"restore", "FILE", "put a backup in place of the store, while the daemon is stopped",
		no_options, 1, 1, command_restore, true},
	{"log", "[LEVEL]",
		"the daemon's last log lines; with error, warning, info or debug another level for a "
		"while, with default back",
		log_options, 0, 1, command_log, false},
	{"support-bundle", "FILE", "collect what somebody who helps needs to know, as text",
		no_options, 1, 1, command_support_bundle, true},
	{"vault", "init", "give the vault a master key of its own", vault_options, 1, 1,
		command_vault, true},
	{"help", "[COMMAND]", "this, or the help of a command", no_options, 0, 1, command_help,
		false},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, false},
};
