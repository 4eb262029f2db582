/* Extensions that no certificate of tests/data has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/x509.h"
#include "base/x509_internal.h"
#include "tests/lib/make_der.h"

#define KEY_USAGE	  "\x55\x1d\x0f"
#define ALT_NAME	  "\x55\x1d\x11"
#define BASIC_CONSTRAINTS "\x55\x1d\x13"
#define EXT_KEY_USAGE	  "\x55\x1d\x25"
#define ACCESS		  "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define OCSP		  "\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01"
#define CA_ISSUERS	  "\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02"

static struct x509_facts facts;
static struct err err;

/* One extension with this oid and value. */
static int read_one(const char *oid, const char *value, size_t len)
{
	struct buf extension;
	buf_init(&extension, 10000);
	make_der_add(&extension, DER_OID, oid, strlen(oid));
	make_der_add(&extension, DER_OCTET_STRING, value, len);
	make_der_wrap(&extension, DER_SEQUENCE);
	struct der der = make_der_of(&extension);
	x509_facts_clear(&facts);
	facts = (struct x509_facts){.serial = ""};
	err = (struct err)ERR_INIT;
	int rc = x509_extensions_read(&der, &facts, &err);
	buf_clear(&extension);
	return rc;
}

#define READ(oid, value) read_one(oid, value, sizeof(value) - 1)

static void expect_broken(int rc, const char *what)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(err.text, what));
}

static void values_of_another_form_are_refused(void **state)
{
	(void)state;
	expect_broken(READ(KEY_USAGE, "\x03"), "key usage");
	expect_broken(READ(KEY_USAGE, "\x03\x00"), "key usage");
	expect_broken(READ(KEY_USAGE, "\x03\x01\x00\x00"), "key usage");
	expect_broken(READ(BASIC_CONSTRAINTS, "\x02\x01\x00"), "basic constraints");
	expect_broken(READ(BASIC_CONSTRAINTS, "\x30\x00\x00"), "basic constraints");
	expect_broken(READ(EXT_KEY_USAGE, "\x30\x03\x02\x01\x00"), "extended key usage");
	expect_broken(READ(EXT_KEY_USAGE, "\x30\x00\x00"), "extended key usage");
	expect_broken(READ(ALT_NAME, "\x30\x00\x00"), "subject alternative name");
	expect_broken(READ(ALT_NAME, "\x30\x01\x82"), "subject alternative name");
	expect_broken(READ(ALT_NAME, "\x30\x04\xa4\x02\x31\x00"), "subject alternative name");
	expect_broken(READ(ALT_NAME, "\x30\x05\xa4\x03\x30\x00\x00"), "subject alternative name");
}

static void who_is_a_ca_says_true(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		size_t len;
		bool is_ca;
	} row[] = {{"\x30\x00", 2, false}, {"\x30\x03\x01\x01\xff", 5, true},
		{"\x30\x03\x01\x01\x00", 5, false}, {"\x30\x04\x01\x02\xff\xff", 6, false},
		{"\x30\x02\x01\x00", 4, false}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(read_one(BASIC_CONSTRAINTS, row[i].value, row[i].len), 0);
		assert_int_equal(facts.is_ca, row[i].is_ca);
	}
}

static void usages_have_a_limit(void **state)
{
	(void)state;
	for (int count = X509_EKUS_MAX; count <= X509_EKUS_MAX + 1; count++) {
		struct buf list;
		buf_init(&list, 1000);
		for (int i = 0; i < count; i++)
			make_der_add(&list, DER_OID, "\x2a\x03", 2);
		make_der_wrap(&list, DER_SEQUENCE);
		int rc = read_one(EXT_KEY_USAGE, buf_text(&list), list.len);
		assert_int_equal(rc, count == X509_EKUS_MAX ? 0 : -1);
		assert_int_equal(err.kind, rc == 0 ? ERR_NONE : ERR_LIMIT);
		buf_clear(&list);
	}
	x509_facts_clear(&facts);
}

/* Of another arc, or a longer number of ours: none of the four. */
static void other_extensions_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(READ("\x2a\x03\x0f", "rubbish"), 0);
	assert_int_equal(READ("\x55\x1d\x81\x0f", "rubbish"), 0);
	assert_int_equal(READ("\x55\x1d\x7f", "rubbish"), 0);
	assert_false(facts.has_key_usage);
	x509_facts_clear(&facts);
}

/* Of one access: "30 len, method, 86 len, URL". */
static void the_longest_url_of_ocsp_counts(void **state)
{
	(void)state;
	assert_int_equal(READ(ACCESS, "\x30\x20"
				      "\x30\x0e" OCSP "\x86\x02"
				      "ab"
				      "\x30\x0e" CA_ISSUERS "\x86\x02"
				      "cd"),
		0);
	assert_int_equal(facts.ocsp_url_len, 2);
	assert_int_equal(READ(ACCESS, "\x30\x2e"
				      "\x30\x0d" OCSP "\x86\x01"
				      "a"
				      "\x30\x0f" OCSP "\x86\x03"
				      "abc"
				      "\x30\x0c" OCSP "\x86\x00"),
		0);
	assert_int_equal(facts.ocsp_url_len, 3);
	static const struct {
		const char *value;
		size_t len;
	} none[] = {{"", 0}, {"\x30\x00", 2}, {"\x30\x02\x30\x00", 4}, {"\x31\x00", 2},
		{"\x30\x0e\x30\x0c" OCSP "\x82\x00", 16}, {"\x30\x7f", 2}};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(read_one(ACCESS, none[i].value, none[i].len), 0);
		assert_int_equal(facts.ocsp_url_len, 0);
	}
	x509_facts_clear(&facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_another_form_are_refused),
		cmocka_unit_test(who_is_a_ca_says_true),
		cmocka_unit_test(usages_have_a_limit),
		cmocka_unit_test(other_extensions_are_passed_over),
		cmocka_unit_test(the_longest_url_of_ocsp_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
