/* Scripted answers in place of the AWS client; see fake_call.h. */
#include "tests/lib/fake_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

enum { FILE_MAX_BYTES = 4 << 20 };

const struct fake_call_error fake_call_errors[FAKE_CALL_ERRORS] = {

	{ERR_DENIED, "AccessDeniedException"},
	{ERR_DENIED_BY_SCP, "AccessDeniedException"},
	{ERR_ROLE, "AccessDenied"},
	{ERR_CREDENTIALS, "ExpiredTokenException"},
	{ERR_CREDENTIALS, "UnrecognizedClientException"},
	{ERR_CREDENTIALS, "InvalidClientTokenId"},
	{ERR_CREDENTIALS, "SignatureDoesNotMatch"},
	{ERR_THROTTLED, "ThrottlingException"},
	{ERR_SERVICE, "InternalFailure"},
	{ERR_UNREACHABLE, "connect"},
	{ERR_TIMEOUT, "first_byte"},
	{ERR_PROTOCOL, ""},
	{ERR_LIMIT, ""},
	{ERR_NOT_FOUND, "ResourceNotFoundException"},
	{ERR_REFUSED, "ValidationException"},
	{ERR_REFUSED, "RequestInProgressException"},
	{ERR_CONFIG, ""},
	{ERR_SYSTEM, ""},
};

struct rule {
	char *account, *operation, *region, *body_part; /* owned; NULL: any */
	char *body;					/* owned; NULL: fail or hang */
	struct err err;
	bool is_hang, is_always, is_used;
};

struct aws {
	struct loop *loop; /* borrowed */
	int64_t calls, failures;
};

struct aws_client {
	struct aws *aws; /* borrowed */
	char account_id[13];
	char *role_arn; /* owned; "" for one that assumed none */
};

struct aws_call {
	struct aws_client *client; /* borrowed */
	enum aws_protocol protocol;
	const char *expects;
	size_t number; /* of its record */
	bool is_ready; /* done is ready_done */
	bool is_hanging;
	aws_call_done_fn *done;
	aws_ready_done_fn *ready_done;
	void *arg;
	struct loop_timer *timer; /* owned; NULL in manual mode, or while hanging */
	struct aws_call *next, *previous;
};

static struct {
	struct rule *rule; /* owned */
	size_t rules, rules_capacity;
	struct fake_record **record; /* owned, each owned with its texts */
	size_t records, records_capacity;
	struct aws_call *first, *last;
	fake_call_answer_fn *answer;
	void *answer_arg;
	bool is_manual;
	size_t fail_at; /* 0: none; counted down */
	bool fails_on;	/* and all that follow */
	struct err fail_err;
	const struct fake_record *failed; /* borrowed from record; NULL: none */
	size_t cancelled, unexpected, clients;
	int64_t clock_offset_s;
	int64_t date_s, dated_mono_ms; /* 0: not told */
} fake;

static void rule_clear(struct rule *rule)
{
	free(rule->account);
	free(rule->operation);
	free(rule->region);
	free(rule->body_part);
	free(rule->body);
}

void fake_call_set_clock_offset_s(int64_t offset_s)
{
	fake.clock_offset_s = offset_s;
}

void fake_call_tell_date_s(int64_t at_s)
{
	fake.date_s = at_s;
	fake.dated_mono_ms = clock_mono_ms();
}

void fake_call_reset(void)
{
	if (fake.first != NULL) {
		fprintf(stderr, "fake_call_reset: a call is still pending\n");
		abort();
	}
	for (size_t i = 0; i < fake.rules; i++)
		rule_clear(&fake.rule[i]);
	free(fake.rule);
	for (size_t i = 0; i < fake.records; i++) {
		free((char *)fake.record[i]->account);
		free((char *)fake.record[i]->operation);
		free((char *)fake.record[i]->region);
		free((char *)fake.record[i]->body);
		free((char *)fake.record[i]->role_arn);
		free(fake.record[i]);
	}
	free(fake.record);
	size_t clients = fake.clients;
	memset(&fake, 0, sizeof(fake));
	fake.clients = clients;
}

