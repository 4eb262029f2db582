#include "discovery/acm_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/discovery/scan_fixture.h"
#include "tests/lib/fake_call.h"

/* --- pages ------------------------------------------------------------------------------------ */

static void every_page_is_asked_for_with_the_same_request(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id);
	}
	fixture->acm.page_size = 2;
	scan_run_well(fixture);
	const char *first = fake_call_record(0)->body;
	assert_non_null(strstr(first, "EC_secp521r1"));
	assert_non_null(strstr(first, "\"ACME\""));
	for (size_t i = 1; i < 3; i++) {
		char *body = xstrdup(fake_call_record(i)->body);
		char *token = strstr(body, ",\"NextToken\":");
		assert_non_null(token);
		assert_int_equal(strlen(strchr(token, '}')), 1);
		text_copy(token, strlen(token) + 1, "}");
		assert_string_equal(body, first);
		free(body);
	}
}

#define ANY(name)	   (&(struct fake_match){.operation = name})
#define ITEM(id)	   "{\"CertificateArn\": \"" PREFIX id "\", \"Status\": \"ISSUED\"}"
#define PAGE(items, token) "{\"CertificateSummaryList\": [" items "], \"NextToken\": \"" token "\"}"

static void script_details(void)
{
	fake_call_fail_always(ANY(DETAIL), ERR_REFUSED, "InvalidArnException", "no such one");
	fake_call_fail_always(ANY(PEM), ERR_REFUSED, "InvalidArnException", "no such one");
	fake_call_reply_always(ANY(TAGS), "{\"Tags\": []}");
}

static void short_empty_and_overlapping_pages_are_read_to_the_end(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	script_details();
	fake_call_reply(ANY(LIST), PAGE("", "t1"));
	fake_call_reply(ANY(LIST), PAGE(ITEM("b"), "t2"));
	fake_call_reply(ANY(LIST), PAGE("", "t3"));
	fake_call_reply(ANY(LIST), PAGE(ITEM("b") "," ITEM("a"), "t4"));
	fake_call_reply(ANY(LIST), PAGE("", ""));
	scan_run_well(fixture);
	expect_calls(fixture, 5, 2, 2, 2);
	expect_result(fixture, 2, 2, 2, 0, 0);
}

static void token_that_repeats_ends_the_scan(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply_always(ANY(LIST), PAGE(ITEM("a"), "same"));
	scan_run(fixture);
	expect_error(fixture, ERR_PROTOCOL, "ListCertificates page 2: the answer's NextToken");
	expect_calls(fixture, 2, 0, 0, 0);
	expect_stored(fixture, "");
}

/* A fresh token each time; the page is arg, or new certificates each time when it is NULL. */
static bool answer_without_end(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	static int number;
	const char *page = arg;
	struct buf items;
	(void)call;
	(void)err;
	buf_init(&items, 1 << 20);
	if (page != NULL)
		buf_add_text(&items, page);
	for (int i = 0; page == NULL && i < 1000; i++)
		buf_addf(&items, "%s{\"CertificateArn\": \"" PREFIX "%d\"}", i > 0 ? "," : "",
			number * 1000 + i);
	*ret_body = xasprintf("{\"CertificateSummaryList\": [%s], \"NextToken\": \"t%d\"}",
		buf_text(&items), number++);
	buf_clear(&items);
	return true;
}

static void endless_pages_end_the_scan(void **state)
{
	struct fixture *fixture = *state;
	static char empty[] = "", same[] = ITEM("a");
	fake_call_set_answerer(answer_without_end, empty);
	scan_run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 2000 pages");
	expect_calls(fixture, ACM_SCAN_PAGES_MAX, 0, 0, 0);
	fake_call_set_answerer(answer_without_end, same);
	scan_run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 2000 pages");
	expect_stored(fixture, "");
}

static void number_of_certificates_is_limited(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(answer_without_end, NULL);
	scan_run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 20000 certificates");
	expect_calls(fixture, 21, 0, 0, 0);
}

