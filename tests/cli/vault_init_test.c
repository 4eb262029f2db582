#include "cli/vault_init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/temp_store.h"

enum { KEY_LEN = 32 };

static const char former_key[KEY_LEN + 1] = "0123456789abcdef0123456789ABCDEF";

struct world {
	char *folder, *path; /* PATH as it was */
	char *data_dir, *vault_dir, *former, *key_file, *drop_in_dir, *drop_in;
	struct vault_places places;
	bool is_taken_over;
};

static void write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A systemd-creds that "seals" by base64, in front of those of this host. */
static void install_tool(const struct world *world, const char *script)
{
	char *tool = temp_path(world->folder, "systemd-creds");
	write_file(tool, script, strlen(script), 0700);
	free(tool);
}

static const char seals[] = "#!/bin/sh\n"
			    "test \"$2\" = --name=acmsensor.vault-key || exit 9\n"
			    "case $1 in\n"
			    "encrypt) printf 'sealed\\n'; base64;;\n"
			    "decrypt) sed 1d \"$3\" | base64 -d;;\n"
			    "esac\n";

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	world->folder = temp_folder_new();
	world->data_dir = temp_path(world->folder, "data");
	world->vault_dir = temp_path(world->folder, "data/vault");
	world->former = temp_path(world->folder, "data/vault/master.key");
	world->key_file = temp_path(world->folder, "vault-key");
	world->drop_in_dir = temp_path(world->folder, "drop-in");
	world->drop_in = temp_path(world->folder, "drop-in/vault-key.conf");
	world->places = (struct vault_places){.data_dir = world->data_dir,
		.key_file = world->key_file,
		.drop_in_dir = world->drop_in_dir};
	assert_int_equal(mkdir(world->data_dir, 0700), 0);
	world->path = xstrdup(getenv("PATH"));
	char *path = xasprintf("%s:%s", world->folder, world->path);
	setenv("PATH", path, 1);
	free(path);
	install_tool(world, seals);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	setenv("PATH", world->path, 1);
	temp_folder_remove(world->folder);
	free(world->path);
	free(world->data_dir);
	free(world->vault_dir);
	free(world->former);
	free(world->key_file);
	free(world->drop_in_dir);
	free(world->drop_in);
	free(world);
	return 0;
}

static void make_former(const struct world *world, const void *bytes, size_t len)
{
	assert_int_equal(mkdir(world->vault_dir, 0700), 0);
	write_file(world->former, bytes, len, 0600);
}

static size_t read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t len = fread(ret, 1, size - 1, file);
	ret[len] = '\0';
	fclose(file);
	return len;
}

static void expect_mode(const char *path, mode_t mode)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static void expect_done(struct world *world, enum vault_way way)
{
	struct err err = ERR_INIT;
	if (vault_init(way, &world->places, &world->is_taken_over, &err) != 0)
		fail_msg("%s", err.text);
}

/* And nothing new is there. */
static void expect_refused(
	struct world *world, enum vault_way way, enum err_kind kind, const char *why)
{
	struct err err = ERR_INIT;
	bool had_key = access(world->key_file, F_OK) == 0;
	bool had_drop_in = access(world->drop_in, F_OK) == 0;
	assert_int_equal(vault_init(way, &world->places, &world->is_taken_over, &err), -1);
	if (err.kind != kind || strstr(err.text, why) == NULL)
		fail_msg("%s: %s", err_kind_name(err.kind), err.text);
	assert_int_equal(access(world->key_file, F_OK) == 0, had_key);
	assert_int_equal(access(world->drop_in, F_OK) == 0, had_drop_in);
}

static void systemds_version_decides(void **state)
{
	static const struct {
		const char *text;
		int way; /* -1: none */
	} version[] = {
		{"systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT\n", VAULT_SEALED},
		{"systemd 250 (250)", VAULT_SEALED},
		{"systemd 249 (249.11-0ubuntu3)", VAULT_CREDENTIAL},
		{"systemd 247", VAULT_CREDENTIAL},
		{"systemd 246 (246)", -1},
		{"systemd v252", -1},
		{"systemd ", -1},
		{"", -1},
		{"upstart 252", -1},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(version) / sizeof(version[0]); i++) {
		struct err err = ERR_INIT;
		enum vault_way way = VAULT_FILE;
		int rc = vault_way_of(version[i].text, &way, &err);
		assert_int_equal(rc, version[i].way < 0 ? -1 : 0);
		if (rc == 0)
			assert_int_equal(way, version[i].way);
		else
			assert_non_null(strstr(err.text, "acmsensor vault init --key-file FILE"));
	}
}

