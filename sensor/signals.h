/*
 * Signals, delivered by the loop. SIGTERM and SIGINT stop; the second one of them ends the process
 * at once (the store is safe at any instant). SIGHUP reloads. SIGPIPE is ignored: a peer that goes
 * away is an error of its connection.
 */
#ifndef SENSOR_SIGNALS_H
#define SENSOR_SIGNALS_H

struct err;
struct loop;
struct signals;

typedef void signals_fn(void *arg);

/* on_reload: NULL ignores SIGHUP. ERR_SYSTEM. */
struct signals *signals_new(
	struct loop *loop, signals_fn *on_stop, signals_fn *on_reload, void *arg, struct err *err);
void signals_free(struct signals *signals); /* NULL is fine */

#endif
