/*
 * Delivery of certificates into ACM: the only folder that changes anything in AWS.
 *
 *   bundle        leaf, key and chain as ACM takes them             (pure)
 *   import_rules  ACM's rules, foreseen                             (pure)
 *   way_back      whether the old one could be imported again      (pure)
 *   plan          reimport, import as new, or refuse; rendered      (pure)
 *   job_error     what an error means for a job                     (pure)
 *   job_next      what a job does next, given what it has learnt    (pure)
 *   remote        what ACM holds under an ARN; finding a leaf       (flows)
 *   escrow        where a key waits: vault, memory, Secrets Manager (flows)
 *   certificate_id  which ARN carries a certificate's id            (reads the store)
 *   arn_choice    which ARN a plan is for                           (reads the store)
 *   planner       from a request to a stored plan                   (flow)
 *   job           from a plan to its proof, or back                 (flow, durable)
 *   secret_sweep  left-over secrets                                 (flow)
 *   forget        which plans and jobs are over for long           (writes the store)
 *
 * The owner (sensor/) gives each flow the client of the account and starts again, at start, the
 * jobs that were running.
 */
#ifndef DELIVERY_DELIVERY_H
#define DELIVERY_DELIVERY_H

#include "aws/acm_read.h"
#include "delivery/bundle.h"
#include "store/jobs.h"
#include "store/plans.h"

struct delivery;
struct err;
struct job_run;
struct loop;
struct openmetrics;
struct plan_make;
struct resolve;
struct secret_sweep;
struct store;
struct vault;

/* Of a job that has not begun: few of an account and region run before their import. */
#define JOB_REASON_NEW "waits for its turn"

enum {
	DELIVERY_TAGS_MAX = 40, /* the operator's; ours and the existing ones need room */
	VERIFY_HOSTS_MAX = 32,
};

struct delivery_times {
	int64_t plan_life_s; /* how long a plan may be applied */
	int64_t keep_keys_s; /* previous keys, after a delivery */
};

/* All borrowed for its life. */
struct delivery_options {
	struct loop *loop;
	struct store *store;
	struct vault *vault;
	struct resolve *resolve;
	const char *sensor_name;
	struct delivery_times times;
};
struct delivery *delivery_new(const struct delivery_options *options);
/* For what is planned and what ends from now on. */
void delivery_set_times(struct delivery *delivery, const struct delivery_times *times);
void delivery_free(struct delivery *delivery); /* its flows must have ended; wipes keys in memory */

/* Jobs that ended since delivery_new. */
struct delivery_stats {
	int64_t ended[JOB_DELETE + 1][JOB_IMPOSSIBLE + 1]; /* [kind][state] */
	int64_t keys_left; /* those that could not delete their key from Secrets Manager */
};
const struct delivery_stats *delivery_get_stats(const struct delivery *delivery); /* borrowed */
/* Appends them. */
void delivery_metrics(const struct delivery_stats *stats, struct openmetrics *metrics);

/* Where a flow works. All borrowed: flows copy the texts. */
struct delivery_target {
	struct aws_client *client; /* of the account; outlives the flow */
	struct aws_client *hub;	   /* for Secrets Manager; outlives the flow */
	const char *hub_region;	   /* the connector's home region */
	const char *kms_key_id;	   /* of secretsmanager; "" */
	const char *connector, *partition, *account_id, *region;
};

/* Whether that ARN can be there at all. at: connector, partition, account_id, region. ERR_CONFIG:
 * it is none of a certificate, or of another partition, account or region. */
int delivery_check_arn(const struct delivery_target *at, const char *text, struct err *err);

/* Copied by plan_make_start but for bundle, which is moved. */
struct plan_request {
	const char *arn;	    /* "" */
	const char *certificate_id; /* "": taken from the ARN's tag, or made */
	bool is_new_arn;
	bool reimport_allowed; /* the connector's */
	bool is_region_unread; /* the connector's `regions` leaves it out */
	enum key_escrow escrow;
	struct bundle *bundle;
	const char *csr_id; /* "": the bundle has its key; else the vault has, under this id */
	const struct acm_tag *tag;
	size_t tag_count;
	const char *const *verify_host; /* "host" or "host:port" */
	size_t verify_host_count;
	bool auto_rollback;
	const char *requested_by;
};

/*
 * document  the plan as JSON, at most PLAN_DOCUMENT_MAX, borrowed for the call. A plan that refuses
 *           is stored too (it tells why), and is no error
 * err       what could not be read or stored; ERR_CONFIG: what is asked for makes no sense (a wrong
 *           ARN, id, tag or host; an id that two certificates carry; a certificate for another key
 *           than csr_id's); ERR_LIMIT: too many carry the id; ERR_NOT_FOUND: the key of csr_id is
 *           gone
 */
typedef void plan_make_done_fn(void *arg, const char *document, const struct err *err);
struct plan_make *plan_make_start(struct delivery *delivery, const struct delivery_target *target,
	const struct plan_request *request, plan_make_done_fn *done, void *arg);
