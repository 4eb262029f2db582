/* Certificates, keys and passphrases from files: what is taken, what is refused, what is warned of. */
#include "cli/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "tests/cli/folder_fixture.h"

static int notes;
void cli_note(const char *format, ...)
{
	(void)format;
	notes++;
}

static void only_the_first_line_of_a_passphrase_counts(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} file[] = {{"a b\n", "a b"}, {"a b", "a b"}, {"a\r\nsecond\n", "a"}, {"\n", NULL},
		{"\xff\n", NULL}, {" \n", " "}};
	(void)state;
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		struct buf phrase;
		struct err err = ERR_INIT;
		folder_write("phrase", file[i].text, strlen(file[i].text), 0600);
		buf_init_secret(&phrase, 4096);
		int rc = files_read_passphrase("phrase", &phrase, &err);
		assert_int_equal(rc, file[i].expected != NULL ? 0 : -1);
		if (rc == 0)
			assert_string_equal(buf_text(&phrase), file[i].expected);
		else
			assert_int_equal(err.kind, ERR_CONFIG);
		buf_clear(&phrase);
	}
}

/* A file of its own each time: that of before may have been warned of. */
static int read_text(const char *text, size_t len, unsigned mode, bool is_key, struct err *err)
{
	static char name[16];
	static unsigned number;
	struct buf to;
	snprintf(name, sizeof(name), "key%u", number++);
	folder_write(name, text, len, mode);
	buf_init_secret(&to, 64);
	notes = 0;
	int rc = files_read_pem(name, "--key", is_key, &to, err);
	if (rc == 0)
		assert_int_equal(to.len, len);
	buf_clear(&to);
	return rc;
}

static void files_are_text_within_their_limit(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char text[66];
	memset(text, 'x', sizeof(text));
	assert_int_equal(read_text(text, 64, 0600, true, &err), 0);
	assert_int_equal(read_text(text, 65, 0600, true, &err), -1);
	assert_string_equal(err.text, "--key key1: larger than 64 bytes");
	assert_int_equal(read_text("", 0, 0600, true, &err), -1);
	assert_string_equal(err.text, "--key key2: it is empty");
	assert_int_equal(read_text("a\0b", 3, 0600, true, &err), -1);
	assert_string_equal(err.text,
		"--key key3: expected PEM, which is text, or DER; a PKCS#12 file is given with "
		"--pkcs12");
	assert_int_equal(read_text("\x81\x82", 2, 0600, true, &err), -1);
	assert_int_equal(read_text("\xff\xfe-\0", 4, 0600, true, &err), -1);
	assert_string_equal(err.text,
		"--key key5: it is text in UTF-16, as Windows calls Unicode: save it as UTF-8");
	assert_int_equal(read_text("\xfe\xff\0-", 4, 0600, true, &err), -1);
	assert_non_null(strstr(err.text, "UTF-16"));
}

static void der_is_not_text(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf bytes;
	assert_int_equal(read_text("\x30\x82", 2, 0600, true, &err), 0);
	buf_init(&bytes, 64);
	buf_add(&bytes, "0\x2e\0", 3);
	assert_false(files_is_text(&bytes));
	buf_reset(&bytes);
	buf_add_text(&bytes, "0\x82");
	assert_false(files_is_text(&bytes));
	buf_reset(&bytes);
	buf_add_text(&bytes, "\xef\xbb\xbf-----BEGIN");
	assert_true(files_is_text(&bytes));
	buf_clear(&bytes);
}

static void a_key_that_others_can_read_is_warned_of(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	const char *key = "-----BEGIN EC PRIVATE KEY-----\n";
	static const struct {
		unsigned mode;
		int notes;
	} as_key[] = {{0600, 0}, {0400, 0}, {0640, 1}, {0604, 1}, {0622, 0}};
	for (size_t i = 0; i < sizeof(as_key) / sizeof(as_key[0]); i++) {
		assert_int_equal(read_text("x", 1, as_key[i].mode, true, &err), 0);
		assert_int_equal(notes, as_key[i].notes);
	}
	assert_int_equal(read_text("x", 1, 0644, false, &err), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(read_text(key, strlen(key), 0644, false, &err), 0);
	assert_int_equal(notes, 1);
}

/* Certificate and key in one file: it is named twice. */
static void a_file_is_warned_of_once(void **state)
{
	(void)state;
	folder_write("both", "x", 1, 0644);
	folder_write("other", "x", 1, 0644);
	notes = 0;
	for (int i = 0; i < 2; i++) {
		struct buf to;
		struct err err = ERR_INIT;
		buf_init_secret(&to, 64);
		assert_int_equal(files_read("both", "--key", true, &to, &err), 0);
		buf_clear(&to);
		assert_int_equal(notes, 1);
	}
	struct buf to;
	struct err err = ERR_INIT;
	buf_init_secret(&to, 64);
	assert_int_equal(files_read("other", "--key", true, &to, &err), 0);
	buf_clear(&to);
	assert_int_equal(notes, 2);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	struct buf to;
	struct err err = ERR_INIT;
	buf_init_secret(&to, 64);
	assert_int_equal(files_read("none", "--key", true, &to, &err), -1);
	assert_string_equal(err.text, "--key none: No such file or directory");
	assert_int_equal(files_read(".", "--key", true, &to, &err), -1);
	assert_string_equal(err.text, "--key .: Is a directory");
	buf_clear(&to);
}

static void a_long_passphrase_is_refused(void **state)
{
	(void)state;
	struct buf phrase;
	struct err err = ERR_INIT;
	char text[PASSPHRASE_MAX + 2];
	memset(text, 'x', sizeof(text));
	for (size_t len = PASSPHRASE_MAX; len <= PASSPHRASE_MAX + 1; len++) {
		folder_write("phrase", text, len, 0600);
		buf_init_secret(&phrase, 4 * sizeof(text));
		assert_int_equal(files_read_passphrase("phrase", &phrase, &err),
			len == PASSPHRASE_MAX ? 0 : -1);
		buf_clear(&phrase);
	}
	assert_non_null(strstr(err.text, "expected UTF-8 text of at most"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_first_line_of_a_passphrase_counts),
		cmocka_unit_test(files_are_text_within_their_limit),
		cmocka_unit_test(der_is_not_text),
		cmocka_unit_test(a_key_that_others_can_read_is_warned_of),
		cmocka_unit_test(a_file_is_warned_of_once),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(a_long_passphrase_is_refused),
	};
	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
