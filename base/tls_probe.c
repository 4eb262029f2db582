/*
 * One probe, from the name to the leaf.
 *
 *   start -> WAIT_NAME -> WAIT_CONNECT -> WAIT_HANDSHAKE -> WAIT_DELIVERY -> done
 *                |         ^    |  |            |             ^
 *                |         +----+---------------+             |
 *                |    next address |   no certificate of that |
 *                |                 |   kind of key: again     |
 *                +-----------------+------------+-------------+  any failure, time over
 *
 * Each wait but the last has the one time limit beside it. OpenSSL reads and writes the socket by
 * itself; the loop only tells when it may.
 */
#include "base/tls_probe.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/host.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/text.h"

enum { PORT_MAX = 65535, ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN + 2 };

enum state { WAIT_NAME, WAIT_CONNECT, WAIT_HANDSHAKE, WAIT_DELIVERY };

struct address {
	struct sockaddr_storage bytes;
	socklen_t len;
	char text[ADDRESS_TEXT_MAX];
};

struct tls_probe {
	enum state state;
	struct loop *loop; /* borrowed */
	char *host;	   /* owned */
	char *sni;	   /* owned; NULL: none is sent */
	int port;
	enum tls_probe_key key;
	int64_t timeout_ms, deadline_mono_ms;
	tls_probe_done_fn *done;
	void *arg;

	struct resolve_call *resolve_call; /* owned; WAIT_NAME */
	struct loop_timer *timer;	   /* owned; the time limit, in WAIT_DELIVERY the turn */
	struct address address[RESOLVE_ADDRESSES_MAX];
	size_t count, at;    /* at: the one that is tried */
	int fd;		     /* owned; -1: none */
	struct event *event; /* owned; of fd; NULL: none */
	SSL_CTX *context;    /* owned; WAIT_HANDSHAKE */
	SSL *ssl;	     /* owned; WAIT_HANDSHAKE */

	unsigned char *der; /* owned; the answer */
	size_t der_len;
	struct err err; /* or why there is none */
};

static void connect_next(struct tls_probe *probe);
static void shake_hands(struct tls_probe *probe);

/* --- life ------------------------------------------------------------------------------------- */

/* After a handshake the goodbye; the rest of what came (session tickets) is read so that closing
 * does not reset the connection under it. */
static void close_politely(struct tls_probe *probe)
{
	unsigned char ignored[512];
	ERR_clear_error();
	if (SSL_is_init_finished(probe->ssl)) {
		(void)SSL_read(probe->ssl, ignored, sizeof(ignored)); /* nothing is expected */
		(void)SSL_shutdown(probe->ssl); /* best effort: the answer is known */
	}
	ERR_clear_error();
}

static void close_connection(struct tls_probe *probe)
{
	if (probe->event != NULL)
		event_free(probe->event);
	probe->event = NULL;
	if (probe->ssl != NULL)
		close_politely(probe);
	SSL_free(probe->ssl);
	SSL_CTX_free(probe->context);
	probe->ssl = NULL;
	probe->context = NULL;
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}

static void stop_waiting(struct tls_probe *probe)
{
	resolve_cancel(probe->resolve_call);
	loop_timer_cancel(probe->timer);
	probe->resolve_call = NULL;
	probe->timer = NULL;
	close_connection(probe);
}

static void destroy(struct tls_probe *probe)
{
	stop_waiting(probe);
	OPENSSL_free(probe->der);
	free(probe->host);
	free(probe->sni);
	free(probe);
}

void tls_probe_cancel(struct tls_probe *probe)
{
	if (probe != NULL)
		destroy(probe);
}

static void copy_address(const struct tls_probe *probe, size_t at, char *ret_address)
{
	const char *text = probe->address[at].text;
	size_t len = strlen(text);
	bool has_brackets = text[0] == '[';
	(void)snprintf(ret_address, TLS_PROBE_ADDRESS_MAX, "%.*s",
		(int)(has_brackets ? len - 2 : len), text + (has_brackets ? 1 : 0));
}

