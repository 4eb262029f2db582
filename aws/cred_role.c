/*
 * Credentials of a role: STS AssumeRole, called with the hub's identity at the regional endpoint of
 * the home region (tokens of the global one do not work in opt-in regions).
 * source: STS 2011-06-15 AssumeRole (facts.md 4.1)
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/arn.h"
#include "aws/client_internal.h"
#include "aws/cred_internal.h"
#include "aws/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/xml_read.h"

enum {
	SESSION_NAME_MIN = 2,
	SESSION_NAME_MAX = 64,
	EXTERNAL_ID_MIN = 2,
	EXTERNAL_ID_MAX = 1224,
	DURATION_MIN_S = 900,
	DURATION_MAX_S = 43200,
	DURATION_CHAINED_MAX_S = 3600, /* when the hub is itself a role's session */
	BODY_MAX = 16384,	       /* all of the above, percent-encoded */
	REPLY_MAX = 2 * SECRET_MAX,    /* a token, and the rest */
	ACCESS_KEY_ID_MIN = 16,
};

/* Quota 600/s an account and region, for all of STS (facts.md 4.4). */
static const double assume_role_per_second = 600;

struct role_provider {
	struct cred_provider provider;
	struct aws_client *hub; /* borrowed; outlives the source */
	char *role_arn, *session_name, *external_id, *sts_region; /* owned */
	char *description;					  /* owned; "role arn:..." */
	int32_t duration_s;
	struct err invalid;	  /* ERR_NONE: the parameters are fine */
	struct aws_call *call;	  /* owned until it answers */
	struct loop_timer *timer; /* owned; tells of invalid parameters */
	cred_done_fn *done;
	void *arg;
};

/* --- parameters ------------------------------------------------------------------------------- */

#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static bool is_made_of(const char *text, const char *allowed, size_t min, size_t max)
{
	size_t len = strlen(text);
	return len >= min && len <= max && strspn(text, allowed) == len;
}

static int check(const struct role_provider *of, const char *account_id, struct err *err)
{
	struct arn arn;
	if (!arn_parse(of->role_arn, &arn) || strcmp(arn.service, "iam") != 0 ||
		!text_has_prefix(arn.resource, "role/") || arn.account_id[0] == '\0')
		return err_set(err, ERR_CONFIG,
			"\"%s\" is no role's ARN (arn:PARTITION:iam::ACCOUNT:role/NAME)",
			of->role_arn);
	if (strcmp(arn.account_id, account_id) != 0)
		return err_set(err, ERR_CONFIG, "%s is not a role of account %s", of->role_arn,
			account_id);
	if (!is_made_of(of->session_name, WORD "+=,.@-", SESSION_NAME_MIN, SESSION_NAME_MAX))
		return err_set(err, ERR_CONFIG,
			"role session name \"%s\": AWS takes %d to %d of A-Z a-z 0-9 _+=,.@-",
			of->session_name, SESSION_NAME_MIN, SESSION_NAME_MAX);
	if (of->external_id[0] != '\0' &&
		!is_made_of(of->external_id, WORD "+=,.@:/-", EXTERNAL_ID_MIN, EXTERNAL_ID_MAX))
		return err_set(err, ERR_CONFIG,
			"external ID: AWS takes %d to %d of A-Z a-z 0-9 _+=,.@:/-", EXTERNAL_ID_MIN,
			EXTERNAL_ID_MAX);
	if (of->duration_s < DURATION_MIN_S || of->duration_s > DURATION_MAX_S)
		return err_set(err, ERR_CONFIG, "session duration %d s: AWS takes %d to %d",
			(int)of->duration_s, DURATION_MIN_S, DURATION_MAX_S);
	return 0;
}

/* --- the answer ------------------------------------------------------------------------------- */

static const char *text_at(const struct xml_element *element, const char *path)
{
	const char *text = xml_child_text(element, path);
	return text != NULL ? text : "";
}

