#include "tests/lib/fake_tls_probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/tls_probe.h"

struct tls_probe {
	char *host; /* owned */
	int port;
	struct loop_timer *timer; /* owned */
	tls_probe_done_fn *done;
	void *arg;
};

static fake_tls_serve_fn *fake_serve;
static void *fake_arg;
static enum tls_probe_key fake_key;
static const char *fake_host;
static const char *const *fake_addresses;

enum tls_probe_key fake_tls_probe_key(void)
{
	return fake_key;
}

void fake_tls_probe_set(fake_tls_serve_fn *serve, void *arg)
{
	fake_serve = serve;
	fake_arg = arg;
}

void fake_tls_probe_set_addresses(const char *host, const char *const *addresses)
{
	fake_host = host;
	fake_addresses = addresses;
}

static bool has_addresses(const struct tls_probe *probe)
{
	return fake_host != NULL && strcmp(probe->host, fake_host) == 0;
}

void tls_probe_address(const struct tls_probe *probe, char ret_address[TLS_PROBE_ADDRESS_MAX])
{
	(void)snprintf(ret_address, TLS_PROBE_ADDRESS_MAX, "%s",
		has_addresses(probe) ? fake_addresses[0] : probe->host);
}

size_t tls_probe_others(const struct tls_probe *probe,
	char ret_address[TLS_PROBE_OTHERS_MAX][TLS_PROBE_ADDRESS_MAX])
{
	size_t count = 0;
	while (has_addresses(probe) && fake_addresses[count + 1] != NULL) {
		(void)snprintf(
			ret_address[count], TLS_PROBE_ADDRESS_MAX, "%s", fake_addresses[count + 1]);
		count++;
	}
	return count;
}

static void on_turn(void *arg)
{
	struct tls_probe *probe = arg;
	struct err err = ERR_INIT;
	size_t len = 0;
	unsigned char *der = fake_serve(fake_arg, probe->host, probe->port, &len);
	if (der == NULL)
		err_set(&err, ERR_UNREACHABLE, "%s:%d: connection refused", probe->host,
			probe->port);
	probe->done(probe->arg, der, len, der == NULL ? &err : NULL);
	free(der);
	free(probe->host);
	free(probe);
}

struct tls_probe *tls_probe_start(struct loop *loop, struct resolve *resolve, const char *host,
	int port, const char *sni, enum tls_probe_key key, int64_t timeout_ms,
	tls_probe_done_fn *done, void *arg)
{
	struct tls_probe *probe = xcalloc(1, sizeof(*probe));
	(void)resolve;
	(void)sni;
	fake_key = key;
	(void)timeout_ms;
	*probe = (struct tls_probe){.host = xstrdup(host), .port = port, .done = done, .arg = arg};
	probe->timer = loop_timer_start(loop, 0, on_turn, probe);
	return probe;
}

void tls_probe_cancel(struct tls_probe *probe)
{
	if (probe == NULL)
		return;
	loop_timer_cancel(probe->timer);
	free(probe->host);
	free(probe);
}
