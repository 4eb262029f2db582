/* Between plan.c, plan_warnings.c and plan_render.c. */
#ifndef DELIVERY_PLAN_INTERNAL_H
#define DELIVERY_PLAN_INTERNAL_H

#include "delivery/plan.h"

static inline bool plan_has_arn(const struct plan_input *input)
{
	return input->arn != NULL && input->arn[0] != '\0';
}

/* What is there under the ARN; NULL: nothing. */
static inline const struct remote_state *plan_current(const struct plan_input *input)
{
	return input->remote != NULL && input->remote->exists ? input->remote : NULL;
}

static inline const struct x509_facts *plan_old_facts(const struct plan_input *input)
{
	const struct remote_state *current = plan_current(input);
	return current != NULL && current->has_facts ? &current->facts : NULL;
}

/* After decision, rules and rollback are decided. */
void plan_warn(const struct plan_input *input, struct plan *plan);

#endif
