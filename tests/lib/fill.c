/* See fill.h. */
#include "tests/lib/fill.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, GROUP = 2000, CERTS_A_ACCOUNT = 16 };

static const char *const regions[] = {"eu-central-1", "eu-west-1", "us-east-1", "us-west-2"};

struct batch {
	uint32_t from, to;
	int64_t now_s;
};

static void shift(int64_t *time_s, int64_t by_s)
{
	if (*time_s != 0)
		*time_s += by_s;
}

static void put_certificate(struct store_txn *txn, uint32_t number, int64_t now_s)
{
	struct sample_cert sample;
	struct cert_record *record = &sample.record;
	int64_t by_s = now_s - SAMPLE_NOW_S;
	sample_cert_init(&sample, number);
	if (number == 3)
		sample_cert_set_names(
			&sample, "*.b\303\274cher.example.com", "=cmd|' /C calc'!A0", NULL);
	if (number == 4)
		sample_cert_set_names(&sample, "\033[31mred.example.com\033[0m", NULL);
	if (number == 5)
		sample_cert_set_names(&sample, "", NULL);
	shift(&record->created_s, by_s);
	shift(&record->issued_s, by_s);
	shift(&record->not_before_s, by_s);
	shift(&record->not_after_s, by_s);
	shift(&record->first_seen_s, by_s);
	shift(&record->detailed_s, by_s);
	if (number == 7)
		record->gone_s = now_s - 3 * DAY_S;
	if (number == 9)
		record->detail_error = "DescribeCertificate: AccessDeniedException: not allowed";
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}

static void put_certificates(struct store_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	for (uint32_t number = batch->from; number < batch->to; number++)
		put_certificate(txn, number, batch->now_s);
}

/* --- accounts and coverage ---------------------------------------------------------------------- */

static const struct {
	const char *name, *unit_path, *state;
} account[] = {
	{"management", "Root", "ACTIVE"},
	{"payments-prod", "Root/Workloads/Prod", "ACTIVE"},
	{"payments-dev", "Root/Workloads/Dev", "ACTIVE"},
	{"shop", "Root/Workloads Legacy", "ACTIVE"},
	{"Z\303\274rich Verm\303\266gensverwaltung", "Root/Workloads/Prod", "ACTIVE"},
	{"\346\227\245\346\234\254\346\224\257\347\244\276", "Root/Workloads/Prod", "ACTIVE"},
	{"\033]0;evil\007name\177\302\233\342\200\256", "Root/Sandbox", "ACTIVE"},
	{"an-account-with-a-name-that-is-as-long-as-AWS-allows-it", "Root/Sandbox", "ACTIVE"},
	{"closed", "Root/Sandbox", "SUSPENDED"},
	{"audit", "Root/Security", "ACTIVE"},
	{"", "Root/Security", "ACTIVE"},
	{"=1+1", "Root/Workloads/Dev", "ACTIVE"},
};

enum { ACCOUNTS_NAMED = sizeof(account) / sizeof(account[0]) };

/* What the first account-regions look like, one of each state; all others were read. */
static const struct {
	uint32_t account, region;
	enum coverage_state state;
	const char *code, *reason;
} odd[] = {
	{1, 3, COVERAGE_DENIED, "AccessDeniedException",
		"ListCertificates: User: arn:aws:sts::000000100001:assumed-role/Inventory/acmsensor "
		"is not authorized to perform: acm:ListCertificates"},
	{2, 3, COVERAGE_DENIED_BY_SCP, "AccessDeniedException",
		"ListCertificates: with an explicit deny in a service control policy"},
	{3, 3, COVERAGE_REGION_DISABLED, "", "the region is not enabled in this account"},
	{4, 3, COVERAGE_THROTTLED, "ThrottlingException", "ListCertificates: Rate exceeded"},
	{5, 3, COVERAGE_UNREACHABLE, "", "acm.us-west-2.amazonaws.com: connection timed out"},
	{6, 3, COVERAGE_FAILED, "", "ListCertificates: the answer is not JSON"},
	{7, 3, COVERAGE_NEVER_TRIED, "", ""},
	{9, 3, COVERAGE_EXCLUDED, "", "exclude_accounts"},
};

