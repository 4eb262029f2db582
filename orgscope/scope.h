/*
 * What is in scope: the tree of units and the accounts of one connector, as plain data, and the
 * pure decisions about it (filters, paths). Organizations is read by org_walk.h.
 */
#ifndef ORGSCOPE_SCOPE_H
#define ORGSCOPE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	/* AWS's own ceilings are far below; these end a NextToken chain that never ends. */
	SCOPE_ACCOUNTS_MAX = 50000,
	SCOPE_UNITS_MAX = 20000,
	SCOPE_DEPTH_MAX = 16, /* AWS allows five levels below the root */
	SCOPE_REASON_MAX = 160,
};

struct scope_unit {
	char id[80];	    /* first, for id_index.h; each once */
	char parent_id[80]; /* "" for a root */
	char *name;	    /* owned */
};

enum scope_verdict { SCOPE_VISIT, SCOPE_INACTIVE, SCOPE_EXCLUDED };

struct scope_account {
	char id[13];	    /* first, for id_index.h */
	char *name, *email; /* owned */
	char state[24];	    /* as AWS spells it; "ACTIVE" is visited */
	char unit_id[80];   /* "" in account scope */
	char *unit_path;    /* owned; "Root/Security/Prod" */
	bool is_management;
	bool is_hub; /* the connector's own account: no role is assumed there */
	enum scope_verdict verdict;
	char reason[SCOPE_REASON_MAX]; /* why not visited; "" */
};

struct scope {
	char partition[16];
	char organization_id[40]; /* "" in account scope or without an organization */
	char management_account_id[13];
	char hub_account_id[13];
	char hub_arn[2049];
	struct scope_unit *unit; /* owned */
	size_t unit_count, unit_capacity;
	struct scope_account *account; /* owned; in order of id */
	size_t account_count, account_capacity;
};

/* Lists of ids, as the configuration has them. Borrowed. Empty include lists mean: everything. */
struct scope_filter {
	const char *const *include_units, *const *exclude_units;
	size_t include_unit_count, exclude_unit_count;
	const char *const *include_accounts, *const *exclude_accounts;
	size_t include_account_count, exclude_account_count;
};

void scope_clear(struct scope *scope);
/* Fills unit_path of every account. ERR_PROTOCOL: a unit whose parents form a circle or are
 * missing; ERR_LIMIT: a path too long for any real names. */
int scope_build_paths(struct scope *scope, struct err *err);
/* Sets verdict and reason of every account. Exclude beats include; a unit's filter holds for all
 * below it; included units and included accounts add up. What the filters leave and is not ACTIVE
 * is inactive. */
void scope_apply_filter(struct scope *scope, const struct scope_filter *filter);

#endif
