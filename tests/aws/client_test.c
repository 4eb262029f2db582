/* Clients and their ways to the network; what a call does with them is call_test.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/lib/call_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

static bool good_for_all(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)arg;
	static char session[1024];
	char end[TEXT_TIME_MAX];
	text_format_time(clock_now_s() + 3600, end);
	snprintf(session, sizeof(session),
		"<R><AssumeRoleResult><Credentials><AccessKeyId>ASIAMEMBERMEMBERMEM1</AccessKeyId>"
		"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s"
		"</Expiration></Credentials></AssumeRoleResult></R>",
		end);
	bool is_sts = strstr(request->body, "AssumeRole") != NULL;
	ret_answer->status = 200;
	ret_answer->body = is_sts ? session : GOOD;
	ret_answer->delay_ms = 50;
	return true;
}

static const struct aws_role role = {
	.account_id = "222233334444",
	.role_arn = "arn:aws:iam::222233334444:role/r",
	.session_name = "dc1",
	.sts_region = "eu-central-1",
	.duration_s = 3600,
};

/* The fixture's client, replaced by one of that network. */
static void use_network(const struct aws_network *network)
{
	aws_client_free(fixture.client);
	fixture.client = aws_client_new(fixture.aws, network, "", fixture.source);
	fake_http_set_answerer(good_for_all, NULL);
}

static void timeouts_have_defaults(void **state)
{
	(void)state;
	use_network(&(struct aws_network){.timeouts = {.stall_ms = 7}});
	assert_true(run_call().is_good);
	const struct http_timeouts *used = &fake_http_request(0)->timeouts;
	assert_int_equal(used->connect_ms, 5000);
	assert_int_equal(used->first_byte_ms, 20000);
	assert_int_equal(used->stall_ms, 7);
	assert_int_equal(used->total_ms, 60000);
}

static void network_is_copied_and_lent_to_roles(void **state)
{
	(void)state;
	char proxy[] = "http://proxy:3128", bundle[] = "/etc/ca.pem";
	struct aws_network network = {.proxy = proxy, .ca_bundle = bundle};
	snprintf(network.endpoints.overrides.all, ENDPOINT_URL_MAX, "https://vpce.example/pre");
	use_network(&network);
	memset(proxy, 'x', sizeof(proxy) - 1);
	memset(bundle, 'x', sizeof(bundle) - 1);
	memset(&network, 'x', sizeof(network));
	struct aws_client *hub = fixture.client;
	fixture.client = aws_client_assume(hub, &role);
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_count(), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct fake_http_request *sent = fake_http_request(i);
		assert_string_equal(sent->url, "https://vpce.example/pre/");
		assert_string_equal(sent->host_key, "https://vpce.example:443");
		assert_string_equal(sent->proxy, "http://proxy:3128");
		assert_string_equal(sent->ca_bundle, "/etc/ca.pem");
	}
	aws_client_free(fixture.client);
	fixture.client = hub;
}

static void empty_settings_are_no_settings(void **state)
{
	(void)state;
	use_network(&(struct aws_network){.proxy = "", .no_proxy = "", .ca_bundle = ""});
	assert_true(run_call().is_good);
	assert_string_equal(fake_http_request(0)->proxy, "");
}

static void account_may_be_learnt_later(void **state)
{
	(void)state;
	use_network(&(struct aws_network){.proxy = NULL});
	assert_string_equal(aws_client_account(fixture.client), "");
	aws_client_set_account(fixture.client, "123456789012");
	assert_string_equal(aws_client_account(fixture.client), "123456789012");
}

static void same_host_through_another_proxy_has_its_own_breaker(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	assert_string_equal(run_call().err.code, "connect");
	assert_string_equal(run_call().err.code, "breaker");
	use_network(&(struct aws_network){.proxy = "http://proxy:3128"});
	assert_true(run_call().is_good);
}

static void a_storm_of_calls_makes_one_session(void **state)
{
	(void)state;
	static const char *const region[] = {"eu-west-1", "eu-central-1", "us-east-1", "us-east-2"};
	use_network(&(struct aws_network){.proxy = NULL});
	struct aws_client *hub = fixture.client;
	fixture.client = aws_client_assume(hub, &role);
	struct outcome outcome[32];
	for (size_t i = 0; i < 32; i++)
		start_call_in(region[i % 4], &outcome[i]);
	fake_loop_advance_ms(10000);
	for (size_t i = 0; i < 32; i++)
		assert_true(outcome[i].is_good);
	assert_int_equal(fake_http_count(), 33);

	fake_clock_advance_ms(3590000); /* it ends while nobody calls */
	for (size_t i = 0; i < 32; i++)
		start_call_in(region[i % 4], &outcome[i]);
	fake_loop_advance_ms(10000);
	for (size_t i = 0; i < 32; i++)
		assert_true(outcome[i].is_good);
	assert_int_equal(fake_http_count(), 66);
	aws_client_free(fixture.client);
	fixture.client = hub;
}

static void on_ready(void *arg, const struct err *err)
{
	struct outcome *outcome = arg;
	outcome->ends++;
	outcome->is_good = err == NULL;
}

static void readiness_is_told_from_the_loop_and_cancelled(void **state)
{
	(void)state;
	struct outcome first = {.ends = 0}, second = {.ends = 0};
	aws_client_ready_start(fixture.client, on_ready, &first);
	struct aws_ready *cancelled = aws_client_ready_start(fixture.client, on_ready, &second);
	assert_int_equal(first.ends, 0);
	aws_client_ready_cancel(cancelled);
	fake_loop_run_ready();
	assert_true(first.is_good);
	assert_int_equal(second.ends, 0);
}

static void nothing_made_is_nothing_to_free(void **state)
{
	(void)state;
	aws_client_free(NULL);
	aws_free(NULL);
	cred_source_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timeouts_have_defaults),
		TEST(network_is_copied_and_lent_to_roles),
		TEST(empty_settings_are_no_settings),
		TEST(account_may_be_learnt_later),
		TEST(same_host_through_another_proxy_has_its_own_breaker),
		TEST(a_storm_of_calls_makes_one_session),
		TEST(readiness_is_told_from_the_loop_and_cancelled),
		TEST(nothing_made_is_nothing_to_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
