/*
 * AWS Organizations, read only: the organization, its roots, units and accounts. Pages hold at most
 * 20 and may be empty and still carry a NextToken.
 *
 * Each _take appends to a list (unchanged on failure) and replaces *next_token: in owned or NULL,
 * out owned, NULL after the last page.
 */
#ifndef AWS_ORGANIZATIONS_READ_H
#define AWS_ORGANIZATIONS_READ_H

#include "aws/client.h"

enum {
	ORGANIZATIONS_TOKEN_MAX = 100000,
	ORGANIZATIONS_NAME_MAX = 128, /* characters; in bytes four times as many */
};

struct organization {
	char id[40];
	char management_account_id[13];
};

struct organization_unit { /* a root or a unit */
	char id[80];
	char *name; /* owned */
};

struct organization_unit_list {
	struct organization_unit *item; /* owned */
	size_t count, capacity;
};

struct organization_account {
	char id[13];
	char state[24]; /* State, else Status as AWS spells it; "" when neither is there */
	char *name;	/* owned */
	char *email;	/* owned */
};

struct organization_account_list {
	struct organization_account *item; /* owned */
	size_t count, capacity;
};

void organization_unit_list_clear(struct organization_unit_list *list);
void organization_account_list_clear(struct organization_account_list *list);

/* region: the partition's region that Organizations signs with is chosen by the endpoint table;
 * pass the connector's home region. parent_id: copied. next_token: NULL asks for the first page. */
struct aws_call *organizations_describe_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg);
int organizations_describe_take(
	const struct aws_reply *reply, struct organization *ret_organization, struct err *err);

struct aws_call *organizations_list_roots_start(struct aws_client *client, const char *region,
	const char *next_token, aws_call_done_fn *done, void *arg);
int organizations_list_roots_take(const struct aws_reply *reply,
	struct organization_unit_list *list, char **next_token, struct err *err);

struct aws_call *organizations_list_units_start(struct aws_client *client, const char *region,
	const char *parent_id, const char *next_token, aws_call_done_fn *done, void *arg);
int organizations_list_units_take(const struct aws_reply *reply,
	struct organization_unit_list *list, char **next_token, struct err *err);

struct aws_call *organizations_list_accounts_start(struct aws_client *client, const char *region,
	const char *parent_id, const char *next_token, aws_call_done_fn *done, void *arg);
int organizations_list_accounts_take(const struct aws_reply *reply,
	struct organization_account_list *list, char **next_token, struct err *err);

#endif
