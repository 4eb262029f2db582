/*
 * Which certificate a server shows for a name: one TLS handshake with SNI (TLS 1.2 or newer, no
 * ALPN, whatever ciphers there are), nothing sent after it but the goodbye. The server's
 * certificate is not verified here: it is the answer. A flow on the loop.
 */
#ifndef BASE_TLS_PROBE_H
#define BASE_TLS_PROBE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct resolve;
struct tls_probe;

/*
 * der  the leaf, borrowed for the call; NULL with err. Also of a server that then refuses us for
 *      want of a client certificate: it has proved the key of its own.
 * err  begins with "host:port"; ERR_UNREACHABLE: no address, no connection, or it broke in the
 *      handshake; ERR_TIMEOUT: which wait; ERR_PROTOCOL: no TLS, none that is new enough, or the
 *      server's alert; ERR_CONFIG: sni cannot be sent
 */
typedef void tls_probe_done_fn(
	void *arg, const unsigned char *der, size_t len, const struct err *err);

/* Where a name has several certificates, servers choose by what the client takes. */
enum tls_probe_key { TLS_PROBE_ANY, TLS_PROBE_RSA, TLS_PROBE_EC };

/*
 * host, sni   copied
 * host        a name or an address without brackets. Its addresses are tried in their order until
 *             one connects; each may take its part of the time that is left
 * sni         the name to ask for; NULL: host. An address is never sent as SNI
 * key         of the certificate that is asked for; who has none is asked again, for any
 * timeout_ms  for all together, above 0
 */
struct tls_probe *tls_probe_start(struct loop *loop, struct resolve *resolve, const char *host,
	int port, const char *sni, enum tls_probe_key key, int64_t timeout_ms,
	tls_probe_done_fn *done, void *arg);
void tls_probe_cancel(struct tls_probe *probe);

enum { TLS_PROBE_ADDRESS_MAX = 46, TLS_PROBE_OTHERS_MAX = 7 };
/* Within done: the address that was asked, without brackets; "" when none connected. */
void tls_probe_address(const struct tls_probe *probe, char ret_address[TLS_PROBE_ADDRESS_MAX]);
/* Within done: those behind it, which were not asked, as hosts for probes of their own. */
size_t tls_probe_others(const struct tls_probe *probe,
	char ret_address[TLS_PROBE_OTHERS_MAX][TLS_PROBE_ADDRESS_MAX]);

#endif
