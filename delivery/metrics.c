/* What a monitoring system is told of deliveries. */
#include "base/openmetrics.h"
#include "delivery/delivery.h"

void delivery_metrics(const struct delivery_stats *stats, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_COUNTER, "acmsensor_delivery_jobs", "",
		"Deliveries, rollbacks and deletions that ended since the daemon started");
	for (int kind = JOB_DELIVER; kind <= JOB_DELETE; kind++) {
		for (int state = JOB_SUCCEEDED; state <= JOB_IMPOSSIBLE; state++) {
			const struct openmetrics_label label[] = {
				{"kind", job_kind_name((enum job_kind)kind)},
				{"outcome", job_state_name((enum job_state)state)}};
			openmetrics_int(metrics, label, 2, stats->ended[kind][state]);
		}
	}
}
