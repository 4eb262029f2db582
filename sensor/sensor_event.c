/* Events of the sensor as a whole: its start and end, and what operators asked of it. */
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sensor/sensor_internal.h"
#include "store/events.h"

struct sensor_event {
	TAILQ_ENTRY(sensor_event) link;
	struct sensor *sensor; /* borrowed */
	enum event_kind kind;
	int64_t at_s;
	char *subject, *detail; /* owned */
};

static struct sensor_event *event_new(
	struct sensor *sensor, enum event_kind kind, const char *subject, const char *detail)
{
	struct sensor_event *event = xcalloc(1, sizeof(*event));
	event->sensor = sensor;
	event->kind = kind;
	event->at_s = clock_now_s();
	event->subject = xstrdup(subject);
	event->detail = xstrdup(detail);
	return event;
}

static void event_free(struct sensor_event *event)
{
	free(event->subject);
	free(event->detail);
	free(event);
}

static void write_event(struct store_txn *txn, void *arg)
{
	const struct sensor_event *event = arg;
	store_event_append(txn, &(struct event_record){.at_s = event->at_s,
					.kind = event->kind,
					.connector = "",
					.account_id = "",
					.region = "",
					.arn = "",
					.subject = event->subject,
					.detail = event->detail});
}

static void note_end(const struct sensor_event *event, const struct err *err)
{
	event->sensor->event_err = err != NULL ? *err : (struct err)ERR_INIT;
	if (err != NULL)
		log_warning(
			"write event kind=%s reason=%s", event_kind_name(event->kind), err->text);
}

static void on_written(void *arg, const struct err *err)
{
	struct sensor_event *event = arg;
	note_end(event, err);
	TAILQ_REMOVE(&event->sensor->events, event, link);
	event_free(event);
}

void sensor_event_start(
	struct sensor *sensor, enum event_kind kind, const char *subject, const char *detail)
{
	struct sensor_event *event = event_new(sensor, kind, subject, detail);
	TAILQ_INSERT_TAIL(&sensor->events, event, link);
	/* Never cancelled: the end of the store commits what is queued. */
	(void)store_write_start(sensor->store, write_event, event, on_written, event);
}

void sensor_event_now(
	struct sensor *sensor, enum event_kind kind, const char *subject, const char *detail)
{
	struct sensor_event *event = event_new(sensor, kind, subject, detail);
	struct err err = ERR_INIT;
	int rc = store_write_now(sensor->store, write_event, event, &err);
	note_end(event, rc != 0 ? &err : NULL);
	event_free(event);
}

void sensor_events_clear(struct sensor *sensor)
{
	struct sensor_event *event;
	while ((event = TAILQ_FIRST(&sensor->events)) != NULL) {
		TAILQ_REMOVE(&sensor->events, event, link);
		event_free(event);
	}
}
