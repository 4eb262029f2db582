#include "tests/lib/test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/lib/test_ca.h"

enum { HEAD_MAX = 262144, BODY_MAX = 4194304 };

struct test_conn {
	SLIST_ENTRY(test_conn) link;
	struct test_server *server;
	pthread_t thread;
	int fd;
	int number;
	int requests;
	SSL *ssl; /* NULL: plain */
	char *head;
	char *body;
};

struct test_server {
	int fd;
	int port;
	test_serve_fn *serve;
	void *arg;
	SSL_CTX *context; /* NULL: plain */
	pthread_t thread;
	pthread_mutex_t mutex; /* guards everything below */
	SLIST_HEAD(, test_conn) conns;
	int connections;
	int requests;
	bool is_stopped;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static int listen_on_loopback(int backlog, int *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, backlog) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		die("listen");
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(int port, int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && flags == 0)
		die("connect");
	return fd;
}

/* --- a connection ------------------------------------------------------------------------------ */

static ssize_t read_some(struct test_conn *conn, char *to, size_t len)
{
	if (conn->ssl != NULL)
		return SSL_read(conn->ssl, to, (int)len);
	return read(conn->fd, to, len);
}

bool test_conn_read(struct test_conn *conn, void *bytes, size_t len)
{
	char *at = bytes;
	while (len > 0) {
		ssize_t rc = read_some(conn, at, len);
		if (rc <= 0)
			return false;
		at += rc;
		len -= (size_t)rc;
	}
	return true;
}

bool test_conn_write(struct test_conn *conn, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t rc = conn->ssl != NULL ? SSL_write(conn->ssl, at, (int)len)
					       : send(conn->fd, at, len, MSG_NOSIGNAL);
		if (rc <= 0)
			return false;
		at += rc;
		len -= (size_t)rc;
	}
	return true;
}

bool test_conn_print(struct test_conn *conn, const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	bool is_ok = test_conn_write(conn, text, (size_t)len);
	free(text);
	return is_ok;
}

bool test_conn_reply(struct test_conn *conn, int status, const char *headers, const char *body)
{
	return test_conn_print(conn, "HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n%s",
		status, headers, strlen(body), body);
}

bool test_conn_read_request(struct test_conn *conn)
{
	size_t len = 0, body_len = 0;
	while (len < 4 || memcmp(conn->head + len - 4, "\r\n\r\n", 4) != 0) {
		if (len == HEAD_MAX || read_some(conn, conn->head + len, 1) != 1)
			return false;
		len++;
	}
	conn->head[len] = '\0';
	const char *length = strcasestr(conn->head, "\r\nContent-Length:");
	if (length != NULL)
		body_len = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	for (len = 0; len < body_len && len < BODY_MAX;) {
		ssize_t rc = read_some(conn, conn->body + len, body_len - len);
		if (rc <= 0)
			return false;
		len += (size_t)rc;
	}
	conn->body[len] = '\0';
	conn->requests++;
	pthread_mutex_lock(&conn->server->mutex);
	conn->server->requests++;
	pthread_mutex_unlock(&conn->server->mutex);
	return true;
}

const char *test_conn_head(const struct test_conn *conn)
{
	return conn->head;
}

const char *test_conn_body(const struct test_conn *conn)
{
	return conn->body;
}

int test_conn_number(const struct test_conn *conn)
{
	return conn->number;
}

int test_conn_requests(const struct test_conn *conn)
{
	return conn->requests;
}

void test_conn_wait_closed(struct test_conn *conn)
{
	char ignored[4096];
	while (read(conn->fd, ignored, sizeof(ignored)) > 0)
		continue;
}

void test_conn_reset(struct test_conn *conn)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static bool move_bytes(int from, int to)
{
	char bytes[16384];
	ssize_t len = read(from, bytes, sizeof(bytes));
	return len > 0 && send(to, bytes, (size_t)len, MSG_NOSIGNAL) == len;
}

