/* The rules of faults.h: reading them and choosing one. */
#include "tests/awssim/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 256 };

static const char *const kind_name[FAULT_KINDS] = {"http500", "http503", "reset", "close", "stall",
	"throttle", "error", "expired_token", "dead", "refuse", "truncate", "slow", "garbage",
	"html", "html502", "empty", "big_body", "wrong_types", "xml_bomb", "duplicate_keys", "deep",
	"bad_utf8", "endless_token", "repeat_page", "latency"};

struct faults {
	struct fault_rule rule[RULES_MAX];
	size_t count;
	struct random random;
	uint64_t hits;
};

struct faults *faults_new(uint64_t seed)
{
	struct faults *faults = mem_alloc(sizeof(*faults));
	faults->random.state = seed;
	return faults;
}

void faults_free(struct faults *faults)
{
	free(faults);
}

void faults_clear(struct faults *faults)
{
	faults->count = 0;
}

void faults_seed(struct faults *faults, uint64_t seed)
{
	faults->random.state = seed;
}

static bool set_text(char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		return false;
	memcpy(to, from, strlen(from) + 1);
	return true;
}

/* One "name=value"; the first of a text rule is "kind=probability" and handled by the caller. */
static bool set_member(struct fault_rule *rule, const char *name, const char *value)
{
	if (strcmp(name, "service") == 0)
		return set_text(rule->service, sizeof(rule->service), value);
	if (strcmp(name, "operation") == 0)
		return set_text(rule->operation, sizeof(rule->operation), value);
	if (strcmp(name, "account") == 0)
		return set_text(rule->account, sizeof(rule->account), value);
	if (strcmp(name, "region") == 0)
		return set_text(rule->region, sizeof(rule->region), value);
	if (strcmp(name, "code") == 0)
		return set_text(rule->code, sizeof(rule->code), value);
	if (strcmp(name, "message") == 0)
		return set_text(rule->message, sizeof(rule->message), value);
	if (strcmp(name, "count") == 0)
		rule->left = strtoll(value, NULL, 10);
	else if (strcmp(name, "skip") == 0)
		rule->skip = strtoll(value, NULL, 10);
	else if (strcmp(name, "after") == 0)
		rule->after = strcmp(value, "1") == 0;
	else if (strcmp(name, "ms") == 0)
		rule->ms = strtoll(value, NULL, 10);
	else if (strcmp(name, "bytes") == 0)
		rule->bytes = strtoll(value, NULL, 10);
	else if (strcmp(name, "status") == 0)
		rule->status = (int)strtol(value, NULL, 10);
	else if (strcmp(name, "probability") == 0)
		rule->probability = strtod(value, NULL);
	else
		return false;
	return true;
}

static bool set_kind(struct fault_rule *rule, const char *name)
{
	static const struct fault_rule initial = {.probability = 1, .left = -1};
	*rule = initial;
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		if (strcmp(name, kind_name[kind]) == 0) {
			rule->kind = (enum fault_kind)kind;
			return true;
		}
	return false;
}

static bool add_rule(struct faults *faults, const struct fault_rule *rule, const char **ret_why)
{
	*ret_why = "probability must be between 0 and 1";
	if (!(rule->probability >= 0 && rule->probability <= 1))
		return false;
	*ret_why = "too many rules";
	if (faults->count == RULES_MAX)
		return false;
	faults->rule[faults->count++] = *rule;
	return true;
}

bool faults_add_text(struct faults *faults, const char *text, const char **ret_why)
{
	struct fault_rule rule;
	char part[300];
	bool is_first = true;
	for (const char *at = text; *at != '\0' || is_first;) {
		size_t len = strcspn(at, ",");
		*ret_why = "part too long";
		if (!slice_copy((struct slice){at, len}, part, sizeof(part)))
			return false;
		char *equals = strchr(part, '=');
		if (equals != NULL)
			*equals++ = '\0';
		*ret_why = is_first ? "unknown kind" : "unknown member or value too long";
		if (is_first) {
			if (!set_kind(&rule, part) ||
				(equals != NULL && !set_member(&rule, "probability", equals)))
				return false;
		} else if (equals == NULL || !set_member(&rule, part, equals)) {
			return false;
		}
		is_first = false;
		at += len + (at[len] == ',');
	}
	return add_rule(faults, &rule, ret_why);
}

