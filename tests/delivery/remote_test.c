/* What ACM holds under an ARN: all of it, nothing, or an error. */
#include "delivery/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"

enum { CALLS = 3 };
static const char *const operation[CALLS] = {
	"DescribeCertificate", "GetCertificate", "ListTagsForCertificate"};

struct answer {
	int ends;
	struct remote_state state; /* taken over */
	struct err err;
};

static void on_read(void *arg, struct remote_state *state, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	assert_true((state == NULL) != (err == NULL));
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
	if (state == NULL)
		return;
	answer->state = *state;
	*state = (struct remote_state){.exists = false};
}

static struct remote_read *start(struct job_fixture *fixture, struct answer *answer)
{
	*answer = (struct answer){.ends = 0};
	struct remote_read *read =
		remote_read_start(fixture->client, REGION, fixture->arn, on_read, answer);
	assert_int_equal(answer->ends, 0);
	return read;
}

static void run(struct job_fixture *fixture, struct answer *answer)
{
	(void)start(fixture, answer);
	fake_loop_run_ready();
	assert_int_equal(answer->ends, 1);
}

static void everything_is_read(void **state)
{
	(void)state;
	struct answer answer;
	run(&world, &answer);
	assert_true(answer.state.exists && answer.state.has_facts);
	assert_string_equal(answer.state.detail.arn, world.arn);
	assert_string_equal(answer.state.detail.status, "ISSUED");
	assert_string_equal(answer.state.pem.certificate, world.old_pem);
	assert_string_equal(answer.state.facts.serial, "0a");
	assert_int_equal(answer.state.tags.count, 1);
	assert_string_equal(answer.state.tags.item[0].key, "team");
	for (size_t i = 0; i < CALLS; i++)
		assert_string_equal(fake_call_record(i)->operation, operation[i]);
	assert_int_equal(fake_call_count(), CALLS);
	remote_state_clear(&answer.state);
	remote_state_clear(&answer.state); /* twice is fine */
}

/* Gone before, or between two calls: it is not there, and nothing of it is told. */
static void what_is_gone_is_an_answer(void **state)
{
	(void)state;
	for (size_t n = 1; n <= CALLS; n++) {
		struct job_fixture fixture;
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		fake_call_fail_at(n, ERR_NOT_FOUND, "ResourceNotFoundException");
		run(&fixture, &answer);
		assert_int_equal(answer.err.kind, ERR_NONE);
		assert_false(answer.state.exists || answer.state.has_facts);
		assert_null(answer.state.pem.certificate);
		assert_int_equal(answer.state.tags.count, 0);
		assert_int_equal(fake_call_count(), n);
		job_fixture_close(&fixture);
	}
}

static void each_call_fails_in_each_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAKE_CALL_ERRORS; i++) {
		const struct fake_call_error *error = &fake_call_errors[i];
		for (size_t n = 1; n <= CALLS; n++) {
			struct job_fixture fixture;
			struct answer answer;
			bool is_answer =
				error->kind == ERR_NOT_FOUND ||
				(n == 2 && strcmp(error->code, "RequestInProgressException") == 0);
			if (is_answer)
				continue;
			job_fixture_open(&fixture, NULL);
			fake_call_fail_at(n, error->kind, error->code);
			run(&fixture, &answer);
			assert_int_equal(answer.err.kind, error->kind);
			assert_int_equal(fake_call_count(), n);
			job_fixture_close(&fixture);
		}
	}
}

/* --- answers of a test's own ------------------------------------------------------------------- */

static struct {
	const char *operation, *body; /* in place of write_acm's */
	const char *status;	      /* of Describe; NULL: write_acm's */
	struct err err;		      /* of operation, when there is no body */
	struct write_acm *acm;
} own;