static void put_account(struct store_txn *txn, uint32_t number, int64_t now_s)
{
	char id[13], name[32], email[64];
	bool is_named = number < ACCOUNTS_NAMED;
	snprintf(id, sizeof(id), "%012u", 100000 + number);
	snprintf(name, sizeof(name), "account-%u", number);
	snprintf(email, sizeof(email), "aws+%u@example.com", number);
	store_account_put(txn,
		&(struct account_record){
			.connector = "prod",
			.account_id = id,
			.name = is_named ? account[number].name : name,
			.email = email,
			.state = is_named ? account[number].state : "ACTIVE",
			.unit_id = "ou-abcd-11111111",
			.unit_path = is_named ? account[number].unit_path : "Root/Workloads/Many",
			.is_management = number == 0,
			.first_seen_s = now_s - 40 * DAY_S,
			.last_seen_s = now_s - 600,
		});
}

static void put_pair(struct store_txn *txn, uint32_t number, uint32_t region, int64_t now_s,
	uint32_t certificates)
{
	char id[13];
	struct coverage_record record = {
		.connector = "prod",
		.account_id = id,
		.region = regions[region],
		.state = COVERAGE_OK,
		.code = "",
		.reason = "",
		.certificate_count = certificates,
		.last_attempt_s = now_s - 600,
		.last_success_s = now_s - 600,
		.next_try_s = now_s + DAY_S,
		.state_since_s = now_s - 40 * DAY_S,
	};
	snprintf(id, sizeof(id), "%012u", 100000 + number);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (odd[i].account != number || odd[i].region != region)
			continue;
		record.state = odd[i].state;
		record.code = odd[i].code;
		record.reason = odd[i].reason;
		record.certificate_count = 0;
		record.last_success_s = 0;
		record.failures_in_row = 3;
		if (record.state == COVERAGE_NEVER_TRIED)
			record.last_attempt_s = record.next_try_s = 0;
	}
	store_coverage_put(txn, &record);
}

/* An account whose regions cannot be known. */
static void put_whole(struct store_txn *txn, uint32_t number, enum coverage_state state,
	const char *code, const char *reason, int64_t now_s)
{
	char id[13];
	snprintf(id, sizeof(id), "%012u", 100000 + number);
	store_coverage_put(txn, &(struct coverage_record){
					.connector = "prod",
					.account_id = id,
					.region = COVERAGE_ANY_REGION,
					.state = state,
					.code = code,
					.reason = reason,
					.last_attempt_s = now_s - 600,
					.next_try_s = now_s + DAY_S,
					.state_since_s = now_s - 2 * DAY_S,
					.failures_in_row = 2,
				});
}

static void put_accounts(struct store_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	for (uint32_t number = batch->from; number < batch->to; number++) {
		put_account(txn, number, batch->now_s);
		if (number == 8)
			put_whole(txn, number, COVERAGE_ACCOUNT_INACTIVE, "",
				"the account is SUSPENDED", batch->now_s);
		else if (number == 10)
			put_whole(txn, number, COVERAGE_ROLE_UNASSUMABLE, "AccessDenied",
				"sts:AssumeRole of arn:aws:iam::000000100010:role/Inventory was "
				"refused",
				batch->now_s);
		else
			for (uint32_t region = 0; region < 4; region++)
				put_pair(txn, number, region, batch->now_s, CERTS_A_ACCOUNT / 4);
	}
}

/* --- units, cycle, events ------------------------------------------------------------------------ */

static void put_units(struct store_txn *txn)
{
	static const struct unit_record unit[] = {
		{"prod", "r-abcd", "", "Root"},
		{"prod", "ou-abcd-11111111", "r-abcd", "Workloads"},
		{"prod", "ou-abcd-22222222", "r-abcd", "Security"},
	};
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		store_unit_put(txn, &unit[i]);
}

static void put_cycle(struct store_txn *txn, const struct batch *batch)
{
	store_cycle_put(
		txn, &(struct cycle_record){
			     .connector = "prod",
			     .hub_account_id = "000000100000",
			     .hub_arn = "arn:aws:sts::000000100000:assumed-role/acmsensor/host",
			     .partition = "aws",
			     .organization_id = "o-exampleorgid",
			     .error = "",
			     .started_s = batch->now_s - 700,
			     .finished_s = batch->now_s - 590,
			     .next_s = batch->now_s + DAY_S,
			     .last_complete_s = batch->now_s - 2 * DAY_S,
			     .accounts = batch->to,
			     .pairs = 4 * batch->to - 6,
			     .pairs_ok = 4 * batch->to - 15,
			     .pairs_problem = 7,
			     .certificates = 96,
			     .calls = 512,
			     .throttles = 3,
		     });
}

