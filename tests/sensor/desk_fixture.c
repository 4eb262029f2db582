#include "tests/sensor/desk_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/make_pki.h"
#include "tests/lib/sample_delivery.h"

static struct connector *find_connector(void *arg, const char *name, struct err *err)
{
	struct desk_fixture *fixture = arg;
	for (size_t i = 0; i < DESK_CONNECTORS; i++)
		if (fixture->connector[i] != NULL &&
			strcmp(connector_config(fixture->connector[i])->name, name) == 0)
			return fixture->connector[i];
	(void)err_set(err, ERR_NOT_FOUND, "there is no connector \"%s\"", name);
	return NULL;
}

static struct connector *connector_at(void *arg, size_t i)
{
	struct desk_fixture *fixture = arg;
	return i < DESK_CONNECTORS ? fixture->connector[i] : NULL;
}

static int64_t now_s(void *arg)
{
	const struct desk_fixture *fixture = arg;
	int64_t told_s = 0;
	for (size_t i = 0; i < DESK_CONNECTORS && fixture->connector[i] != NULL && told_s == 0; i++)
		told_s = connector_told_now_s(fixture->connector[i]);
	return fixture->connector[0] != NULL ? told_s : clock_now_s();
}

static void note_ended(void *arg, struct connector *connector)
{
	(void)connector;
	struct desk_fixture *fixture = arg;
	fixture->jobs_ended++;
}

/* STS here, the rest is write_acm's. */
static bool answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	if (strcmp(call->operation, "ready") == 0) {
		if (strcmp(call->account, DESK_UNKNOWN) == 0)
			(void)err_set(err, ERR_ROLE, "not authorized to perform: sts:AssumeRole");
		return true;
	}
	if (strcmp(call->operation, "GetCallerIdentity") != 0)
		return write_acm_answer(arg, call, ret_body, err);
	*ret_body = xstrdup("<GetCallerIdentityResponse><GetCallerIdentityResult>"
			    "<Account>" HUB "</Account><Arn>arn:aws:iam::" HUB ":user/hub</Arn>"
			    "<UserId>AID</UserId></GetCallerIdentityResult>"
			    "</GetCallerIdentityResponse>");
	return true;
}

const struct desk_times desk_fixture_times = {
	.of_delivery = {.plan_life_s = DESK_PLAN_LIFE_S, .keep_keys_s = DESK_KEEP_KEYS_S},
	.keep_jobs_s = DESK_KEEP_JOBS_S};

static void open_desk(struct desk_fixture *fixture)
{
	struct err err = ERR_INIT;
	fixture->desk = desk_new(&(struct desk_options){.loop = fixture->sensor->loop,
					 .store = fixture->sensor->store,
					 .sensor_name = "sensor1",
					 .data_dir = fixture->sensor->folder,
					 .vault_key_file = "",
					 .times = desk_fixture_times,
					 .connector = find_connector,
					 .connector_at = connector_at,
					 .now_s = now_s,
					 .job_ended = note_ended,
					 .arg = fixture},
		&err);
	if (fixture->desk == NULL)
		fail_msg("%s", err.text);
}

static void make_certificate(struct desk_fixture *fixture)
{
	struct pki pki = pki_make(
		&(struct pki_spec){.common_name = "www.example.com",
			.sans = "DNS:www.example.com,DNS:example.com",
			.key_usage = "critical,digitalSignature,keyCertSign", /* by itself */
			.ext_key_usage = "serverAuth",
			.not_before_s = NOW_S - DAY_S,
			.not_after_s = NOW_S + 90 * DAY_S},
		NULL);
	fixture->pem = pki_pem(&pki);
	fixture->key_pem = pki_key_pem(&pki);
	pki_clear(&pki);
}

void desk_fixture_open(struct desk_fixture *fixture, struct fixture *sensor)
{
	struct err err = ERR_INIT;
	*fixture = (struct desk_fixture){
		.sensor = sensor, .acm = {.account_id = SHOP, .region = DESK_REGION}};
	use_config(sensor, "[connector prod]\nimport = all\n"
			   "[connector other]\nimport = all\nkey_escrow = secretsmanager\n"
			   "reimport = no\n");
	make_certificate(fixture);
	buf_init(&fixture->body, 1 << 20);
	fake_call_set_answerer(answer, &fixture->acm);
	for (size_t i = 0; i < DESK_CONNECTORS; i++) {
		fixture->connector[i] =
			connector_new(&(struct connector_options){.loop = sensor->loop,
					      .store = sensor->store,
					      .sensor_name = "sensor1",
					      .config = &sensor->config->connector[i]},
				NULL, NULL, NULL, &err);
		if (fixture->connector[i] == NULL)
			fail_msg("%s", err.text);
	}
	open_desk(fixture);
}

