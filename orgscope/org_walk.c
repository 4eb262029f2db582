/*
 * Who are we, and which accounts are there.
 *
 *   start -> WAIT_IDENTITY -(account scope)----------------------------------> DONE
 *                |                                                              ^
 *                +-> [WAIT_ROLE] -> WAIT_ORGANIZATION -(stand-alone)------------+
 *                                        |                                      |
 *                                        v                                      |
 *                                   WAIT_ROOTS -> WAIT_TREE --------------------+ no parent left
 *
 * The list of units is the queue of parents, so that no depth of nesting costs stack. In WAIT_TREE
 * two lanes go along it side by side, since AWS counts their calls apart: one asks each parent for
 * its units, which makes the queue longer, the other for its accounts. The last two states stay as
 * long as pages come. Retries and pacing are in aws_call.
 */
#include "orgscope/org_walk.h"

#include <stdlib.h>
#include <string.h>

#include "aws/arn.h"
#include "aws/organizations_read.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/id_index.h"

enum {
	SESSION_S = 3600,	  /* the most that AWS allows when a role assumes a role */
	PAGES_WITHOUT_NEWS = 100, /* in a row; empty pages are normal, endless ones are not */
};

enum state {
	WAIT_IDENTITY,
	WAIT_ROLE,
	WAIT_ORGANIZATION,
	WAIT_ROOTS,
	WAIT_TREE,
	DONE,
};
static const char *const state_name[] = {
	"WAIT_IDENTITY", "WAIT_ROLE", "WAIT_ORGANIZATION", "WAIT_ROOTS", "WAIT_TREE", "DONE"};

/* A listing, page after page, of one parent after the other. */
struct lane {
	struct org_walk *walk; /* borrowed: its walk */
	struct aws_call *call; /* owned until it answers; NULL: no parent to ask */
	size_t parent;	       /* index of the unit that is asked */
	char *next_token;      /* owned; NULL asks for the first page */
	unsigned pages_without_news;
};

struct org_walk {
	enum state state;
	struct aws_client *hub;	       /* borrowed; outlives the walk */
	struct aws_client *management; /* owned; NULL when the hub asks itself */
	char *region, *role_arn, *external_id, *session_name; /* owned */
	bool is_organization;
	struct aws_call *call;		     /* owned until it answers */
	struct aws_ready *ready;	     /* owned until it answers; only in WAIT_ROLE */
	struct scope scope;		     /* owned; its units are the queue of parents */
	struct id_index units, accounts;     /* of scope, by id */
	struct lane roots;		     /* has no parent */
	struct lane unit_lane, account_lane; /* in WAIT_TREE */
	org_walk_done_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);
static void on_page(void *arg, const struct aws_reply *reply, const struct err *call_err);

static void clear_lane(struct lane *lane)
{
	aws_call_cancel(lane->call);
	free(lane->next_token);
}

static void destroy(struct org_walk *walk)
{
	aws_call_cancel(walk->call);
	clear_lane(&walk->roots);
	clear_lane(&walk->unit_lane);
	clear_lane(&walk->account_lane);
	aws_client_ready_cancel(walk->ready);
	aws_client_free(walk->management); /* wipes its session */
	scope_clear(&walk->scope);
	id_index_clear(&walk->units);
	id_index_clear(&walk->accounts);
	free(walk->region);
	free(walk->role_arn);
	free(walk->external_id);
	free(walk->session_name);
	free(walk);
}

/* --- what the answers bring ------------------------------------------------------------------- */

/* Room for one more account, zeroed but for its id. */
static struct scope_account *add_account(struct scope *scope, const char *id)
{
	scope->account = xgrow(scope->account, &scope->account_capacity, scope->account_count,
		sizeof(*scope->account));
	struct scope_account *account = &scope->account[scope->account_count++];
	*account = (struct scope_account){.name = NULL};
	text_copy(account->id, sizeof(account->id), id);
	return account;
}

