#include "discovery/cert_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/text.h"
#include "tests/lib/aborts.h"
#include "tests/lib/fake_acm.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/flow_fixture.h"

#define ACCOUNT "111122223333"
#define ARN	"arn:aws:acm:eu-west-1:" ACCOUNT ":certificate/a"

struct fixture {
	struct flow flow;
	struct fake_acm acm;
	struct fake_acm_cert *cert;
	struct cert_fetch_trouble trouble;
	struct cert_fetch_options options;
	struct cert_fetch *fetch;
	int ends;
	struct cert_fetched fetched; /* as delivered */
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.ends = 0};
	flow_open(&fixture.flow, ACCOUNT);
	fixture.acm = (struct fake_acm){.account_id = ACCOUNT, .region = "eu-west-1"};
	fixture.cert = fake_acm_add(&fixture.acm, "a");
	fixture.cert->tag = "pki";
	fake_acm_install(&fixture.acm);
	fixture.options = (struct cert_fetch_options){.client = fixture.flow.client,
		.region = "eu-west-1",
		.arn = ARN,
		.status = "ISSUED",
		.change = CHANGE_ALL,
		.serial = "",
		.trouble = &fixture.trouble};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	cert_fetched_clear(&fixture->fetched);
	flow_close(&fixture->flow);
	return 0;
}

static void on_done(void *arg, struct cert_fetched *fetched, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->fetch = NULL;
	fixture->ends++;
	assert_true((fetched == NULL) != (err == NULL));
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
	cert_fetched_clear(&fixture->fetched);
	if (fetched == NULL)
		return;
	fixture->fetched = *fetched;
	*fetched = (struct cert_fetched){.has_detail = false};
}

static const struct cert_fetched *run(struct fixture *fixture)
{
	fixture->ends = 0;
	fixture->fetch = cert_fetch_start(&fixture->options, on_done, fixture);
	assert_int_equal(fixture->ends, 0);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
	return &fixture->fetched;
}

static void expect_calls(size_t describes, size_t gets, size_t tag_lists)
{
	assert_int_equal(fake_call_count_of("DescribeCertificate"), describes);
	assert_int_equal(fake_call_count_of("GetCertificate"), gets);
	assert_int_equal(fake_call_count_of("ListTagsForCertificate"), tag_lists);
}

static void expect_error(const struct cert_fetched *fetched, const char *text)
{
	if (strstr(fetched->error, text) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fetched->error, text);
	assert_false(fetched->is_complete);
}

static struct err failure(enum err_kind kind, const char *text)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "%s", text);
	return err;
}

static void everything_is_asked_once(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->chain = "chain-intermediate,chain-root";
	const struct cert_fetched *fetched = run(fixture);
	assert_true(fetched->is_complete);
	assert_string_equal(fetched->error, "");
	assert_true(fetched->has_detail);
	assert_string_equal(fetched->detail.domain_name, "www.example.com");
	assert_true(fetched->has_pem);
	assert_string_equal(fetched->facts.serial, "793fcb711e8dd17b241c369b68b0eda27b628063");
	assert_memory_equal(
		fetched->leaf.sha256, fetched->facts.fingerprint_sha256, CERT_SHA256_LEN);
	assert_int_equal(fetched->chain.count, 2);
	assert_true(fetched->has_tags);
	assert_int_equal(fetched->tags.count, 1);
	expect_calls(1, 1, 1);
}

static void describe_alone_is_enough_for_the_same_version(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.change = CHANGE_DESCRIBE;
	fixture->options.serial = "793fcb711e8dd17b241c369b68b0eda27b628063";
	const struct cert_fetched *fetched = run(fixture);
	assert_true(fetched->has_detail);
	assert_false(fetched->has_pem);
	assert_false(fetched->has_tags);
	assert_false(fetched->is_complete);
	assert_string_equal(fetched->error, "");
	expect_calls(1, 0, 0);
}

