/* A plan's input, all of it in memory of its own: a certificate of a CA that replaces one like it,
 * which expires sooner and whose key is kept. A test changes what it is about. */
#ifndef TESTS_DELIVERY_PLAN_FIXTURE_H
#define TESTS_DELIVERY_PLAN_FIXTURE_H

#include "delivery/plan.h"

enum { PLAN_NOW_S = 1795219200, PLAN_DAY_S = 86400, PLAN_NAMES_MAX = 64 };

#define PLAN_ARN "arn:aws:acm:eu-west-1:000000000001:certificate/0a1b"

struct plan_names {
	struct x509_san san[PLAN_NAMES_MAX];
	char usage[2][64];
};

struct plan_fixture {
	struct plan_input input;
	struct bundle bundle;
	struct remote_state remote;
	struct plan_names old_names, new_names;
	char *in_use_by[2];
	struct acm_tag tag[2];
	const char *host[2];
};
void plan_fixture_init(struct plan_fixture *fixture);

/* Replaces the names; NULL ends them. */
void plan_set_names(struct x509_facts *facts, struct plan_names *names, const char *name, ...)
	__attribute__((sentinel));

#endif
