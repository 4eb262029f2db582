#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/flow_fixture.h"

static void request_hides_nothing_and_is_the_same_on_every_page(void **state)
{
	(void)state;
	struct flow flow;
	flow_open(&flow, "111122223333");
	fake_call_set_manual(true);
	aws_call_cancel(acm_list_certificates_start(flow.client, "eu-west-1",
		&(struct acm_list_options){.include_origins = true}, flow_ignore_reply, NULL));
	aws_call_cancel(acm_list_certificates_start(flow.client, "eu-west-1",
		&(struct acm_list_options){.include_origins = true, .next_token = "t\n"},
		flow_ignore_reply, NULL));
	aws_call_cancel(acm_list_certificates_start(flow.client, "eu-west-1",
		&(struct acm_list_options){.include_origins = false}, flow_ignore_reply, NULL));
#define KEY_TYPES                                                                                  \
	"{\"Includes\":{\"keyTypes\":[\"RSA_1024\",\"RSA_2048\",\"RSA_3072\",\"RSA_4096\","        \
	"\"EC_prime256v1\",\"EC_secp384r1\",\"EC_secp521r1\"]}"
#define ORIGINS ",\"CertificateKeyPairOrigins\":[\"AWS_MANAGED\",\"ACME\",\"CUSTOMER_PROVIDED\"]"
	assert_string_equal(fake_call_record(0)->operation, "ListCertificates");
	assert_string_equal(fake_call_record(0)->body, KEY_TYPES ORIGINS ",\"MaxItems\":1000}");
	assert_string_equal(fake_call_record(1)->body,
		KEY_TYPES ORIGINS ",\"MaxItems\":1000,\"NextToken\":\"t\\n\"}");
	assert_string_equal(fake_call_record(2)->body, KEY_TYPES ",\"MaxItems\":1000}");
	flow_close(&flow);
}

static int take(const struct aws_reply *reply, struct err *err)
{
	struct acm_summary_list list = {.item = NULL};
	char *token = NULL;
	int rc = acm_list_certificates_take(reply, &list, &token, err);
	assert_true(rc == 0 || (list.count == 0 && token == NULL));
	acm_summary_list_clear(&list);
	free(token);
	return rc;
}

static void summaries_are_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/list.json");
	struct acm_summary_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = xstrdup("page-before");
	assert_int_equal(acm_list_certificates_take(&reply, &list, &token, &err), 0);
	assert_string_equal(token, "AAAA-next-page");
	assert_int_equal(list.count, 2);
	const struct acm_summary *first = &list.item[0], *second = &list.item[1];
	assert_string_equal(first->arn,
		"arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012");
	assert_string_equal(first->domain_name, "www.example.com");
	assert_string_equal(first->status, "ISSUED");
	assert_string_equal(first->type, "AMAZON_ISSUED");
	assert_string_equal(first->key_algorithm, "RSA_2048");
	assert_string_equal(first->export_option, "DISABLED");
	assert_string_equal(first->renewal_eligibility, "ELIGIBLE");
	assert_string_equal(first->key_pair_origin, "AWS_MANAGED");
	assert_true(first->in_use);
	assert_false(first->exported);
	assert_int_equal(first->not_before_s, 1780000000);
	assert_int_equal(first->not_after_s, 1797107199);
	assert_int_equal(first->created_s, 1779999000);
	assert_int_equal(first->issued_s, 1780000100);
	assert_int_equal(first->imported_s, 0);
	assert_string_equal(second->domain_name, "");
	assert_string_equal(second->managed_by, "CLOUDFRONT");
	assert_true(second->exported);
	assert_int_equal(second->imported_s, 1700000000);
	assert_int_equal(second->not_after_s, 0);
	assert_memory_not_equal(first->digest, second->digest, ACM_DIGEST_LEN);
	acm_summary_list_clear(&list);
	free(token);
	aws_reply_clear(&reply);
}

/* --- digest ----------------------------------------------------------------------------------- */

static void digest_of(json_t *document, unsigned char *ret_digest)
{
	struct aws_reply reply = {.json = document};
	struct acm_summary_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(acm_list_certificates_take(&reply, &list, &token, &err), 0);
	memcpy(ret_digest, list.item[0].digest, ACM_DIGEST_LEN);
	acm_summary_list_clear(&list);
	free(token);
}

static json_t *first_of(json_t *document)
{
	return json_array_get(json_object_get(document, "CertificateSummaryList"), 0);
}

static void digest_shows_a_change_of_any_member(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/list.json");
	json_t *first = first_of(reply.json);
	json_object_del(first, "MemberOfTheFuture");
	json_object_set_new(first, "Exported", json_false());
	json_object_set_new(first, "ImportedAt", json_integer(1));
	json_object_set_new(first, "RevokedAt", json_integer(1));
	json_object_set_new(first, "ManagedBy", json_string("x"));
	unsigned char before[ACM_DIGEST_LEN], after[ACM_DIGEST_LEN];
	digest_of(reply.json, before);
	int changed = 0;
	const char *name;
	json_t *value;
	void *next;
	json_object_foreach_safe(first, next, name, value)
	{
		if (strcmp(name, "CertificateArn") == 0)
			continue;
		json_t *other = NULL;
		if (json_is_boolean(value))
			other = json_boolean(!json_is_true(value));
		else if (json_is_number(value))
			other = json_integer((json_int_t)json_number_value(value) + 1);
		else if (json_is_string(value))
			other = json_string("OTHER");
		else
			other = json_pack("[s]", "OTHER");
		json_incref(value);
		json_object_set_new(first, name, other);
		digest_of(reply.json, after);
		if (memcmp(before, after, ACM_DIGEST_LEN) == 0)
			fail_msg("a change of %s does not show", name);
		json_object_set_new(first, name, value);
		changed++;
	}
	assert_int_equal(changed, 20);
	digest_of(reply.json, after);
	assert_memory_equal(before, after, ACM_DIGEST_LEN);
	aws_reply_clear(&reply);
}