bool faults_add_json(struct faults *faults, const json_t *object, const char **ret_why)
{
	struct fault_rule rule;
	const char *kind = json_string_value(json_object_get(object, "kind"));
	*ret_why = "unknown kind";
	if (kind == NULL || !set_kind(&rule, kind))
		return false;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		char number[40];
		const char *text = json_string_value(value);
		if (json_is_number(value)) {
			snprintf(number, sizeof(number), "%.17g", json_number_value(value));
			text = number;
		}
		if (json_is_boolean(value))
			text = json_is_true(value) ? "1" : "0";
		*ret_why = "unknown member, or neither text, number nor boolean";
		if (strcmp(name, "kind") != 0 && (text == NULL || !set_member(&rule, name, text)))
			return false;
	}
	return add_rule(faults, &rule, ret_why);
}

static bool fits(const struct fault_rule *rule, const struct fault_point *at)
{
	return rule->left != 0 &&
	       (rule->service[0] == '\0' || strcmp(rule->service, at->service) == 0) &&
	       (rule->operation[0] == '\0' || strcmp(rule->operation, at->operation) == 0) &&
	       (rule->account[0] == '\0' || strcmp(rule->account, at->account) == 0) &&
	       (rule->region[0] == '\0' || strcmp(rule->region, at->region) == 0);
}

static bool fires(struct faults *faults, struct fault_rule *rule)
{
	if (rule->skip > 0) {
		rule->skip--;
		return false;
	}
	if (rule->probability < 1 && random_fraction(&faults->random) >= rule->probability)
		return false;
	if (rule->left > 0)
		rule->left--;
	rule->hits++;
	faults->hits++;
	return true;
}

const struct fault_rule *faults_pick(
	struct faults *faults, const struct fault_point *at, bool after)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rule[i];
		if (rule->kind != FAULT_LATENCY && rule->after == after && fits(rule, at) &&
			fires(faults, rule))
			return rule;
	}
	return NULL;
}

int64_t faults_latency_ms(struct faults *faults, const struct fault_point *at)
{
	int64_t ms = 0;
	for (size_t i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rule[i];
		if (rule->kind == FAULT_LATENCY && fits(rule, at) && fires(faults, rule))
			ms += rule->ms;
	}
	return ms;
}

const struct fault_rule *faults_pick_endpoint(struct faults *faults, const struct fault_point *at)
{
	for (size_t i = 0; i < faults->count; i++) {
		struct fault_rule *rule = &faults->rule[i];
		bool is_endpoint = rule->kind == FAULT_DEAD || rule->kind == FAULT_REFUSE;
		if (is_endpoint && rule->operation[0] == '\0' && rule->account[0] == '\0' &&
			fits(rule, at) && fires(faults, rule))
			return rule;
	}
	return NULL;
}

void faults_list(const struct faults *faults, struct out *out)
{
	json_open(out, '[');
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault_rule *rule = &faults->rule[i];
		char probability[32];
		snprintf(probability, sizeof(probability), "%.6g", rule->probability);
		json_open(out, '{');
		json_member(out, "kind", kind_name[rule->kind]);
		json_key(out, "probability");
		json_raw(out, probability);
		json_member_int(out, "left", rule->left);
		json_member_int(out, "skip", rule->skip);
		json_member_bool(out, "after", rule->after);
		json_member(out, "service", rule->service);
		json_member(out, "operation", rule->operation);
		json_member(out, "account", rule->account);
		json_member(out, "region", rule->region);
		json_member_int(out, "hits", (int64_t)rule->hits);
		json_close(out, '}');
	}
	json_close(out, ']');
}

uint64_t faults_hits(const struct faults *faults)
{
	return faults->hits;
}
