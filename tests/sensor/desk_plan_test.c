/* The body of a plan: what is taken from it, and a sentence for everything that is wrong. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/make_pki.h"
#include "tests/sensor/desk_fixture.h"

#define ARN_OF_SHOP "arn:aws:acm:eu-west-1:222222222222:certificate/1"

#define PLACE "'connector': 'prod', 'account': '222222222222', 'region': 'eu-west-1'"

static void wrong_bodies_are_one_sentence(void **state)
{
	(void)state;
	static const struct {
		const char *body, *text;
		enum err_kind kind;
	} row[] = {
		{"{'acount': '1'}", "unknown member \"acount\"", ERR_CONFIG},
		{"{'connector': 7}", "connector", ERR_PROTOCOL},
		{"{'account': 7}", "account", ERR_PROTOCOL},
		{"{'region': 7}", "region", ERR_PROTOCOL},
		{"{'arn': 7}", "arn", ERR_PROTOCOL},
		{"{'certificate_id': 7}", "certificate_id", ERR_PROTOCOL},
		{"{'csr': 7}", "csr", ERR_PROTOCOL},
		{"{'new_arn': 7}", "new_arn", ERR_PROTOCOL},
		{"{'auto_rollback': 7}", "auto_rollback", ERR_PROTOCOL},
		{"{'tags': 7}", "tags", ERR_PROTOCOL},
		{"{'tags': {'a': 7}}", "tags: expected keys of 1 to 128", ERR_CONFIG},
		{"{'tags': {'': 'a'}}", "tags: expected keys of 1 to 128", ERR_CONFIG},
		{"{'tags': {'a': 'x<'}}", "tag \"a\": AWS takes letters", ERR_CONFIG},
		{"{'tags': {'a': '\360\237\232\200'}}", "tag \"a\": AWS takes letters", ERR_CONFIG},
		{"{'tags': {'a<': 'x'}}", "tag \"a<\": AWS takes letters", ERR_CONFIG},
		{"{'tags': {'acmsensor:x': 'x'}}", "not yours to set", ERR_CONFIG},
		{"{'tags': {'aws:x': 'x'}}", "not yours to set", ERR_CONFIG},
		{"{'verify_hosts': 7}", "verify_hosts", ERR_PROTOCOL},
		{"{'verify_hosts': ['']}", "verify_hosts: expected texts", ERR_CONFIG},
		{"{'certificate': 7}", "certificate", ERR_PROTOCOL},
		{"{'chain': 7}", "chain", ERR_PROTOCOL},
		{"{'key': 7}", "key", ERR_PROTOCOL},
		{"{'passphrase': 7}", "passphrase", ERR_PROTOCOL},
		{"{'pkcs12': 7}", "pkcs12", ERR_PROTOCOL},
		{"{'keep_root': 7}", "keep_root", ERR_PROTOCOL},
		{"{'pkcs12': 'abc'}", "pkcs12: expected base64", ERR_CONFIG},
		{"{'pkcs12': 'ab!c'}", "pkcs12: expected base64", ERR_CONFIG},
		{"{'pkcs12': 'QUJD', 'certificate': 'x'}", "pkcs12 comes alone", ERR_CONFIG},
		{"{'pkcs12': 'QUJD', 'chain': 'x'}", "pkcs12 comes alone", ERR_CONFIG},
		{"{'pkcs12': 'QUJD', 'key': 'x'}", "pkcs12 comes alone", ERR_CONFIG},
		{"{}", "expected a certificate, or pkcs12", ERR_CONFIG},
		{"{'chain': 'x'}", "expected a certificate, or pkcs12", ERR_CONFIG},
		{"{'csr': 'q-1', 'certificate': 'x', 'key': 'x'}", "csr and key exclude",
			ERR_CONFIG},
		{"{'csr': 'q-1', 'pkcs12': 'QUJD'}", "csr and key exclude", ERR_CONFIG},
		{"{'certificate': 'x', 'arn': 'x'}", "arn: expected the ARN", ERR_CONFIG},
		{"{'certificate': 'x'}", "account: expected 12 digits", ERR_CONFIG},
		{"{'certificate': 'x', 'account': '1'}", "account: expected 12 digits", ERR_CONFIG},
		{"{'certificate': 'x', 'account': '222222222222'}",
			"region: expected a region's name", ERR_CONFIG},
		{"{'certificate': 'x', 'account': '222222222222', 'region': 'Mars'}",
			"region: expected a region's name", ERR_CONFIG},
		{"{'certificate': 'x', 'arn': '" ARN_OF_SHOP "', 'account': '333333333333'}",
			"arn: it is of account 222222222222 in eu-west-1, not of account "
			"333333333333 in eu-west-1",
			ERR_CONFIG},
		{"{'certificate': 'x', 'arn': '" ARN_OF_SHOP "', 'region': 'us-east-1'}",
			"not of account 222222222222 in us-east-1", ERR_CONFIG},
		{"{'certificate': 'x', 'arn': '" ARN_OF_SHOP "', 'connector': 'x'}",
			"there is no connector \"x\"", ERR_NOT_FOUND},
		{"{" PLACE ", 'certificate': 'x', 'key': 'x'}", "certificate", ERR_CONFIG},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		desk_fixture_refuse(&desk, DESK_PLAN, row[i].body, row[i].kind, row[i].text);
	assert_int_equal(fake_call_count(), 0); /* nobody was asked */
}

