/* Records as JSON: accounts, units, coverage, events, cycles and counts. Certificates are in
 * render_certificate_test.c. */
#include "store/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/lib/store_fixture.h"
#include "tests/store/render_fixture.h"

static void put_counted(struct store_txn *txn, void *arg)
{
	static const struct {
		const char *region;
		enum coverage_state state;
		int64_t count, success_s;
	} pair[] = {
		{"eu-west-1", COVERAGE_OK, 3, NOW_S - 50},
		{"us-east-1", COVERAGE_OK, 4, NOW_S - 40},
		{"us-west-2", COVERAGE_DENIED, 2, NOW_S - 90},
	};
	(void)arg;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
						.account_id = "999999999999",
						.region = pair[i].region,
						.state = pair[i].state,
						.code = "",
						.reason = "",
						.certificate_count = pair[i].count,
						.last_success_s = pair[i].success_s});
}

static void render_counted(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)arg;
	render_account(writer, txn,
		&(struct account_record){.connector = "prod",
			.account_id = "999999999999",
			.name = "",
			.email = "a@example.com",
			.state = "ACTIVE",
			.unit_id = "ou-1",
			.unit_path = "Root",
			.is_management = true,
			.first_seen_s = NOW_S,
			.last_seen_s = 0});
}

static void an_account_sums_up_its_regions(void **state)
{
	(void)state;
	char *text = rendered(put_counted, render_counted, NULL);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"account_id\":\"999999999999\",\"name\":null,"
		"\"email\":\"a@example.com\",\"state\":\"ACTIVE\",\"unit_id\":\"ou-1\","
		"\"unit_path\":\"Root\",\"is_management\":true,"
		"\"first_seen\":\"2026-11-21T00:00:00Z\",\"last_seen\":null,\"certificates\":9,"
		"\"last_success\":\"2026-11-20T23:59:20Z\",\"coverage\":{\"ok\":2,\"denied\":1}}");
	free(text);
}

static void render_one_unit(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_unit(writer, arg);
}

static void a_unit_names_its_parent(void **state)
{
	(void)state;
	struct unit_record root = {"prod", "r-1", "", "Root"}, unit = {"prod", "ou-1", "r-1", "U"};
	char *text = rendered(NULL, render_one_unit, &root);
	assert_string_equal(text, "{\"connector\":\"prod\",\"unit_id\":\"r-1\",\"parent_id\":null,"
				  "\"name\":\"Root\"}");
	free(text);
	text = rendered(NULL, render_one_unit, &unit);
	assert_string_equal(text, "{\"connector\":\"prod\",\"unit_id\":\"ou-1\","
				  "\"parent_id\":\"r-1\",\"name\":\"U\"}");
	free(text);
}

static void put_named(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_account_put(txn, &(struct account_record){.connector = "prod",
				       .account_id = "888888888888",
				       .name = "payments",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "",
				       .unit_path = "Root/Prod"});
}

static void render_denied(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	render_coverage(writer, txn,
		&(struct coverage_record){.connector = "prod",
			.account_id = arg,
			.region = "*",
			.state = COVERAGE_DENIED,
			.code = "AccessDenied",
			.reason = "no",
			.certificate_count = 2,
			.last_attempt_s = NOW_S,
			.next_try_s = NOW_S + 60,
			.state_since_s = NOW_S - 60,
			.failures_in_row = 4});
}

static void coverage_names_its_account(void **state)
{
	(void)state;
	char known[] = "888888888888", unknown[] = "777777777777";
	char *text = rendered(put_named, render_denied, known);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"account_id\":\"888888888888\","
		"\"account_name\":\"payments\",\"unit_path\":\"Root/Prod\",\"region\":\"*\","
		"\"state\":\"denied\",\"is_problem\":true,\"code\":\"AccessDenied\","
		"\"reason\":\"no\",\"certificates\":2,\"state_since\":\"2026-11-20T23:59:00Z\","
		"\"last_attempt\":\"2026-11-21T00:00:00Z\",\"last_success\":null,"
		"\"next_try\":\"2026-11-21T00:01:00Z\",\"failures_in_row\":4}");
	free(text);
	text = rendered(NULL, render_denied, unknown);
	assert_non_null(strstr(text, "\"account_name\":null,\"unit_path\":null"));
	free(text);
}

