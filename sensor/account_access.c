#include "sensor/account_access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/config.h"

enum {
	SESSION_S = 3600, /* the longest that a role assumed by a role may last */
	ROLE_ARN_MAX = 256,
};

enum state { WAIT_IDENTITY, WAIT_SESSION, OPEN };
static const char *const state_name[] = {"WAIT_IDENTITY", "WAIT_SESSION", "OPEN"};

struct account_access {
	enum state state;
	struct account_access_options options;
	char account_id[13], partition[16];
	struct aws_call *call;	    /* owned; only in WAIT_IDENTITY */
	struct aws_ready *ready;    /* owned; only in WAIT_SESSION */
	struct aws_client *session; /* owned; NULL: the hub's own account */
	account_access_done_fn *done;
	void *arg;
};

static void on_session(void *arg, const struct err *err);

static void assume_role(struct account_access *access)
{
	const struct account_access_options *options = &access->options;
	char role_arn[ROLE_ARN_MAX];
	(void)snprintf(role_arn, sizeof(role_arn), "arn:%s:iam::%s:role/%s", access->partition,
		access->account_id, options->config->role_name);
	access->state = WAIT_SESSION;
	access->session =
		aws_client_assume(options->hub, &(struct aws_role){.account_id = access->account_id,
							.role_arn = role_arn,
							.session_name = options->session_name,
							.external_id = options->config->external_id,
							.sts_region = options->config->region,
							.duration_s = SESSION_S});
	access->ready = aws_client_ready_start(access->session, on_session, access);
}

/* Takes in the identity: what to wait for next. 0, or -1 and err. */
static int take_identity(
	struct account_access *access, const struct aws_reply *reply, struct err *err)
{
	struct sts_identity identity;
	if (sts_get_caller_identity_take(reply, &identity, err) != 0)
		return -1;
	(void)text_copy(access->partition, sizeof(access->partition), identity.partition);
	aws_client_set_account(access->options.hub, identity.account_id);
	if (strcmp(identity.account_id, access->account_id) == 0)
		access->state = OPEN;
	else
		assume_role(access);
	return 0;
}

static void go_on(struct account_access *access, int rc, struct err *err)
{
	log_debug("account_access %s state=%s rc=%d", access->account_id, state_name[access->state],
		rc);
	if (rc == 0 && access->state != OPEN)
		return;
	if (rc != 0)
		(void)err_wrap(err, "account %s", access->account_id);
	access->done(access->arg, rc != 0 ? err : NULL);
}

static void on_session(void *arg, const struct err *session_err)
{
	struct account_access *access = arg;
	struct err err = session_err != NULL ? *session_err : (struct err)ERR_INIT;
	access->ready = NULL;
	if (session_err == NULL)
		access->state = OPEN;
	go_on(access, session_err != NULL ? -1 : 0, &err);
}

static void on_identity(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct account_access *access = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	access->call = NULL;
	int rc = call_err != NULL ? -1 : take_identity(access, reply, &err);
	go_on(access, rc, &err);
}

struct account_access *account_access_start(
	const struct account_access_options *options, account_access_done_fn *done, void *arg)
{
	struct account_access *access = xcalloc(1, sizeof(*access));
	access->options = *options;
	(void)text_copy(access->account_id, sizeof(access->account_id), options->account_id);
	access->done = done;
	access->arg = arg;
	access->call = sts_get_caller_identity_start(
		options->hub, options->config->region, on_identity, access);
	return access;
}

void account_access_end(struct account_access *access)
{
	if (access == NULL)
		return;
	aws_call_cancel(access->call);
	aws_client_ready_cancel(access->ready);
	aws_client_free(access->session); /* wipes it */
	free(access);
}

struct aws_client *account_access_client(struct account_access *access)
{
	return access->session != NULL ? access->session : access->options.hub;
}

const char *account_access_partition(const struct account_access *access)
{
	return access->partition;
}
