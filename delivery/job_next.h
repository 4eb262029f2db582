/*
 * What a job does next, given what it has learnt: the one place that decides whether to go on, to
 * wait, to look, to repeat or to end, and how that is said. Pure: no loop, no store, no clock.
 *
 *   deliver   CHECK -> KEEP -> IMPORT -> TAG -> CONFIRM -> VERIFY -> DONE
 *   rollback             ^      |  ^
 *                        |      v  |  the answer was lost; still the old one after some patience
 *                        +----- FIND -----> TAG (ACM has it: adopted)
 *   delete    CHECK (or DRAIN, when it is to wait) -> DELETE_CALL -> DONE
 *
 * Nothing is repeated that AWS may have done until AWS was asked; whatever ends says what AWS
 * holds. An import that had to wait looks again first: from IMPORT back to CHECK (or FIND) when ACM
 * does not hold the old one any more.
 */
#ifndef DELIVERY_JOB_NEXT_H
#define DELIVERY_JOB_NEXT_H

#include "store/jobs.h"

struct err;

enum {
	JOB_REASON_MAX = 1024,
	JOB_RETRY_MAX_S = 300,	  /* between tries that met trouble: 1 s, doubled */
	JOB_LOOK_MAX_S = 30,	  /* between looks at what has yet to show */
	JOB_FIND_PATIENCE_S = 15, /* under an ARN, where an import sent twice does no harm */
	/* A first import repeated too early makes a second certificate; nothing serves it yet, so
	 * there is time. */
	JOB_FIND_NEW_PATIENCE_S = 120,
	JOB_TAG_PATIENCE_S = 120,
	JOB_CONFIRM_PATIENCE_S = 600,
	JOB_OTHER_PATIENCE_S = 60, /* until a strange serial is no stale read */
	JOB_VERIFY_PATIENCE_S = 300,
	JOB_UNREACHABLE_PATIENCE_S = 15,
	JOB_IN_USE_PATIENCE_S = 600, /* what uses a certificate lags for minutes in ACM */
	JOB_LIFE_S = 86400,
	JOB_DRAIN_LIFE_S = 7 * 86400,
};

/* What ACM shows under the ARN, compared with what was and what is to be. */
enum job_holds {
	JOB_HOLDS_NOTHING, /* no such certificate */
	JOB_HOLDS_OLD,
	JOB_HOLDS_NEW,	 /* Describe and Get agree */
	JOB_HOLDS_MIXED, /* Describe and Get tell of different ones, both known */
	JOB_HOLDS_OTHER, /* neither the old nor the new one */
};

/* All texts are borrowed, and never NULL. */
struct job_known {
	enum job_kind kind;
	enum job_phase phase; /* whose step was done */
	bool has_arn;
	bool is_cancel_asked;
	bool may_have_imported; /* before this step */
	int64_t now_s, created_s;
	int64_t began_s;     /* when this run entered the phase */
	int64_t last_wait_s; /* before this step, 0: none; grows from look to look */
	const char *old_serial, *new_serial;

	/* What the step brought. err: NULL when it succeeded; the rest is not looked at
	 * otherwise. */
	const struct err *err;
	enum job_holds holds;	 /* CHECK, FIND, CONFIRM; FIND without ARN: NEW or NOTHING */
	const char *held_serial; /* "" */
	const char
		*held_by_job;  /* of this sensor, that brought a certificate that is neither; "" */
	const char *in_use_by; /* CHECK, DRAIN: who uses it, told as a list; "" for nobody */
	bool is_key_lost;      /* IMPORT: nothing was sent; key_text says why */
	const char *key_text;
	bool is_sent;		  /* IMPORT: the call was made; err is its answer */
	const char *missing_tags; /* TAG: keys that should be there and are not; "" for none */
	uint32_t hosts, served, other, unreachable; /* VERIFY */
	const char *other_host;	 /* VERIFY: the first that serves another one; "" */
	const char *tag_warning; /* from JOB_TAG; "" */
	bool auto_rollback;
	const char *no_rollback; /* why there is no way back; "" when there is */
};

struct job_decision {
	enum job_phase phase;
	enum job_state state;
	int64_t wait_s; /* JOB_RUNNING: until the phase's step is done (again) */
	bool may_have_imported;
	bool is_resend;	 /* FIND -> IMPORT: what was sent before is taken for lost */
	bool is_failure; /* of the step, for its line */
	/* Ended, and the rollback is to be ordered: the write says whether it was. */
	bool is_roll_back;
	bool has_tag_warning; /* reason is one, to be said again at the end */
	char reason[JOB_REASON_MAX];
};

/* ret_decision: every field is set; its reason is one line, never empty, cut to JOB_REASON_MAX. */
void job_next(const struct job_known *known, struct job_decision *ret_decision);

/* As job_next, of a job that could not even begin its step for known->err (its account cannot be
 * entered, say) and is tried again after wait_s. */
void job_next_away(
	const struct job_known *known, int64_t wait_s, struct job_decision *ret_decision);

/* The phase in which a later run goes on. What was sent is looked for; proofs are made again. */
enum job_phase job_next_resumed(const struct job_record *job);

#endif