static void long_or_many_tags_are_refused(void **state)
{
	(void)state;
	struct buf body;
	buf_init(&body, 1 << 20);
	static const struct {
		int key, value;
		const char *text;
	} row[] = {{129, 1, "tags: expected keys of 1 to 128"}, {1, 257, "at most 256 characters"},
		{128, 256, "expected a certificate"}};
	for (size_t i = 0; i < 3; i++) {
		buf_reset(&body);
		buf_addf(&body, "{'tags': {'%0*d': '%0*d'}}", row[i].key, 1, row[i].value, 1);
		desk_fixture_refuse(&desk, DESK_PLAN, buf_text(&body), ERR_CONFIG, row[i].text);
	}
	buf_reset(&body);
	buf_add_text(&body, "{'tags': {'a': '");
	for (int i = 0; i < 256; i++) /* two bytes each */
		buf_add_text(&body, "\303\244");
	buf_add_text(&body, "'}}");
	desk_fixture_refuse(
		&desk, DESK_PLAN, buf_text(&body), ERR_CONFIG, "expected a certificate");
	for (int count = DELIVERY_TAGS_MAX; count <= DELIVERY_TAGS_MAX + 1; count++) {
		buf_reset(&body);
		buf_add_text(&body, "{'tags': {");
		for (int i = 0; i < count; i++)
			buf_addf(&body, "%s't%d': ''", i > 0 ? ", " : "", i);
		buf_add_text(&body, "}}");
		desk_fixture_refuse(&desk, DESK_PLAN, buf_text(&body), ERR_CONFIG,
			count > DELIVERY_TAGS_MAX ? "tags: expected at most 40"
						  : "expected a certificate");
	}
	buf_clear(&body);
}

static void what_was_asked_for_is_in_the_plan(void **state)
{
	(void)state;
	desk_fixture_run(&desk, DESK_PLAN,
		desk_fixture_plan(&desk,
			"'certificate_id': 'shop', 'tags': {'team': 'a'}, 'auto_rollback': false, "
			"'verify_hosts': ['www.example.com'], 'chain': '', 'passphrase': '', "));
	assert_string_equal(desk_fixture_text(&desk, "plan", "connector"), "prod");
	assert_string_equal(desk_fixture_text(&desk, "plan", "account_id"), SHOP);
	assert_string_equal(desk_fixture_text(&desk, "plan", "region"), DESK_REGION);
	assert_string_equal(desk_fixture_text(&desk, "plan", "certificate_id"), "shop");
	assert_string_equal(desk_fixture_text(&desk, "plan", "key_escrow"), "sensor");
	assert_non_null(strstr(desk.document, "\"team\""));
	assert_non_null(strstr(desk.document, "www.example.com:443"));
}

/* Account and region are the ARN's; what the connector allows is the connector's. */
static void an_arn_says_where(void **state)
{
	(void)state;
	char body[256];
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	snprintf(body, sizeof(body), "'arn': '%s', ", cert->arn);
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, body));
	assert_string_equal(desk_fixture_text(&desk, "plan", "account_id"), SHOP);
	assert_string_equal(desk_fixture_text(&desk, "plan", "region"), DESK_REGION);
	assert_string_equal(desk_fixture_text(&desk, "plan", "arn"), cert->arn);
	assert_string_equal(desk_fixture_text(&desk, "plan", "decision"), "reimport");
}

static void an_account_that_cannot_be_entered_is_said(void **state)
{
	(void)state;
	char *body = xstrdup(desk_fixture_plan(&desk, ""));
	memcpy(strstr(body, SHOP), DESK_UNKNOWN, strlen(SHOP));
	desk_fixture_refuse(&desk, DESK_PLAN, body, ERR_ROLE,
		"account " DESK_UNKNOWN ": not authorized to perform: sts:AssumeRole");
	free(body);
}

