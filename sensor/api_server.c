/*
 * evhttp of libevent 2.1 has no limit of connections and does not tell when one ends. Where there is
 * to be a limit, each connection's bufferevent is wrapped in a filter that changes nothing: libevent
 * calls the filter's free function when the connection is gone, whatever ended it.
 */
#include "sensor/api_server.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

enum { HEADERS_MAX = 32768, ACCEPT_PAUSE_S = 1 };

struct api_server {
	struct evhttp *http;		 /* owned */
	struct evconnlistener *listener; /* http's; NULL while there is none */
	size_t connections, connections_max;
};

/* --- accepting -------------------------------------------------------------------------------- */

static void enable(struct evconnlistener *listener)
{
	if (evconnlistener_enable(listener) != 0)
		abort(); /* no memory: as base/mem.h */
}

static void on_accept_again(evutil_socket_t fd, short events, void *arg)
{
	(void)fd, (void)events;
	enable(arg); /* one connection above the limit at most */
}

/*
 * No descriptor is left, say. Who waits stays in the queue, so trying again at once would spin. arg
 * is evhttp's. The listener outlives the event: no loop runs any more when the server is freed.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	(void)arg;
	log_warning("accept connection reason=\"%s\" next=\"again in %d s\"", strerror(errno),
		ACCEPT_PAUSE_S);
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_accept_again,
		    listener, &pause) == 0)
		(void)evconnlistener_disable(listener); /* taking a timer off does not fail */
}

static void on_connection_end(void *arg)
{
	struct api_server *server = arg;
	if (server->connections-- == server->connections_max && server->listener != NULL)
		enable(server->listener);
}

/* For a connection that was just accepted. */
static struct bufferevent *wrap_connection(struct event_base *base, void *arg)
{
	struct api_server *server = arg;
	struct bufferevent *plain = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct bufferevent *wrapped = NULL;
	if (plain != NULL)
		wrapped = bufferevent_filter_new(
			plain, NULL, NULL, BEV_OPT_CLOSE_ON_FREE, on_connection_end, server);
	if (wrapped == NULL)
		abort(); /* no memory: as base/mem.h */
	if (++server->connections >= server->connections_max)
		(void)evconnlistener_disable(server->listener); /* as above */
	return wrapped;
}

/* --- life ------------------------------------------------------------------------------------- */

static int open_listener(
	struct api_server *server, const struct api_server_options *options, struct err *err)
{
	struct evconnlistener *listener = evconnlistener_new(loop_event_base(options->loop), NULL,
		NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, options->fd);
	if (listener == NULL) {
		(void)close(options->fd);
		return err_set(err, ERR_SYSTEM, "%s: cannot accept connections", options->name);
	}
	if (evhttp_bind_listener(server->http, listener) == NULL) {
		evconnlistener_free(listener);
		return err_set(err, ERR_SYSTEM, "%s: cannot accept connections", options->name);
	}
	evconnlistener_set_error_cb(listener, on_accept_error); /* it is evhttp's now */
	server->listener = listener;
	return 0;
}

static void configure(struct api_server *server, const struct api_server_options *options)
{
	struct evhttp *http = server->http;
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, options->body_max_bytes);
	evhttp_set_timeout(http, options->idle_s);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(http, options->on_request, options->arg);
	server->connections_max = options->connections_max;
	if (options->connections_max > 0)
		evhttp_set_bevcb(http, wrap_connection, server);
}

struct api_server *api_server_new(const struct api_server_options *options, struct err *err)
{
	struct api_server *server = xcalloc(1, sizeof(*server));
	server->http = evhttp_new(loop_event_base(options->loop));
	if (server->http == NULL) {
		(void)err_set(err, ERR_SYSTEM, "%s: no HTTP server", options->name);
		(void)close(options->fd);
		free(server);
		return NULL;
	}
	configure(server, options);
	if (open_listener(server, options, err) != 0) {
		api_server_free(server);
		return NULL;
	}
	return server;
}

void api_server_free(struct api_server *server)
{
	if (server == NULL)
		return;
	server->listener = NULL; /* goes before the connections do */
	evhttp_free(server->http);
	free(server);
}

size_t api_server_connections(const struct api_server *server)
{
	return server->connections;
}
