/*
 * TLS listeners that serve what certificates of the simulated ACM hold, as load balancers do: one
 * default certificate, others chosen by SNI; a reimport is picked up after a delay.
 */
#ifndef TESTS_AWSSIM_BINDINGS_H
#define TESTS_AWSSIM_BINDINGS_H

#include <event2/event.h>
#include <jansson.h>

#include "tests/awssim/sim.h"

struct bindings;

struct bindings *bindings_new(struct event_base *base, struct sim *sim); /* both borrowed */
void bindings_free(struct bindings *bindings);

/* POST /bind and /unbind, see README.md. False with *ret_why (static): nothing was changed. */
bool bindings_bind(
	struct bindings *bindings, const json_t *order, struct out *out, const char **ret_why);
bool bindings_unbind(struct bindings *bindings, const json_t *order, const char **ret_why);
void bindings_list(struct bindings *bindings, struct out *out); /* a JSON array */

#endif
