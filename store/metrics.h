/* What a monitoring system is told of the store, from numbers that others have gathered. */
#ifndef STORE_METRICS_H
#define STORE_METRICS_H

struct cert_counts;
struct openmetrics;
struct store_stats;

void store_metrics(const struct store_stats *stats, struct openmetrics *metrics);
/* Certificates by status and by what they have left. */
void cert_metrics(const struct cert_counts *counts, struct openmetrics *metrics);

#endif
