#include "store/metrics.h"

#include "base/openmetrics.h"
#include "store/cert_query.h"
#include "store/store.h"

enum { DAY_MS = 86400000 };

/* --- the store itself ------------------------------------------------------------------------- */

static void gauge(struct openmetrics *metrics, const char *name, const char *unit, int64_t value,
	const char *help)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, name, unit, help);
	openmetrics_int(metrics, NULL, 0, value);
}

static void counter(struct openmetrics *metrics, const char *name, int64_t value, const char *help)
{
	openmetrics_family(metrics, OPENMETRICS_COUNTER, name, "", help);
	openmetrics_int(metrics, NULL, 0, value);
}

static void sizes(const struct store_stats *stats, struct openmetrics *metrics)
{
	gauge(metrics, "acmsensor_store_file_bytes", "bytes", stats->file_bytes,
		"Size of the store's file");
	gauge(metrics, "acmsensor_store_used_bytes", "bytes", stats->used_bytes,
		"Bytes of the store's file that hold records; the rest is used again");
	gauge(metrics, "acmsensor_store_map_bytes", "bytes", stats->map_bytes,
		"Size of the store's memory map, which grows by itself before it is full");
	if (stats->disk_bytes == 0)
		return;
	gauge(metrics, "acmsensor_store_disk_free_bytes", "bytes", stats->disk_free_bytes,
		"Bytes that the daemon may still use of the file system that the store is on");
	gauge(metrics, "acmsensor_store_disk_bytes", "bytes", stats->disk_bytes,
		"Size of the file system that the store is on");
}

static void writes(const struct store_stats *stats, struct openmetrics *metrics)
{
	counter(metrics, "acmsensor_store_writes", stats->writes, "Writes that were stored");
	counter(metrics, "acmsensor_store_write_failures", stats->failed_writes,
		"Writes that the store could not take: disk full, read-only, broken");
	counter(metrics, "acmsensor_store_commits", stats->commits,
		"Commits of the store, each of a group of writes");
	openmetrics_family(metrics, OPENMETRICS_COUNTER, "acmsensor_store_commit_seconds",
		"seconds", "Time spent in commits, which wait for the disk");
	openmetrics_micro(metrics, NULL, 0, stats->commit_us);
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_store_longest_commit_seconds",
		"seconds", "The longest commit since the daemon started");
	openmetrics_micro(metrics, NULL, 0, stats->longest_commit_us);
}

static void events(const struct store_stats *stats, struct openmetrics *metrics)
{
	gauge(metrics, "acmsensor_store_waiting_writes", "", stats->waiting_writes,
		"Writes that are not stored yet");
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_event_lag_seconds", "seconds",
		"How long the oldest write that is not stored yet has waited, 0 without one; an "
		"event is stored in the same write as what it tells of");
	openmetrics_milli(metrics, NULL, 0, stats->oldest_write_ms);
	counter(metrics, "acmsensor_events", (int64_t)stats->last_event,
		"Sequence of the newest stored event; begins again with a new store");
	if (stats->last_event_s != 0)
		gauge(metrics, "acmsensor_last_event_timestamp_seconds", "seconds",
			stats->last_event_s, "Time of the newest stored event");
}

void store_metrics(const struct store_stats *stats, struct openmetrics *metrics)
{
	sizes(stats, metrics);
	writes(stats, metrics);
	events(stats, metrics);
}

/* --- certificates ----------------------------------------------------------------------------- */

static void by_status(const struct cert_counts *counts, struct openmetrics *metrics)
{
	const struct {
		const char *name;
		int64_t value;
	} status[] = {{"issued", counts->issued}, {"pending", counts->pending},
		{"expired", counts->expired}, {"other", counts->other}};
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_certificates", "",
		"Certificates in the inventory; expired: by status or by the clock, other: failed, "
		"revoked, inactive, timed out");
	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
		openmetrics_int(metrics, &(struct openmetrics_label){"status", status[i].name}, 1,
			status[i].value);
	gauge(metrics, "acmsensor_certificates_in_use", "", counts->in_use,
		"Certificates that something uses");
	gauge(metrics, "acmsensor_certificates_imported", "", counts->imported,
		"Certificates that were imported, which ACM does not renew");
	gauge(metrics, "acmsensor_certificates_without_details", "", counts->detail_failed,
		"Certificates whose details could not be read at the last try");
	gauge(metrics, "acmsensor_certificates_gone", "", counts->gone,
		"Certificates that ACM no longer lists; in no other number here");
}

static void by_life(const struct cert_counts *counts, struct openmetrics *metrics)
{
	static const char *const word[] = {"no", "yes"};
	int64_t bound[CERT_LIFE_BOUNDS];
	for (size_t i = 0; i < CERT_LIFE_BOUNDS; i++)
		bound[i] = (int64_t)cert_life_days[i] * DAY_MS;
	openmetrics_family(metrics, OPENMETRICS_GAUGE_HISTOGRAM,
		"acmsensor_certificate_remaining_seconds", "seconds",
		"What certificates with an end have left, 0 when it has passed; buckets of 0, 1, 3, "
		"7, 14, 30, 45, 90 and 200 days; renews: ACM renews it by itself");
	for (size_t in_use = 0; in_use < 2; in_use++) {
		for (size_t renews = 0; renews < 2; renews++) {
			const struct cert_life *life = &counts->life[in_use][renews];
			const struct openmetrics_label label[] = {
				{"in_use", word[in_use]}, {"renews", word[renews]}};
			openmetrics_histogram(metrics, label, 2,
				&(struct openmetrics_histogram){.bound_milli = bound,
					.bucket = life->bucket,
					.bounds = CERT_LIFE_BOUNDS,
					.sum_milli = life->sum_s * 1000});
		}
	}
}

void cert_metrics(const struct cert_counts *counts, struct openmetrics *metrics)
{
	by_status(counts, metrics);
	by_life(counts, metrics);
}
