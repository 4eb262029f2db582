/* A plan as JSON has the members that sensor/local_api.h promises, and no others. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "tests/delivery/plan_fixture.h"

static struct plan_fixture fixture;

static int setup(void **state)
{
	(void)state;
	plan_fixture_init(&fixture);
	return 0;
}

/* Owned. */
static json_t *render(void)
{
	struct err err = ERR_INIT;
	struct plan plan;
	struct buf text;
	buf_init(&text, 1 << 20);
	plan_decide(&fixture.input, &plan);
	plan_render(&fixture.input, &plan, &text);
	json_t *json = json_read_object(buf_text(&text), text.len, &err);
	if (json == NULL)
		fail_msg("%s: %s", err.text, buf_text(&text));
	buf_clear(&text);
	return json;
}

/* Exactly these, with blanks between. */
static void expect_members(const json_t *object, const char *names)
{
	const char *key;
	json_t *value;
	size_t count = 0, expected = 1;
	assert_true(json_is_object(object));
	for (const char *at = names; *at != '\0'; at++)
		expected += *at == ' ';
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t len = strlen(key);
		const char *found = names;
		while ((found = strstr(found, key)) != NULL &&
			((found > names && found[-1] != ' ') ||
				(found[len] != ' ' && found[len] != '\0')))
			found++;
		if (found == NULL)
			fail_msg("not promised: %s", key);
		count++;
	}
	if (count != expected)
		fail_msg("%zu members, expected: %s", count, names);
}

