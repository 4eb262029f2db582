/* Answers of Organizations: the first byte chooses the operation. What fails leaves all as it was. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "aws/organizations_read.h"
#include "base/err.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_err(int rc, const struct err *err)
{
	assert(rc == 0 ? err->kind == ERR_NONE
		       : err->kind == ERR_PROTOCOL || err->kind == ERR_LIMIT);
}

static void take_units(
	const struct aws_reply *reply, struct organization_unit_list *units, char **token)
{
	struct err err = ERR_INIT;
	size_t before = units->count;
	char *token_before = *token;
	int rc = organizations_list_units_take(reply, units, token, &err);
	check_err(rc, &err);
	assert(rc == 0 || (units->count == before && *token == token_before));
	for (size_t i = 0; i < units->count; i++)
		assert(units->item[i].id[0] != '\0' && units->item[i].name != NULL);
}

static void take_accounts(
	const struct aws_reply *reply, struct organization_account_list *accounts, char **token)
{
	struct err err = ERR_INIT;
	int rc = organizations_list_accounts_take(reply, accounts, token, &err);
	check_err(rc, &err);
	assert(rc == 0 || (accounts->count == 0 && *token == NULL));
	for (size_t i = 0; i < accounts->count; i++)
		assert(text_is_account_id(accounts->item[i].id) && accounts->item[i].name != NULL &&
			accounts->item[i].email != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_reply reply;
	struct err err = ERR_INIT;
	if (size == 0 || aws_reply_read(AWS_JSON_1_1, (const char *)data + 1, size - 1, NULL,
				 &reply, &err) != 0)
		return 0;
	struct organization organization;
	struct organization_unit_list units = {.item = NULL};
	struct organization_account_list accounts = {.item = NULL};
	char *token = NULL;
	switch (data[0] % 4) {
	case 0:
		check_err(organizations_describe_take(&reply, &organization, &err), &err);
		break;
	case 1:
		check_err(organizations_list_roots_take(&reply, &units, &token, &err), &err);
		break;
	case 2:
		take_units(&reply, &units, &token);
		take_units(&reply, &units, &token);
		break;
	default:
		take_accounts(&reply, &accounts, &token);
		break;
	}
	free(token);
	organization_unit_list_clear(&units);
	organization_account_list_clear(&accounts);
	aws_reply_clear(&reply);
	return 0;
}
