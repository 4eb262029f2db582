#include "sensor/metrics_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/local_api.h"
#include "sensor/metrics_address.h"
#include "sensor/metrics_request.h"
#include "store/store.h"

enum { TEXT_MAX = 4194304, ACCEPT_PAUSE_MS = 1000 };

enum state { HEAD, COUNT, ANSWER, LINGER };

struct connection {
	LIST_ENTRY(connection) link;
	struct metrics_server *server; /* borrowed */
	enum state state;
	struct bufferevent *peer;    /* owned, with its socket */
	struct loop_timer *deadline; /* owned until it fires */
	struct loop_timer *timer;    /* owned until it fires; in COUNT */
	struct metrics_request request;
};

struct metrics_server {
	struct loop *loop;		 /* borrowed */
	struct store *store;		 /* borrowed */
	struct evconnlistener *listener; /* owned */
	struct loop_timer *pause;	 /* owned until it fires: accepting failed */
	LIST_HEAD(connection_list, connection) connections;
	size_t count;
	metrics_text_fn *text;
	void *arg;
};

/* --- connections ------------------------------------------------------------------------------ */

/* Taking the listener off does not fail. */
static void accept_if_possible(struct metrics_server *server)
{
	if (server->count >= METRICS_CONNECTIONS_MAX || server->pause != NULL)
		(void)evconnlistener_disable(server->listener);
	else if (evconnlistener_enable(server->listener) != 0)
		abort(); /* no memory: as base/mem.h */
}

static void connection_free(struct connection *connection)
{
	LIST_REMOVE(connection, link);
	connection->server->count--;
	loop_timer_cancel(connection->deadline);
	loop_timer_cancel(connection->timer);
	bufferevent_free(connection->peer);
	free(connection);
}

static void hang_up(struct connection *connection)
{
	struct metrics_server *server = connection->server;
	connection_free(connection);
	accept_if_possible(server);
}

