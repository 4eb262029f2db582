/* Mail to servers that take it, refuse it, stall, talk nonsense, or are not who they say. STARTTLS
 * against a server that nobody here wrote: tests/e2e/test_alerts.py. */
#include "base/mail.h"

#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/test_ca.h"
#include "tests/lib/test_server.h"

#define TEXT "Subject: hello\r\n\r\nfirst\r\n.dot\r\nlast\r\n"

enum { LINE_MAX_BYTES = 2048, LOG_MAX = 16384 };

/* --- a server --------------------------------------------------------------------------------- */

struct script {
	const char *greeting, *hello, *mail, *rcpt, *data, *end, *auth;
	bool is_silent; /* after the greeting */
	bool is_mute_at_the_end;
	pthread_mutex_t mutex;
	char log[LOG_MAX]; /* what the client said */
};

static bool read_line(struct test_conn *conn, struct script *script, char *line)
{
	size_t len = 0;
	while (len + 1 < LINE_MAX_BYTES && test_conn_read(conn, line + len, 1)) {
		if (line[len++] != '\n')
			continue;
		line[len] = '\0';
		pthread_mutex_lock(&script->mutex);
		strncat(script->log, line, sizeof(script->log) - strlen(script->log) - 1);
		pthread_mutex_unlock(&script->mutex);
		return true;
	}
	return false;
}

static const char *answer_to(const struct script *script, const char *line)
{
	static const char *const bye = "221 bye\r\n";
	return strncmp(line, "EHLO", 4) == 0   ? script->hello
	       : strncmp(line, "HELO", 4) == 0 ? script->hello
	       : strncmp(line, "AUTH", 4) == 0 ? script->auth
	       : strncmp(line, "MAIL", 4) == 0 ? script->mail
	       : strncmp(line, "RCPT", 4) == 0 ? script->rcpt
	       : strncmp(line, "DATA", 4) == 0 ? script->data
					       : bye;
}

static void serve(struct test_conn *conn, void *arg)
{
	struct script *script = arg;
	char line[LINE_MAX_BYTES];
	bool is_data = false;
	test_conn_print(conn, "%s", script->greeting);
	if (script->is_silent)
		test_conn_wait_closed(conn);
	while (read_line(conn, script, line)) {
		if (is_data && strcmp(line, ".\r\n") != 0)
			continue;
		if (script->is_mute_at_the_end && strncmp(line, "QUIT", 4) == 0)
			test_conn_wait_closed(conn);
		const char *answer = is_data ? script->end : answer_to(script, line);
		test_conn_print(conn, "%s", answer);
		is_data = !is_data && strncmp(answer, "354", 3) == 0;
		if (strncmp(answer, "221", 3) == 0)
			return;
	}
}

static struct script script_new(void)
{
	return (struct script){.greeting = "220 test ESMTP\r\n",
		.hello = "250-test\r\n250 AUTH PLAIN\r\n",
		.mail = "250 ok\r\n",
		.rcpt = "250 ok\r\n",
		.data = "354 go on\r\n",
		.end = "250 taken\r\n",
		.auth = "235 welcome\r\n",
		.mutex = PTHREAD_MUTEX_INITIALIZER};
}

/* --- sending ---------------------------------------------------------------------------------- */

static struct http_fixture *f;
static struct mail *mail;
static struct mail_call *call;
static struct secret password;
static int ends;
static struct err end_err;

static int setup(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	f = http_fixture_new(NULL);
	mail = mail_new(f->loop, f->resolve, &err);
	assert_non_null(mail);
	secret_set(&password, "secret", 6);
	ends = 0;
	end_err = (struct err)ERR_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mail_free(mail);
	secret_clear(&password);
	http_fixture_free(f);
	return 0;
}

static void on_done(void *arg, const struct err *err)
{
	(void)arg;
	call = NULL;
	ends++;
	if (err != NULL)
		end_err = *err;
}

static bool has_ended(void *arg)
{
	(void)arg;
	return ends > 0;
}

static const char *const to[] = {"ops@example.com", "boss@example.com"};

static struct mail_message message_to(const char *host, int port)
{
	return (struct mail_message){.host = host,
		.port = port,
		.tls = MAIL_PLAIN,
		.ca_bundle = "",
		.helo = "sensor.example.com",
		.user = "",
		.password = &password,
		.from = "acmsensor@example.com",
		.to = to,
		.to_count = 2,
		.text = TEXT,
		.text_len = strlen(TEXT),
		.connect_ms = 5000,
		.total_ms = 5000};
}

static void start(const struct mail_message *message)
{
	ends = 0;
	end_err = (struct err)ERR_INIT;
	call = mail_start(mail, message, on_done, NULL);
	assert_int_equal(ends, 0); /* never from start */
}

static void run(const struct mail_message *message)
{
	start(message);
	fixture_run_until(f, has_ended, NULL);
	assert_int_equal(ends, 1);
}

static void run_script(struct script *script, const char *host)
{
	struct test_server *server = test_server_start(serve, script);
	struct mail_message message = message_to(host, test_server_port(server));
	run(&message);
	test_server_stop(server);
}

