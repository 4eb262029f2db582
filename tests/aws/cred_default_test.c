/* The chain, and the two sources in it that ask nobody: environment and profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/client.h"
#include "aws/cred.h"
#include "base/err.h"
#include "base/loop.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_environment.h"
#include "tests/lib/fake_loop.h"

static struct loop *loop;
static struct aws *aws;

static int setup(void **state)
{
	(void)state;
	struct err err;
	fake_environment_begin();
	fake_clock_set_now_s(1795219200);
	loop = loop_new(&err);
	aws = aws_new(loop, NULL, "test");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aws_free(aws);
	int timers = (int)fake_loop_timer_count();
	loop_free(loop);
	fake_environment_end();
	return timers;
}

struct result {
	char key_id[AWS_ACCESS_KEY_ID_MAX + 1], secret[64], token[64], name[256];
	int64_t expires_at_s;
	struct err err;
};

static void on_credentials(
	void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	struct result *result = arg;
	result->err = err != NULL ? *err : (struct err)ERR_INIT;
	if (credentials == NULL)
		return;
	memcpy(result->key_id, credentials->access_key_id, sizeof(result->key_id));
	snprintf(result->secret, sizeof(result->secret), "%s",
		secret_bytes(&credentials->secret_access_key));
	snprintf(result->token, sizeof(result->token), "%s",
		secret_bytes(&credentials->session_token));
	result->expires_at_s = credentials->expires_at_s;
}

static struct result get(struct cred_source *source)
{
	struct result result = {.key_id = ""};
	cred_get_start(source, on_credentials, &result);
	fake_loop_run_ready();
	snprintf(result.name, sizeof(result.name), "%s", cred_source_name(source));
	return result;
}

static struct result get_once(struct cred_source *source)
{
	struct result result = get(source);
	cred_source_free(source);
	return result;
}

static struct cred_options with(const char *profile)
{
	return (struct cred_options){.aws = aws, .getenv = fake_getenv, .profile = profile};
}

static struct result by_default(const char *profile)
{
	struct cred_options options = with(profile);
	return get_once(cred_default_new(&options));
}

static void set_environment_keys(void)
{
	fake_setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT");
	fake_setenv("AWS_SECRET_ACCESS_KEY", "env-secret");
}

static void write_profiles(void)
{
	fake_environment_write("credentials",
		"[default]\naws_access_key_id=AKIADEFAULT\naws_secret_access_key=d\n"
		"[prod]\naws_access_key_id=AKIAPROD\naws_secret_access_key=p\n");
}

static void environment_gives_all_it_has(void **state)
{
	(void)state;
	set_environment_keys();
	fake_setenv("AWS_SESSION_TOKEN", "tok");
	fake_setenv("AWS_CREDENTIAL_EXPIRATION", "2026-11-21T12:00:00Z");
	struct cred_options options = with(NULL);
	struct result result = get_once(cred_environment_new(&options));
	assert_string_equal(result.key_id, "AKIAENVIRONMENT");
	assert_string_equal(result.secret, "env-secret");
	assert_string_equal(result.token, "tok");
	assert_int_equal(result.expires_at_s, 1795219200 + 43200);
	assert_string_equal(result.name, "environment");
}

static void half_an_environment_is_an_error(void **state)
{
	(void)state;
	write_profiles();
	fake_setenv("AWS_ACCESS_KEY_ID", "AKIA");
	struct result result = by_default(NULL);
	assert_int_equal(result.err.kind, ERR_CONFIG);
	assert_non_null(strstr(result.err.text, "AWS_SECRET_ACCESS_KEY is not"));
	fake_setenv("AWS_SECRET_ACCESS_KEY", "s");
	fake_setenv("AWS_ACCESS_KEY_ID", "");
	result = by_default(NULL);
	assert_non_null(strstr(result.err.text, "AWS_ACCESS_KEY_ID is not"));
}

static void an_environment_that_is_too_long_is_an_error(void **state)
{
	(void)state;
	static char text[SECRET_MAX + 2];
	memset(text, 'x', sizeof(text) - 1);
	set_environment_keys();
	fake_setenv("AWS_ACCESS_KEY_ID", text);
	struct result result = by_default(NULL);
	assert_int_equal(result.err.kind, ERR_CONFIG);
	assert_non_null(strstr(result.err.text, "AWS_ACCESS_KEY_ID is longer than"));
	static const char *const secret[] = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
	for (size_t i = 0; i < 2; i++) {
		set_environment_keys();
		fake_setenv(secret[i], text);
		result = by_default(NULL);
		assert_int_equal(result.err.kind, ERR_CONFIG);
		assert_non_null(strstr(result.err.text, "AWS_SESSION_TOKEN is longer than 65536"));
	}
}

static void broken_expiration_is_an_error(void **state)
{
	(void)state;
	set_environment_keys();
	fake_setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow");
	struct result result = by_default(NULL);
	assert_int_equal(result.err.kind, ERR_CONFIG);
	assert_non_null(strstr(result.err.text, "AWS_CREDENTIAL_EXPIRATION"));
}

static void environment_comes_before_the_profile(void **state)
{
	(void)state;
	set_environment_keys();
	write_profiles();
	assert_string_equal(by_default(NULL).key_id, "AKIAENVIRONMENT");
}

static void profile_follows_when_the_environment_is_empty(void **state)
{
	(void)state;
	write_profiles();
	struct result result = by_default(NULL);
	assert_string_equal(result.key_id, "AKIADEFAULT");
	assert_non_null(strstr(result.name, "profile default ("));
}

static void naming_a_profile_skips_the_environment(void **state)
{
	(void)state;
	set_environment_keys();
	write_profiles();
	assert_string_equal(by_default("prod").key_id, "AKIAPROD");
	fake_setenv("AWS_PROFILE", "prod");
	assert_string_equal(by_default(NULL).key_id, "AKIAPROD");
}

static void nothing_anywhere_tells_where_it_looked(void **state)
{
	(void)state;
	struct result result = by_default(NULL);
	assert_int_equal(result.err.kind, ERR_CREDENTIALS);
	assert_string_equal(result.err.text,
		"no AWS credentials found: environment: AWS_ACCESS_KEY_ID is not set; there is no "
		"profile default in the AWS config and credentials files");
}

static void profile_that_was_asked_for_must_be_there(void **state)
{
	(void)state;
	write_profiles();
	struct result result = by_default("nowhere");
	assert_int_equal(result.err.kind, ERR_CREDENTIALS);
	assert_non_null(strstr(result.err.text, "no profile nowhere"));
	struct cred_options options = with("nowhere");
	assert_string_equal(get_once(cred_profile_new(&options)).name, "profile nowhere");
}

static void methods_that_cannot_be_done_yet_are_named(void **state)
{
	(void)state;
	fake_environment_write("config", "[profile prod]\ncredential_process = /bin/x\n");
	struct result result = by_default("prod");
	assert_int_equal(result.err.kind, ERR_CONFIG);
	assert_string_equal(result.err.text,
		"profile prod uses credential_process, which this version cannot do yet");
}

static void broken_file_ends_the_search_with_its_place(void **state)
{
	(void)state;
	fake_environment_write("credentials", "[default\n");
	struct result result = by_default(NULL);
	assert_int_equal(result.err.kind, ERR_CONFIG);
	assert_non_null(strstr(result.err.text, "credentials:1:1"));
}

static void the_first_winner_stays_and_is_read_again_when_rejected(void **state)
{
	(void)state;
	write_profiles();
	struct cred_options options = with(NULL);
	struct cred_source *source = cred_default_new(&options);
	assert_string_equal(get(source).key_id, "AKIADEFAULT");
	set_environment_keys(); /* too late: who won stays */
	fake_environment_write("credentials",
		"[default]\naws_access_key_id=AKIAROTATED\naws_secret_access_key=r\n");
	assert_string_equal(get(source).key_id, "AKIADEFAULT");
	assert_true(cred_rejected(source, "AKIADEFAULT"));
	assert_string_equal(get(source).key_id, "AKIAROTATED");
	cred_source_free(source);
}

