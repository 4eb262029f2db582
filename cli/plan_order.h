/* The order that `acmsensor plan` sends: checked, read from files, written as JSON. */
#ifndef CLI_PLAN_ORDER_H
#define CLI_PLAN_ORDER_H

#include "base/buf.h"
#include "cli/options.h"

struct err;

/* All of them wipe: a file with everything in it may be given for any. Empty: not given. */
struct plan_order {
	const struct args *args; /* borrowed for its life */
	struct buf certificate, chain, key, pkcs12, passphrase;
	const struct buf *standard_input; /* the one of them that was read from it; NULL: none */
};

void plan_order_init(struct plan_order *order, const struct args *args);
void plan_order_clear(struct plan_order *order);

/* Pure. ERR_CONFIG, one sentence: what is missing, what excludes what, what is no tag ... */
int plan_order_check(const struct args *args, struct err *err);

/* Reads the files that are named. Errors and talk as files.h. */
int plan_order_read(struct plan_order *order, struct err *err);

/* Appends the body of POST /v1/plan (local_api.h), of what was checked and read before. to: opened
 * with buf_init_secret; buf_check tells whether it had room. */
void plan_order_write(const struct plan_order *order, struct buf *to);

#endif