static void a_server_takes_a_message_for_each_recipient(void **state)
{
	(void)state;
	struct script script = script_new();
	run_script(&script, "mail.test");
	assert_int_equal(end_err.kind, ERR_NONE);
	assert_non_null(strstr(script.log, "EHLO sensor.example.com\r\n"));
	assert_non_null(strstr(script.log, "MAIL FROM:<acmsensor@example.com>"));
	assert_non_null(strstr(script.log, "RCPT TO:<ops@example.com>"));
	assert_non_null(strstr(script.log, "RCPT TO:<boss@example.com>"));
	assert_non_null(strstr(script.log, "\r\n\r\nfirst\r\n..dot\r\nlast\r\n.\r\n"));
	assert_null(strstr(script.log, "AUTH"));
}

static void an_address_needs_no_name(void **state)
{
	(void)state;
	struct script script = script_new();
	run_script(&script, "127.0.0.1");
	assert_int_equal(end_err.kind, ERR_NONE);
}

static void user_and_password_are_sent(void **state)
{
	(void)state;
	struct script script = script_new();
	struct test_server *server = test_server_start(serve, &script);
	struct mail_message message = message_to("mail.test", test_server_port(server));
	message.user = "user";
	run(&message);
	assert_int_equal(end_err.kind, ERR_NONE);
	assert_non_null(strstr(script.log, "AUTH PLAIN AHVzZXIAc2VjcmV0"));
	script.auth = "535 5.7.8 no\r\n";
	run(&message);
	assert_int_equal(end_err.kind, ERR_DENIED);
	assert_non_null(strstr(end_err.text, "user or password refused"));
	assert_null(strstr(end_err.text, "secret"));
	test_server_stop(server);
}

static void each_answer_that_is_no_means_something(void **state)
{
	(void)state;
	const struct {
		size_t member;
		const char *answer;
		enum err_kind kind;
		const char *says;
	} no[] = {
		{offsetof(struct script, mail), "553 no sender\r\n", ERR_REFUSED,
			"the server answered 553"},
		{offsetof(struct script, rcpt), "550 unknown\r\n", ERR_REFUSED,
			"the server answered 550"},
		{offsetof(struct script, rcpt), "451 greylisted\r\n", ERR_SERVICE,
			"the server answered 451"},
		{offsetof(struct script, data), "451 later\r\n", ERR_SERVICE,
			"the server answered 451"},
		{offsetof(struct script, end), "552 too big\r\n", ERR_REFUSED,
			"the server answered 552"},
		{offsetof(struct script, end), "452 full\r\n", ERR_SERVICE,
			"the server answered 452"},
		{offsetof(struct script, end), "299 what\r\n", ERR_PROTOCOL,
			"the answer is not SMTP"},
		{offsetof(struct script, greeting), "554 go away\r\n", ERR_REFUSED,
			"the server answered 554"},
		{offsetof(struct script, mail), "221 bye\r\n", ERR_UNREACHABLE, "broke"},
	};
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct script script = script_new();
		*(const char **)(void *)((char *)&script + no[i].member) = no[i].answer;
		run_script(&script, "mail.test");
		if (end_err.kind != no[i].kind || strstr(end_err.text, no[i].says) == NULL)
			fail_msg("%s: %d %s", no[i].answer, (int)end_err.kind, end_err.text);
		assert_non_null(strstr(end_err.text, "smtp://mail.test:"));
	}
}

static void a_server_that_stalls_is_given_up(void **state)
{
	(void)state;
	struct script script = script_new();
	script.is_silent = true;
	script.greeting = "";
	struct test_server *server = test_server_start(serve, &script);
	struct mail_message message = message_to("mail.test", test_server_port(server));
	message.total_ms = 200;
	run(&message);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_non_null(
		strstr(end_err.text, "not taken over within 200 ms: waited for the server"));
	test_server_stop(server);
}

/* libcurl takes its leave and waits for the answer; nobody else waits with it. */
static void a_server_that_does_not_say_goodbye_holds_up_nobody(void **state)
{
	(void)state;
	struct script script = script_new();
	script.rcpt = "550 unknown\r\n";
	script.is_mute_at_the_end = true;
	struct test_server *server = test_server_start(serve, &script);
	struct mail_message message = message_to("mail.test", test_server_port(server));
	int64_t begun_ms = clock_mono_ms();
	start(&message);
	fixture_run_ms(f, 200);
	assert_int_equal(ends, 0);
	mail_cancel(call);
	assert_true(clock_mono_ms() - begun_ms < 2000);
	test_server_stop(server);
}

static void who_cannot_be_reached_is_told(void **state)
{
	(void)state;
	struct mail_message message = message_to("missing.test", 25);
	run(&message);
	assert_int_equal(end_err.kind, ERR_UNREACHABLE);
	message = message_to("stuck.test", 25);
	message.total_ms = 100;
	run(&message);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_non_null(strstr(end_err.text, "waited for its address"));
	message = message_to("127.0.0.1", 1);
	run(&message);
	assert_int_equal(end_err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(end_err.text, "smtp://127.0.0.1:1: no connection"));
	struct test_full_server *full = test_full_server_start();
	message = message_to("mail.test", test_full_server_port(full));
	message.connect_ms = 200;
	run(&message);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_non_null(strstr(end_err.text, "no connection and greeting within 200 ms"));
	test_full_server_stop(full);
	struct script script = script_new();
	script.greeting = "HTTP/1.1 400 what\r\n\r\n";
	struct test_server *server = test_server_start(serve, &script);
	message = message_to("mail.test", test_server_port(server));
	message.connect_ms = 200;
	run(&message);
	test_server_stop(server);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
}

