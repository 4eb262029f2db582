/*
 * One connection, from accept to close.
 *
 *   HANDSHAKE -> READING -> WAITING (delay, stall) -> SENDING -> READING ...
 *                   |                                   |
 *                   +-- CONNECT: 200, then HANDSHAKE    +-- close
 *
 * Reading goes on in every state, so that a client that leaves is noticed even during a stall.
 */
#include "tests/awssim/conn.h"

#include <errno.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 16384,
	IN_MAX = HTTP_HEAD_MAX + HTTP_BODY_MAX + READ_BYTES,
	KEEP_BUFFER = 65536,  /* a larger buffer is given back after use */
	PIECE_BYTES = 262144, /* of a produced body, held at once */
	SLOW_TICK_MS = 50,
};

enum state { HANDSHAKE, READING, WAITING, SENDING };

struct conn {
	struct server *server; /* borrowed */
	struct conn *next, *previous;
	enum server_role role;
	enum state state;
	int fd;
	SSL *ssl;	    /* owned; NULL: plain */
	char *connect_host; /* owned; NULL: no CONNECT */
	struct out in, out;
	size_t sent;	   /* bytes of out */
	size_t send_limit; /* of a slow answer */
	size_t slow_step;  /* > 0: send_limit grows by this at each tick */
	bool close_after, is_counted;
	int64_t answered; /* requests */
	bool wants_write;
	reply_more_fn *more;
	void *more_arg;
	void (*more_free)(void *arg);
	bool is_chunked;
	struct event on_read, on_write, on_timer;
};

static void advance(struct conn *conn);

static void timer_in(struct conn *conn, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	event_add(&conn->on_timer, &wait);
}

static void start_reading(struct conn *conn)
{
	conn->state = READING;
	if (conn->server->limits.idle_close_ms > 0)
		timer_in(conn, conn->server->limits.idle_close_ms);
}

void conn_close(struct conn *conn)
{
	struct server *server = conn->server;
	if (conn->previous != NULL)
		conn->previous->next = conn->next;
	else
		server->first = conn->next;
	if (conn->next != NULL)
		conn->next->previous = conn->previous;
	server->counts.open--;
	if (conn->is_counted)
		server->counts.in_flight--;
	event_del(&conn->on_read);
	event_del(&conn->on_write);
	event_del(&conn->on_timer);
	if (conn->more_free != NULL)
		conn->more_free(conn->more_arg);
	SSL_free(conn->ssl);
	close(conn->fd);
	out_clear(&conn->in);
	out_clear(&conn->out);
	free(conn->connect_host);
	free(conn);
}

static void reset(struct conn *conn)
{
	struct linger at_once = {1, 0};
	setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	conn->server->counts.resets++;
	/* Without this SSL_free could not know that nothing more may be sent. */
	if (conn->ssl != NULL)
		SSL_set_quiet_shutdown(conn->ssl, 1);
	conn_close(conn);
}

