/* STS: AssumeRole and GetCallerIdentity (Query protocol, 2011-06-15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/service.h"

enum {
	DURATION_MIN_S = 900,
	DURATION_MAX_S = 43200,
	DURATION_DEFAULT_S = 3600,
	CHAINED_MAX_S = 3600, /* role chaining */
	TEXT_MAX = 1300,
};

static const char xmlns[] = "https://sts.amazonaws.com/doc/2011-06-15/";

static void member(struct out *out, const char *name, const char *value)
{
	out_fmt(out, "<%s>", name);
	out_xml(out, value);
	out_fmt(out, "</%s>\n", name);
}

static void finish(struct call *call, const char *operation)
{
	out_fmt(&call->reply->body,
		"  <ResponseMetadata>\n    <RequestId>%s</RequestId>\n  </ResponseMetadata>\n"
		"</%sResponse>\n",
		call->request_id, operation);
}

void sts_get_caller_identity(struct call *call)
{
	const struct world *world = call->sim->world;
	struct out *body = &call->reply->body, arn = {0}, user = {0};
	creds_arn(world, call->who, &arn);
	creds_user_id(world, call->who, &user);
	out_fmt(body, "<GetCallerIdentityResponse xmlns=\"%s\">\n  <GetCallerIdentityResult>\n",
		xmlns);
	member(body, "Arn", arn.data);
	member(body, "UserId", user.data);
	member(body, "Account", world->account[call->who->account].id);
	out_text(body, "  </GetCallerIdentityResult>\n");
	finish(call, "GetCallerIdentity");
	out_clear(&arn);
	out_clear(&user);
}

/* A text of min to max characters from [\w+=,.@-] and extra. */
static bool check_text(struct call *call, const char *name, const char *text, size_t min,
	size_t max, const char *extra)
{
	static const char word[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-";
	size_t len = strlen(text), at = 0;
	while (at < len && (strchr(word, text[at]) != NULL || strchr(extra, text[at]) != NULL))
		at++;
	if (len >= min && len <= max && at == len)
		return true;
	call_fail_common(call, ERROR_INVALID,
		"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member "
		"must have length between %zu and %zu and satisfy regular expression pattern: "
		"[\\w+=,.@%s-]*",
		text, name, min, max, extra);
	return false;
}

static bool read_duration(struct call *call, int64_t *ret_seconds)
{
	char text[16], *end;
	*ret_seconds = DURATION_DEFAULT_S;
	if (form_value(call->form, "DurationSeconds").ptr == NULL)
		return true;
	bool is_text = form_text(call, "DurationSeconds", text, sizeof(text));
	long seconds = is_text ? strtol(text, &end, 10) : 0;
	if (!is_text || *end != '\0' || seconds < DURATION_MIN_S || seconds > DURATION_MAX_S) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value at 'durationSeconds' failed to satisfy "
			"constraint: Member must have value between %d and %d",
			DURATION_MIN_S, DURATION_MAX_S);
		return false;
	}
	if (seconds > call->sim->options.max_session_seconds) {
		call_fail_common(call, ERROR_INVALID,
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
		return false;
	}
	if (call->who->token != NULL && seconds > CHAINED_MAX_S) {
		call_fail_common(call, ERROR_INVALID,
			"The requested DurationSeconds exceeds the 1 hour session limit for roles "
			"assumed by role chaining.");
		return false;
	}
	*ret_seconds = seconds;
	return true;
}

/*
 * Who may assume the role: the hub and the management account (its keys or its role). What is
 * missing, not trusted or asked for with a wrong external id looks the same from outside.
 */
