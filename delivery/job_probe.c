/* A round of handshakes; see job_probe.h. It ends when the last one has. */
#include "delivery/job_probe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tls_probe.h"
#include "delivery/delivery_internal.h"

enum { PROBE_TIMEOUT_MS = 10000, HOST_MAX = 256, HTTPS_PORT = 443 };

struct slot {
	struct job_probe *round;  /* borrowed */
	struct probed_host *host; /* borrowed */
	char name[HOST_MAX];
	int port;
	struct tls_probe *probe; /* owned until it ends */
};

struct job_probe {
	unsigned char fingerprint[X509_SHA256_LEN];
	struct slot slot[VERIFY_HOSTS_MAX];
	size_t count, running;
	struct loop_timer *timer; /* owned; nobody is asked: ends in the next turn */
	job_probe_done_fn *done;
	void *arg;
};

const char *probe_outcome_name(enum probe_outcome outcome)
{
	switch (outcome) {
	case PROBE_NOT_ASKED:
		return "not asked";
	case PROBE_SERVED:
		return "served";
	case PROBE_OTHER:
		return "other certificate";
	case PROBE_UNREACHABLE:
		return "not reachable";
	}
	return "";
}

int probe_host_parse(const char *text, char *ret_host, size_t size, int *ret_port, struct err *err)
{
	int64_t port = HTTPS_PORT;
	const char *host = text, *end = text + strlen(text), *colon = strrchr(text, ':');
	if (text[0] == '[') {
		host = text + 1;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return err_set(err, ERR_CONFIG, "not a host: %.200s", text);
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	} else if (colon != NULL) {
		end = colon;
	}
	size_t len = (size_t)(end - host);
	if (colon != NULL && text_parse_int(colon + 1, 1, 65535, &port, err) != 0)
		return err_wrap(err, "the port of %.200s", text);
	if (len == 0 || len >= size || strcspn(host, "/ \t\r\n@") < len)
		return err_set(err, ERR_CONFIG, "not a host: %.200s", text);
	memcpy(ret_host, host, len);
	ret_host[len] = '\0';
	*ret_port = (int)port;
	return 0;
}

static void destroy(struct job_probe *round)
{
	for (size_t i = 0; i < round->count; i++)
		tls_probe_cancel(round->slot[i].probe);
	loop_timer_cancel(round->timer);
	free(round);
}

static void finish(struct job_probe *round)
{
	round->done(round->arg);
	destroy(round);
}

static void on_turn(void *arg)
{
	struct job_probe *round = arg;
	round->timer = NULL;
	finish(round);
}

static void take(struct slot *slot, const unsigned char *der, size_t len)
{
	struct probed_host *host = slot->host;
	struct x509_facts facts = {.san_count = 0};
	struct err err = ERR_INIT;
	if (x509_facts_from_der(der, len, &facts, &err) != 0) {
		host->outcome = PROBE_OTHER; /* what it serves is not ours, whatever it is */
		text_shorten(host->error, sizeof(host->error), err.text);
		return;
	}
	memcpy(host->fingerprint_sha256, facts.fingerprint_sha256, X509_SHA256_LEN);
	text_copy(host->serial, sizeof(host->serial), facts.serial);
	bool is_same =
		memcmp(facts.fingerprint_sha256, slot->round->fingerprint, X509_SHA256_LEN) == 0;
	host->outcome = is_same ? PROBE_SERVED : PROBE_OTHER;
	x509_facts_clear(&facts);
}

/* The reason alone: the host stands before it wherever it is shown. */
static void note_error(struct probed_host *host, const char *name, int port, const char *text)
{
	char prefix[HOST_MAX + 16];
	snprintf(prefix, sizeof(prefix), "%s:%d: ", name, port);
	if (text_has_prefix(text, prefix))
		text += strlen(prefix);
	text_shorten(host->error, sizeof(host->error), text);
}

static void on_probe(void *arg, const unsigned char *der, size_t len, const struct err *err)
{
	struct slot *slot = arg;
	struct job_probe *round = slot->round;
	slot->probe = NULL;
	slot->host->at_s = clock_now_s();
	slot->host->error[0] = '\0';
	if (err != NULL) {
		slot->host->outcome = PROBE_UNREACHABLE;
		note_error(slot->host, slot->name, slot->port, err->text);
	} else {
		take(slot, der, len);
	}
	if (--round->running == 0)
		finish(round);
}

static enum tls_probe_key key_of(const struct x509_facts *leaf)
{
	if (text_has_prefix(leaf->key_algorithm, "RSA_"))
		return TLS_PROBE_RSA;
	return text_has_prefix(leaf->key_algorithm, "EC_") ? TLS_PROBE_EC : TLS_PROBE_ANY;
}

struct job_probe *job_probe_start(struct delivery *delivery, struct probed_host *host, size_t count,
	const struct x509_facts *leaf, job_probe_done_fn *done, void *arg)
{
	struct job_probe *round = xcalloc(1, sizeof(*round));
	memcpy(round->fingerprint, leaf->fingerprint_sha256, X509_SHA256_LEN);
	round->done = done;
	round->arg = arg;
	assert(count <= VERIFY_HOSTS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = &round->slot[round->count++];
		struct err err = ERR_INIT;
		*slot = (struct slot){.round = round, .host = &host[i]};
		if (host[i].outcome == PROBE_SERVED)
			continue;
		if (probe_host_parse(
			    host[i].text, slot->name, sizeof(slot->name), &slot->port, &err) != 0) {
			host[i].outcome = PROBE_UNREACHABLE;
			text_shorten(host[i].error, sizeof(host[i].error), err.text);
			continue;
		}
		slot->probe = tls_probe_start(delivery->loop, delivery->resolve, slot->name,
			slot->port, NULL, key_of(leaf), PROBE_TIMEOUT_MS, on_probe, slot);
		round->running++;
	}
	if (round->running == 0)
		round->timer = loop_timer_start(delivery->loop, 0, on_turn, round);
	return round;
}

void job_probe_cancel(struct job_probe *probe)
{
	if (probe != NULL)
		destroy(probe);
}
