/* The listeners of bindings.h: libevent's own TLS on top of one SSL_CTX each. */
#include "tests/awssim/bindings.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/awssim/consistency.h"
#include "tests/awssim/served.h"

enum { IDLE_S = 30, BACKLOG = 64 };

/* One certificate of a listener. */
struct entry {
	struct entry *next;
	struct served served;
	struct text_list names; /* empty: those of the certificate */
	char *in_use_by;	/* owned; NULL: none */
};

struct peer {
	struct peer *next, *previous;
	struct listener *listener; /* borrowed */
	struct bufferevent *bev;   /* owned */
};

struct listener {
	struct listener *next;
	struct bindings *bindings; /* borrowed */
	int id;
	unsigned port;
	SSL_CTX *context;	       /* owned */
	struct evconnlistener *socket; /* owned */
	struct entry *entry;	       /* owned list; the first is the default */
	struct peer *peer;	       /* owned list */
	uint64_t handshakes;
};

/* A use that stays for a while after the unbinding. */
struct lag {
	struct lag *next;
	struct bindings *bindings; /* borrowed */
	struct event *timer;	   /* owned */
	char *arn, *in_use_by;	   /* owned */
};

struct bindings {
	struct event_base *base;
	struct sim *sim;
	struct listener *listener;
	struct lag *lag;
	int last_id;
};

struct bindings *bindings_new(struct event_base *base, struct sim *sim)
{
	struct bindings *bindings = mem_alloc(sizeof(*bindings));
	bindings->base = base;
	bindings->sim = sim;
	return bindings;
}

/* --- who uses a certificate */

static void drop_use(struct bindings *bindings, const char *arn, const char *in_use_by)
{
	struct cert *cert = cert_find_arn(bindings->sim->world, arn, NULL, NULL);
	if (cert != NULL && cert->more != NULL)
		text_list_remove(&cert->more->uses, in_use_by);
}

static void lag_free(struct lag *lag)
{
	event_free(lag->timer);
	free(lag->arn);
	free(lag->in_use_by);
	free(lag);
}

static void on_lag(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct lag *lag = arg, **at = &lag->bindings->lag;
	drop_use(lag->bindings, lag->arn, lag->in_use_by);
	while (*at != lag)
		at = &(*at)->next;
	*at = lag->next;
	lag_free(lag);
}

static void drop_use_later(struct bindings *bindings, const char *arn, const char *in_use_by)
{
	int64_t lag_ms = bindings->sim->consistency.use_lag_ms;
	if (lag_ms == 0) {
		drop_use(bindings, arn, in_use_by);
		return;
	}
	struct lag *lag = mem_alloc(sizeof(*lag));
	lag->bindings = bindings;
	lag->arn = mem_strdup(arn);
	lag->in_use_by = mem_strdup(in_use_by);
	lag->timer = evtimer_new(bindings->base, on_lag, lag);
	lag->next = bindings->lag;
	bindings->lag = lag;
	struct timeval wait = {lag_ms / 1000, lag_ms % 1000 * 1000};
	event_add(lag->timer, &wait);
}

/* --- handshakes */

static bool name_fits(const char *pattern, const char *host)
{
	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, host) == 0;
	const char *dot = strchr(host, '.');
	return dot != NULL && dot != host && strcasecmp(pattern + 1, dot) == 0;
}

static bool entry_fits(const struct entry *entry, const char *host)
{
	for (size_t i = 0; i < entry->names.count; i++)
		if (name_fits(entry->names.item[i], host))
			return true;
	return entry->names.count == 0 &&
	       X509_check_host(entry->served.leaf, host, 0, 0, NULL) == 1;
}

static int on_certificate(SSL *ssl, void *arg)
{
	struct listener *listener = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct entry *chosen = listener->entry;
	for (struct entry *entry = listener->entry; entry != NULL; entry = entry->next)
		served_refresh(&entry->served, listener->bindings->sim);
	for (struct entry *entry = listener->entry; host != NULL && entry != NULL;
		entry = entry->next)
		if (entry_fits(entry, host)) {
			chosen = entry;
			break;
		}
	if (chosen == NULL)
		return 0;
	return SSL_use_certificate(ssl, chosen->served.leaf) == 1 &&
	       SSL_use_PrivateKey(ssl, chosen->served.key) == 1 &&
	       SSL_set1_chain(ssl, chosen->served.chain) == 1;
}

