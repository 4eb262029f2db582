#include "base/openmetrics.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { LE_MAX = 32 };

enum openmetrics_format openmetrics_choose(const char *accept)
{
	bool is_classic = accept != NULL && strstr(accept, "text/plain") != NULL &&
			  strstr(accept, "application/openmetrics-text") == NULL;
	return is_classic ? OPENMETRICS_CLASSIC : OPENMETRICS_1_0;
}

const char *openmetrics_content_type(enum openmetrics_format format)
{
	return format == OPENMETRICS_CLASSIC ? OPENMETRICS_CLASSIC_TYPE : OPENMETRICS_CONTENT_TYPE;
}

void openmetrics_begin(struct openmetrics *metrics, struct buf *to, enum openmetrics_format format)
{
	*metrics = (struct openmetrics){.to = to, .format = format};
}

void openmetrics_end(struct openmetrics *metrics)
{
	if (metrics->format == OPENMETRICS_1_0)
		buf_add_text(metrics->to, "# EOF\n");
}

/* --- families --------------------------------------------------------------------------------- */

static const char *type_name(const struct openmetrics *metrics)
{
	bool is_classic = metrics->format == OPENMETRICS_CLASSIC;
	switch (metrics->type) {
	case OPENMETRICS_GAUGE:
		return "gauge";
	case OPENMETRICS_COUNTER:
		return "counter";
	case OPENMETRICS_INFO:
		return is_classic ? "gauge" : "info";
	case OPENMETRICS_HISTOGRAM:
		return "histogram";
	case OPENMETRICS_GAUGE_HISTOGRAM:
		break;
	}
	return is_classic ? "histogram" : "gaugehistogram";
}

/* What a sample's name has behind the family's. */
static const char *suffix(const struct openmetrics *metrics)
{
	return metrics->type == OPENMETRICS_COUNTER ? "_total"
	       : metrics->type == OPENMETRICS_INFO  ? "_info"
						    : "";
}

static void add_escaped(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			buf_add_text(to, "\\n");
			continue;
		}
		if (*text == '\\' || *text == '"')
			buf_add_char(to, '\\');
		buf_add_char(to, *text);
	}
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);
	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static bool is_family_name(const char *name, const char *unit)
{
	bool has_unit = unit[0] == '\0' ||
			(ends_in(name, unit) && name[strlen(name) - strlen(unit) - 1] == '_');
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0' &&
	       !ends_in(name, "_total") && !ends_in(name, "_info") && has_unit;
}

void openmetrics_family(struct openmetrics *metrics, enum openmetrics_type type, const char *name,
	const char *unit, const char *help)
{
	assert(is_family_name(name, unit));
	metrics->type = type;
	metrics->name = name;
	const char *end = metrics->format == OPENMETRICS_CLASSIC ? suffix(metrics) : "";
	buf_addf(metrics->to, "# HELP %s%s ", name, end);
	add_escaped(metrics->to, help);
	buf_addf(metrics->to, "\n# TYPE %s%s %s\n", name, end, type_name(metrics));
	if (unit[0] != '\0' && metrics->format == OPENMETRICS_1_0)
		buf_addf(metrics->to, "# UNIT %s %s\n", name, unit);
}

/* --- samples ---------------------------------------------------------------------------------- */

/* le: of a bucket, or NULL. */
static void add_name(struct openmetrics *metrics, const char *end,
	const struct openmetrics_label *label, size_t count, const char *le)
{
	struct buf *to = metrics->to;
	assert(metrics->name != NULL);
	buf_addf(to, "%s%s", metrics->name, end);
	if (count == 0 && le == NULL) {
		buf_add_char(to, ' ');
		return;
	}
	char separator = '{';
	for (size_t i = 0; i < count; i++) {
		buf_addf(to, "%c%s=\"", separator, label[i].name);
		add_escaped(to, label[i].value);
		buf_add_char(to, '"');
		separator = ',';
	}
	if (le != NULL)
		buf_addf(to, "%cle=\"%s\"", separator, le);
	buf_add_text(to, "} ");
}

/* value / scale, with as many digits behind the point as scale has zeros. */
static void add_decimal(struct buf *to, int64_t value, int64_t scale)
{
	uint64_t amount = value < 0 ? -(uint64_t)value : (uint64_t)value;
	uint64_t whole = amount / (uint64_t)scale, rest = amount % (uint64_t)scale;
	buf_addf(to, "%s%llu.%0*llu\n", value < 0 ? "-" : "", (unsigned long long)whole,
		scale == 1000 ? 3 : 6, (unsigned long long)rest);
}

static void add_sample(
	struct openmetrics *metrics, const struct openmetrics_label *label, size_t count)
{
	assert(metrics->type != OPENMETRICS_HISTOGRAM &&
		metrics->type != OPENMETRICS_GAUGE_HISTOGRAM);
	add_name(metrics, suffix(metrics), label, count, NULL);
}

void openmetrics_int(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value)
{
	add_sample(metrics, label, count);
	buf_addf(metrics->to, "%lld\n", (long long)value);
}

void openmetrics_milli(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value)
{
	add_sample(metrics, label, count);
	add_decimal(metrics->to, value, 1000);
}

void openmetrics_micro(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, int64_t value)
{
	add_sample(metrics, label, count);
	add_decimal(metrics->to, value, 1000000);
}

/* --- histograms ------------------------------------------------------------------------------- */

size_t openmetrics_bucket(const int64_t *bound_milli, size_t bounds, int64_t value_milli)
{
	size_t i = 0;
	while (i < bounds && value_milli > bound_milli[i])
		i++;
	return i;
}

/* As Go's strconv writes a float64, with ".0" where it would look like an integer. */
static void format_le(int64_t bound_milli, char ret_le[LE_MAX])
{
	int len = snprintf(ret_le, LE_MAX, "%g", (double)bound_milli / 1000);
	if (strpbrk(ret_le, ".e") == NULL)
		(void)snprintf(ret_le + len, LE_MAX - (size_t)len, ".0");
}

void openmetrics_histogram(struct openmetrics *metrics, const struct openmetrics_label *label,
	size_t count, const struct openmetrics_histogram *histogram)
{
	bool is_gauge = metrics->type == OPENMETRICS_GAUGE_HISTOGRAM;
	assert(is_gauge || metrics->type == OPENMETRICS_HISTOGRAM);
	bool is_g = is_gauge && metrics->format == OPENMETRICS_1_0;
	int64_t so_far = 0;
	for (size_t i = 0; i <= histogram->bounds; i++) {
		char le[LE_MAX] = "+Inf";
		if (i < histogram->bounds)
			format_le(histogram->bound_milli[i], le);
		so_far += histogram->bucket[i];
		add_name(metrics, "_bucket", label, count, le);
		buf_addf(metrics->to, "%lld\n", (long long)so_far);
	}
	add_name(metrics, is_g ? "_gcount" : "_count", label, count, NULL);
	buf_addf(metrics->to, "%lld\n", (long long)so_far);
	add_name(metrics, is_g ? "_gsum" : "_sum", label, count, NULL);
	add_decimal(metrics->to, histogram->sum_milli, 1000);
}