/* The scope of an account on its own: it is there, since it answered. */
static void add_hub_account(struct scope *scope)
{
	struct scope_account *account = add_account(scope, scope->hub_account_id);
	account->name = xstrdup("");
	account->email = xstrdup("");
	text_copy(account->state, sizeof(account->state), "ACTIVE");
}

/* The account of that id, which may be new. An account that is listed again was moved while we
 * walked. */
static struct scope_account *get_account(struct org_walk *walk, const char *id, bool *ret_is_new)
{
	struct scope *scope = &walk->scope;
	size_t at;
	*ret_is_new =
		!id_index_find(&walk->accounts, scope->account, sizeof(*scope->account), id, &at);
	if (!*ret_is_new)
		return &scope->account[at];
	struct scope_account *account = add_account(scope, id);
	id_index_add(
		&walk->accounts, scope->account, sizeof(*scope->account), scope->account_count - 1);
	return account;
}

/* Takes the texts of item over; the newest answer counts. Returns whether it is new. */
static bool take_account(
	struct org_walk *walk, const char *unit_id, struct organization_account *item)
{
	bool is_new;
	struct scope_account *account = get_account(walk, item->id, &is_new);
	free(account->name);
	free(account->email);
	account->name = item->name;
	account->email = item->email;
	item->name = item->email = NULL;
	text_copy(account->state, sizeof(account->state), item->state);
	text_copy(account->unit_id, sizeof(account->unit_id), unit_id);
	return is_new;
}

/* Takes over the name of a root (parent_id "") or unit that is new. */
static void add_unit(struct org_walk *walk, const char *parent_id, struct organization_unit *item)
{
	struct scope *scope = &walk->scope;
	scope->unit =
		xgrow(scope->unit, &scope->unit_capacity, scope->unit_count, sizeof(*scope->unit));
	struct scope_unit *unit = &scope->unit[scope->unit_count++];
	*unit = (struct scope_unit){.name = item->name};
	item->name = NULL;
	text_copy(unit->id, sizeof(unit->id), item->id);
	text_copy(unit->parent_id, sizeof(unit->parent_id), parent_id);
	id_index_add(&walk->units, scope->unit, sizeof(*scope->unit), scope->unit_count - 1);
}

