/*
 * Name resolution that stalls nobody: getaddrinfo in a few threads of its own, answers cached per
 * host. libcurl never resolves (a stalled resolver blocks its whole multi handle). A lookup that is
 * not answered within its time is ERR_TIMEOUT for its waiters while the thread goes on alone; when
 * every thread is stuck, new ones are started up to RESOLVE_THREADS_MAX, then lookups queue. A name
 * is looked up by one thread at a time, so a dead name costs one thread.
 */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct loop;
struct resolve;
struct resolve_call;

enum {
	RESOLVE_THREADS_MAX = 16,
	RESOLVE_ADDRESSES_MAX = 16,
	RESOLVE_TTL_S = 60, /* getaddrinfo tells no TTL; AWS uses 60 s and less */
	RESOLVE_TTL_FAILURE_S = 10,
	RESOLVE_HOSTS_MAX = 4096, /* cached; the oldest goes */
	RESOLVE_TIMEOUT_MS = 15000,
};

/* addresses: comma separated as CURLOPT_RESOLVE wants them ("192.0.2.1,[2001:db8::1]"). err:
 * ERR_UNREACHABLE names the host and the resolver's reason, ERR_TIMEOUT. */
typedef void resolve_done_fn(void *arg, const char *addresses, const struct err *err);

/* getaddrinfo, or a test's own. It runs in threads; freeaddrinfo frees what it answers. */
typedef int resolve_lookup_fn(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_info);

struct resolve *resolve_new(struct loop *loop, resolve_lookup_fn *lookup, struct err *err);
/* All calls must have ended. Does not wait for stuck threads: they are left behind with memory of
 * their own. */
void resolve_free(struct resolve *resolve);

/* host: a name, or a literal address, which is answered at once (from the loop). */
struct resolve_call *resolve_start(
	struct resolve *resolve, const char *host, resolve_done_fn *done, void *arg);
void resolve_cancel(struct resolve_call *call);

/* What resolve_start would answer from its cache, without the turn of the loop; NULL: not known, or
 * known to fail. Borrowed until the loop's next turn. */
const char *resolve_cached(struct resolve *resolve, const char *host);

#endif