void test_conn_relay(struct test_conn *conn, int port)
{
	int other = connect_to(port, 0);
	struct pollfd side[2] = {
		{.fd = conn->fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
	bool is_open = true;
	while (is_open && poll(side, 2, -1) > 0) {
		if (side[0].revents != 0)
			is_open = move_bytes(conn->fd, other);
		if (is_open && side[1].revents != 0)
			is_open = move_bytes(other, conn->fd);
	}
	close(other);
}

static void *run_conn(void *arg)
{
	struct test_conn *conn = arg;
	struct test_server *server = conn->server;
	bool is_ready = true;
	if (server->context != NULL) {
		conn->ssl = SSL_new(server->context);
		SSL_set_fd(conn->ssl, conn->fd);
		is_ready = SSL_accept(conn->ssl) == 1;
	}
	if (is_ready)
		server->serve(conn, server->arg);
	if (conn->ssl != NULL)
		SSL_free(conn->ssl);
	/* Not closed while the server may shut it down: the number could be someone else's. */
	pthread_mutex_lock(&server->mutex);
	close(conn->fd);
	conn->fd = -1;
	pthread_mutex_unlock(&server->mutex);
	return NULL;
}

/* --- a server ---------------------------------------------------------------------------------- */

static void *run_server(void *arg)
{
	struct test_server *server = arg;
	for (;;) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		pthread_mutex_lock(&server->mutex);
		bool is_stopped = server->is_stopped || fd < 0;
		if (!is_stopped) {
			struct test_conn *conn = xcalloc(1, sizeof(*conn));
			conn->server = server;
			conn->fd = fd;
			conn->number = server->connections++;
			conn->head = xmalloc(HEAD_MAX + 1);
			conn->body = xmalloc(BODY_MAX + 1);
			SLIST_INSERT_HEAD(&server->conns, conn, link);
			if (pthread_create(&conn->thread, NULL, run_conn, conn) != 0)
				die("pthread_create");
		}
		pthread_mutex_unlock(&server->mutex);
		if (is_stopped) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
	}
}

static struct test_server *start(test_serve_fn *serve, void *arg, SSL_CTX *context)
{
	signal(SIGPIPE, SIG_IGN);
	struct test_server *server = xcalloc(1, sizeof(*server));
	server->fd = listen_on_loopback(128, &server->port);
	server->serve = serve;
	server->arg = arg;
	server->context = context;
	pthread_mutex_init(&server->mutex, NULL);
	if (pthread_create(&server->thread, NULL, run_server, server) != 0)
		die("pthread_create");
	return server;
}

struct test_server *test_server_start(test_serve_fn *serve, void *arg)
{
	return start(serve, arg, NULL);
}

struct test_server *test_server_start_tls(
	test_serve_fn *serve, void *arg, struct test_ca *ca, const char *name)
{
	return start(serve, arg, test_ca_server_context(ca, name));
}

static void stop(struct test_server *server, bool are_cut)
{
	if (server == NULL)
		return;
	struct test_conn *conn;
	pthread_mutex_lock(&server->mutex);
	server->is_stopped = true;
	SLIST_FOREACH(conn, &server->conns, link)
	{
		if (are_cut && conn->fd >= 0)
			shutdown(conn->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->mutex);
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	while ((conn = SLIST_FIRST(&server->conns)) != NULL) {
		SLIST_REMOVE_HEAD(&server->conns, link);
		pthread_join(conn->thread, NULL);
		free(conn->head);
		free(conn->body);
		free(conn);
	}
	close(server->fd);
	pthread_mutex_destroy(&server->mutex);
	SSL_CTX_free(server->context);
	free(server);
}

void test_server_stop(struct test_server *server)
{
	stop(server, true);
}

void test_server_drain(struct test_server *server)
{
	stop(server, false);
}

int test_server_port(const struct test_server *server)
{
	return server->port;
}

int test_server_connections(struct test_server *server)
{
	pthread_mutex_lock(&server->mutex);
	int connections = server->connections;
	pthread_mutex_unlock(&server->mutex);
	return connections;
}

int test_server_requests(struct test_server *server)
{
	pthread_mutex_lock(&server->mutex);
	int requests = server->requests;
	pthread_mutex_unlock(&server->mutex);
	return requests;
}

/* --- a server that takes no connection --------------------------------------------------------- */

struct test_full_server {
	int fd;
	int port;
	int client[4]; /* more than the queue of length 0 holds; the rest hangs as ours will */
};

struct test_full_server *test_full_server_start(void)
{
	struct test_full_server *server = xcalloc(1, sizeof(*server));
	server->fd = listen_on_loopback(0, &server->port);
	for (size_t i = 0; i < 4; i++)
		server->client[i] = connect_to(server->port, SOCK_NONBLOCK);
	return server;
}

int test_full_server_port(const struct test_full_server *server)
{
	return server->port;
}

void test_full_server_stop(struct test_full_server *server)
{
	for (size_t i = 0; i < 4; i++)
		close(server->client[i]);
	close(server->fd);
	free(server);
}
