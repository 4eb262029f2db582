/*
 * The whole inventory of an organization through the real AWS client, as sorted lines of text: what
 * two runs must agree on, whatever went wrong on the way. As orgscope and discovery do it, but
 * without store, plan or policy.
 */
#ifndef TESTS_LIB_INVENTORY_H
#define TESTS_LIB_INVENTORY_H

#include "aws/client.h"

struct inventory_options {
	struct aws_network network;
	const char *access_key_id, *secret_access_key, *session_token; /* of the hub */
	const char *role_name, *external_id;
	const char *region; /* home */
};

struct inventory {
	char *text; /* owned; a line for each account-region and certificate */
	int certificates;
	int failed; /* account-regions and certificates that ended in an error; their lines say which */
	struct aws_stats stats;
	int64_t elapsed_ms, cpu_us;
};

void inventory_take(const struct inventory_options *options, struct inventory *ret_inventory);
void inventory_clear(struct inventory *inventory);

#endif
