/*
 * Listeners and connections: one libevent loop, sockets and OpenSSL driven directly. A connection
 * serves one request at a time; what arrives early waits in its buffer.
 */
#ifndef TESTS_AWSSIM_SERVER_H
#define TESTS_AWSSIM_SERVER_H

#include <event2/event.h>
#include <sys/socket.h>

#include "tests/awssim/http.h"
#include "tests/awssim/tls.h"

enum server_role { ROLE_PLAIN, ROLE_TLS, ROLE_PROXY, ROLE_CONTROL };

enum connect_answer { CONNECT_OPEN, CONNECT_UNKNOWN_HOST, CONNECT_HANG, CONNECT_REFUSE };

/* What the server asks of its owner. arg is borrowed for the server's life. */
struct server_hooks {
	void *arg;
	/* Fills the reply (reset before the call). */
	void (*answer)(void *arg, enum server_role role, const struct http_request *request,
		struct reply *reply);
	enum connect_answer (*connect)(void *arg, const char *host, const char *port);
};

struct server_counts {
	uint64_t connections, handshakes, handshake_failures, requests, bad_requests, resets;
	uint64_t bytes_in, bytes_out;
	unsigned open, open_max, in_flight, in_flight_max;
};

struct server;

/* How connections end that nobody asked to end; 0: never. */
struct server_limits {
	int64_t stall_max_s;		 /* of an answer that never comes */
	int64_t idle_close_ms;		 /* closed without a word, as AWS does */
	int64_t requests_per_connection; /* likewise */
};

struct server *server_new(struct event_base *base, struct tls *tls,
	const struct server_hooks *hooks, const struct server_limits *limits);
void server_free(struct server *server); /* closes all connections */

/*
 * Listens on "address:port"; port 0 takes a free one. The bound port is stored. Prints why not and
 * returns false.
 */
bool server_listen(
	struct server *server, enum server_role role, const char *where, char ret_bound[64]);
/* "1.2.3.4:80" or "[::1]:0"; false: it is not. */
bool server_parse_address(const char *where, struct sockaddr_storage *ret_address, int *ret_len);
const struct server_counts *server_counts(const struct server *server);
void server_reset_counts(struct server *server);

#endif