static void foreign_certificate_ends_the_scan(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply(ANY(LIST), PAGE(ITEM("a"), "t1"));
	fake_call_reply(ANY(LIST), "{\"CertificateSummaryList\": [{\"CertificateArn\": "
				   "\"arn:aws:acm:eu-west-1:999999999999:certificate/a\"}]}");
	scan_run(fixture);
	expect_error(fixture, ERR_PROTOCOL, "page 2: ACM listed \"arn:aws:acm:eu-west-1:9999");
	expect_stored(fixture, "");
}

static void answers_that_lie_end_the_scan(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lies[] = {"<html>", "{\"CertificateSummaryList\": 7}",
		"{\"CertificateSummaryList\": [{\"CertificateArn\": 7}]}", "{}"};
	fake_call_set_answerer(NULL, NULL);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_call_reply(ANY(LIST), lies[i]);
		scan_run(fixture);
		assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
	}
}

/* --- partitions without the newest parameter -------------------------------------------------- */

static void partition_that_refuses_origins_is_asked_without(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	fixture->acm.refuses_origins = true;
	fixture->acm.page_size = 1;
	scan_run_well(fixture);
	assert_true(fixture->lacks_origins);
	expect_calls(fixture, 3, 2, 2, 2);
	scan_run_well(fixture); /* and is remembered */
	expect_calls(fixture, 2, 0, 0, 0);
	fixture->options.lacks_origins = NULL; /* nobody to remember */
	scan_run_well(fixture);
	expect_calls(fixture, 3, 0, 0, 0);
}

/* What a list cannot show it does not prove to be gone. */
static void acme_certificates_stay_while_origins_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *other = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *acme = fake_acm_add(&fixture->acm, "b");
	acme->is_acme = true;
	scan_run_well(fixture);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	fixture->acm.refuses_origins = true;
	other->is_listed = false;
	scan_run_well(fixture);
	expect_result(fixture, 0, 0, 0, 0, 1);
	expect_stored(fixture, "a ISSUED gone\nb ISSUED\n");
	fixture->acm.refuses_origins = fixture->lacks_origins = false;
	acme->is_listed = false;
	scan_run_well(fixture);
	expect_stored(fixture, "a ISSUED gone\nb ISSUED gone\n");
}

static void refusal_for_another_reason_is_not_remembered(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_fail_always(ANY(LIST), ERR_REFUSED, "SerializationException", "I do not like it");
	scan_run(fixture);
	expect_error(fixture, ERR_REFUSED, "I do not like it");
	assert_false(fixture->lacks_origins);
	expect_calls(fixture, 2, 0, 0, 0);
}

static void refusal_of_a_later_page_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply(ANY(LIST), PAGE("", "t1"));
	fake_call_fail(ANY(LIST), ERR_REFUSED, "ValidationException", "stale token");
	scan_run(fixture);
	expect_error(fixture, ERR_REFUSED, "stale token");
	expect_calls(fixture, 2, 0, 0, 0);
}

static void other_refusals_are_errors_at_once(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_fail(ANY(LIST), ERR_REFUSED, "InvalidArgsException", "no");
	scan_run(fixture);
	expect_error(fixture, ERR_REFUSED, "no");
	fake_call_fail(ANY(LIST), ERR_DENIED, "ValidationException", "denied");
	scan_run(fixture);
	expect_error(fixture, ERR_DENIED, "denied");
	expect_calls(fixture, 1, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(every_page_is_asked_for_with_the_same_request),
		SCAN_TEST(short_empty_and_overlapping_pages_are_read_to_the_end),
		SCAN_TEST(token_that_repeats_ends_the_scan),
		SCAN_TEST(endless_pages_end_the_scan),
		SCAN_TEST(number_of_certificates_is_limited),
		SCAN_TEST(foreign_certificate_ends_the_scan),
		SCAN_TEST(answers_that_lie_end_the_scan),
		SCAN_TEST(partition_that_refuses_origins_is_asked_without),
		SCAN_TEST(acme_certificates_stay_while_origins_are_refused),
		SCAN_TEST(refusal_for_another_reason_is_not_remembered),
		SCAN_TEST(refusal_of_a_later_page_is_an_error),
		SCAN_TEST(other_refusals_are_errors_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
