/* One message on each kind of channel: what is sent, what an answer means, and that a secret stays
 * one. */
#include "alert/channel_send.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "alert/message.h"
#include "base/err.h"
#include "base/http.h"
#include "base/loop.h"
#include "tests/alert/make_channel.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_ways.h"
#include "tests/lib/temp_store.h"

#define URL "https://hooks.example.com/services/T0/B0/secret"

static char *folder, *file;
static struct loop *loop;
static struct http *http;
static struct mail *mail;
static char journal[4096];
static int ends;
static char said[256];
static struct err end_err;
static char none[] = "";

static void write_journal(void *arg, enum alert_class class, const char *line)
{
	(void)arg;
	size_t len = strlen(journal);
	(void)snprintf(journal + len, sizeof(journal) - len, "%d %s\n", (int)class, line);
}

static struct channel_ways ways;

static int setup(void **state)
{
	struct err err = ERR_INIT;
	const struct http_limits limits = {.max_requests = 4, .per_host_max = 4, .idle_max = 4};
	(void)state;
	folder = temp_folder_new();
	file = temp_path(folder, "secret");
	loop = loop_new(&err);
	http = http_new(loop, NULL, &limits, &err);
	mail = mail_new(loop, NULL, &err);
	fake_http_reset();
	fake_ways_reset();
	journal[0] = '\0';
	ways = (struct channel_ways){.loop = loop,
		.http = http,
		.mail = mail,
		.journal = write_journal,
		.sensor = "dc_1"};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_http_pending(), 0);
	assert_int_equal(fake_ways_pending(), 0);
	fake_http_reset();
	mail_free(mail);
	http_free(http);
	loop_free(loop);
	free(file);
	temp_folder_remove(folder);
	return 0;
}

static void write_secret(const char *text, size_t len)
{
	FILE *to = fopen(file, "w");
	assert_int_equal(fwrite(text, 1, len, to), len);
	assert_int_equal(fchmod(fileno(to), 0640), 0);
	assert_int_equal(fclose(to), 0);
}

static void on_done(void *arg, const char *what, const struct err *err)
{
	(void)arg;
	ends++;
	(void)snprintf(said, sizeof(said), "%s", what != NULL ? what : "");
	end_err = err != NULL ? *err : (struct err)ERR_INIT;
}

static struct channel_send *start(const struct alert_channel *channel)
{
	struct message message = {.sensor = "dc1", .id = "ops-0-1", .now_s = SAMPLE_NOW_S};
	const struct alert_record alert = {.id = "0123456789abcdef",
		.kind = ALERT_CERTIFICATE,
		.class = ALERT_CRITICAL,
		.subject = "arn",
		.connector = "",
		.account_id = "",
		.region = "",
		.name = "www.example.com",
		.text = "ends \"soon\""};
	message_add(&message, &alert);
	ends = 0;
	struct channel_send *send = channel_send_start(&ways, channel, &message, on_done, NULL);
	message_clear(&message);
	assert_int_equal(ends, 0);
	return send;
}

static void run(const struct alert_channel *channel)
{
	(void)start(channel);
	fake_loop_run_ready();
	assert_int_equal(ends, 1);
}

/* --- webhook ---------------------------------------------------------------------------------- */

static struct alert_channel webhook(void)
{
	struct alert_channel channel = make_channel(none, CHANNEL_WEBHOOK);
	channel.url_file = file;
	return channel;
}

static void a_webhook_is_posted_to(void **state)
{
	(void)state;
	static char proxy[] = "http://proxy:3128", ca[] = "/ca.pem";
	struct alert_channel channel = webhook();
	channel.proxy = proxy;
	channel.ca_bundle = ca;
	write_secret("  " URL "\r\nsecond line\n", strlen("  " URL "\r\nsecond line\n"));
	fake_http_answer(204, "");
	run(&channel);
	assert_string_equal(said, "HTTP 204");
	const struct fake_http_request *request = fake_http_request(0);
	assert_string_equal(request->url, URL);
	assert_string_equal(request->host_key, "https://hooks.example.com:443");
	assert_string_equal(request->proxy, proxy);
	assert_string_equal(request->ca_bundle, ca);
	assert_int_equal(request->timeouts.total_ms, 7000);
	assert_true(request->is_secret);
	assert_string_equal(fake_http_header(0, "Content-Type"), "application/json");
	assert_non_null(strstr(request->body, "\"id\":\"ops-0-1\""));
	channel.shape = CHANNEL_SLACK;
	fake_http_answer(200, "ok");
	run(&channel);
	assert_non_null(strstr(fake_http_request(1)->body, "{\"text\":\"*1 alert"));
	channel.shape = CHANNEL_TEAMS;
	fake_http_answer(202, "");
	run(&channel);
	assert_non_null(strstr(fake_http_request(2)->body, "AdaptiveCard"));
}

