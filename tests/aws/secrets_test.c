/*
 * After the clients are gone nothing that was secret is anywhere in memory: a profile's key and an
 * assumed session, through parsing, caching, signing and a refresh. Keys are needles, so memory can
 * be searched for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "aws/acm_write.h"
#include "aws/client.h"
#include "aws/cred.h"
#include "aws/secretsmanager_write.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_environment.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/needle.h"

enum { PRIVATE_KEY = 91, SEALED, FETCHED };
enum { HUB_SECRET = 101, HUB_TOKEN, FIRST_SECRET, FIRST_TOKEN, SECOND_SECRET, SECOND_TOKEN, SEEDS };

static void write_profile(void)
{
	char secret[NEEDLE_LEN + 1], token[NEEDLE_LEN + 1], text[512];
	needle_make(HUB_SECRET, secret);
	needle_make(HUB_TOKEN, token);
	snprintf(text, sizeof(text),
		"[default]\naws_access_key_id = AKIAHUBHUBHUBHUBHUB1\naws_secret_access_key = %s\n"
		"aws_session_token = %s\n",
		secret, token);
	fake_environment_write("credentials", text);
}

static bool answer_all(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	static char body[1024]; /* wiped by the test */
	int *sessions = arg;
	ret_answer->status = 200;
	ret_answer->body = "{\"CertificateSummaryList\":[]}";
	if (strstr(request->body, "AssumeRole") == NULL)
		return true;
	char secret[NEEDLE_LEN + 1], token[NEEDLE_LEN + 1];
	needle_make(*sessions == 0 ? FIRST_SECRET : SECOND_SECRET, secret);
	needle_make(*sessions == 0 ? FIRST_TOKEN : SECOND_TOKEN, token);
	snprintf(body, sizeof(body),
		"<R><AssumeRoleResult><Credentials><AccessKeyId>ASIAMEMBERMEMBERMEM%d</AccessKeyId>"
		"<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>"
		"2026-11-21T0%d:00:00Z</Expiration></Credentials></AssumeRoleResult></R>",
		*sessions, secret, token, *sessions + 1);
	++*sessions;
	ret_answer->body = body;
	return true;
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *err)
{
	(void)reply;
	if (err != NULL)
		fail_msg("%s", err->text);
	++*(int *)arg;
}

static void call_once(struct aws_client *client)
{
	int ends = 0;
	struct aws_request request = {.service = AWS_ACM,
		.operation = "ListCertificates",
		.region = "eu-west-1",
		.path = "/",
		.body = "{}",
		.body_len = 2,
		.rate.per_second = 8,
		.reply_max_bytes = 65536,
		.expects = "CertificateSummaryList"};
	aws_call_start(client, &request, on_reply, &ends);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
}

static size_t needles(void)
{
	size_t count = 0;
	for (unsigned seed = HUB_SECRET; seed < SEEDS; seed++)
		count += needle_count(seed);
	return count;
}

/* Everything that the secrets go through; ends with all of it freed. */
static size_t live(void)
{
	struct err err;
	int sessions = 0;
	struct loop *loop = loop_new(&err);
	struct http *http = http_new(loop, NULL, NULL, &err);
	struct aws *aws = aws_new(loop, http, "test");
	struct cred_source *source =
		cred_default_new(&(struct cred_options){.aws = aws, .getenv = fake_getenv});
	struct aws_client *hub =
		aws_client_new(aws, &(struct aws_network){.proxy = NULL}, "111122223333", source);
	struct aws_client *member =
		aws_client_assume(hub, &(struct aws_role){.account_id = "222233334444",
					       .role_arn = "arn:aws:iam::222233334444:role/r",
					       .session_name = "dc1",
					       .sts_region = "eu-west-1",
					       .duration_s = 3600});
	fake_http_set_answerer(answer_all, &sessions);
	call_once(hub);
	call_once(member);
	fake_loop_advance_ms(3400000); /* the session is refreshed */
	call_once(member);
	call_once(member);
	assert_int_equal(sessions, 2);
	size_t while_alive = needles();
	aws_client_free(member);
	aws_client_free(hub);
	cred_source_free(source);
	aws_free(aws);
	http_free(http);
	loop_free(loop);
	/* The fakes' own copies: the environment's file was read, the answers were written here. */
	struct fake_answer wiped;
	sessions = 0;
	answer_all(&sessions, &(struct fake_http_request){.body = "AssumeRole"}, &wiped);
	mem_wipe((char *)wiped.body, 1024);
	fake_http_reset();
	return while_alive;
}

