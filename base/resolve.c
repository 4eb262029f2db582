/*
 * Names, their cached answers and who waits for them.
 *
 *   start -> answer known, or a literal address ------------------> 0 ms timer -> done
 *         -> lookup under way or begun -> answered --------------------^
 *                                      -> RESOLVE_TIMEOUT_MS passed -> done (ERR_TIMEOUT)
 *
 * A name has at most one lookup under way, however many wait and however often they give up: a
 * name server that is silent about one name holds one thread. Each waiter is served by a timer of
 * its own, so a done function may start, cancel and free whatever it likes.
 */
#include "base/resolve.h"

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/host.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve_internal.h"

enum { SLOTS = 1024 };

TAILQ_HEAD(call_list, resolve_call);

struct host {
	LIST_ENTRY(host) slot_link;
	TAILQ_ENTRY(host) age_link; /* oldest answer first */
	char *name;		    /* owned */
	char *addresses;	    /* owned; NULL: none known */
	struct err *failure;	    /* owned; NULL: none known; never together with addresses */
	int64_t expires_mono_ms;    /* of what is known */
	bool is_looked_up;	    /* a lookup is under way */
	struct call_list calls;	    /* a host with calls stays in the cache */
};

LIST_HEAD(slot, host);
TAILQ_HEAD(host_list, host);

struct resolve {
	struct loop *loop;	  /* borrowed; outlives this */
	struct lookup_pool *pool; /* owned */
	struct event *answers; /* owned; pending while a call waits, so that an idle loop may end */
	struct slot slot[SLOTS];
	struct host_list hosts; /* owned */
	int host_count;
	int waiting; /* calls that wait for a lookup */
};

struct resolve_call {
	TAILQ_ENTRY(resolve_call) link;
	struct resolve *resolve;  /* borrowed */
	struct host *host;	  /* borrowed; NULL for a literal address */
	char *literal;		  /* owned; the address when host is NULL */
	struct loop_timer *timer; /* owned; the end of the wait, or the delivery */
	bool is_waiting;
	resolve_done_fn *done;
	void *arg;
};

static struct slot *slot_of(struct resolve *resolve, const char *name)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
	for (const char *at = name; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
	return &resolve->slot[(hash ^ (hash >> 16)) % SLOTS];
}

static struct host *find_host(struct resolve *resolve, const char *name)
{
	struct host *host = LIST_FIRST(slot_of(resolve, name));
	while (host != NULL && strcmp(host->name, name) != 0)
		host = LIST_NEXT(host, slot_link);
	return host;
}

static void drop_host(struct resolve *resolve, struct host *host)
{
	LIST_REMOVE(host, slot_link);
	TAILQ_REMOVE(&resolve->hosts, host, age_link);
	resolve->host_count--;
	free(host->name);
	free(host->addresses);
	free(host->failure);
	free(host);
}

/* The oldest that nobody waits for; where all are waited for, the cache grows for a while. */
static void make_room(struct resolve *resolve)
{
	struct host *host = TAILQ_FIRST(&resolve->hosts);
	while (host != NULL && (!TAILQ_EMPTY(&host->calls) || host->is_looked_up))
		host = TAILQ_NEXT(host, age_link);
	if (host != NULL)
		drop_host(resolve, host);
}

static struct host *add_host(struct resolve *resolve, const char *name)
{
	if (resolve->host_count >= RESOLVE_HOSTS_MAX)
		make_room(resolve);
	struct host *host = xcalloc(1, sizeof(*host));
	host->name = xstrdup(name);
	TAILQ_INIT(&host->calls);
	LIST_INSERT_HEAD(slot_of(resolve, name), host, slot_link);
	TAILQ_INSERT_TAIL(&resolve->hosts, host, age_link);
	resolve->host_count++;
	return host;
}

static bool is_known(const struct host *host)
{
	return (host->addresses != NULL || host->failure != NULL) &&
	       clock_mono_ms() < host->expires_mono_ms;
}

/* addresses: taken; NULL: failure says why. */
static void set_answer(
	struct resolve *resolve, struct host *host, char *addresses, const struct err *failure)
{
	free(host->addresses);
	free(host->failure);
	host->addresses = addresses;
	host->failure = NULL;
	if (addresses == NULL) {
		host->failure = xmalloc(sizeof(*host->failure));
		*host->failure = *failure;
	}
	int64_t ttl_s = addresses != NULL ? RESOLVE_TTL_S : RESOLVE_TTL_FAILURE_S;
	host->expires_mono_ms = clock_mono_ms() + ttl_s * 1000;
	TAILQ_REMOVE(&resolve->hosts, host, age_link);
	TAILQ_INSERT_TAIL(&resolve->hosts, host, age_link);
}

static void stop_waiting(struct resolve_call *call)
{
	if (!call->is_waiting)
		return;
	call->is_waiting = false;
	call->resolve->waiting--;
	if (call->resolve->waiting == 0)
		event_del(call->resolve->answers);
}

static void destroy(struct resolve_call *call)
{
	stop_waiting(call);
	loop_timer_cancel(call->timer);
	if (call->host != NULL)
		TAILQ_REMOVE(&call->host->calls, call, link);
	free(call->literal);
	free(call);
}

