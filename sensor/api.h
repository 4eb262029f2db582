/*
 * The local API (local_api.h says what it answers): evhttp on the control socket. Lists come from
 * store/list.h in slices of a few milliseconds, the next one only when the reader has taken the one
 * before, so that neither a long list nor a slow reader holds anybody up.
 */
#ifndef SENSOR_API_H
#define SENSOR_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

#include "base/openmetrics.h"

struct alerts;
struct api;
struct buf;
struct desk;
struct err;
struct json_writer;
struct loop;
struct store;
struct store_txn;
struct tally;

/* What was asked for by POST /v1/scan; "": all. Borrowed for the call. */
struct api_scan {
	const char *connector, *account_id, *region;
	long uid; /* who asks; -1: not known */
};

/* What was asked for by POST /v1/log. */
struct api_log {
	bool is_default; /* back to the configured level; the rest is nothing then */
	enum log_level level;
	int64_t for_s;
	long uid; /* who asks; -1: not known */
};

/* The daemon behind the API. Each writes one value. */
struct api_backend {
	/* Goes on for a slice with the counts that status shows; true: they are there. */
	bool (*count)(void *arg, struct store_txn *txn);
	/* The object "status": tally is of all coverage. */
	void (*status)(void *arg, struct store_txn *txn, const struct tally *tally,
		struct json_writer *writer);
	/* The array "progress". */
	void (*progress)(void *arg, struct json_writer *writer);
	/* Goes on counting for a slice; true: to has the whole text of the metrics. */
	bool (*metrics)(
		void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to);
	/* The array "config". */
	void (*config)(void *arg, struct json_writer *writer);
	/* The object "log". */
	void (*log)(void *arg, struct json_writer *writer);
	void (*set_log)(void *arg, const struct api_log *log);
	/* The object "scan". ERR_NOT_FOUND: no such connector; ERR_REFUSED: not now. */
	int (*scan)(void *arg, const struct api_scan *scan, struct json_writer *writer,
		struct err *err);
	/* Somebody acknowledges an alert, or tries a channel: for the log. */
	void (*alert_ordered)(void *arg, bool is_test, const char *which, long uid);
};

struct api_options {
	struct loop *loop;		   /* borrowed */
	struct store *store;		   /* borrowed */
	const char *socket_path;	   /* borrowed for api_new */
	struct desk *desk;		   /* borrowed; may be NULL: no delivery */
	struct alerts *alerts;		   /* borrowed; may be NULL */
	const struct api_backend *backend; /* borrowed */
	void *arg;			   /* for backend */
};

/* ERR_CONFIG, ERR_SYSTEM: as api_socket_open. */
struct api *api_new(const struct api_options *options, struct err *err);
/* Answers that are under way break off. NULL is fine. */
void api_free(struct api *api);

#endif
