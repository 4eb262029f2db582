/* AWS Organizations, read only. source: Organizations 2016-11-28, JSON 1.1 (facts.md section 5) */
#include "aws/organizations_read.h"

#include <stdlib.h>
#include <string.h>

#include "aws/take.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	PAGE_ITEMS = 20,       /* the service's maximum */
	PAGE_ITEMS_MAX = 1000, /* more than that is not a page of 20 gone wrong but an attack */
	NAME_BYTES_MAX = ORGANIZATIONS_NAME_MAX * 4,
	EMAIL_BYTES_MAX = 320,
	BODY_MAX = 2 * ORGANIZATIONS_TOKEN_MAX, /* tokens are escaped where they need it */
	/* 20 accounts of at most some 2 KB with all names escaped, and a token. */
	REPLY_MAX = 1 << 20,
};

/* Of an account (facts.md section 5). */
static const struct rate describe_rate = {.per_second = 1, .burst = 2};
static const struct rate list_roots_rate = {.per_second = 1, .burst = 2};
static const struct rate list_children_rate = {.per_second = 5, .burst = 8};

/* --- lists ------------------------------------------------------------------------------------ */

static void truncate_units(struct organization_unit_list *list, size_t count)
{
	while (list->count > count)
		free(list->item[--list->count].name);
}

static void truncate_accounts(struct organization_account_list *list, size_t count)
{
	while (list->count > count) {
		struct organization_account *account = &list->item[--list->count];
		free(account->name);
		free(account->email);
	}
}

void organization_unit_list_clear(struct organization_unit_list *list)
{
	truncate_units(list, 0);
	free(list->item);
	*list = (struct organization_unit_list){.item = NULL};
}

void organization_account_list_clear(struct organization_account_list *list)
{
	truncate_accounts(list, 0);
	free(list->item);
	*list = (struct organization_account_list){.item = NULL};
}

/* --- requests --------------------------------------------------------------------------------- */

struct list_request {
	const char *operation, *expects; /* shared static */
	const char *parent_id;		 /* NULL: the operation takes none */
	const char *next_token;		 /* NULL: first page */
	struct rate rate;
};

static struct aws_call *call_start(struct aws_client *client, const char *region,
	const struct list_request *of, const struct buf *body, aws_call_done_fn *done, void *arg)
{
	struct aws_request request = {
		.service = AWS_ORGANIZATIONS,
		.operation = of->operation,
		.region = region,
		.path = "/",
		.body = buf_text(body),
		.body_len = body->len,
		.rate = of->rate,
		.reply_max_bytes = REPLY_MAX,
		.expects = of->expects,
	};
	return aws_call_start(client, &request, done, arg);
}

static struct aws_call *list_start(struct aws_client *client, const char *region,
	const struct list_request *of, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init(&body, BODY_MAX);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	if (of->parent_id != NULL)
		json_member_text(&writer, "ParentId", of->parent_id);
	json_member_int(&writer, "MaxResults", PAGE_ITEMS);
	if (of->next_token != NULL)
		json_member_text(&writer, "NextToken", of->next_token);
	json_close_object(&writer);
	struct aws_call *call = call_start(client, region, of, &body, done, arg);
	buf_clear(&body);
	return call;
}

struct aws_call *organizations_describe_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	buf_init(&body, BODY_MAX);
	buf_add_text(&body, "{}");
	struct aws_call *call = call_start(client, region,
		&(struct list_request){.operation = "DescribeOrganization",
			.expects = "Organization",
			.rate = describe_rate},
		&body, done, arg);
	buf_clear(&body);
	return call;
}

struct aws_call *organizations_list_roots_start(struct aws_client *client, const char *region,
	const char *next_token, aws_call_done_fn *done, void *arg)
{
	return list_start(client, region,
		&(struct list_request){.operation = "ListRoots",
			.expects = "Roots",
			.next_token = next_token,
			.rate = list_roots_rate},
		done, arg);
}

struct aws_call *organizations_list_units_start(struct aws_client *client, const char *region,
	const char *parent_id, const char *next_token, aws_call_done_fn *done, void *arg)
{
	return list_start(client, region,
		&(struct list_request){.operation = "ListOrganizationalUnitsForParent",
			.expects = "OrganizationalUnits",
			.parent_id = parent_id,
			.next_token = next_token,
			.rate = list_children_rate},
		done, arg);
}