/* The answer is copied: done may free the cache that it came from. */
static void on_delivery(void *arg)
{
	struct resolve_call *call = arg;
	call->timer = NULL;
	resolve_done_fn *done = call->done;
	void *done_arg = call->arg;
	const struct host *host = call->host;
	char *addresses = xstrdup(host != NULL ? host->addresses : call->literal);
	struct err err = ERR_INIT;
	if (host != NULL && addresses == NULL)
		err = *host->failure;
	destroy(call);
	done(done_arg, addresses, addresses == NULL ? &err : NULL);
	free(addresses);
}

/* Later askers need not wait as long again: the silence is remembered like any failure. */
static void on_timeout(void *arg)
{
	struct resolve_call *call = arg;
	call->timer = NULL;
	struct host *host = call->host;
	struct err err = ERR_INIT;
	err_set(&err, ERR_TIMEOUT, "cannot resolve %s: the name servers gave no answer in %d s",
		host->name, RESOLVE_TIMEOUT_MS / 1000);
	if (!is_known(host))
		set_answer(call->resolve, host, NULL, &err);
	resolve_done_fn *done = call->done;
	void *done_arg = call->arg;
	destroy(call);
	done(done_arg, NULL, &err);
}

static void take_answer(struct resolve *resolve, struct lookup *lookup)
{
	struct host *host = find_host(resolve, lookup->host);
	assert(host != NULL); /* a name that is looked up stays in the cache */
	host->is_looked_up = false;
	struct err err = ERR_INIT;
	if (lookup->addresses == NULL) {
		const char *reason = "the name has no address that can be used";
		if (lookup->gai_error == EAI_SYSTEM)
			reason = strerror(lookup->system_error);
		else if (lookup->gai_error != 0)
			reason = gai_strerror(lookup->gai_error);
		err_set(&err, ERR_UNREACHABLE, "cannot resolve %s: %s", host->name, reason);
	}
	set_answer(resolve, host, lookup->addresses, &err);
	lookup->addresses = NULL;
	struct resolve_call *call = TAILQ_FIRST(&host->calls);
	for (; call != NULL; call = TAILQ_NEXT(call, link)) {
		if (!call->is_waiting)
			continue;
		stop_waiting(call);
		loop_timer_cancel(call->timer);
		call->timer = loop_timer_start(resolve->loop, 0, on_delivery, call);
	}
}

static void on_answers(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct resolve *resolve = arg;
	loop_turn_mark(resolve->loop);
	struct lookup *lookup;
	while ((lookup = lookup_pool_take(resolve->pool)) != NULL) {
		take_answer(resolve, lookup);
		lookup_free(lookup);
	}
}

struct resolve *resolve_new(struct loop *loop, resolve_lookup_fn *lookup, struct err *err)
{
	struct lookup_pool *pool = lookup_pool_new(lookup, err);
	if (pool == NULL)
		return NULL;
	struct resolve *resolve = xcalloc(1, sizeof(*resolve));
	resolve->loop = loop;
	resolve->pool = pool;
	TAILQ_INIT(&resolve->hosts);
	resolve->answers = event_new(loop_event_base(loop), lookup_pool_fd(pool),
		EV_READ | EV_PERSIST, on_answers, resolve);
	if (resolve->answers == NULL)
		abort(); /* fails for lack of memory only */
	return resolve;
}

void resolve_free(struct resolve *resolve)
{
	if (resolve == NULL)
		return;
	event_free(resolve->answers);
	lookup_pool_close(resolve->pool);
	while (!TAILQ_EMPTY(&resolve->hosts)) {
		assert(TAILQ_EMPTY(&TAILQ_FIRST(&resolve->hosts)->calls));
		drop_host(resolve, TAILQ_FIRST(&resolve->hosts));
	}
	free(resolve);
}

const char *resolve_cached(struct resolve *resolve, const char *host)
{
	const struct host *known = find_host(resolve, host);
	return known != NULL && is_known(known) ? known->addresses : NULL;
}

struct resolve_call *resolve_start(
	struct resolve *resolve, const char *host, resolve_done_fn *done, void *arg)
{
	struct resolve_call *call = xcalloc(1, sizeof(*call));
	*call = (struct resolve_call){.resolve = resolve, .done = done, .arg = arg};
	int64_t delay_ms = 0;
	if (host_is_address(host)) {
		call->literal = xasprintf(strchr(host, ':') != NULL ? "[%s]" : "%s", host);
	} else {
		call->host = find_host(resolve, host);
		if (call->host == NULL)
			call->host = add_host(resolve, host);
		TAILQ_INSERT_TAIL(&call->host->calls, call, link);
		call->is_waiting = !is_known(call->host);
	}
	if (call->is_waiting) {
		delay_ms = RESOLVE_TIMEOUT_MS;
		if (resolve->waiting++ == 0)
			event_add(resolve->answers, NULL);
		if (!call->host->is_looked_up)
			lookup_pool_submit(resolve->pool, host);
		call->host->is_looked_up = true;
	}
	call->timer = loop_timer_start(
		resolve->loop, delay_ms, call->is_waiting ? on_timeout : on_delivery, call);
	return call;
}

void resolve_cancel(struct resolve_call *call)
{
	if (call != NULL)
		destroy(call);
}
