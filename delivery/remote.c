/*
 * What ACM holds under an ARN.
 *
 *   start -> WAIT_DETAIL -> WAIT_PEM -> WAIT_TAGS -> DONE
 *                 |             |           |         ^
 *                 +-------------+-----------+---------+ no such certificate, or any error
 */
#include "delivery/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum state { WAIT_DETAIL, WAIT_PEM, WAIT_TAGS, DONE };
static const char *const state_name[] = {"WAIT_DETAIL", "WAIT_PEM", "WAIT_TAGS", "DONE"};

struct remote_read {
	enum state state;
	struct aws_client *client; /* borrowed */
	char *region, *arn;	   /* owned */
	struct aws_call *call;	   /* owned until it answers */
	struct remote_state remote;
	remote_done_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);

void remote_state_clear(struct remote_state *state)
{
	acm_detail_clear(&state->detail);
	acm_pem_clear(&state->pem);
	acm_tag_list_clear(&state->tags);
	x509_facts_clear(&state->facts);
	*state = (struct remote_state){.exists = false};
}

static void destroy(struct remote_read *read)
{
	aws_call_cancel(read->call);
	remote_state_clear(&read->remote);
	free(read->region);
	free(read->arn);
	free(read);
}

static int take_detail(struct remote_read *read, const struct aws_reply *reply, struct err *err)
{
	struct acm_detail detail;
	if (acm_describe_certificate_take(reply, &detail, err) != 0)
		return -1;
	if (strcmp(detail.arn, read->arn) != 0) {
		err_set(err, ERR_PROTOCOL, "DescribeCertificate told of another one, %s",
			detail.arn);
		acm_detail_clear(&detail);
		return -1;
	}
	read->remote.exists = true;
	read->remote.detail = detail;
	return 0;
}

static int take_pem(struct remote_read *read, const struct aws_reply *reply, struct err *err)
{
	struct remote_state *remote = &read->remote;
	unsigned char *der = NULL;
	size_t len = 0;
	if (acm_get_certificate_take(reply, &remote->pem, err) != 0)
		return -1;
	const char *at = remote->pem.certificate;
	int rc = x509_pem_next(&at, at + strlen(at), &der, &len, err);
	if (rc == 0)
		rc = err_set(err, ERR_PROTOCOL, "no certificate in what GetCertificate gave");
	if (rc == 1)
		rc = x509_facts_from_der(der, len, &remote->facts, err);
	free(der);
	remote->has_facts = rc == 0;
	return rc;
}

/* Starts what the state waits for. */
static void ask(struct remote_read *read, enum state state)
{
	read->state = state;
	switch (state) {
	case WAIT_DETAIL:
		read->call = acm_describe_certificate_start(
			read->client, read->region, read->arn, on_reply, read);
		return;
	case WAIT_PEM:
		read->call = acm_get_certificate_start(
			read->client, read->region, read->arn, on_reply, read);
		return;
	case WAIT_TAGS:
		read->call =
			acm_list_tags_start(read->client, read->region, read->arn, on_reply, read);
		return;
	case DONE:
		return;
	}
}

static int step(struct remote_read *read, const struct aws_reply *reply, struct err *err)
{
	switch (read->state) {
	case WAIT_DETAIL:
		if (take_detail(read, reply, err) != 0)
			return -1;
		ask(read, WAIT_PEM);
		return 0;
	case WAIT_PEM:
		if (take_pem(read, reply, err) != 0)
			return -1;
		ask(read, WAIT_TAGS);
		return 0;
	case WAIT_TAGS:
		if (acm_list_tags_take(reply, &read->remote.tags, err) != 0)
			return -1;
		ask(read, DONE);
		return 0;
	case DONE:
		break;
	}
	abort(); /* an answer after the end is a bug in aws_call */
}

/* Not issued yet, or never: there is no PEM, which is an answer. */
static bool is_without_pem(const struct remote_read *read, const struct err *err)
{
	return read->state == WAIT_PEM && err->kind == ERR_REFUSED &&
	       (strcmp(err->code, "RequestInProgressException") == 0 ||
		       strcmp(read->remote.detail.status, "ISSUED") != 0);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct remote_read *read = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	enum state was = read->state;
	read->call = NULL;
	if (call_err != NULL && is_without_pem(read, call_err)) {
		ask(read, WAIT_TAGS);
		return;
	}
	int rc = call_err != NULL ? -1 : step(read, reply, &err);
	if (call_err != NULL && call_err->kind == ERR_NOT_FOUND) {
		remote_state_clear(&read->remote); /* gone between two calls, or before */
		read->state = DONE;
		rc = 0;
	}
	log_debug("remote %s state=%s rc=%d", read->arn, state_name[was], rc);
	if (rc == 0 && read->state != DONE)
		return;
	read->done(read->arg, rc == 0 ? &read->remote : NULL, rc != 0 ? &err : NULL);
	destroy(read);
}

struct remote_read *remote_read_start(struct aws_client *client, const char *region,
	const char *arn, remote_done_fn *done, void *arg)
{
	struct remote_read *read = xcalloc(1, sizeof(*read));
	read->client = client;
	read->region = xstrdup(region);
	read->arn = xstrdup(arn);
	read->done = done;
	read->arg = arg;
	ask(read, WAIT_DETAIL);
	return read;
}

void remote_read_cancel(struct remote_read *read)
{
	if (read != NULL)
		destroy(read);
}
