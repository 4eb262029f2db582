/* The head of an HTTP request for the metrics: what to answer. Pure. source: RFC 9112 */
#ifndef SENSOR_METRICS_REQUEST_H
#define SENSOR_METRICS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/openmetrics.h"

enum { METRICS_REQUEST_MAX = 8192 }; /* of a head, its empty line included */

struct metrics_request {
	int status;	  /* 200: the metrics; else refused, with text */
	bool has_body;	  /* the answer's: not for HEAD */
	const char *text; /* shared static; one sentence */
	enum openmetrics_format format;
};

/* head: up to and with the empty line, at most METRICS_REQUEST_MAX bytes, any bytes. */
void metrics_request_parse(const char *head, size_t len, struct metrics_request *ret_request);
/* "OK", "Not Found"; of the statuses that are used here. */
const char *metrics_status_phrase(int status);

#endif
