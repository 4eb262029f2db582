/* Which texts are an address and port, and what is told when nobody can listen there. */
#include "sensor/metrics_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "base/err.h"

static void numbers_are_addresses(void **state)
{
	static const struct {
		const char *text;
		int family;
	} good[] = {{"127.0.0.1:9847", AF_INET}, {"0.0.0.0:1", AF_INET}, {"[::1]:65535", AF_INET6},
		{"[::]:80", AF_INET6}, {"[2001:db8:0:1:1:1:1:1]:9847", AF_INET6}};
	struct metrics_address address;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!metrics_address_parse(good[i].text, &address))
			fail_msg("%s", good[i].text);
		assert_int_equal(address.socket.ss_family, good[i].family);
	}
}

static void anything_else_is_not(void **state)
{
	static const char *const bad[] = {"", ":", "9847", ":9847", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:99999",
		"127.0.0.1:123456", "127.0.0.1:08080", "127.0.0.1:80x", "127.0.0.1:-1",
		"127.0.0.1: 80", "127.1:80", "256.0.0.1:80", "localhost:9847", "::1:9847", "[::1]",
		"[::1]9847", "[::1:9847", "::1]:9847", "[]:9847", "[", "[127.0.0.1]:80",
		"[fe80::1%lo]:80", "*:9847",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80"};
	struct metrics_address address;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (metrics_address_parse(bad[i], &address))
			fail_msg("%s", bad[i]);
}

static void who_cannot_listen_is_told_where_and_why(void **state)
{
	struct metrics_address address;
	struct err err = ERR_INIT;
	(void)state;
	assert_true(metrics_address_parse("192.0.2.1:9847", &address)); /* nobody's: RFC 5737 */
	assert_int_equal(metrics_address_listen(&address, "option", "192.0.2.1:9847", &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "option 192.0.2.1:9847: Cannot assign requested address");
}

static void listen_twice(const char *host, int family)
{
	struct metrics_address address;
	struct err err = ERR_INIT;
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char text[64];
	(void)snprintf(text, sizeof(text), "%s:1", host);
	assert_true(metrics_address_parse(text, &address));
	in_port_t any = 0; /* the system chooses */
	if (family == AF_INET)
		memcpy((char *)&address.socket + offsetof(struct sockaddr_in, sin_port), &any, 2);
	else
		memcpy((char *)&address.socket + offsetof(struct sockaddr_in6, sin6_port), &any, 2);
	int fd = metrics_address_listen(&address, "option", text, &err);
	if (fd < 0 && family == AF_INET6)
		skip(); /* a host without IPv6 */
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
	address.socket = bound;
	assert_int_equal(metrics_address_listen(&address, "option", text, &err), -1);
	assert_non_null(strstr(err.text, "Address already in use"));
	close(fd);
}

static void one_address_is_listened_on_once(void **state)
{
	(void)state;
	listen_twice("127.0.0.1", AF_INET);
}

static void ip6_is_listened_on_alone(void **state)
{
	(void)state;
	listen_twice("[::1]", AF_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_addresses),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(who_cannot_listen_is_told_where_and_why),
		cmocka_unit_test(one_address_is_listened_on_once),
		cmocka_unit_test(ip6_is_listened_on_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
