/*
 * How far AWS's clock is from ours, learnt from the Date of its answers: hosts on premises drift,
 * and AWS refuses signatures that are five minutes off. Pure.
 * source: @smithy/core 3.41 AwsSdkSigV4Signer (facts.md 1.3)
 */
#ifndef AWS_SKEW_H
#define AWS_SKEW_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SKEW_IGNORED_S = 2,   /* Date has whole seconds, and answers travel */
	SKEW_REFUSED_S = 240, /* a request signed that far off may have been refused for it */
	SKEW_ELAPSED_MAX_MS = 900000, /* an answer that took longer tells nothing */
};

struct skew {
	int64_t offset_s; /* AWS's clock minus ours; 0 until learnt */
};

/*
 * date_s      Date of an answer that AWS itself gave (Unix seconds); 0: none
 * has_age     the answer came from a cache: its Date is old
 * local_s     our wall clock when it was received
 * Returns whether the offset changed.
 */
bool skew_learn(
	struct skew *skew, int64_t date_s, bool has_age, int64_t local_s, int64_t elapsed_ms);

/* Whether a request that was signed with that offset may have been refused for its time, and would
 * be signed with a better one now. */
bool skew_explains_refusal(const struct skew *skew, int64_t signed_offset_s);

#endif
