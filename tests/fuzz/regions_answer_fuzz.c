/* Both services' lists of regions: the first byte chooses one. What fails leaves all as it was. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "aws/regions_read.h"
#include "base/err.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool is_json = data[0] % 2 == 0;
	struct aws_reply reply;
	struct err err = ERR_INIT;
	if (aws_reply_read(is_json ? AWS_REST_JSON : AWS_EC2_QUERY, (const char *)data + 1,
		    size - 1, NULL, &reply, &err) != 0)
		return 0;
	struct region_list list = {.count = 0};
	char *token = NULL;
	int rc = is_json ? account_list_regions_take(&reply, &list, &token, &err)
			 : ec2_describe_regions_take(&reply, &list, &err);
	assert(rc == 0 ? err.kind == ERR_NONE : err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
	assert(rc == 0 || (list.count == 0 && token == NULL));
	assert(token == NULL || token[0] != '\0');
	for (size_t i = 0; i < list.count; i++)
		assert(text_is_region(list.item[i].name));
	free(token);
	aws_reply_clear(&reply);
	return 0;
}
