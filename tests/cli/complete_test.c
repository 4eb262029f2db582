/* What is offered to a shell: from the tables, and from what the daemon knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void offers(const char *line, const char *out)
{
	run_complete(line);
	assert_string_equal(run_out(), out);
	assert_string_equal(run_err(), "");
	assert_int_equal(run_code(), EXIT_DONE);
}

static void asks(const char *line, const char *asked)
{
	run_complete(line);
	assert_string_equal(run_asked(), asked);
}

/* --- from the tables -------------------------------------------------------------------------- */

static void commands_come_with_what_they_do(void **state)
{
	(void)state;
	offers("sca", "scan\tstart a cycle now\n");
	offers("help conf", "config\teffective configuration, and where each value comes from\n");
	offers("nonsense", "");
	offers("nonsense x", "");
	offers("status x", "");
}

static void options_that_are_given_are_not_offered_again(void **state)
{
	(void)state;
	offers("csr --arn a --ke",
		"--key-type\trsa2048 (default), rsa3072, rsa4096, ec256 or ec384\n");
	offers("csr --key-type ec256 --ke", "");
	offers("csr --domain a --dom", "--domain\ta name of the certificate; up to 100\n");
	offers("status --so",
		"--socket\tthe daemon's control socket (default /run/acmsensor/control....\n");
}

static void offline_is_offered_where_it_works(void **state)
{
	(void)state;
	static const char offline[] = "--offline\tread the store itself, without a daemon\n";
	offers("--off", offline);
	offers("certs --off", offline);
	offers("plan --off", "");
	offers("apply p-1 --off", "");
}

static void words_and_files_are_known_without_a_daemon(void **state)
{
	(void)state;
	offers("certs --in-use ", "yes\nno\n");
	offers("certs --in-use=y", "--in-use=yes\n");
	offers("status -oj", "-ojson\n");
	offers("backup ", ":files\n");
	offers("events --since ", "");
	assert_string_equal(run_asked(), "");
}

/* --- from the daemon -------------------------------------------------------------------------- */

static void a_list_is_asked_for_where_the_line_says(void **state)
{
	(void)state;
	run_answer("[{'account_id': '111122223333', 'name': 'shop \\u001bx'},"
		   " {'account_id': '222233334444', 'name': ''}, {'account_id': '111122223333'},"
		   " {}, {'account_id': 7}, 7]");
	offers("certs --account 1", "111122223333\tshop \\x1bx\n");
	assert_string_equal(run_asked(), "rows 2\n");
	asks("certs --connector c --account ", "rows 2 connector=c\n");
	asks("certs --account 1 --domain ", "rows 0 account=1\n");
	asks("certs --connector c --region ", "rows 3 connector=c\n");
	asks("show --gone x", "rows 0\nrows 0\n"); /* ARNs, then domains */
	asks("plan --arn arn:aws:acm:eu-west-1:1111:c", "rows 0 account=1111 region=eu-west-1\n");
	asks("plan --arn arn:aws:acm:eu-west-1:1", "rows 0 region=eu-west-1\n");
	asks("plan --arn arn:aws:acm::1:", "rows 0 account=1\n");
	asks("plan --arn arn:aws:acm:longer-than-the-name-of-any-region-that-is-or-that-will-be-there:",
		"rows 0\n");
}