static bool may_assume(const struct call *call, const char *role_arn, size_t *ret_account,
	enum principal_kind *ret_kind)
{
	const struct world *world = call->sim->world;
	char prefix[64];
	int len = snprintf(prefix, sizeof(prefix), "arn:%s:iam::", world->partition->id);
	if (strncmp(role_arn, prefix, (size_t)len) != 0 || strlen(role_arn) < (size_t)len + 19)
		return false;
	const char *id = role_arn + len, *resource = id + ACCOUNT_ID_LEN;
	int index = world_find_account(world, (struct slice){id, ACCOUNT_ID_LEN});
	if (index < 0 || strncmp(resource, ":role/", 6) != 0)
		return false;
	const char *role = resource + 6, *external = world->options->external_id;
	const struct account *account = &world->account[index];
	*ret_account = (size_t)index;
	if (account->state != ACTIVE || call->who->kind == PRINCIPAL_ROLE)
		return false;
	if ((size_t)index == world->management &&
		strcmp(role, world->options->management_role) == 0) {
		*ret_kind = PRINCIPAL_MANAGEMENT;
		return true;
	}
	*ret_kind = PRINCIPAL_ROLE;
	bool exists = !account->role_missing &&
		      ((size_t)index != world->management || world->options->management_has_role);
	if (!exists || account->trust_refuses || strcmp(role, world->options->role_name) != 0)
		return false;
	char given[TEXT_MAX];
	bool has_external = form_text(call, "ExternalId", given, sizeof(given));
	return external == NULL || (has_external && strcmp(given, external) == 0);
}

static void write_session(struct call *call, const struct credential *session)
{
	struct out *body = &call->reply->body, arn = {0}, user = {0};
	char ends[TIME_TEXT_MAX], source[65];
	time_format_rfc3339(session->expires_s, ends);
	creds_arn(call->sim->world, session, &arn);
	creds_user_id(call->sim->world, session, &user);
	out_fmt(body, "<AssumeRoleResponse xmlns=\"%s\">\n  <AssumeRoleResult>\n", xmlns);
	if (form_text(call, "SourceIdentity", source, sizeof(source)))
		member(body, "SourceIdentity", source);
	out_text(body, "    <AssumedRoleUser>\n");
	member(body, "AssumedRoleId", user.data);
	member(body, "Arn", arn.data);
	out_text(body, "    </AssumedRoleUser>\n    <Credentials>\n");
	member(body, "AccessKeyId", session->access_key);
	member(body, "SecretAccessKey", session->secret);
	member(body, "SessionToken", session->token);
	member(body, "Expiration", ends);
	out_text(body, "    </Credentials>\n    <PackedPolicySize>6</PackedPolicySize>\n"
		       "    <SessionTokenUtilization>17</SessionTokenUtilization>\n"
		       "  </AssumeRoleResult>\n");
	finish(call, "AssumeRole");
	out_clear(&arn);
	out_clear(&user);
}

void sts_assume_role(struct call *call)
{
	const struct world *world = call->sim->world;
	char role_arn[2049], name[128], external[TEXT_MAX];
	int64_t seconds;
	if (!form_text(call, "RoleArn", role_arn, sizeof(role_arn)) || strlen(role_arn) < 20) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value at 'roleArn' failed to satisfy constraint: "
			"Member must have length greater than or equal to 20");
		return;
	}
	if (!form_text(call, "RoleSessionName", name, sizeof(name)))
		name[0] = '\0';
	if (!check_text(call, "roleSessionName", name, 2, 64, ""))
		return;
	if (form_value(call->form, "ExternalId").ptr != NULL &&
		(!form_text(call, "ExternalId", external, sizeof(external)) ||
			!check_text(call, "externalId", external, 2, 1224, ":/")))
		return;
	if (!read_duration(call, &seconds))
		return;
	size_t account = 0;
	enum principal_kind kind = PRINCIPAL_ROLE;
	if (!may_assume(call, role_arn, &account, &kind)) {
		call_deny_identity(call, "sts:AssumeRole", role_arn);
		return;
	}
	if (call->region >= 0 &&
		!account_region_enabled(&world->account[account], (size_t)call->region)) {
		call_fail(call, 403, "RegionDisabledException",
			"STS is not activated in this region for account:%s. Your account administrator "
			"can activate STS in this region using the IAM Console.",
			world->account[account].id);
		return;
	}
	if (call->sim->options.session_seconds > 0)
		seconds = call->sim->options.session_seconds;
	const struct credential *session = creds_issue(call->sim->creds, kind, account, name,
		call->now_s + seconds, call->is_global_sts, call->now_s);
	write_session(call, session);
}
