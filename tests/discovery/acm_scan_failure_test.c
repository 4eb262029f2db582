#include "discovery/acm_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/discovery/scan_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"

/* --- failures --------------------------------------------------------------------------------- */

static void certificate_whose_details_fail_is_kept_with_a_mark(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	a->describe_err = failure(ERR_REFUSED, "it is damaged");
	scan_run_well(fixture);
	expect_result(fixture, 2, 2, 2, 0, 0);
	assert_int_equal(fixture->result.described, 1);
	assert_int_equal(fixture->result.detail_failed, 1);
	expect_stored(fixture, "a ISSUED it is damaged\nb ISSUED\n");
	scan_run_well(fixture); /* tried again, only this one, and not told again */
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 0, 0);
	assert_int_equal(fixture->result.detail_failed, 1);
	a->describe_err = (struct err)ERR_INIT;
	scan_run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	assert_int_equal(fixture->result.detail_failed, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	scan_run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void operation_that_is_denied_is_not_asked_for_every_certificate(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id)->tags_err = failure(ERR_DENIED, "no tags");
	}
	scan_run_well(fixture);
	expect_result(fixture, 30, 30, 30, 0, 0);
	assert_int_equal(fixture->result.detail_failed, 30);
	assert_int_equal(scan_calls(fixture, DETAIL), 30);
	assert_int_equal(scan_calls(fixture, PEM), 30);
	assert_in_range(scan_calls(fixture, TAGS), 8, 8 + ACM_SCAN_DETAILS_AT_ONCE_MAX);
}

static void certificates_are_kept_when_nothing_may_be_asked_about_them(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		struct fake_acm_cert *cert = fake_acm_add(&fixture->acm, id);
		cert->describe_err = cert->get_err = cert->tags_err =
			failure(ERR_DENIED_BY_SCP, "no");
	}
	scan_run_well(fixture);
	expect_result(fixture, 30, 30, 30, 0, 0);
	assert_int_equal(fixture->result.described, 0);
	assert_int_equal(fixture->result.detail_failed, 30);
	assert_in_range(scan_calls(fixture, DETAIL), 8, 8 + ACM_SCAN_DETAILS_AT_ONCE_MAX);
	struct store_txn *txn = begin_read(fixture);
	assert_string_equal(read_cert(txn, "29").detail_error, "no; no; no");
	store_read_end(txn);
}

/* One certificate that changed, one new, one gone, on two pages, with something to lose. */
static void make_change(struct fixture *fixture)
{
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	fake_acm_add(&fixture->acm, "c");
	scan_run_well(fixture);
	pass_days(1);
	a->status = "INACTIVE";
	b->is_listed = false;
	fake_acm_add(&fixture->acm, "d");
	fixture->acm.page_size = 2;
}

/* Two pages, two certificates. */
enum { PAGES = 2, CALLS = PAGES + 2 * 3 };

static void every_call_may_lose_the_connection(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {
		ERR_UNREACHABLE, ERR_CREDENTIALS, ERR_ROLE, ERR_STOPPED};
	make_change(fixture);
	char *before = store_snapshot(fixture);
	for (size_t n = 1; n <= CALLS; n++)
		for (size_t i = 0; i < 4; i++) {
			fake_call_fail_at(n, kinds[i], "Code");
			scan_run(fixture);
			assert_int_equal(fixture->err.kind, kinds[i]);
			assert_string_equal(fixture->err.code, "Code");
			expect_snapshot(fixture, before);
		}
	fake_call_fail_at(CALLS + 1, ERR_ROLE, "Code");
	scan_run_well(fixture);
	expect_stored(fixture, "a INACTIVE\nb ISSUED gone\nc ISSUED\nd ISSUED\n");
	free(before);
}

static void page_that_fails_deletes_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_CONFIG, ERR_SYSTEM, ERR_LIMIT, ERR_PROTOCOL,
		ERR_UNREACHABLE, ERR_TIMEOUT, ERR_THROTTLED, ERR_DENIED, ERR_DENIED_BY_SCP,
		ERR_ROLE, ERR_CREDENTIALS, ERR_NOT_FOUND, ERR_REFUSED, ERR_SERVICE};
	make_change(fixture);
	char *before = store_snapshot(fixture);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t page = 1; page <= 2; page++) {
			fake_call_fail_at(page, kinds[i], "");
			scan_run(fixture);
			assert_int_equal(fixture->err.kind, kinds[i]);
			expect_snapshot(fixture, before);
		}
	}
	free(before);
}

static bool is_fatal(enum err_kind kind)
{
	return kind == ERR_UNREACHABLE || kind == ERR_CREDENTIALS || kind == ERR_ROLE;
}

static void every_detail_may_fail_by_itself(void **state)
{
	struct fixture *fixture = *state;
	make_change(fixture);
	for (size_t i = 0; i < FAKE_CALL_ERRORS; i++)
		for (size_t n = PAGES + 1; n <= CALLS && !is_fatal(fake_call_errors[i].kind); n++) {
			const char *status = n % 2 == 0 ? "INACTIVE" : "REVOKED";
			fixture->acm.cert[0].status = fixture->acm.cert[3].status = status;
			fake_call_fail_at(n, fake_call_errors[i].kind, fake_call_errors[i].code);
			scan_run_well(fixture);
			assert_int_equal(fixture->result.detail_failed, 1);
			scan_run_well(fixture); /* mends it */
			assert_int_equal(fixture->result.detail_failed, 0);
			scan_run_well(fixture);
			expect_calls(fixture, PAGES, 0, 0, 0);
		}
}