static void sealed_key_is_switched_on_by_a_drop_in(void **state)
{
	struct world *world = *state;
	char text[1000], expected[1000];
	expect_done(world, VAULT_SEALED);
	assert_false(world->is_taken_over);
	expect_mode(world->key_file, 0600);
	expect_mode(world->drop_in, 0644);
	read_file(world->key_file, text, sizeof(text));
	assert_memory_equal(text, "sealed\n", 7);
	assert_int_equal(strlen(text), 7 + 45); /* base64 of 32 bytes */
	read_file(world->drop_in, text, sizeof(text));
	snprintf(expected, sizeof(expected),
		"[Service]\nLoadCredentialEncrypted=acmsensor.vault-key:%s\n", world->key_file);
	assert_non_null(strstr(text, expected));
	assert_int_equal(access(world->former, F_OK), -1);
}

static void older_systemd_gets_the_key_from_a_file_of_roots(void **state)
{
	struct world *world = *state;
	char text[1000], expected[1000];
	expect_done(world, VAULT_CREDENTIAL);
	expect_mode(world->key_file, 0600);
	assert_int_equal(read_file(world->key_file, text, sizeof(text)), KEY_LEN);
	read_file(world->drop_in, text, sizeof(text));
	snprintf(expected, sizeof(expected), "[Service]\nLoadCredential=acmsensor.vault-key:%s\n",
		world->key_file);
	assert_non_null(strstr(text, expected));
}

static void a_file_alone_belongs_to_the_daemon(void **state)
{
	struct world *world = *state;
	struct stat status;
	char text[100];
	if (geteuid() == 0)
		assert_int_equal(chown(world->data_dir, 65534, 65534), 0);
	expect_done(world, VAULT_FILE);
	assert_int_equal(read_file(world->key_file, text, sizeof(text)), KEY_LEN);
	expect_mode(world->key_file, 0600);
	assert_int_equal(stat(world->key_file, &status), 0);
	assert_int_equal(status.st_uid, geteuid() == 0 ? 65534 : geteuid());
	assert_int_equal(access(world->drop_in_dir, F_OK), -1);
}

static void keys_are_not_the_same_twice(void **state)
{
	struct world *world = *state;
	char first[100], second[100];
	expect_done(world, VAULT_FILE);
	read_file(world->key_file, first, sizeof(first));
	assert_int_equal(unlink(world->key_file), 0);
	expect_done(world, VAULT_FILE);
	read_file(world->key_file, second, sizeof(second));
	assert_memory_not_equal(first, second, KEY_LEN);
}

static void the_daemons_own_key_is_taken_over_and_left(void **state)
{
	struct world *world = *state;
	char text[100];
	make_former(world, former_key, KEY_LEN);
	expect_done(world, VAULT_CREDENTIAL);
	assert_true(world->is_taken_over);
	assert_int_equal(read_file(world->key_file, text, sizeof(text)), KEY_LEN);
	assert_string_equal(text, former_key);
	read_file(world->former, text, sizeof(text));
	assert_string_equal(text, former_key);
}

static void nothing_is_ever_overwritten(void **state)
{
	struct world *world = *state;
	char text[100];
	write_file(world->key_file, "mine", 4, 0600);
	for (int way = VAULT_SEALED; way <= VAULT_FILE; way++)
		expect_refused(world, (enum vault_way)way, ERR_REFUSED, "is there already");
	read_file(world->key_file, text, sizeof(text));
	assert_string_equal(text, "mine");
	assert_int_equal(unlink(world->key_file), 0);
	assert_int_equal(symlink("/nonexistent", world->key_file), 0);
	expect_refused(world, VAULT_SEALED, ERR_REFUSED, "never overwritten");
	assert_int_equal(unlink(world->key_file), 0);
	assert_int_equal(mkdir(world->drop_in_dir, 0755), 0);
	write_file(world->drop_in, "mine", 4, 0644);
	expect_refused(world, VAULT_SEALED, ERR_REFUSED, "vault-key.conf is there already");
}

