/* Pure decisions about the tree of units and accounts: paths and filters. */
#include "orgscope/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "orgscope/id_index.h"

enum { PATH_MAX_BYTES = (SCOPE_DEPTH_MAX + 1) * 1024 }; /* a name has at most 4 * 128 bytes */

void scope_clear(struct scope *scope)
{
	for (size_t i = 0; i < scope->unit_count; i++)
		free(scope->unit[i].name);
	free(scope->unit);
	for (size_t i = 0; i < scope->account_count; i++) {
		free(scope->account[i].name);
		free(scope->account[i].email);
		free(scope->account[i].unit_path);
	}
	free(scope->account);
	*scope = (struct scope){.unit = NULL};
}

/* --- units by id ------------------------------------------------------------------------------ */

struct unit_index {
	const struct scope *scope; /* borrowed */
	struct id_index by_id;
};

static void unit_index_init(struct unit_index *index, const struct scope *scope)
{
	*index = (struct unit_index){.scope = scope};
	for (size_t i = 0; i < scope->unit_count; i++)
		id_index_add(&index->by_id, scope->unit, sizeof(*scope->unit), i);
}

static void unit_index_clear(struct unit_index *index)
{
	id_index_clear(&index->by_id);
}

static const struct scope_unit *unit_find(const struct unit_index *index, const char *id)
{
	const struct scope *scope = index->scope;
	size_t at;
	bool is_found = id_index_find(&index->by_id, scope->unit, sizeof(*scope->unit), id, &at);
	return is_found ? &scope->unit[at] : NULL;
}

/*
 * The units from id up to its root: chain[0] is id's own. Returns how many, or 0 when a parent is
 * missing or the way up is longer than SCOPE_DEPTH_MAX, which a circle always is.
 */
static size_t unit_chain(const struct unit_index *index, const char *id,
	const struct scope_unit *chain[SCOPE_DEPTH_MAX])
{
	for (size_t depth = 0; depth < SCOPE_DEPTH_MAX; depth++) {
		chain[depth] = unit_find(index, id);
		if (chain[depth] == NULL)
			return 0;
		if (chain[depth]->parent_id[0] == '\0')
			return depth + 1;
		id = chain[depth]->parent_id;
	}
	return 0;
}

/* --- paths ------------------------------------------------------------------------------------ */

/* "Root/Security/Prod" in path. */
static int unit_path(
	const struct unit_index *index, const char *id, struct buf *path, struct err *err)
{
	const struct scope_unit *chain[SCOPE_DEPTH_MAX];
	size_t depth = unit_chain(index, id, chain);
	if (depth == 0)
		return err_set(err, ERR_PROTOCOL,
			"unit %s does not lead up to a root within %d levels: a parent is missing, "
			"or its parents form a circle",
			id, SCOPE_DEPTH_MAX);
	buf_reset(path);
	for (size_t i = depth; i-- > 0;) {
		buf_add_text(path, chain[i]->name);
		if (i > 0)
			buf_add_char(path, '/');
	}
	return buf_check(path, "the path of a unit", err);
}

static int build_paths(
	struct scope *scope, const struct unit_index *index, struct buf *path, struct err *err)
{
	for (size_t i = 0; i < scope->unit_count; i++) { /* those without accounts too */
		if (unit_path(index, scope->unit[i].id, path, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < scope->account_count; i++) {
		struct scope_account *account = &scope->account[i];
		buf_reset(path);
		if (account->unit_id[0] != '\0' &&
			unit_path(index, account->unit_id, path, err) != 0)
			return err_wrap(err, "account %s", account->id);
		free(account->unit_path);
		account->unit_path = xstrdup(buf_text(path));
	}
	return 0;
}

int scope_build_paths(struct scope *scope, struct err *err)
{
	struct unit_index index;
	unit_index_init(&index, scope);
	struct buf path;
	buf_init(&path, PATH_MAX_BYTES);
	int rc = build_paths(scope, &index, &path, err);
	buf_clear(&path);
	unit_index_clear(&index);
	return rc;
}

/* --- filters ---------------------------------------------------------------------------------- */

static bool list_has(const char *const *list, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i], id) == 0)
			return true;
	}
	return false;
}

/* The first unit from below that the list names, or NULL. */
static const struct scope_unit *chain_named(
	const struct scope_unit *const *chain, size_t depth, const char *const *list, size_t count)
{
	for (size_t i = 0; i < depth; i++) {
		if (list_has(list, count, chain[i]->id))
			return chain[i];
	}
	return NULL;
}

static void set_verdict(struct scope_account *account, enum scope_verdict verdict,
	const char *before, const char *id, const char *after)
{
	account->verdict = verdict;
	snprintf(account->reason, sizeof(account->reason), "%s%s%s", before, id, after);
}

static void judge(struct scope_account *account, const struct unit_index *index,
	const struct scope_filter *filter)
{
	const struct scope_unit *chain[SCOPE_DEPTH_MAX];
	size_t depth = account->unit_id[0] != '\0' ? unit_chain(index, account->unit_id, chain) : 0;

	if (list_has(filter->exclude_accounts, filter->exclude_account_count, account->id)) {
		set_verdict(account, SCOPE_EXCLUDED, "the account is in exclude_accounts", "", "");
		return;
	}
	const struct scope_unit *unit =
		chain_named(chain, depth, filter->exclude_units, filter->exclude_unit_count);
	if (unit != NULL) {
		set_verdict(account, SCOPE_EXCLUDED, "its unit ", unit->id, " is in exclude_units");
		return;
	}
	bool has_include = filter->include_account_count > 0 || filter->include_unit_count > 0;
	bool is_included =
		list_has(filter->include_accounts, filter->include_account_count, account->id) ||
		chain_named(chain, depth, filter->include_units, filter->include_unit_count) !=
			NULL;
	if (has_include && !is_included) {
		set_verdict(account, SCOPE_EXCLUDED,
			"neither include_accounts nor include_units names it", "", "");
		return;
	}
	if (account->state[0] == '\0')
		set_verdict(
			account, SCOPE_INACTIVE, "AWS does not tell the account's state", "", "");
	else if (strcmp(account->state, "ACTIVE") != 0)
		set_verdict(account, SCOPE_INACTIVE, "the account is ", account->state, "");
	else
		set_verdict(account, SCOPE_VISIT, "", "", "");
}

void scope_apply_filter(struct scope *scope, const struct scope_filter *filter)
{
	struct unit_index index;
	unit_index_init(&index, scope);
	for (size_t i = 0; i < scope->account_count; i++)
		judge(&scope->account[i], &index, filter);
	unit_index_clear(&index);
}
