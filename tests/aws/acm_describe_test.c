#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/flow_fixture.h"

static void request_names_the_arn(void **state)
{
	(void)state;
	struct flow flow;
	flow_open(&flow, "111122223333");
	fake_call_set_manual(true);
	aws_call_cancel(acm_describe_certificate_start(
		flow.client, "eu-west-1", "arn:aws:acm:x", flow_ignore_reply, NULL));
	assert_string_equal(fake_call_record(0)->operation, "DescribeCertificate");
	assert_string_equal(fake_call_record(0)->region, "eu-west-1");
	assert_string_equal(fake_call_record(0)->body, "{\"CertificateArn\":\"arn:aws:acm:x\"}");
	flow_close(&flow);
}

static int take(const struct aws_reply *reply, struct err *err)
{
	struct acm_detail detail = {.arn = NULL};
	int rc = acm_describe_certificate_take(reply, &detail, err);
	acm_detail_clear(&detail);
	return rc;
}

static struct acm_detail take_file(const char *file)
{
	struct aws_reply reply = answer_file(AWS_JSON_1_1, file);
	struct acm_detail detail;
	struct err err = ERR_INIT;
	if (acm_describe_certificate_take(&reply, &detail, &err) != 0)
		fail_msg("%s", err.text);
	aws_reply_clear(&reply);
	return detail;
}

static void public_certificate_is_taken(void **state)
{
	(void)state;
	struct acm_detail detail = take_file("acm/describe.json");
	assert_string_equal(detail.domain_name, "www.example.com");
	assert_int_equal(detail.sans.count, 2);
	assert_string_equal(detail.sans.item[1], "example.com");
	assert_string_equal(detail.serial, "0fac9800aa");
	assert_string_equal(detail.subject, "CN=www.example.com");
	assert_string_equal(detail.issuer, "Amazon");
	assert_string_equal(detail.key_algorithm, "RSA_2048");
	assert_string_equal(detail.signature_algorithm, "SHA256WITHRSA");
	assert_string_equal(detail.status, "ISSUED");
	assert_string_equal(detail.type, "AMAZON_ISSUED");
	assert_string_equal(detail.renewal_eligibility, "ELIGIBLE");
	assert_string_equal(detail.renewal_status, "PENDING_VALIDATION");
	assert_string_equal(detail.renewal_reason, "CAA_ERROR");
	assert_int_equal(detail.renewal_updated_s, 1480000000);
	assert_string_equal(detail.export_option, "DISABLED");
	assert_string_equal(detail.validation_method, "DNS");
	assert_string_equal(detail.key_pair_origin, "AWS_MANAGED");
	assert_false(detail.has_exported);
	assert_int_equal(detail.in_use_by.count, 2);
	assert_int_equal(detail.key_usages.count, 2);
	assert_string_equal(detail.key_usages.item[1], "KEY_ENCIPHERMENT");
	assert_string_equal(detail.ext_key_usages.item[0], "TLS_WEB_SERVER_AUTHENTICATION");
	assert_string_equal(detail.ext_key_usages.item[1], "1.2.3.4");
	assert_string_equal(detail.certificate_authority_arn, "");
	assert_int_equal(detail.created_s, 1446835267);
	assert_int_equal(detail.issued_s, 1446835267);
	assert_int_equal(detail.not_after_s, 1483228799);
	assert_int_equal(detail.imported_s, 0);
	acm_detail_clear(&detail);
}

static void private_certificate_is_taken(void **state)
{
	(void)state;
	struct acm_detail detail = take_file("acm/describe_private.json");
	assert_string_equal(
		detail.arn, "arn:aws-cn:acm:cn-north-1:111122223333:certificate/private");
	assert_string_equal(detail.certificate_authority_arn,
		"arn:aws-cn:acm-pca:cn-north-1:111122223333:certificate-authority/ca");
	assert_string_equal(detail.revocation_reason, "SUPERSEDED");
	assert_string_equal(detail.failure_reason, "PCA_ACCESS_DENIED");
	assert_string_equal(detail.managed_by, "CLOUDFRONT");
	assert_int_equal(detail.revoked_s, 1490000000);
	assert_string_equal(detail.serial, ""); /* not hex: the PEM will tell */
	assert_string_equal(detail.domain_name, "");
	assert_true(detail.has_exported && detail.exported);
	assert_string_equal(detail.export_option, "ENABLED");
	assert_string_equal(detail.validation_method, "HTTP");
	assert_int_equal(detail.sans.count, 0);
	acm_detail_clear(&detail);
}

static void answers_without_a_certificate_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"{}", "{\"Certificate\":null}", "{\"Certificate\":[]}",
		"{\"Certificate\":{}}", "{\"Certificate\":{\"CertificateArn\":\"arn:aws:acm\"}}"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		answer_check_refused(AWS_JSON_1_1, wrong[i], take);
}

static void lists_without_end_are_a_limit(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/describe.json");
	json_t *names = json_array();
	for (int i = 0; i < 5001; i++)
		json_array_append_new(names, json_string("a.example.com"));
	json_object_set_new(
		json_object_get(reply.json, "Certificate"), "SubjectAlternativeNames", names);
	struct err err = ERR_INIT;
	assert_int_equal(take(&reply, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	aws_reply_clear(&reply);
}

static void a_serial_is_hex_or_left_out(void **state)
{
	(void)state;
	char longer[sizeof(((struct acm_detail *)NULL)->serial) + 1];
	(void)snprintf(longer, sizeof(longer), "%0*d", (int)sizeof(longer) - 1, 0);
	const struct {
		const char *given, *taken;
	} row[] = {{"0F:ac:01", "0fac01"}, {"0fg1", ""}, {"", ""}, {longer, ""}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/describe.json");
		struct acm_detail detail;
		struct err err = ERR_INIT;
		json_object_set_new(json_object_get(reply.json, "Certificate"), "Serial",
			json_string(row[i].given));
		assert_int_equal(acm_describe_certificate_take(&reply, &detail, &err), 0);
		assert_string_equal(detail.serial, row[i].taken);
		acm_detail_clear(&detail);
		aws_reply_clear(&reply);
	}
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("acm/describe.json", take) >= 200);
	assert_true(answer_check_types("acm/describe_private.json", take) >= 80);
	answer_check_cuts(AWS_JSON_1_1, "acm/describe.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_names_the_arn),
		cmocka_unit_test(public_certificate_is_taken),
		cmocka_unit_test(private_certificate_is_taken),
		cmocka_unit_test(answers_without_a_certificate_are_refused),
		cmocka_unit_test(lists_without_end_are_a_limit),
		cmocka_unit_test(a_serial_is_hex_or_left_out),
		cmocka_unit_test(lying_types_and_cut_answers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
