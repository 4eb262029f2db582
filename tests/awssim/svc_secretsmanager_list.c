/* Secrets Manager: tags, DescribeSecret, DeleteSecret, RestoreSecret, ListSecrets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/awssim/consistency.h"
#include "tests/awssim/secretsmanager.h"

enum {
	DAY_S = 86400,
	WINDOW_DAYS = 30,
	RESULTS_DEFAULT = 100,
	RESULTS_MAX = 100,
	FILTERS_MAX = 10,
	TAG_KEY_MAX = 128,
	TAG_VALUE_MAX = 256,
};

static const char invalid_parameter[] = "InvalidParameterException";
static const char invalid_request[] = "InvalidRequestException";

/* --- tags */

static bool is_tag(const json_t *tag)
{
	const char *key = json_string_value(json_object_get(tag, "Key"));
	const json_t *value = json_object_get(tag, "Value");
	return key != NULL && key[0] != '\0' && strlen(key) <= TAG_KEY_MAX &&
	       strncmp(key, "aws:", 4) != 0 &&
	       (value == NULL || (json_is_string(value) &&
					 strlen(json_string_value(value)) <= TAG_VALUE_MAX));
}

static bool has_tag(const struct secret *secret, const char *key)
{
	for (size_t i = 0; secret != NULL && i < secret->tag_count; i++)
		if (strcmp(secret->tag[i].key, key) == 0)
			return true;
	return false;
}

bool secrets_check_tags(struct call *call, const struct secret *secret)
{
	const json_t *tags = json_object_get(call->input, "Tags");
	size_t total = secret != NULL ? secret->tag_count : 0;
	bool is_good = tags == NULL || json_is_array(tags);
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		is_good = is_good && is_tag(tag);
		if (!is_good)
			break;
		const char *key = json_string_value(json_object_get(tag, "Key"));
		for (size_t k = 0; k < i; k++)
			if (strcmp(key, json_string_value(json_object_get(
						json_array_get(tags, k), "Key"))) == 0)
				is_good = false;
		total += !has_tag(secret, key);
	}
	if (!is_good || total > SECRET_TAGS_MAX)
		secrets_fail(call, invalid_parameter,
			"Tags: at most %d, keys once and of 1 to 128 characters without aws: in front, "
			"values of at most 256.",
			SECRET_TAGS_MAX);
	return is_good && total <= SECRET_TAGS_MAX;
}

void secrets_take_tags(struct call *call, struct secret *secret)
{
	const json_t *tags = json_object_get(call->input, "Tags");
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		const char *value = json_string_value(json_object_get(tag, "Value"));
		if (!secret_tag_set(secret, json_string_value(json_object_get(tag, "Key")),
			    value != NULL ? value : ""))
			abort(); /* counted before */
	}
}

void secretsmanager_tag_resource(struct call *call)
{
	struct secret *secret = secrets_named(call, "secretsmanager:TagResource", SECRETS_WRITE);
	if (secret != NULL && secrets_check_tags(call, secret))
		secrets_take_tags(call, secret);
}

void secretsmanager_untag_resource(struct call *call)
{
	struct secret *secret = secrets_named(call, "secretsmanager:UntagResource", SECRETS_WRITE);
	const json_t *keys = json_object_get(call->input, "TagKeys");
	if (secret == NULL)
		return;
	for (size_t i = 0; i < json_array_size(keys); i++)
		if (json_is_string(json_array_get(keys, i)))
			secret_tag_remove(secret, json_string_value(json_array_get(keys, i)));
}

/* --- one secret */

static void add_time(struct out *out, const char *key, int64_t time_s)
{
	if (time_s == 0)
		return;
	json_key(out, key);
	out_fmt(out, "%lld.%03u", (long long)time_s, (unsigned)(time_s % 1000));
}

