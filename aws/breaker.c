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

static bool open_if(
	struct breaker *breaker, bool is_enough, const char *reason, int64_t now_mono_ms)
{
	(void)text_copy(breaker->reason, sizeof(breaker->reason), reason); /* cut is fine */
	if (breaker->is_open || !is_enough)
		return false;
	breaker->is_open = true;
	breaker->probe_at_mono_ms = now_mono_ms + BREAKER_PROBE_MS;
	return true;
}

bool breaker_failed(struct breaker *breaker, const char *reason, int64_t now_mono_ms)
{
	bool is_enough = ++breaker->failures >= BREAKER_FAILURES;
	return open_if(breaker, is_enough, reason, now_mono_ms);
}

bool breaker_silent(
	struct breaker *breaker, const char *reason, int64_t patience_ms, int64_t now_mono_ms)
{
	if (breaker->silences++ == 0)
		breaker->silent_since_mono_ms = now_mono_ms - patience_ms;
	int64_t silent_ms = now_mono_ms - breaker->silent_since_mono_ms;
	bool is_enough = breaker->silences >= BREAKER_SILENCES &&
			 silent_ms >= BREAKER_PATIENCES * patience_ms;
	return open_if(breaker, is_enough, reason, now_mono_ms);
}

void breaker_answered(struct breaker *breaker)
{
	breaker->failures = 0;
	breaker->silences = 0;
	breaker->is_open = false;
}

int breaker_refuse(const struct breaker *breaker, const char *host, struct err *err)
{
	err_set(err, ERR_UNREACHABLE,
		"%s could not be reached before (%s) and is asked only once a minute", host,
		breaker->reason);
	return err_set_code(err, "breaker");
}
