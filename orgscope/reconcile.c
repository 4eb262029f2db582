/* Which regions of an account get what; see reconcile.h. */
#include "orgscope/reconcile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/regions_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/coverage.h"

static bool is_planned(const struct reconcile_plan *plan, const char *region)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strcmp(plan->item[i].region, region) == 0)
			return true;
	}
	return false;
}

static void add(struct reconcile_plan *plan, const char *region, enum reconcile_action action)
{
	if (is_planned(plan, region))
		return;
	plan->item = xgrow(plan->item, &plan->capacity, plan->count, sizeof(*plan->item));
	struct reconcile_item *item = &plan->item[plan->count++];
	*item = (struct reconcile_item){.action = action};
	text_copy(item->region, sizeof(item->region), region);
}

static bool is_any(const char *region)
{
	return strcmp(region, COVERAGE_ANY_REGION) == 0;
}

static enum reconcile_action action_of(const struct reconcile_input *input, const char *region)
{
	if (input->is_lost)
		return RECONCILE_MARK;
	for (size_t i = 0; input->regions != NULL && i < input->regions->count; i++) {
		const struct region_item *item = &input->regions->item[i];
		if (strcmp(item->name, region) == 0)
			return item->state == REGION_ENABLED ? RECONCILE_VISIT : RECONCILE_DISABLED;
	}
	return RECONCILE_VISIT; /* the connector's list names it: let the call decide */
}

/* The regions that the account has, as far as anybody knows. */
static void add_regions(const struct reconcile_input *input, struct reconcile_plan *plan)
{
	if (input->wanted_count > 0) {
		for (size_t i = 0; i < input->wanted_count; i++)
			add(plan, input->wanted[i], action_of(input, input->wanted[i]));
		return;
	}
	if (!input->is_lost) {
		assert(input->regions != NULL);
		for (size_t i = 0; i < input->regions->count; i++)
			add(plan, input->regions->item[i].name,
				action_of(input, input->regions->item[i].name));
		return;
	}
	for (size_t i = 0; i < input->known_count; i++) {
		if (!is_any(input->known[i]))
			add(plan, input->known[i], RECONCILE_MARK);
	}
	if (plan->count == 0)
		add(plan, COVERAGE_ANY_REGION, RECONCILE_MARK);
}

void reconcile_regions(const struct reconcile_input *input, struct reconcile_plan *ret_plan)
{
	struct reconcile_plan plan = {.item = NULL};
	add_regions(input, &plan);
	for (size_t i = 0; i < input->known_count; i++) {
		bool is_left_out = input->wanted_count > 0 && !is_any(input->known[i]);
		add(&plan, input->known[i], is_left_out ? RECONCILE_EXCLUDED : RECONCILE_DELETE);
	}
	*ret_plan = plan;
}

void reconcile_plan_clear(struct reconcile_plan *plan)
{
	free(plan->item);
	*plan = (struct reconcile_plan){.item = NULL};
}