/* The members that Describe and List share; the map of versions is named differently. */
static void add_secret(struct out *out, const struct secret *secret, const char *versions)
{
	json_member(out, "ARN", secret->arn);
	json_member(out, "Name", secret->name);
	if (secret->description != NULL)
		json_member(out, "Description", secret->description);
	if (secret->kms_key != NULL)
		json_member(out, "KmsKeyId", secret->kms_key);
	add_time(out, "CreatedDate", secret->created_s);
	add_time(out, "LastChangedDate", secret->changed_s);
	add_time(out, "DeletedDate", secret->deleted_s);
	json_key(out, "Tags");
	json_open(out, '[');
	for (size_t i = 0; i < secret->tag_count; i++) {
		json_open(out, '{');
		json_member(out, "Key", secret->tag[i].key);
		json_member(out, "Value", secret->tag[i].value);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_key(out, versions);
	json_open(out, '{');
	for (size_t i = 0; i < secret->version_count; i++) {
		json_key(out, secret->version[i].id);
		json_open(out, '[');
		for (size_t k = 0; k < secret->version[i].stages.count; k++)
			json_text(out, secret->version[i].stages.item[k]);
		json_close(out, ']');
	}
	json_close(out, '}');
}

void secretsmanager_describe_secret(struct call *call)
{
	const struct secret *secret =
		secrets_named(call, "secretsmanager:DescribeSecret", SECRETS_ANY);
	if (secret == NULL)
		return;
	json_open(&call->reply->body, '{');
	add_secret(&call->reply->body, secret, "VersionIdsToStages");
	json_close(&call->reply->body, '}');
}

static void answer_deletion(
	struct call *call, const char *arn, const char *name, int64_t deletion_s)
{
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_member(body, "ARN", arn);
	json_member(body, "Name", name);
	add_time(body, "DeletionDate", deletion_s);
	json_close(body, '}');
}

/* A forced deletion of what is not there succeeds. */
static bool is_nothing_to_force(struct call *call)
{
	struct sim *sim = call->sim;
	const char *id = json_string_value(json_object_get(call->input, "SecretId"));
	secrets_expire(&sim->secrets, call->now_s, sim_mono_ms());
	if (id == NULL || strncmp(id, "arn:", 4) == 0 ||
		secrets_find(&sim->secrets, call->who->account, (size_t)call->region, id) != NULL ||
		!secrets_may(call, "secretsmanager:DeleteSecret", id))
		return false;
	struct out arn = {0};
	out_fmt(&arn, "arn:%s:secretsmanager:%s:%s:secret:%s-AAAAAA", sim->world->partition->id,
		call->region_name, sim->world->account[call->who->account].id, id);
	answer_deletion(call, arn.data, id, call->now_s);
	out_clear(&arn);
	return true;
}

void secretsmanager_delete_secret(struct call *call)
{
	const json_t *days = json_object_get(call->input, "RecoveryWindowInDays");
	bool is_forced = json_is_true(json_object_get(call->input, "ForceDeleteWithoutRecovery"));
	int64_t window = days != NULL ? json_integer_value(days) : WINDOW_DAYS;
	if (is_forced && days != NULL) {
		secrets_fail(call, invalid_parameter,
			"You can't use ForceDeleteWithoutRecovery in conjunction with "
			"RecoveryWindowInDays.");
		return;
	}
	if (window < 7 || window > 30) {
		secrets_fail(call, invalid_parameter,
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
		return;
	}
	if (is_forced && is_nothing_to_force(call))
		return;
	if (call->failed)
		return;
	struct secret *secret = secrets_named(call, "secretsmanager:DeleteSecret", SECRETS_ALL);
	if (secret == NULL)
		return;
	if (secret->deleted_s != 0 && (!is_forced || secret->is_forced)) {
		secrets_fail(call, invalid_request,
			"You tried to perform the operation on a secret that's currently marked "
			"deleted.");
		return;
	}
	secret->is_forced = is_forced;
	secret->deleted_s = call->now_s;
	secret->deletion_s = call->now_s + (is_forced ? 0 : window * DAY_S);
	secret->gone_ms = sim_mono_ms() + call->sim->secrets_settings.forced_delete_ms;
	answer_deletion(call, secret->arn, secret->name, secret->deletion_s);
}

void secretsmanager_restore_secret(struct call *call)
{
	struct secret *secret = secrets_named(call, "secretsmanager:RestoreSecret", SECRETS_ALL);
	if (secret == NULL)
		return;
	if (secret->is_forced) {
		secrets_fail(call, invalid_request, "The secret was deleted without recovery.");
		return;
	}
	secret->deleted_s = secret->deletion_s = 0;
	secrets_answer_name(call, secret, NULL);
}

/* --- the list */

static const char *const filter_keys[] = {
	"name", "description", "tag-key", "tag-value", "primary-region", "owning-service", "all"};

static bool read_filters(struct call *call)
{
	const json_t *filters = json_object_get(call->input, "Filters");
	bool is_good = filters == NULL ||
		       (json_is_array(filters) && json_array_size(filters) <= FILTERS_MAX);
	for (size_t i = 0; is_good && i < json_array_size(filters); i++) {
		const json_t *filter = json_array_get(filters, i);
		const char *key = json_string_value(json_object_get(filter, "Key"));
		const json_t *values = json_object_get(filter, "Values");
		size_t count = json_array_size(values), at = 0;
		while (at < 7 && (key == NULL || strcmp(filter_keys[at], key) != 0))
			at++;
		is_good = at < 7 && count >= 1 && count <= FILTERS_MAX;
		for (size_t k = 0; k < count; k++)
			is_good = is_good && json_is_string(json_array_get(values, k));
	}
	if (!is_good)
		secrets_fail(call, invalid_parameter,
			"Filters: at most 10, each with a known Key "
			"and 1 to 10 Values.");
	return is_good;
}

static bool starts(const char *text, const char *prefix)
{
	return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool fits_value(const struct secret *secret, const char *key, const char *value)
{
	bool is_all = strcmp(key, "all") == 0;
	if ((is_all || strcmp(key, "name") == 0) && starts(secret->name, value))
		return true;
	if ((is_all || strcmp(key, "description") == 0) && secret->description != NULL &&
		strncasecmp(secret->description, value, strlen(value)) == 0)
		return true;
	for (size_t i = 0; i < secret->tag_count; i++)
		if (((is_all || strcmp(key, "tag-key") == 0) &&
			    starts(secret->tag[i].key, value)) ||
			((is_all || strcmp(key, "tag-value") == 0) &&
				starts(secret->tag[i].value, value)))
			return true;
	return false;
}

/* Filters must all hold, of each one of its values; "!" turns a value around. */
static bool passes(const struct secret *secret, const json_t *filters)
{
	for (size_t i = 0; i < json_array_size(filters); i++) {
		const json_t *filter = json_array_get(filters, i);
		const char *key = json_string_value(json_object_get(filter, "Key"));
		const json_t *values = json_object_get(filter, "Values");
		bool any = false;
		for (size_t k = 0; k < json_array_size(values); k++) {
			const char *value = json_string_value(json_array_get(values, k));
			bool is_not = value[0] == '!';
			any = any || fits_value(secret, key, value + is_not) != is_not;
		}
		if (!any)
			return false;
	}
	return true;
}

static bool is_listed(const struct call *call, const struct secret *secret)
{
	bool with_deleted = json_is_true(json_object_get(call->input, "IncludePlannedDeletion"));
	return !secret->is_gone && secret->account == call->who->account &&
	       secret->region == (size_t)call->region && !secrets_is_late(call, secret) &&
	       (secret->deleted_s == 0 || with_deleted) &&
	       passes(secret, json_object_get(call->input, "Filters"));
}

static void write_list(struct call *call, struct page *page, int64_t wanted, bool is_descending)
{
	const struct secrets *secrets = &call->sim->secrets;
	struct out *body = &call->reply->body;
	uint64_t room = page_size(page, (uint64_t)wanted), written = 0;
	uint64_t at = page->position;
	bool more = false;
	json_open(body, '{');
	json_key(body, "SecretList");
	json_open(body, '[');
	for (; at < secrets->count; at++) {
		const struct secret *secret =
			secrets->secret[is_descending ? secrets->count - 1 - at : at];
		if (!is_listed(call, secret))
			continue;
		more = written == room;
		if (more)
			break;
		json_open(body, '{');
		add_secret(body, secret, "SecretVersionsToStages");
		json_close(body, '}');
		written++;
	}
	json_close(body, ']');
	char token[PAGE_TOKEN_MAX];
	if (page_next(page, at, more, token))
		json_member(body, "NextToken", token);
	json_close(body, '}');
}

void secretsmanager_list_secrets(struct call *call)
{
	int64_t wanted = RESULTS_DEFAULT;
	const char *given, *order;
	if (!secrets_may(call, "secretsmanager:ListSecrets", "*") ||
		!input_int(call, "MaxResults", 1, RESULTS_MAX, &wanted) ||
		!input_text(call, "NextToken", &given) || !input_text(call, "SortOrder", &order) ||
		!read_filters(call))
		return;
	secrets_expire(&call->sim->secrets, call->now_s, sim_mono_ms());
	char token[PAGE_TOKEN_MAX] = "";
	bool is_token = given == NULL || slice_copy(slice_of(given), token, sizeof(token));
	json_object_del(call->input, "NextToken");
	char *same = json_dumps(call->input, JSON_SORT_KEYS | JSON_COMPACT);
	uint64_t belongs = hash_bytes(
		same, strlen(same), call->who->account * REGIONS_MAX + (uint64_t)call->region);
	free(same);
	struct page page;
	if (!is_token || !page_open(&page, call, given != NULL ? token : NULL, belongs)) {
		secrets_fail(call, "InvalidNextTokenException", "The NextToken value is invalid.");
		return;
	}
	write_list(call, &page, wanted, order != NULL && strcmp(order, "desc") == 0);
}
