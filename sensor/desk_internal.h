/* What the files of the desk share: desk.c (life, jobs), desk_op.c (orders, from start to answer),
 * desk_plan.c, desk_csr.c and desk_request.c (what is particular to these), desk_render.c. */
#ifndef SENSOR_DESK_INTERNAL_H
#define SENSOR_DESK_INTERNAL_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "delivery/bundle.h"
#include "delivery/csr.h"
#include "delivery/delivery.h"
#include "delivery/forget.h"
#include "delivery/remote.h"
#include "sensor/account_access.h"
#include "sensor/config.h"
#include "sensor/connector.h"
#include "sensor/desk.h"
#include "sensor/local_api.h"
#include "store/vault.h"

struct loop_timer;
struct worker;

enum {
	DESK_BY_MAX = 32,
	DESK_DOMAINS_MAX = LOCAL_API_DOMAINS_MAX,
	DESK_DOCUMENT_MAX = 1048576,
};

/* A plan: what was sent, and what came of it. */
struct desk_plan {
	struct secret key, pkcs12, passphrase;
	struct bundle_input input; /* points into the body and the secrets */
	bool has_key;
	struct bundle bundle;
	struct acm_tag tag[DELIVERY_TAGS_MAX]; /* borrowed from the body */
	size_t tag_count;
	const char *verify_host[VERIFY_HOSTS_MAX]; /* borrowed from the body */
	size_t verify_host_count;
	const char *arn, *certificate_id, *csr_id; /* borrowed from the body */
	bool is_new_arn, auto_rollback, is_region_unread;
	struct plan_make *make; /* owned until it ends */
};

/* A request for a certificate. */
struct desk_csr {
	const char *domain[DESK_DOMAINS_MAX]; /* borrowed from the body or from remote */
	size_t domain_count;
	const char *connector, *arn, *key_type, *subject; /* borrowed from the body; "" */
	enum key_escrow key_escrow;			  /* the connector's */
	struct csr_request request;
	struct remote_read *read; /* owned until it ends */
	struct remote_state remote;
	const char *usage[X509_EKUS_MAX]; /* borrowed from remote */
	char id[DELIVERY_ID_MAX + 1];
	struct secret key;
	int64_t made_s;
	struct buf pem, document;		    /* document: what is shown of it */
	struct vault_sealed sealed, request_sealed; /* its key; the document */
};

/* Named for what is waited for. */
enum desk_state { DESK_START, DESK_WORKER, DESK_ACCESS, DESK_REMOTE, DESK_MAKE, DESK_WRITE };

struct desk_op {
	TAILQ_ENTRY(desk_op) link;
	struct desk *desk; /* borrowed */
	enum desk_verb verb;
	enum desk_state state;
	json_t *body; /* a reference of its own */
	char by[DESK_BY_MAX];
	desk_done_fn *done; /* NULL: cancelled while the worker had it */
	void *arg;
	struct loop_timer *timer;    /* owned; in DESK_START */
	struct connector *connector; /* borrowed; NULL: none is needed */
	char account_id[13], region[32];
	struct account_access *access; /* owned */
	bool is_elsewhere;	       /* what failed was asked of another account */
	struct store_write *write;     /* owned; in DESK_WRITE */
	struct job_order order;
	struct desk_plan plan;
	struct desk_csr csr;
	struct err err; /* of the worker */
};
TAILQ_HEAD(desk_op_list, desk_op);

struct desk_job {
	LIST_ENTRY(desk_job) link;
	struct desk *desk; /* borrowed */
	char id[DELIVERY_ID_MAX + 1];
	struct connector *connector;   /* borrowed */
	struct aws_client *hub;	       /* owned; the connector's, with less patience */
	struct account_access *access; /* owned */
	char account_id[13], region[32];
	bool has_place;		    /* one of DESK_JOBS_PLACE_MAX; when the pump looked last */
	struct job_run *run;	    /* owned; NULL until access is open, or is known to be shut */
	struct loop_timer *timer;   /* owned; a pause before it is tried again */
	char held_up[ERR_TEXT_MAX]; /* why it pauses, which its record could not tell; or "" */
};
LIST_HEAD(desk_job_list, desk_job);

/* One at a time is not NULL. */
struct desk_upkeep {
	struct loop_timer *timer;  /* owned */
	struct store_write *write; /* owned */
	int64_t keep_jobs_s;
	int64_t now_s;		     /* of this hour's work */
	struct forget_place from;    /* the next step */
	struct forgotten step;	     /* set by its write */
	size_t plans, jobs;	     /* forgotten this time */
	struct secret_sweep *sweep;  /* owned */
	struct connector *connector; /* borrowed; whose secrets are looked through */
	size_t next;
	int64_t retry_s; /* until the next look for secrets after one that failed; 0: none failed */
	bool is_soon;	 /* a job left its key over while the upkeep was at work */
	int64_t keys_left;		      /* of delivery's counter, as it was last seen */
	struct desk_left_over secrets, round; /* as known; in this round */
};

