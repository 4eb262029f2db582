#include "sensor/signals.h"

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

enum { SIGNALS = 3 };

struct signals {
	struct loop *loop;	      /* borrowed */
	struct event *event[SIGNALS]; /* owned */
	signals_fn *on_stop;
	signals_fn *on_reload; /* or NULL */
	void *arg;
	bool is_stopping;
};

static void on_stop_signal(evutil_socket_t number, short events, void *arg)
{
	struct signals *signals = arg;
	(void)events;
	loop_turn_mark(signals->loop);
	if (signals->is_stopping) {
		log_warning("stop sensor signal=%d again=yes", (int)number);
		_exit(128 + (int)number);
	}
	signals->is_stopping = true;
	log_info("stop sensor signal=%d", (int)number);
	signals->on_stop(signals->arg);
}

static void on_reload_signal(evutil_socket_t number, short events, void *arg)
{
	struct signals *signals = arg;
	(void)number, (void)events;
	loop_turn_mark(signals->loop);
	if (signals->on_reload != NULL && !signals->is_stopping)
		signals->on_reload(signals->arg);
}

struct signals *signals_new(
	struct loop *loop, signals_fn *on_stop, signals_fn *on_reload, void *arg, struct err *err)
{
	static const int number[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	struct signals *signals = xcalloc(1, sizeof(*signals));
	*signals = (struct signals){
		.loop = loop, .on_stop = on_stop, .on_reload = on_reload, .arg = arg};
	for (int i = 0; i < SIGNALS; i++) {
		signals->event[i] = evsignal_new(loop_event_base(loop), number[i],
			number[i] == SIGHUP ? on_reload_signal : on_stop_signal, signals);
		if (signals->event[i] == NULL || event_add(signals->event[i], NULL) != 0) {
			(void)err_set(err, ERR_SYSTEM, "cannot catch signal %d", number[i]);
			signals_free(signals);
			return NULL;
		}
	}
	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for these signals */
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
	(void)signal(SIGCHLD, SIG_DFL); /* ignored by who started us: no child's end is told */
	return signals;
}

void signals_free(struct signals *signals)
{
	if (signals == NULL)
		return;
	for (int i = 0; i < SIGNALS; i++)
		if (signals->event[i] != NULL)
			event_free(signals->event[i]);
	free(signals);
}
