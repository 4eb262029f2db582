/*
 * How far a cycle is, as plain data: counted by the cycle, read by the local API, the progress bar
 * and the scheduler. Pure but for json.
 */
#ifndef SENSOR_PROGRESS_H
#define SENSOR_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct json_writer;

enum { PROGRESS_ID_MAX = 64 };

enum progress_kind {
	PROGRESS_CYCLE,	   /* everything in scope, by schedule */
	PROGRESS_CATCH_UP, /* what failed before and is due again */
	PROGRESS_ASKED,	   /* by hand: everything or a part */
};

enum progress_phase {
	PROGRESS_QUEUED,       /* waits for the connector's running cycle */
	PROGRESS_ORGANIZATION, /* who we are, and which accounts there are */
	PROGRESS_ACCOUNTS,     /* the tree is written */
	PROGRESS_SCAN,
	PROGRESS_FINISHING,
	PROGRESS_DONE,
};

enum progress_result {
	PROGRESS_RUNNING,
	PROGRESS_COMPLETE,   /* everything asked for was read, or needs no reading */
	PROGRESS_INCOMPLETE, /* coverage names what was not */
	PROGRESS_FAILED,     /* as a whole; err says why */
	PROGRESS_CANCELLED,  /* stopped in the middle; it goes on after a restart */
};

struct progress {
	char cycle_id[PROGRESS_ID_MAX];
	char connector[40];
	enum progress_kind kind;
	enum progress_phase phase;
	enum progress_result result;
	int64_t started_s, finished_s; /* 0: not yet */
	int64_t scan_mono_ms;	       /* when the first account was opened; 0: not yet */
	int64_t accounts_total, accounts_opened, accounts_done; /* of those to visit */
	int64_t pairs_known, pairs_done, pairs_running; /* known: of the accounts opened so far */
	int64_t pairs_problem;				/* done, but not read */
	int64_t certificates; /* in the inventory, of the account-regions read */
	int64_t calls, throttles, retries;
	struct err err;	      /* of PROGRESS_FAILED */
	struct err store_err; /* the last account-region that could not be stored; ERR_NONE: none */
};

const char *progress_phase_name(enum progress_phase phase);
const char *progress_kind_name(enum progress_kind kind);
const char *progress_result_name(enum progress_result result);

/* Known account-regions and those that the accounts not opened yet will have on average. */
int64_t progress_pairs_total(const struct progress *progress);

/* Seconds to the end at the pace so far; -1 while that cannot be told. */
int64_t progress_eta_s(const struct progress *progress, int64_t now_mono_ms);

/* The object of GET /v1/progress. */
void progress_render(
	const struct progress *progress, int64_t now_mono_ms, struct json_writer *writer);

#endif
