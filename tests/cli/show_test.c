/* acmsensor show: one certificate in full, several in blocks, and PEM that goes into a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

/* Members of the one certificate that is found. */
static void is(const char *row, const char *out)
{
	run_answerf("[{%s}]", row);
	run_is("show x", EXIT_DONE, out, "");
}

static void shows(const char *row, const char *part)
{
	is(row, NULL);
	run_shows(part);
}

static void everything_is_shown_in_its_order(void **state)
{
	(void)state;
	is("'arn': 'arn:x', 'domain_name': 'x.example', 'status': 'ISSUED',"
	   " 'not_after': '2026-12-21T01:00:00Z', 'account_id': '111122223333',"
	   " 'account_name': 'shop', 'unit_path': 'Root/Web', 'region': 'eu-west-1',"
	   " 'connector': 'prod', 'subject': 'CN=x.example', 'issuer': 'CN=ca',"
	   " 'subject_alternative_names': ['x.example', 'y.example'], 'serial': '0a',"
	   " 'key_algorithm': 'EC_prime256v1', 'key_usages': ['DIGITAL_SIGNATURE'],"
	   " 'type': 'IMPORTED', 'exported': true, 'in_use': true, 'in_use_by': ['arn:lb'],"
	   " 'tags': {'team': 'web', 'empty': ''},"
	   " 'chain': [{'subject': 'CN=ca', 'not_after': '2036-11-21T01:00:00Z'},"
	   " {'error': 'not DER'}], 'first_seen': '2026-11-20T01:00:00Z',"
	   " 'history': [{'serial': '09', 'first_seen': '2026-11-19T01:00:00Z'},"
	   " {'serial': '0a', 'first_seen': '2026-11-20T01:00:00Z'}, {'serial': '0b'}]",
		"x.example\n"
		"  Status              ISSUED\n"
		"  Expires             in 30 days (2026-12-21 01:00:00Z)\n"
		"  ARN                 arn:x\n"
		"  Account             shop\n"
		"                      111122223333\n"
		"  Unit                Root/Web\n"
		"  Region              eu-west-1\n"
		"  Connector           prod\n"
		"\n"
		"Certificate\n"
		"  Subject             CN=x.example\n"
		"  Issuer              CN=ca\n"
		"  Names               x.example, y.example\n"
		"  Serial              0a\n"
		"  Key                 EC_prime256v1\n"
		"  Key usage           DIGITAL_SIGNATURE\n"
		"\n"
		"In ACM\n"
		"  Type                IMPORTED\n"
		"  Exported            yes\n"
		"  In use              yes, by\n"
		"                      arn:lb\n"
		"\n"
		"Tags\n"
		"  team                web\n"
		"  empty               (empty)\n"
		"\n"
		"Chain\n"
		"  1                   CN=ca\n"
		"                      in 10 years (2036-11-21 01:00:00Z)\n"
		"  2                   not DER\n"
		"\n"
		"Seen by this sensor\n"
		"  First               24 hours ago (2026-11-20 01:00:00Z)\n"
		"\n"
		"Serials under this ARN, oldest first\n"
		"  2026-11-19          09\n"
		"  2026-11-20          0a\n"
		"  -                   0b\n");
	assert_string_equal(run_asked(), "rows 1 q=x\n");
}

static void what_is_missing_leaves_no_line(void **state)
{
	(void)state;
	is("", "(no domain)\n"
	       "\n"
	       "Certificate\n"
	       "\n"
	       "In ACM\n"
	       "  Exported            no\n"
	       "  In use              no\n"
	       "\n"
	       "Seen by this sensor\n");
}

static void a_row_of_other_types_is_shown_as_far_as_it_goes(void **state)
{
	(void)state;
	is("'arn': 7, 'not_after': 'soon', 'in_use': 'yes', 'in_use_by': [1, 'arn:lb'],"
	   " 'tags': {'a': 1, '': 'b'}, 'chain': [7], 'history': {'a': 1},"
	   " 'subject_alternative_names': ['a', 7, 'b']",
		NULL);
	run_shows("  Expires             never\n");
	run_shows("  Names               a, , b\n");
	run_shows("Tags\n  a                   (empty)\n                      b\n");
	run_shows("  In use              no\n                      arn:lb\n");
}

static void an_account_without_a_name_is_its_number(void **state)
{
	(void)state;
	shows("'account_id': '111122223333'", "  Account             111122223333\n");
}

static void names_from_outside_cannot_command_the_terminal(void **state)
{
	(void)state;
	is("'domain_name': '\\u001b[2J', 'tags': {'\\u009b1m': '\\u202e'},"
	   " 'detail_error': 'a\\nb', 'subject': 'CN=\\u0007'",
		NULL);
	run_shows("\\x1b[2J\n  Incomplete          a\\nb\n");
	run_shows("CN=\\x07\n");
	for (const char *at = run_out(); *at != '\0'; at++)
		assert_true(*at == '\n' || (unsigned char)*at >= ' ');
	run_hides("\xe2\x80\xae");
	run_hides("\xc2\x9b");
}

