#include "delivery/cert_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/make_facts.h"

static void expect_list(const struct cert_names *names, const char *text)
{
	char list[TOLD_LIST_MAX];
	tell_list(list, names->item, names->count);
	assert_string_equal(list, text);
}

static void names_are_sorted_and_single(void **state)
{
	(void)state;
	struct x509_facts facts;
	struct cert_names names;
	make_facts(&facts, &(struct facts_wish){.common_name = "WWW.example.com",
				   .names = "www.example.com,B.example.com,a.example.com,"
					    "me@example.com,192.0.2.1,b.example.com"});
	cert_names_init(&names, &facts);
	assert_int_equal(names.count, 4);
	assert_true(cert_names_have(&names, "www.EXAMPLE.com"));
	assert_true(cert_names_have(&names, "b.example.com"));
	assert_true(cert_names_have(&names, "192.0.2.1"));
	assert_false(cert_names_have(&names, "me@example.com"));
	assert_false(cert_names_have(&names, "www.example.co"));
	assert_false(cert_names_have(&names, ""));
	cert_names_clear(&names);
	cert_names_clear(&names);
	assert_false(cert_names_have(&names, "www.example.com"));
	x509_facts_clear(&facts);
}

static void a_common_name_counts_when_it_is_one(void **state)
{
	(void)state;
	static const struct {
		const char *common_name, *names, *all, *alternative;
	} cases[] = {
		{"a.example", "b.example", "a.example, b.example", "b.example"},
		{"a.example", NULL, "a.example", "a.example"},
		{"2001:db8::1", NULL, "2001:db8::1", "2001:db8::1"},
		{"My Server", "b.example", "b.example", "b.example"},
		{"My Server", NULL, "none", "none"},
		{NULL, NULL, "none", "none"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct x509_facts facts;
		struct cert_names names;
		make_facts(&facts, &(struct facts_wish){.common_name = cases[i].common_name,
					   .names = cases[i].names});
		cert_names_init(&names, &facts);
		expect_list(&names, cases[i].all);
		cert_names_clear(&names);
		cert_names_init_alternative(&names, &facts);
		expect_list(&names, cases[i].alternative);
		cert_names_clear(&names);
		x509_facts_clear(&facts);
	}
}

static void a_wildcard_covers_one_label(void **state)
{
	(void)state;
	struct x509_facts facts;
	struct cert_names names;
	make_facts(&facts, &(struct facts_wish){.names = "*.example.com,*.2.0.2,*.0.2.1"});
	cert_names_init(&names, &facts);
	assert_true(cert_names_cover(&names, "a.example.com"));
	assert_true(cert_names_cover(&names, "A.EXAMPLE.COM"));
	assert_true(cert_names_cover(&names, "*.example.com"));
	assert_false(cert_names_cover(&names, "example.com"));
	assert_false(cert_names_cover(&names, "a.b.example.com"));
	assert_false(cert_names_cover(&names, "192.0.2.1"));
	assert_false(cert_names_cover(&names, "intranet"));
	cert_names_clear(&names);
	x509_facts_clear(&facts);
}

static void selections_keep_the_order(void **state)
{
	(void)state;
	struct x509_facts facts[2];
	struct cert_names names[2], selected;
	make_facts(&facts[0], &(struct facts_wish){.names = "c.example,a.example,b.example"});
	make_facts(&facts[1], &(struct facts_wish){.names = "B.example,d.example"});
	cert_names_init(&names[0], &facts[0]);
	cert_names_init(&names[1], &facts[1]);
	cert_names_select(&names[0], &names[1], false, &selected);
	expect_list(&selected, "a.example, c.example");
	cert_names_clear(&selected);
	cert_names_select(&names[0], &names[1], true, &selected);
	expect_list(&selected, "b.example");
	cert_names_clear(&selected);
	cert_names_select(&(struct cert_names){.count = 0}, &names[1], false, &selected);
	expect_list(&selected, "none");
	cert_names_clear(&selected);
	for (size_t i = 0; i < 2; i++) {
		cert_names_clear(&names[i]);
		x509_facts_clear(&facts[i]);
	}
}

static void hosts_and_addresses_are_told_apart(void **state)
{
	(void)state;
	static const char *const hosts[] = {"example.com", "a.b-c.example", "*.example.com",
		"xn--mnchen-3ya.de", "1.example.com", "192.0.2.example"};
	static const char *const others[] = {"", "intranet", "*.com", "a..example", ".example.com",
		"example.com.", "-a.example.com", "a-.example.com", "_a.example.com", "a b.example",
		"192.0.2.1", "2001:db8::1", "1.2.3", "1.2.34", "a.c", "a.*.example.com",
		"*.192.0.2.1"};
	char label[80] = "", name[300] = "";
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_true(name_is_host(hosts[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(name_is_host(others[i]));
	memset(label, 'a', 63);
	(void)snprintf(name, sizeof(name), "%s.example", label);
	assert_true(name_is_host(name));
	(void)snprintf(name, sizeof(name), "a%s.example", label);
	assert_false(name_is_host(name));
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%.61s", label, label, label, label);
	assert_int_equal(strlen(name), 253);
	assert_true(name_is_host(name));
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%.62s", label, label, label, label);
	assert_false(name_is_host(name));
}

static void private_names_are_known(void **state)
{
	(void)state;
	static const char *const private[] = {"intranet", "a.local", "a.B.INTERNAL", "a.home.arpa",
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "127.0.0.1",
		"169.254.169.254", "fc00::1", "fdff::1", "fe80::1", "febf::1", "::1"};
	static const char *const public[] = {"example.com", "local.example.com", "internal.de",
		"alocal.com", "172.15.255.255", "172.32.0.1", "192.169.0.1", "11.0.0.1",
		"2001:db8::1", "fe00::1", "fec0::1", "::2"};
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		if (!name_is_private(private[i]))
			fail_msg("%s", private[i]);
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		if (name_is_private(public[i]))
			fail_msg("%s", public[i]);
}

static void usages_have_the_names_of_aws(void **state)
{
	(void)state;
	const char *name[KEY_USAGES_MAX];
	char list[TOLD_LIST_MAX];
	assert_int_equal(key_usage_names(0x1ff, name), KEY_USAGES_MAX);
	tell_list(list, name, KEY_USAGES_MAX);
	assert_string_equal(list, "DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, "
				  "DATA_ENCIPHERMENT, KEY_AGREEMENT, CERTIFICATE_SIGNING, "
				  "CRL_SIGNING, ENCIPHER_ONLY, DECIPHER_ONLY");
	assert_int_equal(key_usage_names(X509_KU_CRL_SIGNING, name), 1);
	assert_string_equal(name[0], "CRL_SIGNING");
	assert_int_equal(key_usage_names(0, name), 0);
}

/* Every length of an entry up to one that fills the list alone. */
static void lists_say_how_many_they_leave_out(void **state)
{
	(void)state;
	char entry[400], list[TOLD_LIST_MAX];
	const char *item[500];
	for (size_t len = 0; len < sizeof(entry); len++) {
		memset(entry, 'x', len);
		entry[len] = '\0';
		for (size_t i = 0; i < 500; i++)
			item[i] = entry;
		tell_list(list, item, 500);
		assert_true(strlen(list) < TOLD_LIST_MAX);
		assert_non_null(strstr(list, " more"));
		tell_list(list, item, 1);
		assert_true(len > 298 ? strstr(list, "...") != NULL : strcmp(list, entry) == 0);
	}
	const char *one[] = {"a", "b", "c"};
	tell_list(list, one, 3);
	assert_string_equal(list, "a, b, c");
}

static void sentences_are_cut_between_characters(void **state)
{
	(void)state;
	char text[8];
	tell(text, sizeof(text), "%s", "abcdefg");
	assert_string_equal(text, "abcdefg");
	tell(text, sizeof(text), "%s%d", "abcdefg", 1);
	assert_string_equal(text, "abcd...");
	tell(text, sizeof(text), "abc%s", "\xc3\xa4\xc3\xa4\xc3\xa4");
	assert_string_equal(text, "abc...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_sorted_and_single),
		cmocka_unit_test(a_common_name_counts_when_it_is_one),
		cmocka_unit_test(a_wildcard_covers_one_label),
		cmocka_unit_test(selections_keep_the_order),
		cmocka_unit_test(hosts_and_addresses_are_told_apart),
		cmocka_unit_test(private_names_are_known),
		cmocka_unit_test(usages_have_the_names_of_aws),
		cmocka_unit_test(lists_say_how_many_they_leave_out),
		cmocka_unit_test(sentences_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