struct desk {
	struct loop *loop;
	struct store *store;
	desk_connector_fn *connector;
	desk_connector_at_fn *connector_at;
	desk_now_fn *now_s;
	desk_job_ended_fn *job_ended;
	void *arg;
	struct desk_upkeep upkeep;
	struct vault *vault;	   /* owned */
	struct delivery *delivery; /* owned */
	struct worker *worker;	   /* owned */
	struct desk_op *working;   /* borrowed; the worker has it */
	struct desk_op_list ops;   /* owned */
	size_t op_count;
	struct desk_job_list jobs; /* owned */
	size_t job_count;
	struct loop_timer *pump_timer; /* owned until it fires */
	int64_t pumped_mono_ms;	       /* when it fired last */
};

/* --- desk.c --- */

/* Stops it, so that the pump starts it with what its record says now. */
void desk_restart_job(struct desk *desk, const char *id);

/* --- desk_upkeep.c --- */

void desk_upkeep_start(struct desk *desk);
void desk_upkeep_release(struct desk *desk, const struct connector *connector);
void desk_upkeep_stop(struct desk *desk);
/* A job has ended: one that left its key in Secrets Manager is looked after within a minute. */
void desk_upkeep_job_ended(struct desk *desk);

/* --- desk_op.c --- */

/* The op's end; frees it. */
void desk_op_end(struct desk_op *op, const struct buf *document, const struct err *err);
/* From the loop, when the worker is free. */
void desk_work_next(struct desk *desk);
/* Opens the way into op->account_id through op->connector; then desk_op's step goes on. */
void desk_op_destroy(struct desk_op *op);

/* --- desk_place.c --- */

/*
 * Before an order is taken on: whether its ARN ("": none) can be in account and region of op and in
 * its connector's partition, whether the connector's settings leave the account out, and whether
 * the inventory knows that account or region are none of the connector's. Before its first cycle
 * nobody knows. op has a connector.
 *
 * ret_is_unread  the connector's `regions` leaves the region out: nobody knows whether it exists
 * errors         ERR_CONFIG, ERR_REFUSED, ERR_STORE
 */
int desk_check_place(
	const struct desk_op *op, const char *arn, bool *ret_is_unread, struct err *err);
/* After AWS has refused what op asked there: err says the same too, behind what AWS said. */
void desk_explain_place(const struct desk_op *op, struct err *err);

/* --- desk_plan.c --- */

/* Reads the body. ERR_CONFIG, ERR_PROTOCOL. */
int desk_plan_read(struct desk_op *op, struct err *err);
void desk_plan_work(struct desk_op *op); /* in the worker */
void desk_plan_make(struct desk_op *op); /* with access open; ends the op */
void desk_plan_clear(struct desk_plan *plan);

/* --- desk_csr.c --- */

int desk_csr_read(struct desk_op *op, struct err *err);
/* What the certificate that is replaced has; in DESK_REMOTE; 0 or -1. */
int desk_csr_take_remote(struct desk_op *op, struct err *err);
void desk_csr_work(struct desk_op *op); /* in the worker */
int desk_csr_seal(struct desk_op *op, struct err *err);
void desk_csr_put(struct store_txn *txn, const struct desk_csr *csr);
void desk_csr_render(const struct desk_op *op, struct buf *document);
void desk_csr_clear(struct desk_csr *csr);

/* --- desk_request.c --- */

enum { DESK_REQUEST_ID_MAX = DELIVERY_ID_MAX + 10 };
/* The vault's id for what is shown of a request, beside its key. */
void desk_request_vault_id(const char *id, char ret_id[DESK_REQUEST_ID_MAX]);
/* For store_write_start; arg: struct desk_op, whose plan.csr_id goes. ERR_NOT_FOUND; ERR_REFUSED:
 * its key is needed. */
void desk_request_drop(struct store_txn *txn, void *arg);

/* --- for the readers of bodies --- */

/* Members of the body that none of names is. ERR_CONFIG names one. */
int desk_check_members(const json_t *body, const char *const *names, size_t count, struct err *err);
/* Texts of an array; borrowed. ERR_CONFIG, ERR_PROTOCOL. */
int desk_read_texts(const json_t *body, const char *name, const char **ret_text, size_t max,
	size_t *ret_count, struct err *err);

#endif
