/* The way back; see way_back.h. */
#include "delivery/way_back.h"

#include "base/text.h"
#include "delivery/cert_view.h"

enum { BROKEN_MAX = 320 }; /* of WAY_BACK_TEXT_MAX, with room for the sentence around it */

static bool is_broken(const struct x509_facts *old, int64_t now_s, const struct rule_results *rules,
	char ret_why[WAY_BACK_TEXT_MAX])
{
	char at[TEXT_TIME_MAX], broken[BROKEN_MAX];
	if (old->not_after_s <= now_s)
		tell(ret_why, WAY_BACK_TEXT_MAX,
			"the old certificate expired on %s, and ACM takes no expired certificate",
			text_format_time(old->not_after_s, at));
	else if (old->not_before_s > now_s)
		tell(ret_why, WAY_BACK_TEXT_MAX,
			"the old certificate is valid from %s only, and ACM takes none before",
			text_format_time(old->not_before_s, at));
	else if (rule_results_tell_broken(rules, 0, broken, sizeof(broken)))
		tell(ret_why, WAY_BACK_TEXT_MAX,
			"ACM would refuse the old certificate over the new one: %s", broken);
	else
		return false;
	return true;
}

enum rule_verdict way_back_judge(const struct x509_facts *old, const struct x509_facts *fresh,
	int64_t now_s, char ret_why[WAY_BACK_TEXT_MAX])
{
	struct rule_results rules = {.count = 0};
	import_rules_replace(
		&(struct rule_old){.type = "IMPORTED", .status = "ISSUED", .facts = fresh}, old,
		&rules);
	if (is_broken(old, now_s, &rules, ret_why))
		return RULE_BROKEN;
	ret_why[0] = '\0';
	return rule_results_verdict(&rules);
}