static void what_has_ended_is_said_to_have(void **state)
{
	(void)state;
	run_terminal.has_color = true;
	shows("'status': 'ISSUED', 'expired': true, 'not_after': '2026-11-19T01:00:00Z'",
		"  Status              \x1b[31mEXPIRED\x1b[0m\n"
		"  Expired             \x1b[31m2 days ago (2026-11-19 01:00:00Z)\x1b[0m\n");
}

static void an_arn_stays_whole_on_40_columns(void **state)
{
	(void)state;
	run_terminal.columns = 40;
	is("'arn': 'arn:aws:acm:eu-west-1:111122223333:certificate/0-1',"
	   " 'subject_alternative_names': ['one.example', 'two.example']",
		NULL);
	run_shows("  ARN                 arn:aws:acm:eu-west-1:111122223333:certificate/0-1\n");
	run_shows("  Names               one.example,\n                      two.example\n");
}

/* --- none, several ---------------------------------------------------------------------------- */

static void several_are_blocks_with_their_arns(void **state)
{
	(void)state;
	run_answer(
		"[{'arn': 'arn:1', 'domain_name': 'x', 'status': 'ISSUED',"
		" 'not_after': '2026-12-21T01:00:00Z', 'account_name': 'shop'}, {'arn': 'arn:2'}]");
	run_is("show x --gone --pem", EXIT_DONE,
		"x\n"
		"  ARN                 arn:1\n"
		"  Status              ISSUED\n"
		"  Expires             in 30 days (2026-12-21 01:00:00Z)\n"
		"  Account             shop\n"
		"(no domain)\n"
		"  ARN                 arn:2\n",
		"acmsensor: 2 certificates match; show one by its ARN\n");
	assert_string_equal(run_asked(), "rows 1 q=x pem=yes gone=yes\n");
}

static void none_may_mean_that_not_everything_was_read(void **state)
{
	(void)state;
	run_refuse(ERR_NOT_FOUND, "", "no certificate matches");
	run_answer("[{}, {}]");
	run_is("show x --socket /s", EXIT_FAILED, "",
		"acmsensor: no certificate matches; 2 account-regions could not be read: "
		"acmsensor --socket /s coverage --problems\n");
	run_answer("[]");
	run_answer("[]");
	run_is("show x", EXIT_FAILED, "", "acmsensor: no certificate matches\n");
	run_refuse(ERR_NOT_FOUND, "", "no certificate matches");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("show x", EXIT_FAILED, "",
		"acmsensor: no certificate matches; whether everything was read is not known: "
		"slow\n");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("show x", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
}

/* --- PEM -------------------------------------------------------------------------------------- */

static void pem_is_alone_on_stdout(void **state)
{
	(void)state;
	run_answer("[{'arn': 'a', 'pem': '-----BEGIN X-----\\nAA==\\n', 'chain_pem': 'BB+/\\n'}]");
	run_is("show x --pem", EXIT_DONE, "-----BEGIN X-----\nAA==\nBB+/\n", "");
}

static void what_is_no_pem_is_not_written(void **state)
{
	(void)state;
	run_answer("[{'arn': 'a', 'status': 'FAILED', 'pem': null}]");
	run_is("show x --pem", EXIT_FAILED, "", "acmsensor: a has no certificate yet (FAILED)\n");
	run_answer("[{'arn': 'a', 'pem': 'x\\u001b[2J'}]");
	run_is("show x --pem", EXIT_FAILED, "",
		"acmsensor: the daemon's answer about a is not PEM\n");
	run_answer("[{'arn': 'a', 'pem': 'A', 'chain_pem': '<b>'}]");
	run_is("show x --pem", EXIT_FAILED, "",
		"acmsensor: the daemon's answer about a is not PEM\n");
	run_answer("[{'arn': 'a', 'status': 'ISSUED', 'pem': 7}]");
	run_is("show x --pem", EXIT_FAILED, "",
		"acmsensor: the daemon's answer about a is not PEM\n");
}

static void programs_get_rows(void **state)
{
	(void)state;
	run_answer("{'certificates': []}");
	run_is("show x -o json", EXIT_DONE, "{\"certificates\":[]}", "");
	assert_string_equal(run_asked(), "document 1 q=x\n");
	run_answer("[{'arn': 'a', 'tags': {'k': 'v'}}]");
	run_is("show x -o csv", EXIT_DONE, "arn,tags\r\na,k=v\r\n", "");
	run_refuse(ERR_NOT_FOUND, "", "no certificate matches");
	run_is("show x -o csv", EXIT_FAILED, "", "acmsensor: no certificate matches\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(everything_is_shown_in_its_order),
		RUN_TEST(what_is_missing_leaves_no_line),
		RUN_TEST(a_row_of_other_types_is_shown_as_far_as_it_goes),
		RUN_TEST(an_account_without_a_name_is_its_number),
		RUN_TEST(names_from_outside_cannot_command_the_terminal),
		RUN_TEST(what_has_ended_is_said_to_have),
		RUN_TEST(an_arn_stays_whole_on_40_columns),
		RUN_TEST(several_are_blocks_with_their_arns),
		RUN_TEST(none_may_mean_that_not_everything_was_read),
		RUN_TEST(pem_is_alone_on_stdout),
		RUN_TEST(what_is_no_pem_is_not_written),
		RUN_TEST(programs_get_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
