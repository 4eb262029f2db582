/* What a job knows, made by hand, and what job_next is to make of it. */
#ifndef TESTS_DELIVERY_JOB_NEXT_FIXTURE_H
#define TESTS_DELIVERY_JOB_NEXT_FIXTURE_H

#include "base/err.h"
#include "delivery/job_next.h"

enum { NOW_S = 1795219200 };

/* A delivery that replaces serial 0a by 0b, and has learnt nothing in that phase yet. */
struct job_known job_known_in(enum job_phase phase);
/* After the call of that phase. err: borrowed as long as the answer is used. */
struct job_known job_known_failed(enum job_phase phase, const struct err *err);
/* "what AWS said" */
struct err job_next_err(enum err_kind kind, const char *code);

/* text: a part of the reason. */
void job_next_expect(const struct job_known *known, enum job_phase phase, enum job_state state,
	int64_t wait_s, const char *text);
void job_next_expect_reason(const struct job_known *known, const char *text); /* all of it */

#endif
