/*
 * What is refused is refused on confirmed rules only; whatever else could surprise is a warning.
 * A new ARN is never chosen silently: it moves bindings.
 */
#include "delivery/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aws/arn.h"
#include "base/text.h"

enum {
	SOON_S = 30 * 86400,
	NAMES_SHOWN_MAX = 8, /* so that there is room for the warnings that follow */
	WILDCARDS_SHOWN_MAX = 4,
};

static const char cloudfront_mark[] = ":cloudfront:";

static void warn(struct plan *plan, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(struct plan *plan, const char *name, const char *format, ...)
{
	va_list args;
	if (plan->warning_count == PLAN_WARNINGS_MAX)
		return;
	struct plan_warning *warning = &plan->warning[plan->warning_count++];
	warning->name = name;
	va_start(args, format);
	(void)vsnprintf(warning->text, sizeof(warning->text), format, args); /* cut */
	va_end(args);
}

static void decide(struct plan *plan, enum plan_decision decision, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void decide(struct plan *plan, enum plan_decision decision, const char *format, ...)
{
	va_list args;
	plan->decision = decision;
	va_start(args, format);
	(void)vsnprintf(plan->reason, sizeof(plan->reason), format, args); /* cut */
	va_end(args);
}

static bool has_arn(const struct plan_input *input)
{
	return input->arn != NULL && input->arn[0] != '\0';
}

static const struct x509_facts *old_facts(const struct plan_input *input)
{
	return input->remote != NULL && input->remote->has_facts ? &input->remote->facts : NULL;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* Whether the ARN is one of this place; else the refusal is decided. */
static bool check_arn(const struct plan_input *input, struct plan *plan)
{
	struct arn arn;
	if (!arn_parse(input->arn, &arn) || strcmp(arn.service, "acm") != 0 ||
		!text_has_prefix(arn.resource, "certificate/"))
		decide(plan, PLAN_REFUSE, "%.300s is not the ARN of an ACM certificate",
			input->arn);
	else if (strcmp(arn.partition, input->partition) != 0)
		decide(plan, PLAN_REFUSE,
			"the ARN is of partition %s, the connector %s works in partition %s",
			arn.partition, input->connector, input->partition);
	else if (strcmp(arn.account_id, input->account_id) != 0 ||
		 strcmp(arn.region, input->region) != 0)
		decide(plan, PLAN_REFUSE, "the ARN is of account %s in %s, not of account %s in %s",
			arn.account_id, arn.region, input->account_id, input->region);
	else
		return true;
	return false;
}

static const struct rule_result *first_broken(const struct rule_results *results, size_t from)
{
	for (size_t i = from; i < results->count; i++)
		if (results->item[i].verdict == RULE_BROKEN)
			return &results->item[i];
	return NULL;
}

static void apply_rules(const struct plan_input *input, struct plan *plan)
{
	const struct bundle *bundle = input->bundle;
	const struct x509_facts *chain[BUNDLE_CHAIN_MAX];
	for (size_t i = 0; i < bundle->chain_count; i++)
		chain[i] = &bundle->chain[i].facts;
	import_rules_new(&bundle->leaf.facts, chain, bundle->chain_count, &plan->rules);
	const struct rule_result *broken = first_broken(&plan->rules, 0);
	size_t of_import = plan->rules.count;
	if (broken != NULL) {
		decide(plan, PLAN_REFUSE, "ACM would refuse it: %s", broken->text);
		return;
	}
	if (!has_arn(input)) {
		decide(plan, PLAN_IMPORT_NEW, "no ARN to replace was named: a new certificate");
		return;
	}
	if (!input->reimport_allowed) {
		decide(plan, PLAN_IMPORT_NEW,
			"%s: a new certificate with an ARN of its own; what uses the old one has "
			"to be moved",
			input->reimport_off_by);
		return;
	}
	const struct acm_detail *detail = &input->remote->detail;
	import_rules_replace(
		&(struct rule_old){
			.type = detail->type, .status = detail->status, .facts = old_facts(input)},
		&bundle->leaf.facts, &plan->rules);
	broken = first_broken(&plan->rules, of_import);
	if (broken != NULL)
		decide(plan, PLAN_REFUSE,
			"ACM would refuse it under this ARN: %s; --new-arn imports it as a new "
			"certificate",
			broken->text);
	else
		decide(plan, PLAN_REIMPORT,
			"ACM takes it under the same ARN: whatever uses that picks it up by itself");
}

/* --- warnings --------------------------------------------------------------------------------- */

bool plan_covers(const struct x509_facts *facts, const char *name)
{
	if (text_equal_ci(facts->common_name, name))
		return true;
	for (size_t i = 0; i < facts->san_count; i++)
		if (text_equal_ci(facts->san[i].text, name))
			return true;
	return false;
}

static void warn_names(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = old_facts(input);
	size_t lost = 0, bare = 0;
	for (size_t i = 0; old != NULL && i < old->san_count; i++)
		if (!plan_covers(now, old->san[i].text) && ++lost <= NAMES_SHOWN_MAX)
			warn(plan, "name_lost", "%.253s is not in the new certificate",
				old->san[i].text);
	if (lost > NAMES_SHOWN_MAX)
		warn(plan, "name_lost", "%zu more names are not in the new certificate",
			lost - NAMES_SHOWN_MAX);
	for (size_t i = 0; i < now->san_count; i++) {
		const char *name = now->san[i].text;
		if (!text_has_prefix(name, "*.") || plan_covers(now, name + 2) ||
			++bare > WILDCARDS_SHOWN_MAX)
			continue;
		warn(plan, "wildcard_without_apex", "%.200s does not cover %.200s itself", name,
			name + 2);
	}
}

static void warn_dates(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = old_facts(input);
	char before[TEXT_TIME_MAX], after[TEXT_TIME_MAX];
	if (now->not_after_s - input->now_s < SOON_S)
		warn(plan, "expires_soon", "the new certificate ends on %s already",
			text_format_time(now->not_after_s, after));
	if (old != NULL && now->not_after_s < old->not_after_s)
		warn(plan, "shorter_validity", "it ends on %s, before what it replaces (%s)",
			text_format_time(now->not_after_s, after),
			text_format_time(old->not_after_s, before));
}

static bool is_cloudfront_key(const char *key_algorithm)
{
	return text_has_prefix(key_algorithm, "RSA_") ||
	       strcmp(key_algorithm, "EC_prime256v1") == 0;
}

static void warn_users(const struct plan_input *input, struct plan *plan)
{
	const struct acm_text_list *users = &input->remote->detail.in_use_by;
	bool has_cloudfront = false;
	for (size_t i = 0; i < users->count; i++)
		has_cloudfront |= strstr(users->item[i], cloudfront_mark) != NULL;
	if (!has_cloudfront)
		return;
	if (text_has_prefix(input->partition, "aws") && strcmp(input->partition, "aws") == 0 &&
		strcmp(input->region, "us-east-1") != 0)
		warn(plan, "cloudfront_region",
			"CloudFront takes certificates from us-east-1 only, this one is in %s",
			input->region);
	if (!is_cloudfront_key(input->bundle->key_algorithm))
		warn(plan, "cloudfront_key_type",
			"CloudFront does not take %s keys: RSA, or EC P-256",
			input->bundle->key_algorithm);
}

static void warn_rest(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = old_facts(input);
	if (old != NULL && strcmp(old->issuer, now->issuer) != 0)
		warn(plan, "issuer_changed", "another issuer: %.200s, before %.200s", now->issuer,
			old->issuer);
	if (old != NULL &&
		memcmp(old->fingerprint_sha256, now->fingerprint_sha256, X509_SHA256_LEN) == 0)
		warn(plan, "same_certificate",
			"this very certificate is there already: nothing would change");
	if (input->escrow == ESCROW_MEMORY)
		warn(plan, "memory_escrow",
			"the key waits in memory only: a restart of the sensor loses it, and the plan "
			"has to be made anew");
	for (size_t i = 0; i < plan->rules.count; i++)
		if (plan->rules.item[i].verdict == RULE_UNCONFIRMED)
			warn(plan, "rule_unconfirmed", "%s", plan->rules.item[i].text);
}

/* --- the way back ----------------------------------------------------------------------------- */

static void say_rollback(struct plan *plan, bool is_possible, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say_rollback(struct plan *plan, bool is_possible, const char *format, ...)
{
	va_list args;
	plan->may_roll_back = is_possible;
	va_start(args, format);
	(void)vsnprintf(plan->rollback_reason, sizeof(plan->rollback_reason), format, args);
	va_end(args);
}

/* The old certificate would be a reimport over the new one, with the same rules. */
static const struct rule_result *broken_backwards(
	const struct plan_input *input, struct rule_results *results)
{
	results->count = 0;
	import_rules_replace(&(struct rule_old){.type = "IMPORTED",
				     .status = "ISSUED",
				     .facts = &input->bundle->leaf.facts},
		old_facts(input), results);
	return first_broken(results, 0);
}

static void judge_rollback(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *old = old_facts(input);
	struct rule_results backwards;
	const struct rule_result *broken;
	if (plan->decision != PLAN_REIMPORT)
		say_rollback(plan, false, "%s",
			plan->decision == PLAN_REFUSE
				? "nothing is done"
				: "nothing is replaced; what is new can be deleted while nothing "
				  "uses it");
	else if (old == NULL)
		say_rollback(plan, false, "what is there cannot be read, so it cannot be kept");
	else if (!input->has_old_key)
		say_rollback(plan, false,
			"ACM never gives a private key back, and this sensor does not have the key "
			"of what is there: it did not deliver it, or keeps it no longer");
	else if (old->not_after_s <= input->now_s)
		say_rollback(plan, false, "what is there has expired: ACM would not take it again");
	else if ((broken = broken_backwards(input, &backwards)) != NULL)
		say_rollback(plan, false, "ACM would refuse the way back: %s", broken->text);
	else
		say_rollback(plan, true,
			"the certificate that is there and its key are kept sealed%s%s",
			input->old_key_until[0] != '\0' ? " until " : "", input->old_key_until);
}

void plan_decide(const struct plan_input *input, struct plan *ret_plan)
{
	struct plan *plan = ret_plan;
	*plan = (struct plan){.decision = PLAN_REFUSE};
	bool is_there = has_arn(input) && input->remote != NULL;
	if (has_arn(input) && !check_arn(input, plan)) {
		judge_rollback(input, plan);
		return;
	}
	if (is_there && !input->remote->exists) {
		decide(plan, PLAN_REFUSE, "ACM does not have %.300s", input->arn);
		judge_rollback(input, plan);
		return;
	}
	apply_rules(input, plan);
	warn_names(input, plan);
	warn_dates(input, plan);
	if (is_there)
		warn_users(input, plan);
	warn_rest(input, plan);
	judge_rollback(input, plan);
	if (plan->decision == PLAN_REIMPORT && !plan->may_roll_back)
		warn(plan, "no_rollback", "there is no way back: %.400s", plan->rollback_reason);
}
