/* Distinguished names that no certificate of tests/data has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "base/x509_internal.h"
#include "tests/lib/make_der.h"

static void add_common_name(struct buf *to, const char *name)
{
	struct buf pair;
	buf_init(&pair, 1000);
	make_der_add(&pair, DER_OID, "\x55\x04\x03", 3);
	make_der_add(&pair, DER_UTF8_STRING, name, strlen(name));
	make_der_wrap(&pair, DER_SEQUENCE);
	buf_add(to, buf_text(&pair), pair.len);
	buf_clear(&pair);
}

static int format(const struct buf *name, struct buf *to, struct err *err)
{
	char common_name[64];
	struct der der = make_der_of(name);
	buf_init(to, 10000);
	*err = (struct err)ERR_INIT;
	return x509_name_format(&der, to, common_name, sizeof(common_name), err);
}

static void a_name_of_many_attributes_is_a_limit(void **state)
{
	(void)state;
	struct buf name, text;
	struct err err;
	for (int count = 64; count <= 65; count++) {
		buf_init(&name, 10000);
		for (int i = 0; i < count; i++)
			add_common_name(&name, "x");
		make_der_wrap(&name, DER_SET);
		assert_int_equal(format(&name, &text, &err), count == 64 ? 0 : -1);
		assert_int_equal(err.kind, count == 64 ? ERR_NONE : ERR_LIMIT);
		buf_clear(&name);
		buf_clear(&text);
	}
}

static void an_empty_part_is_no_name(void **state)
{
	(void)state;
	struct buf name, text;
	struct err err;
	buf_init(&name, 100);
	make_der_add(&name, DER_SET, "", 0);
	assert_int_equal(format(&name, &text, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	buf_clear(&name);
	buf_clear(&text);
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	char cut[10];
	x509_copy_cut(cut, sizeof(cut), "123456789");
	assert_string_equal(cut, "123456789");
	x509_copy_cut(cut, sizeof(cut), "1234567890");
	assert_string_equal(cut, "123456...");
	x509_copy_cut(cut, sizeof(cut), "1234\xe2\x82\xac\xe2\x82\xac");
	assert_string_equal(cut, "1234...");
	x509_copy_cut(cut, sizeof(cut), "12345\xc3\xa4\xc3\xa4\xc3\xa4");
	assert_string_equal(cut, "12345...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_of_many_attributes_is_a_limit),
		cmocka_unit_test(an_empty_part_is_no_name),
		cmocka_unit_test(long_texts_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