static int take_unit(struct org_walk *walk, const char *parent_id, struct organization_unit *item,
	bool *ret_is_new, struct err *err)
{
	const struct scope *scope = &walk->scope;
	size_t at;
	*ret_is_new =
		!id_index_find(&walk->units, scope->unit, sizeof(*scope->unit), item->id, &at);
	if (!*ret_is_new) {
		const char *known_parent_id = scope->unit[at].parent_id;
		return strcmp(known_parent_id, parent_id) == 0
			       ? 0
			       : err_set(err, ERR_PROTOCOL,
					 "unit %s is listed under \"%s\" and under \"%s\"",
					 item->id, known_parent_id, parent_id);
	}
	if (scope->unit_count >= SCOPE_UNITS_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d organizational units", SCOPE_UNITS_MAX);
	add_unit(walk, parent_id, item);
	return 0;
}

static int take_units(struct org_walk *walk, const char *parent_id,
	struct organization_unit_list *page, bool *ret_has_news, struct err *err)
{
	bool has_news = false;
	for (size_t i = 0; i < page->count; i++) {
		bool is_new = false;
		if (take_unit(walk, parent_id, &page->item[i], &is_new, err) != 0)
			return -1;
		has_news = has_news || is_new;
	}
	*ret_has_news = has_news;
	return 0;
}

static int take_accounts(struct org_walk *walk, const char *unit_id,
	struct organization_account_list *page, bool *ret_has_news, struct err *err)
{
	bool has_news = false;
	for (size_t i = 0; i < page->count; i++)
		has_news = take_account(walk, unit_id, &page->item[i]) || has_news;
	if (walk->scope.account_count > SCOPE_ACCOUNTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d accounts", SCOPE_ACCOUNTS_MAX);
	*ret_has_news = has_news;
	return 0;
}

/* Tokens that move on without end: a listing may not go on forever without bringing anything. */
static int check_progress(struct lane *lane, bool has_news, struct err *err)
{
	bool is_idle = lane->next_token != NULL && !has_news;
	lane->pages_without_news = is_idle ? lane->pages_without_news + 1 : 0;
	if (lane->pages_without_news >= PAGES_WITHOUT_NEWS)
		return err_set(err, ERR_LIMIT, "%d pages in a row brought nothing new",
			PAGES_WITHOUT_NEWS);
	return 0;
}

/* One page of roots, or of units below the parent that was asked. */
static int take_unit_page(struct lane *lane, const struct aws_reply *reply, struct err *err)
{
	struct org_walk *walk = lane->walk;
	struct organization_unit_list page = {.item = NULL};
	char parent_id[sizeof(walk->scope.unit->id)] = ""; /* a copy: the array of units grows */
	if (lane != &walk->roots)
		text_copy(parent_id, sizeof(parent_id), walk->scope.unit[lane->parent].id);
	bool has_news = false;
	int rc = lane == &walk->roots
			 ? organizations_list_roots_take(reply, &page, &lane->next_token, err)
			 : organizations_list_units_take(reply, &page, &lane->next_token, err);
	if (rc == 0)
		rc = take_units(walk, parent_id, &page, &has_news, err);
	if (rc == 0)
		rc = check_progress(lane, has_news, err);
	organization_unit_list_clear(&page);
	return rc;
}

static int take_account_page(struct lane *lane, const struct aws_reply *reply, struct err *err)
{
	struct org_walk *walk = lane->walk;
	struct organization_account_list page = {.item = NULL};
	bool has_news = false;
	int rc = organizations_list_accounts_take(reply, &page, &lane->next_token, err);
	if (rc == 0)
		rc = take_accounts(walk, walk->scope.unit[lane->parent].id, &page, &has_news, err);
	if (rc == 0)
		rc = check_progress(lane, has_news, err);
	organization_account_list_clear(&page);
	return rc;
}

static int compare_accounts(const void *a, const void *b)
{
	const struct scope_account *left = a, *right = b;
	return strcmp(left->id, right->id);
}

static int complete_scope(struct scope *scope, struct err *err)
{
	if (scope->account_count > 0)
		qsort(scope->account, scope->account_count, sizeof(*scope->account),
			compare_accounts);
	for (size_t i = 0; i < scope->account_count; i++) {
		struct scope_account *account = &scope->account[i];
		account->is_management = strcmp(account->id, scope->management_account_id) == 0;
		account->is_hub = strcmp(account->id, scope->hub_account_id) == 0;
	}
	return scope_build_paths(scope, err);
}

/* --- the flow --------------------------------------------------------------------------------- */

static void on_ready(void *arg, const struct err *err)
{
	struct org_walk *walk = arg;
	walk->ready = NULL;
	on_reply(walk, NULL, err);
}

/* The management role's client, whose session is the next thing to wait for. */
static int assume_management(struct org_walk *walk, struct err *err)
{
	struct arn arn;
	if (!arn_parse(walk->role_arn, &arn) || arn.account_id[0] == '\0' ||
		!text_has_prefix(arn.resource, "role/"))
		return err_set(err, ERR_CONFIG, "management_role_arn \"%s\" is not a role's ARN",
			walk->role_arn);
	walk->management =
		aws_client_assume(walk->hub, &(struct aws_role){.account_id = arn.account_id,
						     .role_arn = walk->role_arn,
						     .session_name = walk->session_name,
						     .external_id = walk->external_id,
						     .sts_region = walk->region,
						     .duration_s = SESSION_S});
	return 0;
}

static struct aws_client *asker(struct org_walk *walk)
{
	return walk->management != NULL ? walk->management : walk->hub;
}

/* Goes on to the next page, or to the next parent that is known. */
static void ask_lane(struct lane *lane)
{
	struct org_walk *walk = lane->walk;
	struct aws_client *client = asker(walk);
	if (lane->call != NULL || lane->parent >= walk->scope.unit_count)
		return;
	const char *parent_id = walk->scope.unit[lane->parent].id;
	if (lane == &walk->unit_lane)
		lane->call = organizations_list_units_start(
			client, walk->region, parent_id, lane->next_token, on_page, lane);
	else
		lane->call = organizations_list_accounts_start(
			client, walk->region, parent_id, lane->next_token, on_page, lane);
}

/* Starts what the state waits for. */
static void ask(struct org_walk *walk)
{
	struct aws_client *client = asker(walk);
	const char *region = walk->region;
	switch (walk->state) {
	case WAIT_IDENTITY:
		walk->call = sts_get_caller_identity_start(client, region, on_reply, walk);
		return;
	case WAIT_ROLE:
		walk->ready = aws_client_ready_start(client, on_ready, walk);
		return;
	case WAIT_ORGANIZATION:
		walk->call = organizations_describe_start(client, region, on_reply, walk);
		return;
	case WAIT_ROOTS:
		walk->call = organizations_list_roots_start(
			client, region, walk->roots.next_token, on_reply, walk);
		return;
	case WAIT_TREE:
		ask_lane(&walk->unit_lane);
		ask_lane(&walk->account_lane);
		return;
	case DONE:
		return;
	}
}

static int take_identity(struct org_walk *walk, const struct aws_reply *reply, struct err *err)
{
	struct sts_identity identity;
	if (sts_get_caller_identity_take(reply, &identity, err) != 0)
		return -1;
	struct scope *scope = &walk->scope;
	text_copy(scope->partition, sizeof(scope->partition), identity.partition);
	text_copy(scope->hub_account_id, sizeof(scope->hub_account_id), identity.account_id);
	text_copy(scope->hub_arn, sizeof(scope->hub_arn), identity.arn);
	aws_client_set_account(walk->hub, identity.account_id);
	return 0;
}

static int take_organization(struct org_walk *walk, const struct aws_reply *reply, struct err *err)
{
	struct organization organization;
	if (organizations_describe_take(reply, &organization, err) != 0)
		return -1;
	struct scope *scope = &walk->scope;
	text_copy(scope->organization_id, sizeof(scope->organization_id), organization.id);
	text_copy(scope->management_account_id, sizeof(scope->management_account_id),
		organization.management_account_id);
	return 0;
}

/* Takes in the awaited answer and decides what to wait for next. 0, or -1 and err. */
static int step(struct org_walk *walk, const struct aws_reply *reply, struct err *err)
{
	struct scope *scope = &walk->scope;
	switch (walk->state) {
	case WAIT_IDENTITY:
		if (take_identity(walk, reply, err) != 0)
			return -1;
		if (!walk->is_organization) {
			add_hub_account(scope);
			walk->state = DONE;
			return complete_scope(scope, err);
		}
		walk->state = WAIT_ORGANIZATION;
		if (walk->role_arn[0] == '\0')
			return 0;
		walk->state = WAIT_ROLE;
		return assume_management(walk, err);
	case WAIT_ROLE:
		walk->state = WAIT_ORGANIZATION;
		return 0;
	case WAIT_ORGANIZATION:
		if (take_organization(walk, reply, err) != 0)
			return -1;
		walk->state = WAIT_ROOTS;
		return 0;
	case WAIT_ROOTS:
		if (take_unit_page(&walk->roots, reply, err) != 0)
			return -1;
		if (walk->roots.next_token != NULL)
			return 0;
		if (scope->unit_count == 0)
			return err_set(err, ERR_PROTOCOL, "the organization has no root");
		walk->state = WAIT_TREE;
		return 0;
	case WAIT_TREE:
		if (walk->unit_lane.parent < scope->unit_count ||
			walk->account_lane.parent < scope->unit_count)
			return 0;
		walk->state = DONE;
		return complete_scope(scope, err);
	case DONE:
		abort(); /* an answer after the end is a bug in aws_call */
	}
	abort();
}

/* Whether the answer says that there is no organization at all, which is fine when it is the hub
 * that has none. */
static bool is_stand_alone(const struct org_walk *walk, const struct err *err)
{
	return walk->state == WAIT_ORGANIZATION && walk->management == NULL && err != NULL &&
	       strcmp(err->code, "AWSOrganizationsNotInUseException") == 0;
}

/* Says what was asked, of whom, where the call's own text does not. */
static void explain(struct org_walk *walk, struct err *err)
{
	const struct scope *scope = &walk->scope;
	if (walk->state == WAIT_ROLE)
		err_wrap(err, "management role %s", walk->role_arn);
	bool is_refused = err->kind == ERR_DENIED && walk->management == NULL;
	if (is_refused && walk->state > WAIT_ORGANIZATION &&
		strcmp(scope->hub_account_id, scope->management_account_id) != 0)
		err_wrap(err,
			"account %s may not list organization %s: it needs a delegation from its "
			"management account %s, or management_role_arn",
			scope->hub_account_id, scope->organization_id,
			scope->management_account_id);
}

/* On to the next wait, or the end. */
static void go_on(struct org_walk *walk, int rc, struct err *err)
{
	log_debug("org_walk %s state=%s rc=%d", walk->scope.hub_account_id, state_name[walk->state],
		rc);
	if (rc == 0 && walk->state != DONE) {
		ask(walk);
		return;
	}
	if (rc != 0)
		explain(walk, err);
	walk->done(walk->arg, rc == 0 ? &walk->scope : NULL, rc != 0 ? err : NULL);
	destroy(walk);
}

/* A lane's answer, in WAIT_TREE. */
static void on_page(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct lane *lane = arg;
	struct org_walk *walk = lane->walk;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	lane->call = NULL; /* a call ends with its callback */
	int rc = call_err != NULL ? -1 : 0;
	if (rc == 0)
		rc = lane == &walk->unit_lane ? take_unit_page(lane, reply, &err)
					      : take_account_page(lane, reply, &err);
	if (rc != 0)
		err_wrap(&err, "unit %s", walk->scope.unit[lane->parent].id);
	if (rc == 0 && lane->next_token == NULL)
		lane->parent++;
	if (rc == 0)
		rc = step(walk, NULL, &err);
	go_on(walk, rc, &err);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct org_walk *walk = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	walk->call = NULL; /* a call ends with its callback */
	int rc = call_err != NULL ? -1 : 0;
	if (is_stand_alone(walk, call_err)) {
		add_hub_account(&walk->scope);
		rc = complete_scope(&walk->scope, &err);
		walk->state = DONE;
	} else if (rc == 0) {
		rc = step(walk, reply, &err);
	}
	go_on(walk, rc, &err);
}

struct org_walk *org_walk_start(
	const struct org_walk_options *options, org_walk_done_fn *done, void *arg)
{
	struct org_walk *walk = xcalloc(1, sizeof(*walk));
	walk->hub = options->hub;
	walk->region = xstrdup(options->region);
	walk->role_arn =
		xstrdup(options->management_role_arn != NULL ? options->management_role_arn : "");
	walk->external_id = xstrdup(options->external_id != NULL ? options->external_id : "");
	walk->session_name = xstrdup(options->session_name);
	walk->is_organization = options->is_organization;
	walk->done = done;
	walk->arg = arg;
	walk->roots.walk = walk->unit_lane.walk = walk->account_lane.walk = walk;
	ask(walk);
	return walk;
}

void org_walk_cancel(struct org_walk *walk)
{
	if (walk != NULL)
		destroy(walk);
}
