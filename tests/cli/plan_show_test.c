/* A plan as a person reads it: which line has which sign, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/plan_show.h"
#include "tests/cli/print_fixture.h"

static const struct cli narrow = {.terminal = {.columns = 80}, .now_s = 1764244800};

static const struct cli wide = {
	.output = OUTPUT_WIDE, .terminal = {.columns = 80}, .now_s = 1764244800};

static void shows(const char *plan, const char *part)
{
	print_fixture_shows(plan_show, &narrow, plan, part);
}

static void hides(const char *plan, const char *part)
{
	print_fixture_hides(plan_show, &narrow, plan, part);
}

static void what_stays_has_no_sign_and_what_differs_two_lines(void **state)
{
	(void)state;
	const char *plan = "{'current': {'key_algorithm': 'RSA_2048', 'issuer': 'CN=A',"
			   " 'key_usages': ['X', 'Y']},"
			   " 'new': {'key_algorithm': 'RSA_2048', 'issuer': 'CN=B',"
			   " 'key_usages': ['X']}}";
	shows(plan, "\n  Key                 RSA_2048\n"
		    "  Key usage         - X, Y\n"
		    "                    + X\n");
	shows(plan, "\n  Issuer            - CN=A\n"
		    "                    + CN=B\n");
}

static void what_one_side_lacks_is_said(void **state)
{
	(void)state;
	shows("{'current': {'key_usages': []}, 'new': {'key_usages': ['X']}}",
		"\n  Key usage         - (none)\n"
		"                    + X\n");
	shows("{'current': {'extended_key_usages': ['X']}, 'new': {}}",
		"\n  Extended usage    - X\n"
		"                    + (none)\n");
}

static void without_anything_to_replace_nothing_has_a_sign(void **state)
{
	(void)state;
	const char *plan = "{'decision': 'import', 'current': null, 'new': {'issuer': 'CN=B'},"
			   " 'names': {'added': ['a', 'b'], 'kept': [], 'lost': []},"
			   " 'tags': {'k': 'v'}}";
	shows(plan, "\nThe new certificate\n"
		    "  Names               a, b\n"
		    "  Issuer              CN=B\n"
		    "  Tags                k=v\n");
	hides(plan, " + ");
	hides(plan, " - ");
}

static void tags_are_kept_set_over_or_new(void **state)
{
	(void)state;
	shows("{'decision': 'reimport', 'current': {'tags': {'a': '1', 'b': '2', 'c': '3'}},"
	      " 'new': {}, 'tags': {'b': '9', 'c': '3', 'd': '4'}}",
		"\n  Tags                a=1\n"
		"                    - b=2\n"
		"                    + b=9\n"
		"                      c=3\n"
		"                    + d=4\n");
}

static void a_new_arn_takes_no_tags_over(void **state)
{
	(void)state;
	shows("{'decision': 'import', 'current': {'tags': {'a': '1'}}, 'new': {},"
	      " 'tags': {'b': '2'}}",
		"\n  Tags                b=2\n");
}

static void the_next_command_fits_the_state(void **state)
{
	(void)state;
	shows("{'id': 'p-1', 'decision': 'import'}",
		"\n  Next                acmsensor apply p-1 ");
	shows("{'id': 'p-1', 'decision': 'import', 'state': 'applied', 'job': 'j-1'}",
		"\n  Next                acmsensor jobs j-1\n");
	shows("{'id': 'p-1', 'decision': 'import', 'state': 'expired', 'job': ''}",
		"  Next                plan again: this one has expired\n");
	shows("{'id': 'p-1', 'decision': 'import', 'state': 'key_lost', 'job': '', 'key_escrow': "
	      "'memory'}",
		"\n  Key waited in       memory\n"
		"  Next                plan again: the daemon was restarted, and the key is lost\n");
	hides("{'id': 'p-1', 'decision': 'refuse', 'state': 'refused'}", "acmsensor apply");
	shows("{'id': 'p-1', 'decision': 'import', 'reason': 'new', 'state': 'void', 'job': ''}",
		"import              new\n  State               void\n");
	shows("{'id': 'p-1', 'decision': 'import', 'reason': 'new', 'state': 'key_lost'}",
		"import              new\n  State               its key is lost\n");
	hides("{'id': 'p-1', 'decision': 'import', 'state': 'open'}", "  State ");
}

static void rules_come_worst_first(void **state)
{
	(void)state;
	shows("{'rules': [{'verdict': 'passed', 'text': 'P'}, {'verdict': 'unconfirmed', 'text':"
	      " 'U'}, {'verdict': 'broken', 'text': '', 'name': 'b_c'}]}",
		"\nACM's rules\n"
		"  broken              b c\n"
		"  not confirmed       U\n"
		"  passed              P\n");
}

static void nothing_is_shown_of_what_is_of_another_type(void **state)
{
	(void)state;
	free(print_fixture_run(plan_show, &narrow, "{}"));
	free(print_fixture_run(plan_show, &narrow, "[]"));
	free(print_fixture_run(plan_show, &narrow,
		"{'id': 1, 'current': 'x', 'new': [], 'names': 3, 'rules': 'x', 'tags': [1],"
		" 'warnings': {}, 'rollback': [], 'verify_hosts': 'h', 'expires': []}"));
}

static const char many_users[] =
	"{'current': {'in_use_by': ['u0', 'u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'u8', 'u9', 'u10',"
	" 7]}, 'new': {'signature_algorithm': 'S', 'fingerprint_sha256': 'F'},"
	" 'bindings_to_move': ['b0']}";

static void of_many_users_ten_are_shown(void **state)
{
	(void)state;
	shows(many_users, "\n  Used by             u0\n                      u1\n");
	shows(many_users, "\n                      u9\n"
			  "                      and 2 more: -o wide shows them\n");
	shows(many_users, "\n  To be moved         b0\n");
	hides(many_users, "u10");
	print_fixture_shows(plan_show, &wide, many_users, "\n                      u10\n");
	print_fixture_hides(plan_show, &wide, many_users, "more");
}

static void hashes_are_for_who_wants_it_wide(void **state)
{
	(void)state;
	hides(many_users, "Signature");
	print_fixture_shows(plan_show, &wide, many_users,
		"\n  Signature         - (none)\n                    + S\n");
	print_fixture_shows(plan_show, &wide, many_users,
		"\n  SHA-256           - (none)\n                    + F\n");
}

static void chains_are_compared_certificate_by_certificate(void **state)
{
	(void)state;
	shows("{'current': {'chain': ['CN=Old', 'CN=Root']}, 'new': {'chain': ['CN=New', 'CN=Root']}}",
		"\n  Chain             - CN=Old\n"
		"                    + CN=New\n"
		"                      CN=Root\n");
	/* A daemon of before told nothing of the chain that is there. */
	shows("{'current': {}, 'new': {'chain': ['CN=New', 5]}}",
		"\n  Chain               CN=New\n");
}

