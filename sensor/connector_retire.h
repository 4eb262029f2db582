/*
 * A connector that left the configuration: nothing of it is left but its certificates, and these
 * are marked gone unless another connector reads their account too.
 */
#ifndef SENSOR_CONNECTOR_RETIRE_H
#define SENSOR_CONNECTOR_RETIRE_H

#include <stddef.h>

struct connector_retire;
struct err;
struct loop;
struct store;

struct connector_retire_options {
	struct loop *loop;	      /* borrowed */
	struct store *store;	      /* borrowed */
	const char *connector;	      /* copied */
	const char *const *remaining; /* copied; the configured connectors */
	size_t remaining_count;
};

/* err: of the store; what is left is tried again at the next start. */
typedef void connector_retire_done_fn(void *arg, const struct err *err);
struct connector_retire *connector_retire_start(
	const struct connector_retire_options *options, connector_retire_done_fn *done, void *arg);
void connector_retire_cancel(struct connector_retire *retire);

#endif