struct aws_call *organizations_list_accounts_start(struct aws_client *client, const char *region,
	const char *parent_id, const char *next_token, aws_call_done_fn *done, void *arg)
{
	return list_start(client, region,
		&(struct list_request){.operation = "ListAccountsForParent",
			.expects = "Accounts",
			.parent_id = parent_id,
			.next_token = next_token,
			.rate = list_children_rate},
		done, arg);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* An identifier goes into requests and store keys: only what AWS's ids are made of. */
static int take_id(
	const json_t *object, const char *name, char *ret_id, size_t size, struct err *err)
{
	const char *id = "";
	if (json_get_text(object, name, size - 1, &id, err) != 0)
		return -1;
	size_t len = strlen(id);
	if (len == 0 || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return err_set(err, ERR_PROTOCOL, "%s is missing or no identifier", name);
	(void)text_copy(ret_id, size, id); /* its length is checked */
	return 0;
}

static int take_account_id(const json_t *object, const char *name, char *ret_id, struct err *err)
{
	char id[13];
	if (take_id(object, name, id, sizeof(id), err) != 0)
		return -1;
	if (!text_is_account_id(id))
		return err_set(err, ERR_PROTOCOL, "%s \"%s\" is not 12 digits", name, id);
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

/* The items of a page; an answer without them is not an empty page. */
static int take_items(
	const struct aws_reply *reply, const char *name, const json_t **ret_items, struct err *err)
{
	const json_t *items = NULL;
	if (json_get_array(reply->json, name, PAGE_ITEMS_MAX, &items, err) != 0)
		return -1;
	if (items == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no %s", name);
	*ret_items = items;
	return 0;
}

static int take_unit(const json_t *item, struct organization_unit *ret_unit, struct err *err)
{
	struct organization_unit unit = {.name = NULL};
	if (take_id(item, "Id", unit.id, sizeof(unit.id), err) != 0 ||
		take_text(item, "Name", NAME_BYTES_MAX, &unit.name, err) != 0)
		return -1;
	*ret_unit = unit;
	return 0;
}

static int take_units(const struct aws_reply *reply, const char *name,
	struct organization_unit_list *list, char **next_token, struct err *err)
{
	const json_t *items = NULL;
	if (take_items(reply, name, &items, err) != 0)
		return -1;
	size_t count_before = list->count, i;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
		if (take_unit(item, &list->item[list->count], err) != 0)
			goto out;
		list->count++;
	}
	if (take_next_token(reply->json, ORGANIZATIONS_TOKEN_MAX, next_token, err) == 0)
		return 0;
out:
	truncate_units(list, count_before);
	return err_wrap(err, "%s", name);
}

int organizations_list_roots_take(const struct aws_reply *reply,
	struct organization_unit_list *list, char **next_token, struct err *err)
{
	return take_units(reply, "Roots", list, next_token, err);
}

int organizations_list_units_take(const struct aws_reply *reply,
	struct organization_unit_list *list, char **next_token, struct err *err)
{
	return take_units(reply, "OrganizationalUnits", list, next_token, err);
}

/* State replaces Status, which is to be retired on 2026-09-09 (facts.md section 5). */
static int take_account(
	const json_t *item, struct organization_account *ret_account, struct err *err)
{
	struct organization_account account = {.name = NULL};
	if (take_account_id(item, "Id", account.id, err) != 0 ||
		take_word(item, "State", account.state, sizeof(account.state), err) != 0)
		return -1;
	if (account.state[0] == '\0' &&
		take_word(item, "Status", account.state, sizeof(account.state), err) != 0)
		return -1;
	if (take_text(item, "Name", NAME_BYTES_MAX, &account.name, err) != 0)
		return -1;
	if (take_text(item, "Email", EMAIL_BYTES_MAX, &account.email, err) != 0) {
		free(account.name);
		return -1;
	}
	*ret_account = account;
	return 0;
}

int organizations_list_accounts_take(const struct aws_reply *reply,
	struct organization_account_list *list, char **next_token, struct err *err)
{
	const json_t *items = NULL;
	if (take_items(reply, "Accounts", &items, err) != 0)
		return -1;
	size_t count_before = list->count, i;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
		if (take_account(item, &list->item[list->count], err) != 0)
			goto out;
		list->count++;
	}
	if (take_next_token(reply->json, ORGANIZATIONS_TOKEN_MAX, next_token, err) == 0)
		return 0;
out:
	truncate_accounts(list, count_before);
	return err_wrap(err, "Accounts");
}

int organizations_describe_take(
	const struct aws_reply *reply, struct organization *ret_organization, struct err *err)
{
	const json_t *object = NULL;
	struct organization organization;
	if (json_get_object(reply->json, "Organization", &object, err) != 0)
		return -1;
	if (take_id(object, "Id", organization.id, sizeof(organization.id), err) != 0 ||
		take_account_id(
			object, "MasterAccountId", organization.management_account_id, err) != 0)
		return err_wrap(err, "Organization");
	*ret_organization = organization;
	return 0;
}
