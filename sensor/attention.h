/*
 * What a person should look at first, from what the sensor knows. Pure.
 *
 * Ordered by severity, then by what loses most when nobody looks: the inventory itself, then
 * certificates about to end, then places that were not read.
 */
#ifndef SENSOR_ATTENTION_H
#define SENSOR_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/alerts.h"
#include "store/cert_query.h"

struct json_writer;
struct tally;

enum {
	ATTENTION_MAX = 32,
	ATTENTION_TEXT_MAX = 768,
	ATTENTION_CLOCK_S = 60, /* AWS refuses requests that are five minutes off */
};

enum attention_severity { ATTENTION_CRITICAL, ATTENTION_WARNING, ATTENTION_NOTICE };

struct attention_item {
	enum attention_severity severity;
	char text[ATTENTION_TEXT_MAX];
	const char *hint; /* what to type or do; shared static */
};

struct attention {
	struct attention_item item[ATTENTION_MAX]; /* in order */
	size_t count;
};

struct attention_connector {
	const char *name;
	const char *error;	 /* of the last cycle as a whole; "" */
	int64_t last_complete_s; /* 0: never */
	int64_t started_s;	 /* of the last cycle; 0: none yet */
	int64_t interval_s;
};

struct attention_channel {
	const char *name, *error;
	int64_t failing_since_s; /* 0: does not */
};

struct attention_input {
	const struct attention_connector *connector; /* borrowed */
	size_t connector_count;
	const struct cert_counts *counts;    /* borrowed */
	const struct tally *tally;	     /* borrowed */
	const char *store_error;	     /* why a cycle or an event could not be written; "" */
	int64_t alerts[ALERT_EMERGENCY + 1]; /* open, by class */
	const char *alerts_error;	     /* why they could not be looked for; "" */
	const struct attention_channel *channel; /* borrowed */
	size_t channel_count;
	size_t secrets_left;	   /* private keys left over in Secrets Manager */
	const char *secrets_error; /* why, or why nobody knows; "" */
	int64_t clock_offset_s;	   /* AWS's clock minus this host's */
	int64_t now_s;
};

void attention_find(const struct attention_input *input, struct attention *ret_attention);
const char *attention_severity_name(enum attention_severity severity);
/* An array of {severity, text, hint}. */
void attention_render(const struct attention *attention, struct json_writer *writer);

#endif
