/* Entries are collected as text, one a line: "line:column[:value column] section|key|value". */
#include "base/ini.h"

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
#include "base/text.h"

struct seen {
	struct buf text;
	int fail_at; /* the entry that fails, from 1; 0: none */
	int fail_with;
	int count;
};

static int take_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	struct seen *seen = arg;
	assert_string_equal(place->file, "x.conf");
	assert_non_null(section);
	assert_true((key == NULL) == (value == NULL));
	buf_addf(&seen->text, "%d:%d", place->line, place->column);
	if (key != NULL)
		buf_addf(&seen->text, ":%d %s|%s|", place->value_column, section, key);
	else
		buf_addf(&seen->text, " [%s]", section);
	text_escape(
		&seen->text, value != NULL ? value : "", value != NULL ? strlen(value) : 0, 100);
	buf_add_char(&seen->text, '\n');
	if (++seen->count != seen->fail_at)
		return 0;
	err_set(err, ERR_DENIED, "no");
	return seen->fail_with;
}

static int parse(
	enum ini_dialect dialect, const char *text, size_t len, struct seen *seen, struct err *err)
{
	buf_init(&seen->text, 10000000);
	return ini_parse(dialect, "x.conf", text, len, take_entry, seen, err);
}

static void check(enum ini_dialect dialect, const char *text, const char *expected)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;
	if (parse(dialect, text, strlen(text), &seen, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(buf_text(&seen.text), expected);
	buf_clear(&seen.text);
}

static void check_both(const char *text, const char *expected)
{
	check(INI_OURS, text, expected);
	check(INI_AWS, text, expected);
}

static void check_refused(
	enum ini_dialect dialect, const char *text, size_t len, const char *expected)
{
	struct seen seen = {0};
	struct err err = ERR_INIT;
	assert_int_equal(parse(dialect, text, len, &seen, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, expected);
	buf_clear(&seen.text);
}

static void check_both_refused(const char *text, const char *expected)
{
	check_refused(INI_OURS, text, strlen(text), expected);
	check_refused(INI_AWS, text, strlen(text), expected);
}

static void sections_and_properties(void **state)
{
	(void)state;
	check_both("", "");
	check_both("\n\n  \n\t\n", "");
	check_both("[a]\nk=v\n", "1:1 [a]\n2:1:3 a|k|v\n");
	check_both("[connector prod]\nkey = two words\n[ b ]\nk2\t=\tv2",
		"1:1 [connector prod]\n2:1:7 connector prod|key|two words\n3:1 [b]\n"
		"4:1:6 b|k2|v2\n");
	check_both("[a]\nk = v = w\n", "1:1 [a]\n2:1:5 a|k|v = w\n");
	check_both("[a]\nk = \"quoted\"  \n", "1:1 [a]\n2:1:5 a|k|\\\"quoted\\\"\n");
	check_both("[a]\nk = 1\nk = 2\n[a]\nk = 3\n",
		"1:1 [a]\n2:1:5 a|k|1\n3:1:5 a|k|2\n4:1 [a]\n5:1:5 a|k|3\n");
	check_both("[p \xc3\xa4]\nk = \xe6\x97\xa5\n",
		"1:1 [p \xc3\xa4]\n2:1:5 p \xc3\xa4|k|\xe6\x97\xa5\n");
}

static void empty_values(void **state)
{
	(void)state;
	check_both("[a]\nk =\nl = \nm=", "1:1 [a]\n2:1:4 a|k|\n3:1:4 a|l|\n4:1:3 a|m|\n");
	check_both("[a]\nk =    ; comment\n", "1:1 [a]\n2:1:8 a|k|\n");
}

static void comments(void **state)
{
	(void)state;
	check_both("# c\n; c\n[a] # c\n[b]; c\n[c]#c\n", "3:1 [a]\n4:1 [b]\n5:1 [c]\n");
	check_both("[a]\nk = v ; c\nl = v\t# c\nm = v;w#x\nn =;x\no = #c\n",
		"1:1 [a]\n2:1:5 a|k|v\n3:1:5 a|l|v\n4:1:5 a|m|v;w#x\n5:1:4 a|n|;x\n6:1:5 a|o|\n");
	check_both("[a]\nk = v\n  # indented\n\t; too\n", "1:1 [a]\n2:1:5 a|k|v\n");
}

static void windows_line_ends_and_byte_order_mark(void **state)
{
	(void)state;
	check_both("\xef\xbb\xbf[a]\r\nk = v\r\n\r\nl =\r\n", "1:1 [a]\n2:1:5 a|k|v\n4:1:4 a|l|\n");
	check_both("\xef\xbb\xbf", "");
}

static void broken_lines_are_refused_with_their_place(void **state)
{
	(void)state;
	check_both_refused("k = v\n", "x.conf:1:1: a property before the first section");
	check_both_refused("[a\n", "x.conf:1:1: a section header without \"]\"");
	check_both_refused("[a]\n[]\n", "x.conf:2:1: a section header without a name");
	check_both_refused("[ \t]\n", "x.conf:1:1: a section header without a name");
	check_both_refused("[a]  b\n", "x.conf:1:6: text behind a section header");
	check_both_refused(
		"[a]\n\nword\n", "x.conf:3:1: expected \"key = value\" or \"[section]\"");
	check_both_refused("[a]\n= v\n", "x.conf:2:1: a property without a key");
}

static void bytes_that_are_no_text_are_refused_with_their_place(void **state)
{
	(void)state;
	static const char with_nul[] = "[a]\nk = \0v\n";
	check_refused(INI_OURS, with_nul, sizeof(with_nul) - 1, "x.conf:2:5: a NUL byte");
	check_refused(INI_AWS, with_nul, sizeof(with_nul) - 1, "x.conf:2:5: a NUL byte");
	check_both_refused("[a]\nk = \xc3\xa4\xff\n", "x.conf:2:7: invalid UTF-8");
	check_both_refused("# \xc3\n", "x.conf:1:3: invalid UTF-8"); /* in comments too */
}

static void our_dialect_refuses_indented_lines(void **state)
{
	(void)state;
	static const char text[] = "[a]\nk = v\n  l = w\n";
	check_refused(
		INI_OURS, text, strlen(text), "x.conf:3:1: a line must not begin with a blank");
	check_refused(INI_OURS, " [a]\n", 5, "x.conf:1:1: a line must not begin with a blank");
}

static void aws_dialect_continues_values(void **state)
{
	(void)state;
	check(INI_AWS, "[a]\nk = v\n  w # kept\n\n\t[x]\n  y = z\nl = m\n",
		"1:1 [a]\n2:1:5 a|k|v\\nw # kept\\n[x]\\ny = z\n7:1:5 a|l|m\n");
	check(INI_AWS, "[a]\nk = v\n  w", "1:1 [a]\n2:1:5 a|k|v\\nw\n");
}

static void aws_dialect_has_sub_properties(void **state)
{
	(void)state;
	check(INI_AWS,
		"[services lab]\nacm =\n  endpoint_url = https://acm.example # c\n  other =\n"
		"sts = \n\n\tendpoint_url=https://sts.example\nplain = v\n",
		"1:1 [services lab]\n2:1:6 services lab|acm|\n"
		"3:3:18 services lab|acm.endpoint_url|https://acm.example\n"
		"4:3:10 services lab|acm.other|\n5:1:6 services lab|sts|\n"
		"7:2:15 services lab|sts.endpoint_url|https://sts.example\n"
		"8:1:9 services lab|plain|v\n");
	static const char wrong[] = "[a]\ns3 =\n  word\n";
	check_refused(INI_AWS, wrong, strlen(wrong),
		"x.conf:3:3: expected \"key = value\" or \"[section]\"");
}

static void aws_dialect_takes_indented_lines_that_continue_nothing(void **state)
{
	(void)state;
	check(INI_AWS, "  [a]\n  k = v\n", "1:3 [a]\n2:3:7 a|k|v\n");
	check(INI_AWS, "[a]\nk =\n  s = 1\n[b]\n  l = 2\n",
		"1:1 [a]\n2:1:4 a|k|\n3:3:7 a|k.s|1\n4:1 [b]\n5:3:7 b|l|2\n");
}

static void failing_entry_ends_it_with_its_place(void **state)
{
	(void)state;
	static const char text[] = "[a]\nk = v\nl = w\n[b]\n";
	static const char with_parent[] = "[a]\ns3 =\n k = v\n";
	static const struct {
		int at, with;
		const char *expected;
	} known[] = {
		{1, -1, "x.conf:1:1: no"},
		{2, -1, "x.conf:2:1: no"},
		{2, INI_VALUE_AT_FAULT, "x.conf:2:5: no"},
		{3, INI_VALUE_AT_FAULT, "x.conf:3:5: no"},
		{4, -1, "x.conf:4:1: no"},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (int dialect = INI_OURS; dialect <= INI_AWS; dialect++) {
			struct seen seen = {.fail_at = known[i].at, .fail_with = known[i].with};
			struct err err = ERR_INIT;
			assert_int_equal(
				parse((enum ini_dialect)dialect, text, strlen(text), &seen, &err),
				-1);
			assert_int_equal(err.kind, ERR_DENIED);
			assert_string_equal(err.text, known[i].expected);
			assert_int_equal(seen.count, known[i].at);
			buf_clear(&seen.text);
		}
	}
	for (int at = 2; at <= 3; at++) {
		struct seen seen = {.fail_at = at, .fail_with = -1};
		struct err err = ERR_INIT;
		assert_int_equal(parse(INI_AWS, with_parent, strlen(with_parent), &seen, &err), -1);
		assert_string_equal(err.text, at == 2 ? "x.conf:2:1: no" : "x.conf:3:2: no");
		buf_clear(&seen.text);
	}
}

static char *filled(const char *before, char fill, size_t count, size_t *ret_len)
{
	size_t before_len = strlen(before);
	char *text = xmalloc(before_len + count);
	memcpy(text, before, before_len);
	memset(text + before_len, fill, count);
	*ret_len = before_len + count;
	return text;
}

static void longest_line_passes_and_a_longer_one_does_not(void **state)
{
	(void)state;
	struct seen seen = {0};
	struct err err = ERR_INIT;
	size_t len = 0;
	char *text = filled("[a]\nk=", 'v', INI_LINE_MAX - 2, &len);
	assert_int_equal(parse(INI_OURS, text, len, &seen, &err), 0);
	assert_int_equal(seen.count, 2);
	buf_clear(&seen.text);
	free(text);
	text = filled("[a]\nk=", 'v', INI_LINE_MAX - 1, &len);
	check_refused(INI_OURS, text, len, "x.conf:2:262145: a line of more than 262144 bytes");
	free(text);
}

static void longest_keys_below_the_longest_parent(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, INI_FILE_MAX);
	buf_add_text(&text, "[a]\n");
	for (int i = 0; i < INI_LINE_MAX - 1; i++)
		buf_add_char(&text, 'p');
	buf_add_text(&text, "=\n ");
	for (int i = 0; i < INI_LINE_MAX - 2; i++)
		buf_add_char(&text, 's');
	buf_add_text(&text, "=\n");
	struct seen seen = {0};
	struct err err = ERR_INIT;
	assert_int_equal(parse(INI_AWS, text.data, text.len, &seen, &err), 0);
	assert_int_equal(seen.count, 3);
	assert_non_null(strstr(buf_text(&seen.text), "ppp.sss"));
	assert_true(text_has_suffix(buf_text(&seen.text), "sss|\n"));
	buf_clear(&seen.text);
	buf_clear(&text);
}

static void largest_file_passes_and_a_larger_one_does_not(void **state)
{
	(void)state;
	size_t len = 0;
	char *text = filled("[a]\n", '\n', INI_FILE_MAX - 4, &len);
	struct seen seen = {0};
	struct err err = ERR_INIT;
	assert_int_equal(parse(INI_AWS, text, len, &seen, &err), 0);
	buf_clear(&seen.text);
	check_refused(INI_AWS, text, len + 1, "x.conf: larger than 1048576 bytes");
	free(text);
}

static void one_value_over_a_whole_file(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, INI_FILE_MAX);
	buf_add_text(&text, "[a]\nk = v\n");
	while (!text.is_over)
		buf_add_text(&text, " 0123456789\n");
	struct seen seen = {0};
	struct err err = ERR_INIT;
	assert_int_equal(parse(INI_AWS, text.data, text.len, &seen, &err), 0);
	assert_int_equal(seen.count, 2);
	buf_clear(&seen.text);
	buf_clear(&text);
}

