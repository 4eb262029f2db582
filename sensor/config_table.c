/* The options: the only place that knows their names, ranges, defaults and meaning. */
#include "sensor/config_table.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "sensor/config.h"
#include "sensor/local_api.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

#define SENSOR(field)	    CONFIG_SENSOR, #field
#define CONNECTOR(field)    CONFIG_CONNECTOR, #field
#define IN_SENSOR(field)    offsetof(struct config, field)
#define CHANNEL(field)	    CONFIG_CHANNEL, #field
#define IN_CHANNEL(field)   offsetof(struct alert_channel, field)
#define IN_CONNECTOR(field) offsetof(struct config_connector, field)

#define EXPECTED_NAME	 "1 to 64 letters, digits, '.', '_' or '-'"
#define EXPECTED_PATH	 "an absolute path"
#define EXPECTED_URL	 "a URL such as https://host:port, without query"
#define EXPECTED_BOOL	 "yes or no"
#define EXPECTED_UNITS	 "ids of roots or units (r-ab12, ou-ab12-cdef3456), comma separated"
#define EXPECTED_NUMBERS "account ids of 12 digits, comma separated"
#define EXPECTED_ROLE                                                                              \
	"a role's name, 1 to 64 letters, digits or +=,.@_-, with its path in front if it has one"