static void documents_are_read_for_what_they_hold(void **state)
{
	(void)state;
	run_answer("{'status': {'connectors': [{'name': 'prod', 'scope': 'organization'}, 7]}}");
	offers("certs --connector ", "prod\torganization\n");
	assert_string_equal(run_asked(), "get /v1/status\n");
	run_answer("{'csrs': [{'id': 'q-1', 'key_algorithm': 'EC', 'arn': ''}]}");
	offers("csr --show ", "q-1\tEC \n");
#define PLANS                                                                                      \
	"{'plans': [{'id': 'p-1', 'decision': 'reimport', 'state': 'open'}, "                      \
	"{'id': 'p-2', 'decision': 'import', 'state': 'applied'}]}"
#define JOBS                                                                                       \
	"{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'running'}, "                         \
	"{'id': 'j-2', 'kind': 'deliver', 'state': 'failed'}]}"
	run_answer(PLANS);
	offers("apply ", "p-1\treimport open\n");
	run_answer(PLANS);
	offers("plans ", "p-1\treimport open\np-2\timport applied\n");
	run_answer(JOBS);
	offers("cancel j", "j-1\tdeliver running\n");
	run_answer(JOBS);
	offers("jobs ", "j-1\tdeliver running\nj-2\tdeliver failed\n");
	run_answer("{'jobs': {'id': 'j-1'}}");
	offers("cancel j", "");
	run_answer("{'status': {'alerts': {'channels': [{'name': 'ops', 'type': 'mail'}]}}}");
	offers("alerts test ", "ops\tmail\n");
}

static void an_alert_is_named_by_id_or_by_arn(void **state)
{
	(void)state;
	offers("alerts ", "ack\ntest\n");
	run_answer("[{'id': '3f', 'subject': 'arn:x', 'text': 'ends'}]");
	offers("alerts ack ", "3f\tends\n");
	run_answer("[{'id': '3f', 'subject': 'arn:x', 'text': 'ends'}]");
	run_answer("[{'id': '3f', 'subject': 'arn:x', 'text': 'ends'}]");
	offers("alerts ack a", "arn:x\tends\n");
	assert_string_equal(run_asked(), "rows 5\nrows 5\n");
	offers("alerts close ", "");
	offers("alerts ack 3f ", "");
	assert_string_equal(run_asked(), "");
}

/* --- hostile ---------------------------------------------------------------------------------- */

static void what_a_shell_or_the_program_would_obey_is_not_offered(void **state)
{
	(void)state;
	run_answer(
		"[{'domain_name': '$(reboot)'}, {'domain_name': 'a b'}, {'domain_name': ';x'},"
		" {'domain_name': '`x`'}, {'domain_name': 'a\\nb'}, {'domain_name': '\\u00e4'},"
		" {'domain_name': ''}, {'domain_name': '--socket=/tmp/x'}, {'domain_name': '-h'},"
		" {'domain_name': '*.example.com'}]");
	offers("certs --domain ", "*.example.com\n");
	run_answer(
		"{'plans': [{'id': '-h'}, {'id': 'p', 'decision': '\\u001b', 'state': 'x\\ty'}]}");
	offers("plans ", "p\t\\x1b x\\ty\n");
}

static void no_more_are_offered_than_a_person_looks_through(void **state)
{
	(void)state;
	static char rows[1100 * 24];
	strcpy(rows, "[");
	for (int i = 0; i < 1100; i++)
		snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows), "%s{'account_id':'%d'}",
			i > 0 ? "," : "", i);
	strcat(rows, "]");
	run_answer(rows);
	run_complete("certs --account ");
	assert_non_null(strstr(run_out(), "\n999\n"));
	assert_null(strstr(run_out(), "\n1000\n"));
}

static void whatever_fails_is_silent(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	offers("certs --domain ", "");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	offers("apply ", "");
	run_answer("[]");
	offers("apply ", "");
	run_answer("{'status': 7}");
	offers("certs --connector ", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(commands_come_with_what_they_do),
		RUN_TEST(options_that_are_given_are_not_offered_again),
		RUN_TEST(offline_is_offered_where_it_works),
		RUN_TEST(words_and_files_are_known_without_a_daemon),
		RUN_TEST(a_list_is_asked_for_where_the_line_says),
		RUN_TEST(documents_are_read_for_what_they_hold),
		RUN_TEST(an_alert_is_named_by_id_or_by_arn),
		RUN_TEST(what_a_shell_or_the_program_would_obey_is_not_offered),
		RUN_TEST(no_more_are_offered_than_a_person_looks_through),
		RUN_TEST(whatever_fails_is_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