static struct rule *add_rule(const struct fake_match *match)
{
	fake.rule = xgrow(fake.rule, &fake.rules_capacity, fake.rules, sizeof(*fake.rule));
	struct rule *rule = &fake.rule[fake.rules++];
	*rule = (struct rule){.account = xstrdup(match->account),
		.operation = xstrdup(match->operation),
		.region = xstrdup(match->region),
		.body_part = xstrdup(match->body_part)};
	return rule;
}

void fake_call_reply(const struct fake_match *match, const char *body)
{
	add_rule(match)->body = xstrdup(body);
}

void fake_call_reply_always(const struct fake_match *match, const char *body)
{
	struct rule *rule = add_rule(match);
	rule->body = xstrdup(body);
	rule->is_always = true;
}

void fake_call_reply_file(const struct fake_match *match, const char *file)
{
	char path[4096];
	snprintf(path, sizeof(path), "tests/data/answers/%s", file);
	FILE *stream = fopen(path, "rb");
	if (stream == NULL) {
		perror(path);
		abort();
	}
	char *body = xcalloc(FILE_MAX_BYTES + 1, 1);
	(void)!fread(body, 1, FILE_MAX_BYTES, stream);
	fclose(stream);
	add_rule(match)->body = body;
}

static struct rule *add_failure(
	const struct fake_match *match, enum err_kind kind, const char *code, const char *text)
{
	struct rule *rule = add_rule(match);
	err_set(&rule->err, kind, "%s", text != NULL ? text : "");
	err_set_code(&rule->err, code != NULL ? code : "");
	return rule;
}

void fake_call_fail(
	const struct fake_match *match, enum err_kind kind, const char *code, const char *text)
{
	add_failure(match, kind, code, text);
}

void fake_call_fail_always(
	const struct fake_match *match, enum err_kind kind, const char *code, const char *text)
{
	add_failure(match, kind, code, text)->is_always = true;
}

void fake_call_hang(const struct fake_match *match)
{
	struct rule *rule = add_rule(match);
	rule->is_hang = true;
	rule->is_always = true;
}

void fake_call_fail_at(size_t n, enum err_kind kind, const char *code)
{
	fake.fail_at = n;
	fake.fails_on = false;
	fake.fail_err = (struct err)ERR_INIT;
	if (n == 0)
		return;
	fake.failed = NULL;
	err_set(&fake.fail_err, kind, "failed on purpose");
	err_set_code(&fake.fail_err, code != NULL ? code : "");
}

void fake_call_fail_from(size_t n, enum err_kind kind, const char *code)
{
	fake_call_fail_at(n, kind, code);
	fake.fails_on = true;
}

const struct fake_record *fake_call_failed(void)
{
	return fake.failed;
}

void fake_call_set_answerer(fake_call_answer_fn *answer, void *arg)
{
	fake.answer = answer;
	fake.answer_arg = arg;
}

void fake_call_set_manual(bool is_manual)
{
	fake.is_manual = is_manual;
}

