/* Lengths, tags and times of DER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/mem.h"

static bool take(const char *bytes, size_t len, struct der_element *ret_element)
{
	struct der in = {(const unsigned char *)bytes, len};
	bool is_taken = der_take(&in, ret_element);
	if (!is_taken)
		assert_int_equal(in.len, len);
	return is_taken;
}

static void elements_are_taken_one_after_the_other(void **state)
{
	(void)state;
	static const unsigned char bytes[] = {0x02, 0x01, 0x05, 0x30, 0x00, 0x04, 0x81, 0x80};
	unsigned char *long_form = xcalloc(1, sizeof(bytes) + 0x80);
	memcpy(long_form, bytes, sizeof(bytes));
	struct der in = {long_form, sizeof(bytes) + 0x80};
	struct der_element element;
	assert_false(der_take_tag(&in, DER_SEQUENCE, &element));
	assert_true(der_take_tag(&in, DER_INTEGER, &element));
	assert_true(der_is(&element.content, "\x05", 1));
	assert_true(der_is(&element.whole, "\x02\x01\x05", 3));
	assert_true(der_take(&in, &element));
	assert_int_equal(element.tag, DER_SEQUENCE);
	assert_int_equal(element.content.len, 0);
	assert_true(der_take(&in, &element));
	assert_int_equal(element.content.len, 0x80);
	assert_int_equal(element.whole.len, 0x83);
	assert_false(der_take(&in, &element));
	free(long_form);
}

static void lengths_that_der_forbids_are_refused(void **state)
{
	(void)state;
	struct der_element element;
	assert_false(take("\x30\x80\x00\x00", 4, &element)); /* indefinite */
	assert_false(take("\x04\x81\x01\x00", 4, &element)); /* short form would do */
	assert_false(take("\x04\x82\x00\x80", 4, &element)); /* leading zero */
	assert_false(take("\x04\x85\x00\x00\x00\x00\x01\x00", 8, &element)); /* too long */
	assert_false(take("\x04\xff\xff\xff\xff\xff", 6, &element));
	assert_false(take("\x04\x84\xff\xff\xff\xff", 6, &element)); /* more than is there */
	assert_false(take("\x04\x02\x00", 3, &element));
	assert_false(take("\x04\x82\x01", 3, &element));
	assert_false(take("\x04", 1, &element));
	assert_false(take("", 0, &element));
	assert_false(take("\x1f\x01\x00", 3, &element)); /* high tag number */
	assert_true(take("\x04\x00", 2, &element));
}

static bool time_of(unsigned tag, const char *text, int64_t *ret_unix_s)
{
	struct der_element element = {
		.tag = tag, .content = {(const unsigned char *)text, strlen(text)}};
	return der_time(&element, ret_unix_s);
}

static void assert_time(unsigned tag, const char *text, int64_t expected)
{
	int64_t unix_s = 0;
	if (!time_of(tag, text, &unix_s))
		fail_msg("%s is not taken for a time", text);
	assert_int_equal(unix_s, expected);
}

static void both_kinds_of_time_are_read(void **state)
{
	(void)state;
	assert_time(DER_UTC_TIME, "700101000000Z", 0);
	assert_time(DER_UTC_TIME, "500101000000Z", -631152000);
	assert_time(DER_UTC_TIME, "491231235959Z", 2524607999);
	assert_time(DER_UTC_TIME, "240229120000Z", 1709208000);
	assert_time(DER_GENERALIZED_TIME, "20500101000000Z", 2524608000);
	assert_time(DER_GENERALIZED_TIME, "99991231235959Z", 253402300799);
	assert_time(DER_GENERALIZED_TIME, "00000101000000Z", -62167219200);
}

static void the_forms_of_old_certificates_are_read(void **state)
{
	(void)state;
	assert_time(DER_UTC_TIME, "7001010000Z", 0);
	assert_time(DER_UTC_TIME, "700101010000+0100", 0);
	assert_time(DER_UTC_TIME, "691231190000-0500", 0);
	assert_time(DER_GENERALIZED_TIME, "19700101000000.75Z", 0);
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const utc[] = {"", "Z", "700101000000", "701301000000Z", "700001000000Z",
		"700132000000Z", "230229000000Z", "700101240000Z", "700101006000Z", "700101000060Z",
		"7001010000000Z", "700101000000Z ", "70010100000aZ", "700101000000+01",
		"700101000000+2500", "700101000000.5Z", "-00101000000Z"};
	int64_t unix_s = 42;
	for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++) {
		if (time_of(DER_UTC_TIME, utc[i], &unix_s))
			fail_msg("%s is taken for a time", utc[i]);
	}
	assert_false(time_of(DER_GENERALIZED_TIME, "700101000000Z", &unix_s));
	assert_false(time_of(DER_GENERALIZED_TIME, "20260101000000.Z", &unix_s));
	assert_false(time_of(DER_GENERALIZED_TIME, "20260101000000,5Z", &unix_s));
	assert_false(time_of(DER_OCTET_STRING, "700101000000Z", &unix_s));
	assert_int_equal(unix_s, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_one_after_the_other),
		cmocka_unit_test(lengths_that_der_forbids_are_refused),
		cmocka_unit_test(both_kinds_of_time_are_read),
		cmocka_unit_test(the_forms_of_old_certificates_are_read),
		cmocka_unit_test(what_is_no_time_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
