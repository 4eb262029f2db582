/*
 * The fields of an ARN, "arn:partition:service:region:account:resource". Shape only: whose regexes
 * hard-code "arn:aws:" are wrong in GovCloud and China.
 */
#ifndef AWS_ARN_H
#define AWS_ARN_H

#include <stdbool.h>

enum {
	ARN_MAX = 2048,
	ARN_PARTITION_MAX = 16,
	ARN_SERVICE_MAX = 32,
	ARN_REGION_MAX = 32,
	ARN_ACCOUNT_MAX = 13,
};

struct arn {
	char partition[ARN_PARTITION_MAX];
	char service[ARN_SERVICE_MAX];
	char region[ARN_REGION_MAX];	  /* "" for global services */
	char account_id[ARN_ACCOUNT_MAX]; /* 12 digits, or "" */
	const char *resource;		  /* borrowed from the text; never empty */
};

/* false when text has not that shape, is longer than ARN_MAX, or has blanks or control bytes. */
bool arn_parse(const char *text, struct arn *ret_arn);
/* Of a certificate of ACM only. */
bool arn_parse_certificate(const char *text, struct arn *ret_arn);

#endif
