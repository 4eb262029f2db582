/* Answers of Organizations: the first byte chooses the operation. */
#include <stdint.h>
#include <stdlib.h>

#include "aws/organizations_read.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		(void)organizations_describe_take(&reply, &organization, &err);
		break;
	case 1:
		(void)organizations_list_roots_take(&reply, &units, &token, &err);
		break;
	case 2:
		(void)organizations_list_units_take(&reply, &units, &token, &err);
		(void)organizations_list_units_take(&reply, &units, &token, &err);
		break;
	default:
		(void)organizations_list_accounts_take(&reply, &accounts, &token, &err);
		break;
	}
	free(token);
	organization_unit_list_clear(&units);
	organization_account_list_clear(&accounts);
	aws_reply_clear(&reply);
	return 0;
}
