/* ImportCertificate, tags and deletion: what is asked, and what is made of the answers. */
#include "aws/acm_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/flow_fixture.h"

#define ARN "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"

static struct flow flow;

static int set_up(void **state)
{
	(void)state;
	flow_open(&flow, "111122223333");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	flow_close(&flow);
	return 0;
}

static const struct fake_record *import_asked(const struct acm_import *import)
{
	return flow_asked(
		acm_import_start(flow.client, "eu-west-1", import, flow_ignore_reply, NULL));
}

/* --- requests --------------------------------------------------------------------------------- */

static void an_import_sends_base64_of_the_pem_once_and_in_secret(void **state)
{
	(void)state;
	struct secret key = SECRET_INIT;
	secret_set(&key, "key\n", 4);
	struct acm_tag tag[] = {{"Name", "shop \"front\"\n"}, {"empty", NULL}, {"\xc3\xbc", "\\"}};
	const struct fake_record *record = import_asked(&(struct acm_import){
		.certificate_pem = "leaf\n",
		.key_pem = &key,
		.chain_pem = "chain1\n",
		.tag = tag,
		.tag_count = 3,
	});
	assert_string_equal(record->operation, "ImportCertificate");
	assert_string_equal(record->region, "eu-west-1");
	assert_string_equal(record->body,
		"{\"Certificate\":\"bGVhZgo=\",\"PrivateKey\":\"a2V5Cg==\","
		"\"CertificateChain\":\"Y2hhaW4xCg==\","
		"\"Tags\":[{\"Key\":\"Name\",\"Value\":\"shop \\\"front\\\"\\n\"},"
		"{\"Key\":\"empty\",\"Value\":\"\"},{\"Key\":\"\xc3\xbc\",\"Value\":\"\\\\\"}]}");
	assert_true(record->is_once);
	assert_true(record->is_body_secret);
	assert_true(record->per_second == 1); /* ACM's, of an account and region */
	secret_clear(&key);
}

static void a_reimport_names_the_arn_and_no_tags(void **state)
{
	(void)state;
	struct secret key = SECRET_INIT;
	secret_set(&key, "k", 1);
	static const char *const no_chain[] = {NULL, ""};
	for (size_t i = 0; i < 2; i++) {
		const struct fake_record *record = import_asked(&(struct acm_import){.arn = ARN,
			.certificate_pem = "le",
			.key_pem = &key,
			.chain_pem = no_chain[i]});
		assert_string_equal(record->body,
			"{\"CertificateArn\":\"" ARN "\",\"Certificate\":\"bGU=\","
			"\"PrivateKey\":\"aw==\"}");
	}
	secret_clear(&key);
}

/* What AWS finds too long it says itself: nothing is cut here. */
static void the_largest_import_is_sent_whole(void **state)
{
	(void)state;
	enum { CERTIFICATE = 40000, KEY = 60000, CHAIN = 2200000, TAGS = 60 };
	char *certificate = xcalloc(CERTIFICATE + 1, 1), *chain = xcalloc(CHAIN + 1, 1);
	char value[257] = "", bytes[KEY];
	memset(certificate, 'c', CERTIFICATE);
	memset(chain, 'h', CHAIN);
	memset(bytes, 'k', KEY);
	memset(value, '\x01', 256); /* six bytes each in JSON */
	struct secret key = SECRET_INIT;
	secret_set(&key, bytes, KEY);
	struct acm_tag tag[TAGS];
	for (size_t i = 0; i < TAGS; i++)
		tag[i] = (struct acm_tag){value, value};
	const struct fake_record *record =
		import_asked(&(struct acm_import){.certificate_pem = certificate,
			.key_pem = &key,
			.chain_pem = chain,
			.tag = tag,
			.tag_count = TAGS});
	json_t *json = json_loads(record->body, 0, NULL);
	assert_non_null(json);
	assert_int_equal(
		json_string_length(json_object_get(json, "CertificateChain")), (CHAIN + 2) / 3 * 4);
	assert_int_equal(json_string_length(json_object_get(json, "PrivateKey")), KEY / 3 * 4);
	assert_int_equal(json_array_size(json_object_get(json, "Tags")), TAGS);
	json_decref(json);
	free(certificate);
	free(chain);
	secret_clear(&key);
}