void tls_probe_address(const struct tls_probe *probe, char ret_address[TLS_PROBE_ADDRESS_MAX])
{
	ret_address[0] = '\0';
	if (probe->at < probe->count)
		copy_address(probe, probe->at, ret_address);
}

size_t tls_probe_others(const struct tls_probe *probe,
	char ret_address[TLS_PROBE_OTHERS_MAX][TLS_PROBE_ADDRESS_MAX])
{
	size_t count = 0;
	for (size_t at = probe->at + 1; at < probe->count && count < TLS_PROBE_OTHERS_MAX; at++)
		copy_address(probe, at, ret_address[count++]);
	return count;
}

static void deliver(void *arg)
{
	struct tls_probe *probe = arg;
	probe->timer = NULL;
	if (probe->der != NULL)
		probe->done(probe->arg, probe->der, probe->der_len, NULL);
	else
		probe->done(probe->arg, NULL, 0, &probe->err);
	destroy(probe);
}

/* der or err is set. done comes in the loop's next turn. */
static void end(struct tls_probe *probe)
{
	stop_waiting(probe);
	probe->state = WAIT_DELIVERY;
	probe->timer = loop_timer_start(probe->loop, 0, deliver, probe);
}

static void fail(struct tls_probe *probe)
{
	err_wrap(&probe->err, "%s:%d", probe->host, probe->port);
	end(probe);
}

/* --- time ------------------------------------------------------------------------------------- */

static void next_address(struct tls_probe *probe)
{
	close_connection(probe);
	probe->at++;
	connect_next(probe);
}

static void on_time_over(void *arg)
{
	struct tls_probe *probe = arg;
	probe->timer = NULL;
	switch (probe->state) {
	case WAIT_NAME:
		err_set(&probe->err, ERR_TIMEOUT, "no address within %lld ms",
			(long long)probe->timeout_ms);
		fail(probe);
		break;
	case WAIT_CONNECT:
		err_set(&probe->err, ERR_TIMEOUT, "no connection to %s in time",
			probe->address[probe->at].text);
		next_address(probe);
		break;
	case WAIT_HANDSHAKE:
		err_set(&probe->err, ERR_TIMEOUT,
			"the TLS handshake with %s was not complete within %lld ms",
			probe->address[probe->at].text, (long long)probe->timeout_ms);
		fail(probe);
		break;
	case WAIT_DELIVERY:
		abort(); /* its timer is deliver's */
	}
}

/* share: how many waits the time that is left is for. */
static void limit_time(struct tls_probe *probe, size_t share)
{
	int64_t left_ms = probe->deadline_mono_ms - clock_mono_ms();
	loop_timer_cancel(probe->timer);
	probe->timer = loop_timer_start(
		probe->loop, left_ms > 0 ? left_ms / (int64_t)share : 0, on_time_over, probe);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void on_socket(evutil_socket_t fd, short what, void *arg);

static void await_socket(struct tls_probe *probe, short events)
{
	struct event_base *base = loop_event_base(probe->loop);
	if (probe->event == NULL)
		probe->event = event_new(base, probe->fd, events, on_socket, probe);
	else
		(void)event_assign(probe->event, base, probe->fd, events, on_socket, probe);
	if (probe->event == NULL || event_add(probe->event, NULL) != 0)
		abort(); /* fail for lack of memory only */
}

static void set_no_connection(struct tls_probe *probe, int error)
{
	errno = error;
	err_set_errno(&probe->err, ERR_UNREACHABLE, "no connection to %s",
		probe->address[probe->at].text);
}

static bool try_address(struct tls_probe *probe)
{
	const struct address *address = &probe->address[probe->at];
	const struct sockaddr *bytes = (const struct sockaddr *)&address->bytes;
	probe->fd = socket(bytes->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe->fd >= 0 &&
		(connect(probe->fd, bytes, address->len) == 0 || errno == EINPROGRESS)) {
		await_socket(probe, EV_WRITE);
		return true;
	}
	set_no_connection(probe, errno);
	close_connection(probe);
	return false;
}

static void connect_next(struct tls_probe *probe)
{
	probe->state = WAIT_CONNECT;
	while (probe->at < probe->count) {
		if (try_address(probe)) {
			limit_time(probe, probe->count - probe->at);
			return;
		}
		probe->at++;
	}
	if (probe->count > 1)
		err_wrap(&probe->err, "none of %zu addresses connects", probe->count);
	fail(probe);
}

static void take_connection(struct tls_probe *probe)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0) {
		set_no_connection(probe, error);
		next_address(probe);
		return;
	}
	limit_time(probe, 1);
	shake_hands(probe);
}

