#include "sensor/retention.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/certs.h"
#include "store/events.h"
#include "store/store.h"

enum {
	FIRST_MS = 10 * 60 * 1000, /* the first cycle comes first */
	LOOK_MS = 6 * 3600 * 1000,
	STEP_MS = 200, /* between two chunks, each of a few milliseconds */
	EVENTS_A_STEP = 500,
	LOOKS_A_STEP = 1000,
};

enum state { WAIT, EVENTS, GONE };
static const char *const state_name[] = {"WAIT", "EVENTS", "GONE"};

struct retention {
	enum state state;
	struct loop *loop;	   /* borrowed */
	struct store *store;	   /* borrowed */
	struct loop_timer *timer;  /* owned until it fires; one of the two is not NULL */
	struct store_write *write; /* owned until it ends */
	retention_limits_fn *limits_fn;
	void *arg;
	struct retention_limits limits; /* of this look */
	struct store_gone_place from, to;
	size_t step;		/* what the chunk has forgotten */
	bool has_more;		/* behind the chunk */
	size_t total[GONE + 1]; /* of this look, by state */
};

static void on_time(void *arg);

static void wait_ms(struct retention *retention, int64_t delay_ms)
{
	retention->timer = loop_timer_start(retention->loop, delay_ms, on_time, retention);
}

/* Run again after a rollback it sets the outcome again. */
static void write_chunk(struct store_txn *txn, void *arg)
{
	struct retention *retention = arg;
	const struct retention_limits *limits = &retention->limits;
	if (retention->state == EVENTS) {
		retention->step = store_events_prune(
			txn, limits->now_s - limits->keep_events_s, limits->now_s, EVENTS_A_STEP);
		retention->has_more = retention->step > 0;
	} else {
		retention->has_more =
			store_gone_prune(txn, &retention->from, limits->now_s - limits->keep_gone_s,
				LOOKS_A_STEP, &retention->to, &retention->step);
	}
}

static void end_look(struct retention *retention)
{
	size_t events = retention->total[EVENTS], gone = retention->total[GONE];
	if (events > 0 || gone > 0)
		log_info("forget events=%zu certificates=%zu reason=\"older than keep_events and "
			 "keep_gone\"",
			events, gone);
	retention->state = WAIT;
	wait_ms(retention, LOOK_MS);
}

/* Takes in the chunk that was written, then waits for the next one or ends the look. */
static void step(struct retention *retention)
{
	retention->total[retention->state] += retention->step;
	switch (retention->state) {
	case WAIT:
		abort(); /* nothing is written then */
	case EVENTS:
		if (!retention->has_more)
			retention->state = GONE;
		break;
	case GONE:
		retention->from = retention->to;
		if (!retention->has_more) {
			end_look(retention);
			return;
		}
		break;
	}
	wait_ms(retention, STEP_MS);
}

static void on_written(void *arg, const struct err *err)
{
	struct retention *retention = arg;
	retention->write = NULL;
	if (err == NULL) {
		step(retention);
		return;
	}
	log_warning("forget state=%s error=%s reason=%s next=\"again in 6 h\"",
		state_name[retention->state], err_kind_name(err->kind), err->text);
	end_look(retention);
}

static void on_time(void *arg)
{
	struct retention *retention = arg;
	retention->timer = NULL;
	if (retention->state == WAIT) {
		if (!retention->limits_fn(retention->arg, &retention->limits)) {
			wait_ms(retention, FIRST_MS);
			return;
		}
		retention->state = EVENTS;
		retention->from = (struct store_gone_place){.len = 0};
		retention->total[EVENTS] = retention->total[GONE] = 0;
	}
	retention->write =
		store_write_start(retention->store, write_chunk, retention, on_written, retention);
}

struct retention *retention_start(
	struct loop *loop, struct store *store, retention_limits_fn *limits, void *arg)
{
	struct retention *retention = xcalloc(1, sizeof(*retention));
	retention->loop = loop;
	retention->store = store;
	retention->limits_fn = limits;
	retention->arg = arg;
	wait_ms(retention, FIRST_MS);
	return retention;
}

void retention_stop(struct retention *retention)
{
	if (retention == NULL)
		return;
	loop_timer_cancel(retention->timer);
	store_write_cancel(retention->write);
	free(retention);
}
