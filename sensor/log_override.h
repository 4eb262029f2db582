/*
 * The log level: the configured one, or another for a limited time, which ends by itself. A reload
 * changes the configured one; the other holds until its time is over all the same.
 */
#ifndef SENSOR_LOG_OVERRIDE_H
#define SENSOR_LOG_OVERRIDE_H

#include <stdint.h>

#include "base/log.h"

struct json_writer;
struct log_override;
struct loop;

enum {
	LOG_OVERRIDE_DEFAULT_S = 600,
	LOG_OVERRIDE_MAX_S = 86400,
};

/* loop is borrowed. Sets the level. */
struct log_override *log_override_new(struct loop *loop, enum log_level configured);
void log_override_free(struct log_override *log); /* NULL is fine */

/* The configured level is another one now. */
void log_override_configure(struct log_override *log, enum log_level configured);
/* Another level from now on for for_s (1 to LOG_OVERRIDE_MAX_S) seconds. */
void log_override_start(struct log_override *log, enum log_level level, int64_t for_s);
/* Back to the configured one now. */
void log_override_end(struct log_override *log);

/* An object: level, configured, until (null: for good), lines []. */
void log_override_render(const struct log_override *log, struct json_writer *writer);

#endif