static void describe_goes_on_when_it_shows_another_version(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.change = CHANGE_DESCRIBE;
	fixture->options.serial = "0fac";
	assert_true(run(fixture)->is_complete);
	expect_calls(1, 1, 1);
}

static void describe_alone_that_fails_asks_no_more(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.change = CHANGE_DESCRIBE;
	fixture->cert->describe_err = failure(ERR_SERVICE, "oh");
	expect_error(run(fixture), "oh");
	expect_calls(1, 0, 0);
}

static void certificate_without_pem_is_not_asked_for_one(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->pem = NULL;
	fixture->cert->status = "PENDING_VALIDATION";
	assert_true(run(fixture)->is_complete); /* Describe's status counts, not the list's */
	expect_calls(1, 0, 1);
}

static void status_of_the_list_counts_when_describe_fails(void **state)
{
	struct fixture *fixture = *state;
	fixture->options.status = "FAILED";
	fixture->cert->describe_err = failure(ERR_SERVICE, "oh");
	expect_error(run(fixture), "oh");
	expect_calls(1, 0, 1);
}

/* Its status says that it is issued (else nobody asks for a PEM): it is asked again in the next
 * scan, not when its details have grown old. */
static void certificate_whose_pem_is_not_there_yet_is_not_complete(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->pem = NULL; /* Get answers RequestInProgressException */
	const struct cert_fetched *fetched = run(fixture);
	expect_error(fetched, "not issued yet");
	assert_false(fetched->has_pem);
	expect_calls(1, 1, 1);
}

static void step_that_fails_does_not_stop_the_others(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->describe_err = failure(ERR_REFUSED, "damaged");
	const struct cert_fetched *fetched = run(fixture);
	expect_error(fetched, "damaged");
	assert_false(fetched->has_detail);
	assert_true(fetched->has_pem);
	assert_true(fetched->has_tags);

	fixture->cert->describe_err = (struct err)ERR_INIT;
	fixture->cert->get_err = failure(ERR_DENIED, "not allowed");
	fetched = run(fixture);
	expect_error(fetched, "not allowed");
	assert_true(fetched->has_detail);
	assert_false(fetched->has_pem);
	assert_true(fetched->has_tags);

	fixture->cert->tags_err = failure(ERR_THROTTLED, "slow down");
	fetched = run(fixture);
	assert_string_equal(fetched->error, "not allowed; slow down");
	assert_false(fetched->has_tags);
	expect_calls(3, 3, 3);
}

static void details_of_another_certificate_are_not_taken(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->describe_id = "other";
	const struct cert_fetched *fetched = run(fixture);
	expect_error(fetched, "certificate/other");
	assert_false(fetched->has_detail);
	assert_true(fetched->has_pem);
}

static void broken_pem_is_told(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *body, *text;
	} broken[] = {
		{"{\"Certificate\": \"<html>\"}", "that GetCertificate gave: "},
		{"{\"Certificate\": \"-----BEGIN CERTIFICATE-----\\nYWJj\\n"
		 "-----END CERTIFICATE-----\\n\"}",
			"that GetCertificate gave: "},
		{"{\"Certificate\": 7}", "Certificate"},
	};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		fixture->cert->get_body = broken[i].body;
		const struct cert_fetched *fetched = run(fixture);
		expect_error(fetched, broken[i].text);
		assert_false(fetched->has_pem);
		assert_null(fetched->leaf.bytes);
		assert_true(fetched->has_tags);
	}
}

static void broken_chain_leaves_the_leaf(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->chain =
		"san-none,san-none,san-none,san-none,san-none,san-none,san-none,san-none,san-none,"
		"san-none,san-none,san-none,san-none,san-none,san-none,san-none,san-none";
	const struct cert_fetched *fetched = run(fixture);
	expect_error(fetched, "the chain that GetCertificate gave: ");
	assert_true(fetched->has_pem);
	assert_int_equal(fetched->chain.count, 0);
}

