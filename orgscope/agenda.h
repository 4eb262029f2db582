/*
 * The order of work, pure data: which account to open next and which account-region to scan next.
 *
 * Fair: account-regions of all open accounts are handed out by region in turn (each region is one
 * endpoint, so none is hit in bursts), within a region in the order in which they were added. The
 * turn goes on wherever it stands when an account is added, so that the first requests of all
 * accounts do not meet in us-east-1. A huge account occupies one place like any other.
 */
#ifndef ORGSCOPE_AGENDA_H
#define ORGSCOPE_AGENDA_H

#include <stdbool.h>
#include <stddef.h>

struct agenda;

struct agenda_pair {
	size_t account; /* the caller's index */
	char region[32];
};

struct agenda *agenda_new(void);
void agenda_free(struct agenda *agenda); /* NULL is fine */
/* Each pair once: it is not looked for. */
void agenda_add(struct agenda *agenda, size_t account, const char *region);
/* Takes out the next pair, or returns false when none is waiting. */
bool agenda_next(struct agenda *agenda, struct agenda_pair *ret_pair);
/* Takes out every waiting pair of an account (its session was lost); returns how many. */
size_t agenda_drop_account(struct agenda *agenda, size_t account);
size_t agenda_count(const struct agenda *agenda);

#endif
