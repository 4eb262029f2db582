#include "base/worker.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

struct worker {
	struct loop *loop;   /* borrowed */
	int fd;		     /* owned; eventfd: the job has run */
	struct event *event; /* owned; of fd; added while a job is under way */
	pthread_t thread;
	/* The loop's own. */
	bool is_busy;
	worker_done_fn *done;

	pthread_mutex_t mutex; /* guards everything below */
	pthread_cond_t changed;
	worker_fn *work; /* NULL: nothing to run, or it has run */
	void *arg;	 /* borrowed until done */
	bool is_ending;
};

static void *run_thread(void *arg)
{
	struct worker *worker = arg;
	pthread_mutex_lock(&worker->mutex);
	for (;;) {
		while (worker->work == NULL && !worker->is_ending)
			pthread_cond_wait(&worker->changed, &worker->mutex);
		if (worker->work == NULL)
			break;
		worker_fn *work = worker->work;
		pthread_mutex_unlock(&worker->mutex);
		work(worker->arg);
		pthread_mutex_lock(&worker->mutex);
		worker->work = NULL;
		pthread_cond_broadcast(&worker->changed);
		/* Cannot block or fail: the counter is 64 bits wide. */
		(void)eventfd_write(worker->fd, 1);
	}
	pthread_mutex_unlock(&worker->mutex);
	return NULL;
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct worker *worker = arg;
	eventfd_t ignored;
	loop_turn_mark(worker->loop);
	(void)eventfd_read(fd, &ignored); /* one job, one count */
	worker->is_busy = false;
	worker->done(worker->arg);
}

/* Signals stay with the main thread. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&worker->thread, NULL, run_thread, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void destroy(struct worker *worker)
{
	event_free(worker->event);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->mutex);
	close(worker->fd);
	free(worker);
}

struct worker *worker_new(struct loop *loop, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		err_set_errno(err, ERR_SYSTEM, "cannot make an eventfd");
		return NULL;
	}
	struct worker *worker = xcalloc(1, sizeof(*worker));
	worker->loop = loop;
	worker->fd = fd;
	worker->event = event_new(loop_event_base(loop), fd, EV_READ, on_done, worker);
	if (worker->event == NULL || pthread_mutex_init(&worker->mutex, NULL) != 0 ||
		pthread_cond_init(&worker->changed, NULL) != 0)
		abort(); /* fail for lack of memory only */
	errno = start_thread(worker);
	if (errno != 0) {
		err_set_errno(err, ERR_SYSTEM, "cannot start a thread");
		destroy(worker);
		return NULL;
	}
	return worker;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->is_ending = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->mutex);
	pthread_join(worker->thread, NULL);
	destroy(worker);
}

void worker_start(struct worker *worker, worker_fn *work, worker_done_fn *done, void *arg)
{
	assert(!worker->is_busy);
	worker->is_busy = true;
	worker->done = done;
	/* Not persistent, so that an idle worker does not keep the loop running. */
	if (event_add(worker->event, NULL) != 0)
		abort(); /* fails for lack of memory only */
	pthread_mutex_lock(&worker->mutex);
	worker->work = work;
	worker->arg = arg;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->mutex);
}

bool worker_is_busy(const struct worker *worker)
{
	return worker->is_busy;
}

void worker_wait(struct worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	while (worker->work != NULL)
		pthread_cond_wait(&worker->changed, &worker->mutex);
	pthread_mutex_unlock(&worker->mutex);
}
