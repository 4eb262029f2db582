/* acmsensor csr: the request alone on stdout, and only when it is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define ARN "arn:aws:acm:eu-west-1:111122223333:certificate/0-12345678"

static void the_request_is_alone_on_stdout(void **state)
{
	(void)state;
	run_answer("{'csr': {'id': 'r-1', 'key_algorithm': 'EC', 'connector': 'c', 'arn': '', "
		   "'pem': '-----BEGIN X-----\\n'}}");
	run_is("csr --domain a --domain b --key-type ec256 --subject CN=a --connector c --socket /s",
		EXIT_DONE, "-----BEGIN X-----\n",
		"acmsensor: request r-1, key EC, which stays on the sensor\n"
		"acmsensor: once it is signed: acmsensor --socket /s plan --csr r-1 --connector "
		"c --account ACCOUNT --region REGION --cert FILE --chain FILE\n");
	assert_string_equal(run_asked(),
		"post /v1/csr {\"domains\":[\"a\",\"b\"],\"connector\":\"c\",\"key_type\":\"ec256\","
		"\"subject\":\"CN=a\"}\n");
	run_answer("{'csr': {'id': 'r-1', 'pem': 'A'}}");
	run_is("csr --arn " ARN " -o csv", EXIT_DONE, "id,pem\r\nr-1,A\r\n", "");
	assert_string_equal(run_asked(), "post /v1/csr {\"arn\":\"" ARN "\"}\n");
}

static void the_next_command_is_whole(void **state)
{
	(void)state;
	run_answer("{'csr': {'id': 'r-1', 'key_algorithm': 'EC', 'connector': '', 'arn': '" ARN
		   "', 'pem': 'A\\n'}}");
	run_is("csr --arn " ARN, EXIT_DONE, "A\n",
		"acmsensor: request r-1, key EC, which stays on the sensor\n"
		"acmsensor: once it is signed: acmsensor plan --csr r-1 --arn " ARN
		" --cert FILE --chain FILE\n");
}

static void another_escrow_is_not_promised(void **state)
{
	(void)state;
	run_answer("{'csr': {'id': 'r-1', 'key_algorithm': 'EC', 'key_escrow': 'sensor', "
		   "'pem': 'A\\n'}}");
	run_is("csr --domain a", EXIT_DONE, "A\n",
		"acmsensor: request r-1, key EC, which stays on the sensor\n"
		"acmsensor: once it is signed: acmsensor plan --csr r-1 --account ACCOUNT "
		"--region REGION --cert FILE --chain FILE\n");
	run_answer("{'csr': {'id': 'r-1', 'key_algorithm': 'EC', 'key_escrow': 'memory', "
		   "'pem': 'A\\n'}}");
	run_is("csr --domain a", EXIT_DONE, "A\n",
		"acmsensor: request r-1, key EC, which stays on the sensor\n"
		"acmsensor: key_escrow = memory does not hold for it: a key that waits for its "
		"certificate is sealed in the sensor's vault, to outlive a restart\n"
		"acmsensor: once it is signed: acmsensor plan --csr r-1 --account ACCOUNT "
		"--region REGION --cert FILE --chain FILE\n");
}

static void what_was_made_is_listed(void **state)
{
	(void)state;
	run_answer("{'csrs': [{'id': 'q-1', 'key_algorithm': 'EC', 'domains': ['a', 'b'], 'pem': "
		   "'A', 'state': 'applied', 'expires': '2027-01-01T00:00:00Z'}, {'id': 'q-2', "
		   "'error': 'its epoch is gone'}]}");
	run_is("csr --list", EXIT_DONE, NULL, "");
	run_shows("REQUEST  STATE    KEY  CREATED  WIPED  NAMES\n");
	run_shows("\nq-1      applied  EC   -               a, b\n");
	run_shows(" a, b\n");
	run_shows("its epoch is gone\n");
	assert_string_equal(run_asked(), "get /v1/csrs\n");
	run_answer("{'csrs': []}");
	run_is("csr --list", EXIT_DONE, "",
		"acmsensor: there is no request: acmsensor csr --domain DOMAIN makes one\n");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("csr --list", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
}

static void one_is_printed_again(void **state)
{
	(void)state;
	run_answer("{'csrs': [{'id': 'q-1', 'key_algorithm': 'EC', 'arn': '" ARN
		   "', 'pem': 'A\\n'}]}");
	run_is("csr --show q-1", EXIT_DONE, "A\n",
		"acmsensor: request q-1, key EC, which stays on the sensor\n"
		"acmsensor: once it is signed: acmsensor plan --csr q-1 --arn " ARN
		" --cert FILE --chain FILE\n");
	assert_string_equal(run_asked(), "get /v1/csrs id=q-1\n");
	run_answer("{'csrs': [{'id': 'q-1', 'key_algorithm': 'EC', 'state': 'applied', 'pem': "
		   "'A\\n'}]}");
	run_is("csr --show q-1", EXIT_DONE, "A\n",
		"acmsensor: request q-1, key EC, which stays on the sensor\n"
		"acmsensor: its certificate is applied: the key is being delivered, or was, and is "
		"wiped when the time for the way back is over\n");
	run_answer("{'csrs': [{'id': 'q-1', 'pem': 'A'}]}");
	run_is("csr --show q-1 -o csv", EXIT_DONE, "id,pem\r\nq-1,A\r\n", "");
	run_answer("{'csrs': [{'id': 'q-1', 'error': 'its epoch is gone'}]}");
	run_is("csr --show q-1", EXIT_FAILED, "", "acmsensor: its epoch is gone\n");
	run_answer("{'csrs': []}");
	run_is("csr --show q-1", EXIT_FAILED, "",
		"acmsensor: answer of the daemon: there is no request in it\n");
	run_refuse(ERR_NOT_FOUND, "", "there is no request q-1");
	run_is("csr --show q-1", EXIT_FAILED, "", "acmsensor: there is no request q-1\n");
}

static void one_is_dropped(void **state)
{
	(void)state;
	run_answer("{'csr': {'id': 'q-1'}}");
	run_is("csr --drop q-1", EXIT_DONE, "",
		"acmsensor: request q-1 is dropped, and its key wiped\n");
	assert_string_equal(run_asked(), "post /v1/csr/drop {\"csr\":\"q-1\"}\n");
	run_refuse(ERR_REFUSED, "", "plan p-1 waits for it");
	run_is("csr --drop q-1", EXIT_FAILED, "", "acmsensor: plan p-1 waits for it\n");
}

static void one_thing_at_a_time(void **state)
{
	(void)state;
	run_is("csr --list --domain a", EXIT_USAGE, "",
		"acmsensor: --list and --domain exclude each other\n");
	run_is("csr --drop q-1 --show q-2", EXIT_USAGE, "",
		"acmsensor: --show and --drop exclude each other\n");
	assert_string_equal(run_asked(), "");
}

static void what_is_no_request_is_not_printed(void **state)
{
	(void)state;
	static const char *const answers[] = {"{}", "{'csr': {'pem': ''}}", "{'csr': {'pem': 7}}",
		"{'csr': {'pem': 'A\\u001b'}}", "{'csr': [1]}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is("csr --domain a", EXIT_FAILED, "",
			"acmsensor: answer of the daemon: there is no request in it\n");
	}
	run_refuse(ERR_DENIED, "", "only root may ask");
	run_is("csr --domain a", EXIT_FAILED, "", "acmsensor: only root may ask\n");
}

static void what_for_must_be_said(void **state)
{
	(void)state;
	run_is("csr --key-type ec256", EXIT_USAGE, "",
		"acmsensor: what for is missing: give --domain DOMAIN (may be repeated), or --arn "
		"ARN to take the names of what is to be replaced\n");
	run_is("csr --arn x", EXIT_USAGE, "",
		"acmsensor: --arn x: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID\n");
	assert_string_equal(run_asked(), "");
}

static void a_name_in_another_encoding_is_not_left_out(void **state)
{
	(void)state;
	run_is("csr --domain a --domain b\xfc"
	       "cher.example",
		EXIT_USAGE, "", "acmsensor: --domain is not UTF-8 text\n");
	run_is("csr --domain a --subject CN=\xfc", EXIT_USAGE, "",
		"acmsensor: --subject is not UTF-8 text\n");
}

/* With the options' names: those of the API's members help nobody who typed. */
static void what_the_daemon_would_not_take_is_said_before(void **state)
{
	(void)state;
	char line[8192];
	run_is("csr --domain a --key-type rsa1024", EXIT_USAGE, "",
		"acmsensor: --key-type rsa1024: expected rsa2048, rsa3072, rsa4096, ec256, ec384\n");
	(void)snprintf(line, sizeof(line), "csr --domain a --subject %01025d", 0);
	run_is(line, EXIT_USAGE, "", NULL);
	(void)snprintf(line, sizeof(line), "csr --domain a --connector %033d", 0);
	run_is(line, EXIT_USAGE, "",
		"acmsensor: --connector is longer than 32 bytes: "
		"000000000000000000000000000000000...\n");
	(void)snprintf(line, sizeof(line), "csr --domain %0254d", 0);
	run_is(line, EXIT_USAGE, "", NULL);
	size_t len = (size_t)snprintf(line, sizeof(line), "csr");
	for (int i = 0; i < 101; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, " --domain=%d.example", i);
	run_is(line, EXIT_USAGE, "",
		"acmsensor: --domain is given 101 times, at most 100 are taken\n");
	assert_string_equal(run_asked(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_request_is_alone_on_stdout),
		RUN_TEST(the_next_command_is_whole),
		RUN_TEST(another_escrow_is_not_promised),
		RUN_TEST(what_was_made_is_listed),
		RUN_TEST(one_is_printed_again),
		RUN_TEST(one_is_dropped),
		RUN_TEST(one_thing_at_a_time),
		RUN_TEST(what_is_no_request_is_not_printed),
		RUN_TEST(what_for_must_be_said),
		RUN_TEST(a_name_in_another_encoding_is_not_left_out),
		RUN_TEST(what_the_daemon_would_not_take_is_said_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