static void tags_are_added_with_values(void **state)
{
	(void)state;
	struct acm_tag tag[] = {{"a", "1"}, {"b\t", "2"}};
	const struct fake_record *record = flow_asked(
		acm_add_tags_start(flow.client, "eu-west-1", ARN, tag, 2, flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "AddTagsToCertificate");
	assert_string_equal(record->body,
		"{\"CertificateArn\":\"" ARN "\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},"
		"{\"Key\":\"b\\t\",\"Value\":\"2\"}]}");
	assert_false(record->is_once);
}

static void deletion_names_the_arn(void **state)
{
	(void)state;
	const struct fake_record *record = flow_asked(
		acm_delete_start(flow.client, "eu-west-1", ARN, flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "DeleteCertificate");
	assert_string_equal(record->body, "{\"CertificateArn\":\"" ARN "\"}");
	assert_false(record->is_once);
}

/* --- answers ---------------------------------------------------------------------------------- */

static int take(const struct aws_reply *reply, struct err *err)
{
	char *arn = NULL;
	int rc = acm_import_take(reply, &arn, err);
	assert_true((rc == 0) == (arn != NULL));
	if (rc != 0)
		assert_string_equal(err->code, AWS_ANSWER_LOST);
	free(arn);
	return rc;
}

static void the_arn_is_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "acm/import.json");
	char *arn = NULL;
	struct err err = ERR_INIT;
	assert_int_equal(acm_import_take(&reply, &arn, &err), 0);
	assert_string_equal(arn, ARN);
	free(arn);
	aws_reply_clear(&reply);
}

/* The certificate is there, and nobody knows where: as if no answer had come. */
static void an_answer_without_a_usable_arn_is_a_lost_one(void **state)
{
	(void)state;
	static const char *const text[] = {"{}", "{\"CertificateArn\":\"\"}",
		"{\"CertificateArn\":\"arn:aws:iam::111122223333:role/x\"}",
		"{\"CertificateArn\":7}"};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		answer_check_refused(AWS_JSON_1_1, text[i], take);
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("acm/import.json", take) >= 8);
	answer_check_cuts(AWS_JSON_1_1, "acm/import.json");
}

static void count_good(void *arg, const struct aws_reply *reply, const struct err *err)
{
	if (err != NULL)
		fail_msg("%s", err->text);
	assert_non_null(reply->json);
	++*(int *)arg;
}

static void success_without_a_body_is_success(void **state)
{
	(void)state;
	static const char *const body[] = {"", "{}", "{\"more\":1}"};
	struct acm_tag tag = {"a", "1"};
	for (size_t i = 0; i < 3; i++) {
		int good = 0;
		for (int n = 0; n < 2; n++)
			fake_call_reply(&(struct fake_match){.operation = NULL}, body[i]);
		(void)acm_add_tags_start(flow.client, "eu-west-1", ARN, &tag, 1, count_good, &good);
		(void)acm_delete_start(flow.client, "eu-west-1", ARN, count_good, &good);
		fake_loop_run_ready();
		assert_int_equal(good, 2);
	}
}

static void expect_protocol(void *arg, const struct aws_reply *reply, const struct err *err)
{
	assert_null(reply);
	assert_int_equal(err->kind, ERR_PROTOCOL);
	assert_string_equal(err->code, AWS_ANSWER_LOST);
	++*(int *)arg;
}

static void an_import_without_an_answer_is_none(void **state)
{
	(void)state;
	int ends = 0;
	struct secret key = SECRET_INIT;
	secret_set(&key, "k", 1);
	fake_call_reply(&(struct fake_match){.operation = NULL}, "");
	(void)acm_import_start(flow.client, "eu-west-1",
		&(struct acm_import){.certificate_pem = "c", .key_pem = &key}, expect_protocol,
		&ends);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
	secret_clear(&key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_import_sends_base64_of_the_pem_once_and_in_secret),
		TEST(a_reimport_names_the_arn_and_no_tags),
		TEST(the_largest_import_is_sent_whole),
		TEST(tags_are_added_with_values),
		TEST(deletion_names_the_arn),
		TEST(the_arn_is_taken),
		TEST(an_answer_without_a_usable_arn_is_a_lost_one),
		TEST(lying_types_and_cut_answers_are_refused),
		TEST(success_without_a_body_is_success),
		TEST(an_import_without_an_answer_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
