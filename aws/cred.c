/*
 * What is the same for every source of credentials: one cached set, one fetch at a time that all
 * waiters share, a refresh before the set's end, at most one forced refresh a minute.
 *
 *   fetched ------------ refresh_at ------- usable_until -- end
 *      used as it is         used, while      waiters wait
 *                            a fetch runs     for the fetch
 */
#include "aws/cred.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "aws/client_internal.h"
#include "aws/cred_internal.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

enum {
	REFRESH_BEFORE_S = 300, /* or half of a shorter life */
	SPARE_S = 10,		/* or a tenth of a shorter life: a request must arrive in time */
	FORCED_EVERY_MS = 60000,
	FAILED_REFRESH_WAIT_MS = 10000, /* a source that fails is not asked by every caller anew */
};

struct cred_call {
	struct cred_source *source; /* borrowed */
	cred_done_fn *done;
	void *arg;
	struct loop_timer *timer; /* owned; NULL while it waits for the fetch */
	struct cred_call *next, *previous;
};

struct cred_source {
	struct aws *aws;		/* borrowed */
	struct cred_provider *provider; /* owned */
	struct cred_fetch fetch;	/* under way while is_fetching */
	bool is_fetching;
	struct cred_call *first, *last; /* waiters; each owned by its starter */

	bool has_set;
	bool is_rejected; /* AWS refused the set; it is not used any more */
	struct aws_credentials set;
	int64_t fetched_at_s; /* by AWS's clock */
	struct err failure;   /* of the last fetch; ERR_NONE: it succeeded, or none was made */
	int64_t failed_at_mono_ms;

	bool has_forced;
	int64_t forced_at_mono_ms;
	char forced_key_id[AWS_ACCESS_KEY_ID_MAX + 1]; /* what was rejected then */
};

/* --- one fetch -------------------------------------------------------------------------------- */

static void on_load_turn(void *arg)
{
	struct cred_fetch *fetch = arg;
	fetch->timer = NULL;
	struct cred_provider *provider = fetch->provider;
	cred_done_fn *done = fetch->done;
	void *done_arg = fetch->arg;
	struct aws_credentials credentials = AWS_CREDENTIALS_INIT;
	struct err err = ERR_INIT;
	int rc = provider->ops->load(provider, &credentials, &err);
	*fetch = (struct cred_fetch){.provider = NULL};
	done(done_arg, rc == 0 ? &credentials : NULL, rc != 0 ? &err : NULL);
	aws_credentials_clear(&credentials);
}

static void on_fetched(void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	struct cred_fetch *fetch = arg;
	cred_done_fn *done = fetch->done;
	void *done_arg = fetch->arg;
	*fetch = (struct cred_fetch){.provider = NULL};
	done(done_arg, credentials, err);
}

void cred_fetch_start(struct cred_fetch *fetch, struct loop *loop, struct cred_provider *provider,
	cred_done_fn *done, void *arg)
{
	*fetch = (struct cred_fetch){.provider = provider, .done = done, .arg = arg};
	if (provider->ops->load != NULL)
		fetch->timer = loop_timer_start(loop, 0, on_load_turn, fetch);
	else
		provider->ops->start(provider, on_fetched, fetch);
}

void cred_fetch_cancel(struct cred_fetch *fetch)
{
	if (fetch->provider == NULL)
		return;
	loop_timer_cancel(fetch->timer);
	if (fetch->provider->ops->cancel != NULL)
		fetch->provider->ops->cancel(fetch->provider);
	*fetch = (struct cred_fetch){.provider = NULL};
}

/* --- the cached set --------------------------------------------------------------------------- */

