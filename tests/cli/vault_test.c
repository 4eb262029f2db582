/* acmsensor vault init: which way is taken on which host; vault_init_test.c has the ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cli/tool.h"
#include "cli/vault_init.h"
#include "tests/cli/run_cli.h"

/* --- the host, in place of cli/tool.c and cli/vault_init.c ------------------------------------ */

static struct {
	const char *version; /* of systemctl; NULL: there is none */
	bool is_booted, reload_fails, init_fails;
	uid_t uid;
	enum vault_way way;
	char key_file[64], data_dir[64];
	int inits;
} host;

uid_t geteuid(void)
{
	return host.uid;
}

int access(const char *path, int mode)
{
	assert_string_equal(path, "/run/systemd/system");
	assert_int_equal(mode, F_OK);
	return host.is_booted ? 0 : -1;
}

int tool_run(
	const char *const *argv, const void *input, size_t len, struct buf *output, struct err *err)
{
	(void)input, (void)len;
	assert_string_equal(argv[0], "systemctl");
	if (strcmp(argv[1], "daemon-reload") == 0)
		return host.reload_fails ? err_set(err, ERR_SYSTEM, "systemctl ended with 1") : 0;
	if (host.version == NULL)
		return err_set(err, ERR_NOT_FOUND, "there is no systemctl");
	buf_add_text(output, host.version);
	return 0;
}

int vault_way_of(const char *version, enum vault_way *ret_way, struct err *err)
{
	if (strcmp(version, "old") == 0)
		return err_set(err, ERR_CONFIG, "systemd is too old");
	*ret_way = strcmp(version, "new") == 0 ? VAULT_SEALED : VAULT_CREDENTIAL;
	return 0;
}

int vault_init(enum vault_way way, const struct vault_places *places, bool *ret_is_taken_over,
	struct err *err)
{
	host.inits++;
	host.way = way;
	strncpy(host.key_file, places->key_file, sizeof(host.key_file) - 1);
	strncpy(host.data_dir, places->data_dir, sizeof(host.data_dir) - 1);
	if (host.init_fails)
		return err_set(err, ERR_REFUSED, "there is a key already");
	*ret_is_taken_over = true;
	return 0;
}

void vault_init_next(
	enum vault_way way, const struct vault_places *places, bool is_taken_over, struct buf *to)
{
	assert_int_equal(way, host.way);
	buf_addf(to, "next %s %d\n", places->key_file, is_taken_over);
}

static int begin(void **state)
{
	memset(&host, 0, sizeof(host));
	host.version = "new";
	return run_begin(state);
}

#define VAULT_TEST(test) cmocka_unit_test_setup_teardown(test, begin, run_end)

/* ---------------------------------------------------------------------------------------------- */

static void systemd_says_which_way(void **state)
{
	(void)state;
	run_is("vault init", EXIT_DONE, "next /etc/acmsensor/vault-key.sealed 1\n", "");
	assert_int_equal(host.way, VAULT_SEALED);
	assert_string_equal(host.data_dir, "/var/lib/acmsensor");
	host.version = "older";
	run_is("vault init --offline /d", EXIT_DONE, "next /etc/acmsensor/vault-key 1\n", "");
	assert_int_equal(host.way, VAULT_CREDENTIAL);
	assert_string_equal(host.data_dir, "/d");
}

static void a_file_needs_no_systemd_and_no_root(void **state)
{
	(void)state;
	host.version = NULL;
	host.uid = 7;
	run_is("vault init --key-file /k", EXIT_DONE, "next /k 1\n", "");
	assert_int_equal(host.way, VAULT_FILE);
	run_is("vault init --key-file k", EXIT_USAGE, "",
		"acmsensor: --key-file k: expected an absolute path\n");
	assert_int_equal(host.inits, 1);
}

static void what_is_missing_is_said_before_anything_is_made(void **state)
{
	(void)state;
	run_is("vault close", EXIT_USAGE, "", "acmsensor: vault: \"close\" is not init\n");
	host.uid = 7;
	run_is("vault init", EXIT_USAGE, "",
		"acmsensor: this takes root: it writes to /etc/acmsensor and "
		"/etc/systemd/system/acmsensord.service.d\n");
	host.uid = 0;
	host.version = "old";
	run_is("vault init", EXIT_USAGE, "", "acmsensor: systemd is too old\n");
	host.version = NULL;
	run_is("vault init", EXIT_USAGE, "",
		"acmsensor: there is no systemd on this host: acmsensor vault init --key-file "
		"FILE\n");
	assert_int_equal(host.inits, 0);
	host.version = "new";
	host.init_fails = true;
	run_is("vault init", EXIT_FAILED, "", "acmsensor: there is a key already\n");
}

static void a_systemd_that_is_not_told_is_a_warning(void **state)
{
	(void)state;
	host.is_booted = true;
	run_is("vault init", EXIT_DONE, NULL, "");
	host.reload_fails = true;
	run_is("vault init", EXIT_WARNINGS, NULL,
		"acmsensor: systemctl ended with 1; before the restart: systemctl daemon-reload\n");
	run_is("vault init --key-file /k", EXIT_DONE, NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(systemd_says_which_way),
		VAULT_TEST(a_file_needs_no_systemd_and_no_root),
		VAULT_TEST(what_is_missing_is_said_before_anything_is_made),
		VAULT_TEST(a_systemd_that_is_not_told_is_a_warning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
