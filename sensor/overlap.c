#include "sensor/overlap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sensor/config.h"
#include "store/coverage.h"

#define REASON_START "covered by connector "

void overlap_init(
	struct overlap *overlap, const struct config_connector *const *earlier, size_t count)
{
	overlap->count = count;
	overlap->earlier = xcalloc(count + 1, sizeof(*overlap->earlier));
	for (size_t i = 0; i < count; i++)
		config_connector_copy(&overlap->earlier[i], earlier[i]);
}

void overlap_clear(struct overlap *overlap)
{
	for (size_t i = 0; i < overlap->count; i++)
		config_connector_clear(&overlap->earlier[i]);
	free(overlap->earlier);
	*overlap = (struct overlap){.earlier = NULL};
}

bool overlap_reads(struct store_txn *txn, const char *connector, const char *account_id)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (store_coverage_next(txn, connector, account_id, position, &record))
		if (record.state != COVERAGE_EXCLUDED && record.state != COVERAGE_ACCOUNT_INACTIVE)
			return true;
	return false;
}

static bool has_region(const struct config_list *regions, const char *region)
{
	if (regions->count == 0)
		return true;
	for (size_t i = 0; region != NULL && i < regions->count; i++)
		if (strcmp(regions->item[i], region) == 0)
			return true;
	return false;
}

const char *overlap_owner(const struct overlap *overlap, struct store_txn *txn,
	const char *account_id, const char *region)
{
	for (size_t i = 0; i < overlap->count; i++) {
		const struct config_connector *earlier = &overlap->earlier[i];
		if (has_region(&earlier->regions, region) &&
			overlap_reads(txn, earlier->name, account_id))
			return earlier->name;
	}
	return NULL;
}

void overlap_reason(const char *owner, char *ret_reason)
{
	(void)snprintf(ret_reason, OVERLAP_REASON_MAX,
		REASON_START "%s, which comes first in the configuration", owner);
}

bool overlap_is_reason(const char *reason)
{
	return text_has_prefix(reason, REASON_START);
}