/* > 0 bytes; 0: would block; -1: closed or broken. */
static ssize_t read_some(struct conn *conn, char *to, size_t size)
{
	if (conn->ssl == NULL) {
		ssize_t got = recv(conn->fd, to, size, 0);
		if (got > 0)
			return got;
		return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	ERR_clear_error();
	int got = SSL_read(conn->ssl, to, (int)size);
	if (got > 0)
		return got;
	int why = SSL_get_error(conn->ssl, got);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t write_some(struct conn *conn, const char *from, size_t len)
{
	if (conn->ssl == NULL) {
		ssize_t put = send(conn->fd, from, len, MSG_NOSIGNAL);
		if (put >= 0)
			return put;
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	ERR_clear_error();
	int put = SSL_write(conn->ssl, from, (int)(len > (1 << 20) ? 1 << 20 : len));
	if (put > 0)
		return put;
	int why = SSL_get_error(conn->ssl, put);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static void give_back(struct out *buffer)
{
	buffer->len = 0;
	if (buffer->cap > KEEP_BUFFER)
		out_clear(buffer);
}

/* Asks the producer for the next piece; false when there is none. */
static bool produce(struct conn *conn)
{
	if (conn->more == NULL)
		return false;
	struct out piece = {0};
	bool goes_on = true;
	while (goes_on && piece.len < PIECE_BYTES)
		goes_on = conn->more(conn->more_arg, &piece);
	conn->out.len = conn->sent = 0;
	if (!conn->is_chunked) {
		out_bytes(&conn->out, piece.data, piece.len);
	} else {
		if (piece.len > 0) {
			out_fmt(&conn->out, "%zx\r\n", piece.len);
			out_bytes(&conn->out, piece.data, piece.len);
			out_text(&conn->out, "\r\n");
		}
		if (!goes_on)
			out_text(&conn->out, "0\r\n\r\n");
	}
	out_clear(&piece);
	conn->send_limit = conn->out.len;
	if (!goes_on) {
		conn->more_free(conn->more_arg);
		conn->more = NULL;
		conn->more_free = NULL;
	}
	return true;
}

/* Sends what may be sent. Returns false when the connection is gone. */
static bool send_out(struct conn *conn)
{
	for (;;) {
		while (conn->sent < conn->send_limit) {
			ssize_t put = write_some(
				conn, conn->out.data + conn->sent, conn->send_limit - conn->sent);
			if (put < 0) {
				conn_close(conn);
				return false;
			}
			if (put == 0) {
				event_add(&conn->on_write, NULL);
				return true;
			}
			conn->sent += (size_t)put;
			conn->server->counts.bytes_out += (uint64_t)put;
		}
		if (conn->sent < conn->out.len) { /* slow: the timer raises the limit */
			timer_in(conn, SLOW_TICK_MS);
			return true;
		}
		if (!produce(conn))
			break;
	}
	conn->server->counts.in_flight--;
	conn->is_counted = false;
	if (conn->close_after) {
		if (conn->ssl != NULL)
			SSL_shutdown(conn->ssl);
		conn_close(conn);
		return false;
	}
	give_back(&conn->out);
	conn->sent = 0;
	start_reading(conn);
	return true;
}

static void compose(struct conn *conn, struct reply *reply)
{
	struct out *out = &conn->out;
	out->len = conn->sent = 0;
	conn->more = reply->more;
	conn->more_arg = reply->more_arg;
	conn->more_free = reply->more_free;
	conn->is_chunked = reply->more != NULL && reply->more_bytes < 0;
	out_fmt(out, "HTTP/1.1 %d %s\r\n", reply->status, http_reason(reply->status));
	if (reply->content_type != NULL)
		out_fmt(out, "Content-Type: %s\r\n", reply->content_type);
	out_bytes(out, reply->headers.data, reply->headers.len);
	if (conn->is_chunked)
		out_text(out, "Transfer-Encoding: chunked\r\n");
	else
		out_fmt(out, "Content-Length: %lld\r\n",
			(long long)reply->body.len +
				(reply->more != NULL ? (long long)reply->more_bytes : 0));
	if (conn->close_after)
		out_text(out, "Connection: close\r\n");
	out_text(out, "\r\n");
	size_t head = out->len;
	if (conn->is_chunked && reply->body.len > 0)
		out_fmt(out, "%zx\r\n", reply->body.len);
	out_bytes(out, reply->body.data, reply->body.len);
	if (conn->is_chunked && reply->body.len > 0)
		out_text(out, "\r\n");
	if (reply->manner == REPLY_TRUNCATE) {
		out->len = head + reply->body.len / 2;
		conn->close_after = true;
	}
	conn->send_limit = out->len;
	conn->slow_step = 0;
	if (reply->manner == REPLY_SLOW) {
		size_t ticks = (size_t)(reply->slow_ms / SLOW_TICK_MS) + 1;
		conn->slow_step = (out->len - head) / ticks + 1;
		conn->send_limit = head;
	}
}

/* Returns false when the connection is gone. */
static bool answer(struct conn *conn, const struct http_request *request)
{
	struct server *server = conn->server;
	struct reply *reply = &server->reply;
	reply_reset(reply);
	server->counts.requests++;
	if (++server->counts.in_flight > server->counts.in_flight_max)
		server->counts.in_flight_max = server->counts.in_flight;
	conn->is_counted = true;
	server->hooks.answer(server->hooks.arg, conn->role, request, reply);
	conn->close_after = !request->keep_alive || reply->close_after;
	if (reply->manner == REPLY_STALL) {
		conn->state = WAITING;
		conn->close_after = true;
		conn->out.len = conn->send_limit = conn->sent = 0;
		timer_in(conn, server->limits.stall_max_s * 1000);
		return true;
	}
	if (reply->manner == REPLY_RESET) {
		reset(conn);
		return false;
	}
	if (reply->manner == REPLY_CLOSE) {
		conn_close(conn);
		return false;
	}
	compose(conn, reply);
	event_del(&conn->on_timer);
	if (++conn->answered == server->limits.requests_per_connection)
		conn->close_after = true; /* after compose: the client is not told */
	if (reply->delay_ms > 0) {
		conn->state = WAITING;
		timer_in(conn, reply->delay_ms);
		return true;
	}
	conn->state = SENDING;
	return send_out(conn);
}

/* Answers with a status line only and closes. */
static void refuse(struct conn *conn, int status)
{
	char text[128];
	int len = snprintf(text, sizeof(text),
		"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status,
		http_reason(status));
	write_some(conn, text, (size_t)len);
	conn->server->counts.bad_requests++;
	conn_close(conn);
}

/* CONNECT host:port. Returns false when the connection is gone or waits for its end. */
static bool take_connect(struct conn *conn, const struct http_request *request)
{
	static const char ok[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	char host[256];
	struct slice target = request->target;
	const char *colon = memchr(target.ptr, ':', target.len);
	if (colon == NULL || !slice_copy(target, host, sizeof(host))) {
		refuse(conn, 400);
		return false;
	}
	char *port = host + (colon - target.ptr);
	*port++ = '\0';
	struct server *server = conn->server;
	switch (server->hooks.connect(server->hooks.arg, host, port)) {
	case CONNECT_OPEN:
		break;
	case CONNECT_UNKNOWN_HOST:
		refuse(conn, 502);
		return false;
	case CONNECT_REFUSE:
		refuse(conn, 503);
		return false;
	case CONNECT_HANG:
		conn->in.len = 0;
		conn->state = WAITING;
		conn->close_after = true;
		timer_in(conn, server->limits.stall_max_s * 1000);
		return false;
	}
	conn->in.len = 0;
	if (write_some(conn, ok, sizeof(ok) - 1) != (ssize_t)sizeof(ok) - 1) {
		conn_close(conn);
		return false;
	}
	conn->connect_host = mem_strdup(host);
	conn->ssl = tls_session(server->tls, conn->fd);
	conn->state = HANDSHAKE;
	return true;
}

/* Serves what is complete in the buffer. */
static void serve(struct conn *conn)
{
	struct http_request request;
	while (conn->state == READING && conn->in.len > 0) {
		int rc = http_parse(conn->in.data, conn->in.len, &request);
		if (rc < 0) {
			refuse(conn, 400);
			return;
		}
		if (rc == 0)
			return;
		bool is_proxy_start = conn->role == ROLE_PROXY && conn->ssl == NULL;
		if (is_proxy_start && !slice_is(request.method, "CONNECT")) {
			refuse(conn, 400);
			return;
		}
		if (is_proxy_start) {
			if (take_connect(conn, &request))
				advance(conn);
			return;
		}
		size_t whole = request.head_len + request.body_len;
		if (conn->in.len < whole) {
			if (request.expects_continue && conn->in.len == request.head_len)
				write_some(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
			return;
		}
		request.connect_host = conn->connect_host;
		request.is_tls = conn->ssl != NULL;
		if (!answer(conn, &request))
			return;
		conn->in.len -= whole;
		memmove(conn->in.data, conn->in.data + whole, conn->in.len);
	}
	if (conn->in.len == 0)
		give_back(&conn->in);
}

/* Goes on as far as it can: handshake, read, serve. The connection may be gone afterwards. */
static void advance(struct conn *conn)
{
	if (conn->state == HANDSHAKE) {
		ERR_clear_error();
		int rc = SSL_do_handshake(conn->ssl);
		int why = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, rc);
		if (why == SSL_ERROR_WANT_READ)
			return;
		if (why == SSL_ERROR_WANT_WRITE) {
			event_add(&conn->on_write, NULL);
			return;
		}
		if (rc != 1) {
			conn->server->counts.handshake_failures++;
			conn_close(conn);
			return;
		}
		conn->server->counts.handshakes++;
		start_reading(conn);
	}
	for (;;) {
		if (conn->in.len >= IN_MAX) {
			refuse(conn, 400);
			return;
		}
		out_reserve(&conn->in, READ_BYTES);
		size_t room = conn->in.cap - conn->in.len - 1;
		ssize_t got = read_some(conn, conn->in.data + conn->in.len, room);
		if (got < 0) {
			conn_close(conn);
			return;
		}
		conn->in.len += (size_t)got;
		conn->server->counts.bytes_in += (uint64_t)got;
		/* A short read means the socket is empty; TLS may hold more than it gave. */
		if (got == 0 ||
			(conn->ssl == NULL ? (size_t)got < room : SSL_pending(conn->ssl) == 0))
			break;
	}
	serve(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	advance(arg);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct conn *conn = arg;
	if (conn->state == HANDSHAKE)
		advance(conn);
	else if (conn->state == SENDING && send_out(conn))
		serve(conn);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct conn *conn = arg;
	bool is_stalled = conn->state == WAITING && conn->out.len == 0;
	if (is_stalled || conn->state == READING || conn->state == HANDSHAKE) {
		conn_close(conn);
		return;
	}
	conn->state = SENDING;
	conn->send_limit += conn->slow_step;
	if (conn->send_limit > conn->out.len)
		conn->send_limit = conn->out.len;
	if (send_out(conn))
		serve(conn);
}

void conn_new(struct server *server, enum server_role role, int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	struct conn *conn = mem_alloc(sizeof(*conn));
	conn->server = server;
	conn->role = role;
	conn->fd = fd;
	conn->state = role == ROLE_TLS ? HANDSHAKE : READING;
	if (role == ROLE_TLS)
		conn->ssl = tls_session(server->tls, fd);
	conn->next = server->first;
	if (server->first != NULL)
		server->first->previous = conn;
	server->first = conn;
	server->counts.connections++;
	if (++server->counts.open > server->counts.open_max)
		server->counts.open_max = server->counts.open;
	event_assign(&conn->on_read, server->base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->on_write, server->base, fd, EV_WRITE, on_writable, conn);
	event_assign(&conn->on_timer, server->base, -1, 0, on_time, conn);
	event_add(&conn->on_read, NULL);
}