static void records_under_a_key_that_is_not_here_forbid_a_new_one(void **state)
{
	struct world *world = *state;
	char *epoch = temp_path(world->folder, "data/vault/epoch-1795219200");
	assert_int_equal(mkdir(world->vault_dir, 0700), 0);
	write_file(epoch, "sealed", 6, 0600);
	expect_refused(world, VAULT_SEALED, ERR_REFUSED, "a master key that is not here");
	write_file(world->former, former_key, KEY_LEN, 0600);
	expect_done(world, VAULT_SEALED);
	assert_true(world->is_taken_over);
	free(epoch);
}

static void what_is_no_key_is_not_taken_over(void **state)
{
	struct world *world = *state;
	make_former(world, former_key, KEY_LEN - 1);
	expect_refused(world, VAULT_SEALED, ERR_CONFIG, "master.key is no key");
	write_file(world->former, "0123456789abcdef0123456789ABCDEF0", KEY_LEN + 1, 0600);
	expect_refused(world, VAULT_SEALED, ERR_CONFIG, "master.key is no key");
	assert_int_equal(unlink(world->former), 0);
	assert_int_equal(symlink(world->folder, world->former), 0);
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM, "cannot read");
	assert_int_equal(unlink(world->former), 0);
	assert_int_equal(mkdir(world->former, 0700), 0);
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM, "cannot read");
}

static void a_key_that_cannot_be_sealed_or_opened_is_not_used(void **state)
{
	struct world *world = *state;
	install_tool(world, "#!/bin/sh\nexit 1\n");
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM,
		"the key could not be sealed: systemd-creds failed with code 1");
	install_tool(world, "#!/bin/sh\ntest $1 = encrypt && echo x\n");
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM,
		"the sealed key could not be opened again: systemd-creds failed with code 1");
	install_tool(world, "#!/bin/sh\necho 0123456789abcdef0123456789ABCDE\n");
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM,
		"the sealed key could not be opened again: it opened to something else");
}

static void without_its_drop_in_the_key_goes_again(void **state)
{
	struct world *world = *state;
	write_file(world->drop_in_dir, "a file", 6, 0600);
	expect_refused(world, VAULT_SEALED, ERR_SYSTEM, "cannot");
	world->places.drop_in_dir = "/nonexistent/drop-in";
	expect_refused(world, VAULT_CREDENTIAL, ERR_SYSTEM, "cannot make /nonexistent/drop-in");
	world->places.key_file = "/nonexistent/vault-key";
	expect_refused(world, VAULT_FILE, ERR_SYSTEM, "cannot make /nonexistent/vault-key");
}

static void expect_next(const struct world *world, enum vault_way way, bool is_taken_over,
	const char *expected, const char *absent)
{
	struct buf next;
	buf_init(&next, 4000);
	vault_init_next(way, &world->places, is_taken_over, &next);
	assert_non_null(strstr(buf_text(&next), "1. Back up the key"));
	if (strstr(buf_text(&next), expected) == NULL)
		fail_msg("%s", buf_text(&next));
	assert_null(strstr(buf_text(&next), absent));
	buf_clear(&next);
}

static void what_is_to_be_done_next_is_told(void **state)
{
	struct world *world = *state;
	world->places = (struct vault_places){.data_dir = "/data", .key_file = "/etc/key"};
	expect_next(world, VAULT_SEALED, false,
		"systemd-creds decrypt --name=acmsensor.vault-key /etc/key - | base64", "shred");
	expect_next(world, VAULT_SEALED, true, "shred -u /data/vault/master.key", "base64 /etc");
	expect_next(world, VAULT_CREDENTIAL, false, "base64 /etc/key", "sealed by");
	expect_next(world, VAULT_CREDENTIAL, false, "systemctl restart acmsensord", "shred");
	expect_next(world, VAULT_FILE, false, "vault_key_file = /etc/key", "systemctl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemds_version_decides),
		cmocka_unit_test_setup_teardown(
			sealed_key_is_switched_on_by_a_drop_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			older_systemd_gets_the_key_from_a_file_of_roots, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_alone_belongs_to_the_daemon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_not_the_same_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_daemons_own_key_is_taken_over_and_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_ever_overwritten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			records_under_a_key_that_is_not_here_forbid_a_new_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_key_is_not_taken_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_that_cannot_be_sealed_or_opened_is_not_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_its_drop_in_the_key_goes_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_to_be_done_next_is_told, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
