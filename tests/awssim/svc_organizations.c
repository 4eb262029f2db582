/* Organizations (JSON 1.1, 2016-11-28): the tree of roots, units and accounts. */
#include <stdio.h>
#include <string.h>

#include "tests/awssim/service.h"

enum { PAGE_MAX = 20, SALT_EMAIL = 501 };

static const char *const state_name[] = {
	"ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"};

/* The older Status knows three values. */
static const char *const status_name[] = {
	"ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "SUSPENDED", "ACTIVE"};

/* Management account, its role, or the delegated administrator. False after a denial. */
static bool check_caller(struct call *call)
{
	const struct world *world = call->sim->world;
	bool is_delegated = strcmp(world->options->hub, "delegated") == 0 &&
			    call->who->account == world->hub && call->who->kind == PRINCIPAL_BASE;
	if (call->who->account == world->management || is_delegated)
		return true;
	char action[80];
	snprintf(action, sizeof(action), "organizations:%s", call->operation->name);
	call_deny_identity(call, action, NULL);
	return false;
}

static void add_arn(
	const struct call *call, struct out *out, const char *key, const char *kind, const char *id)
{
	const struct world *world = call->sim->world;
	struct out arn = {0};
	out_fmt(&arn, "arn:%s:organizations::%s:%s/%s%s%s", world->partition->id,
		world->account[world->management].id, kind, world->org_id, id[0] != '\0' ? "/" : "",
		id);
	json_member(out, key, arn.data);
	out_clear(&arn);
}

void organizations_describe_organization(struct call *call)
{
	const struct world *world = call->sim->world;
	const char *management = world->account[world->management].id;
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_key(body, "Organization");
	json_open(body, '{');
	json_member(body, "Id", world->org_id);
	add_arn(call, body, "Arn", "organization", "");
	json_member(body, "FeatureSet", "ALL");
	add_arn(call, body, "MasterAccountArn", "account", management);
	json_member(body, "MasterAccountId", management);
	json_member(body, "MasterAccountEmail", "aws-management@example.com");
	json_key(body, "AvailablePolicyTypes");
	json_raw(body, "[{\"Type\":\"SERVICE_CONTROL_POLICY\",\"Status\":\"ENABLED\"}]");
	add_unknown_member(call, body, world->seed);
	json_close(body, '}');
	json_close(body, '}');
}

/* Reads MaxResults and NextToken; the token belongs to operation and parent. False: answered. */
static bool open_page(struct call *call, const char *parent, struct page *page, int64_t *ret_max)
{
	const char *token;
	*ret_max = PAGE_MAX;
	if (!input_int(call, "MaxResults", 1, PAGE_MAX, ret_max) ||
		!input_text(call, "NextToken", &token))
		return false;
	uint64_t belongs =
		hash_bytes(parent, strlen(parent), (uint64_t)(call->operation - operations));
	if (page_open(page, call, token, hash_mix(belongs, (uint64_t)*ret_max)))
		return true;
	call_fail_common(call, ERROR_INVALID, "You provided an invalid NextToken.");
	return false;
}

static void add_next(const struct page *page, uint64_t next, bool more, struct out *body)
{
	char token[PAGE_TOKEN_MAX];
	if (page_next(page, next, more, token))
		json_member(body, "NextToken", token);
}

void organizations_list_roots(struct call *call)
{
	const struct world *world = call->sim->world;
	struct out *body = &call->reply->body;
	struct page page;
	int64_t max;
	if (!check_caller(call) || !open_page(call, "", &page, &max))
		return;
	json_open(body, '{');
	json_key(body, "Roots");
	json_open(body, '[');
	bool has_room = page.position == 0 && page_size(&page, (uint64_t)max) > 0;
	if (has_room) {
		json_open(body, '{');
		json_member(body, "Id", world->root_id);
		add_arn(call, body, "Arn", "root", world->root_id);
		json_member(body, "Name", "Root");
		json_key(body, "PolicyTypes");
		json_raw(body, "[{\"Type\":\"SERVICE_CONTROL_POLICY\",\"Status\":\"ENABLED\"}]");
		json_close(body, '}');
	}
	json_close(body, ']');
	add_next(&page, has_room ? 1 : 0, !has_room && page.position == 0, body);
	json_close(body, '}');
}

/* ParentId: the root (-1) or a unit. False after an error was answered. */
static bool read_parent(struct call *call, int *ret_unit, const char **ret_id)
{
	const struct world *world = call->sim->world;
	if (!input_text(call, "ParentId", ret_id))
		return false;
	*ret_unit = -1;
	if (*ret_id == NULL) {
		call_fail_common(call, ERROR_INVALID, "You specified an invalid value: ParentId.");
		return false;
	}
	if (strcmp(*ret_id, world->root_id) == 0)
		return true;
	*ret_unit = world_find_unit(world, slice_of(*ret_id));
	if (*ret_unit >= 0)
		return true;
	call_fail(call, 400, "ParentNotFoundException",
		"You specified a root or OU that doesn't exist.");
	return false;
}

void organizations_list_units_for_parent(struct call *call)
{
	const struct world *world = call->sim->world;
	struct out *body = &call->reply->body;
	struct page page;
	const char *parent;
	int64_t max;
	int unit;
	if (!check_caller(call) || !read_parent(call, &unit, &parent) ||
		!open_page(call, parent, &page, &max))
		return;
	uint64_t room = page_size(&page, (uint64_t)max), at = page.position;
	bool more = false;
	json_open(body, '{');
	json_key(body, "OrganizationalUnits");
	json_open(body, '[');
	for (; at < world->unit_count && !more; at++) {
		const struct unit *child = &world->unit[at];
		if (child->parent != unit)
			continue;
		if (room == 0) {
			more = true;
			break;
		}
		room--;
		struct out path = {0};
		unit_path_ids(world, (int)at, &path);
		json_open(body, '{');
		json_member(body, "Id", child->id);
		add_arn(call, body, "Arn", "ou", child->id);
		json_member(body, "Name", child->name);
		json_member(body, "Path", path.data);
		json_close(body, '}');
		out_clear(&path);
	}
	json_close(body, ']');
	add_next(&page, at, more, body);
	json_close(body, '}');
}

static void add_account(const struct call *call, struct out *body, size_t index)
{
	const struct world *world = call->sim->world;
	const struct account *account = &world->account[index];
	const char *fields = world->options->account_fields;
	struct out text = {0};
	json_open(body, '{');
	json_member(body, "Id", account->id);
	add_arn(call, body, "Arn", "account", account->id);
	out_fmt(&text, "aws+%zu@example.com", index);
	json_member(body, "Email", text.data);
	text.len = 0;
	account_name(account, &text);
	json_member(body, "Name", text.data);
	if (strcmp(fields, "state") != 0)
		json_member(body, "Status", status_name[account->state]);
	if (strcmp(fields, "status") != 0)
		json_member(body, "State", state_name[account->state]);
	json_member(body, "JoinedMethod", index % 3 == 0 ? "INVITED" : "CREATED");
	json_key(body, "JoinedTimestamp");
	text.len = 0;
	out_fmt(&text, "%lld.%03d", (long long)account->joined_s, (int)(index % 1000));
	json_raw(body, text.data);
	text.len = 0;
	unit_path_ids(world, account->unit, &text);
	out_fmt(&text, "%s/", account->id);
	json_key(body, "Paths");
	json_open(body, '[');
	json_text(body, text.data);
	json_close(body, ']');
	add_unknown_member(call, body, hash_mix(SALT_EMAIL, index));
	json_close(body, '}');
	out_clear(&text);
}

/* unit -2: of all units. */
static void list_accounts(struct call *call, int unit, const char *parent)
{
	const struct world *world = call->sim->world;
	struct out *body = &call->reply->body;
	struct page page;
	int64_t max;
	if (!open_page(call, parent, &page, &max))
		return;
	uint64_t room = page_size(&page, (uint64_t)max), at = page.position;
	bool more = false;
	json_open(body, '{');
	json_key(body, "Accounts");
	json_open(body, '[');
	for (; at < world->account_count; at++) {
		if (unit != -2 && world->account[at].unit != unit)
			continue;
		if (room == 0) {
			more = true;
			break;
		}
		room--;
		add_account(call, body, at);
	}
	json_close(body, ']');
	add_next(&page, at, more, body);
	json_close(body, '}');
}

void organizations_list_accounts(struct call *call)
{
	if (check_caller(call))
		list_accounts(call, -2, "");
}

void organizations_list_accounts_for_parent(struct call *call)
{
	const char *parent;
	int unit;
	if (check_caller(call) && read_parent(call, &unit, &parent))
		list_accounts(call, unit, parent);
}
