#include "discovery/acm_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "store/coverage.h"
#include "tests/discovery/scan_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

/* --- what a scan finds ------------------------------------------------------------------------ */

static void empty_region_is_a_proven_zero(void **state)
{
	struct fixture *fixture = *state;
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	expect_result(fixture, 0, 0, 0, 0, 0);
	struct store_txn *txn = begin_read(fixture);
	struct coverage_record coverage;
	assert_true(store_coverage_get(txn, "prod", ACCOUNT, "eu-west-1", &coverage));
	assert_int_equal(coverage.certificate_count, 0);
	store_read_end(txn);
}

static void new_certificates_are_read_in_full_and_stored(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->pem = "san-kinds";
	a->chain = b->chain = "chain-intermediate,chain-root";
	a->tag = "pki";
	a->in_use_by = "arn:lb";
	scan_run_well(fixture);
	expect_calls(fixture, 1, 2, 2, 2);
	expect_result(fixture, 2, 2, 2, 0, 0);
	assert_int_equal(fixture->result.described, 2);
	assert_int_equal(fixture->result.detail_failed, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	expect_events(fixture, 1,
		"certificate_appeared a: type: AMAZON_ISSUED; status: ISSUED; "
		"not_after: 2027-12-23T06:23:15Z; serial: "
		"79f058a5fcc10c1a588d7966510c1fdc11f1b2d8\n"
		"certificate_appeared b: type: AMAZON_ISSUED; status: ISSUED; "
		"not_after: 2027-12-23T06:23:12Z; serial: "
		"793fcb711e8dd17b241c369b68b0eda27b628063\n");
	struct store_txn *txn = begin_read(fixture);
	struct cert_record record = read_cert(txn, "a");
	const void *der;
	size_t len;
	assert_true(record.in_use);
	assert_string_equal(pack_first(&record.tags), "team");
	assert_int_equal(record.chain_count, 2);
	assert_true(store_pem_get(txn, record.fingerprint_sha256, &der, &len));
	assert_true(store_pem_get(txn, record.chain_sha256[0], &der, &len));
	assert_true(store_pem_get(txn, record.chain_sha256[1], &der, &len));
	assert_int_equal(record.first_seen_s, NOW_S);
	assert_int_equal(record.detailed_s, NOW_S);
	store_read_end(txn);
}

static void unchanged_region_costs_its_pages_and_writes_one_record(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id);
	}
	fixture->acm.page_size = 3;
	scan_run_well(fixture);
	expect_calls(fixture, 4, 10, 10, 10);
	char *before = stored_certs(fixture);
	uint64_t last = last_event(fixture);
	pass_days(1);
	scan_run_well(fixture);
	expect_calls(fixture, 4, 0, 0, 0);
	expect_result(fixture, 10, 10, 0, 0, 0);
	expect_stored(fixture, before);
	assert_int_equal(last_event(fixture), last);
	struct store_txn *txn = begin_read(fixture);
	assert_int_equal(read_cert(txn, "00").detailed_s, NOW_S);
	store_read_end(txn);
	free(before);
}

static void one_changed_certificate_costs_three_calls(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	b->in_use_by = "arn:lb";
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 1, 0);
	expect_events(
		fixture, last, "certificate_changed b: in_use: no -> yes; in_use_by: +arn:lb\n");
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void renewal_and_reimport_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	b->type = "IMPORTED";
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	a->pem = b->pem = "san-wildcard";
	scan_run_well(fixture);
	expect_result(fixture, 2, 2, 0, 2, 0);
	char *text = stored_events(fixture, last + 1);
	assert_non_null(strstr(text,
		"certificate_renewed a: serial: 793fcb711e8dd17b241c369b68b0eda27b628063 -> "
		"6dbed0995678c121105a602acd9d3878a76f180d; "));
	assert_non_null(strstr(text, "certificate_reimported b: serial: "));
	free(text);
	struct store_txn *txn = begin_read(fixture);
	struct cert_history history;
	uint32_t position = 0;
	int serials = 0;
	while (store_history_next(txn, PREFIX "a", &position, &history))
		serials++;
	assert_int_equal(serials, 2);
	store_read_end(txn);
}

static void gone_is_told_once_and_return_as_well(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	a->is_listed = false;
	for (int i = 0; i < 2; i++) {
		scan_run_well(fixture);
		expect_result(fixture, 1, 1, 0, 0, i == 0 ? 1 : 0);
		expect_stored(fixture, "a ISSUED gone\nb ISSUED\n");
		expect_events(fixture, last, "certificate_gone a: \n");
	}
	last = last_event(fixture);
	a->is_listed = true;
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 1, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	expect_events(fixture, last, "certificate_returned a: \n");
}

