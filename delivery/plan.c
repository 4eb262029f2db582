#include <assert.h>
#include <string.h>

#include "aws/arn.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "delivery/delivery_internal.h"
#include "delivery/job_tags.h"
#include "delivery/plan_internal.h"
#include "delivery/way_back.h"

enum {
	TAGS_MAX = 50,	     /* TooManyTagsException */
	PROVENANCE_TAGS = 3, /* managed-by, sensor, certificate-id */
	WHY_MAX = 380,	     /* of PLAN_TEXT_MAX, with room for the sentence around it */
};

#define DECIDE(plan, what, ...)                                                                    \
	((plan)->decision = (what), tell((plan)->reason, PLAN_TEXT_MAX, __VA_ARGS__))
#define SAY_ROLLBACK(plan, is_possible, ...)                                                       \
	((plan)->may_roll_back = (is_possible),                                                    \
		tell((plan)->rollback_reason, PLAN_TEXT_MAX, __VA_ARGS__))

/* --- refusals that need no rule --------------------------------------------------------------- */

/* The advice can be followed: an ARN that was found by the certificate's id cannot be left out. */
static void refuse_absent(const struct plan_input *input, struct plan *plan)
{
	if (input->is_unseen)
		DECIDE(plan, PLAN_REFUSE,
			"%.200s carries the id %.128s and is less than an hour old, and ACM does "
			"not show it: it has yet to, or was deleted; plan again in an hour, or "
			"with --new-arn",
			input->arn, input->certificate_id);
	else
		DECIDE(plan, PLAN_REFUSE,
			"ACM does not have %.200s: it was deleted or never was: check the ARN; "
			"--new-arn imports the certificate as a new one",
			input->arn);
}

static bool refuses_arn(const struct plan_input *input, struct plan *plan)
{
	struct arn arn;
	if (!arn_parse_certificate(input->arn, &arn))
		DECIDE(plan, PLAN_REFUSE, "%.300s is not the ARN of an ACM certificate",
			input->arn);
	else if (strcmp(arn.partition, input->partition) != 0)
		DECIDE(plan, PLAN_REFUSE,
			"the ARN is of partition %s, and connector %s works in partition %s",
			arn.partition, input->connector, input->partition);
	else if (strcmp(arn.account_id, input->account_id) != 0 ||
		 strcmp(arn.region, input->region) != 0)
		DECIDE(plan, PLAN_REFUSE,
			"the ARN is of account %s in %s, and the delivery is for account %s in %s",
			arn.account_id, arn.region, input->account_id, input->region);
	else if (plan_current(input) == NULL && input->reimport_allowed)
		refuse_absent(input, plan);
	else
		return false;
	return true;
}

/* "Never read" is not "not there": under the id, a second certificate would come of it. */
static bool refuses_id(const struct plan_input *input, struct plan *plan)
{
	const char *problem = input->read_problem != NULL ? input->read_problem : "";
	if (!input->is_id_given || !input->reimport_allowed || plan_has_arn(input) ||
		input->was_read)
		return false;
	if (input->is_region_unread)
		problem = "its list of regions leaves it out";
	else if (problem[0] == '\0')
		problem = "no scan of it is on record";
	DECIDE(plan, PLAN_REFUSE,
		"whether a certificate in account %s and %s carries the id %.64s is not known, for "
		"connector %.64s never read them (%.160s): plan with the --arn of the one to replace, "
		"with --new-arn if there is none, or after a scan that reads them",
		input->account_id, input->region, input->certificate_id, input->connector, problem);
	return true;
}

static bool has_key(const struct acm_tag *tag, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tag[i].key, key) == 0)
			return true;
	return false;
}

/* Those of ours that are there already are not counted twice, those of AWS's services never. */
static size_t count_tags(const struct plan_input *input)
{
	size_t count = PROVENANCE_TAGS + input->tag_count;
	const struct remote_state *current = plan_current(input);
	for (size_t i = 0; i < current->tags.count; i++) {
		const char *key = current->tags.item[i].key;
		if (!job_tags_is_reserved(key) && !has_key(input->tag, input->tag_count, key))
			count++;
	}
	return count;
}

/* --- the decision ----------------------------------------------------------------------------- */

static size_t count_unconfirmed(const struct rule_results *results)
{
	size_t count = 0;
	for (size_t i = 0; i < results->count; i++)
		count += results->item[i].verdict == RULE_UNCONFIRMED;
	return count;
}

static void decide_new(const struct plan_input *input, struct plan *plan)
{
	const struct remote_state *current = plan_current(input);
	size_t users = current != NULL ? current->detail.in_use_by.count : 0;
	if (current == NULL)
		DECIDE(plan, PLAN_IMPORT_NEW,
			"no ARN is to be replaced, so it is imported as a new certificate");
	else if (users == 0)
		DECIDE(plan, PLAN_IMPORT_NEW,
			"%.200s: it is imported as a new certificate with an ARN of its own; "
			"nothing "
			"uses the old one",
			input->reimport_off_by);
	else
		DECIDE(plan, PLAN_IMPORT_NEW,
			"%.200s: it is imported as a new certificate with an ARN of its own; %zu "
			"binding%s of the old ARN %s to be moved",
			input->reimport_off_by, users, users == 1 ? "" : "s",
			users == 1 ? "has" : "have");
}