static void nothing_secret_is_left_in_memory(void **state)
{
	(void)state;
	fake_environment_begin();
	fake_clock_set_now_s(1795219200);
	write_profile();
	size_t while_alive = live();
	assert_true(while_alive > 0); /* the search finds them while they live */
	for (unsigned seed = HUB_SECRET; seed < SEEDS; seed++)
		assert_int_equal(needle_count(seed), 0);
	fake_environment_end();
}

/* --- keys in bodies --------------------------------------------------------------------------- */

struct fetch {
	int ends;
	struct secret value;
};

static void on_fetched(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct fetch *fetch = arg;
	struct err taken = ERR_INIT;
	if (err != NULL || secretsmanager_get_take(reply, &fetch->value, &taken) != 0)
		fail_msg("%s %s", err != NULL ? err->text : "", taken.text);
	fetch->ends++;
}

/* What the needle is the base64 of: in a body it is then there as itself. */
static void set_decoded(struct secret *secret, unsigned seed)
{
	char needle[NEEDLE_LEN + 1];
	unsigned char bytes[NEEDLE_LEN];
	needle_make(seed, needle);
	int len = EVP_DecodeBlock(bytes, (const unsigned char *)needle, NEEDLE_LEN);
	secret_set(secret, bytes, (size_t)len);
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(needle, sizeof(needle));
}

static void import_and_seal(struct aws_client *client)
{
	int ends = 0;
	struct secret key = SECRET_INIT, value = SECRET_INIT;
	set_decoded(&key, PRIVATE_KEY);
	set_decoded(&value, SEALED);
	fake_http_fail(ERR_UNREACHABLE, "connect"); /* a second attempt: the body is kept */
	fake_http_answer(200, "{\"CertificateArn\":\"a\"}");
	(void)acm_import_start(client, "eu-west-1",
		&(struct acm_import){.certificate_pem = "c", .key_pem = &key}, on_reply, &ends);
	struct aws_call *cancelled = acm_import_start(client, "eu-west-1",
		&(struct acm_import){.certificate_pem = "c", .key_pem = &key}, on_reply, &ends);
	fake_loop_run_ready();
	aws_call_cancel(cancelled);
	fake_loop_advance_ms(3000);
	assert_int_equal(ends, 1);
	fake_http_answer(200, "{\"ARN\":\"a\"}");
	(void)secretsmanager_create_start(client, "eu-west-1",
		&(struct secretsmanager_create){.name = "n", .token = "t", .value = &value},
		on_reply, &ends);
	fake_loop_run_ready();
	assert_int_equal(ends, 2);
	assert_true(needle_count(PRIVATE_KEY) > 0 && needle_count(SEALED) > 0); /* in the fakes */
	secret_clear(&key);
	secret_clear(&value);
}

static void fetch_secret(struct aws_client *client)
{
	char needle[NEEDLE_LEN + 1], body[256];
	needle_make(FETCHED, needle);
	snprintf(body, sizeof(body), "{\"ARN\":\"a\",\"SecretString\":\"%s\"}", needle);
	fake_http_answer(200, body);
	struct fetch fetch = {.value = SECRET_INIT};
	(void)secretsmanager_get_start(client, "eu-west-1", "n", on_fetched, &fetch);
	fake_loop_run_ready();
	assert_int_equal(fetch.ends, 1);
	assert_memory_equal(secret_bytes(&fetch.value), needle, NEEDLE_LEN);
	secret_clear(&fetch.value);
	mem_wipe(needle, sizeof(needle));
	mem_wipe(body, sizeof(body));
}

static void no_key_is_left_of_what_was_sent_and_read(void **state)
{
	(void)state;
	struct err err;
	fake_environment_begin();
	fake_clock_set_now_s(1795219200);
	write_profile();
	struct loop *loop = loop_new(&err);
	struct http *http = http_new(loop, NULL, NULL, &err);
	struct aws *aws = aws_new(loop, http, "test");
	struct cred_source *source =
		cred_default_new(&(struct cred_options){.aws = aws, .getenv = fake_getenv});
	struct aws_client *client =
		aws_client_new(aws, &(struct aws_network){.proxy = NULL}, "111122223333", source);
	fake_http_set_answerer(NULL, NULL);
	import_and_seal(client);
	fetch_secret(client);
	aws_client_free(client);
	cred_source_free(source);
	aws_free(aws);
	http_free(http);
	loop_free(loop);
	fake_http_reset();
	for (unsigned seed = PRIVATE_KEY; seed <= FETCHED; seed++)
		assert_int_equal(needle_count(seed), 0);
	fake_environment_end();
}

int main(void)
{
	secret_process_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_secret_is_left_in_memory),
		cmocka_unit_test(no_key_is_left_of_what_was_sent_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
