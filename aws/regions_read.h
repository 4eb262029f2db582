/*
 * Which regions an account has enabled: Account ListRegions (REST-JSON), or EC2 DescribeRegions
 * (EC2 query) where the first is denied or does not exist. One result type for both.
 */
#ifndef AWS_REGIONS_READ_H
#define AWS_REGIONS_READ_H

#include "aws/client.h"

enum { REGION_NAME_MAX = 32, REGIONS_MAX = 200 };

/* Enabled: ENABLED_BY_DEFAULT, ENABLED; opted-in, opt-in-not-required. */
enum region_state { REGION_ENABLED, REGION_DISABLED };

struct region_item {
	char name[REGION_NAME_MAX];
	enum region_state state;
};

struct region_list {
	struct region_item item[REGIONS_MAX];
	size_t count;
};

/* Without AccountId: the account of the client. source: Account 2021-02-01 ListRegions. */
struct aws_call *account_list_regions_start(struct aws_client *client, const char *region,
	const char *next_token, aws_call_done_fn *done, void *arg);
int account_list_regions_take(const struct aws_reply *reply, struct region_list *list,
	char **next_token, struct err *err);

/* AllRegions=true, so that disabled regions are told apart. source: EC2 2016-11-15
 * DescribeRegions. */
struct aws_call *ec2_describe_regions_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg);
int ec2_describe_regions_take(
	const struct aws_reply *reply, struct region_list *list, struct err *err);

#endif