static void lost_session_or_connection_ends_the_fetch(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {
		ERR_UNREACHABLE, ERR_CREDENTIALS, ERR_ROLE, ERR_STOPPED};
	for (size_t step = 1; step <= 3; step++) {
		for (size_t i = 0; i < 4; i++) {
			size_t before = fake_call_count();
			fake_call_fail_at(step, kinds[i], "Code");
			run(fixture);
			assert_int_equal(fixture->err.kind, kinds[i]);
			assert_string_equal(fixture->err.code, "Code");
			assert_int_equal(fake_call_count() - before, step);
		}
	}
}

static void every_step_may_fail_in_any_other_way(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_CONFIG, ERR_SYSTEM, ERR_LIMIT, ERR_PROTOCOL,
		ERR_TIMEOUT, ERR_THROTTLED, ERR_DENIED, ERR_DENIED_BY_SCP, ERR_NOT_FOUND,
		ERR_REFUSED, ERR_SERVICE};
	for (size_t step = 1; step <= 3; step++) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			fake_call_fail_at(step, kinds[i], "");
			const struct cert_fetched *fetched = run(fixture);
			assert_int_equal(fixture->err.kind, ERR_NONE);
			expect_error(fetched, "failed on purpose");
			assert_int_equal(fetched->has_detail, step != 1);
			assert_int_equal(fetched->has_pem, step != 2);
			assert_int_equal(fetched->has_tags, step != 3);
		}
	}
}

static void every_wait_may_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_manual(true);
	for (size_t n = 0; n < 3; n++) {
		fixture->ends = 0;
		fixture->fetch = cert_fetch_start(&fixture->options, on_done, fixture);
		for (size_t i = 0; i < n; i++)
			assert_true(fake_call_deliver());
		assert_int_equal(fixture->ends, 0);
		cert_fetch_cancel(fixture->fetch);
		assert_int_equal(fake_call_cancelled(), n + 1);
	}
	assert_int_equal(fixture->ends, 0);
	cert_fetch_cancel(NULL);
}

static void step_that_fails_for_many_in_a_row_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	fixture->cert->tags_err = failure(ERR_DENIED, "no ListTagsForCertificate");
	for (int i = 0; i < CERT_FETCH_TROUBLE_MAX; i++)
		expect_error(run(fixture), "no ListTagsForCertificate");
	expect_calls(CERT_FETCH_TROUBLE_MAX, CERT_FETCH_TROUBLE_MAX, CERT_FETCH_TROUBLE_MAX);
	const struct cert_fetched *fetched = run(fixture);
	expect_error(fetched, "no ListTagsForCertificate");
	assert_true(fetched->has_detail);
	assert_true(fetched->has_pem);
	expect_calls(
		CERT_FETCH_TROUBLE_MAX + 1, CERT_FETCH_TROUBLE_MAX + 1, CERT_FETCH_TROUBLE_MAX);
}

static void success_counts_failures_from_zero(void **state)
{
	struct fixture *fixture = *state;
	fixture->trouble.step[CERT_FETCH_PEM].in_row = CERT_FETCH_TROUBLE_MAX - 1;
	run(fixture);
	assert_int_equal(fixture->trouble.step[CERT_FETCH_PEM].in_row, 0);
}

static void failure_of_one_certificate_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	fixture->trouble.step[CERT_FETCH_PEM].in_row = 3;
	fixture->cert->get_err = failure(ERR_NOT_FOUND, "where is it");
	run(fixture);
	assert_int_equal(fixture->trouble.step[CERT_FETCH_PEM].in_row, 3);
	fixture->cert->get_err = failure(ERR_TIMEOUT, "late");
	run(fixture);
	assert_int_equal(fixture->trouble.step[CERT_FETCH_PEM].in_row, 4);
}

static void give_up(struct fixture *fixture, enum cert_fetch_step step, const char *text)
{
	fixture->trouble.step[step].in_row = CERT_FETCH_TROUBLE_MAX;
	fixture->trouble.step[step].err = failure(ERR_DENIED, text);
}

