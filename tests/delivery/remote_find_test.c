/* Finding a leaf whose import lost its answer: ours, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/remote.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/make_cert.h"

struct answer {
	int ends;
	char arn[128];
	struct err err;
};

static void on_found(void *arg, const char *arn, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	text_copy(answer->arn, sizeof(answer->arn), arn != NULL ? arn : "");
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static void facts_of(const char *pem, struct x509_facts *ret_facts)
{
	struct err err = ERR_INIT;
	const char *at = pem;
	unsigned char *der;
	size_t len;
	*ret_facts = (struct x509_facts){.san_count = 0};
	assert_int_equal(x509_pem_next(&at, pem + strlen(pem), &der, &len, &err), 1);
	assert_int_equal(x509_facts_from_der(der, len, ret_facts, &err), 0);
	free(der);
}

static struct remote_find *start(struct job_fixture *fixture, struct answer *answer)
{
	struct x509_facts facts;
	facts_of(fixture->new_pem, &facts);
	*answer = (struct answer){.ends = 0};
	struct remote_find *find = remote_find_start(fixture->client, REGION,
		&(struct remote_wanted){
			.leaf = &facts, .created_after_s = NOW_S - 600, .certificate_id = "shop"},
		on_found, answer);
	x509_facts_clear(&facts);
	return find;
}

static void run(struct job_fixture *fixture, struct answer *answer)
{
	(void)start(fixture, answer);
	fake_loop_run_ready();
	assert_int_equal(answer->ends, 1);
}

static void only_the_leaf_that_we_made_is_found(void **state)
{
	(void)state;
	struct answer answer;
	run(&world, &answer);
	assert_string_equal(answer.arn, "");
	assert_int_equal(fake_call_count_of("GetCertificate"), 0); /* old has other dates */
	struct write_acm_cert *before = write_acm_add(&world.acm, world.new_pem, "x");
	before->created_s = NOW_S - 3600; /* somebody's, long before */
	struct write_acm_cert *another = write_acm_add(&world.acm, world.new_pem, "x");
	write_acm_set_tag(another, "acmsensor:certificate-id", "another");
	run(&world, &answer);
	assert_string_equal(answer.arn, "");
	struct write_acm_cert *ours = write_acm_add(&world.acm, world.new_pem, "x");
	run(&world, &answer);
	assert_string_equal(answer.arn, ours->arn); /* its tags may show later */
	write_acm_set_tag(ours, "acmsensor:certificate-id", "shop");
	run(&world, &answer);
	assert_string_equal(answer.arn, ours->arn);
}

/* write_acm.h, but for so many pages in front of the last, and certificates that are no PEM. */
static size_t pages_before, unreadable;

static bool answer_odd(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	if (strcmp(call->operation, "ListCertificates") == 0 && pages_before > 0) {
		*ret_body = xasprintf(
			"{\"CertificateSummaryList\":[],\"NextToken\":\"%zu\"}", pages_before--);
		return true;
	}
	if (strcmp(call->operation, "GetCertificate") == 0 && unreadable > 0) {
		unreadable--;
		*ret_body = xstrdup("{\"Certificate\":\"no PEM\"}");
		return true;
	}
	return write_acm_answer(arg, call, ret_body, err);
}

/* Every page is read before anything is looked at, and one of the same dates may be another. */
static void it_is_found_on_a_later_page_behind_others(void **state)
{
	(void)state;
	struct answer answer;
	fake_call_set_answerer(answer_odd, &world.acm);
	char *twin = make_cert_pem("www.example.com", 77, NOW_S - 86400, NOW_S + 90 * 86400);
	(void)write_acm_add(&world.acm, twin, "x");
	struct write_acm_cert *first = write_acm_add(&world.acm, world.new_pem, "x");
	struct write_acm_cert *second = write_acm_add(&world.acm, world.new_pem, "x");
	pages_before = 2;
	run(&world, &answer);
	assert_int_equal(fake_call_count_of("ListCertificates"), 3);
	assert_string_equal(answer.arn, first->arn);
	unreadable = 2; /* the twin and the first */
	run(&world, &answer);
	assert_string_equal(answer.arn, second->arn);
	free(twin);
}

static void a_list_without_end_is_a_limit(void **state)
{
	(void)state;
	struct answer answer;
	fake_call_set_answerer(answer_odd, &world.acm);
	pages_before = 1000000;
	run(&world, &answer);
	assert_int_equal(answer.err.kind, ERR_LIMIT);
	pages_before = 0;
}

/* Not having looked is no "there is none". */
static void an_error_is_no_answer(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		for (size_t e = 0; e < FAKE_CALL_ERRORS; e++) {
			struct job_fixture fixture;
			struct answer answer;
			job_fixture_open(&fixture, NULL);
			(void)write_acm_add(&fixture.acm, fixture.new_pem, "x");
			fake_call_fail_at(n, fake_call_errors[e].kind, fake_call_errors[e].code);
			run(&fixture, &answer);
			enum err_kind kind = fake_call_errors[e].kind;
			bool is_gone = n > 1 && (kind == ERR_NOT_FOUND ||
							strcmp(fake_call_errors[e].code,
								"RequestInProgressException") == 0);
			bool is_origins = n == 1 && kind == ERR_REFUSED;
			if (is_gone)
				assert_string_equal(answer.arn, "");
			else if (is_origins)
				assert_string_not_equal(answer.arn, "");
			else
				assert_int_equal(answer.err.kind, kind);
			job_fixture_close(&fixture);
		}
	}
}

static void cancel_at_each_call(void **state)
{
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		struct job_fixture fixture;
		struct answer answer;
		job_fixture_open(&fixture, NULL);
		(void)write_acm_add(&fixture.acm, fixture.new_pem, "x");
		struct remote_find *find = start(&fixture, &answer);
		for (size_t i = 0; i < n; i++)
			assert_true(fake_loop_step());
		remote_find_cancel(find);
		assert_int_equal(answer.ends, 0);
		job_fixture_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(only_the_leaf_that_we_made_is_found),
		JOB_TEST(it_is_found_on_a_later_page_behind_others),
		JOB_TEST(a_list_without_end_is_a_limit),
		cmocka_unit_test(an_error_is_no_answer),
		cmocka_unit_test(cancel_at_each_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