static void file_cut_at_any_byte_gives_a_beginning_or_an_error(void **state)
{
	(void)state;
	static const char text[] =
		"\xef\xbb\xbf[profile \xc3\xa4]\r\nrole_arn = arn:aws ; c\ns3 =\n"
		"  k = v\nlong = a\n b\n[services x]\nacm =\n";
	for (int dialect = INI_OURS; dialect <= INI_AWS; dialect++) {
		int passed = 0;
		for (size_t len = 0; len < sizeof(text); len++) {
			char *cut = xmalloc(len); /* exactly, so that a byte too many is seen */
			memcpy(cut, text, len);
			struct seen seen = {0};
			struct err err = ERR_INIT;
			int rc = parse((enum ini_dialect)dialect, cut, len, &seen, &err);
			if (rc != 0)
				assert_true(text_has_prefix(err.text, "x.conf:"));
			passed += rc == 0 ? 1 : 0;
			buf_clear(&seen.text);
			free(cut);
		}
		assert_true(passed > 0);
	}
}

static int take_file_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	(void)place;
	(void)section;
	(void)value;
	(void)err;
	*(int *)arg += key != NULL ? 1 : 0;
	return 0;
}

static void files_are_read_whole(void **state)
{
	(void)state;
	char folder[] = "/tmp/acmsensor_ini_XXXXXX", path[64], expected[128];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.conf", folder);
	struct err err = ERR_INIT;
	int properties = 0;

	assert_int_equal(ini_parse_file(INI_OURS, path, take_file_entry, &properties, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.code, "ENOENT");
	snprintf(expected, sizeof(expected), "%s: cannot open: No such file or directory", path);
	assert_string_equal(err.text, expected);

	assert_int_equal(ini_parse_file(INI_OURS, folder, take_file_entry, &properties, &err), -1);
	snprintf(expected, sizeof(expected), "%s: not a regular file", folder);
	assert_string_equal(err.text, expected);
	assert_string_equal(err.code, "");

	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes: it must not wait */
	assert_int_equal(ini_parse_file(INI_OURS, path, take_file_entry, &properties, &err), -1);
	unlink(path);

	assert_int_equal(
		ini_parse_file(INI_AWS, "/dev/null/x", take_file_entry, &properties, &err), -1);
	assert_string_equal(err.text, "/dev/null/x: cannot open: Not a directory");
	assert_string_equal(err.code, "");
	assert_int_equal(
		ini_parse_file(INI_AWS, "/proc/self/mem", take_file_entry, &properties, &err), -1);
	assert_string_equal(err.text, "/proc/self/mem: cannot read: Input/output error");

	assert_int_equal(
		ini_parse_file(INI_AWS, "/dev/null", take_file_entry, &properties, &err), 0);
	assert_int_equal(
		ini_parse_file(INI_AWS, "/dev/zero", take_file_entry, &properties, &err), -1);
	assert_string_equal(err.text, "/dev/zero: larger than 1048576 bytes");

	static const size_t lines[] = {0, 1, 1000, (INI_FILE_MAX - 4) / 6, INI_FILE_MAX / 6 + 1};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		FILE *file = fopen(path, "w");
		fputs("[a]\n", file);
		for (size_t k = 0; k < lines[i]; k++)
			fputs("k = v\n", file);
		fclose(file);
		properties = 0;
		int rc = ini_parse_file(INI_OURS, path, take_file_entry, &properties, &err);
		bool fits = 4 + 6 * lines[i] <= INI_FILE_MAX;
		assert_int_equal(rc, fits ? 0 : -1);
		assert_int_equal(properties, fits ? lines[i] : 0);
	}
	FILE *file = fopen(path, "w");
	fputs("[a]\nword\n", file);
	fclose(file);
	assert_int_equal(ini_parse_file(INI_OURS, path, take_file_entry, &properties, &err), -1);
	snprintf(expected, sizeof(expected), "%s:2:1: expected \"key = value\" or \"[section]\"",
		path);
	assert_string_equal(err.text, expected);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_properties),
		cmocka_unit_test(empty_values),
		cmocka_unit_test(comments),
		cmocka_unit_test(windows_line_ends_and_byte_order_mark),
		cmocka_unit_test(broken_lines_are_refused_with_their_place),
		cmocka_unit_test(bytes_that_are_no_text_are_refused_with_their_place),
		cmocka_unit_test(our_dialect_refuses_indented_lines),
		cmocka_unit_test(aws_dialect_continues_values),
		cmocka_unit_test(aws_dialect_has_sub_properties),
		cmocka_unit_test(aws_dialect_takes_indented_lines_that_continue_nothing),
		cmocka_unit_test(failing_entry_ends_it_with_its_place),
		cmocka_unit_test(longest_line_passes_and_a_longer_one_does_not),
		cmocka_unit_test(longest_keys_below_the_longest_parent),
		cmocka_unit_test(largest_file_passes_and_a_larger_one_does_not),
		cmocka_unit_test(one_value_over_a_whole_file),
		cmocka_unit_test(file_cut_at_any_byte_gives_a_beginning_or_an_error),
		cmocka_unit_test(files_are_read_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