static void the_server_must_be_who_it_says(void **state)
{
	(void)state;
	struct script script = script_new();
	struct test_ca *ca = test_ca_new("ours"), *other = test_ca_new("other");
	struct test_server *server = test_server_start_tls(serve, &script, ca, "mail.test");
	struct mail_message message = message_to("mail.test", test_server_port(server));
	message.tls = MAIL_TLS;
	message.ca_bundle = test_ca_file(ca);
	run(&message);
	assert_int_equal(end_err.kind, ERR_NONE);
	message.ca_bundle = test_ca_file(other);
	run(&message);
	assert_int_equal(end_err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(end_err.text, "no TLS connection"));
	message.ca_bundle = test_ca_file(ca);
	message.host = "another.test";
	run(&message);
	assert_int_equal(end_err.kind, ERR_UNREACHABLE);
	message.ca_bundle = "/nonexistent.pem";
	run(&message);
	assert_int_equal(end_err.kind, ERR_CONFIG);
	assert_non_null(strstr(end_err.text, "the CA bundle /nonexistent.pem cannot be read"));
	test_server_stop(server);
	test_ca_free(ca);
	test_ca_free(other);
}

static void a_server_without_starttls_gets_nothing(void **state)
{
	(void)state;
	struct script script = script_new();
	struct test_server *server = test_server_start(serve, &script);
	struct mail_message message = message_to("mail.test", test_server_port(server));
	message.tls = MAIL_STARTTLS;
	message.user = "user";
	run(&message);
	test_server_stop(server);
	assert_int_equal(end_err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(end_err.text, "the server offers no STARTTLS"));
	assert_null(strstr(script.log, "AUTH"));
	assert_null(strstr(script.log, "MAIL"));
}

static void a_cancelled_one_never_calls_back(void **state)
{
	(void)state;
	struct script script = script_new();
	script.is_silent = true;
	struct test_server *server = test_server_start(serve, &script);
	const char *const host[] = {"mail.test", "127.0.0.1", "stuck.test"};
	for (size_t i = 0; i < 3; i++) {
		struct mail_message message = message_to(host[i], test_server_port(server));
		start(&message);
		mail_cancel(call);
		start(&message);
		fixture_run_ms(f, 50);
		mail_cancel(call);
		fixture_run_ms(f, 10);
		assert_int_equal(ends, 0);
	}
	mail_cancel(NULL);
	test_server_stop(server);
}

/* As test_full_server, on ::1. fd[0] listens. -1 in it: this host has no IPv6. */
static void fill_ipv6(int port, int fd[5])
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	for (int i = 0; i < 5; i++)
		fd[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(fd[0], (struct sockaddr *)&address, sizeof(address)) != 0 ||
		listen(fd[0], 0) != 0) {
		close(fd[0]);
		fd[0] = -1;
	}
	for (int i = 1; i < 5; i++)
		(void)connect(fd[i], (struct sockaddr *)&address, sizeof(address));
}

/* libcurl tries both families side by side: whoever cancels waits for neither. */
static void two_addresses_that_do_not_answer_hold_up_nobody(void **state)
{
	(void)state;
	int fd[5];
	struct test_full_server *full = test_full_server_start();
	struct mail_message message = message_to("dual.test", test_full_server_port(full));
	fill_ipv6(message.port, fd);
	start(&message);
	fixture_run_ms(f, 500);
	assert_int_equal(ends, 0);
	int64_t begun_ms = clock_mono_ms();
	mail_cancel(call);
	assert_true(clock_mono_ms() - begun_ms < 1000);
	message.total_ms = 500;
	begun_ms = clock_mono_ms();
	run(&message);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_true(clock_mono_ms() - begun_ms < 2000);
	for (int i = 0; i < 5; i++)
		close(fd[i]);
	test_full_server_stop(full);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(a_server_takes_a_message_for_each_recipient),
		IN_FIXTURE(an_address_needs_no_name),
		IN_FIXTURE(user_and_password_are_sent),
		IN_FIXTURE(each_answer_that_is_no_means_something),
		IN_FIXTURE(a_server_that_stalls_is_given_up),
		IN_FIXTURE(a_server_that_does_not_say_goodbye_holds_up_nobody),
		IN_FIXTURE(two_addresses_that_do_not_answer_hold_up_nobody),
		IN_FIXTURE(who_cannot_be_reached_is_told),
		IN_FIXTURE(the_server_must_be_who_it_says),
		IN_FIXTURE(a_server_without_starttls_gets_nothing),
		IN_FIXTURE(a_cancelled_one_never_calls_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
