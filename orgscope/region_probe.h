/*
 * Tells a disabled region from bad credentials: both answer "the security token is invalid". If the
 * same session still answers GetCallerIdentity in the home region, the region is not enabled.
 */
#ifndef ORGSCOPE_REGION_PROBE_H
#define ORGSCOPE_REGION_PROBE_H

#include <stdbool.h>

struct aws_client;
struct err;
struct region_probe;

/* Whether err is what a region that is not enabled answers: an unknown key or token. A session that
 * is merely over, or a wrong signature, says nothing of the region. Pure. */
bool region_probe_is_needed(const struct err *err);

/* session_works: meaningful when err is NULL; err: the probe itself met something else than a
 * refusal. */
typedef void region_probe_done_fn(void *arg, bool session_works, const struct err *err);
struct region_probe *region_probe_start(
	struct aws_client *client, const char *home_region, region_probe_done_fn *done, void *arg);
void region_probe_cancel(struct region_probe *probe);

#endif