static bool answer_own(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	(void)arg;
	if (strcmp(call->operation, own.operation) == 0) {
		*err = own.body == NULL ? own.err : (struct err)ERR_INIT;
		*ret_body = own.body != NULL ? xstrdup(own.body) : NULL;
		return true;
	}
	bool is_answered = write_acm_answer(own.acm, call, ret_body, err);
	char *at = *ret_body != NULL ? strstr(*ret_body, "\"ISSUED\"") : NULL;
	if (own.status != NULL && at != NULL)
		memcpy(at + 1, own.status, strlen("ISSUED")); /* as long */
	return is_answered;
}

static void run_own(struct answer *answer, const char *what, const char *body, const char *status)
{
	struct job_fixture fixture;
	job_fixture_open(&fixture, NULL);
	own.operation = what;
	own.body = body;
	own.status = status;
	own.acm = &fixture.acm;
	fake_call_set_answerer(answer_own, NULL);
	run(&fixture, answer);
	job_fixture_close(&fixture);
}

static void a_certificate_that_is_not_issued_has_no_pem(void **state)
{
	(void)state;
	static const struct {
		const char *code, *status;
		bool is_answer;
	} row[] = {{"RequestInProgressException", NULL, true},
		{"ValidationException", "FAILED", true}, /* and never will be */
		{"ValidationException", NULL, false}};
	for (size_t i = 0; i < 3; i++) {
		struct answer answer;
		own.err = (struct err)ERR_INIT;
		(void)err_set(&own.err, ERR_REFUSED, "no PEM");
		(void)err_set_code(&own.err, row[i].code);
		run_own(&answer, "GetCertificate", NULL, row[i].status);
		assert_int_equal(answer.err.kind == ERR_NONE, row[i].is_answer);
		assert_int_equal(answer.state.exists, row[i].is_answer);
		assert_false(answer.state.has_facts);
		assert_int_equal(answer.state.tags.count, row[i].is_answer);
		remote_state_clear(&answer.state);
	}
}

static void answers_that_make_no_sense_are_errors(void **state)
{
	(void)state;
	static const struct {
		const char *operation, *body, *text;
	} row[] = {
		{"DescribeCertificate", "{}", ""},
		{"DescribeCertificate",
			"{\"Certificate\": {\"CertificateArn\": \"arn:aws:acm:eu-west-1:"
			"111122223333:certificate/another\", \"DomainName\": \"a\"}}",
			"DescribeCertificate told of another one"},
		{"GetCertificate", "{}", ""},
		{"GetCertificate", "{\"Certificate\": \"\"}", ""},
		{"GetCertificate", "{\"Certificate\": \"text\"}",
			"no certificate in what GetCertificate gave"},
		{"GetCertificate",
			"{\"Certificate\": \"-----BEGIN CERTIFICATE-----\\nMAA=\\n"
			"-----END CERTIFICATE-----\\n\"}",
			""},
		{"GetCertificate", "{\"Certificate\": \"-----BEGIN CERTIFICATE-----\\nMA\"}", ""},
		{"ListTagsForCertificate", "{\"Tags\": 7}", ""},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct answer answer;
		run_own(&answer, row[i].operation, row[i].body, NULL);
		if (answer.err.kind != ERR_PROTOCOL || strstr(answer.err.text, row[i].text) == NULL)
			fail_msg("%zu: %s", i, answer.err.text);
	}
}

static void cancel_at_each_call(void **state)
{
	(void)state;
	for (size_t n = 0; n < CALLS; n++) {
		struct job_fixture fixture;
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		struct remote_read *read = start(&fixture, &answer);
		for (size_t i = 0; i < n; i++)
			assert_true(fake_loop_step());
		remote_read_cancel(read);
		fake_loop_run_ready();
		assert_int_equal(answer.ends, 0);
		assert_int_equal(fake_call_cancelled(), 1);
		job_fixture_close(&fixture);
	}
	remote_read_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(everything_is_read),
		cmocka_unit_test(what_is_gone_is_an_answer),
		cmocka_unit_test(each_call_fails_in_each_way),
		cmocka_unit_test(a_certificate_that_is_not_issued_has_no_pem),
		cmocka_unit_test(answers_that_make_no_sense_are_errors),
		cmocka_unit_test(cancel_at_each_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