const struct config_option config_options[] = {
	{SENSOR(name), config_set_name, IN_SENSOR(name), 0, 64, "", "", EXPECTED_NAME,
		"Name of this sensor in sessions (CloudTrail), tags and events, another one for each "
		"sensor of a hub; default: the host name"},
	{SENSOR(data_dir), config_set_path, IN_SENSOR(data_dir), 1, 4000, "", LOCAL_API_DATA_DIR,
		EXPECTED_PATH, "Where the inventory is stored"},
	{SENSOR(control_socket), config_set_path, IN_SENSOR(control_socket), 1, 107, "",
		LOCAL_API_SOCKET, EXPECTED_PATH " of at most 107 bytes",
		"Unix socket of the local API, which `acmsensor` talks to"},
	{SENSOR(vault_key_file), config_set_path, IN_SENSOR(vault_key_file), 0, 4000, "", "",
		EXPECTED_PATH,
		"32 bytes that seal the vault's keys, such as a systemd credential; default: a file "
		"made in data_dir"},
	/* At least what a person needs to read it. */
	{SENSOR(plan_life), config_set_duration, IN_SENSOR(plan_life_s), MINUTE, 7 * DAY, "s", "1h",
		NULL,
		"How long a plan of a delivery may be applied, if nothing else makes it void"},
	{SENSOR(keep_keys), config_set_duration, IN_SENSOR(keep_keys_s), 0, 3650 * DAY, "s", "30d",
		NULL,
		"How long the key of a delivered certificate is kept, sealed, for a way back"},
	/* Whether an id was delivered is asked of the jobs since the last scan: see interval. */
	{SENSOR(keep_jobs), config_set_duration, IN_SENSOR(keep_jobs_s), 31 * DAY, 3650 * DAY, "s",
		"400d", NULL,
		"How long deliveries that ended are kept, with every step; longer while a key is "
		"kept for their way back"},
	{SENSOR(keep_events), config_set_duration, IN_SENSOR(keep_events_s), DAY, 3650 * DAY, "s",
		"400d", NULL, "How long events are kept"},
	{SENSOR(keep_gone), config_set_duration, IN_SENSOR(keep_gone_s), DAY, 3650 * DAY, "s",
		"400d", NULL,
		"How long certificates that ACM no longer lists are kept, with their history"},
	{SENSOR(max_requests), config_set_number, IN_SENSOR(max_requests), 1, 1024, "requests",
		"64", NULL, "HTTP requests in flight"},
	{SENSOR(max_open), config_set_number, IN_SENSOR(max_open), CONFIG_CONNECTORS_MAX, 65536,
		"account-regions", "1024", NULL,
		"Account-regions open at once, shared evenly by the connectors; bounds memory"},
	{SENSOR(log_level), config_set_log_level, IN_SENSOR(log_level), 0, 0, "", "info",
		"error, warning, info or debug", "What is logged"},
	{SENSOR(metrics_listen), config_set_listen, IN_SENSOR(metrics_listen), 0, 63, "", "off",
		"off, or a numeric address and a port such as 127.0.0.1:9847 or [::1]:9847",
		"Where GET /metrics answers Prometheus over plain HTTP: whoever reaches it reads it, "
		"so keep it on a loopback address unless the network is trusted; no secrets, no names "
		"of accounts or certificates"},
	{SENSOR(alert_days), config_set_days, IN_SENSOR(alerts), 0, 3650, "days",
		"45, 30, 14, 7, 3, 1, 0",
		"off, or at most 16 different numbers of days from 0 to 3650, comma separated",
		"A certificate is alerted on when so many days are left; again at each of them"},
	{SENSOR(alert_coverage_after), config_set_duration, IN_SENSOR(alerts.coverage_after_s), 0,
		365 * DAY, "s", "1h", NULL,
		"An account whose regions cannot be read is alerted on after this time"},

	{CONNECTOR(scope), config_set_scope, IN_CONNECTOR(is_organization), 0, 0, "",
		"organization", "organization or account",
		"All accounts of an organization, or the credentials' own account"},
	{CONNECTOR(auth), config_set_auth, IN_CONNECTOR(auth), 0, 0, "", "default",
		"default or profile",
		"Source of the credentials: the environment, then the shared AWS files (default); or a "
		"profile of these files"},
	{CONNECTOR(profile), config_set_text, IN_CONNECTOR(profile), 0, 127, "", "",
		"a profile's name", "Profile of the shared AWS files; with auth = profile"},
	{CONNECTOR(region), config_set_region, IN_CONNECTOR(region), 0, 0, "", "us-east-1",
		"a region's name such as eu-central-1",
		"Home region: where roles are assumed; it names the partition too"},
	{CONNECTOR(role_name), config_set_role_name, IN_CONNECTOR(role_name), 1, 576, "",
		"OrganizationAccountAccessRole", EXPECTED_ROLE,
		"Role to assume in every account but the credentials' own"},
	{CONNECTOR(external_id), config_set_external_id, IN_CONNECTOR(external_id), 2, 1224, "", "",
		"2 to 1224 letters, digits or +=,.@:/_-", "External id that the role demands"},
	{CONNECTOR(management_role_arn), config_set_role_arn, IN_CONNECTOR(management_role_arn), 20,
		2048, "", "", "a role's ARN such as arn:aws:iam::111122223333:role/Name",
		"Role that may read Organizations, when the credentials are a member account's"},
	{CONNECTOR(include_units), config_set_units, IN_CONNECTOR(include_units), 0, 0, "", "",
		EXPECTED_UNITS, "Only accounts below these units are read and take orders"},
	{CONNECTOR(exclude_units), config_set_units, IN_CONNECTOR(exclude_units), 0, 0, "", "",
		EXPECTED_UNITS, "No account below these units is read or takes an order"},
	{CONNECTOR(include_accounts), config_set_accounts, IN_CONNECTOR(include_accounts), 0, 0, "",
		"", EXPECTED_NUMBERS, "Only these accounts are read and take orders"},
	{CONNECTOR(exclude_accounts), config_set_accounts, IN_CONNECTOR(exclude_accounts), 0, 0, "",
		"", EXPECTED_NUMBERS, "None of these accounts is read or takes an order"},
	{CONNECTOR(regions), config_set_regions, IN_CONNECTOR(regions), 0, 0, "", "enabled",
		"enabled, or names of regions, comma separated",
		"Regions to read in each account; enabled: those that are enabled there"},
	{CONNECTOR(import), config_set_import, IN_CONNECTOR(import.mode), 0, 0, "", "valid",
		"valid, all or off",
		"Which certificates enter the inventory: all but expired and revoked ones (valid), all, "
		"or no new ones (off)"},
	{CONNECTOR(import_expired), config_set_import_expired, IN_CONNECTOR(import), 0, 0, "", "no",
		"no, an age such as 90d, or a range of days such as 2024-01-01..2025-06-30",
		"With import = valid: also those that expired within this time"},
	{CONNECTOR(import_revoked), config_set_bool, IN_CONNECTOR(import.has_revoked), 0, 0, "",
		"no", EXPECTED_BOOL, "With import = valid: also revoked ones"},
	{CONNECTOR(interval), config_set_duration, IN_CONNECTOR(interval_s), MINUTE, 31 * DAY, "s",
		"24h", NULL,
		"Time from the start of a cycle to the start of the next (10 % jitter)"},
	{CONNECTOR(detail_max_age), config_set_duration, IN_CONNECTOR(detail_max_age_s), HOUR,
		365 * DAY, "s", "7d", NULL,
		"An unchanged certificate is described again after this time"},
	{CONNECTOR(reimport), config_set_bool, IN_CONNECTOR(reimport), 0, 0, "", "yes",
		EXPECTED_BOOL,
		"Deliver under the same ARN where AWS allows it; no: always a new certificate"},
	{CONNECTOR(key_escrow), config_set_escrow, IN_CONNECTOR(key_escrow), 0, 0, "", "sensor",
		"sensor, memory or secretsmanager",
		"Where a key waits for its delivery: sealed on this host, in memory only (lost at a "
		"restart), or in AWS Secrets Manager of the hub's account; the key of a request "
		"(acmsensor csr) is always sealed on this host"},
	{CONNECTOR(kms_key_id), config_set_text, IN_CONNECTOR(kms_key_id), 0, 2048, "", "",
		"a KMS key's id, alias or ARN",
		"With key_escrow = secretsmanager: the key that encrypts there, on which the hub needs "
		"kms:GenerateDataKey and kms:Decrypt; default: aws/secretsmanager, which needs neither"},
	{CONNECTOR(endpoint_url), config_set_url, IN_CONNECTOR(endpoint_url), 0, 511, "", "",
		EXPECTED_URL,
		"Endpoint for every service; also AWS_ENDPOINT_URL[_SERVICE] and the profile's"},
	{CONNECTOR(endpoint_url_sts), config_set_url, IN_CONNECTOR(endpoint_url_sts), 0, 511, "",
		"", EXPECTED_URL, "Endpoint for STS"},
	{CONNECTOR(endpoint_url_organizations), config_set_url,
		IN_CONNECTOR(endpoint_url_organizations), 0, 511, "", "", EXPECTED_URL,
		"Endpoint for Organizations"},
	{CONNECTOR(endpoint_url_account), config_set_url, IN_CONNECTOR(endpoint_url_account), 0,
		511, "", "", EXPECTED_URL, "Endpoint for Account Management"},
	{CONNECTOR(endpoint_url_ec2), config_set_url, IN_CONNECTOR(endpoint_url_ec2), 0, 511, "",
		"", EXPECTED_URL, "Endpoint for EC2"},
	{CONNECTOR(endpoint_url_acm), config_set_url, IN_CONNECTOR(endpoint_url_acm), 0, 511, "",
		"", EXPECTED_URL, "Endpoint for ACM"},
	{CONNECTOR(endpoint_url_secretsmanager), config_set_url,
		IN_CONNECTOR(endpoint_url_secretsmanager), 0, 511, "", "", EXPECTED_URL,
		"Endpoint for Secrets Manager"},
	{CONNECTOR(ca_bundle), config_set_path, IN_CONNECTOR(ca_bundle), 0, 4000, "", "",
		EXPECTED_PATH " of a PEM file",
		"Certificate authorities to trust instead of the system's; also AWS_CA_BUNDLE and the "
		"profile's"},
	{CONNECTOR(proxy), config_set_proxy, IN_CONNECTOR(proxy), 0, 511, "", "",
		"a URL such as http://proxy.example.com:3128",
		"HTTP proxy; none is taken from the "
		"environment"},
	{CONNECTOR(no_proxy), config_set_text, IN_CONNECTOR(no_proxy), 0, 4000, "", "",
		"host names or domains, comma separated", "Hosts to reach without the proxy"},
	{CONNECTOR(use_fips), config_set_switch, IN_CONNECTOR(use_fips), 0, 0, "", "",
		EXPECTED_BOOL,
		"FIPS endpoints; default: as the environment or the profile says, else no"},
	{CONNECTOR(use_dualstack), config_set_switch, IN_CONNECTOR(use_dualstack), 0, 0, "", "",
		EXPECTED_BOOL,
		"Dual-stack endpoints; default: as the environment or the profile says, else no"},
	{CONNECTOR(connect_timeout), config_set_duration, IN_CONNECTOR(connect_timeout_s), 1, 60,
		"s", "5s", NULL, "Longest time to resolve, connect and agree on TLS"},
	{CONNECTOR(answer_timeout), config_set_duration, IN_CONNECTOR(answer_timeout_s), 2, 300,
		"s", "20s", NULL,
		"Longest wait for the first byte of an answer; half of it inside a body"},

	{CHANNEL(type), config_set_channel_type, IN_CHANNEL(type), 0, 0, "", "journal",
		"webhook, mail, command or journal", "How alerts are told on this channel"},
	{CHANNEL(minimum), config_set_class, IN_CHANNEL(minimum), 0, 0, "", "warning",
		"notice, warning, critical or emergency", "The least class that is told"},
	{CHANNEL(resolved), config_set_bool, IN_CHANNEL(resolved), 0, 0, "", "no", EXPECTED_BOOL,
		"Tell also what is over"},
	{CHANNEL(timeout), config_set_duration, IN_CHANNEL(timeout_s), 1, 300, "s", "30s", NULL,
		"Longest time for one message"},
	{CHANNEL(url_file), config_set_path, IN_CHANNEL(url_file), 0, 4000, "", "",
		EXPECTED_PATH " of a file with the URL in its first line",
		"With type = webhook: where the URL is, which is a secret"},
	{CHANNEL(shape), config_set_shape, IN_CHANNEL(shape), 0, 0, "", "json",
		"json, slack or teams", "With type = webhook: what the receiver understands"},
	{CHANNEL(proxy), config_set_proxy, IN_CHANNEL(proxy), 0, 511, "", "",
		"a URL such as http://proxy.example.com:3128",
		"With type = webhook: HTTP proxy; none is taken from the environment"},
	{CHANNEL(no_proxy), config_set_text, IN_CHANNEL(no_proxy), 0, 4000, "", "",
		"host names or domains, comma separated", "Hosts to reach without the proxy"},
	{CHANNEL(ca_bundle), config_set_path, IN_CHANNEL(ca_bundle), 0, 4000, "", "",
		EXPECTED_PATH " of a PEM file",
		"With type = webhook or mail: certificate authorities to trust instead of the "
		"system's"},
	{CHANNEL(server), config_set_server, IN_CHANNEL(server), 0, 300, "", "",
		"a mail server as host or host:port",
		"With type = mail: whom to give it to; ports 587 (starttls), 465 (tls), 25 (off)"},
	{CHANNEL(tls), config_set_tls, IN_CHANNEL(tls), 0, 0, "", "starttls",
		"starttls, tls or off",
		"With type = mail: how it is protected; without it, user is refused"},
	{CHANNEL(user), config_set_text, IN_CHANNEL(user), 0, 255, "", "", "a user's name",
		"With type = mail: who we are to the server"},
	{CHANNEL(password_file), config_set_path, IN_CHANNEL(password_file), 0, 4000, "", "",
		EXPECTED_PATH " of a file with the password in its first line",
		"With type = mail: the user's password"},
	{CHANNEL(from), config_set_address, IN_CHANNEL(from), 0, 254, "", "",
		"a mail address such as acmsensor@example.com", "With type = mail: the sender"},
	{CHANNEL(to), config_set_addresses, 0, 0, 0, "", "",
		"at most 32 mail addresses, comma separated", "With type = mail: the recipients"},
	{CHANNEL(command), config_set_path, IN_CHANNEL(command), 0, 4000, "", "",
		EXPECTED_PATH " of a program",
		"With type = command: run without a shell and without arguments; gets JSON on "
		"standard input"},
};
const size_t config_option_count = sizeof(config_options) / sizeof(config_options[0]);

