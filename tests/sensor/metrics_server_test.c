/* The metrics' own server over real sockets: the test is its client, turn by turn of the loop. */
#include "sensor/metrics_server.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "sensor/metrics_request.h"
#include "tests/lib/temp_store.h"

enum { TURNS_MAX = 200000, PATIENCE_MS = 10000, ANSWER_MAX = 8 << 20 };

#define GET "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

struct fixture {
	char *folder;
	struct loop *loop;
	struct store *store;
	struct metrics_server *server;
	uint16_t port;
	int slices;	   /* that the text takes */
	size_t text_bytes; /* 0: a short one */
	int asked;	   /* slices */
	struct buf answer;
};

static bool write_text(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to)
{
	struct fixture *fixture = arg;
	assert_non_null(txn);
	if (++fixture->asked < fixture->slices)
		return false;
	buf_add_text(to, format == OPENMETRICS_CLASSIC ? "classic\n" : "openmetrics\n");
	for (size_t i = 0; i < fixture->text_bytes; i++)
		buf_add_char(to, 'x');
	return true;
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	fixture.store = temp_store_open(fixture.loop, fixture.folder);
	for (int i = 0; i < 20 && fixture.server == NULL; i++) { /* others look for ports too */
		char listen[32];
		fixture.port = free_port();
		(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", fixture.port);
		fixture.server = metrics_server_new(
			fixture.loop, fixture.store, listen, write_text, &fixture, &err);
	}
	if (fixture.server == NULL)
		fail_msg("%s", err.text);
	buf_init(&fixture.answer, ANSWER_MAX);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	metrics_server_free(fixture->server);
	store_close(fixture->store);
	loop_free(fixture->loop);
	buf_clear(&fixture->answer);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- a client ---------------------------------------------------------------------------------- */

static int connect_to(const struct fixture *fixture)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(fixture->port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* One pass: with EVLOOP_NONBLOCK alone libevent goes on while anything is due, as slices are. */
static void turn(const struct fixture *fixture)
{
	(void)event_base_loop(loop_event_base(fixture->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void turns(const struct fixture *fixture, int count)
{
	while (count-- > 0)
		turn(fixture);
}

/* connect() may be back a little before the connection can be accepted. */
static void wait_for_connections(const struct fixture *fixture, size_t count)
{
	for (int i = 0; (size_t)metrics_server_connections(fixture->server) != count; i++) {
		if (i == 20000)
			fail_msg("%zu connections in place of %zu",
				metrics_server_connections(fixture->server), count);
		turn(fixture);
		(void)usleep(500);
	}
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Takes what is there; false: the connection has ended. */
static bool receive(struct fixture *fixture, int fd)
{
	char chunk[65536];
	ssize_t len;
	while ((len = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		buf_add(&fixture->answer, chunk, (size_t)len);
	return len < 0 && errno == EAGAIN;
}

/* Everything until the server has ended its side. */
static const char *answer_on(struct fixture *fixture, int fd)
{
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	buf_reset(&fixture->answer);
	while (receive(fixture, fd)) {
		turn(fixture);
		assert_true(clock_mono_ms() < end_ms);
	}
	return buf_text(&fixture->answer);
}

static const char *ask(struct fixture *fixture, const char *request)
{
	int fd = connect_to(fixture);
	send_text(fd, request);
	(void)answer_on(fixture, fd);
	close(fd);
	for (int i = 0; metrics_server_connections(fixture->server) > 0; i++) {
		turn(fixture);
		assert_true(i < TURNS_MAX);
	}
	return buf_text(&fixture->answer);
}

static void expect_begin(const char *answer, const char *begin)
{
	if (strncmp(answer, begin, strlen(begin)) != 0)
		fail_msg("expected %s: %.300s", begin, answer);
}

/* --- answers ----------------------------------------------------------------------------------- */

static void the_text_is_answered_and_the_connection_ends(void **state)
{
	assert_string_equal(ask(*state, GET),
		"HTTP/1.1 200 OK\r\nContent-Type: " OPENMETRICS_CONTENT_TYPE
		"\r\nContent-Length: 12\r\nConnection: close\r\n\r\nopenmetrics\n");
	assert_string_equal(ask(*state, "GET /metrics HTTP/1.0\nAccept: text/plain\n\n"),
		"HTTP/1.1 200 OK\r\nContent-Type: " OPENMETRICS_CLASSIC_TYPE
		"\r\nContent-Length: 8\r\nConnection: close\r\n\r\nclassic\n");
	assert_string_equal(ask(*state, "HEAD /metrics HTTP/1.1\r\n\r\n"),
		"HTTP/1.1 200 OK\r\nContent-Type: " OPENMETRICS_CONTENT_TYPE
		"\r\nContent-Length: 12\r\nConnection: close\r\n\r\n");
}

static void what_is_refused_says_why(void **state)
{
	assert_string_equal(ask(*state, "GET /v1/status HTTP/1.1\r\n\r\n"),
		"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
		"Content-Length: 36\r\nConnection: close\r\n\r\n"
		"there is no such path; see /metrics\n");
	const char *answer = ask(*state, "DELETE /metrics HTTP/1.1\r\n\r\n");
	expect_begin(answer, "HTTP/1.1 405 Method Not Allowed\r\n");
	assert_non_null(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
	expect_begin(ask(*state, "hello\r\n\r\n"), "HTTP/1.1 400 Bad Request\r\n");
}

static void a_body_is_dropped_and_the_answer_still_arrives(void **state)
{
	struct fixture *fixture = *state;
	char body[100000];
	int fd = connect_to(fixture);
	memset(body, 'b', sizeof(body));
	send_text(fd, "POST /metrics HTTP/1.1\r\nContent-Length: 100000\r\n\r\n");
	for (size_t sent = 0; sent < sizeof(body);) {
		ssize_t len =
			send(fd, body + sent, sizeof(body) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += len > 0 ? (size_t)len : 0;
		turn(fixture);
	}
	expect_begin(answer_on(fixture, fd), "HTTP/1.1 405 ");
	close(fd);
}

static void a_head_may_come_in_pieces(void **state)
{
	struct fixture *fixture = *state;
	int fd = connect_to(fixture);
	for (const char *at = GET; *at != '\0'; at++) {
		assert_int_equal(send(fd, at, 1, MSG_NOSIGNAL), 1);
		turns(fixture, 2);
	}
	expect_begin(answer_on(fixture, fd), "HTTP/1.1 200 OK\r\n");
	close(fd);
}

static void a_head_that_does_not_end_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char line[METRICS_REQUEST_MAX + 1];
	int fd = connect_to(fixture);
	memset(line, 'a', METRICS_REQUEST_MAX);
	line[METRICS_REQUEST_MAX] = '\0';
	send_text(fd, line);
	expect_begin(answer_on(fixture, fd), "HTTP/1.1 431 Request Header Fields Too Large\r\n");
	assert_non_null(strstr(buf_text(&fixture->answer),
		"\r\n\r\nthe request: its head is longer than 8192 bytes\n"));
	close(fd);
	memcpy(line, "GET /metrics HTTP/1.1\r\na:", 25);
	memcpy(line + METRICS_REQUEST_MAX - 4, "\r\n\r\n", 4);
	expect_begin(ask(fixture, line), "HTTP/1.1 200 OK\r\n"); /* just fits */
}

static void a_text_that_takes_slices_is_asked_for_again(void **state)
{
	struct fixture *fixture = *state;
	fixture->slices = 5;
	expect_begin(ask(fixture, GET), "HTTP/1.1 200 OK\r\n");
	assert_int_equal(fixture->asked, 5);
}

static void a_long_text_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	fixture->text_bytes = 3 << 20;
	const char *answer = ask(fixture, GET);
	assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), (3 << 20) + 12);
	fixture->text_bytes = 5 << 20;
	expect_begin(ask(fixture, GET), "HTTP/1.1 503 Service Unavailable\r\n");
	assert_non_null(strstr(
		buf_text(&fixture->answer), "\r\n\r\nthe text is larger than 4194304 bytes\n"));
}

static void who_has_asked_and_ended_its_side_is_answered(void **state)
{
	struct fixture *fixture = *state;
	int fd = connect_to(fixture);
	fixture->slices = 3;
	send_text(fd, GET);
	shutdown(fd, SHUT_WR);
	expect_begin(answer_on(fixture, fd), "HTTP/1.1 200 OK\r\n");
	close(fd);
}

/* --- peers that behave badly ------------------------------------------------------------------- */

static void who_goes_away_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	fixture->slices = 10;
	for (int i = 0; i < 40; i++) {
		int fd = connect_to(fixture);
		if (i % 4 != 0)
			send_text(fd, i % 4 == 1 ? "GET /met" : GET);
		turns(fixture, i / 4);
		if (i % 2 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		turns(fixture, 5);
	}
	/* One that comes after them all is answered, and then none is left. */
	expect_begin(ask(fixture, GET), "HTTP/1.1 200 OK\r\n");
}

static void more_than_the_limit_wait_for_their_turn(void **state)
{
	struct fixture *fixture = *state;
	int fd[METRICS_CONNECTIONS_MAX + 4];
	for (int i = 0; i < METRICS_CONNECTIONS_MAX + 4; i++)
		fd[i] = connect_to(fixture);
	wait_for_connections(fixture, METRICS_CONNECTIONS_MAX);
	send_text(fd[METRICS_CONNECTIONS_MAX + 3], GET);
	turns(fixture, 50);
	assert_int_equal(fixture->asked, 0);
	for (int i = 0; i < METRICS_CONNECTIONS_MAX; i++)
		close(fd[i]);
	expect_begin(answer_on(fixture, fd[METRICS_CONNECTIONS_MAX + 3]), "HTTP/1.1 200 OK\r\n");
	for (int i = METRICS_CONNECTIONS_MAX; i < METRICS_CONNECTIONS_MAX + 4; i++)
		close(fd[i]);
}

static bool connected_for(struct fixture *fixture, int fd, const char *byte)
{
	int64_t end_ms = clock_mono_ms() + METRICS_CONNECTION_MS + 5000;
	buf_reset(&fixture->answer);
	while (receive(fixture, fd)) {
		if (clock_mono_ms() > end_ms)
			return true;
		if (byte != NULL)
			(void)send(fd, byte, 1, MSG_NOSIGNAL);
		turn(fixture);
		usleep(20000);
	}
	return false;
}

/* Waits for real: it is the only one of its kind, so that a fake loop would cost more. */
static void a_dribble_does_not_prolong_a_connection(void **state)
{
	if (getenv("ACMSENSOR_LONG") == NULL)
		skip();
	int fd = connect_to(*state);
	assert_false(connected_for(*state, fd, "a"));
	close(fd);
}

static void without_descriptors_it_tries_again_later(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit before, few;
	int fd = connect_to(fixture), lowest_free = dup(fd);
	close(lowest_free);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
	send_text(fd, GET);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	turns(fixture, 50);
	assert_int_equal(metrics_server_connections(fixture->server), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	turns(fixture, 50);
	assert_int_equal(metrics_server_connections(fixture->server), 0); /* it pauses */
	expect_begin(answer_on(fixture, fd), "HTTP/1.1 200 OK\r\n");
	close(fd);
}

/* --- the end ----------------------------------------------------------------------------------- */

static void connections_end_with_the_server(void **state)
{
	struct fixture *fixture = *state;
	int fd[3] = {connect_to(fixture), connect_to(fixture), connect_to(fixture)};
	fixture->slices = 1000000;
	send_text(fd[1], GET);
	wait_for_connections(fixture, 3);
	metrics_server_free(fixture->server);
	fixture->server = NULL;
	turn(fixture); /* libevent closes them then */
	for (int i = 0; i < 3; i++) {
		assert_false(receive(fixture, fd[i]));
		close(fd[i]);
	}
}

static void a_place_that_is_taken_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	char listen[32];
	(void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", fixture->port);
	assert_null(metrics_server_new(
		fixture->loop, fixture->store, listen, write_text, fixture, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, listen));
	assert_non_null(strstr(err.text, "Address already in use"));
	assert_null(metrics_server_new(
		fixture->loop, fixture->store, "there:80", write_text, fixture, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, "metrics_listen there:80: not an address and port");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_text_is_answered_and_the_connection_ends),
		TEST(what_is_refused_says_why),
		TEST(a_body_is_dropped_and_the_answer_still_arrives),
		TEST(a_head_may_come_in_pieces),
		TEST(a_head_that_does_not_end_is_refused),
		TEST(a_text_that_takes_slices_is_asked_for_again),
		TEST(a_long_text_arrives_whole),
		TEST(who_has_asked_and_ended_its_side_is_answered),
		TEST(who_goes_away_is_forgotten),
		TEST(more_than_the_limit_wait_for_their_turn),
		TEST(a_dribble_does_not_prolong_a_connection),
		TEST(without_descriptors_it_tries_again_later),
		TEST(connections_end_with_the_server),
		TEST(a_place_that_is_taken_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