static void on_deadline(void *arg)
{
	struct connection *connection = arg;
	connection->deadline = NULL;
	hang_up(connection);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void send_answer(
	struct connection *connection, int status, const char *content_type, const struct buf *text)
{
	struct evbuffer *out = bufferevent_get_output(connection->peer);
	connection->state = ANSWER;
	int len = evbuffer_add_printf(out,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
		"Connection: close\r\n\r\n",
		status, metrics_status_phrase(status), content_type, text->len,
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (len < 0 ||
		(connection->request.has_body && evbuffer_add(out, text->data, text->len) != 0) ||
		bufferevent_enable(connection->peer, EV_WRITE) != 0)
		abort(); /* no memory: as base/mem.h */
}

static void refuse(struct connection *connection, int status, const char *sentence)
{
	struct buf text;
	buf_init(&text, METRICS_REQUEST_MAX);
	buf_addf(&text, "%s\n", sentence);
	send_answer(connection, status, "text/plain; charset=utf-8", &text);
	buf_clear(&text);
}

static void on_slice(void *arg)
{
	struct connection *connection = arg;
	struct metrics_server *server = connection->server;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct buf text;
	connection->timer = NULL;
	if (store_read_begin(server->store, &txn, &err) != 0) {
		/* Its text names files: that is for the log and for status. */
		log_warning("answer metrics reason=\"%s\"", err.text);
		refuse(connection, 503, "the store cannot be read; the daemon's log says why");
		return;
	}
	buf_init(&text, TEXT_MAX);
	bool is_end = server->text(server->arg, txn, connection->request.format, &text);
	store_read_end(txn);
	if (!is_end)
		connection->timer = loop_timer_start(server->loop, 0, on_slice, connection);
	else if (buf_check(&text, "the text", &err) != 0)
		refuse(connection, 503, err.text);
	else
		send_answer(connection, 200, openmetrics_content_type(connection->request.format),
			&text);
	buf_clear(&text);
}

/* --- requests --------------------------------------------------------------------------------- */

/* The bytes up to and with the empty line; 0: it has not come yet. */
static size_t head_len(struct evbuffer *in)
{
	size_t len = 0;
	struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, &len, EVBUFFER_EOL_CRLF);
	while (end.pos >= 0) {
		struct evbuffer_ptr line = end;
		(void)evbuffer_ptr_set(in, &line, len, EVBUFFER_PTR_ADD); /* within the buffer */
		end = evbuffer_search_eol(in, &line, &len, EVBUFFER_EOL_CRLF);
		if (end.pos == line.pos)
			return (size_t)end.pos + len;
	}
	return 0;
}

static void read_head(struct connection *connection)
{
	struct evbuffer *in = bufferevent_get_input(connection->peer);
	size_t len = head_len(in);
	if (len == 0 && evbuffer_get_length(in) < METRICS_REQUEST_MAX)
		return;
	if (len == 0 || len > METRICS_REQUEST_MAX) {
		connection->request.has_body = true;
		refuse(connection, 431, "the request: its head is longer than 8192 bytes");
		return;
	}
	metrics_request_parse(
		(const char *)evbuffer_pullup(in, (ev_ssize_t)len), len, &connection->request);
	if (connection->request.status != 200) {
		refuse(connection, connection->request.status, connection->request.text);
		return;
	}
	connection->state = COUNT;
	connection->timer = loop_timer_start(connection->server->loop, 0, on_slice, connection);
}

static void drop_input(struct connection *connection)
{
	struct evbuffer *in = bufferevent_get_input(connection->peer);
	(void)evbuffer_drain(in, evbuffer_get_length(in)); /* not frozen: does not fail */
}

static void on_readable(struct bufferevent *peer, void *arg)
{
	struct connection *connection = arg;
	(void)peer;
	loop_turn_mark(connection->server->loop);
	if (connection->state == HEAD)
		read_head(connection);
	else
		drop_input(connection);
}

/* Everything was handed to the system. */
static void on_written(struct bufferevent *peer, void *arg)
{
	struct connection *connection = arg;
	loop_turn_mark(connection->server->loop);
	if (connection->state != ANSWER)
		return;
	connection->state = LINGER;
	(void)shutdown(bufferevent_getfd(peer), SHUT_WR); /* else the peer is gone: as good */
	drop_input(connection);
	if (bufferevent_enable(peer, EV_READ) != 0)
		abort(); /* no memory: as base/mem.h */
}

/* The peer has closed its side or is gone. With half a request there is nothing to answer; one that
 * has asked and closed its sending side still gets its answer. */
static void on_end(struct bufferevent *peer, short what, void *arg)
{
	struct connection *connection = arg;
	loop_turn_mark(connection->server->loop);
	bool is_gone = (what & BEV_EVENT_ERROR) != 0;
	if (is_gone || connection->state == HEAD || connection->state == LINGER)
		hang_up(connection);
	else
		(void)bufferevent_disable(peer, EV_READ); /* taking off does not fail */
}

/* --- accepting -------------------------------------------------------------------------------- */

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int len, void *arg)
{
	struct metrics_server *server = arg;
	struct connection *connection = xcalloc(1, sizeof(*connection));
	(void)listener, (void)address, (void)len;
	loop_turn_mark(server->loop);
	connection->server = server;
	connection->peer =
		bufferevent_socket_new(loop_event_base(server->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection->peer == NULL)
		abort(); /* no memory: as base/mem.h */
	LIST_INSERT_HEAD(&server->connections, connection, link);
	server->count++;
	connection->deadline =
		loop_timer_start(server->loop, METRICS_CONNECTION_MS, on_deadline, connection);
	bufferevent_setcb(connection->peer, on_readable, on_written, on_end, connection);
	bufferevent_setwatermark(connection->peer, EV_READ, 0, METRICS_REQUEST_MAX + 1);
	if (bufferevent_enable(connection->peer, EV_READ) != 0)
		abort(); /* no memory: as base/mem.h */
	accept_if_possible(server);
}

static void on_pause_end(void *arg)
{
	struct metrics_server *server = arg;
	server->pause = NULL;
	accept_if_possible(server);
}

/* No descriptor is left, say. Who waits stays in the queue, so trying again at once would spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct metrics_server *server = arg;
	(void)listener;
	log_warning("accept connection reason=\"%s\" next=\"again in %d s\"", strerror(errno),
		ACCEPT_PAUSE_MS / 1000);
	if (server->pause == NULL)
		server->pause =
			loop_timer_start(server->loop, ACCEPT_PAUSE_MS, on_pause_end, server);
	accept_if_possible(server);
}

/* --- life ------------------------------------------------------------------------------------- */

struct metrics_server *metrics_server_new(struct loop *loop, struct store *store,
	const char *listen, metrics_text_fn *text, void *arg, struct err *err)
{
	struct metrics_address address;
	if (!metrics_address_parse(listen, &address)) {
		(void)err_set(
			err, ERR_CONFIG, "metrics_listen %s: not an address and port", listen);
		return NULL;
	}
	int fd = metrics_address_listen(&address, "metrics_listen", listen, err);
	if (fd < 0)
		return NULL;
	struct metrics_server *server = xcalloc(1, sizeof(*server));
	server->loop = loop;
	server->store = store;
	server->text = text;
	server->arg = arg;
	LIST_INIT(&server->connections);
	server->listener = evconnlistener_new(loop_event_base(loop), on_accept, server,
		LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (server->listener == NULL)
		abort(); /* no memory: as base/mem.h */
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	log_info("listen metrics=http://%s%s", listen, LOCAL_API_METRICS);
	return server;
}

void metrics_server_free(struct metrics_server *server)
{
	if (server == NULL)
		return;
	struct connection *next;
	for (struct connection *one = LIST_FIRST(&server->connections); one != NULL; one = next) {
		next = LIST_NEXT(one, link);
		connection_free(one);
	}
	loop_timer_cancel(server->pause);
	evconnlistener_free(server->listener);
	free(server);
}

size_t metrics_server_connections(const struct metrics_server *server)
{
	return server->count;
}
