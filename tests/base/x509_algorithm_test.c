/* Keys and signatures that no certificate of tests/data has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/x509_internal.h"
#include "tests/lib/make_der.h"

#define RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"

/* A SubjectPublicKeyInfo whose key is key, with more bytes behind. */
static bool name_of(const char *key, size_t len, const char *more, char *ret, size_t size)
{
	struct buf spki;
	buf_init(&spki, 1000);
	make_der_add(&spki, DER_OID, RSA_ENCRYPTION, strlen(RSA_ENCRYPTION));
	make_der_wrap(&spki, DER_SEQUENCE);
	make_der_add(&spki, DER_BIT_STRING, key, len);
	buf_add_text(&spki, more);
	struct der der = make_der_of(&spki);
	bool is_key = x509_key_algorithm(&der, ret, size);
	buf_clear(&spki);
	return is_key;
}

static void an_rsa_key_is_named_by_the_bits_of_its_modulus(void **state)
{
	(void)state;
	static const struct {
		const char *key, *name; /* NULL: broken */
		size_t len;
	} row[] = {{"\0\x30\x03\x02\x01\x7f", "RSA_7", 6}, {"\0\x30\x04\x02\x02\0\x80", "RSA_8", 7},
		{"\0\x30\x03\x02\x01\0", "RSA_0", 6}, {"\0\x02\x01\x7f", NULL, 4},
		{"\0\x30\x02\x05\0", NULL, 5}, {"\0", NULL, 1}, {"", NULL, 0}};
	char name[32];
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(name_of(row[i].key, row[i].len, "", name, sizeof(name)),
			row[i].name != NULL);
		if (row[i].name != NULL)
			assert_string_equal(name, row[i].name);
	}
	assert_false(name_of("\0\x30\x03\x02\x01\x7f", 6, "more", name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_rsa_key_is_named_by_the_bits_of_its_modulus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
