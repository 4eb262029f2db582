/* TLS of the simulator: a CA made at start, and a certificate for every host name asked for. */
#ifndef TESTS_AWSSIM_TLS_H
#define TESTS_AWSSIM_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct tls;

/* Decides whether a certificate may be made for a host name. */
typedef bool tls_host_fn(void *arg, const char *host);

struct tls *tls_new(tls_host_fn *is_known_host, void *arg);
void tls_free(struct tls *tls);

/* A server session for the accepted socket; owned by the caller. */
SSL *tls_session(struct tls *tls, int fd);

/* The CA certificate in PEM, borrowed. */
const char *tls_ca_pem(const struct tls *tls);

#endif
