/* The regions of an account, from either of the two services that tell (facts.md section 6). */
#include "aws/regions_read.h"

#include <string.h>

#include "aws/request.h"
#include "aws/take.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/xml_read.h"

enum {
	PAGE_ITEMS = 50, /* ListRegions' maximum */
	TOKEN_MAX = 1000,
	BODY_MAX = 8192,
	REPLY_MAX = 262144, /* 200 regions of at most some 300 bytes, four times over */
};

static const double list_regions_per_second = 5;

/* EC2 documents no rate for this operation; an account is asked once a cycle, so this only keeps
 * repetitions apart. */
static const double describe_regions_per_second = 2;

static int add_region(struct region_list *list, const char *name, bool is_enabled, struct err *err)
{
	if (!text_is_region(name))
		return err_set(err, ERR_PROTOCOL, "a region's name is missing or broken");
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->item[i].name, name) == 0)
			return 0; /* pages may overlap */
	}
	if (list->count == REGIONS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d regions", REGIONS_MAX);
	struct region_item *item = &list->item[list->count++];
	(void)text_copy(item->name, sizeof(item->name), name); /* a region's name fits */
	item->state = is_enabled ? REGION_ENABLED : REGION_DISABLED;
	return 0;
}

/* --- Account ---------------------------------------------------------------------------------- */

struct aws_call *account_list_regions_start(struct aws_client *client, const char *region,
	const char *next_token, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init(&body, BODY_MAX);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	json_member_int(&writer, "MaxResults", PAGE_ITEMS);
	if (next_token != NULL)
		json_member_text(&writer, "NextToken", next_token);
	json_close_object(&writer);
	struct aws_request request = {
		.service = AWS_ACCOUNT,
		.operation = "ListRegions",
		.region = region,
		.path = "/listRegions",
		.body = buf_text(&body),
		.body_len = body.len,
		.rate.per_second = list_regions_per_second,
		.reply_max_bytes = REPLY_MAX,
		.expects = "Regions",
	};
	struct aws_call *call = aws_call_start(client, &request, done, arg);
	buf_clear(&body);
	return call;
}

static int take_account_region(const json_t *item, struct region_list *list, struct err *err)
{
	const char *name = "", *status = "";
	if (json_get_text(item, "RegionName", REGION_NAME_MAX, &name, err) != 0 ||
		json_get_text(item, "RegionOptStatus", 64, &status, err) != 0)
		return -1;
	bool is_enabled =
		strcmp(status, "ENABLED") == 0 || strcmp(status, "ENABLED_BY_DEFAULT") == 0;
	return add_region(list, name, is_enabled, err);
}

int account_list_regions_take(
	const struct aws_reply *reply, struct region_list *list, char **next_token, struct err *err)
{
	const json_t *items = NULL;
	if (json_get_array(reply->json, "Regions", REGIONS_MAX, &items, err) != 0)
		return -1;
	if (items == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no Regions");
	size_t count_before = list->count, i;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		if (take_account_region(item, list, err) != 0)
			goto out;
	}
	if (take_next_token(reply->json, TOKEN_MAX, next_token, err) == 0)
		return 0;
out:
	list->count = count_before;
	return err_wrap(err, "Regions");
}

/* --- EC2 -------------------------------------------------------------------------------------- */

struct aws_call *ec2_describe_regions_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	buf_init(&body, BODY_MAX);
	query_begin(&body, AWS_EC2, "DescribeRegions");
	query_add(&body, "AllRegions", "true");
	struct aws_request request = {
		.service = AWS_EC2,
		.operation = "DescribeRegions",
		.region = region,
		.path = "/",
		.body = buf_text(&body),
		.body_len = body.len,
		.rate.per_second = describe_regions_per_second,
		.reply_max_bytes = REPLY_MAX,
		.expects = "regionInfo",
	};
	struct aws_call *call = aws_call_start(client, &request, done, arg);
	buf_clear(&body);
	return call;
}

int ec2_describe_regions_take(
	const struct aws_reply *reply, struct region_list *list, struct err *err)
{
	const struct xml_element *info = xml_child(reply->xml, "regionInfo");
	if (info == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no regionInfo");
	size_t count_before = list->count;
	const struct xml_element *item = xml_child(info, "item");
	for (; item != NULL; item = xml_next(item)) {
		const char *name = xml_child_text(item, "regionName");
		const char *status = xml_child_text(item, "optInStatus");
		/* Old answers have no optInStatus and list enabled regions only. */
		bool is_enabled = status == NULL || strcmp(status, "opted-in") == 0 ||
				  strcmp(status, "opt-in-not-required") == 0;
		if (add_region(list, name != NULL ? name : "", is_enabled, err) != 0) {
			list->count = count_before;
			return err_wrap(err, "regionInfo");
		}
	}
	return 0;
}