/* In done: whether err is of the key's escrow, which need not be in the account of the plan. */
bool plan_make_is_at_escrow(const struct plan_make *make);
void plan_make_cancel(struct plan_make *make);

/* For a job. Texts are borrowed until it is written. */
struct job_order {
	enum job_kind kind;
	char id[DELIVERY_ID_MAX + 1];			   /* by delivery_new_id */
	const char *plan_id;				   /* deliver */
	const char *of_job_id;				   /* rollback */
	const char *connector, *account_id, *region, *arn; /* delete */
	bool wait_until_unused;				   /* delete */
	const char *requested_by;
	int64_t now_s;
};
/* What an id is of, at its beginning: for people, who paste them into commands. */
enum {
	PLAN_ID_PREFIX = 'p',
	JOB_ID_DELIVER = 'j',
	JOB_ID_ROLLBACK = 'r',
	JOB_ID_DELETE = 'd',
	CSR_ID_PREFIX = 'q',
	CERTIFICATE_ID_PREFIX = 'c', /* of one that nobody named; lives on in a tag */
};
/* Sorts by its time: now_s, then the milliseconds of when it is made. */
void delivery_new_id(char prefix, int64_t now_s, char ret_id[DELIVERY_ID_MAX + 1]);
/*
 * Makes the job of a plan, of a rollback, of a delete: checks what can be checked in the store,
 * then writes job and event. For the function of a store_write_start.
 *
 * fails the transaction  ERR_NOT_FOUND: no such plan or job; ERR_REFUSED: plan expired, void,
 *                        refused or applied already, another job runs on that ARN, rollback
 *                        impossible, and why; ERR_STORE: what a plan needs is lost
 */
void job_order_write(struct store_txn *txn, const struct job_order *order);

/* Whether an open plan could not be applied any more, by what is known without asking AWS: somebody
 * replaced the certificate, or another delivery brings it or one with that id, or may do so, for
 * the clock was set back. */
bool plan_is_void(struct store_txn *txn, const struct plan_record *plan, int64_t now_s);

/* Whether its key waits where it was put, as far as this process knows: one in memory is lost at a
 * restart. */
bool delivery_has_key(struct delivery *delivery, const struct plan_record *plan);
/* The plan was applied: a key of it in memory waits for the job now, however late that begins. */
void delivery_hold_key(struct delivery *delivery, const char *plan_id);

/* Asks a job to end before it changes anything. A run that waits sees it at its next turn: cancel
 * it and start it again. Fails the transaction: ERR_NOT_FOUND; ERR_REFUSED: it has ended, or the
 * import or delete may have been sent. */
void job_cancel_write(struct store_txn *txn, const char *job_id, int64_t now_s);

/* Whether what a job replaced can be brought back now. ret_text: why not, "" when it can. */
enum { ROLLBACK_TEXT_MAX = 400 };
bool job_may_roll_back(struct store_txn *txn, const struct job_record *job, int64_t now_s,
	char ret_text[ROLLBACK_TEXT_MAX]);

/*
 * Runs a job from the phase it is in to its end; the record tells how it ended, so done has no
 * err but for a store that fails (the job stays running and is started again later).
 * Cancel stops this run only; the job goes on at the next job_run_start. A job that ended may have
 * written another one that is to be run (an automatic rollback): whoever starts jobs looks for
 * running ones in the store after each done.
 */
typedef void job_run_done_fn(void *arg, const struct err *err);
struct job_run *job_run_start(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, job_run_done_fn *done, void *arg);
void job_run_cancel(struct job_run *run);
/*
 * In place of job_run_start when there is no way into the job's account: writes into the record why
 * and when it is tried again, so that nobody has to guess what the job waits for, and ends the job
 * when it is to be cancelled or is too old.
 *
 * target  client is not looked at; hub may be NULL, a secret there is left over, which its steps
 * tell
 * done    err NULL: the job has ended; why: it goes on later
 */
struct job_run *job_run_start_away(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, const struct err *why, int64_t wait_s, job_run_done_fn *done,
	void *arg);
/* Whether it stands in the queue for ACM's one import a second, or soon will. */
bool job_waits_to_import(const struct job_record *job);

/*
 * Deletes the secrets in AWS Secrets Manager that this sensor made for plans which need them no
 * more: applied and ended, expired, or not in the store (older than a plan lives). For the start,
 * and now and then, of each connector with key_escrow = secretsmanager, or with plans of a time
 * when it had (forget.h): a crash between the end of a job and its clean-up leaves one over.
 *
 * target   hub, hub_region and connector are looked at
 * deleted  names of those that were deleted, to be reported; borrowed for the call, also with err
 * left     how many could not be deleted; err tells why of the first. 0 with err: nobody knows
 */
typedef void secret_sweep_done_fn(
	void *arg, const char *const *deleted, size_t count, size_t left, const struct err *err);
struct secret_sweep *secret_sweep_start(struct delivery *delivery,
	const struct delivery_target *target, secret_sweep_done_fn *done, void *arg);
void secret_sweep_cancel(struct secret_sweep *sweep);

#endif