void desk_fixture_close(struct desk_fixture *fixture)
{
	desk_op_cancel(fixture->op);
	desk_free(fixture->desk);
	for (size_t i = 0; i < DESK_CONNECTORS; i++)
		connector_free(fixture->connector[i]);
	write_acm_clear(&fixture->acm);
	free(fixture->document);
	free(fixture->pem);
	free(fixture->key_pem);
	buf_clear(&fixture->body);
}

void desk_fixture_restart(struct desk_fixture *fixture)
{
	desk_op_cancel(fixture->op);
	fixture->op = NULL;
	desk_free(fixture->desk);
	open_desk(fixture);
}

/* --- orders ------------------------------------------------------------------------------------ */

static void on_done(void *arg, const struct buf *document, const struct err *err)
{
	struct desk_fixture *fixture = arg;
	assert_true((document == NULL) != (err == NULL));
	fixture->op = NULL;
	fixture->ends++;
	free(fixture->document);
	fixture->document = document != NULL ? xstrdup(buf_text(document)) : NULL;
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
}

void desk_fixture_start(struct desk_fixture *fixture, enum desk_verb verb, const char *body)
{
	char *text = xstrdup(body);
	for (char *c = text; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *json = json_loads(text, 0, NULL);
	if (json == NULL)
		fail_msg("no JSON: %s", text);
	free(text);
	fixture->op = desk_op_start(fixture->desk, verb, json, "uid 0", on_done, fixture);
	json_decref(json);
}

void desk_fixture_run(struct desk_fixture *fixture, enum desk_verb verb, const char *body)
{
	size_t ends = fixture->ends;
	desk_fixture_start(fixture, verb, body);
	assert_int_equal(fixture->ends, ends); /* never in start */
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, ends + 1);
}

void desk_fixture_refuse(struct desk_fixture *fixture, enum desk_verb verb, const char *body,
	enum err_kind kind, const char *text)
{
	desk_fixture_run(fixture, verb, body);
	if (fixture->err.kind != kind || strstr(fixture->err.text, text) == NULL)
		fail_msg("%s: %s \"%s\" instead of %s \"%s\"", body,
			err_kind_name(fixture->err.kind), fixture->err.text, err_kind_name(kind),
			text);
}

const char *desk_fixture_text(struct desk_fixture *fixture, const char *object, const char *name)
{
	static char text[65536];
	if (fixture->document == NULL)
		fail_msg("%s", fixture->err.text);
	json_t *json = json_loads(fixture->document, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "schema")), 1);
	const char *found = json_string_value(json_object_get(json_object_get(json, object), name));
	if (found == NULL)
		fail_msg("no %s in %s", name, fixture->document);
	snprintf(text, sizeof(text), "%s", found);
	json_decref(json);
	return text;
}

static void add_text(struct buf *to, const char *name, const char *text)
{
	buf_addf(to, "'%s': '", name);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_add_text(to, "\\n");
		else
			buf_add_char(to, *text);
	}
	buf_add_text(to, "'");
}

const char *desk_fixture_plan(struct desk_fixture *fixture, const char *more)
{
	struct buf *body = &fixture->body;
	buf_reset(body);
	buf_addf(body, "{%s", more);
	if (strstr(more, "'connector'") == NULL)
		buf_add_text(body, "'connector': 'prod', ");
	if (strstr(more, "'arn'") == NULL)
		buf_add_text(body, "'account': '" SHOP "', 'region': '" DESK_REGION "', ");
	add_text(body, "certificate", fixture->pem);
	buf_add_text(body, ", ");
	add_text(body, "key", fixture->key_pem);
	buf_add_text(body, "}");
	return buf_text(body);
}

/* --- of a test -------------------------------------------------------------------------------- */

struct desk_fixture desk;

int desk_fixture_set_up(void **state)
{
	int rc = sensor_set_up(state);
	desk_fixture_open(&desk, *state);
	return rc;
}

int desk_fixture_tear_down(void **state)
{
	desk_fixture_close(&desk);
	return sensor_tear_down(state);
}

/* --- jobs -------------------------------------------------------------------------------------- */

struct job_record desk_fixture_job(const char *id)
{
	return sample_job_running(id, SHOP, DESK_REGION);
}

void desk_fixture_put_job(struct desk_fixture *fixture, const struct job_record *job)
{
	sample_job_put(fixture->sensor->store, job);
}

bool desk_fixture_has_key(struct desk_fixture *fixture, const char *id)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->sensor->store, &txn, &err), 0);
	bool is_there = store_vault_has(txn, id);
	store_read_end(txn);
	return is_there;
}

const char *desk_fixture_state(struct desk_fixture *fixture, const char *job_id)
{
	static char text[2048];
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	assert_int_equal(store_read_begin(fixture->sensor->store, &txn, &err), 0);
	if (!store_job_get(txn, job_id, &job))
		fail_msg("there is no job %s", job_id);
	snprintf(text, sizeof(text), "%s %s: %s", job_state_name(job.state),
		job_phase_name(job.phase), job.reason);
	store_read_end(txn);
	return text;
}
