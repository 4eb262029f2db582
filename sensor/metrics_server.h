/*
 * GET /metrics over TCP, for Prometheus: plain HTTP/1.1 without any authentication, one request a
 * connection, nothing else. A server of its own, because whoever reaches it is a stranger: evhttp,
 * which serves the control socket, knows no limit of connections.
 *
 *   accepted -> HEAD (its empty line is waited for) -> COUNT (slices) -> ANSWER (is being taken)
 *                 |                                                          |
 *                 +-- refused ------------------------------------------->---+-> LINGER -> closed
 *
 * At most METRICS_CONNECTIONS_MAX connections, each for at most METRICS_CONNECTION_MS in all,
 * whatever it does; more wait in the system's queue. LINGER reads and drops what the client still
 * sends, so that the answer is not lost by a reset.
 */
#ifndef SENSOR_METRICS_SERVER_H
#define SENSOR_METRICS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/openmetrics.h"

struct buf;
struct err;
struct loop;
struct metrics_server;
struct store;
struct store_txn;

enum { METRICS_CONNECTIONS_MAX = 16, METRICS_CONNECTION_MS = 15000 };

/* Goes on counting for a slice; true: to has the whole text. */
typedef bool metrics_text_fn(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to);

/* listen: "127.0.0.1:9847". loop and store are borrowed. ERR_CONFIG: no such address; ERR_SYSTEM:
 * it is in use, or not this host's. */
struct metrics_server *metrics_server_new(struct loop *loop, struct store *store,
	const char *listen, metrics_text_fn *text, void *arg, struct err *err);
void metrics_server_free(struct metrics_server *server); /* NULL is fine */
size_t metrics_server_connections(const struct metrics_server *server);

#endif
