/* A round of handshakes; see job_probe.h. It ends when the last one has. Behind the address that
 * answers for a name, its others are asked side by side. */
#include "delivery/job_probe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/host.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tls_probe.h"
#include "delivery/delivery_internal.h"

enum { PROBE_TIMEOUT_MS = 10000, HOST_MAX = 256, HTTPS_PORT = 443 };

/* One handshake. The first of a host is with its name, the others with its further addresses. */
struct ask {
	struct slot *slot; /* borrowed */
	char address[TLS_PROBE_ADDRESS_MAX];
	struct tls_probe *probe; /* owned until it ends */
};

struct slot {
	struct job_probe *round;  /* borrowed */
	struct probed_host *host; /* borrowed */
	char name[HOST_MAX];
	int port;
	struct ask ask[1 + TLS_PROBE_OTHERS_MAX];
	size_t asks, running, ended, served;
	char silent[TLS_PROBE_ADDRESS_MAX]; /* an address that did not answer; "" */
	char other[TLS_PROBE_ADDRESS_MAX];  /* an address that serves another one; "" */
};

struct job_probe {
	struct delivery *delivery; /* borrowed */
	enum tls_probe_key key;
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
	if (host_parse(text, HTTPS_PORT, ret_host, size, ret_port, err) == 0)
		return 0;
	return err_wrap(err, "the host to verify \"%.200s\"", text);
}

static void destroy(struct job_probe *round)
{
	for (size_t i = 0; i < round->count; i++)
		for (size_t k = 0; k < round->slot[i].asks; k++)
			tls_probe_cancel(round->slot[i].ask[k].probe);
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

/* --- an answer -------------------------------------------------------------------------------- */

/* Another certificate at one address weighs more than ours at the others, and an answer more than
 * none: whoever resolves the name may come to any of them. */
static int weight(enum probe_outcome outcome)
{
	return outcome == PROBE_OTHER ? 2 : outcome == PROBE_SERVED ? 1 : 0;
}

static void read_leaf(const struct job_probe *round, const unsigned char *der, size_t len,
	struct probed_host *answer)
{
	struct x509_facts facts = {.san_count = 0};
	struct err err = ERR_INIT;
	if (x509_facts_from_der(der, len, &facts, &err) != 0) {
		answer->outcome = PROBE_OTHER; /* what it serves is not ours, whatever it is */
		text_shorten(answer->error, sizeof(answer->error), err.text);
		return;
	}
	memcpy(answer->fingerprint_sha256, facts.fingerprint_sha256, X509_SHA256_LEN);
	text_copy(answer->serial, sizeof(answer->serial), facts.serial);
	bool is_same = memcmp(facts.fingerprint_sha256, round->fingerprint, X509_SHA256_LEN) == 0;
	answer->outcome = is_same ? PROBE_SERVED : PROBE_OTHER;
	x509_facts_clear(&facts);
}

/* The reason alone: the host stands before it wherever it is shown. */
static void note_error(struct probed_host *answer, const char *name, int port, const char *text)
{
	char prefix[HOST_MAX + 16];
	snprintf(prefix, sizeof(prefix), "%s:%d: ", name, port);
	if (text_has_prefix(text, prefix))
		text += strlen(prefix);
	text_shorten(answer->error, sizeof(answer->error), text);
}

/* Into what is known of the host in this round. */
static void fold(struct slot *slot, const struct ask *ask, const struct probed_host *answer)
{
	struct probed_host *host = slot->host;
	char *text = host->text;
	bool is_first = slot->ended++ == 0;
	slot->served += answer->outcome == PROBE_SERVED;
	if (answer->outcome == PROBE_UNREACHABLE)
		text_copy(slot->silent, sizeof(slot->silent), ask->address);
	if (!is_first && weight(answer->outcome) <= weight(host->outcome))
		return;
	if (answer->outcome == PROBE_OTHER)
		text_copy(slot->other, sizeof(slot->other), ask->address);
	*host = *answer;
	host->text = text;
}

/* Which address it is, where there are several. */
static void tell_addresses(const struct slot *slot)
{
	struct probed_host *host = slot->host;
	char text[sizeof(host->error) + 128];
	if (slot->asks == 1)
		return;
	if (host->outcome == PROBE_OTHER)
		snprintf(text, sizeof(text), "at %s%s%s; %zu of %zu addresses serve the new one",
			slot->other, host->error[0] != '\0' ? ": " : "", host->error, slot->served,
			slot->asks);
	else if (host->outcome == PROBE_SERVED && slot->silent[0] != '\0')
		snprintf(text, sizeof(text), "%zu of %zu addresses; %s did not answer",
			slot->served, slot->asks, slot->silent);
	else
		return;
	text_shorten(host->error, sizeof(host->error), text);
}

/* --- the handshakes --------------------------------------------------------------------------- */

static void on_probe(void *arg, const unsigned char *der, size_t len, const struct err *err);

/* host: the name, or an address of it. */
static void start_ask(struct slot *slot, const char *host)
{
	struct ask *ask = &slot->ask[slot->asks++];
	struct job_probe *round = slot->round;
	ask->slot = slot;
	ask->probe = tls_probe_start(round->delivery->loop, round->delivery->resolve, host,
		slot->port, slot->name, round->key, PROBE_TIMEOUT_MS, on_probe, ask);
	slot->running++;
}

static void start_others(struct slot *slot, const struct tls_probe *first)
{
	char others[TLS_PROBE_OTHERS_MAX][TLS_PROBE_ADDRESS_MAX];
	size_t count = tls_probe_others(first, others);
	for (size_t i = 0; i < count; i++) {
		text_copy(slot->ask[slot->asks].address, TLS_PROBE_ADDRESS_MAX, others[i]);
		start_ask(slot, others[i]);
	}
}

static void on_probe(void *arg, const unsigned char *der, size_t len, const struct err *err)
{
	struct ask *ask = arg;
	struct slot *slot = ask->slot;
	struct job_probe *round = slot->round;
	const struct tls_probe *ended = ask->probe; /* until this returns */
	struct probed_host answer = {.outcome = PROBE_UNREACHABLE, .at_s = clock_now_s()};
	ask->probe = NULL;
	slot->running--;
	if (ask == &slot->ask[0]) {
		tls_probe_address(ended, ask->address);
		start_others(slot, ended);
	}
	if (err != NULL)
		note_error(&answer, ask == &slot->ask[0] ? slot->name : ask->address, slot->port,
			err->text);
	else
		read_leaf(round, der, len, &answer);
	fold(slot, ask, &answer);
	if (slot->running > 0)
		return;
	tell_addresses(slot);
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
	round->delivery = delivery;
	round->key = key_of(leaf);
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
		start_ask(slot, slot->name);
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
