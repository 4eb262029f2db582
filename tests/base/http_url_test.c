#include "base/http_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void urls_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *url, *name;
		int port;
		bool is_tls, is_literal;
	} good[] = {
		{"https://acm.us-east-1.amazonaws.com", "acm.us-east-1.amazonaws.com", 443, true,
			false},
		{"https://ACM.Us-East-1.amazonaws.com/", "acm.us-east-1.amazonaws.com", 443, true,
			false},
		{"http://localhost:4566/x?y#z", "localhost", 4566, false, false},
		{"http://a_b-c.test?x", "a_b-c.test", 80, false, false},
		{"HTTPS://127.0.0.1:8443#x", "127.0.0.1", 8443, true, true},
		{"https://[2001:DB8::1]:1/", "2001:db8::1", 1, true, true},
		{"https://[::1]", "::1", 443, true, true},
		{"https://a:65535", "a", 65535, true, false},
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct http_target target;
		struct err err = ERR_INIT;
		assert_int_equal(http_target_parse(good[i].url, &target, &err), 0);
		assert_string_equal(target.name, good[i].name);
		assert_int_equal(target.port, good[i].port);
		assert_int_equal(target.is_tls, good[i].is_tls);
		assert_int_equal(target.is_literal, good[i].is_literal);
	}
}

static void bad_urls_are_refused_and_leave_the_result_alone(void **state)
{
	(void)state;
	char long_name[400] = "https://";
	memset(long_name + 8, 'a', 300);
	const char *bad[] = {"", "https:/a", "ftp://a/", "file:///etc/passwd", "a.test", "https://",
		"https:///x", "https://:443/", "https://a:/", "https://a:0/", "https://a:65536/",
		"https://a:123456/", "https://a:1x/", "https://user@a/", "https://a b/",
		"https://a%41/", "https://\xc3\xa4.test/", "https://[::1/", "https://[a.test]/",
		"https://[]/", "https://::1/", "https://a\r\nb/", long_name};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_target target = {.port = 7};
		struct err err = ERR_INIT;
		assert_int_equal(http_target_parse(bad[i], &target, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(target.port, 7);
	}
}

static void proxies_have_the_defaults_of_libcurl(void **state)
{
	(void)state;
	static const struct {
		const char *proxy, *name;
		int port;
		bool is_tls;
	} good[] = {
		{"proxy.test", "proxy.test", 1080, false},
		{"proxy.test:3128", "proxy.test", 3128, false},
		{"http://proxy.test:3128/", "proxy.test", 3128, false},
		{"https://proxy.test", "proxy.test", 443, true},
		{"HTTP://user:p@ss@proxy.test:8080", "proxy.test", 8080, false},
		{"socks5h://10.0.0.1", "10.0.0.1", 1080, false},
		{"socks4a://[fd00::1]:9", "fd00::1", 9, false},
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct http_target proxy;
		struct err err = ERR_INIT;
		assert_int_equal(http_proxy_parse(good[i].proxy, &proxy, &err), 0);
		assert_string_equal(proxy.name, good[i].name);
		assert_int_equal(proxy.port, good[i].port);
		assert_int_equal(proxy.is_tls, good[i].is_tls);
	}
}

static void bad_proxies_are_refused_without_showing_the_password(void **state)
{
	(void)state;
	static const char *const bad[] = {"http://", "socks5://user:hunter2@a:1",
		"socks4://user:hunter2@a", "ftp://user:hunter2@a", "http://user:hunter2@a:b",
		"http://user:hunter2@a/path", "user:hunter2@", "a:0", "a b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_target proxy;
		struct err err = ERR_INIT;
		assert_int_equal(http_proxy_parse(bad[i], &proxy, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static bool is_exempt(const char *no_proxy, const char *host)
{
	char url[128];
	struct http_target target;
	struct err err = ERR_INIT;
	snprintf(url, sizeof(url), "https://%s/", host);
	assert_int_equal(http_target_parse(url, &target, &err), 0);
	return http_no_proxy_matches(no_proxy, &target);
}

static void no_proxy_matches_names_and_what_is_below(void **state)
{
	(void)state;
	assert_true(is_exempt("example.com", "example.com"));
	assert_true(is_exempt("example.com", "www.example.com"));
	assert_true(is_exempt(".example.com", "example.com"));
	assert_true(is_exempt(".example.com", "a.b.example.com"));
	assert_true(is_exempt("EXAMPLE.com.", "www.example.com"));
	assert_true(is_exempt("example.com", "www.example.com."));
	assert_false(is_exempt("example.com", "."));
	assert_true(is_exempt("a.test, b.test c.test", "c.test"));
	assert_true(is_exempt("*", "anything.test"));
	assert_true(is_exempt("localhost,127.0.0.1", "localhost"));
	assert_false(is_exempt("example.com", "nonexample.com"));
	assert_false(is_exempt("www.example.com", "example.com"));
	assert_false(is_exempt("", "example.com"));
	assert_false(is_exempt(NULL, "example.com"));
	assert_false(is_exempt(", ,.", "example.com"));
	assert_false(is_exempt("com.", "example.org"));
}

static void no_proxy_matches_addresses_and_networks(void **state)
{
	(void)state;
	assert_true(is_exempt("10.1.2.3", "10.1.2.3"));
	assert_true(is_exempt("10.0.0.0/8", "10.255.0.1"));
	assert_true(is_exempt("10.128.0.0/9", "10.200.0.1"));
	assert_true(is_exempt("0.0.0.0/0", "192.0.2.1"));
	assert_true(is_exempt("192.0.2.1/32", "192.0.2.1"));
	assert_true(is_exempt("fd00::/8", "[fd12::1]"));
	assert_true(is_exempt("[fd00::1]", "[fd00::1]"));
	assert_true(is_exempt("fd00:0::1", "[fd00::1]"));
	assert_false(is_exempt("10.128.0.0/9", "10.100.0.1"));
	assert_false(is_exempt("192.0.2.0/32", "192.0.2.1"));
	assert_false(is_exempt("10.0.0.0/33", "10.0.0.1"));
	assert_false(is_exempt("10.0.0.0/x", "10.0.0.1"));
	assert_false(is_exempt("10.0.0.0/", "10.0.0.1"));
	assert_false(is_exempt("fd00::/8", "10.0.0.1"));
	assert_false(is_exempt("2.3", "10.1.2.3"));
	assert_false(is_exempt("[", "10.1.2.3"));
	assert_false(is_exempt("[fd00::1", "[fd00::1]"));
	assert_false(
		is_exempt("10.0.0.0/8.............................................", "10.0.0.1"));
	assert_false(is_exempt("10.1.2.3", "a10.1.2.3.test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(bad_urls_are_refused_and_leave_the_result_alone),
		cmocka_unit_test(proxies_have_the_defaults_of_libcurl),
		cmocka_unit_test(bad_proxies_are_refused_without_showing_the_password),
		cmocka_unit_test(no_proxy_matches_names_and_what_is_below),
		cmocka_unit_test(no_proxy_matches_addresses_and_networks),
	};
	return cmocka_run_group_tests_name("http_url", tests, NULL, NULL);
}