static bool text_matches(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

static struct rule *find_rule(const struct fake_record *record)
{
	for (size_t i = 0; i < fake.rules; i++) {
		struct rule *rule = &fake.rule[i];
		if (rule->is_used || !text_matches(rule->account, record->account) ||
			!text_matches(rule->operation, record->operation) ||
			!text_matches(rule->region, record->region))
			continue;
		if (rule->body_part != NULL && strstr(record->body, rule->body_part) == NULL)
			continue;
		rule->is_used = !rule->is_always;
		return rule;
	}
	return NULL;
}

static void unlink_call(struct aws_call *call)
{
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		fake.first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	else
		fake.last = call->previous;
}

/* As call.c tells it of an is_once request: what is no certain refusal, and was sent, is lost. */
static bool is_lost(const struct fake_record *record, const struct err *err)
{
	bool was_sent = strcmp(err->code, "connect") != 0 && strcmp(err->code, "breaker") != 0;
	bool is_uncertain = err->kind == ERR_UNREACHABLE || err->kind == ERR_TIMEOUT ||
			    err->kind == ERR_SERVICE || err->kind == ERR_PROTOCOL ||
			    err->kind == ERR_LIMIT;
	return record->is_once && was_sent && is_uncertain;
}

/* Ends the call; it is freed before its owner hears of it. */
static void finish(struct aws_call *call, const char *body, const struct err *call_err)
{
	struct fake_record *record = fake.record[call->number];
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	struct aws_reply reply = {.json = NULL};
	int rc = call_err != NULL ? -1 : 0;
	if (rc == 0 && !call->is_ready)
		rc = aws_reply_read(
			call->protocol, body, strlen(body), call->expects, &reply, &err);
	if (rc != 0 && is_lost(record, &err))
		err_set_code(&err, AWS_ANSWER_LOST);
	record->outcome = rc == 0 ? FAKE_ANSWERED : FAKE_FAILED;
	call->client->aws->failures += rc != 0;
	aws_call_done_fn *done = call->done;
	aws_ready_done_fn *ready_done = call->ready_done;
	void *arg = call->arg;
	unlink_call(call);
	free(call);
	if (ready_done != NULL)
		ready_done(arg, rc != 0 ? &err : NULL);
	else
		done(arg, rc == 0 ? &reply : NULL, rc != 0 ? &err : NULL);
	aws_reply_clear(&reply);
}

static void answer(struct aws_call *call)
{
	const struct fake_record *record = fake.record[call->number];
	struct err err = ERR_INIT;
	if (fake.fail_at > 0 && --fake.fail_at == 0) {
		err = fake.fail_err;
		fake.fail_at = fake.fails_on;
		if (fake.failed == NULL)
			fake.failed = record;
		finish(call, NULL, &err);
		return;
	}
	char *body = NULL;
	if (fake.answer != NULL && fake.answer(fake.answer_arg, record, &body, &err)) {
		finish(call, body, body == NULL && err.kind != ERR_NONE ? &err : NULL);
		free(body);
		return;
	}
	struct rule *rule = find_rule(record);
	if (rule != NULL && rule->is_hang) {
		call->is_hanging = true; /* only a cancel ends it */
		return;
	}
	if (rule != NULL) {
		err = rule->err;
		body = xstrdup(rule->body);
		finish(call, body, body == NULL ? &err : NULL);
		free(body);
		return;
	}
	if (call->is_ready) {
		finish(call, NULL, NULL);
		return;
	}
	fake.unexpected++;
	err_set(&err, ERR_SYSTEM, "fake_call: no answer for %s in %s of %s: %s", record->operation,
		record->region, record->account, record->body);
	fprintf(stderr, "%s\n", err.text);
	finish(call, NULL, &err);
}

static void on_turn(void *arg)
{
	struct aws_call *call = arg;
	call->timer = NULL;
	answer(call);
}

bool fake_call_deliver(void)
{
	struct aws_call *call = fake.first;
	while (call != NULL && call->is_hanging)
		call = call->next;
	if (call == NULL)
		return false;
	answer(call);
	return true;
}

size_t fake_call_pending(void)
{
	size_t count = 0;
	for (const struct aws_call *call = fake.first; call != NULL; call = call->next)
		count++;
	return count;
}

static struct aws_call *start(struct aws_client *client, const char *operation, const char *region,
	const char *body, size_t body_len, void *arg)
{
	struct fake_record *record = xcalloc(1, sizeof(*record));
	*record = (struct fake_record){.account = xstrdup(client->account_id),
		.operation = xstrdup(operation),
		.region = xstrdup(region),
		.body = xstrndup(body, body_len),
		.role_arn = xstrdup(client->role_arn),
		.outcome = FAKE_PENDING};
	fake.record =
		xgrow(fake.record, &fake.records_capacity, fake.records, sizeof(*fake.record));
	fake.record[fake.records] = record;
	struct aws_call *call = xcalloc(1, sizeof(*call));
	*call = (struct aws_call){
		.client = client, .number = fake.records++, .arg = arg, .previous = fake.last};
	if (fake.last != NULL)
		fake.last->next = call;
	else
		fake.first = call;
	fake.last = call;
	if (!fake.is_manual)
		call->timer = loop_timer_start(client->aws->loop, 0, on_turn, call);
	client->aws->calls++;
	return call;
}

struct aws_call *aws_call_start(struct aws_client *client, const struct aws_request *request,
	aws_call_done_fn *done, void *arg)
{
	struct aws_call *call = start(
		client, request->operation, request->region, request->body, request->body_len, arg);
	call->protocol = aws_service_info(request->service)->protocol;
	call->expects = request->expects;
	struct fake_record *record = fake.record[call->number];
	record->is_secret = request->is_secret;
	record->is_body_secret = request->is_body_secret;
	record->per_second = request->rate.per_second;
	record->is_once = request->is_once;
	call->done = done;
	return call;
}

void aws_call_cancel(struct aws_call *call)
{
	if (call == NULL)
		return;
	fake.record[call->number]->outcome = FAKE_CANCELLED;
	fake.cancelled++;
	loop_timer_cancel(call->timer);
	unlink_call(call);
	free(call);
}

struct aws_ready *aws_client_ready_start(
	struct aws_client *client, aws_ready_done_fn *done, void *arg)
{
	struct aws_call *call = start(client, "ready", "", "", 0, arg);
	call->is_ready = true;
	call->ready_done = done;
	return (struct aws_ready *)call;
}

void aws_client_ready_cancel(struct aws_ready *ready)
{
	aws_call_cancel((struct aws_call *)ready);
}

size_t fake_call_count(void)
{
	return fake.records;
}

const struct fake_record *fake_call_record(size_t i)
{
	if (i >= fake.records)
		abort();
	return fake.record[i];
}

size_t fake_call_count_of(const char *operation)
{
	size_t count = 0;
	for (size_t i = 0; i < fake.records; i++)
		count += strcmp(fake.record[i]->operation, operation) == 0;
	return count;
}

size_t fake_call_cancelled(void)
{
	return fake.cancelled;
}

size_t fake_call_unexpected(void)
{
	return fake.unexpected;
}

size_t fake_clients_alive(void)
{
	return fake.clients;
}

/* --- the rest of aws/client.h ------------------------------------------------------------------ */

struct aws *aws_new(struct loop *loop, struct http *http, const char *user_agent)
{
	(void)http;
	(void)user_agent;
	struct aws *aws = xcalloc(1, sizeof(*aws));
	aws->loop = loop;
	return aws;
}

void aws_free(struct aws *aws)
{
	free(aws);
}

void aws_get_stats(const struct aws *aws, struct aws_stats *ret_stats)
{
	*ret_stats = (struct aws_stats){.calls = aws->calls,
		.attempts = aws->calls,
		.failures = aws->failures,
		.date_s = fake.date_s,
		.dated_mono_ms = fake.dated_mono_ms};
}

void aws_rest(struct aws *aws)
{
	(void)aws; /* paces nobody */
}

void aws_count_into(struct aws *aws, struct aws_usage *usage)
{
	(void)aws; /* counts for nobody */
	(void)usage;
}

int64_t aws_now_s(const struct aws *aws)
{
	(void)aws;
	return clock_now_s();
}

int64_t aws_client_now_s(const struct aws_client *client)
{
	(void)client;
	return clock_now_s() + fake.clock_offset_s;
}

static struct aws_client *client_new(struct aws *aws, const char *account_id, const char *role_arn)
{
	struct aws_client *client = xcalloc(1, sizeof(*client));
	client->aws = aws;
	client->role_arn = xstrdup(role_arn);
	aws_client_set_account(client, account_id);
	fake.clients++;
	return client;
}

struct aws_client *aws_client_new(struct aws *aws, const struct aws_network *network,
	const char *account_id, struct cred_source *source)
{
	(void)network;
	(void)source;
	return client_new(aws, account_id, "");
}

struct aws_client *aws_client_assume(struct aws_client *hub, const struct aws_role *role)
{
	return client_new(hub->aws, role->account_id, role->role_arn);
}

struct aws_client *aws_client_with_patience(struct aws_client *of, int patience_ms)
{
	(void)patience_ms;
	return client_new(of->aws, of->account_id, of->role_arn);
}

void aws_client_free(struct aws_client *client)
{
	if (client == NULL)
		return;
	for (const struct aws_call *call = fake.first; call != NULL; call = call->next) {
		if (call->client == client) {
			fprintf(stderr, "aws_client_free: a call of it is still pending\n");
			abort();
		}
	}
	fake.clients--;
	free(client->role_arn);
	free(client);
}

void aws_client_set_account(struct aws_client *client, const char *account_id)
{
	snprintf(client->account_id, sizeof(client->account_id), "%s", account_id);
}

const char *aws_client_account(const struct aws_client *client)
{
	return client->account_id;
}