static void peer_free(struct peer *peer)
{
	if (peer->previous != NULL)
		peer->previous->next = peer->next;
	else
		peer->listener->peer = peer->next;
	if (peer->next != NULL)
		peer->next->previous = peer->previous;
	bufferevent_free(peer->bev);
	free(peer);
}

static void on_peer_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	struct peer *peer = arg;
	if ((what & BEV_EVENT_CONNECTED) != 0)
		peer->listener->handshakes++;
	else
		peer_free(peer);
}

static void on_sent(struct bufferevent *bev, void *arg)
{
	(void)bev;
	struct peer *peer = arg;
	SSL_shutdown(bufferevent_openssl_get_ssl(peer->bev));
	peer_free(peer);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	static const char ok[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	evbuffer_drain(bufferevent_get_input(bev), evbuffer_get_length(bufferevent_get_input(bev)));
	bufferevent_setcb(bev, NULL, on_sent, on_peer_event, arg);
	bufferevent_write(bev, ok, sizeof(ok) - 1);
}

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address,
	int address_len, void *arg)
{
	(void)socket;
	(void)address;
	(void)address_len;
	struct listener *listener = arg;
	SSL *ssl = SSL_new(listener->context);
	struct peer *peer = mem_alloc(sizeof(*peer));
	peer->listener = listener;
	peer->bev = bufferevent_openssl_socket_new(listener->bindings->base, fd, ssl,
		BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (peer->bev == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(peer->bev, 1);
	peer->next = listener->peer;
	if (peer->next != NULL)
		peer->next->previous = peer;
	listener->peer = peer;
	struct timeval limit = {IDLE_S, 0};
	bufferevent_set_timeouts(peer->bev, &limit, &limit);
	bufferevent_setcb(peer->bev, on_read, NULL, on_peer_event, peer);
	bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
}

/* --- listeners and their entries */

static void entry_free(struct bindings *bindings, struct entry *entry)
{
	if (entry->in_use_by != NULL && bindings != NULL)
		drop_use_later(bindings, entry->served.arn, entry->in_use_by);
	served_clear(&entry->served);
	text_list_clear(&entry->names);
	free(entry->in_use_by);
	free(entry);
}

/* bindings NULL: the uses stay. */
static void listener_free(struct bindings *bindings, struct listener *listener)
{
	while (listener->peer != NULL)
		peer_free(listener->peer);
	while (listener->entry != NULL) {
		struct entry *entry = listener->entry;
		listener->entry = entry->next;
		entry_free(bindings, entry);
	}
	evconnlistener_free(listener->socket);
	SSL_CTX_free(listener->context);
	free(listener);
}

void bindings_free(struct bindings *bindings)
{
	if (bindings == NULL)
		return;
	while (bindings->listener != NULL) {
		struct listener *listener = bindings->listener;
		bindings->listener = listener->next;
		listener_free(NULL, listener);
	}
	while (bindings->lag != NULL) {
		struct lag *lag = bindings->lag;
		bindings->lag = lag->next;
		lag_free(lag);
	}
	free(bindings);
}

static struct listener *find_listener(const struct bindings *bindings, const json_t *order)
{
	json_int_t id = json_integer_value(json_object_get(order, "id"));
	struct listener *listener = bindings->listener;
	while (listener != NULL && listener->id != id)
		listener = listener->next;
	return listener;
}

/* NULL: the address cannot be listened on. */
static struct listener *listener_new(struct bindings *bindings, const char *where)
{
	struct sockaddr_storage address;
	int len = 0;
	if (!server_parse_address(where, &address, &len))
		return NULL;
	struct listener *listener = mem_alloc(sizeof(*listener));
	listener->bindings = bindings;
	listener->socket = evconnlistener_new_bind(bindings->base, on_accept, listener,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
		(struct sockaddr *)&address, len);
	if (listener->socket == NULL) {
		free(listener);
		return NULL;
	}
	socklen_t bound_len = sizeof(address);
	getsockname(
		evconnlistener_get_fd(listener->socket), (struct sockaddr *)&address, &bound_len);
	listener->port = ntohs(address.ss_family == AF_INET6
				       ? ((struct sockaddr_in6 *)(void *)&address)->sin6_port
				       : ((struct sockaddr_in *)(void *)&address)->sin_port);
	listener->context = SSL_CTX_new(TLS_server_method());
	if (listener->context == NULL)
		abort();
	SSL_CTX_set_security_level(listener->context, 0); /* RSA-1024 is a key type of ACM's */
	SSL_CTX_set_session_cache_mode(listener->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(listener->context, SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_cert_cb(listener->context, on_certificate, listener);
	listener->id = ++bindings->last_id;
	listener->next = bindings->listener;
	bindings->listener = listener;
	return listener;
}

/* NULL with *ret_why: no such certificate, or nothing that could be served. */
static struct entry *entry_new(struct bindings *bindings, const json_t *order, const char **ret_why)
{
	const char *arn = json_string_value(json_object_get(order, "arn"));
	const char *in_use_by = json_string_value(json_object_get(order, "in_use_by"));
	const json_t *names = json_object_get(order, "names");
	const json_t *delay = json_object_get(order, "delay_ms");
	struct cert *cert =
		arn != NULL ? cert_find_arn(bindings->sim->world, arn, NULL, NULL) : NULL;
	*ret_why = "no certificate with that arn, or it was never issued";
	if (cert == NULL || cert->not_after_s == 0)
		return NULL;
	struct entry *entry = mem_alloc(sizeof(*entry));
	served_init(&entry->served, bindings->sim, arn,
		json_is_integer(delay) ? json_integer_value(delay) : 0);
	for (size_t i = 0; i < json_array_size(names); i++)
		if (json_is_string(json_array_get(names, i)))
			text_list_add(&entry->names, json_string_value(json_array_get(names, i)));
	if (in_use_by != NULL) {
		entry->in_use_by = mem_strdup(in_use_by);
		text_list_add(&cert_more(cert)->uses, in_use_by);
	}
	return entry;
}

/* "default": true puts it first, "replace": true alone. */
static void listener_add(struct listener *listener, struct entry *entry, const json_t *order)
{
	struct entry **at = &listener->entry;
	if (json_is_true(json_object_get(order, "replace")))
		while (listener->entry != NULL) {
			struct entry *old = listener->entry;
			listener->entry = old->next;
			entry_free(listener->bindings, old);
		}
	while (!json_is_true(json_object_get(order, "default")) && *at != NULL)
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
}

bool bindings_bind(
	struct bindings *bindings, const json_t *order, struct out *out, const char **ret_why)
{
	const char *where = json_string_value(json_object_get(order, "listen"));
	bool is_new = json_object_get(order, "id") == NULL;
	struct listener *listener = find_listener(bindings, order);
	*ret_why = "no listener with that id";
	if (!is_new && listener == NULL)
		return false;
	struct entry *entry = entry_new(bindings, order, ret_why);
	if (entry == NULL)
		return false;
	if (is_new)
		listener = listener_new(bindings, where != NULL ? where : "127.0.0.1:0");
	if (listener == NULL) {
		entry_free(bindings, entry);
		*ret_why = "cannot listen there (address:port)";
		return false;
	}
	listener_add(listener, entry, order);
	json_open(out, '{');
	json_member_int(out, "id", listener->id);
	json_member_int(out, "port", listener->port);
	json_close(out, '}');
	return true;
}

bool bindings_unbind(struct bindings *bindings, const json_t *order, const char **ret_why)
{
	const char *arn = json_string_value(json_object_get(order, "arn"));
	struct listener *listener = find_listener(bindings, order), **at = &bindings->listener;
	*ret_why = "no listener with that id";
	if (listener == NULL)
		return false;
	if (arn == NULL) {
		while (*at != listener)
			at = &(*at)->next;
		*at = listener->next;
		listener_free(bindings, listener);
		return true;
	}
	struct entry **place = &listener->entry;
	while (*place != NULL && strcmp((*place)->served.arn, arn) != 0)
		place = &(*place)->next;
	*ret_why = "the listener does not have that arn";
	if (*place == NULL)
		return false;
	struct entry *entry = *place;
	*place = entry->next;
	entry_free(bindings, entry);
	return true;
}

void bindings_list(struct bindings *bindings, struct out *out)
{
	json_open(out, '[');
	for (struct listener *l = bindings->listener; l != NULL; l = l->next) {
		json_open(out, '{');
		json_member_int(out, "id", l->id);
		json_member_int(out, "port", l->port);
		json_member_int(out, "handshakes", (int64_t)l->handshakes);
		json_key(out, "certificates");
		json_open(out, '[');
		for (struct entry *entry = l->entry; entry != NULL; entry = entry->next) {
			served_refresh(&entry->served, bindings->sim);
			json_open(out, '{');
			json_member(out, "arn", entry->served.arn);
			json_member(out, "fingerprint_sha256", entry->served.fingerprint);
			json_member_int(out, "delay_ms", entry->served.delay_ms);
			json_member(out, "in_use_by", entry->in_use_by);
			json_close(out, '}');
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}
