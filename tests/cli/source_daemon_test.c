/* The daemon behind its socket: what is asked, and every way in which an answer fails. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/source.h"
#include "tests/lib/temp_store.h"

enum { REQUEST_MAX = 8192, EVER_S = 10 };

#define OK(body)   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define PARTS	   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define BAD(body)  "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n" body
#define SAYS_NO(m) "the daemon answered " m

/* --- a daemon that says one thing to one caller ----------------------------------------------- */

static struct {
	char *folder, *path;
	int listener;
	pthread_t thread;
	const char *answer; /* NULL: it takes the call and no more, as a kernel does for it */
	char request[REQUEST_MAX];
} server;

/* Head and, after its Content-Length, body. */
static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"),
		   *length = strstr(request, "Content-Length: ");
	if (end == NULL)
		return false;
	return length == NULL ||
	       strlen(end + 4) >= (size_t)atol(length + strlen("Content-Length: "));
}

static void *serve(void *arg)
{
	char *request = server.request;
	size_t len = 0;
	ssize_t got = 1;
	(void)arg;
	int fd = accept(server.listener, NULL, NULL);
	while (!is_whole(request) && got > 0) {
		got = read(fd, request + len, REQUEST_MAX - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	(void)!write(fd, server.answer, strlen(server.answer));
	close(fd);
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)state;
	memset(&server, 0, sizeof(server));
	server.folder = temp_folder_new();
	server.path = temp_path(server.folder, "s");
	strncpy(address.sun_path, server.path, sizeof(address.sun_path) - 1);
	server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(server.listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			       listen(server.listener, 1) == 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(server.listener);
	free(server.path);
	temp_folder_remove(server.folder);
	return 0;
}

static void start(const char *answer)
{
	memset(server.request, 0, sizeof(server.request));
	server.answer = answer;
	if (answer != NULL)
		assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void finish(void)
{
	if (server.answer != NULL)
		assert_int_equal(pthread_join(server.thread, NULL), 0);
}

static struct cli client(void)
{
	return (struct cli){.socket_path = server.path};
}

/* --- one document ----------------------------------------------------------------------------- */

static int get(const char *answer, long timeout_s, json_t **ret_document, struct err *err)
{
	struct cli cli = client();
	*err = (struct err)ERR_INIT;
	start(answer);
	int rc = source_get(&cli, "/v1/x", NULL, timeout_s, ret_document, err);
	finish();
	return rc;
}

static void fails(const char *answer, enum err_kind kind, const char *code, const char *text)
{
	struct err err;
	json_t *document = NULL;
	assert_int_equal(get(answer, EVER_S, &document, &err), -1);
	assert_null(document);
	assert_string_equal(err.text, text);
	assert_string_equal(err.code, code);
	assert_int_equal(err.kind, kind);
}

static void a_document_is_read_whole(void **state)
{
	(void)state;
	struct err err;
	json_t *document = NULL;
	assert_int_equal(get(OK("{\"a\": [1]}"), EVER_S, &document, &err), 0);
	assert_int_equal(json_array_size(json_object_get(document, "a")), 1);
	json_decref(document);
	assert_non_null(strstr(server.request, "GET /v1/x HTTP/1.1\r\n"));
}

static void what_is_no_document_is_an_error(void **state)
{
	(void)state;
	static const char *const bodies[] = {OK(""), OK("{"), OK("[1]"), OK("null"), OK("{} {}")};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct err err;
		json_t *document = NULL;
		assert_int_equal(get(bodies[i], EVER_S, &document, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_int_equal(strncmp(err.text, "answer of the daemon: ", 22), 0);
	}
}

static void a_part_of_an_answer_does_not_count(void **state)
{
	(void)state;
	struct err err;
	json_t *document = NULL;
	assert_int_equal(
		get("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", EVER_S, &document, &err),
		-1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(strncmp(err.text, "the daemon's answer broke off (", 31), 0);
	assert_non_null(strstr(err.text, "); nothing of it counts"));
}

static void an_error_is_what_the_daemon_named(void **state)
{
	(void)state;
	fails(BAD("{\"error\": {\"kind\": \"not_found\", \"code\": \"c\", \"message\": \"m\"}}"),
		ERR_NOT_FOUND, "c", "m");
	fails(BAD("{\"error\": {\"kind\": \"of a newer daemon\", \"message\": \"m\"}}"),
		ERR_SERVICE, "", "m");
	fails(BAD("{\"error\": {\"kind\": \"none\", \"message\": \"m\"}}"), ERR_SERVICE, "", "m");
	fails(BAD("{\"error\": {\"message\": \"m\"}}"), ERR_SERVICE, "", "m");
	/* It is AWS that is not there, not the daemon. */
	fails(BAD("{\"error\": {\"kind\": \"unreachable\", \"message\": \"m\"}}"), ERR_SERVICE, "",
		"m");
	fails(BAD("{\"error\": {\"kind\": \"timeout\", \"message\": \"m\"}}"), ERR_SERVICE, "",
		"m");
}

static void an_error_that_says_nothing_is_its_status(void **state)
{
	(void)state;
	static const char *const answers[] = {BAD(""), BAD("{}"), BAD("{\"error\": 1}"),
		BAD("<html>"), BAD("{\"error\": {\"kind\": \"config\", \"message\": 7}}")};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		fails(answers[i], ERR_SERVICE, "", SAYS_NO("400"));
	fails("HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nConnection: close\r\n\r\n",
		ERR_SERVICE, "", SAYS_NO("302"));
}

static void a_daemon_that_does_not_answer_is_given_up(void **state)
{
	(void)state;
	struct err err;
	char text[256];
	json_t *document = NULL;
	assert_int_equal(get(NULL, 1, &document, &err), -1);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	snprintf(text, sizeof(text), "the daemon on %s does not answer", server.path);
	assert_string_equal(err.text, text);
}

static void ctrl_c_ends_the_wait(void **state)
{
	(void)state;
	struct err err;
	json_t *document = NULL;
	interrupt_catch();
	raise(SIGINT);
	assert_int_equal(get(NULL, EVER_S, &document, &err), -1);
	interrupt_release();
	assert_true(interrupt_is(&err));
	assert_string_equal(err.text, "interrupted");
}

/* --- nobody there ----------------------------------------------------------------------------- */

static void unreachable(const char *why, bool works_offline)
{
	struct cli cli = client();
	struct err err = ERR_INIT;
	json_t *document = NULL;
	char text[512];
	snprintf(text, sizeof(text),
		"no daemon answers on %s (%s); is acmsensord running? Another socket: --socket "
		"PATH%s",
		server.path, why, works_offline ? "; without a daemon: --offline DATA_DIR" : "");
	cli.works_offline = works_offline;
	assert_int_equal(source_get(&cli, "/v1/x", NULL, EVER_S, &document, &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_string_equal(err.text, text);
}

static void no_daemon_says_what_to_do(void **state)
{
	(void)state;
	struct err err;
	json_t *document = NULL;
	assert_int_equal(get("", EVER_S, &document, &err), -1); /* went away before a word */
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	close(server.listener);
	unreachable(strerror(ECONNREFUSED), true);
	unlink(server.path);
	unreachable(strerror(ENOENT), true);
	unreachable(strerror(ENOENT), false);
}

static void who_may_not_ask_is_told_who_may(void **state)
{
	(void)state;
	struct cli cli = client();
	struct err err = ERR_INIT;
	json_t *document = NULL;
	uid_t self = geteuid();
	assert_int_equal(chmod(server.folder, 0), 0);
	if (self == 0)
		assert_int_equal(seteuid(65534), 0);
	int rc = source_get(&cli, "/v1/x", NULL, EVER_S, &document, &err);
	assert_int_equal(seteuid(self), 0);
	assert_int_equal(chmod(server.folder, S_IRWXU), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(err.text,
		" lets only root and members of the group acmsensor in (Permission denied): ask as one of "
		"them"));
}

static void a_store_alone_is_no_daemon(void **state)
{
	(void)state;
	struct cli cli = {.socket_path = server.path, .offline_dir = server.folder};
	static const char said[] = "this needs a running daemon: leave out --offline";
	struct err err = ERR_INIT;
	struct buf body;
	json_t *document = NULL, *order = json_object();
	buf_init_secret(&body, 16);
	assert_int_equal(source_get(&cli, "/v1/x", NULL, EVER_S, &document, &err), -1);
	assert_string_equal(err.text, said);
	assert_int_equal(source_text(&cli, "/metrics", "a/b", EVER_S, stdout, &err), -1);
	assert_string_equal(err.text, said);
	assert_int_equal(source_post(&cli, "/v1/x", order, &document, &err), -1);
	assert_string_equal(err.text, said);
	assert_int_equal(source_post_secret(&cli, "/v1/x", &body, &document, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	json_decref(order);
	buf_clear(&body);
}

/* --- orders ----------------------------------------------------------------------------------- */

static void an_order_is_sent_as_json(void **state)
{
	(void)state;
	struct cli cli = client();
	struct err err = ERR_INIT;
	json_t *document = NULL, *order = json_pack("{s:s}", "plan", "p\xc3\xa4");
	start(OK("{}"));
	assert_int_equal(source_post(&cli, "/v1/apply", order, &document, &err), 0);
	finish();
	json_decref(document);
	json_decref(order);
	assert_non_null(strstr(server.request, "POST /v1/apply HTTP/1.1\r\n"));
	assert_non_null(strstr(server.request, "Content-Type: application/json\r\n"));
	assert_null(strstr(server.request, "Expect:"));
	assert_non_null(strstr(server.request, "\r\n\r\n{\"plan\":\"p\xc3\xa4\"}"));
}

static void what_is_not_utf8_is_not_sent(void **state)
{
	(void)state;
	struct cli cli = client();
	struct err err = ERR_INIT;
	json_t *document = NULL, *order = json_object();
	json_object_set_new(order, "plan", json_string_nocheck("\xfc"));
	assert_int_equal(source_post(&cli, "/v1/apply", order, &document, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, "an argument is not UTF-8 text");
	assert_int_equal(source_post(&cli, "/v1/apply", NULL, &document, &err), -1);
	json_decref(order);
}

/* --- lists ------------------------------------------------------------------------------------ */

static int take_row(void *arg, const json_t *row, struct err *err)
{
	int *rows = arg;
	++*rows;
	return json_object_get(row, "stop") == NULL ? 0 : err_set(err, ERR_LIMIT, "enough");
}

static int list(const char *answer, const struct params *params, int *ret_rows, struct err *err)
{
	struct cli cli = client();
	*ret_rows = 0;
	*err = (struct err)ERR_INIT;
	start(answer);
	int rc = source_rows(&cli, LIST_EVENTS, params, take_row, ret_rows, err);
	finish();
	return rc;
}

static void a_list_comes_row_by_row(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct err err;
	int rows;
	params_add(&params, "since", "a b&c=\xc3\xa4");
	params_add(&params, "limit", NULL);
	params_add(&params, "from", "7");
	assert_int_equal(
		list(PARTS "8\r\n{\"a\":1}\n\r\n3\r\n{}\n\r\n0\r\n\r\n", &params, &rows, &err), 0);
	assert_int_equal(rows, 2);
	assert_non_null(strstr(server.request,
		"GET /v1/events?since=a%20b%26c%3D%C3%A4&from=7&format=ndjson HTTP/1.1\r\n"));
	assert_int_equal(list(OK(""), NULL, &rows, &err), 0);
	assert_int_equal(rows, 0);
	assert_non_null(strstr(server.request, "GET /v1/events?format=ndjson HTTP/1.1\r\n"));
}

static void a_list_that_breaks_off_is_no_short_list(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct err err;
	int rows;
	assert_int_equal(list(PARTS "3\r\n{}\n\r\n", &params, &rows, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(rows, 1);
	assert_int_equal(list(OK("{}\n{\"a\""), &params, &rows, &err), -1);
	assert_string_equal(err.text, "the list broke off in the middle of a row");
	assert_int_equal(list(OK("{}\nx\n{}\n"), &params, &rows, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(rows, 1);
	assert_int_equal(list(OK("{\"stop\":1}\n{}\n"), &params, &rows, &err), -1);
	assert_string_equal(err.text, "enough");
	assert_int_equal(rows, 1);
	assert_int_equal(list(BAD("{\"error\": {\"kind\": \"config\", \"message\": \"since: x\"}}"),
				 &params, &rows, &err),
		-1);
	assert_string_equal(err.text, "since: x");
	assert_int_equal(rows, 0);
}

static void a_parameter_that_is_too_long_is_an_error(void **state)
{
	(void)state;
	struct cli cli = client();
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	static char text[100000];
	int rows = 0;
	memset(text, 'x', sizeof(text) - 1);
	params_add(&params, "since", text);
	assert_int_equal(source_rows(&cli, LIST_EVENTS, &params, take_row, &rows, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "the request is larger than 65536 bytes");
}

/* --- streams ---------------------------------------------------------------------------------- */

static void bytes_are_copied_as_they_come(void **state)
{
	(void)state;
	struct cli cli = client();
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	char text[64] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	start(OK("a\n# EOF\n"));
	assert_int_equal(source_text(&cli, "/metrics", "text/x", EVER_S, out, &err), 0);
	finish();
	assert_non_null(strstr(server.request, "Accept: text/x\r\n"));
	start(OK("{}"));
	assert_int_equal(source_document(&cli, LIST_ALERTS, &params, out, &err), 0);
	finish();
	fclose(out);
	assert_non_null(strstr(server.request, "GET /v1/alerts HTTP/1.1\r\n"));
	assert_string_equal(text, "a\n# EOF\n{}");
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	struct cli cli = client();
	struct err err = ERR_INIT;
	FILE *out = fopen("/dev/full", "we");
	setvbuf(out, NULL, _IONBF, 0);
	start(OK("a"));
	assert_int_equal(source_text(&cli, "/metrics", "text/x", EVER_S, out, &err), -1);
	finish();
	fclose(out);
	assert_string_equal(err.text, "standard output: No space left on device");
	/* An error's document is not for the stream. */
	out = fopen("/dev/full", "we");
	start(BAD("{\"error\": {\"kind\": \"refused\", \"message\": \"m\"}}"));
	assert_int_equal(source_text(&cli, "/metrics", "text/x", EVER_S, out, &err), -1);
	finish();
	fclose(out);
	assert_string_equal(err.text, "m");
}

#define DAEMON_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DAEMON_TEST(a_document_is_read_whole),
		DAEMON_TEST(what_is_no_document_is_an_error),
		DAEMON_TEST(a_part_of_an_answer_does_not_count),
		DAEMON_TEST(an_error_is_what_the_daemon_named),
		DAEMON_TEST(an_error_that_says_nothing_is_its_status),
		DAEMON_TEST(a_daemon_that_does_not_answer_is_given_up),
		DAEMON_TEST(ctrl_c_ends_the_wait),
		DAEMON_TEST(no_daemon_says_what_to_do),
		DAEMON_TEST(who_may_not_ask_is_told_who_may),
		DAEMON_TEST(a_store_alone_is_no_daemon),
		DAEMON_TEST(an_order_is_sent_as_json),
		DAEMON_TEST(what_is_not_utf8_is_not_sent),
		DAEMON_TEST(a_list_comes_row_by_row),
		DAEMON_TEST(a_list_that_breaks_off_is_no_short_list),
		DAEMON_TEST(a_parameter_that_is_too_long_is_an_error),
		DAEMON_TEST(bytes_are_copied_as_they_come),
		DAEMON_TEST(a_full_disk_is_an_error),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
