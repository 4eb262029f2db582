/*
 * The regions of one account: the connector's list if it has one; else ListRegions inside the account,
 * else EC2 DescribeRegions.
 */
#ifndef ORGSCOPE_ACCOUNT_REGIONS_H
#define ORGSCOPE_ACCOUNT_REGIONS_H

#include "aws/regions_read.h"

struct account_regions;
struct err;

/* regions: borrowed for the call; enabled and disabled ones. err: both ways failed; the text tells both. */
typedef void account_regions_done_fn(
	void *arg, const struct region_list *regions, const struct err *err);
/* client: borrowed, the account's session. region: copied, home region. */
struct account_regions *account_regions_start(
	struct aws_client *client, const char *region, account_regions_done_fn *done, void *arg);
void account_regions_cancel(struct account_regions *regions);

#endif
