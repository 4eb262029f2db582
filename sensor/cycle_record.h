/* The cycle record and the events of a cycle's begin and end, inside a store write. */
#ifndef SENSOR_CYCLE_RECORD_H
#define SENSOR_CYCLE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct progress;
struct scope;
struct store_txn;
struct tally;

/* All re-runnable. */
void cycle_record_begin(struct store_txn *txn, const struct progress *progress, int64_t started_s,
	int64_t next_s, bool is_continued);
void cycle_record_identity(struct store_txn *txn, const char *connector, const struct scope *scope);

struct cycle_end {
	const struct progress *progress;
	const struct tally *tally; /* NULL: not counted */
	bool is_full;		   /* else only the counts are written */
	int64_t next_s;
};
void cycle_record_end(struct store_txn *txn, const struct cycle_end *end);

#endif
