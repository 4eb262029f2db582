/*
 * An order from its start to its answer.
 *
 *   plan      WORKER (bundle) -> ACCESS -> MAKE
 *   csr       [ACCESS -> REMOTE] -> WORKER (key) -> WRITE
 *   apply, rollback, delete, cancel, csr_drop
 *             WRITE, then the job is the pump's
 *
 * The worker has one order at a time; the others wait in the order in which they came. An order
 * that is cancelled while the worker has it is freed when the worker is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/arn.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/worker.h"
#include "sensor/desk_internal.h"
#include "sensor/local_api.h"

static const char *const state_name[] = {"START", "WORKER", "ACCESS", "REMOTE", "MAKE", "WRITE"};

static void step(struct desk_op *op, const struct err *step_err);

/* --- bodies ----------------------------------------------------------------------------------- */

int desk_check_members(const json_t *body, const char *const *names, size_t count, struct err *err)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)body, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(key, names[i]) != 0)
			i++;
		if (i == count)
			return err_set(
				err, ERR_CONFIG, "the body has an unknown member \"%.64s\"", key);
	}
	return 0;
}

int desk_read_texts(const json_t *body, const char *name, const char **ret_text, size_t max,
	size_t *ret_count, struct err *err)
{
	const json_t *array = NULL;
	*ret_count = 0;
	if (json_get_array(body, name, max, &array, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		if (text == NULL || text[0] == '\0' || strlen(text) > 512)
			return err_set(
				err, ERR_CONFIG, "%s: expected texts of 1 to 512 bytes", name);
		ret_text[(*ret_count)++] = text;
	}
	return 0;
}

static int read_member(const json_t *body, const char *name, const char **ret_text, struct err *err)
{
	*ret_text = "";
	return json_get_text(body, name, ARN_MAX, ret_text, err);
}

/* An id of a plan or job, which must be there. */
static int read_id(const json_t *body, const char *name, const char **ret_id, struct err *err)
{
	if (desk_check_members(body, &name, 1, err) != 0 ||
		read_member(body, name, ret_id, err) != 0)
		return -1;
	if ((*ret_id)[0] == '\0' || strlen(*ret_id) > DELIVERY_ID_MAX)
		return err_set(err, ERR_CONFIG, "%s: expected the id of a %s", name, name);
	return 0;
}

static int read_delete(struct desk_op *op, struct err *err)
{
	static const char *const names[] = {"arn", "connector", "wait"};
	struct job_order *order = &op->order;
	const char *connector = "";
	bool ignored;
	struct arn arn;
	if (desk_check_members(op->body, names, 3, err) != 0 ||
		read_member(op->body, "arn", &order->arn, err) != 0 ||
		read_member(op->body, "connector", &connector, err) != 0 ||
		json_get_bool(op->body, "wait", &order->wait_until_unused, err) != 0)
		return -1;
	if (!arn_parse_certificate(order->arn, &arn))
		return err_set(err, ERR_CONFIG, "arn: expected the ARN of an ACM certificate");
	op->connector = op->desk->connector(op->desk->arg, connector, err);
	if (op->connector == NULL)
		return -1;
	(void)text_copy(op->account_id, sizeof(op->account_id), arn.account_id);
	(void)text_copy(op->region, sizeof(op->region), arn.region);
	order->connector = connector_config(op->connector)->name;
	order->account_id = op->account_id;
	order->region = op->region;
	return desk_check_place(op, order->arn, &ignored, err);
}

/* --- the writes ------------------------------------------------------------------------------- */

static void write_cancel(struct store_txn *txn, void *arg)
{
	struct desk_op *op = arg;
	job_cancel_write(txn, op->order.of_job_id, op->order.now_s);
}

static void write_order(struct store_txn *txn, void *arg)
{
	struct desk_op *op = arg;
	job_order_write(txn, &op->order);
}

static void write_csr(struct store_txn *txn, void *arg)
{
	struct desk_op *op = arg;
	desk_csr_put(txn, &op->csr);
}

static void on_write(void *arg, const struct err *err)
{
	struct desk_op *op = arg;
	op->write = NULL;
	step(op, err);
}

static void start_write(struct desk_op *op, store_write_fn *write)
{
	op->state = DESK_WRITE;
	op->write = store_write_start(op->desk->store, write, op, on_write, op);
}

/* --- answers ---------------------------------------------------------------------------------- */

static int render_job(struct desk_op *op, const char *id, struct buf *document, struct err *err)
{
	struct store_txn *txn = NULL;
	struct job_record record;
	struct json_writer writer;
	if (store_read_begin(op->desk->store, &txn, err) != 0)
		return -1;
	json_writer_init(&writer, document, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, "job");
	if (store_job_get(txn, id, &record))
		desk_render_job(txn, &record, true, desk_job_held_up(op->desk, record.id), &writer);
	else
		json_write_null(&writer);
	json_close_object(&writer);
	buf_add_char(document, '\n');
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc == 0 ? buf_check(document, "the job", err) : -1;
}

/* After a write of an order: a job is to be started, or started again to see that it is to end. */
static void wake_jobs(struct desk_op *op)
{
	if (op->verb == DESK_CANCEL)
		desk_restart_job(op->desk, op->order.of_job_id);
	desk_pump(op->desk);
}

static void answer(struct desk_op *op)
{
	struct buf document;
	struct err err = ERR_INIT;
	int rc = 0;
	buf_init(&document, DESK_DOCUMENT_MAX);
	if (op->verb == DESK_APPLY)
		delivery_hold_key(op->desk->delivery, op->order.plan_id);
	if (op->verb == DESK_CSR)
		desk_csr_render(op, &document);
	else if (op->verb == DESK_CSR_DROP)
		buf_addf(&document, "{\"schema\":%d,\"csr\":{\"id\":\"%s\"}}\n", LOCAL_API_SCHEMA,
			op->plan.csr_id);
	else
		rc = render_job(op, op->verb == DESK_CANCEL ? op->order.of_job_id : op->order.id,
			&document, &err);
	wake_jobs(op);
	desk_op_end(op, rc == 0 ? &document : NULL, rc == 0 ? NULL : &err);
	buf_clear(&document);
}

/* --- access and remote ------------------------------------------------------------------------ */

static void on_access(void *arg, const struct err *err)
{
	step(arg, err);
}

static void start_access(struct desk_op *op)
{
	op->state = DESK_ACCESS;
	op->access = account_access_start(
		&(struct account_access_options){.hub = connector_hub(op->connector),
			.config = connector_config(op->connector),
			.session_name = connector_session(op->connector),
			.account_id = op->account_id},
		on_access, op);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *err)
{
	struct desk_op *op = arg;
	op->csr.read = NULL;
	if (err == NULL) {
		op->csr.remote = *state;
		*state = (struct remote_state){.exists = false};
	}
	step(op, err);
}

/* --- the worker ------------------------------------------------------------------------------- */

static void work(void *arg)
{
	struct desk_op *op = arg;
	if (op->verb == DESK_PLAN)
		desk_plan_work(op);
	else
		desk_csr_work(op);
}

static void on_worked(void *arg)
{
	struct desk_op *op = arg;
	struct desk *desk = op->desk;
	desk->working = NULL;
	if (op->done == NULL)
		desk_op_destroy(op);
	else
		step(op, op->err.kind != ERR_NONE ? &op->err : NULL);
	desk_work_next(desk);
}

void desk_work_next(struct desk *desk)
{
	struct desk_op *op = TAILQ_FIRST(&desk->ops);
	if (desk->working != NULL || worker_is_busy(desk->worker))
		return;
	while (op != NULL && op->state != DESK_WORKER)
		op = TAILQ_NEXT(op, link);
	if (op == NULL)
		return;
	desk->working = op;
	worker_start(desk->worker, work, on_worked, op);
}

static void start_work(struct desk_op *op)
{
	op->state = DESK_WORKER;
	desk_work_next(op->desk);
}

/* --- the flow --------------------------------------------------------------------------------- */

static int start_order(struct desk_op *op, enum job_kind kind, char prefix)
{
	op->order.kind = kind;
	op->order.requested_by = op->by;
	op->order.now_s = clock_now_s();
	delivery_new_id(prefix, op->order.now_s, op->order.id);
	start_write(op, write_order);
	return 0;
}

/* Of what is to be applied or rolled back; "": there is none, which the order's write tells. */
static int read_connector(
	struct desk_op *op, char ret_connector[LOCAL_API_CONNECTOR_MAX + 1], struct err *err)
{
	const struct job_order *order = &op->order;
	struct store_txn *txn = NULL;
	struct plan_record plan = {.connector = ""};
	struct job_record job = {.connector = ""};
	if (store_read_begin(op->desk->store, &txn, err) != 0)
		return -1;
	bool is_there = op->verb == DESK_APPLY ? store_plan_get(txn, order->plan_id, &plan)
					       : store_job_get(txn, order->of_job_id, &job);
	text_copy(ret_connector, LOCAL_API_CONNECTOR_MAX + 1,
		!is_there		 ? ""
		: op->verb == DESK_APPLY ? plan.connector
					 : job.connector);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

/* A job without its connector can only fail. */
static int check_connector(struct desk_op *op, struct err *err)
{
	bool is_apply = op->verb == DESK_APPLY;
	char connector[LOCAL_API_CONNECTOR_MAX + 1];
	struct err unknown = ERR_INIT;
	if (read_connector(op, connector, err) != 0)
		return -1;
	if (connector[0] == '\0' || op->desk->connector(op->desk->arg, connector, &unknown) != NULL)
		return 0;
	return err_set(err, ERR_REFUSED,
		"%s %s is of connector %s, which is not configured any more: configure it again%s",
		is_apply ? "plan" : "job", is_apply ? op->order.plan_id : op->order.of_job_id,
		connector, is_apply ? ", or plan again through another one" : "");
}

static int begin(struct desk_op *op, struct err *err)
{
	switch (op->verb) {
	case DESK_PLAN:
		if (desk_plan_read(op, err) != 0)
			return -1;
		start_work(op);
		return 0;
	case DESK_CSR:
		if (desk_csr_read(op, err) != 0)
			return -1;
		if (op->csr.arn[0] != '\0')
			start_access(op);
		else
			start_work(op);
		return 0;
	case DESK_CSR_DROP:
		if (read_id(op->body, "csr", &op->plan.csr_id, err) != 0)
			return -1;
		op->order.now_s = clock_now_s();
		start_write(op, desk_request_drop);
		return 0;
	case DESK_APPLY:
		return read_id(op->body, "plan", &op->order.plan_id, err) != 0 ||
				       check_connector(op, err) != 0
			       ? -1
			       : start_order(op, JOB_DELIVER, JOB_ID_DELIVER);
	case DESK_ROLLBACK:
		return read_id(op->body, "job", &op->order.of_job_id, err) != 0 ||
				       check_connector(op, err) != 0
			       ? -1
			       : start_order(op, JOB_ROLLBACK, JOB_ID_ROLLBACK);
	case DESK_DELETE:
		return read_delete(op, err) != 0 ? -1 : start_order(op, JOB_DELETE, JOB_ID_DELETE);
	case DESK_CANCEL:
		if (read_id(op->body, "job", &op->order.of_job_id, err) != 0)
			return -1;
		op->order.now_s = clock_now_s();
		start_write(op, write_cancel);
		return 0;
	}
	abort();
}

/* What was waited for has come: on to the next wait, or the end. 0, or -1 and err. */
static int advance(struct desk_op *op, struct err *err)
{
	switch (op->state) {
	case DESK_START:
		return begin(op, err);
	case DESK_WORKER:
		if (op->verb == DESK_PLAN) {
			start_access(op);
			return 0;
		}
		if (desk_csr_seal(op, err) != 0)
			return -1;
		start_write(op, write_csr);
		return 0;
	case DESK_ACCESS:
		if (op->verb == DESK_PLAN) {
			op->state = DESK_MAKE;
			desk_plan_make(op);
			return 0;
		}
		op->state = DESK_REMOTE;
		op->csr.read = remote_read_start(
			account_access_client(op->access), op->region, op->csr.arn, on_remote, op);
		return 0;
	case DESK_REMOTE:
		if (desk_csr_take_remote(op, err) != 0)
			return -1;
		start_work(op);
		return 0;
	case DESK_WRITE:
		answer(op);
		return 0;
	case DESK_MAKE:
		break;
	}
	abort(); /* desk_plan.c ends it */
}

static void step(struct desk_op *op, const struct err *step_err)
{
	struct err err = step_err != NULL ? *step_err : (struct err)ERR_INIT;
	log_debug("desk verb=%d state=%s error=%s", (int)op->verb, state_name[op->state],
		err_kind_name(err.kind));
	if (step_err != NULL || advance(op, &err) != 0)
		desk_op_end(op, NULL, &err);
}

void desk_op_destroy(struct desk_op *op)
{
	loop_timer_cancel(op->timer);
	store_write_cancel(op->write);
	desk_plan_clear(&op->plan);
	desk_csr_clear(&op->csr);
	account_access_end(op->access);
	TAILQ_REMOVE(&op->desk->ops, op, link);
	op->desk->op_count--;
	json_decref(op->body);
	free(op);
}

void desk_op_end(struct desk_op *op, const struct buf *document, const struct err *err)
{
	struct err told = err != NULL ? *err : (struct err)ERR_INIT;
	if (err != NULL && op->state >= DESK_ACCESS && op->state <= DESK_MAKE &&
		op->connector != NULL && !op->is_elsewhere)
		desk_explain_place(op, &told);
	if (op->done != NULL)
		op->done(op->arg, document, err != NULL ? &told : NULL);
	desk_op_cancel(op);
}

void desk_op_cancel(struct desk_op *op)
{
	if (op == NULL)
		return;
	op->done = NULL;
	if (op->write != NULL)
		wake_jobs(op); /* it may be in the store all the same */
	if (op->desk->working != op) {
		desk_op_destroy(op);
		return;
	}
	account_access_end(op->access); /* its hub may go before the worker is done */
	op->access = NULL;
}

static void on_start(void *arg)
{
	struct desk_op *op = arg;
	struct err err = ERR_INIT;
	op->timer = NULL;
	if (op->desk->op_count > DESK_OPS_MAX) {
		(void)err_set(
			&err, ERR_STOPPED, "%d orders are under way; try again", DESK_OPS_MAX);
		desk_op_end(op, NULL, &err);
		return;
	}
	step(op, NULL);
}

struct desk_op *desk_op_start(struct desk *desk, enum desk_verb verb, json_t *body, const char *by,
	desk_done_fn *done, void *arg)
{
	struct desk_op *op = xcalloc(1, sizeof(*op));
	op->desk = desk;
	op->verb = verb;
	op->body = json_incref(body);
	(void)text_copy(op->by, sizeof(op->by), by);
	op->done = done;
	op->arg = arg;
	TAILQ_INSERT_TAIL(&desk->ops, op, link);
	desk->op_count++;
	op->timer = loop_timer_start(desk->loop, 0, on_start, op);
	return op;
}
