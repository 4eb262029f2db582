/* The endpoint breaker. */
#include "aws/breaker.h"

#include "base/err.h"
#include "base/text.h"

bool breaker_admits(struct breaker *breaker, int64_t now_mono_ms)
{
	if (!breaker->is_open)
		return true;
	if (now_mono_ms < breaker->probe_at_mono_ms)
		return false;
	/* Counted from here, not from the probe's end: a probe that hangs or is cancelled must not
	 * keep the next one from going. */
	breaker->probe_at_mono_ms = now_mono_ms + BREAKER_PROBE_MS;
	return true;
}

bool breaker_failed(struct breaker *breaker, int points, const char *reason, int64_t now_mono_ms)
{
	(void)text_copy(breaker->reason, sizeof(breaker->reason), reason); /* cut is fine */
	if (breaker->is_open)
		return false;
	breaker->points += points;
	if (breaker->points < BREAKER_OPEN_POINTS)
		return false;
	breaker->is_open = true;
	breaker->probe_at_mono_ms = now_mono_ms + BREAKER_PROBE_MS;
	return true;
}

void breaker_answered(struct breaker *breaker)
{
	breaker->points = 0;
	breaker->is_open = false;
}

int breaker_refuse(
	const struct breaker *breaker, const char *host, int64_t now_mono_ms, struct err *err)
{
	int64_t wait_ms = breaker->probe_at_mono_ms - now_mono_ms;
	long long wait_s = wait_ms > 0 ? (wait_ms + 999) / 1000 : 0;
	err_set(err, ERR_UNREACHABLE,
		"%s could not be reached before (%s); it is tried again in %lld s", host,
		breaker->reason, wait_s);
	return err_set_code(err, "breaker");
}