static void an_answer_that_is_no_means_something(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *text;
	} all[] = {
		{500, "", ERR_SERVICE, "webhook: the receiver answered HTTP 500"},
		{429, "", ERR_SERVICE, "webhook: the receiver answered HTTP 429"},
		{404, "no_team", ERR_REFUSED, "webhook: the receiver answered HTTP 404: no_team"},
		{302, "", ERR_REFUSED, "webhook: the receiver answered HTTP 302"},
		{400, "/services/T0/B0/secret", ERR_REFUSED,
			"webhook: the receiver answered HTTP 400"},
		{400, "secret", ERR_REFUSED, "webhook: the receiver answered HTTP 400"},
		{400,
			"a long answer of more words than anybody wants to read in a line of a log "
			"or so",
			ERR_REFUSED, "webhook: the receiver answered HTTP 400"},
	};
	struct alert_channel channel = webhook();
	write_secret(URL "\n", strlen(URL "\n"));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake_http_answer(all[i].status, all[i].body);
		run(&channel);
		assert_int_equal(end_err.kind, all[i].kind);
		assert_string_equal(end_err.text, all[i].text);
	}
	fake_http_fail(ERR_TIMEOUT, "total");
	run(&channel);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_memory_equal(end_err.text, "webhook: ", 9);
}

static void a_file_without_a_url_is_told_without_what_it_holds(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"", "\n", "   \n", "ftp://secret/x\n", "https://user:secret@host/\n", "secret\n"};
	struct alert_channel channel = webhook();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_secret(wrong[i], strlen(wrong[i]));
		run(&channel);
		assert_int_equal(end_err.kind, ERR_CONFIG);
		assert_non_null(strstr(end_err.text, file));
		assert_null(strstr(end_err.text + strlen("webhook: ") + strlen(file), "secret"));
	}
	char large[4096];
	memset(large, 'x', sizeof(large));
	write_secret(large, sizeof(large));
	run(&channel);
	assert_non_null(
		strstr(end_err.text, "expected a file with one line of at most 4095 bytes"));
	channel.url_file = folder;
	run(&channel);
	assert_int_equal(end_err.kind, ERR_CONFIG);
	assert_non_null(strstr(end_err.text, ": not a regular file"));
	channel.url_file = none;
	run(&channel);
	assert_int_equal(end_err.kind, ERR_CONFIG);
	assert_int_equal(fake_http_count(), 0);
}

static void a_secret_that_everybody_can_reach_is_not_used(void **state)
{
	(void)state;
	static const mode_t open_modes[] = {0604, 0602, 0644, 0666, 0777};
	static const char url[] = "https://hook.example.com/x\n";
	struct alert_channel channel = webhook();
	write_secret(url, strlen(url));
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		char mode[32];
		(void)snprintf(mode, sizeof(mode), "(mode %04o)", (unsigned)open_modes[i]);
		assert_int_equal(chmod(file, open_modes[i]), 0);
		run(&channel);
		assert_int_equal(end_err.kind, ERR_CONFIG);
		assert_non_null(strstr(end_err.text, "it holds a secret and is open to everybody"));
		assert_non_null(strstr(end_err.text, mode));
		assert_non_null(strstr(end_err.text, "; expected chmod o-rwx"));
	}
	assert_int_equal(fake_http_count(), 0);
	assert_int_equal(chmod(file, 0640), 0);
	fake_http_fail(ERR_TIMEOUT, "total");
	run(&channel);
	assert_int_equal(end_err.kind, ERR_TIMEOUT); /* it was tried */
}

/* --- mail ------------------------------------------------------------------------------------- */

static void mail_goes_to_the_server(void **state)
{
	(void)state;
	static char server[] = "mail.example.com", user[] = "sensor", from[] = "a@example.com";
	static char first[] = "b@example.com", second[] = "c@example.com";
	char *to[] = {first, second};
	struct alert_channel channel = make_channel(none, CHANNEL_MAIL);
	channel.server = server;
	channel.user = user;
	channel.password_file = file;
	channel.from = from;
	channel.to = to;
	channel.to_count = 2;
	write_secret("pass\n", 5);
	run(&channel);
	assert_string_equal(said, "taken over by the mail server");
	assert_string_equal(
		fake_ways_call(0)->what, "mail mail.example.com:587 0 sensor/pass helo dc-1");
	assert_string_equal(fake_ways_call(0)->more, "b@example.com c@example.com ");
	assert_non_null(
		strstr(fake_ways_call(0)->text, "To: b@example.com,\r\n c@example.com\r\n"));
	channel.tls = MAIL_TLS;
	run(&channel);
	assert_string_equal(
		fake_ways_call(1)->what, "mail mail.example.com:465 1 sensor/pass helo dc-1");
	channel.tls = MAIL_PLAIN;
	channel.user = none;
	run(&channel);
	assert_string_equal(fake_ways_call(2)->what, "mail mail.example.com:25 2 / helo dc-1");
	fake_ways_plan(ERR_REFUSED, 0, "");
	run(&channel);
	assert_int_equal(end_err.kind, ERR_REFUSED);
	assert_string_equal(end_err.text, "mail: smtp: planned");
	channel.user = user;
	write_secret("", 0);
	run(&channel);
	assert_int_equal(end_err.kind, ERR_CONFIG);
	channel.server = none;
	run(&channel);
	assert_non_null(strstr(end_err.text, "expected a mail server as host or host:port"));
}

