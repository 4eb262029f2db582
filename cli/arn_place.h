/* The account and region that the ARN of an ACM certificate names. Pure. */
#ifndef CLI_ARN_PLACE_H
#define CLI_ARN_PLACE_H

#include <stdbool.h>

enum { ARN_TAIL = 8 /* characters that a person types to confirm */ };

struct arn_place {
	char account_id[13];
	char region[32];
};

/* false: it is not the ARN of an ACM certificate. Whether it exists the daemon knows. */
bool arn_place_parse(const char *arn, struct arn_place *ret_place);

/* The last ARN_TAIL characters. Borrowed from arn. */
const char *arn_tail(const char *arn);

#endif