const struct config_option *config_option_find(enum config_section section, const char *name)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (option->section == section && strcmp(option->name, name) == 0)
			return option;
	}
	return NULL;
}

enum { NAME_MAX_BYTES = 48 };

/* Levenshtein: how many characters to add, drop or change. Long texts are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > NAME_MAX_BYTES || b_len > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	size_t row[NAME_MAX_BYTES + 1];
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = change < shift ? change : shift;
		}
	}
	return row[b_len];
}

const char *config_option_suggest(enum config_section section, const char *name)
{
	const char *best = NULL;
	size_t best_distance = 3; /* two slips are a typo, three another word */
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (option->section != section)
			continue;
		size_t distance = edit_distance(name, option->name);
		if (distance < best_distance) {
			best = option->name;
			best_distance = distance;
		}
	}
	return best;
}

void config_option_expected(const struct config_option *option, struct buf *to)
{
	char min[TEXT_DURATION_MAX], max[TEXT_DURATION_MAX];
	if (option->expected != NULL)
		buf_add_text(to, option->expected);
	else if (option->set == config_set_duration)
		buf_addf(to, "a duration from %s to %s (s, m, h, d or w)",
			text_format_duration(option->min, min),
			text_format_duration(option->max, max));
	else
		buf_addf(to, "a number from %lld to %lld", (long long)option->min,
			(long long)option->max);
}
