/* A job while it runs; shared by job.c (the flow), job_ask.c (its steps), job_step.c (their parts
 * that neither wait nor write) and job_turn.c (what is written). */
#ifndef DELIVERY_JOB_INTERNAL_H
#define DELIVERY_JOB_INTERNAL_H

#include "base/err.h"
#include "base/secret.h"
#include "delivery/delivery_internal.h"
#include "delivery/escrow.h"
#include "delivery/job_copy.h"
#include "delivery/job_evidence.h"
#include "delivery/job_goods.h"
#include "delivery/job_next.h"
#include "delivery/remote.h"
#include "store/vault.h"

enum { JOB_VAULT_CHANGES_MAX = 2 };

/* Named for the one thing that is waited for. */
enum job_wait {
	JOB_WAIT_TURN,	  /* the loop, or the next attempt */
	JOB_WAIT_REMOTE,  /* what ACM holds */
	JOB_WAIT_FOUND,	  /* whether ACM has the leaf */
	JOB_WAIT_KEY,	  /* the key from its escrow */
	JOB_WAIT_SENT,	  /* the commit that must come before the import */
	JOB_WAIT_CALL,	  /* ACM's answer to import, delete, tags */
	JOB_WAIT_PROBES,  /* the handshakes */
	JOB_WAIT_COMMIT,  /* what the step brought is written */
	JOB_WAIT_DROP,	  /* the end: the key leaves its escrow */
	JOB_WAIT_NOTE,	  /* the line that tells that it could not */
	JOB_WAIT_NOTHING, /* ended */
};

struct kept_der {
	unsigned char *bytes; /* owned */
	size_t len;
	unsigned char sha256[CERT_SHA256_LEN];
};

enum job_vault_verb {
	JOB_VAULT_KEEP, /* until wipe_after_s */
	JOB_VAULT_DELETE,
	JOB_VAULT_RELEASE, /* this job needs it no more: as it was before */
};

struct job_vault_change {
	char id[VAULT_ID_MAX + 1]; /* "": none */
	enum job_vault_verb verb;
	int64_t wipe_after_s;
};

/* What one write of the store does beside the record. */
struct job_turn {
	enum job_phase phase; /* whose step was done */
	bool has_line, has_event, is_failure;
	bool stops_on_cancel;  /* writes nothing when a cancel was asked for */
	bool saw_cancel;       /* set by the write */
	struct kept_der *kept; /* owned; what is archived; NULL: nothing */
	size_t kept_count;
	struct job_vault_change vault[JOB_VAULT_CHANGES_MAX];
	char rollback_id[DELIVERY_ID_MAX + 1]; /* "": none is started */
};

struct job_run {
	struct delivery *delivery; /* borrowed */
	struct target_copy where;
	char id[DELIVERY_ID_MAX + 1];
	job_run_done_fn *done;
	void *arg;

	bool is_away; /* job_run_start_away */
	struct err away;
	int64_t away_wait_s;

	struct job_copy job; /* as it is stored, or is being written */
	struct job_goods goods;
	int64_t began_mono_ms, last_wait_s; /* of the phase, in this run */
	bool has_looked;		    /* at what ACM holds under the ARN, in this run */
	int64_t looked_mono_ms;
	bool is_resend;
	bool was_sent_before;		     /* IMPORT: an earlier send may have had effect */
	char no_rollback[ROLLBACK_TEXT_MAX]; /* why there is no way back; "" */
	char tag_warning[512];
	struct job_evidence evidence;
	struct probed_host host[VERIFY_HOSTS_MAX];
	size_t hosts;

	/* Of the step. */
	struct remote_state remote;
	struct secret key;
	struct job_tags want, missing, part; /* part: what is being added */
	char missing_text[1024];
	bool tags_added;
	struct job_turn turn;

	/* Of the end. */
	int drops;		     /* tries to delete the key that failed */
	bool has_success;	     /* it waits for its key to leave Secrets Manager */
	struct job_decision success; /* what is written then */
	bool is_key_settled;

	/* At most one is not NULL; owned until it ends. */
	enum job_wait wait;
	struct loop_timer *timer;
	struct remote_read *read;
	struct remote_find *find;
	struct escrow_call *escrow;
	struct aws_call *call;
	struct job_probe *probe;
	struct store_write *write;
};

/* --- job.c ------------------------------------------------------------------------------------ */

struct job_known job_known_now(struct job_run *run);
/* Since this run entered the phase, whatever was done to the wall clock meanwhile: what is sent
 * again too early becomes a second certificate. */
int64_t job_in_phase_s(const struct job_run *run);
/* What the step brought goes to job_next, what that decides into the store. */
void job_decide(struct job_run *run, const struct job_known *known);
void job_decide_err(struct job_run *run, const struct err *err); /* NULL: it succeeded */
/* Ends the run; err: of the store. */
void job_finish(struct job_run *run, const struct err *err);
bool job_ends_by_cancel(const struct job_run *run);
struct escrow_place job_place(const struct job_run *run);

/* --- job_ask.c -------------------------------------------------------------------------------- */

/* Starts the step of the phase that the job is in. */
void job_begin(struct job_run *run);

/* --- job_step.c ------------------------------------------------------------------------------- */

/* What ACM holds, compared with the job. ret_serial: what it shows. */
enum job_holds job_compare(const struct job_record *job, const struct remote_state *remote,
	char ret_serial[X509_SERIAL_HEX_MAX]);
/* What the way back needs, from the remote state into the record and the turn. */
void job_keep(struct job_run *run);
/* The tags of a delivery; the texts are borrowed from the run. */
void job_want_tags(struct job_run *run, struct job_tags *ret_want);
void job_note_tags(struct job_run *run, const struct job_tags *added);
/* Fills hosts from the goods. */
void job_list_hosts(struct job_run *run);
/* Why there will be no way back; "" when there will be one. */
const char *job_no_way_back(const struct job_run *run);

/* --- job_turn.c ------------------------------------------------------------------------------- */

/* Takes a decision over into record and turn. */
void job_turn_apply(struct job_run *run, const struct job_decision *decision);
void job_turn_clear(struct job_turn *turn);
/* Writes record and turn. arg: the run. */
void job_turn_write(struct store_txn *txn, void *arg);

#endif