static void put_events(struct store_txn *txn, int64_t now_s)
{
	static const struct event_record event[] = {
		{.kind = EVENT_SENSOR_STARTED,
			.connector = "",
			.account_id = "",
			.region = "",
			.arn = "",
			.subject = "",
			.detail = "version 0.1.0"},
		{.kind = EVENT_CERT_APPEARED,
			.connector = "prod",
			.account_id = "000000100001",
			.region = "eu-west-1",
			.arn = "arn:aws:acm:eu-west-1:000000100001:certificate/1",
			.subject = "www.example.com",
			.detail = ""},
		{.kind = EVENT_COVERAGE_CHANGED,
			.connector = "prod",
			.account_id = "000000100001",
			.region = "us-west-2",
			.arn = "",
			.subject = "payments-prod",
			.detail = "ok -> denied: acm:ListCertificates is not allowed"},
		{.kind = EVENT_ACCOUNT_APPEARED,
			.connector = "prod",
			.account_id = "000000100006",
			.region = "",
			.arn = "",
			.subject = "\033]0;evil\007name\177\302\233\342\200\256",
			.detail = "line\nbreak"},
	};
	for (size_t i = 0; i < sizeof(event) / sizeof(event[0]); i++) {
		struct event_record one = event[i];
		one.at_s = now_s - 3600 + (int64_t)i;
		store_event_append(txn, &one);
	}
}

/* One of each class, one that is known, one that is over. */
static void put_alerts(struct store_txn *txn, int64_t now_s)
{
	for (int i = 0; i < 6; i++) {
		char subject[128], id[ALERT_ID_LEN + 1];
		(void)snprintf(subject, sizeof(subject),
			"arn:aws:acm:eu-west-1:000000100001:certificate/%d", i);
		alert_make_id(ALERT_CERTIFICATE, subject, id);
		enum alert_class class =
			i < 4 ? (enum alert_class)(ALERT_NOTICE + i) : ALERT_WARNING;
		store_alert_put(txn, &(struct alert_record){.id = id,
					     .kind = ALERT_CERTIFICATE,
					     .class = class,
					     .told_class = class,
					     .days = 14,
					     .told_days = 14,
					     .ends_s = now_s + (10 + i) * (int64_t)86400,
					     .subject = subject,
					     .connector = "prod",
					     .account_id = "000000100001",
					     .region = "eu-west-1",
					     .name = "www.example.com",
					     .text = "=ends \033[31msoon\nand so on",
					     .raised_s = now_s - 7200,
					     .changed_s = now_s - 3600,
					     .acknowledged_s = i == 4 ? now_s - 60 : 0,
					     .acknowledged_by = i == 4 ? "uid 0" : "",
					     .note = i == 4 ? "ordered" : "",
					     .resolved_s = i == 5 ? now_s - 30 : 0,
					     .resolution = i == 5 ? "renewed" : "",
					     .first_notice = i + 1,
					     .last_notice = i + 1});
		(void)store_alert_notice_append(txn, id);
	}
	store_alert_channel_put(
		txn, &(struct alert_channel_record){.name = "ops", .position = 3, .sent_s = now_s});
}

static void put_rest(struct store_txn *txn, void *arg)
{
	const struct batch *batch = arg;
	put_units(txn);
	put_cycle(txn, batch);
	put_events(txn, batch->now_s);
	put_alerts(txn, batch->now_s);
}

static int put_in_groups(
	struct store *store, store_write_fn *put, uint32_t count, int64_t now_s, struct err *err)
{
	for (uint32_t from = 0; from < count; from += GROUP) {
		struct batch batch = {.from = from,
			.to = from + GROUP < count ? from + GROUP : count,
			.now_s = now_s};
		if (store_write_now(store, put, &batch, err) != 0)
			return -1;
	}
	return 0;
}

int fill(struct store *store, uint32_t certificates, int64_t now_s, struct err *err)
{
	uint32_t accounts = certificates / CERTS_A_ACCOUNT;
	if (accounts < ACCOUNTS_NAMED)
		accounts = ACCOUNTS_NAMED;
	struct batch all = {.to = accounts, .now_s = now_s};
	if (put_in_groups(store, put_certificates, certificates, now_s, err) != 0 ||
		put_in_groups(store, put_accounts, accounts, now_s, err) != 0)
		return -1;
	return store_write_now(store, put_rest, &all, err);
}