static void decide_replace(const struct plan_input *input, struct plan *plan)
{
	const struct remote_state *current = plan_current(input);
	char why[WHY_MAX];
	size_t from = plan->rules.count, tags = count_tags(input);
	import_rules_replace(&(struct rule_old){.type = current->detail.type,
				     .status = current->detail.status,
				     .facts = plan_old_facts(input)},
		&input->bundle->leaf.facts, &plan->rules);
	size_t users = current->detail.in_use_by.count, open = count_unconfirmed(&plan->rules);
	if (rule_results_tell_broken(&plan->rules, from, why, sizeof(why))) {
		DECIDE(plan, PLAN_REFUSE,
			"ACM would refuse it under this ARN: %s; --new-arn imports it as a new "
			"certificate",
			why);
	} else if (tags > TAGS_MAX) {
		DECIDE(plan, PLAN_REFUSE,
			"with its own tags, the given ones and the %d that acmsensor sets (" TAG_PREFIX
			"...) the certificate would have %zu tags, and ACM keeps at most %d",
			PROVENANCE_TAGS, tags, TAGS_MAX);
	} else {
		DECIDE(plan, PLAN_REIMPORT, "ACM %s it under the same ARN%s, and %s",
			open == 0 ? "takes" : "should take",
			open == 0 ? "" : ", though not every rule is confirmed",
			users == 0   ? "nothing has to be moved"
			: users == 1 ? "the one that uses it picks it up by itself"
				     : "all that use it pick it up by themselves");
	}
}

static void decide(const struct plan_input *input, struct plan *plan)
{
	const struct bundle *bundle = input->bundle;
	const struct x509_facts *chain[BUNDLE_CHAIN_MAX];
	char why[WHY_MAX];
	if ((plan_has_arn(input) && refuses_arn(input, plan)) || refuses_id(input, plan))
		return;
	assert(bundle->chain_count <= BUNDLE_CHAIN_MAX);
	for (size_t i = 0; i < bundle->chain_count; i++)
		chain[i] = &bundle->chain[i].facts;
	import_rules_new(
		&bundle->leaf.facts, chain, bundle->chain_count, input->aws_now_s, &plan->rules);
	if (rule_results_tell_broken(&plan->rules, 0, why, sizeof(why)))
		DECIDE(plan, PLAN_REFUSE, "ACM would refuse the certificate: %s", why);
	else if (plan_has_arn(input) && input->reimport_allowed) {
		decide_replace(input, plan);
	} else {
		decide_new(input, plan);
	}
}

/* --- the way back ----------------------------------------------------------------------------- */

static void judge_way_back(
	const struct plan_input *input, const struct x509_facts *old, struct plan *plan)
{
	bool is_kept_until = input->old_key_until[0] != '\0';
	char old_until[TEXT_TIME_MAX], why[WAY_BACK_TEXT_MAX];
	enum rule_verdict verdict =
		way_back_judge(old, &input->bundle->leaf.facts, input->aws_now_s, why);
	if (verdict == RULE_BROKEN)
		SAY_ROLLBACK(plan, false, "%s", why);
	else
		SAY_ROLLBACK(plan, true,
			"the certificate that is there (serial %s, valid until %s) and its key are "
			"kept sealed%s%s and can be imported again%s",
			old->serial, text_format_time(old->not_after_s, old_until),
			is_kept_until ? " until " : "", input->old_key_until,
			verdict == RULE_UNCONFIRMED ? ", though not every rule of that is confirmed"
						    : "");
}

static void judge_rollback(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *old = plan_old_facts(input);
	if (plan->decision == PLAN_REFUSE)
		SAY_ROLLBACK(plan, false, "nothing is done, so there is nothing to take back");
	else if (plan->decision == PLAN_IMPORT_NEW)
		SAY_ROLLBACK(plan, false,
			"nothing is replaced: the new certificate can be deleted while nothing "
			"uses "
			"it");
	else if (old == NULL)
		SAY_ROLLBACK(plan, false,
			"ACM gives no certificate that could be read, so there is nothing that "
			"could "
			"be kept");
	else if (!input->has_old_key)
		SAY_ROLLBACK(plan, false,
			"ACM never gives a private key back, and this sensor does not have the key "
			"of what is there: it did not deliver it, or keeps it no longer");
	else
		judge_way_back(input, old, plan);
}

void plan_decide(const struct plan_input *input, struct plan *ret_plan)
{
	*ret_plan = (struct plan){.decision = PLAN_REFUSE};
	decide(input, ret_plan);
	judge_rollback(input, ret_plan);
	plan_warn(input, ret_plan);
}
