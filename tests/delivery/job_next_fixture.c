/* See job_next_fixture.h. */
#include "tests/delivery/job_next_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct job_known job_known_in(enum job_phase phase)
{
	return (struct job_known){.kind = JOB_DELIVER,
		.phase = phase,
		.has_arn = true,
		.now_s = NOW_S,
		.created_s = NOW_S,
		.began_s = NOW_S,
		.old_serial = "0a",
		.new_serial = "0b",
		.held_serial = "0a",
		.held_by_job = "",
		.in_use_by = "",
		.key_text = "",
		.missing_tags = "",
		.other_host = "",
		.tag_warning = "",
		.no_rollback = ""};
}

struct err job_next_err(enum err_kind kind, const char *code)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "what AWS said");
	err_set_code(&err, code);
	return err;
}

struct job_known job_known_failed(enum job_phase phase, const struct err *err)
{
	struct job_known known = job_known_in(phase);
	known.err = err;
	known.is_sent = phase == JOB_IMPORT || phase == JOB_DELETE_CALL;
	return known;
}

void job_next_expect(const struct job_known *known, enum job_phase phase, enum job_state state,
	int64_t wait_s, const char *text)
{
	struct job_decision decision;
	job_next(known, &decision);
	if (decision.phase != phase || decision.state != state || decision.wait_s != wait_s ||
		strstr(decision.reason, text) == NULL)
		fail_msg("phase %d state %d wait %d: \"%s\"; expected phase %d state %d wait %d "
			 "\"%s\"",
			(int)decision.phase, (int)decision.state, (int)decision.wait_s,
			decision.reason, (int)phase, (int)state, (int)wait_s, text);
}

void job_next_expect_reason(const struct job_known *known, const char *text)
{
	struct job_decision decision;
	job_next(known, &decision);
	assert_string_equal(decision.reason, text);
}
