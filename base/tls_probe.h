/*
 * Which certificate a server shows for a name: one TLS handshake with SNI, nothing sent after it.
 * The server's certificate is not verified here: it is the answer. A flow on the loop.
 */
#ifndef BASE_TLS_PROBE_H
#define BASE_TLS_PROBE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct resolve;
struct tls_probe;

/* der: the leaf, borrowed for the call; NULL with err: ERR_UNREACHABLE, ERR_TIMEOUT, ERR_PROTOCOL. */
typedef void tls_probe_done_fn(
	void *arg, const unsigned char *der, size_t len, const struct err *err);

/* host: a name or an address (sent as SNI when it is a name; sni overrides it, NULL: host). */
struct tls_probe *tls_probe_start(struct loop *loop, struct resolve *resolve, const char *host,
	int port, const char *sni, int64_t timeout_ms, tls_probe_done_fn *done, void *arg);
void tls_probe_cancel(struct tls_probe *probe);

#endif
