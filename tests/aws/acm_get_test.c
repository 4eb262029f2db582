#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/flow_fixture.h"

static void requests_name_the_arn(void **state)
{
	(void)state;
	struct flow flow;
	flow_open(&flow, "111122223333");
	fake_call_set_manual(true);
	aws_call_cancel(acm_get_certificate_start(
		flow.client, "eu-west-1", "arn:a", flow_ignore_reply, NULL));
	aws_call_cancel(
		acm_list_tags_start(flow.client, "eu-west-1", "arn:b", flow_ignore_reply, NULL));
	assert_string_equal(fake_call_record(0)->operation, "GetCertificate");
	assert_string_equal(fake_call_record(0)->body, "{\"CertificateArn\":\"arn:a\"}");
	assert_string_equal(fake_call_record(1)->operation, "ListTagsForCertificate");
	assert_string_equal(fake_call_record(1)->body, "{\"CertificateArn\":\"arn:b\"}");
	flow_close(&flow);
}

static int take_pem(const struct aws_reply *reply, struct err *err)
{
	struct acm_pem pem = {.certificate = NULL};
	int rc = acm_get_certificate_take(reply, &pem, err);
	acm_pem_clear(&pem);
	return rc;
}

static int take_tags(const struct aws_reply *reply, struct err *err)
{
	struct acm_tag_list tags = {.count = 0};
	int rc = acm_list_tags_take(reply, &tags, err);
	acm_tag_list_clear(&tags);
	return rc;
}

static void certificate_and_chain_are_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/get.json");
	struct acm_pem pem;
	struct err err = ERR_INIT;
	assert_int_equal(acm_get_certificate_take(&reply, &pem, &err), 0);
	assert_string_equal(
		pem.certificate, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	assert_non_null(strstr(pem.chain, "MIID"));
	acm_pem_clear(&pem);
	json_object_del(reply.json, "CertificateChain"); /* a self-signed import */
	assert_int_equal(acm_get_certificate_take(&reply, &pem, &err), 0);
	assert_string_equal(pem.chain, "");
	acm_pem_clear(&pem);
	json_object_set_new(reply.json, "Certificate", json_string(""));
	assert_int_equal(acm_get_certificate_take(&reply, &pem, &err), -1);
	aws_reply_clear(&reply);
}

static void tags_are_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/tags.json");
	struct acm_tag_list tags;
	struct err err = ERR_INIT;
	assert_int_equal(acm_list_tags_take(&reply, &tags, &err), 0);
	assert_int_equal(tags.count, 3);
	assert_string_equal(tags.item[0].key, "Name");
	assert_string_equal(tags.item[0].value, "shop front");
	assert_string_equal(tags.item[1].value, "");
	assert_string_equal(tags.item[2].value, "\xc3\xbc\xe4\xb8\x96");
	acm_tag_list_clear(&tags);
	aws_reply_clear(&reply);
}

static void no_tags_are_no_error(void **state)
{
	(void)state;
	static const char *const text[] = {"{}", "{\"Tags\":[]}", "{\"Tags\":null}"};
	for (size_t i = 0; i < 3; i++) {
		struct aws_reply reply = answer_text(AWS_JSON_1_1, text[i]);
		struct err err = ERR_INIT;
		assert_int_equal(take_tags(&reply, &err), 0);
		aws_reply_clear(&reply);
	}
}

static void more_tags_than_aws_has_are_a_limit(void **state)
{
	(void)state;
	json_t *items = json_array();
	for (int i = 0; i <= ACM_TAGS_MAX; i++)
		json_array_append_new(items, json_pack("{s:s}", "Key", "k"));
	struct aws_reply reply = {.json = json_pack("{s:o}", "Tags", items)};
	struct err err = ERR_INIT;
	assert_int_equal(take_tags(&reply, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	json_array_remove(items, 0);
	assert_int_equal(take_tags(&reply, &err), 0);
	aws_reply_clear(&reply);
}

static void pem_longer_than_aws_sends_is_a_limit(void **state)
{
	(void)state;
	char *text = xmalloc(32770);
	memset(text, 'x', 32769);
	text[32769] = '\0';
	struct aws_reply reply = {.json = json_pack("{s:s}", "Certificate", text)};
	struct err err = ERR_INIT;
	assert_int_equal(take_pem(&reply, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	aws_reply_clear(&reply);
	free(text);
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("acm/get.json", take_pem) >= 12);
	assert_true(answer_check_types("acm/tags.json", take_tags) >= 30);
	answer_check_cuts(AWS_JSON_1_1, "acm/get.json");
	answer_check_cuts(AWS_JSON_1_1, "acm/tags.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_name_the_arn),
		cmocka_unit_test(certificate_and_chain_are_taken),
		cmocka_unit_test(tags_are_taken),
		cmocka_unit_test(no_tags_are_no_error),
		cmocka_unit_test(more_tags_than_aws_has_are_a_limit),
		cmocka_unit_test(pem_longer_than_aws_sends_is_a_limit),
		cmocka_unit_test(lying_types_and_cut_answers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
