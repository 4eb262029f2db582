/*
 * AWS partitions: separate worlds with their own DNS suffixes, credentials and organizations. A
 * region belongs to one by its name, so that regions that do not exist yet work as well.
 * source: botocore 1.43.67 partitions.json, @aws-sdk/core 3.981.0.
 */
#ifndef AWS_PARTITION_H
#define AWS_PARTITION_H

#include <stdbool.h>

/* All texts are shared static. */
struct partition {
	const char *name;	       /* "aws", "aws-cn": second field of an ARN */
	const char *dns_suffix;	       /* "amazonaws.com" */
	const char *dual_stack_suffix; /* "api.aws" */
	const char *global_region;     /* signs for Organizations, Account, Route 53 */
};

/* By the region's name; one that no partition's rule matches belongs to "aws". Never NULL. */
const struct partition *partition_of_region(const char *region);

/* Whether the region was known when this table was made. Newer ones are used all the same. */
bool partition_region_is_known(const char *region);

#endif