static void write_that_fails_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_STORE_FULL, ERR_STORE, ERR_SYSTEM};
	make_change(fixture);
	char *before = store_snapshot(fixture);
	for (size_t i = 0; i < 3; i++) {
		fake_store_fail_at(1, kinds[i]);
		scan_run(fixture);
		assert_int_equal(fixture->err.kind, kinds[i]);
		expect_snapshot(fixture, before);
	}
	scan_run_well(fixture);
	expect_result(fixture, 3, 3, 1, 1, 1);
	free(before);
}

/* Takes every slot that the store has for readers, so that the next read fails. */
static size_t exhaust_readers(struct fixture *fixture, struct store_txn **txn, size_t most)
{
	struct err err = ERR_INIT;
	size_t count = 0;
	while (count < most && store_read_begin(fixture->store, &txn[count], &err) == 0)
		count++;
	assert_in_range(count, 1, most - 1);
	return count;
}

static void store_that_cannot_be_read_ends_the_scan(void **state)
{
	struct fixture *fixture = *state;
	make_change(fixture);
	char *before = store_snapshot(fixture);
	fake_call_set_manual(true);
	/* after the first page and after the first certificate */
	for (size_t answered = 1; answered <= 2 + 3; answered += 4) {
		struct store_txn *txn[2048];
		scan_begin(fixture);
		for (size_t i = 0; i < answered; i++)
			assert_true(fake_call_deliver());
		size_t count = exhaust_readers(fixture, txn, 2048);
		while (fake_call_deliver())
			continue;
		assert_int_equal(fixture->ends, 1);
		assert_int_not_equal(fixture->err.kind, ERR_NONE);
		while (count > 0)
			store_read_end(txn[--count]);
		expect_snapshot(fixture, before);
	}
	free(before);
}

static void every_wait_may_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	make_change(fixture);
	char *before = store_snapshot(fixture);
	fake_call_set_manual(true);
	size_t n = 0;
	for (;; n++) {
		scan_begin(fixture);
		for (size_t i = 0; i < n && fake_call_deliver(); i++)
			continue;
		bool is_writing = fake_store_waiting_count() == 1;
		acm_scan_cancel(fixture->scan);
		fixture->scan = NULL;
		fake_loop_run_ready();
		assert_int_equal(fixture->ends, 0);
		assert_int_equal(fake_call_pending(), 0);
		expect_snapshot(fixture, before);
		if (is_writing)
			break;
	}
	assert_int_equal(n, 2 + 2 * 3);
	assert_int_equal(fake_store_cancel_count(), 1);
	acm_scan_cancel(NULL);
	free(before);
}

static void expect_at_once(void **state, size_t count, size_t at_once)
{
	struct fixture *fixture = *state;
	char id[8];
	for (size_t i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%03zu", i);
		fake_acm_add(&fixture->acm, id);
	}
	fake_call_set_manual(true);
	scan_begin(fixture);
	assert_int_equal(fake_call_pending(), 1);
	assert_true(fake_call_deliver());
	for (size_t i = 0; i < count * 3; i++) {
		/* full until the last certificate has begun, then fewer */
		size_t begun = scan_calls(fixture, DETAIL), pending = fake_call_pending();
		assert_in_range(pending, begun < count ? at_once : 1, at_once);
		assert_true(fake_call_deliver());
	}
	assert_int_equal(fake_call_pending(), 0);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
	expect_result(fixture, (int64_t)count, (int64_t)count, (int64_t)count, 0, 0);
}

static void details_are_asked_for_a_few_at_once(void **state)
{
	expect_at_once(state, 20, ACM_SCAN_DETAILS_AT_ONCE_MIN);
}

static void more_at_once_where_there_are_more(void **state)
{
	expect_at_once(state, 60, 60 / ACM_SCAN_DETAILS_SHARE);
}

static void never_too_many_at_once(void **state)
{
	expect_at_once(state, 150, ACM_SCAN_DETAILS_AT_ONCE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(certificate_whose_details_fail_is_kept_with_a_mark),
		SCAN_TEST(operation_that_is_denied_is_not_asked_for_every_certificate),
		SCAN_TEST(certificates_are_kept_when_nothing_may_be_asked_about_them),
		SCAN_TEST(every_call_may_lose_the_connection),
		SCAN_TEST(page_that_fails_deletes_nothing),
		SCAN_TEST(every_detail_may_fail_by_itself),
		SCAN_TEST(write_that_fails_changes_nothing),
		SCAN_TEST(store_that_cannot_be_read_ends_the_scan),
		SCAN_TEST(every_wait_may_be_cancelled),
		SCAN_TEST(details_are_asked_for_a_few_at_once),
		SCAN_TEST(more_at_once_where_there_are_more),
		SCAN_TEST(never_too_many_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