/* --- command and journal ---------------------------------------------------------------------- */

static void a_program_gets_the_message_and_a_bare_environment(void **state)
{
	(void)state;
	static char command[] = "/usr/local/bin/tell";
	struct alert_channel channel = make_channel(none, CHANNEL_COMMAND);
	channel.command = command;
	run(&channel);
	assert_string_equal(said, "exit code 0");
	assert_string_equal(fake_ways_call(0)->what, "child /usr/local/bin/tell ");
	assert_string_equal(fake_ways_call(0)->more,
		"PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C.UTF-8\nACMSENSOR_CLASS=critical\n"
		"ACMSENSOR_COUNT=1\n");
	assert_non_null(strstr(fake_ways_call(0)->text, "\"schema\":1"));
	fake_ways_plan(ERR_NONE, 3, "no \x1b[31m pager");
	run(&channel);
	assert_int_equal(end_err.kind, ERR_SERVICE);
	assert_string_equal(
		end_err.text, "command: /usr/local/bin/tell: exit code 3: no \\x1b[31m pager");
	fake_ways_plan(ERR_NONE, 3, "");
	run(&channel);
	assert_string_equal(end_err.text, "command: /usr/local/bin/tell: exit code 3");
	fake_ways_plan(ERR_TIMEOUT, 0, "");
	run(&channel);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
}

static void the_journal_gets_a_line_each(void **state)
{
	(void)state;
	struct alert_channel channel = make_channel(none, CHANNEL_JOURNAL);
	run(&channel);
	assert_string_equal(said, "written");
	assert_string_equal(journal, "3 alert certificate class=critical id=0123456789abcdef "
				     "subject=\"arn\" text=\"ends \\\"soon\\\"\"\n");
	struct message message = {.sensor = "dc1", .id = "x", .now_s = 1, .is_test = true};
	journal[0] = '\0';
	(void)channel_send_start(&ways, &channel, &message, on_done, NULL);
	fake_loop_run_ready();
	assert_string_equal(journal, "1 alert summary text=\"test message of acmsensor on dc1\"\n");
	struct alert_record alert = {.id = "0123456789abcdef",
		.kind = ALERT_JOB,
		.class = ALERT_CRITICAL,
		.subject = "j-1",
		.connector = "",
		.account_id = "",
		.region = "",
		.name = "",
		.text = "failed",
		.resolution = "long ago",
		.resolved_s = 1};
	message.is_test = false;
	message_add(&message, &alert);
	alert.resolved_s = 0;
	for (int i = 0; i < MESSAGE_ITEMS_MAX; i++)
		message_add(&message, &alert);
	journal[0] = '\0';
	(void)channel_send_start(&ways, &channel, &message, on_done, NULL);
	fake_loop_run_ready();
	assert_non_null(strstr(
		journal, "3 alert summary text=\"20 alerts (20 critical), 1 resolved on dc1\"\n"));
	message_clear(&message);
	alert.resolved_s = 1;
	message_add(&message, &alert);
	journal[0] = '\0';
	(void)channel_send_start(&ways, &channel, &message, on_done, NULL);
	fake_loop_run_ready();
	assert_non_null(strstr(journal, "1 alert job class=resolved id=0123456789abcdef "
					"subject=\"j-1\" reason=\"long ago\"\n"));
	message_clear(&message);
}

static void a_cancelled_one_never_calls_back(void **state)
{
	(void)state;
	static char command[] = "/bin/true", server[] = "host", from[] = "a@b", to_one[] = "c@d";
	char *to[] = {to_one};
	struct alert_channel all[] = {webhook(), make_channel(none, CHANNEL_MAIL),
		make_channel(none, CHANNEL_COMMAND), make_channel(none, CHANNEL_JOURNAL),
		webhook()};
	all[1].server = server;
	all[1].from = from;
	all[1].to = to;
	all[1].to_count = 1;
	all[2].command = command;
	all[4].url_file = none;
	write_secret(URL, strlen(URL));
	fake_ways_hang();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		channel_send_cancel(start(&all[i]));
		fake_loop_run_ready();
		assert_int_equal(ends, 0);
		if (i > 2)
			continue;
		struct channel_send *send = start(&all[i]);
		fake_loop_run_ready();
		channel_send_cancel(send);
		assert_int_equal(ends, 0);
	}
	channel_send_cancel(NULL);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_webhook_is_posted_to),
		IN_FOLDER(an_answer_that_is_no_means_something),
		IN_FOLDER(a_file_without_a_url_is_told_without_what_it_holds),
		IN_FOLDER(a_secret_that_everybody_can_reach_is_not_used),
		IN_FOLDER(mail_goes_to_the_server),
		IN_FOLDER(a_program_gets_the_message_and_a_bare_environment),
		IN_FOLDER(the_journal_gets_a_line_each),
		IN_FOLDER(a_cancelled_one_never_calls_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
