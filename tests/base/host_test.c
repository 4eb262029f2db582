/* What is a host, with or without its port, and what is none. */
#include "base/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define LABEL_63 "0123456789012345678901234567890123456789012345678901234567890ab"
#define EXPECTED "expected HOST or HOST:PORT, as in www.example.com:8443 or [2001:db8::1]:8443"

static void names_and_addresses_are_taken(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		int port;
	} good[] = {{"a.example", "a.example", 443}, {"a.example:8443", "a.example", 8443},
		{"localhost", "localhost", 443}, {"a-b_c.example.", "a-b_c.example.", 443},
		{"[2001:db8::1]:1", "2001:db8::1", 1}, {"[2001:db8::1]", "2001:db8::1", 443},
		{"2001:db8::1", "2001:db8::1", 443}, {"192.0.2.1:65535", "192.0.2.1", 65535},
		{"[192.0.2.1]", "192.0.2.1", 443}, {LABEL_63 ".example:1", LABEL_63 ".example", 1}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char host[128];
		int port = 0;
		struct err err = ERR_INIT;
		if (host_parse(good[i].text, 443, host, sizeof(host), &port, &err) != 0)
			fail_msg("%s: %s", good[i].text, err.text);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
}

static void an_address_is_no_name(void **state)
{
	(void)state;
	static const char *const addresses[] = {"192.0.2.1", "0.0.0.0", "::", "::1",
		"2001:db8::", "2001:DB8:0:0:0:0:0:1", "::ffff:192.0.2.1"};
	static const char *const others[] = {"", "a.test", "example.com", "192.0.2", "192.0.2.256",
		"192.0.2.1.", "127.1", "0x7f000001", "2130706433", "192.0.2.1/32", " 192.0.2.1",
		"[::1]", "2001:db8::/32", "fe80::1%eth0", ":", "1:2:3"};
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (!host_is_address(addresses[i]))
			fail_msg("%s is one", addresses[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (host_is_address(others[i]))
			fail_msg("%s is none", others[i]);
}

static void refused(const char *text, size_t size, const char *says)
{
	char host[512] = "as before";
	int port = 7;
	struct err err = ERR_INIT;
	if (host_parse(text, 443, host, size, &port, &err) != -1)
		fail_msg("\"%s\" was taken", text);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, says);
	assert_string_equal(host, "as before");
	assert_int_equal(port, 7);
}

static void what_is_no_host_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", ":443", ".", "a..b", ".a", "-x", "a-.b",
		"https://a", "[::1", "[::1]x", "[]", "[a.example]", "[a]:1", "a b", "u@a", "a*",
		"b\xc3\xbc"
		"cher.example",
		"a\n", "1:2:3", LABEL_63 "x.example"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], 512, EXPECTED);
	refused("*.example.com", 512,
		"a wildcard is no host: expected one of the hosts that it covers");
	refused("*.example.com:443", 512,
		"a wildcard is no host: expected one of the hosts that it covers");
}

static void ports_are_from_1_to_65535(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"a:", "a:0", "a:65536", "a:x", "a:-1", "[::1]:", "[::1]:x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], 512, "the port is not a whole number from 1 to 65535");
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	char text[400], host[4];
	int port;
	struct err err = ERR_INIT;
	refused("a.example", strlen("a.example"), EXPECTED);
	assert_int_equal(host_parse("abc", 1, host, sizeof(host), &port, &err), 0);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'a' : '.';
	text[253] = '\0';
	char long_host[512];
	assert_int_equal(host_parse(text, 1, long_host, sizeof(long_host), &port, &err), 0);
	text[253] = '.';
	text[254] = '\0';
	refused(text, 512, EXPECTED);
	text[254] = 'a';
	text[255] = '\0';
	refused(text, 512, EXPECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_are_taken),
		cmocka_unit_test(an_address_is_no_name),
		cmocka_unit_test(what_is_no_host_is_refused),
		cmocka_unit_test(ports_are_from_1_to_65535),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