static void dates_are_compared(void **state)
{
	(void)state;
	shows("{'current': {'not_after': '2026-11-21T00:00:00Z'}, 'new': {}}",
		"\n  Valid until       - in 358 days (2026-11-21 00:00:00Z)\n"
		"                    + (none)\n");
	shows("{'current': {}, 'new': {'not_after': '2026-11-21T00:00:00Z'}}",
		"\n  Valid until         in 358 days (2026-11-21 00:00:00Z)\n");
}

static void warnings_and_notes_stand_under_their_titles_in_words(void **state)
{
	(void)state;
	shows("{'warnings': [{'name': 'names_lost', 'text': 'W'}], 'notes': [{'name': 'bundle',"
	      " 'text': 'N'}]}",
		"\nWarnings\n  names lost          W\n");
	shows("{'notes': [{'name': 'bundle', 'text': 'N'}]}",
		"\nPut right in what was given\n  note                N\n");
	hides("{'warnings': [], 'notes': []}", "Warnings");
}

static void the_way_back_is_told(void **state)
{
	(void)state;
	shows("{'rollback': {'possible': true, 'reason': 'R'}}",
		"\nRollback\n  possible            R\n");
	shows("{'auto_rollback': true, 'rollback': {'possible': true, 'reason': 'R'}}",
		"\nRollback\n  possible            R\n  automatic           when ACM holds neither");
	hides("{'auto_rollback': true, 'rollback': {'possible': false, 'reason': 'R'}}",
		"automatic");
	hides("{'auto_rollback': false}", "automatic");
}

static void where_the_key_waits_and_who_is_asked_is_told(void **state)
{
	(void)state;
	shows("{'key_escrow': 'sensor', 'verify_hosts': ['a:443', 5, 'b:443'], 'decision': 'refuse'}",
		"\n  Key waits in        sensor\n"
		"  Verified at         a:443, , b:443\n"
		"  Next                nothing: a refused plan cannot be applied\n");
	shows("{'state': 'void'}",
		"  Next                plan again: this one is void, what ACM holds changed\n");
	shows("{'decision': 'import', 'reason': ''}",
		"import              (no reason was given)\n");
	shows("{'decision': 'reimport', 'reason': 'it fits'}", "reimport            it fits\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_has_no_sign_and_what_differs_two_lines),
		cmocka_unit_test(what_one_side_lacks_is_said),
		cmocka_unit_test(without_anything_to_replace_nothing_has_a_sign),
		cmocka_unit_test(tags_are_kept_set_over_or_new),
		cmocka_unit_test(a_new_arn_takes_no_tags_over),
		cmocka_unit_test(the_next_command_fits_the_state),
		cmocka_unit_test(rules_come_worst_first),
		cmocka_unit_test(of_many_users_ten_are_shown),
		cmocka_unit_test(hashes_are_for_who_wants_it_wide),
		cmocka_unit_test(chains_are_compared_certificate_by_certificate),
		cmocka_unit_test(dates_are_compared),
		cmocka_unit_test(warnings_and_notes_stand_under_their_titles_in_words),
		cmocka_unit_test(the_way_back_is_told),
		cmocka_unit_test(where_the_key_waits_and_who_is_asked_is_told),
		cmocka_unit_test(nothing_is_shown_of_what_is_of_another_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
