/* acmsensor plan: exit codes, and a passphrase that is asked for when the daemon says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cli/files.h"
#include "tests/cli/run_cli.h"

#define LINE "plan --account 111122223333 --region eu-west-1 --cert c --key k"

/* --- files, in place of cli/files.c: each holds its name -------------------------------------- */

static const char *typed; /* the next passphrase; NULL: there is no terminal */
static int asked;
static size_t file_len; /* 0: its name */

int files_read_pem(
	const char *path, const char *option, bool is_key, struct buf *to, struct err *err)
{
	(void)option, (void)is_key;
	if (strcmp(path, "missing") == 0)
		return err_set(err, ERR_CONFIG, "--cert missing: no such file");
	buf_add_text(to, path);
	for (size_t i = 0; i < file_len; i++)
		buf_add_char(to, '\n'); /* two bytes of JSON */
	return 0;
}

int files_read(const char *path, const char *option, bool is_key, struct buf *to, struct err *err)
{
	return files_read_pem(path, option, is_key, to, err);
}

bool files_is_text(const struct buf *bytes)
{
	(void)bytes;
	return true;
}

int files_read_passphrase(const char *path, struct buf *to, struct err *err)
{
	return files_read_pem(path, "", true, to, err);
}

int files_ask_passphrase(const char *prompt, struct buf *to, struct err *err)
{
	asked++;
	assert_string_equal(prompt, "Passphrase of the key: ");
	if (typed == NULL)
		return err_set(err, ERR_CONFIG, "there is no terminal to ask at");
	assert_int_equal(to->len, 0); /* nothing of the one before */
	buf_add_text(to, typed);
	return 0;
}

static int begin(void **state)
{
	typed = NULL;
	asked = 0;
	file_len = 0;
	return run_begin(state);
}

#define PLAN_TEST(test) cmocka_unit_test_setup_teardown(test, begin, run_end)

/* --- the answer ------------------------------------------------------------------------------- */

static void a_decision_has_its_exit_code(void **state)
{
	(void)state;
	static const struct {
		const char *plan;
		int code;
	} cases[] = {
		{"{'decision': 'import'}", EXIT_DONE},
		{"{'decision': 'reimport', 'warnings': []}", EXIT_DONE},
		{"{'decision': 'reimport', 'warnings': [{'text': 'x'}]}", EXIT_WARNINGS},
		{"{'decision': 'refuse', 'warnings': []}", EXIT_FAILED},
		{"{'decision': 'of a newer daemon'}", EXIT_FAILED},
		{"{}", EXIT_FAILED},
	};
	static const char *const lines[] = {LINE, LINE " -o csv", LINE " -o json"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_answerf("{'plan': %s}", cases[i].plan);
		run_is(lines[i % 3], cases[i].code, NULL, "");
	}
}

static void an_answer_without_a_plan_is_an_error(void **state)
{
	(void)state;
	static const char *const answers[] = {"{}", "{'plan': null}", "{'plan': [1]}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is(LINE, EXIT_FAILED, "",
			"acmsensor: answer of the daemon: there is no plan in it\n");
	}
}

static void what_was_read_is_sent_and_cannot_be_looked_at(void **state)
{
	(void)state;
	run_answer("{'plan': {'decision': 'import'}}");
	run_is(LINE " --passphrase-file p", EXIT_DONE, NULL, "");
	assert_string_equal(run_asked(),
		"post /v1/plan {\"connector\":\"\",\"account\":\"111122223333\","
		"\"region\":\"eu-west-1\",\"tags\":{},\"verify_hosts\":[],\"certificate\":\"c\","
		"\"key\":\"k\",\"passphrase\":\"p\"}\n");
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

static void a_mistake_is_said_before_anything_is_sent(void **state)
{
	(void)state;
	run_is("plan --account 1 --region r --cert c", EXIT_USAGE, "",
		"acmsensor: --account 1: expected 12 digits\n");
	run_is("plan --account 111122223333 --region eu-west-1 --cert missing --key k", EXIT_USAGE,
		"", "acmsensor: --cert missing: no such file\n");
	file_len = 2000000; /* each may be so long, together they may not */
	run_line(LINE " --chain a");
	assert_int_equal(run_code(), EXIT_USAGE);
	assert_non_null(strstr(
		run_err(), "acmsensor: the request, certificate and chain in it, is larger than "));
	assert_string_equal(run_asked(), "");
}

/* --- the passphrase --------------------------------------------------------------------------- */

static void a_passphrase_is_asked_for_when_the_key_needs_one(void **state)
{
	(void)state;
	typed = "secret";
	run_refuse(ERR_CONFIG, "passphrase", "the key needs a passphrase");
	run_answer("{'plan': {'decision': 'import'}}");
	run_is(LINE, EXIT_DONE, NULL, "");
	assert_int_equal(asked, 1);
	assert_non_null(strstr(run_asked(), "\"passphrase\":\"secret\"}\n"));
}

static void after_three_wrong_ones_it_ends(void **state)
{
	(void)state;
	typed = "wrong";
	run_refuse(ERR_CONFIG, "passphrase", "the key needs a passphrase");
	run_refuse(ERR_CONFIG, "passphrase", "it is another one");
	run_refuse(ERR_CONFIG, "passphrase", "it is another one");
	run_refuse(ERR_CONFIG, "passphrase", "it is another one!");
	run_is(LINE, EXIT_USAGE, "",
		"acmsensor: it is another one\nacmsensor: it is another one\n"
		"acmsensor: it is another one!\n");
	assert_int_equal(asked, 3);
}

static void nobody_is_asked_who_gave_a_file_or_has_no_terminal(void **state)
{
	(void)state;
	typed = "secret";
	run_refuse(ERR_CONFIG, "passphrase", "it is another one");
	run_is(LINE " --passphrase-file p", EXIT_USAGE, "", "acmsensor: it is another one\n");
	run_refuse(ERR_CONFIG, "other", "no");
	run_is(LINE, EXIT_USAGE, "", "acmsensor: no\n");
	assert_int_equal(asked, 0);
	typed = NULL;
	run_refuse(ERR_CONFIG, "passphrase", "the key needs a passphrase");
	run_is(LINE, EXIT_USAGE, "", "acmsensor: there is no terminal to ask at\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN_TEST(a_decision_has_its_exit_code),
		PLAN_TEST(an_answer_without_a_plan_is_an_error),
		PLAN_TEST(what_was_read_is_sent_and_cannot_be_looked_at),
		PLAN_TEST(a_mistake_is_said_before_anything_is_sent),
		PLAN_TEST(a_passphrase_is_asked_for_when_the_key_needs_one),
		PLAN_TEST(after_three_wrong_ones_it_ends),
		PLAN_TEST(nobody_is_asked_who_gave_a_file_or_has_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
