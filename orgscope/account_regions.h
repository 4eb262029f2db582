/*
 * The regions of one account: ListRegions inside the account, else EC2 DescribeRegions. (A
 * connector with a list of regions of its own does not ask.)
 */
#ifndef ORGSCOPE_ACCOUNT_REGIONS_H
#define ORGSCOPE_ACCOUNT_REGIONS_H

#include "aws/regions_read.h"

struct account_regions;
struct err;

/* regions: borrowed for the call; enabled and disabled ones. err: both ways failed; the text tells
 * both, the kind is that of the way that is more likely to work later. Without a session (ERR_ROLE,
 * ERR_CREDENTIALS) only one is tried. */
typedef void account_regions_done_fn(
	void *arg, const struct region_list *regions, const struct err *err);
/* client: borrowed, the account's session. region: copied, home region. */
struct account_regions *account_regions_start(
	struct aws_client *client, const char *region, account_regions_done_fn *done, void *arg);
void account_regions_cancel(struct account_regions *regions);

#endif
