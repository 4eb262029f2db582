/*
 * What a sensor must know and tell after each run over month_world.h: the rules of the product said
 * once more, from the contracts (schedule.h, outcome.h, reconcile.h, acm_scan.h, tree_store.h), and
 * in the simplest way.
 *
 *   month_model_run(&model, kind, now_s);      what this run must have done
 *   model.line[0..line_count)                  the events that it must have written
 */
#ifndef TESTS_SENSOR_MONTH_MODEL_H
#define TESTS_SENSOR_MONTH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/progress.h"
#include "store/coverage.h"
#include "tests/sensor/month_world.h"

/* Members of a certificate that change in this world, in the order in which an event tells them. */
enum told {
	TOLD_SERIAL,
	TOLD_NOT_BEFORE,
	TOLD_NOT_AFTER,
	TOLD_STATUS,
	TOLD_RENEWAL_STATUS,
	TOLD_IN_USE,
	TOLD_IN_USE_BY,
	TOLD_TAGS,
	TOLD_KEY_ALGORITHM,
	TOLD_SIGNATURE_ALGORITHM,
	TOLD_ISSUER,
	TOLD_SUBJECT,
	TOLD_FINGERPRINT,
	TOLD_COUNT
};
enum { TOLD_MAX = 96, LINES_MAX = 1024 };
typedef char told_text[TOLD_COUNT][TOLD_MAX]; /* "": none */

struct model_cert {
	bool is_known, is_gone;
	told_text told;
	int64_t not_after_s;
	int64_t detailed_s; /* last time that all its details were read */
};

struct model_pair {
	bool is_known; /* has a coverage record */
	enum coverage_state state;
	uint32_t failures;
	int64_t next_try_s, last_success_s, count;
};

struct month_model {
	const struct month_world *world;	   /* borrowed */
	const char *account_state[MONTH_ACCOUNTS]; /* on record; NULL: none */
	bool is_in_scope[MONTH_ACCOUNTS];	   /* of the last walk: to be visited */
	bool has_scope;				   /* a walk went well since the (re)start */
	/* The last one of an account is "*", where its regions cannot be known. */
	struct model_pair pair[MONTH_ACCOUNTS][MONTH_REGIONS + 1];
	struct model_cert cert[MONTH_PLACES][MONTH_CERTS];
	/* Of the last run: */
	char *line[LINES_MAX]; /* owned; sorted */
	size_t line_count, about_certs;
	bool has_failed;
	size_t coverage_writes, accounts_written, details_read;
	int64_t now_s;
	enum progress_kind kind;
};

void month_model_init(struct month_model *model, const struct month_world *world);
void month_model_clear(struct month_model *model);
/* After the run, while its calls are still on record. */
void month_model_run(struct month_model *model, enum progress_kind kind, int64_t now_s);
void month_model_restart(struct month_model *model);

/* month_model_certs.c: a pair was read to its end. */
void month_model_read(struct month_model *model, size_t place);
/* An account left for good: what its certificates become. */
void month_model_lose_certs(struct month_model *model, size_t place);

/* Shared by the two files. */
void month_model_tell(struct month_model *model, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