static void chain_may_be_freed_while_it_looks(void **state)
{
	(void)state;
	struct cred_options options = with(NULL);
	for (int turns = 0; turns < 4; turns++) { /* to start, two places, the answer */
		struct cred_source *source = cred_default_new(&options);
		struct result result = {.key_id = ""};
		struct cred_call *call = cred_get_start(source, on_credentials, &result);
		for (int i = 0; i < turns; i++)
			assert_true(fake_loop_step());
		cred_get_cancel(call);
		cred_source_free(source);
		assert_int_equal(fake_loop_timer_count(), 0);
		assert_int_equal(result.err.kind, ERR_NONE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(environment_gives_all_it_has),
		TEST(half_an_environment_is_an_error),
		TEST(an_environment_that_is_too_long_is_an_error),
		TEST(broken_expiration_is_an_error),
		TEST(environment_comes_before_the_profile),
		TEST(profile_follows_when_the_environment_is_empty),
		TEST(naming_a_profile_skips_the_environment),
		TEST(nothing_anywhere_tells_where_it_looked),
		TEST(profile_that_was_asked_for_must_be_there),
		TEST(methods_that_cannot_be_done_yet_are_named),
		TEST(broken_file_ends_the_search_with_its_place),
		TEST(the_first_winner_stays_and_is_read_again_when_rejected),
		TEST(chain_may_be_freed_while_it_looks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
