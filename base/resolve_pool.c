/*
 * getaddrinfo has no time limit that one could set and cannot be interrupted, so it runs in threads
 * that nobody waits for while they are in it: those are detached when the pool is closed, and the
 * last one frees the pool, which is all they share. Idle ones end at once and are joined, so that
 * none is in the middle of its end when the process ends.
 */
#include "base/resolve_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

STAILQ_HEAD(lookup_queue, lookup);

struct pool_thread {
	pthread_t id;
	struct lookup_pool *pool; /* borrowed, from users */
	bool is_busy;		  /* in getaddrinfo */
};

struct lookup_pool {
	resolve_lookup_fn *function;
	int fd; /* owned; eventfd: counts answers */

	pthread_mutex_t mutex; /* guards everything below */
	pthread_cond_t work;   /* waiting is not empty, or the pool is closed */
	struct lookup_queue waiting;
	struct lookup_queue answered;
	int waiting_count;
	struct pool_thread thread[RESOLVE_THREADS_MAX];
	int threads; /* started; none ends before the pool is closed */
	int idle;    /* of the threads: wait for work */
	int users;   /* of this struct: threads that are alive, and the owner */
	bool is_closed;
};

void lookup_free(struct lookup *lookup)
{
	if (lookup == NULL)
		return;
	free(lookup->host);
	free(lookup->addresses);
	free(lookup);
}

static void free_queue(struct lookup_queue *queue)
{
	while (!STAILQ_EMPTY(queue)) {
		struct lookup *lookup = STAILQ_FIRST(queue);
		STAILQ_REMOVE_HEAD(queue, link);
		lookup_free(lookup);
	}
}

static void destroy(struct lookup_pool *pool)
{
	free_queue(&pool->waiting);
	free_queue(&pool->answered);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->mutex);
	close(pool->fd);
	free(pool);
}

/* Addresses that need a zone are of no use: a name does not say on which link. */
static bool format_address(const struct addrinfo *info, char *text, socklen_t size)
{
	if (info->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)info->ai_addr;
		return inet_ntop(AF_INET, &in->sin_addr, text, size) != NULL;
	}
	if (info->ai_family != AF_INET6)
		return false;
	const struct sockaddr_in6 *in6 = (const void *)info->ai_addr;
	return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) &&
	       inet_ntop(AF_INET6, &in6->sin6_addr, text, size) != NULL;
}

static char *format_addresses(const struct addrinfo *info)
{
	struct buf text;
	buf_init(&text, (size_t)RESOLVE_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3));
	int count = 0;
	for (; info != NULL && count < RESOLVE_ADDRESSES_MAX; info = info->ai_next) {
		char address[INET6_ADDRSTRLEN];
		if (!format_address(info, address, sizeof(address)))
			continue;
		const char *comma = count > 0 ? "," : "";
		if (info->ai_family == AF_INET6)
			buf_addf(&text, "%s[%s]", comma, address);
		else
			buf_addf(&text, "%s%s", comma, address);
		count++;
	}
	if (count > 0)
		return buf_take(&text);
	buf_clear(&text);
	return NULL;
}

static void look_up(resolve_lookup_fn *function, struct lookup *lookup)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *info = NULL;
	lookup->gai_error = function(lookup->host, NULL, &hints, &info);
	lookup->system_error = errno;
	if (lookup->gai_error != 0)
		return;
	lookup->addresses = format_addresses(info);
	freeaddrinfo(info);
}

/* Under the mutex. */
static void put_answer(struct lookup_pool *pool, struct lookup *lookup)
{
	STAILQ_INSERT_TAIL(&pool->answered, lookup, link);
	/* Cannot block or fail: the counter is 64 bits wide. */
	(void)eventfd_write(pool->fd, 1);
}

/* Under the mutex, which it gives up. */
static void leave(struct lookup_pool *pool)
{
	bool is_last = --pool->users == 0;
	pthread_mutex_unlock(&pool->mutex);
	if (is_last)
		destroy(pool);
}

