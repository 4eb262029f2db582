/*
 * Handshakes that are worked out: linked in place of base/tls_probe.c. Answers come from the loop.
 */
#ifndef TESTS_LIB_FAKE_TLS_PROBE_H
#define TESTS_LIB_FAKE_TLS_PROBE_H

#include <stddef.h>

#include "base/tls_probe.h"

/* What a host serves: owned DER, or NULL when it cannot be reached. */
typedef unsigned char *fake_tls_serve_fn(void *arg, const char *host, int port, size_t *ret_len);
void fake_tls_probe_set(fake_tls_serve_fn *serve, void *arg);

/* Every host of more than one address has these (borrowed; NULL ends the list): the name is asked
 * first, and is at the first of them. */
void fake_tls_probe_set_addresses(const char *host, const char *const *addresses);

/* Of what kind of key the last one asked for a certificate. */
enum tls_probe_key fake_tls_probe_key(void);

#endif