/* The host lost its time source and lives in 2057. */
static void a_clock_that_jumped_expires_nothing(void **state)
{
	struct fixture *fixture = *state;
	enum { YEARS_S = 1000000000 };
	fake_acm_add(&fixture->acm, "a")->type = "IMPORTED";
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	fake_clock_advance_ms((int64_t)YEARS_S * 1000);
	fake_call_set_clock_offset_s(-YEARS_S);
	scan_run_well(fixture);
	expect_events(fixture, last, "");
	fake_acm_add(&fixture->acm, "b"); /* nor is a new one taken for expired */
	scan_run_well(fixture);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	fake_call_set_clock_offset_s(0);
}

static void expiry_is_told_once(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->type = "IMPORTED";
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	fake_clock_set_now_s(1829542992 - 1); /* a second before its end */
	scan_run_well(fixture);
	expect_events(fixture, last, "");
	fake_clock_advance_ms(3600 * 1000);
	for (int i = 0; i < 2; i++) {
		scan_run_well(fixture);
		expect_events(fixture, last, "certificate_expired a: \n");
		fake_clock_advance_ms(3600 * 1000);
	}
	last = last_event(fixture);
	a->status = "EXPIRED"; /* ACM notices later */
	scan_run_well(fixture);
	expect_events(fixture, last, "certificate_changed a: status: ISSUED -> EXPIRED\n");
}

static void policy_keeps_out_only_what_is_new(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	b->status = "REVOKED";
	fixture->options.import.mode = IMPORT_VALID;
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 1, 1, 0, 0);
	expect_stored(fixture, "a ISSUED\n");
	a->status = "REVOKED"; /* what is in is tracked */
	scan_run_well(fixture);
	expect_result(fixture, 2, 1, 0, 1, 0);
	expect_stored(fixture, "a REVOKED\n");
}

static void renewal_in_progress_is_followed_each_cycle(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fixture->options.detail_max_age_s = 365 * (int64_t)DAY_S;
	fake_clock_set_now_s(1829542992 - 40 * DAY_S);
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	expect_events(fixture, last, "");
	a->renewal_status = "PENDING_AUTO_RENEWAL";
	pass_days(1);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	expect_result(fixture, 1, 1, 0, 1, 0);
	expect_events(fixture, last,
		"certificate_changed a: renewal_status: none -> PENDING_AUTO_RENEWAL\n");
	a->type = "IMPORTED"; /* which changes the summary, once */
	scan_run_well(fixture);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void pending_certificate_is_followed_until_it_is_issued(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->status = "PENDING_VALIDATION";
	a->pem = NULL;
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 1);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	a->status = "ISSUED";
	a->pem = "rsa-2048";
	uint64_t last = last_event(fixture);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	char *text = stored_events(fixture, last + 1);
	assert_true(text_has_prefix(text, "certificate_changed a: serial: none -> 793fcb71"));
	assert_non_null(strstr(text, "status: PENDING_VALIDATION -> ISSUED"));
	free(text);
}

static void details_are_refreshed_at_their_greatest_age(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	scan_run_well(fixture);
	uint64_t last = last_event(fixture);
	a->tag = "pki"; /* nothing in the list shows it */
	pass_days(1);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	pass_days(6);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_events(fixture, last, "certificate_changed a: tags: +team=pki\n");
	pass_days(7);
	scan_run_well(
		fixture); /* nothing new, but the date is noted: the next time costs nothing */
	expect_calls(fixture, 1, 1, 1, 1);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void certificate_of_a_former_connector_is_taken_over_without_a_call(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	fixture->options.connector = "former";
	fixture->options.also_write = NULL;
	scan_run_well(fixture);
	fixture->options.connector = "prod";
	uint64_t last = last_event(fixture);
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	expect_result(fixture, 1, 1, 0, 0, 0);
	assert_int_equal(last_event(fixture), last);
	struct store_txn *txn = begin_read(fixture);
	assert_string_equal(read_cert(txn, "a").connector, "prod");
	store_read_end(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(empty_region_is_a_proven_zero),
		SCAN_TEST(new_certificates_are_read_in_full_and_stored),
		SCAN_TEST(unchanged_region_costs_its_pages_and_writes_one_record),
		SCAN_TEST(one_changed_certificate_costs_three_calls),
		SCAN_TEST(renewal_and_reimport_are_told_apart),
		SCAN_TEST(gone_is_told_once_and_return_as_well),
		SCAN_TEST(a_clock_that_jumped_expires_nothing),
		SCAN_TEST(expiry_is_told_once),
		SCAN_TEST(policy_keeps_out_only_what_is_new),
		SCAN_TEST(renewal_in_progress_is_followed_each_cycle),
		SCAN_TEST(pending_certificate_is_followed_until_it_is_issued),
		SCAN_TEST(details_are_refreshed_at_their_greatest_age),
		SCAN_TEST(certificate_of_a_former_connector_is_taken_over_without_a_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