static char *base64_of(const unsigned char *bytes, size_t len)
{
	char *text = xcalloc(len * 4 / 3 + 8, 1);
	(void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

/* Whatever number of '=' is at the end. */
static void it_lives_as_long_as_is_configured_now(void **state)
{
	(void)state;
	struct desk_times times = desk_fixture_times;
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""));
	assert_string_equal(desk_fixture_text(&desk, "plan", "expires"), "2026-11-21T01:00:00Z");
	times.of_delivery.plan_life_s = 600;
	desk_set_times(desk.desk, &times);
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""));
	assert_string_equal(desk_fixture_text(&desk, "plan", "expires"), "2026-11-21T00:10:00Z");
}

static void pkcs12_is_decoded(void **state)
{
	(void)state;
	struct pki pki = pki_make(&(struct pki_spec){.common_name = "www.example.com",
					  .sans = "DNS:www.example.com",
					  .key_usage = "digitalSignature,keyCertSign",
					  .not_before_s = NOW_S - DAY_S,
					  .not_after_s = NOW_S + 90 * DAY_S},
		NULL);
	size_t len;
	unsigned char *der = pki_pkcs12(&pki, NULL, "secret", &len);
	char *text = base64_of(der, len);
	struct buf body;
	buf_init(&body, 1 << 20);
	buf_addf(&body, "{" PLACE ", 'passphrase': 'secret', 'pkcs12': '%s'}", text);
	desk_fixture_run(&desk, DESK_PLAN, buf_text(&body));
	assert_string_equal(desk_fixture_text(&desk, "plan", "decision"), "import");
	buf_clear(&body);
	free(text);
	free(der);
	pki_clear(&pki);
	for (size_t n = 1; n <= 3; n++) {
		char json[64];
		struct err err = ERR_INIT;
		struct desk_op op = {.desk = desk.desk};
		text = base64_of((const unsigned char *)"abc", n);
		snprintf(json, sizeof(json), "{\"pkcs12\": \"%s\"}", text);
		op.body = json_loads(json, 0, NULL);
		assert_int_equal(desk_plan_read(&op, &err), -1); /* no account */
		assert_int_equal(op.plan.pkcs12.len, n);
		assert_memory_equal(secret_bytes(&op.plan.pkcs12), "abc", n);
		assert_ptr_equal(op.plan.input.pkcs12, &op.plan.pkcs12);
		desk_plan_clear(&op.plan);
		json_decref(op.body);
		free(text);
	}
}

/* The text of the file is longer than the file. */
static void nothing_of_pkcs12_is_left_after_it_was_cleared(void **state)
{
	(void)state;
	unsigned char bytes[3000];
	struct err err = ERR_INIT;
	struct desk_op op = {.desk = desk.desk};
	struct buf body;
	memset(bytes, 0xab, sizeof(bytes));
	char *text = base64_of(bytes, sizeof(bytes));
	buf_init(&body, 8192);
	buf_addf(&body, "{\"pkcs12\": \"%s\"}", text);
	op.body = json_loads(buf_text(&body), 0, NULL);
	assert_int_equal(desk_plan_read(&op, &err), -1); /* no account */
	assert_int_equal(op.plan.pkcs12.len, sizeof(bytes));
	const unsigned char *at = op.plan.pkcs12.bytes;
	assert_int_equal(at[sizeof(bytes)], '\0');
	assert_null(memmem(at, 4000, text + 3500, 100));
	desk_plan_clear(&op.plan);
	json_decref(op.body);
	buf_clear(&body);
	free(text);
}

static void secrets_are_wiped_by_the_work(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct desk_op op = {.desk = desk.desk};
	char *text = xstrdup(desk_fixture_plan(&desk, "'passphrase': 'x', "));
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	op.body = json_loads(text, 0, NULL);
	free(text);
	assert_int_equal(desk_plan_read(&op, &err), 0);
	assert_true(secret_is_set(&op.plan.key) && secret_is_set(&op.plan.passphrase));
	desk_plan_work(&op);
	assert_int_equal(op.err.kind, ERR_NONE);
	assert_false(secret_is_set(&op.plan.key) || secret_is_set(&op.plan.passphrase));
	assert_true(secret_is_set(&op.plan.bundle.key_pem));
	desk_plan_clear(&op.plan);
	assert_false(secret_is_set(&op.plan.bundle.key_pem));
	json_decref(op.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(wrong_bodies_are_one_sentence),
		DESK_TEST(long_or_many_tags_are_refused),
		DESK_TEST(what_was_asked_for_is_in_the_plan),
		DESK_TEST(an_arn_says_where),
		DESK_TEST(an_account_that_cannot_be_entered_is_said),
		DESK_TEST(it_lives_as_long_as_is_configured_now),
		DESK_TEST(pkcs12_is_decoded),
		DESK_TEST(nothing_of_pkcs12_is_left_after_it_was_cleared),
		DESK_TEST(secrets_are_wiped_by_the_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