/* --- the name --------------------------------------------------------------------------------- */

/* One item of what base/resolve answers: 192.0.2.1 or [2001:db8::1]. */
static bool parse_address(const char *text, size_t len, int port, struct address *ret_address)
{
	struct address address = {.len = 0};
	char plain[INET6_ADDRSTRLEN];
	bool has_brackets = len > 2 && text[0] == '[';
	size_t plain_len = has_brackets ? len - 2 : len;
	if (plain_len >= sizeof(plain))
		return false;
	memcpy(address.text, text, len);
	memcpy(plain, text + (has_brackets ? 1 : 0), plain_len);
	plain[plain_len] = '\0';
	struct sockaddr_in *in = (struct sockaddr_in *)&address.bytes;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.bytes;
	if (has_brackets && inet_pton(AF_INET6, plain, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		address.len = sizeof(*in6);
	} else if (!has_brackets && inet_pton(AF_INET, plain, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		address.len = sizeof(*in);
	} else {
		return false;
	}
	*ret_address = address;
	return true;
}

static void on_name(void *arg, const char *addresses, const struct err *err)
{
	struct tls_probe *probe = arg;
	probe->resolve_call = NULL;
	if (err != NULL) {
		probe->err = *err;
		fail(probe);
		return;
	}
	const char *item;
	size_t len;
	while (probe->count < RESOLVE_ADDRESSES_MAX && text_next_item(&addresses, &item, &len)) {
		if (parse_address(item, len, probe->port, &probe->address[probe->count]))
			probe->count++;
	}
	/* What is said when there is none, or none that is understood. */
	err_set(&probe->err, ERR_UNREACHABLE, "the name has no address");
	connect_next(probe);
}

/* --- the handshake ---------------------------------------------------------------------------- */

/* What is offered, so that the server has to choose. NULL: whatever OpenSSL offers. */
static const struct {
	const char *ciphers, *signatures;
} offer[] = {
	[TLS_PROBE_ANY] = {"ALL:!aNULL:!eNULL", NULL},
	[TLS_PROBE_RSA] = {"aRSA:!eNULL",
		"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:"
		"RSA+SHA1"},
	[TLS_PROBE_EC] = {"aECDSA:!eNULL", "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1"},
};

/* As tolerant as OpenSSL can be made, whatever its configuration file says: a server's settings are
 * not what is asked about. */
static int set_up_tls(struct tls_probe *probe)
{
	const char *signatures = offer[probe->key].signatures;
	probe->context = SSL_CTX_new(TLS_client_method());
	if (probe->context == NULL)
		abort(); /* fails for lack of memory only */
	SSL_CTX_set_security_level(probe->context, 0);
	SSL_CTX_set_verify(probe->context, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_options(
		probe->context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_CLEANSE_PLAINTEXT);
	if (SSL_CTX_set_min_proto_version(probe->context, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(probe->context, 0) != 1 ||
		SSL_CTX_set_cipher_list(probe->context, offer[probe->key].ciphers) != 1 ||
		(signatures != NULL && SSL_CTX_set1_sigalgs_list(probe->context, signatures) != 1))
		return err_set(&probe->err, ERR_SYSTEM, "this OpenSSL cannot do TLS 1.2");
	probe->ssl = SSL_new(probe->context);
	if (probe->ssl == NULL || SSL_set_fd(probe->ssl, probe->fd) != 1)
		abort(); /* fail for lack of memory only */
	if (probe->sni != NULL && SSL_set_tlsext_host_name(probe->ssl, probe->sni) != 1)
		return err_set(&probe->err, ERR_CONFIG, "no name that TLS can ask for");
	return 0;
}

/* Once our last message of the handshake is out, the server has proved that the key is its own,
 * even if it then wants a certificate of us (TLS 1.2; in TLS 1.3 the handshake is over then). */
static bool has_proved_its_key(const SSL *ssl)
{
	return SSL_is_init_finished(ssl) || SSL_get_state(ssl) == TLS_ST_CW_FINISHED;
}

static bool take_leaf(struct tls_probe *probe)
{
	X509 *leaf = SSL_get1_peer_certificate(probe->ssl);
	int len = leaf != NULL ? i2d_X509(leaf, &probe->der) : -1;
	X509_free(leaf);
	if (len > 0)
		probe->der_len = (size_t)len;
	return len > 0;
}

static void set_handshake_err(struct tls_probe *probe, int ssl_error, int system_error)
{
	const char *address = probe->address[probe->at].text;
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);
	bool is_cut = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
	if (ssl_error == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
		err_set(&probe->err, ERR_PROTOCOL, "%s does not speak TLS", address);
	} else if (ssl_error == SSL_ERROR_SSL && !is_cut) {
		err_set(&probe->err, ERR_PROTOCOL, "no TLS handshake with %s: %s", address,
			reason != NULL ? reason : "for no reason that OpenSSL tells");
	} else if (ssl_error == SSL_ERROR_SYSCALL && system_error != 0) {
		errno = system_error;
		err_set_errno(&probe->err, ERR_UNREACHABLE,
			"the connection to %s broke in the TLS handshake", address);
	} else {
		err_set(&probe->err, ERR_UNREACHABLE,
			"%s closed the connection in the TLS handshake", address);
	}
}

static void shake_hands(struct tls_probe *probe)
{
	probe->state = WAIT_HANDSHAKE;
	if (probe->ssl == NULL && set_up_tls(probe) != 0) {
		fail(probe);
		return;
	}
	ERR_clear_error();
	errno = 0;
	int rc = SSL_connect(probe->ssl);
	int system_error = errno, ssl_error = SSL_get_error(probe->ssl, rc);
	if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) {
		await_socket(probe, ssl_error == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
		return;
	}
	if (rc != 1)
		set_handshake_err(probe, ssl_error, system_error);
	else
		err_set(&probe->err, ERR_PROTOCOL, "%s shows no certificate",
			probe->address[probe->at].text);
	ERR_clear_error();
	if (has_proved_its_key(probe->ssl) && take_leaf(probe)) {
		end(probe);
	} else if (probe->key != TLS_PROBE_ANY) { /* it may have another kind only */
		probe->key = TLS_PROBE_ANY;
		close_connection(probe);
		connect_next(probe);
	} else {
		fail(probe);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct tls_probe *probe = arg;
	loop_turn_mark(probe->loop);
	if (probe->state == WAIT_CONNECT)
		take_connection(probe);
	else
		shake_hands(probe);
}

/* --- start ------------------------------------------------------------------------------------ */

/* The name to ask for: without the dot of an absolute name, which SNI does not have. */
static char *sni_of(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || host_is_address(name))
		return NULL;
	return xstrndup(name, name[len - 1] == '.' ? len - 1 : len);
}

struct tls_probe *tls_probe_start(struct loop *loop, struct resolve *resolve, const char *host,
	int port, const char *sni, enum tls_probe_key key, int64_t timeout_ms,
	tls_probe_done_fn *done, void *arg)
{
	assert(port > 0 && port <= PORT_MAX && timeout_ms > 0);
	struct tls_probe *probe = xcalloc(1, sizeof(*probe));
	probe->loop = loop;
	probe->host = xstrdup(host);
	probe->sni = sni_of(sni != NULL ? sni : host);
	probe->port = port;
	probe->key = key;
	probe->timeout_ms = timeout_ms;
	probe->deadline_mono_ms = clock_mono_ms() + timeout_ms;
	probe->done = done;
	probe->arg = arg;
	probe->fd = -1;
	limit_time(probe, 1);
	probe->resolve_call = resolve_start(resolve, host, on_name, probe);
	return probe;
}
