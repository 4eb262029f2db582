/* Secrets Manager: what is asked, and what is made of the answers. */
#include "aws/secretsmanager_write.h"

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
#include "tests/lib/flow_fixture.h"

#define TOKEN "0b5a4c3d-1111-4222-8333-444455556666"
#define KEY   "acmsensor:managed-by"

static struct flow flow;

static int set_up(void **state)
{
	(void)state;
	flow_open(&flow, "111122223333");
	fake_call_set_manual(true);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	flow_close(&flow);
	return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static void a_secret_is_created_with_token_tags_and_bytes(void **state)
{
	(void)state;
	struct secret value = SECRET_INIT;
	secret_set(&value, "---\0\0\xff\xe2", 7);
	struct acm_tag tag[] = {{KEY, "acmsensor"}, {"note", "a \"b\"\n"}};
	const struct fake_record *record =
		flow_asked(secretsmanager_create_start(flow.client, "eu-west-1",
			&(struct secretsmanager_create){.name = "acmsensor/job-1",
				.token = TOKEN,
				.value = &value,
				.kms_key_id = "alias/escrow",
				.description = "key of job \\1",
				.tag = tag,
				.tag_count = 2},
			flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "CreateSecret");
	assert_string_equal(record->body,
		"{\"Name\":\"acmsensor/job-1\",\"ClientRequestToken\":\"" TOKEN "\","
		"\"Description\":\"key of job \\\\1\",\"KmsKeyId\":\"alias/escrow\","
		"\"SecretBinary\":\"LS0tAAD/4g==\",\"Tags\":[{\"Key\":\"" KEY
		"\",\"Value\":\"acmsensor\"},{\"Key\":\"note\",\"Value\":\"a \\\"b\\\"\\n\"}]}");
	assert_true(record->is_body_secret);
	assert_false(record->is_once);
	secret_clear(&value);
}

static void what_is_not_given_is_left_out(void **state)
{
	(void)state;
	struct secret value = SECRET_INIT;
	secret_set(&value, "v", 1);
	static const char *const none[] = {NULL, ""};
	for (size_t i = 0; i < 2; i++) {
		const struct fake_record *record =
			flow_asked(secretsmanager_create_start(flow.client, "eu-west-1",
				&(struct secretsmanager_create){.name = "n",
					.token = TOKEN,
					.value = &value,
					.kms_key_id = none[i],
					.description = none[i]},
				flow_ignore_reply, NULL));
		assert_string_equal(record->body, "{\"Name\":\"n\",\"ClientRequestToken\":\"" TOKEN
						  "\",\"SecretBinary\":\"dg==\"}");
	}
	secret_clear(&value);
}

static void the_largest_value_is_sent_whole(void **state)
{
	(void)state;
	char *bytes = xcalloc(SECRET_MAX, 1);
	struct secret value = SECRET_INIT;
	secret_set(&value, bytes, SECRET_MAX);
	const struct fake_record *record = flow_asked(secretsmanager_create_start(flow.client,
		"eu-west-1",
		&(struct secretsmanager_create){.name = "n", .token = TOKEN, .value = &value},
		flow_ignore_reply, NULL));
	json_t *json = json_loads(record->body, 0, NULL);
	assert_int_equal(json_string_length(json_object_get(json, "SecretBinary")),
		(SECRET_MAX + 2) / 3 * 4);
	json_decref(json);
	secret_clear(&value);
	free(bytes);
}

static void secrets_are_read_and_deleted_by_name(void **state)
{
	(void)state;
	const struct fake_record *record = flow_asked(secretsmanager_get_start(
		flow.client, "eu-west-1", "acmsensor/\"1\"", flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "GetSecretValue");
	assert_string_equal(record->body, "{\"SecretId\":\"acmsensor/\\\"1\\\"\"}");
	assert_true(record->is_secret);
	record = flow_asked(secretsmanager_delete_start(
		flow.client, "eu-west-1", "n", flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "DeleteSecret");
	assert_string_equal(
		record->body, "{\"SecretId\":\"n\",\"ForceDeleteWithoutRecovery\":true}");
}

static void lists_are_filtered_by_tag(void **state)
{
	(void)state;
	const struct fake_record *record = flow_asked(secretsmanager_list_start(
		flow.client, "eu-west-1", KEY, "a\"b", NULL, flow_ignore_reply, NULL));
	assert_string_equal(record->operation, "ListSecrets");
	assert_string_equal(record->body,
		"{\"Filters\":[{\"Key\":\"tag-key\",\"Values\":[\"" KEY "\"]},"
		"{\"Key\":\"tag-value\",\"Values\":[\"a\\\"b\"]}],\"MaxResults\":100}");
	record = flow_asked(secretsmanager_list_start(
		flow.client, "eu-west-1", KEY, "v", "page-2", flow_ignore_reply, NULL));
	assert_non_null(strstr(record->body, ",\"MaxResults\":100,\"NextToken\":\"page-2\"}"));
}

/* --- values ----------------------------------------------------------------------------------- */

static int take_value(const struct aws_reply *reply, struct err *err)
{
	struct secret value = SECRET_INIT;
	int rc = secretsmanager_get_take(reply, &value, err);
	assert_true((rc == 0) == secret_is_set(&value));
	secret_clear(&value);
	return rc;
}

static void assert_value(const char *text, const void *bytes, size_t len)
{
	struct aws_reply reply = answer_text(AWS_JSON_1_1, text);
	struct secret value = SECRET_INIT;
	struct err err = ERR_INIT;
	if (secretsmanager_get_take(&reply, &value, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(value.len, len);
	assert_memory_equal(value.bytes, bytes, len);
	secret_clear(&value);
	aws_reply_clear(&reply);
}

static void bytes_and_texts_are_taken(void **state)
{
	(void)state;
	assert_value("{\"SecretBinary\":\"LS0tAAD/4g==\"}", "---\0\0\xff\xe2", 7);
	assert_value("{\"SecretBinary\":\"LS0t\",\"SecretString\":null}", "---", 3);
	assert_value("{\"SecretBinary\":\"LS0=\"}", "--", 2);
	assert_value("{\"SecretString\":\"a\\nb\"}", "a\nb", 3);
}

static void what_is_no_value_is_refused(void **state)
{
	(void)state;
	static const char *const text[] = {"{}", "{\"SecretString\":\"\"}",
		"{\"SecretBinary\":\"\"}", "{\"SecretBinary\":\"LS0\"}",
		"{\"SecretBinary\":\"LS0t=\"}", "{\"SecretBinary\":\"L===\"}",
		"{\"SecretBinary\":\"====\"}", "{\"SecretBinary\":\"LS\\n=\"}",
		"{\"SecretBinary\":\" S0t\"}", "{\"SecretBinary\":\"L=0t\"}",
		"{\"SecretBinary\":\"LS-_\"}", "{\"SecretBinary\":3}"};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct aws_reply reply = answer_text(AWS_JSON_1_1, text[i]);
		struct err err = ERR_INIT;
		assert_int_equal(take_value(&reply, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_null(strstr(err.text, "LS"));
		aws_reply_clear(&reply);
	}
}

static int take_zeros(size_t digits, const char *member, char digit, struct err *err)
{
	char *text = xcalloc(digits + 1, 1);
	memset(text, digit, digits);
	struct aws_reply reply = {.json = json_pack("{s:s}", member, text)};
	free(text);
	*err = (struct err)ERR_INIT;
	int rc = take_value(&reply, err);
	aws_reply_clear(&reply);
	return rc;
}

static void more_than_a_secret_holds_is_a_limit(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(take_zeros(SECRET_MAX / 3 * 4, "SecretBinary", 'A', &err), 0);
	assert_int_equal(take_zeros(SECRET_MAX / 3 * 4 + 4, "SecretBinary", 'A', &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT); /* two bytes too many, without padding */
	assert_int_equal(take_zeros(SECRET_MAX / 3 * 4 + 8, "SecretBinary", 'A', &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(take_zeros(SECRET_MAX, "SecretString", 'a', &err), 0);
	assert_int_equal(take_zeros(SECRET_MAX + 1, "SecretString", 'a', &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

/* --- lists ------------------------------------------------------------------------------------ */

static int take_list(const struct aws_reply *reply, struct err *err)
{
	struct secretsmanager_list list = {.item = NULL};
	char *token = NULL;
	int rc = secretsmanager_list_take(reply, KEY, "acmsensor", &list, &token, err);
	if (rc != 0) {
		assert_int_equal(list.count, 0);
		assert_null(token);
	}
	secretsmanager_list_clear(&list);
	free(token);
	return rc;
}

static void only_those_with_the_very_tag_are_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "secretsmanager/list.json");
	struct secretsmanager_list list = {.item = NULL};
	char *token = xstrdup("page-1");
	struct err err = ERR_INIT;
	assert_int_equal(
		secretsmanager_list_take(&reply, KEY, "acmsensor", &list, &token, &err), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.item[0].name, "acmsensor/job-1");
	assert_int_equal(list.item[0].created_s, 1795219200);
	assert_string_equal(list.item[1].name, "acmsensor/job-3");
	assert_int_equal(list.item[1].created_s, 0);
	assert_string_equal(token, "page-2");
	/* The same token again would never end; what was taken before stays. */
	assert_int_equal(
		secretsmanager_list_take(&reply, KEY, "acmsensor", &list, &token, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(list.count, 2);
	aws_reply_clear(&reply);
	reply = answer_text(AWS_JSON_1_1, "{\"SecretList\":[]}");
	assert_int_equal(
		secretsmanager_list_take(&reply, KEY, "acmsensor", &list, &token, &err), 0);
	assert_int_equal(list.count, 2);
	assert_null(token);
	secretsmanager_list_clear(&list);
	aws_reply_clear(&reply);
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("secretsmanager/get.json", take_value) >= 6);
	assert_true(answer_check_types("secretsmanager/list.json", take_list) >= 40);
	answer_check_cuts(AWS_JSON_1_1, "secretsmanager/get.json");
	answer_check_cuts(AWS_JSON_1_1, "secretsmanager/list.json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_is_created_with_token_tags_and_bytes),
		TEST(what_is_not_given_is_left_out),
		TEST(the_largest_value_is_sent_whole),
		TEST(secrets_are_read_and_deleted_by_name),
		TEST(lists_are_filtered_by_tag),
		TEST(bytes_and_texts_are_taken),
		TEST(what_is_no_value_is_refused),
		TEST(more_than_a_secret_holds_is_a_limit),
		TEST(only_those_with_the_very_tag_are_taken),
		TEST(lying_types_and_cut_answers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
