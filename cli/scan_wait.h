/* Waiting for cycles: a progress bar on a terminal, a plain line now and then elsewhere. */
#ifndef CLI_SCAN_WAIT_H
#define CLI_SCAN_WAIT_H

#include <jansson.h>

struct cli;
struct err;

/*
 * Returns when every cycle has ended, with their last progress objects (owned by the caller). Talks
 * on stderr.
 *
 * errors  as source_get; ERR_NOT_FOUND: the daemon no longer knows a cycle (it was restarted);
 *         as interrupt_fail: SIGINT or SIGTERM; the cycles go on
 */
int scan_wait(
	const struct cli *cli, const json_t *cycle_ids, json_t **ret_progress, struct err *err);

#endif
