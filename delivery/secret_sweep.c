/*
 * Secrets that were left over.
 *
 *   start -> WAIT_PAGE -> WAIT_DELETE -> DONE
 *             |     ^      |       ^
 *             +-----+      +-------+ another one
 *             NextToken
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/secretsmanager_write.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/delivery_internal.h"
#include "delivery/escrow.h"

enum {
	PAGES_MAX = 200,
	ON_ITS_WAY_S = 3600, /* from a secret that was made to its plan in the store, at most */
};

enum state { WAIT_PAGE, WAIT_DELETE, DONE };
static const char *const state_name[] = {"WAIT_PAGE", "WAIT_DELETE", "DONE"};

struct secret_sweep {
	enum state state;
	struct delivery *delivery; /* borrowed */
	struct target_copy where;
	struct aws_call *call;		 /* owned until it answers */
	struct secretsmanager_list list; /* owned */
	char *next_token;		 /* owned */
	int pages;
	size_t next;	      /* of the list */
	const char **deleted; /* owned; names borrowed from list */
	size_t deleted_count;
	size_t left;	   /* that could not be deleted */
	struct err failed; /* the first that could not be deleted; the others are, all the same */
	secret_sweep_done_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);

static void destroy(struct secret_sweep *sweep)
{
	aws_call_cancel(sweep->call);
	secretsmanager_list_clear(&sweep->list);
	free(sweep->next_token);
	free(sweep->deleted);
	target_copy_clear(&sweep->where);
	free(sweep);
}

static void ask_page(struct secret_sweep *sweep)
{
	sweep->state = WAIT_PAGE;
	sweep->call = secretsmanager_list_start(sweep->where.target.hub,
		sweep->where.target.hub_region, TAG_SENSOR, sweep->delivery->sensor_name,
		sweep->next_token, on_reply, sweep);
}

/* The plan of a secret: behind the last slash; "" when the name is none that escrow.c makes. */
static const char *plan_id_of(const struct secret_sweep *sweep, const char *name)
{
	const char *slash = strrchr(name, '/');
	char expected[ESCROW_KEY_ID_MAX + 1];
	if (slash == NULL || strlen(slash + 1) > DELIVERY_ID_MAX)
		return "";
	escrow_key_id(sweep->delivery, ESCROW_SECRETS_MANAGER, slash + 1, expected);
	return strcmp(name, expected) == 0 ? slash + 1 : "";
}

static bool is_left_over(struct store_txn *txn, const char *plan_id, int64_t created_s)
{
	int64_t now_s = clock_now_s();
	struct plan_record plan;
	struct job_record job;
	if (plan_id[0] == '\0')
		return false; /* not ours to delete */
	if (!store_plan_get(txn, plan_id, &plan))
		return created_s + ON_ITS_WAY_S <= now_s;
	if (plan.job_id[0] == '\0')
		return plan.expires_s <= now_s;
	return !store_job_get(txn, plan.job_id, &job) || job.state != JOB_RUNNING;
}

/* Moves on to the next left-over. */
static int find_next(struct secret_sweep *sweep, struct err *err)
{
	struct store_txn *txn;
	if (store_read_begin(sweep->delivery->store, &txn, err) != 0)
		return -1;
	for (; sweep->next < sweep->list.count; sweep->next++) {
		const struct secretsmanager_item *item = &sweep->list.item[sweep->next];
		if (is_left_over(txn, plan_id_of(sweep, item->name), item->created_s))
			break;
	}
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static int delete_next(struct secret_sweep *sweep, struct err *err)
{
	if (find_next(sweep, err) != 0)
		return -1;
	sweep->state = sweep->next < sweep->list.count ? WAIT_DELETE : DONE;
	if (sweep->state == WAIT_DELETE)
		sweep->call = secretsmanager_delete_start(sweep->where.target.hub,
			sweep->where.target.hub_region, sweep->list.item[sweep->next].name,
			on_reply, sweep);
	return 0;
}

static int step(struct secret_sweep *sweep, const struct aws_reply *reply, struct err *err)
{
	switch (sweep->state) {
	case WAIT_PAGE:
		if (secretsmanager_list_take(reply, TAG_SENSOR, sweep->delivery->sensor_name,
			    &sweep->list, &sweep->next_token, err) != 0)
			return -1;
		if (++sweep->pages >= PAGES_MAX && sweep->next_token != NULL)
			return err_set(err, ERR_LIMIT, "more than %d pages of secrets", PAGES_MAX);
		if (sweep->next_token != NULL) {
			ask_page(sweep);
			return 0;
		}
		sweep->deleted = xcalloc(sweep->list.count + 1, sizeof(*sweep->deleted));
		return delete_next(sweep, err);
	case WAIT_DELETE:
		sweep->deleted[sweep->deleted_count++] = sweep->list.item[sweep->next++].name;
		return delete_next(sweep, err);
	case DONE:
		break;
	}
	abort(); /* an answer after the end is a bug in aws_call */
}

/* One that cannot be deleted, perhaps never, keeps no other one there. */
static int skip(struct secret_sweep *sweep, struct err *err)
{
	if (sweep->failed.kind == ERR_NONE)
		sweep->failed = *err;
	*err = (struct err)ERR_INIT;
	sweep->left++;
	sweep->next++;
	return delete_next(sweep, err);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct secret_sweep *sweep = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	enum state was = sweep->state;
	sweep->call = NULL;
	bool is_gone = was == WAIT_DELETE && err.kind == ERR_NOT_FOUND;
	int rc;
	if (call_err == NULL || is_gone)
		rc = step(sweep, reply, &err);
	else
		rc = was == WAIT_DELETE ? skip(sweep, &err) : -1;
	log_debug("secret_sweep %s state=%s rc=%d", sweep->where.target.connector, state_name[was],
		rc);
	if (rc == 0 && sweep->state != DONE)
		return;
	if (rc == 0 && sweep->failed.kind != ERR_NONE) {
		err = sweep->failed;
		rc = -1;
	}
	sweep->done(sweep->arg, sweep->deleted, sweep->deleted_count, sweep->left,
		rc != 0 ? &err : NULL);
	destroy(sweep);
}

struct secret_sweep *secret_sweep_start(struct delivery *delivery,
	const struct delivery_target *target, secret_sweep_done_fn *done, void *arg)
{
	struct secret_sweep *sweep = xcalloc(1, sizeof(*sweep));
	sweep->delivery = delivery;
	target_copy_make(target, &sweep->where);
	sweep->done = done;
	sweep->arg = arg;
	ask_page(sweep);
	return sweep;
}

void secret_sweep_cancel(struct secret_sweep *sweep)
{
	if (sweep != NULL)
		destroy(sweep);
}
