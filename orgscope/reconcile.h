/*
 * What happens to each region of an account, pure: which are visited, which only get a state, and
 * which coverage records are out of date. So that every (connector, account, region) has exactly
 * one state, and a region's last success stays visible while its account cannot be visited.
 */
#ifndef ORGSCOPE_RECONCILE_H
#define ORGSCOPE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>

struct region_list;

struct reconcile_input {
	/* The account's regions on record in the coverage table, COVERAGE_ANY_REGION included. */
	const char *const *known;
	size_t known_count;
	/* The connector's list of regions; none: every enabled one. */
	const char *const *wanted;
	size_t wanted_count;
	/* What AWS says; NULL: it was not asked (wanted is there), or the account is lost. */
	const struct region_list *regions;
	/* The account as a whole cannot be visited (role, no regions, not active, excluded). */
	bool is_lost;
};

enum reconcile_action {
	RECONCILE_VISIT,
	RECONCILE_DISABLED, /* put: region_disabled */
	RECONCILE_MARK,	    /* put: the state of the account that is lost */
	RECONCILE_EXCLUDED, /* put: excluded, it is no longer in the connector's list */
	RECONCILE_DELETE,   /* the record is out of date */
};

struct reconcile_item {
	char region[32];
	enum reconcile_action action;
};

struct reconcile_plan {
	struct reconcile_item *item; /* owned; each region once */
	size_t count, capacity;
};

/*
 * A lost account's regions are those of the connector's list, else those on record, else "*". Once
 * regions are known, "*" is deleted.
 */
void reconcile_regions(const struct reconcile_input *input, struct reconcile_plan *ret_plan);
void reconcile_plan_clear(struct reconcile_plan *plan);

#endif