static void expect_text(const json_t *object, const char *name, const char *expected)
{
	const char *text = json_string_value(json_object_get(object, name));
	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void expect_texts(const json_t *object, const char *name, const char *first, size_t count)
{
	const json_t *array = json_object_get(object, name);
	assert_true(json_is_array(array));
	assert_int_equal(json_array_size(array), count);
	if (count > 0)
		assert_string_equal(json_string_value(json_array_get(array, 0)), first);
}

#define FACTS                                                                                      \
	"serial fingerprint_sha256 subject issuer not_before not_after key_algorithm "             \
	"signature_algorithm subject_alternative_names key_usages extended_key_usages"

static void every_promised_member_is_there(void **state)
{
	(void)state;
	json_t *json = render();
	expect_members(json,
		"id decision reason connector account_id region arn certificate_id created "
		"expires current new names rules warnings notes tags bindings_to_move rollback "
		"auto_rollback key_escrow verify_hosts");
	expect_members(json_object_get(json, "current"), FACTS " type status in_use_by tags");
	expect_members(json_object_get(json, "new"), FACTS " chain");
	expect_members(json_object_get(json, "names"), "added lost kept");
	expect_members(json_object_get(json, "rollback"), "possible reason");
	expect_members(json_array_get(json_object_get(json, "rules"), 0), "name verdict text");
	json_decref(json);
}

static void values_are_those_of_the_plan(void **state)
{
	(void)state;
	json_t *json = render();
	expect_text(json, "id", "plan-1");
	expect_text(json, "decision", "reimport");
	expect_text(json, "connector", "prod");
	expect_text(json, "account_id", "000000000001");
	expect_text(json, "region", "eu-west-1");
	expect_text(json, "arn", PLAN_ARN);
	expect_text(json, "certificate_id", "shop");
	expect_text(json, "created", "2026-11-21T00:00:00Z");
	expect_text(json, "expires", "2026-11-22T00:00:00Z");
	expect_text(json, "key_escrow", "sensor");
	expect_text(json_object_get(json, "tags"), "team", "\"shop\"");
	expect_texts(json, "verify_hosts", "www.example.com:443", 1);
	expect_texts(json, "bindings_to_move", NULL, 0);
	assert_true(json_is_true(json_object_get(json, "auto_rollback")));
	assert_true(json_is_true(json_object_get(json_object_get(json, "rollback"), "possible")));
	assert_int_equal(json_array_size(json_object_get(json, "rules")), 10);
	assert_int_equal(json_array_size(json_object_get(json, "warnings")), 0);
	const json_t *now = json_object_get(json, "new"), *old = json_object_get(json, "current");
	expect_text(now, "serial", "0b");
	expect_text(now, "fingerprint_sha256",
		"6262626262626262626262626262626262626262626262626262626262626262");
	expect_text(now, "not_after", "2027-02-19T00:00:00Z");
	expect_texts(now, "subject_alternative_names", "www.example.com", 2);
	expect_texts(now, "key_usages", "DIGITAL_SIGNATURE", 2);
	expect_texts(now, "extended_key_usages", "TLS_WEB_SERVER_AUTHENTICATION", 1);
	expect_texts(now, "chain", "CN=Test CA", 1);
	expect_text(old, "serial", "0a");
	expect_text(old, "type", "IMPORTED");
	expect_text(old, "status", "ISSUED");
	expect_text(json_object_get(old, "tags"), "owner", "ops");
	json_decref(json);
}

static void names_are_sorted_out(void **state)
{
	(void)state;
	plan_set_names(&fixture.bundle.leaf.facts, &fixture.new_names, "WWW.example.com",
		"new.example.com", NULL);
	fixture.old_names.san[1].kind = X509_SAN_EMAIL;
	json_t *json = render();
	const json_t *names = json_object_get(json, "names");
	expect_texts(names, "added", "new.example.com", 1);
	expect_texts(names, "lost", "example.com", 1);
	expect_texts(names, "kept", "WWW.example.com", 1);
	const json_t *warning = json_array_get(json_object_get(json, "warnings"), 0);
	expect_members(warning, "name text");
	expect_text(warning, "name", "name_lost");
	json_decref(json);
}

static void a_new_certificate_has_no_current_one(void **state)
{
	(void)state;
	fixture.input.arn = NULL;
	fixture.input.remote = NULL;
	json_t *json = render();
	expect_text(json, "decision", "import");
	expect_text(json, "arn", "");
	assert_true(json_is_null(json_object_get(json, "current")));
	expect_texts(json_object_get(json, "names"), "added", "www.example.com", 2);
	expect_texts(json_object_get(json, "names"), "lost", NULL, 0);
	expect_texts(json_object_get(json, "names"), "kept", NULL, 0);
	expect_texts(json, "bindings_to_move", NULL, 0);
	json_decref(json);
}

static void a_new_arn_names_what_has_to_be_moved(void **state)
{
	(void)state;
	fixture.input.reimport_allowed = false;
	fixture.input.reimport_off_by = "--new-arn";
	json_t *json = render();
	expect_text(json, "decision", "import");
	expect_text(json, "arn", "");
	expect_texts(json, "bindings_to_move", fixture.in_use_by[0], 1);
	expect_members(json_object_get(json, "current"), FACTS " type status in_use_by tags");
	json_decref(json);
}

static void refusals_and_notes_are_shown(void **state)
{
	(void)state;
	static char note[] = "the chain was base64 of PEM, which was undone";
	fixture.bundle.note[0] = note;
	fixture.bundle.note_count = 1;
	fixture.remote.exists = fixture.remote.has_facts = false;
	json_t *json = render();
	expect_text(json, "decision", "refuse");
	assert_true(json_is_null(json_object_get(json, "current")));
	assert_true(json_is_false(json_object_get(json_object_get(json, "rollback"), "possible")));
	const json_t *first = json_array_get(json_object_get(json, "notes"), 0);
	expect_members(first, "name text");
	expect_text(first, "text", note);
	json_decref(json);
}

/* What cannot be read has no facts. */
static void a_current_one_without_pem_is_shown_as_far_as_it_is_known(void **state)
{
	(void)state;
	fixture.remote.has_facts = false;
	json_t *json = render();
	expect_members(json_object_get(json, "current"), "type status in_use_by tags");
	const json_t *rules = json_object_get(json, "rules");
	expect_text(json_array_get(rules, json_array_size(rules) - 1), "verdict", "unconfirmed");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_promised_member_is_there, setup),
		cmocka_unit_test_setup(values_are_those_of_the_plan, setup),
		cmocka_unit_test_setup(names_are_sorted_out, setup),
		cmocka_unit_test_setup(a_new_certificate_has_no_current_one, setup),
		cmocka_unit_test_setup(a_new_arn_names_what_has_to_be_moved, setup),
		cmocka_unit_test_setup(refusals_and_notes_are_shown, setup),
		cmocka_unit_test_setup(
			a_current_one_without_pem_is_shown_as_far_as_it_is_known, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
