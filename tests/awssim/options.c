/* The option table, its parser and --help (see options.h). */
#include "tests/awssim/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { HEADING, INT, REAL, TEXT, FLAG, LIST };

struct option_spec {
	const char *name;
	enum type type;
	size_t offset;
	const char *initial; /* default as text; NULL: 0, off or unset */
	int64_t min, max;    /* INT */
	const char *help;
};

#define AT(member) offsetof(struct options, member)
#define BIG	   ((int64_t)1 << 40)

static const struct option_spec table[] = {
	{"Organization", HEADING, 0, NULL, 0, 0, NULL},
	{"accounts", INT, AT(accounts), "12", 1, 20000, "accounts, management and hub included"},
	{"units", INT, AT(units), "6", 0, 2000, "organizational units"},
	{"unit-depth", INT, AT(unit_depth), "3", 1, 5, "deepest nesting of units"},
	{"regions", TEXT, AT(regions), "us-east-1,eu-central-1,eu-west-1,ap-east-1", 0, 0,
		"names separated by commas, or a number: the first N of the partition"},
	{"certs-per-region", REAL, AT(certs_per_region), "3", 0, 0,
		"mean number of certificates per account and region"},
	{"huge-account", INT, AT(huge_account), "0", 0, 1000000,
		"one reachable account gets this many certificates in one region"},
	{"seed", INT, AT(seed), "1", 0, BIG,
		"everything is a function of flags, seed and now-base"},
	{"now-base", TEXT, AT(now_base), NULL, 0, 0,
		"RFC 3339 time or Unix seconds that certificate dates count from (today 00:00 UTC)"},
	{"partition", TEXT, AT(partition), "aws", 0, 0, "aws, aws-cn, aws-us-gov or aws-eusc"},
	{"management-id", TEXT, AT(management_id), NULL, 0, 0,
		"12 digits of the management account"},
	{"hub", TEXT, AT(hub), "management", 0, 0,
		"whose base keys: management, delegated (administrator) or member"},
	{"account-fields", TEXT, AT(account_fields), "both", 0, 0,
		"state, status or both in answers of Organizations"},
	{"management-has-role", FLAG, AT(management_has_role), NULL, 0, 0,
		"the role exists in the management account too"},
	{"account-delegation", FLAG, AT(account_delegation), NULL, 0, 0,
		"ListRegions with AccountId works for the management account"},
	{"Odd accounts (number of each)", HEADING, 0, NULL, 0, 0, NULL},
	{"mixed", FLAG, AT(mixed), NULL, 0, 0,
		"some of every odd kind below that is not given (one account in 40, at least one)"},
	{"suspended", INT, AT(suspended), "-1", -1, 20000, "suspended accounts"},
	{"closed", INT, AT(closed), "-1", -1, 20000, "closed accounts"},
	{"pending-closure", INT, AT(pending_closure), "-1", -1, 20000, "accounts being closed"},
	{"pending-activation", INT, AT(pending_activation), "-1", -1, 20000,
		"accounts not yet activated"},
	{"no-role", INT, AT(no_role), "-1", -1, 20000, "accounts without the role"},
	{"trust-refuses", INT, AT(trust_refuses), "-1", -1, 20000,
		"roles that do not trust the hub"},
	{"scp-region", INT, AT(scp_region), "-1", -1, 20000,
		"accounts where an SCP denies one region"},
	{"scp-account", INT, AT(scp_account), "-1", -1, 20000,
		"accounts where an SCP denies everything"},
	{"scp-acm", INT, AT(scp_acm), "-1", -1, 20000, "accounts where an SCP denies ACM"},
	{"acm-denied", INT, AT(acm_denied), "-1", -1, 20000,
		"accounts whose role may not use ACM (no SCP)"},
	{"disabled-optin", INT, AT(disabled_optin), "-1", -1, 20000,
		"accounts where the opt-in regions are disabled"},
	{"lying-regions", INT, AT(lying_regions), "-1", -1, 20000,
		"accounts where one region is listed as enabled and is not"},
	{"list-regions-denied", INT, AT(list_regions_denied), "-1", -1, 20000,
		"accounts where ListRegions is denied, EC2 DescribeRegions works"},
	{"regions-denied", INT, AT(regions_denied), "-1", -1, 20000,
		"accounts where both ways to list regions are denied"},
	{"Credentials", HEADING, 0, NULL, 0, 0, NULL},
	{"role-name", TEXT, AT(role_name), "OrganizationAccountAccessRole", 0, 0,
		"role of the member accounts"},
	{"management-role", TEXT, AT(management_role), "AcmSensorOrganizationReader", 0, 0,
		"role of the management account (for --hub member)"},
	{"external-id", TEXT, AT(external_id), NULL, 0, 0, "external id that the role asks for"},
	{"access-key", TEXT, AT(access_key), "AKIAAWSSIMBASEKEY001", 0, 0, "base access key id"},
	{"secret-key", TEXT, AT(secret_key), "awssim/base+secret/0123456789abcdefghijkl", 0, 0,
		"base secret access key"},
	{"base-token", FLAG, AT(base_token), NULL, 0, 0,
		"the base keys are a role session with a session token"},
	{"session-seconds", INT, AT(session_seconds), "0", 0, 43200,
		"every session ends after this, whatever was asked for (0: as asked)"},
	{"max-session-seconds", INT, AT(max_session_seconds), "3600", 900, 43200,
		"MaxSessionDuration of the roles"},
	{"Behaviour", HEADING, 0, NULL, 0, 0, NULL},
	{"rate-scale", REAL, AT(rate_scale), "1", 0, 0,
		"multiplies AWS's rate limits; 0 is no limit"},
	{"latency-ms", INT, AT(latency_ms), "0", 0, 600000, "delay of each answer"},
	{"clock-offset-s", INT, AT(clock_offset_s), "0", -BIG, BIG,
		"AWS's clock against the real one"},
	{"awkward-pages", FLAG, AT(awkward_pages), NULL, 0, 0,
		"pages come short, empty or overlapping, with a NextToken"},
	{"refuse-origins", FLAG, AT(refuse_origins), NULL, 0, 0,
		"CertificateKeyPairOrigins is a ValidationException, as in older partitions"},
	{"fault", LIST, AT(faults), NULL, 0, 0,
		"KIND=PROBABILITY[,service=S][,operation=O][,account=A][,region=R][,count=N]"
		"[,skip=N][,after=1][,ms=M][,bytes=B][,code=C][,status=N]; repeatable; kinds: see README.md"},
	{"fault-seed", INT, AT(fault_seed), "1", 0, BIG, "random of the faults"},
	{"stall-max-s", INT, AT(stall_max_s), "300", 1, 86400,
		"a stalled connection is closed after this"},
	{"idle-close-ms", INT, AT(idle_close_ms), "0", 0, 86400000,
		"an idle connection is closed after this (0: never)"},
	{"requests-per-connection", INT, AT(requests_per_connection), "0", 0, BIG,
		"a connection is closed after so many answers, unannounced (0: never)"},
	{"Listening", HEADING, 0, NULL, 0, 0, NULL},
	{"listen", TEXT, AT(listen), NULL, 0, 0, "address:port for plain HTTP (port 0: any)"},
	{"listen-tls", TEXT, AT(listen_tls), NULL, 0, 0, "address:port for HTTPS"},
	{"listen-proxy", TEXT, AT(listen_proxy), NULL, 0, 0,
		"address:port of a CONNECT proxy that plays every AWS host"},
	{"control", TEXT, AT(control), NULL, 0, 0, "address:port of the control API (plain HTTP)"},
	{"ready-file", TEXT, AT(ready_file), NULL, 0, 0, "JSON, written when all ports listen"},
	{"ca-file", TEXT, AT(ca_file), NULL, 0, 0,
		"the TLS CA in PEM (default: ready file + .ca.pem)"},
	{"keys-dir", TEXT, AT(keys_dir), NULL, 0, 0, "folder of the key pool (tests/data/keys)"},
	{"fast-ca", FLAG, AT(fast_ca), NULL, 0, 0,
		"certificates of RSA CAs get 1024 bit signatures: for benchmarks"},
	{"max-seconds", INT, AT(max_seconds), "0", 0, BIG, "exit after this time (0: never)"},
	{"quiet", FLAG, AT(quiet), NULL, 0, 0, "no line on stderr at start"},
};

enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

static void print_help(void)
{
	printf("awssim: a simulated AWS organization (STS, Organizations, Account, EC2, ACM, Secrets Manager)\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_spec *spec = &table[i];
		if (spec->type == HEADING) {
			printf("\n%s:\n", spec->name);
			continue;
		}
		char left[64];
		snprintf(left, sizeof(left), "--%s%s", spec->name,
			spec->type == FLAG ? "" : (spec->type == TEXT ? " TEXT" : " N"));
		printf("  %-26s %s", left, spec->help);
		if (spec->initial != NULL && strcmp(spec->initial, "-1") != 0)
			printf(" [%s]", spec->initial);
		printf("\n");
	}
}

/* Stores text into the option's member. Returns false when it does not fit the type or range. */
static bool set_option(struct options *options, const struct option_spec *spec, const char *text)
{
	char *member = (char *)options + spec->offset, *end = NULL;
	errno = 0;
	if (spec->type == INT) {
		long long value = strtoll(text, &end, 10);
		if (errno != 0 || end == text || *end != '\0' || value < spec->min ||
			value > spec->max)
			return false;
		*(int64_t *)(void *)member = value;
	} else if (spec->type == REAL) {
		double value = strtod(text, &end);
		if (errno != 0 || end == text || *end != '\0' || !(value >= 0) || value > 1e6)
			return false;
		*(double *)(void *)member = value;
	} else if (spec->type == LIST) {
		struct option_list *list = (struct option_list *)(void *)member;
		if (list->count == OPTION_LIST_MAX)
			return false;
		list->item[list->count++] = text;
	} else {
		*(const char **)(void *)member = text;
	}
	return true;
}

static const struct option_spec *find_option(const char *name, size_t len)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].type != HEADING && strlen(table[i].name) == len &&
			strncmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static int usage_error(const char *what, const char *argument)
{
	fprintf(stderr, "awssim: %s: \"%s\" (--help lists the flags)\n", what, argument);
	return 2;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
	struct options options = {0};
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].initial != NULL)
			set_option(&options, &table[i], table[i].initial);
	for (int i = 1; i < argc; i++) {
		const char *argument = argv[i];
		if (strcmp(argument, "--help") == 0) {
			print_help();
			return 1;
		}
		if (strncmp(argument, "--", 2) != 0)
			return usage_error("not a flag", argument);
		const char *name = argument + 2, *equals = strchr(name, '=');
		size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
		const struct option_spec *spec = find_option(name, len);
		if (spec == NULL)
			return usage_error("unknown flag", argument);
		if (spec->type == FLAG) {
			if (equals != NULL)
				return usage_error("this flag takes no value", argument);
			*(bool *)(void *)((char *)&options + spec->offset) = true;
			continue;
		}
		if (equals == NULL && i + 1 == argc)
			return usage_error("value missing", argument);
		const char *value = equals != NULL ? equals + 1 : argv[++i];
		if (!set_option(&options, spec, value))
			return usage_error("bad value or out of range", argument);
	}
	*ret_options = options;
	return 0;
}
