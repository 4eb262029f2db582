/*
 * Writes metrics as text for Prometheus and its kin: OpenMetrics 1.0.0, or on request the older
 * text format 0.0.4 that it grew out of.
 *
 *     openmetrics_begin(&metrics, &buf, OPENMETRICS_1_0);
 *     openmetrics_family(&metrics, OPENMETRICS_COUNTER, "acmsensor_store_commits", "",
 *             "Commits of the store");
 *     openmetrics_int(&metrics, NULL, 0, 17);
 *     openmetrics_end(&metrics);
 *
 * Families and samples come in the order of the calls; a family without a sample is fine. Names are
 * constants of ours, so a wrong one is a bug (asserted); values of labels may be any UTF-8 text.
 * Numbers are integers or thousandths, so that no rounding and no locale has a say.
 * source: OpenMetrics 1.0.0; Prometheus, "Exposition formats"
 */
#ifndef BASE_OPENMETRICS_H
#define BASE_OPENMETRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum openmetrics_format { OPENMETRICS_1_0, OPENMETRICS_CLASSIC };

#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define OPENMETRICS_CLASSIC_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The format to answer an Accept header (NULL: none) with: the older one for who asks for plain
 * text and not for OpenMetrics. */
enum openmetrics_format openmetrics_choose(const char *accept);
const char *openmetrics_content_type(enum openmetrics_format format);

enum openmetrics_type {
	OPENMETRICS_GAUGE,
	OPENMETRICS_COUNTER,	     /* its sample gets _total */
	OPENMETRICS_INFO,	     /* its sample gets _info; the value is 1 */
	OPENMETRICS_HISTOGRAM,	     /* of what happened; only grows */
	OPENMETRICS_GAUGE_HISTOGRAM, /* of what there is now; the older format calls it histogram */
};

struct openmetrics {
	struct buf *to; /* borrowed */
	enum openmetrics_format format;
	enum openmetrics_type type; /* of the family that goes on */
	const char *name;	    /* its name, without suffix; shared static; NULL: none yet */
};

struct openmetrics_label {
	const char *name;  /* [a-z_]+ */
	const char *value; /* borrowed for the call */
};

/* to: borrowed; asked with buf_check by its owner. */
void openmetrics_begin(struct openmetrics *metrics, struct buf *to, enum openmetrics_format format);
/* What OpenMetrics ends with, so that a reader knows that nothing is missing. */
void openmetrics_end(struct openmetrics *metrics);

/* name: shared static, without _total and _info; ends in _<unit> unless unit is "". */
void openmetrics_family(struct openmetrics *metrics, enum openmetrics_type type, const char *name,
	const char *unit, const char *help);

/* A sample of a gauge, counter or info. */
void openmetrics_int(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value);
/* The same of value / 1000 and of value / 1000000: "0.012", "-1.500000". */
void openmetrics_milli(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value);
void openmetrics_micro(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value);

/* Bounds of buckets in thousandths, ascending; with at most six digits that are not zeros, so that
 * `le` is the text that Prometheus makes of it too. */
struct openmetrics_histogram {
	const int64_t *bound_milli; /* borrowed; inclusive */
	const int64_t *bucket;	    /* borrowed; each alone, not summed up; one more than bounds */
	size_t bounds;
	int64_t sum_milli;
};
/* Which bucket a value counts in. */
size_t openmetrics_bucket(const int64_t *bound_milli, size_t bounds, int64_t value_milli);
void openmetrics_histogram(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, const struct openmetrics_histogram *histogram);

#endif