static void *run_thread(void *arg)
{
	struct pool_thread *thread = arg;
	struct lookup_pool *pool = thread->pool;
	pthread_mutex_lock(&pool->mutex);
	while (!pool->is_closed) {
		if (STAILQ_EMPTY(&pool->waiting)) {
			pool->idle++;
			pthread_cond_wait(&pool->work, &pool->mutex);
			pool->idle--;
			continue;
		}
		struct lookup *lookup = STAILQ_FIRST(&pool->waiting);
		STAILQ_REMOVE_HEAD(&pool->waiting, link);
		pool->waiting_count--;
		thread->is_busy = true;
		pthread_mutex_unlock(&pool->mutex);
		look_up(pool->function, lookup);
		pthread_mutex_lock(&pool->mutex);
		thread->is_busy = false;
		put_answer(pool, lookup);
	}
	leave(pool);
	return NULL;
}

/* Under the mutex. Signals stay with the main thread. */
static int start_thread(struct lookup_pool *pool)
{
	struct pool_thread *thread = &pool->thread[pool->threads];
	sigset_t all, before;
	thread->pool = pool;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&thread->id, NULL, run_thread, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0) {
		pool->threads++;
		pool->users++;
	}
	return rc;
}

struct lookup_pool *lookup_pool_new(resolve_lookup_fn *function, struct err *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		err_set_errno(err, ERR_SYSTEM, "cannot make an eventfd");
		return NULL;
	}
	struct lookup_pool *pool = xcalloc(1, sizeof(*pool));
	pool->function = function;
	pool->fd = fd;
	pool->users = 1;
	STAILQ_INIT(&pool->waiting);
	STAILQ_INIT(&pool->answered);
	if (pthread_mutex_init(&pool->mutex, NULL) != 0 ||
		pthread_cond_init(&pool->work, NULL) != 0)
		abort(); /* fail for lack of memory only */
	return pool;
}

void lookup_pool_close(struct lookup_pool *pool)
{
	pthread_t idle[RESOLVE_THREADS_MAX];
	int count = 0;
	pthread_mutex_lock(&pool->mutex);
	pool->is_closed = true;
	for (int i = 0; i < pool->threads; i++) {
		if (pool->thread[i].is_busy)
			pthread_detach(pool->thread[i].id);
		else
			idle[count++] = pool->thread[i].id;
	}
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->mutex);
	for (int i = 0; i < count; i++)
		pthread_join(idle[i], NULL);
	pthread_mutex_lock(&pool->mutex);
	leave(pool);
}

void lookup_pool_submit(struct lookup_pool *pool, const char *host)
{
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	lookup->host = xstrdup(host);
	pthread_mutex_lock(&pool->mutex);
	int rc = 0;
	if (pool->waiting_count >= pool->idle && pool->threads < RESOLVE_THREADS_MAX)
		rc = start_thread(pool);
	if (pool->threads > 0) {
		STAILQ_INSERT_TAIL(&pool->waiting, lookup, link);
		pool->waiting_count++;
		pthread_cond_signal(&pool->work);
	} else {
		lookup->gai_error = EAI_SYSTEM;
		lookup->system_error = rc;
		put_answer(pool, lookup);
	}
	pthread_mutex_unlock(&pool->mutex);
}

struct lookup *lookup_pool_take(struct lookup_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	struct lookup *lookup = STAILQ_FIRST(&pool->answered);
	if (lookup != NULL)
		STAILQ_REMOVE_HEAD(&pool->answered, link);
	if (STAILQ_EMPTY(&pool->answered)) {
		eventfd_t ignored;
		(void)eventfd_read(pool->fd, &ignored); /* EAGAIN: it was clear already */
	}
	pthread_mutex_unlock(&pool->mutex);
	return lookup;
}

int lookup_pool_fd(const struct lookup_pool *pool)
{
	return pool->fd;
}