static void given_up_steps_in_front_are_passed_over(void **state)
{
	struct fixture *fixture = *state;
	give_up(fixture, CERT_FETCH_DETAIL, "no Describe");
	give_up(fixture, CERT_FETCH_PEM, "no Get");
	struct cert_fetched fetched;
	assert_false(cert_fetch_is_hopeless(&fixture->options, &fetched));
	assert_string_equal(run(fixture)->error, "no Describe; no Get");
	expect_calls(0, 0, 1);
}

static void fetch_with_nothing_left_to_ask_is_hopeless(void **state)
{
	struct fixture *fixture = *state;
	struct cert_fetched fetched;
	give_up(fixture, CERT_FETCH_DETAIL, "no Describe");
	fixture->options.change = CHANGE_DESCRIBE;
	assert_true(cert_fetch_is_hopeless(&fixture->options, &fetched));
	assert_string_equal(fetched.error, "no Describe");
	cert_fetched_clear(&fetched);

	fixture->options.change = CHANGE_ALL;
	give_up(fixture, CERT_FETCH_TAGS, "no tags");
	assert_false(cert_fetch_is_hopeless(&fixture->options, &fetched));
	fixture->options.status = "FAILED"; /* no PEM to ask for */
	assert_true(cert_fetch_is_hopeless(&fixture->options, &fetched));
	assert_string_equal(fetched.error, "no Describe; no tags");
	assert_false(fetched.is_complete);
	cert_fetched_clear(&fetched);
}

static void *hopeless_state;

static void start_hopeless(void)
{
	struct fixture *fixture = hopeless_state;
	(void)cert_fetch_start(&fixture->options, on_done, fixture);
}

static void hopeless_fetch_must_not_be_started(void **state)
{
	struct fixture *fixture = *state;
	give_up(fixture, CERT_FETCH_DETAIL, "no Describe");
	fixture->options.change = CHANGE_DESCRIBE;
	hopeless_state = fixture;
	assert_true(aborts(start_hopeless));
}

static void long_errors_are_cut(void **state)
{
	struct fixture *fixture = *state;
	char text[ERR_TEXT_MAX];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture->cert->describe_err = failure(ERR_REFUSED, text);
	fixture->cert->get_err = failure(ERR_REFUSED, text);
	fixture->cert->tags_err = failure(ERR_REFUSED, text);
	const struct cert_fetched *fetched = run(fixture);
	assert_int_equal(strlen(fetched->error), CERT_FETCH_ERROR_MAX - 1);
	assert_true(text_has_suffix(fetched->error, "..."));
}

int main(void)
{
#define FETCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FETCH_TEST(everything_is_asked_once),
		FETCH_TEST(describe_alone_is_enough_for_the_same_version),
		FETCH_TEST(describe_goes_on_when_it_shows_another_version),
		FETCH_TEST(describe_alone_that_fails_asks_no_more),
		FETCH_TEST(certificate_without_pem_is_not_asked_for_one),
		FETCH_TEST(status_of_the_list_counts_when_describe_fails),
		FETCH_TEST(certificate_whose_pem_is_not_there_yet_is_not_complete),
		FETCH_TEST(step_that_fails_does_not_stop_the_others),
		FETCH_TEST(details_of_another_certificate_are_not_taken),
		FETCH_TEST(broken_pem_is_told),
		FETCH_TEST(broken_chain_leaves_the_leaf),
		FETCH_TEST(lost_session_or_connection_ends_the_fetch),
		FETCH_TEST(every_step_may_fail_in_any_other_way),
		FETCH_TEST(every_wait_may_be_cancelled),
		FETCH_TEST(step_that_fails_for_many_in_a_row_is_given_up),
		FETCH_TEST(success_counts_failures_from_zero),
		FETCH_TEST(failure_of_one_certificate_does_not_count),
		FETCH_TEST(given_up_steps_in_front_are_passed_over),
		FETCH_TEST(fetch_with_nothing_left_to_ask_is_hopeless),
		FETCH_TEST(hopeless_fetch_must_not_be_started),
		FETCH_TEST(long_errors_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
