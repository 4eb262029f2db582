/* Channels as they are configured. */
#include "alert/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static void a_server_is_a_host_and_perhaps_a_port(void **state)
{
	(void)state;
	static const struct {
		const char *server, *host;
		int port;
	} good[] = {{"mail", "mail", 25}, {"mail.example.com:2525", "mail.example.com", 2525},
		{"[::1]", "::1", 25}, {"[::1]:26", "::1", 26}, {"127.0.0.1:27", "127.0.0.1", 27}};
	static const char *const bad[] = {"", "a/b", "a b", "user@host", "host:0", "host:70000",
		"host:x", "https://host", "::1"};
	struct err err = ERR_INIT;
	char host[64];
	int port = 0;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(
			channel_server_parse(good[i].server, 25, host, sizeof(host), &port, &err),
			0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (channel_server_parse(bad[i], 25, host, sizeof(host), &port, &err) == 0)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(channel_server_parse("long.name", 25, host, 4, &port, &err), -1);
}

static struct alert_channel full(void)
{
	struct alert_channel channel = {.name = xstrdup("ops"),
		.type = CHANNEL_MAIL,
		.minimum = ALERT_CRITICAL,
		.url_file = xstrdup("url"),
		.proxy = xstrdup("proxy"),
		.no_proxy = xstrdup("no"),
		.ca_bundle = xstrdup("ca"),
		.server = xstrdup("server"),
		.user = xstrdup("user"),
		.password_file = xstrdup("password"),
		.from = xstrdup("from"),
		.to = xcalloc(2, sizeof(char *)),
		.to_count = 2,
		.command = xstrdup("command"),
		.timeout_s = 7};
	channel.to[0] = xstrdup("one");
	channel.to[1] = xstrdup("two");
	return channel;
}

static void a_copy_has_texts_of_its_own(void **state)
{
	(void)state;
	struct alert_channel channel = full();
	struct alert_channel copy;
	alert_channel_copy(&copy, &channel);
	alert_channel_clear(&channel);
	assert_null(channel.name);
	assert_int_equal(channel.to_count, 0);
	assert_int_equal(copy.type, CHANNEL_MAIL);
	assert_int_equal(copy.minimum, ALERT_CRITICAL);
	assert_int_equal(copy.timeout_s, 7);
	const char *const text[] = {copy.name, copy.url_file, copy.proxy, copy.no_proxy,
		copy.ca_bundle, copy.server, copy.user, copy.password_file, copy.from, copy.to[0],
		copy.to[1], copy.command};
	const char *const want[] = {"ops", "url", "proxy", "no", "ca", "server", "user", "password",
		"from", "one", "two", "command"};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		assert_string_equal(text[i], want[i]);
	alert_channel_clear(&copy);
}

static void expect_other(struct alert_channel *copy, const struct alert_channel *channel)
{
	assert_false(alert_channel_equals(copy, channel));
	assert_false(alert_channel_equals(channel, copy));
	alert_channel_clear(copy);
	alert_channel_copy(copy, channel);
	assert_true(alert_channel_equals(copy, channel));
}

static void one_that_differs_in_anything_is_another(void **state)
{
	(void)state;
	struct alert_channel channel = full(), copy;
	alert_channel_copy(&copy, &channel);
	char *const *const text[] = {&copy.name, &copy.url_file, &copy.proxy, &copy.no_proxy,
		&copy.ca_bundle, &copy.server, &copy.user, &copy.password_file, &copy.from,
		&copy.command};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		(*text[i])[0]++;
		expect_other(&copy, &channel);
	}
	copy.to[1][0]++;
	expect_other(&copy, &channel);
	copy.type = CHANNEL_WEBHOOK;
	expect_other(&copy, &channel);
	copy.minimum = ALERT_NOTICE;
	expect_other(&copy, &channel);
	copy.resolved = true;
	expect_other(&copy, &channel);
	copy.shape = CHANNEL_TEAMS;
	expect_other(&copy, &channel);
	copy.tls = MAIL_TLS;
	expect_other(&copy, &channel);
	copy.timeout_s++;
	expect_other(&copy, &channel);
	free(copy.to[--copy.to_count]);
	copy.to[copy.to_count] = NULL;
	expect_other(&copy, &channel);
	alert_channel_clear(&copy);
	alert_channel_clear(&channel);
}

static void each_type_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(channel_type_name(CHANNEL_WEBHOOK), "webhook");
	assert_string_equal(channel_type_name(CHANNEL_MAIL), "mail");
	assert_string_equal(channel_type_name(CHANNEL_COMMAND), "command");
	assert_string_equal(channel_type_name(CHANNEL_JOURNAL), "journal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_a_host_and_perhaps_a_port),
		cmocka_unit_test(a_copy_has_texts_of_its_own),
		cmocka_unit_test(one_that_differs_in_anything_is_another),
		cmocka_unit_test(each_type_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