static void render_one_event(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_event(writer, arg);
}

static void an_event_says_null_for_what_does_not_apply(void **state)
{
	(void)state;
	struct event_record event = {.sequence = 7,
		.at_s = NOW_S,
		.kind = EVENT_OPERATOR,
		.connector = "",
		.account_id = "",
		.region = "",
		.arn = "",
		.subject = "uid 0",
		.detail = "scan",
		.hash = {0xab}};
	char *text = rendered(NULL, render_one_event, &event);
	assert_string_equal(text,
		"{\"sequence\":7,\"at\":\"2026-11-21T00:00:00Z\",\"kind\":\"operator\","
		"\"connector\":null,\"account_id\":null,\"region\":null,\"arn\":null,"
		"\"subject\":\"uid 0\",\"detail\":\"scan\",\"hash\":\""
		"ab00000000000000000000000000000000000000000000000000000000000000\"}");
	free(text);
}

static void render_one_cycle(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_cycle(writer, arg);
}

static void a_cycle_has_every_member(void **state)
{
	(void)state;
	struct cycle_record cycle = {.connector = "prod",
		.hub_account_id = "1",
		.hub_arn = "2",
		.partition = "aws",
		.organization_id = "",
		.error = "why",
		.started_s = NOW_S,
		.accounts = 3,
		.pairs = 4,
		.pairs_ok = 5,
		.pairs_problem = 6,
		.certificates = 7,
		.calls = 8,
		.throttles = 9};
	char *text = rendered(NULL, render_one_cycle, &cycle);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"hub_account_id\":\"1\",\"hub_arn\":\"2\","
		"\"partition\":\"aws\",\"organization_id\":null,"
		"\"started\":\"2026-11-21T00:00:00Z\",\"finished\":null,\"next\":null,"
		"\"last_complete\":null,\"error\":\"why\",\"accounts\":3,\"account_regions\":4,"
		"\"account_regions_ok\":5,\"account_regions_problem\":6,\"certificates\":7,"
		"\"calls\":8,\"throttles\":9}");
	free(text);
}

static void render_some_counts(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_counts(writer, arg);
}

static void counts_have_every_member(void **state)
{
	(void)state;
	struct cert_counts counts = {.total = 1,
		.issued = 2,
		.expired = 3,
		.pending = 4,
		.other = 5,
		.in_use = 6,
		.imported = 7,
		.expires_in_days = {8, 9, 10, 11, 12},
		.in_use_not_renewing_30 = 13,
		.detail_failed = 14,
		.gone = 15};
	char *text = rendered(NULL, render_some_counts, &counts);
	assert_string_equal(text,
		"{\"certificates\":1,\"issued\":2,\"expired\":3,\"pending\":4,\"other\":5,"
		"\"in_use\":6,\"imported\":7,\"expires\":{\"within_7_days\":8,"
		"\"within_14_days\":9,\"within_30_days\":10,\"within_45_days\":11,"
		"\"within_90_days\":12},\"in_use_not_renewing_within_30_days\":13,"
		"\"detail_failed\":14,\"gone\":15}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_sums_up_its_regions),
		cmocka_unit_test(a_unit_names_its_parent),
		cmocka_unit_test(coverage_names_its_account),
		cmocka_unit_test(an_event_says_null_for_what_does_not_apply),
		cmocka_unit_test(a_cycle_has_every_member),
		cmocka_unit_test(counts_have_every_member),
	};
	return cmocka_run_group_tests(tests, store_fixture_open, store_fixture_close);
}