static int64_t life_s(const struct cred_source *source)
{
	return source->set.expires_at_s - source->fetched_at_s;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool is_usable(const struct cred_source *source)
{
	if (!source->has_set || source->is_rejected)
		return false;
	int64_t end_s = source->set.expires_at_s;
	return end_s == 0 || aws_now_s(source->aws) < end_s - smaller(SPARE_S, life_s(source) / 10);
}

static bool is_near_end(const struct cred_source *source)
{
	int64_t end_s = source->set.expires_at_s;
	return end_s != 0 &&
	       aws_now_s(source->aws) >= end_s - smaller(REFRESH_BEFORE_S, life_s(source) / 2);
}

/* The last fetch failed so short ago that asking again would only be noise. */
static bool has_failed_lately(const struct cred_source *source)
{
	return source->failure.kind != ERR_NONE &&
	       clock_mono_ms() - source->failed_at_mono_ms < FAILED_REFRESH_WAIT_MS;
}

static void on_turn(void *arg);

/* Lets every waiter look again, each in a turn of its own: any of them may cancel others, or end
 * the source. */
static void wake_waiters(struct cred_source *source)
{
	for (struct cred_call *call = source->first; call != NULL; call = call->next) {
		if (call->timer == NULL)
			call->timer = loop_timer_start(source->aws->loop, 0, on_turn, call);
	}
}

static int refuse_dead(const struct cred_source *source, const struct aws_credentials *credentials,
	struct err *err)
{
	if (credentials->expires_at_s == 0 || credentials->expires_at_s > aws_now_s(source->aws))
		return 0;
	return err_set(err, ERR_CREDENTIALS, "%s: the credentials it gives have already expired",
		cred_source_name(source));
}

static void on_set(void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	struct cred_source *source = arg;
	source->is_fetching = false;
	source->failure = err != NULL ? *err : (struct err)ERR_INIT;
	if (err == NULL && refuse_dead(source, credentials, &source->failure) == 0) {
		aws_credentials_copy(&source->set, credentials);
		source->has_set = true;
		source->is_rejected = false;
		source->fetched_at_s = aws_now_s(source->aws);
	} else {
		source->failed_at_mono_ms = clock_mono_ms();
	}
	wake_waiters(source);
}

static void fetch(struct cred_source *source)
{
	if (source->is_fetching)
		return;
	source->is_fetching = true;
	cred_fetch_start(&source->fetch, source->aws->loop, source->provider, on_set, source);
}

const struct aws_credentials *cred_peek(struct cred_source *source)
{
	if (!is_usable(source))
		return NULL;
	if (is_near_end(source) && !has_failed_lately(source))
		fetch(source);
	return &source->set;
}

/* --- waiters ---------------------------------------------------------------------------------- */

static void leave(struct cred_call *call)
{
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		call->source->first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	else
		call->source->last = call->previous;
}

/* A waiter's turn: there is a set, or a failure, or the wait goes on. */
static void on_turn(void *arg)
{
	struct cred_call *call = arg;
	struct cred_source *source = call->source;
	call->timer = NULL;
	const struct aws_credentials *credentials = cred_peek(source);
	bool has_failed = credentials == NULL && !source->is_fetching && has_failed_lately(source);
	if (credentials == NULL && !has_failed) {
		fetch(source);
		return;
	}
	struct err err = source->failure;
	cred_done_fn *done = call->done;
	void *done_arg = call->arg;
	leave(call);
	free(call);
	done(done_arg, credentials, credentials == NULL ? &err : NULL);
}

struct cred_call *cred_get_start(struct cred_source *source, cred_done_fn *done, void *arg)
{
	struct cred_call *call = xcalloc(1, sizeof(*call));
	*call = (struct cred_call){
		.source = source, .done = done, .arg = arg, .previous = source->last};
	if (source->last != NULL)
		source->last->next = call;
	else
		source->first = call;
	source->last = call;
	call->timer = loop_timer_start(source->aws->loop, 0, on_turn, call);
	return call;
}

void cred_get_cancel(struct cred_call *call)
{
	if (call == NULL)
		return;
	loop_timer_cancel(call->timer);
	leave(call);
	free(call); /* a fetch goes on: its set serves the next one */
}

/* --- rejection -------------------------------------------------------------------------------- */

static bool may_force(const struct cred_source *source, const char *access_key_id)
{
	if (!source->has_forced)
		return true;
	if (clock_mono_ms() - source->forced_at_mono_ms >= FORCED_EVERY_MS)
		return true;
	/* Sessions shorter than that are replaced as they come, but none twice. */
	bool is_short = source->set.expires_at_s != 0 && life_s(source) * 1000 < FORCED_EVERY_MS;
	return is_short && strcmp(source->forced_key_id, access_key_id) != 0;
}

bool cred_rejected(struct cred_source *source, const char *access_key_id)
{
	if (!source->has_set || source->is_rejected ||
		strcmp(source->set.access_key_id, access_key_id) != 0)
		return true; /* a newer set is there, or will be */
	if (!may_force(source, access_key_id))
		return false;
	source->is_rejected = true;
	source->has_forced = true;
	source->forced_at_mono_ms = clock_mono_ms();
	memcpy(source->forced_key_id, source->set.access_key_id, sizeof(source->forced_key_id));
	source->failure = (struct err)ERR_INIT; /* this is news: ask at once */
	fetch(source);
	return true;
}

/* --- life ------------------------------------------------------------------------------------- */

struct cred_source *cred_source_new(struct aws *aws, struct cred_provider *provider)
{
	struct cred_source *source = xcalloc(1, sizeof(*source));
	source->aws = aws;
	source->provider = provider;
	return source;
}

void cred_source_free(struct cred_source *source)
{
	if (source == NULL)
		return;
	assert(source->first == NULL);
	cred_fetch_cancel(&source->fetch);
	source->provider->ops->free(source->provider);
	aws_credentials_clear(&source->set);
	free(source);
}

void cred_get_state(const struct cred_source *source, struct cred_state *ret_state)
{
	int64_t end_s = source->set.expires_at_s;
	*ret_state = (struct cred_state){
		.is_failing = source->failure.kind != ERR_NONE || source->is_rejected,
		.has_end = source->has_set && end_s != 0};
	if (ret_state->has_end)
		ret_state->left_s = end_s - aws_now_s(source->aws);
}

const char *cred_source_name(const struct cred_source *source)
{
	return source->provider->ops->name(source->provider);
}

bool cred_source_expires(const struct cred_source *source, int64_t *ret_expires_s)
{
	if (!source->has_set)
		return false;
	*ret_expires_s = source->set.expires_at_s;
	return true;
}
