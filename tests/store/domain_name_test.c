/* Domain names as typed, in their ASCII form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/domain_name.h"

static void assert_ascii(const char *typed, const char *expected)
{
	struct err err = ERR_INIT;
	char name[DOMAIN_NAME_MAX + 1];
	if (domain_name_to_ascii(typed, name, &err) != 0)
		fail_msg("%s: %s", typed, err.text);
	assert_string_equal(name, expected);
}

static void ascii_names_lose_their_case_and_final_dot(void **state)
{
	(void)state;
	assert_ascii("WWW.Example.COM", "www.example.com");
	assert_ascii("example.com.", "example.com");
	assert_ascii("*.example.com", "*.example.com");
	assert_ascii("_acme-challenge.example.com", "_acme-challenge.example.com");
	assert_ascii("localhost", "localhost");
	assert_ascii("192.0.2.1", "192.0.2.1");
	assert_ascii("2001:db8::1", "2001:db8::1");
	assert_ascii("xn--mnchen-3ya.example", "xn--mnchen-3ya.example");
}

/* Expected values: RFC 3492 section 7.1 (lower case) and names in use. */
static void other_names_become_punycode(void **state)
{
	(void)state;
	assert_ascii("m\xc3\xbcnchen.example", "xn--mnchen-3ya.example");
	assert_ascii("M\xc3\x9cnchen.EXAMPLE", "xn--mnchen-3ya.example");
	assert_ascii("b\xc3\xbc"
		     "cher.example.com",
		"xn--bcher-kva.example.com");
	assert_ascii("fa\xc3\x9f.de", "xn--fa-hia.de");
	assert_ascii("\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80\xd1\x84",
		"xn--e1afmkfd.xn--p1ai");
	assert_ascii("\xd0\x9f\xd0\xa0\xd0\x98\xd0\x9c\xd0\x95\xd0\xa0.\xd0\xa0\xd0\xa4",
		"xn--e1afmkfd.xn--p1ai");
	assert_ascii("\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
		"xn--r8jz45g.xn--zckzah");
	/* RFC 3492 7.1 (B): Chinese, simplified */
	assert_ascii("\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d"
		     "\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
		"xn--ihqwcrb4cv8a8dqg056pqjye");
	/* RFC 3492 7.1 (L): 3<nen>B<gumi><kinpachi><sensei>, in lower case */
	assert_ascii("3\xe5\xb9\xb4"
		     "b\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88\xe7\x94\x9f",
		"xn--3b-ww4c5e180e575a65lsy2b");
	assert_ascii("\xf0\x9f\x92\xa9.la", "xn--ls8h.la");
	assert_ascii("\xd0\x80", "xn--51a"); /* U+0400, whose lower case is 80 further */
	assert_ascii("\xc3\x97", "xn--rca"); /* U+00D7, no letter between letters */
}

static void what_cannot_be_a_name_is_refused(void **state)
{
	(void)state;
	char long_label[80], long_name[400];
	memset(long_label, 'a', 64);
	long_label[64] = '\0';
	for (size_t i = 0; i < sizeof(long_name) - 1; i++)
		long_name[i] = i % 10 == 9 ? '.' : 'a';
	long_name[sizeof(long_name) - 1] = '\0';
	const char *const bad[] = {"", ".", "..", "a..b", ".a", "a b", "a\tb", "a\nb", "\xff",
		"a.\xc3", long_label, long_name};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		char name[DOMAIN_NAME_MAX + 1] = "untouched";
		assert_int_equal(domain_name_to_ascii(bad[i], name, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "not a domain name"));
		assert_string_equal(name, "untouched");
	}
}

static void assert_refused(const char *typed, const char *why)
{
	struct err err = ERR_INIT;
	char name[DOMAIN_NAME_MAX + 1];
	assert_int_equal(domain_name_to_ascii(typed, name, &err), -1);
	if (strstr(err.text, why) == NULL)
		fail_msg("%s", err.text);
}

static void the_reason_is_told(void **state)
{
	(void)state;
	char typed[DOMAIN_NAME_MAX + 2] = "", longer[400];
	for (size_t i = 0; i < sizeof(longer) - 1; i++)
		longer[i] = i % 10 == 9 ? '.' : 'a';
	longer[sizeof(longer) - 1] = '\0';
	assert_refused(longer, "longer than 253 bytes");
	for (size_t i = 0; i < sizeof(typed) - 1; i++)
		typed[i] = i % 64 == 63 ? '.' : 'a';
	assert_refused(typed, "longer than 253 bytes");
	typed[DOMAIN_NAME_MAX] = '.'; /* a last dot does not count */
	typed[DOMAIN_NAME_MAX - 1] = 'b';
	struct err err = ERR_INIT;
	char name[DOMAIN_NAME_MAX + 1];
	assert_int_equal(domain_name_to_ascii(typed, name, &err), 0);
	assert_refused("a..b", "a part between dots is empty or longer than 63");
	/* 60 characters, and their Punycode has more */
	char umlauts[121];
	for (size_t i = 0; i < sizeof(umlauts) - 1; i += 2)
		memcpy(umlauts + i, i % 4 == 0 ? "\xc3\xbc" : "\xd1\x84", 2);
	umlauts[sizeof(umlauts) - 1] = '\0';
	assert_refused(umlauts, "a part between dots is empty or longer than 63");
}

static void names_of_the_largest_size_are_fine(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char typed[DOMAIN_NAME_MAX + 1], name[DOMAIN_NAME_MAX + 1];
	for (size_t i = 0; i < DOMAIN_NAME_MAX; i++)
		typed[i] = i % 64 == 63 ? '.' : 'a';
	typed[DOMAIN_NAME_MAX] = '\0';
	assert_int_equal(domain_name_to_ascii(typed, name, &err), 0);
	assert_string_equal(name, typed);
}

static void below_means_whole_labels(void **state)
{
	(void)state;
	assert_true(domain_name_is_below("example.com", "example.com"));
	assert_true(domain_name_is_below("a.b.EXAMPLE.com", "example.COM"));
	assert_true(domain_name_is_below("*.example.com", "example.com"));
	assert_false(domain_name_is_below("notexample.com", "example.com"));
	assert_false(domain_name_is_below("com", "example.com"));
	assert_false(domain_name_is_below("example.com.org", "example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii_names_lose_their_case_and_final_dot),
		cmocka_unit_test(other_names_become_punycode),
		cmocka_unit_test(what_cannot_be_a_name_is_refused),
		cmocka_unit_test(the_reason_is_told),
		cmocka_unit_test(names_of_the_largest_size_are_fine),
		cmocka_unit_test(below_means_whole_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