static void digest_ignores_order_arn_and_members_unknown_to_us(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/list.json");
	json_t *first = first_of(reply.json);
	unsigned char before[ACM_DIGEST_LEN], after[ACM_DIGEST_LEN];
	digest_of(reply.json, before);
	json_object_set_new(first, "SubjectAlternativeNameSummaries",
		json_pack("[s, s, s]", "*.example.com", "example.com", "www.example.com"));
	json_object_set_new(first, "CertificateArn",
		json_string("arn:aws:acm:eu-west-1:111122223333:certificate/other"));
	json_object_del(first, "MemberOfTheFuture");
	digest_of(reply.json, after);
	assert_memory_equal(before, after, ACM_DIGEST_LEN);
	aws_reply_clear(&reply);
}

static void names_do_not_run_into_each_other(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/list.json");
	json_t *first = first_of(reply.json);
	unsigned char one[ACM_DIGEST_LEN], other[ACM_DIGEST_LEN];
	json_object_set_new(first, "KeyUsages", json_pack("[s, s]", "ab", "c"));
	digest_of(reply.json, one);
	json_object_set_new(first, "KeyUsages", json_pack("[s, s]", "a", "bc"));
	digest_of(reply.json, other);
	assert_memory_not_equal(one, other, ACM_DIGEST_LEN);
	aws_reply_clear(&reply);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void expect_refused(const char *text)
{
	answer_check_refused(AWS_JSON_1_1, text, take);
}

static void answer_without_a_list_is_not_an_empty_one(void **state)
{
	(void)state;
	expect_refused("{}");
	expect_refused("{\"CertificateSummaryList\":null}");
	struct aws_reply reply = answer_text(AWS_JSON_1_1, "{\"CertificateSummaryList\":[]}");
	struct err err = ERR_INIT;
	assert_int_equal(take(&reply, &err), 0);
	aws_reply_clear(&reply);
}

static void arns_that_are_no_certificates_are_refused(void **state)
{
	(void)state;
#define ARN(text) "{\"CertificateSummaryList\":[{\"CertificateArn\":\"" text "\"}]}"
	expect_refused("{\"CertificateSummaryList\":[{}]}");
	expect_refused("{\"CertificateSummaryList\":[[]]}");
	expect_refused(ARN("arn:aws:iam::111122223333:role/x"));
	expect_refused(ARN("arn:aws:acm::111122223333:certificate/x"));
	expect_refused(ARN("arn:aws:acm:eu-west-1::certificate/x"));
	expect_refused(ARN("arn:aws:acm:eu-west-1:111122223333:certificate"));
	expect_refused(ARN("arn:aws:acm:eu-west-1:111122223333:certificate/a b"));
}

static void a_bad_item_leaves_the_list_as_it_was(void **state)
{
	(void)state;
	struct aws_reply good = answer_file(AWS_JSON_1_1, "acm/list.json");
	struct acm_summary_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(acm_list_certificates_take(&good, &list, &token, &err), 0);
	json_object_set_new(good.json, "NextToken", json_string("third"));
	json_object_set_new(json_array_get(json_object_get(good.json, "CertificateSummaryList"), 1),
		"InUse", json_string("no"));
	assert_int_equal(acm_list_certificates_take(&good, &list, &token, &err), -1);
	assert_non_null(strstr(err.text, "CertificateSummaryList[1]"));
	assert_non_null(strstr(err.text, "InUse"));
	assert_int_equal(list.count, 2);
	assert_string_equal(token, "AAAA-next-page");
	acm_summary_list_clear(&list);
	free(token);
	aws_reply_clear(&good);
}

static void endless_token_is_noticed(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/list.json");
	struct acm_summary_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = xstrdup("AAAA-next-page");
	assert_int_equal(acm_list_certificates_take(&reply, &list, &token, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(list.count, 0);
	acm_summary_list_clear(&list);
	free(token);
	aws_reply_clear(&reply);
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("acm/list.json", take) >= 150);
	answer_check_cuts(AWS_JSON_1_1, "acm/list.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_hides_nothing_and_is_the_same_on_every_page),
		cmocka_unit_test(summaries_are_taken),
		cmocka_unit_test(digest_shows_a_change_of_any_member),
		cmocka_unit_test(digest_ignores_order_arn_and_members_unknown_to_us),
		cmocka_unit_test(names_do_not_run_into_each_other),
		cmocka_unit_test(answer_without_a_list_is_not_an_empty_one),
		cmocka_unit_test(arns_that_are_no_certificates_are_refused),
		cmocka_unit_test(a_bad_item_leaves_the_list_as_it_was),
		cmocka_unit_test(endless_token_is_noticed),
		cmocka_unit_test(lying_types_and_cut_answers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
