/* acmsensor accounts: rows in any order become a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define ACCOUNT(connector, id, name, unit)                                                         \
	"{'connector': '" connector "', 'account_id': '" id "', 'name': '" name                    \
	"', 'unit_path': '" unit "', 'certificates': 3, 'state': 'ACTIVE',"                        \
	" 'last_success': '2026-11-21T00:00:00Z', 'coverage': {'ok': 2}}"

static void accounts_hang_below_their_units(void **state)
{
	(void)state;
	run_answer("[" ACCOUNT("c", "3", "web", "Root/Web") "," ACCOUNT(
		"c", "2", "Alpha", "Root") "," ACCOUNT("c", "5", "Beta", "Root") "," ACCOUNT("c",
		"1", "alpha", "Root") "," ACCOUNT("c", "4", "", "Root") "]");
	run_is("accounts", EXIT_DONE,
		"UNIT / ACCOUNT  ID  CERTS  REGIONS\n"
		"Root\n"
		"├─ 4            4       3  2 read\n"
		"├─ Alpha        2       3  2 read\n"
		"├─ alpha        1       3  2 read\n"
		"├─ Beta         5       3  2 read\n"
		"└─ Web\n"
		"   └─ web       3       3  2 read\n",
		"");
	assert_string_equal(run_asked(), "rows 2\n");
}

static void several_connectors_are_trees_of_their_own(void **state)
{
	(void)state;
	run_answer("[" ACCOUNT("two", "2", "b", "Root") "," ACCOUNT("one", "1", "a", "") "]");
	run_is("accounts", EXIT_DONE, NULL, "");
	run_shows("one");
	run_shows("two");
	assert_true(strstr(run_out(), "one") < strstr(run_out(), "two"));
	run_answer("[" ACCOUNT("one", "1", "a", "Root") "]");
	run_is("accounts --connector one", EXIT_DONE, NULL, "");
	run_hides("one");
	assert_string_equal(run_asked(), "rows 2 connector=one\n");
}

static void an_account_that_was_never_read_has_no_count(void **state)
{
	(void)state;
	run_answer("[{'connector': 'c', 'account_id': '1', 'certificates': 0,"
		   " 'coverage': {'denied': 1}}, {}, 7]");
	run_is("accounts -o wide", EXIT_DONE, NULL, "");
	run_shows("c\n└─ 1            1       -  1 denied       never\n");
	run_shows("\n├─                      -  not tried yet  never\n");
}

static void names_from_outside_cannot_command_the_terminal(void **state)
{
	(void)state;
	run_terminal = (struct terminal){.is_tty = true, .columns = 40};
	run_answer("[" ACCOUNT("c", "1", "\\u001b[2J", "Root/\\u0007\\u202e/x") "]");
	run_is("accounts", EXIT_DONE, NULL, "");
	run_shows("\\x1b[2J");
	for (const char *at = run_out(); *at != '\0'; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at <= '~')); /* no UTF-8 here */
}

static void no_account_says_where_to_look(void **state)
{
	(void)state;
	run_answer("[]");
	run_is("accounts --offline /d", EXIT_DONE, "",
		"acmsensor: no accounts are known yet; `acmsensor --offline /d status` tells "
		"whether a cycle has run\n");
	run_refuse(ERR_STORE, "", "damaged");
	run_is("accounts", EXIT_FAILED, "", "acmsensor: damaged\n");
}

static void programs_get_rows(void **state)
{
	(void)state;
	run_answer("{'accounts': [], 'units': []}");
	run_is("accounts -o json", EXIT_DONE, "{\"accounts\":[],\"units\":[]}", "");
	run_answer("[{'account_id': '1', 'coverage': {'ok': 2, 'denied': 1}}]");
	run_is("accounts -o csv", EXIT_DONE, "account_id,coverage\r\n1,ok=2;denied=1\r\n", "");
	run_refuse(ERR_PROTOCOL, "", "broke off");
	run_is("accounts -o csv", EXIT_FAILED, "", "acmsensor: broke off\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(accounts_hang_below_their_units),
		RUN_TEST(several_connectors_are_trees_of_their_own),
		RUN_TEST(an_account_that_was_never_read_has_no_count),
		RUN_TEST(names_from_outside_cannot_command_the_terminal),
		RUN_TEST(no_account_says_where_to_look),
		RUN_TEST(programs_get_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