int cred_role_take(
	const struct aws_reply *reply, struct aws_credentials *ret_credentials, struct err *err)
{
	const struct xml_element *found = xml_child(reply->xml, "AssumeRoleResult/Credentials");
	if (found == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no credentials");
	const char *key_id = text_at(found, "AccessKeyId");
	const char *secret = text_at(found, "SecretAccessKey");
	const char *token = text_at(found, "SessionToken");
	const char *end = text_at(found, "Expiration");
	if (!is_made_of(key_id, WORD, ACCESS_KEY_ID_MIN, AWS_ACCESS_KEY_ID_MAX))
		return err_set(err, ERR_PROTOCOL, "the answer has no access key id");
	size_t secret_len = strlen(secret), token_len = strlen(token);
	if (secret_len == 0 || token_len == 0)
		return err_set(err, ERR_PROTOCOL, "the answer has no secret key or session token");
	if (secret_len > SECRET_MAX || token_len > SECRET_MAX)
		return err_set(err, ERR_LIMIT, "a session token of more than %d bytes", SECRET_MAX);
	int64_t expires_at_s;
	struct err not_time = ERR_INIT;
	if (text_parse_time(end, &expires_at_s, &not_time) != 0 || expires_at_s <= 0)
		return err_set(err, ERR_PROTOCOL, "the answer's Expiration is no time");
	(void)text_copy(ret_credentials->access_key_id, sizeof(ret_credentials->access_key_id),
		key_id); /* its length is checked */
	secret_set(&ret_credentials->secret_access_key, secret, secret_len);
	secret_set(&ret_credentials->session_token, token, token_len);
	ret_credentials->expires_at_s = expires_at_s;
	return 0;
}

/* A denial of AssumeRole says nothing of what the role may do: it has a kind of its own. Nor does
 * it tell, most of the time, what is wrong, lest strangers learn which roles exist. */
static void explain(const struct role_provider *of, struct err *err)
{
	if (strcmp(err->code, "RegionDisabledException") == 0)
		err_wrap(err, "STS is switched off for this region in the role's account");
	else if (err->kind == ERR_DENIED && strstr(err->text, " because ") == NULL)
		err_wrap(err,
			"there is no such role, or it does not trust these credentials %s external id",
			of->external_id[0] != '\0' ? "with this" : "without an");
	if (err->kind == ERR_DENIED)
		err->kind = ERR_ROLE;
}

/* --- the provider ----------------------------------------------------------------------------- */

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct role_provider *of = arg;
	of->call = NULL;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	struct aws_credentials credentials = AWS_CREDENTIALS_INIT;
	int rc = call_err != NULL ? -1 : cred_role_take(reply, &credentials, &err);
	if (rc != 0) {
		explain(of, &err);
		err_wrap(&err, "%s", of->description);
	}
	of->done(of->arg, rc == 0 ? &credentials : NULL, rc != 0 ? &err : NULL);
	aws_credentials_clear(&credentials);
}

static void on_invalid(void *arg)
{
	struct role_provider *of = arg;
	of->timer = NULL;
	of->done(of->arg, NULL, &of->invalid);
}

static void start(struct cred_provider *provider, cred_done_fn *done, void *arg)
{
	struct role_provider *of = (struct role_provider *)provider;
	of->done = done;
	of->arg = arg;
	if (of->invalid.kind != ERR_NONE) {
		of->timer = loop_timer_start(of->hub->aws->loop, 0, on_invalid, of);
		return;
	}
	bool is_chained = of->hub->role_source != NULL;
	int duration_s = is_chained && of->duration_s > DURATION_CHAINED_MAX_S
				 ? DURATION_CHAINED_MAX_S
				 : of->duration_s;
	struct buf body;
	buf_init(&body, BODY_MAX);
	query_begin(&body, AWS_STS, "AssumeRole");
	query_add(&body, "RoleArn", of->role_arn);
	query_add(&body, "RoleSessionName", of->session_name);
	buf_addf(&body, "&DurationSeconds=%d", duration_s);
	if (of->external_id[0] != '\0')
		query_add(&body, "ExternalId", of->external_id);
	assert(!body.is_over); /* check() bounds every value */
	struct aws_request request = {
		.service = AWS_STS,
		.operation = "AssumeRole",
		.region = of->sts_region,
		.path = "/",
		.body = buf_text(&body),
		.body_len = body.len,
		.rate.per_second = assume_role_per_second,
		.reply_max_bytes = REPLY_MAX,
		.expects = "AssumeRoleResult/Credentials",
		.is_secret = true,
	};
	of->call = aws_call_start(of->hub, &request, on_reply, of);
	buf_clear(&body);
}

static void cancel(struct cred_provider *provider)
{
	struct role_provider *of = (struct role_provider *)provider;
	aws_call_cancel(of->call);
	loop_timer_cancel(of->timer);
	of->call = NULL;
	of->timer = NULL;
}

static void role_free(struct cred_provider *provider)
{
	struct role_provider *of = (struct role_provider *)provider;
	free(of->role_arn);
	free(of->session_name);
	free(of->external_id);
	free(of->sts_region);
	free(of->description);
	free(of);
}

static const char *name(const struct cred_provider *provider)
{
	return ((const struct role_provider *)provider)->description;
}

static const struct cred_provider_ops ops = {
	.start = start, .cancel = cancel, .free = role_free, .name = name};

struct cred_source *cred_role_new(
	struct aws *aws, struct aws_client *hub, const struct aws_role *role)
{
	struct role_provider *of = xcalloc(1, sizeof(*of));
	of->provider.ops = &ops;
	of->hub = hub;
	of->role_arn = xstrdup(role->role_arn);
	of->session_name = xstrdup(role->session_name);
	of->external_id = xstrdup(role->external_id != NULL ? role->external_id : "");
	of->sts_region = xstrdup(role->sts_region);
	of->description = xasprintf("role %s", role->role_arn);
	of->duration_s = role->duration_s;
	(void)check(of, role->account_id, &of->invalid); /* told by the first fetch */
	return cred_source_new(aws, &of->provider);
}
