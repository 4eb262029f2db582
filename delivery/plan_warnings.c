/* What nobody forbids and yet could surprise; in the order in which a person would ask. */
#include <assert.h>
#include <string.h>

#include "aws/arn.h"
#include "base/err.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "delivery/delivery_internal.h"
#include "delivery/job_probe.h"
#include "delivery/plan_internal.h"

enum {
	SOON_S = 30 * 86400, /* of a long life; of a short one its last third */
	LIFE_PARTS = 3,
	HOST_MAX = 300,
};

static char *next_text(struct plan *plan, const char *name)
{
	assert(plan->warning_count < PLAN_WARNINGS_MAX);
	struct plan_warning *warning = &plan->warning[plan->warning_count++];
	warning->name = name;
	return warning->text;
}

#define WARN(plan, name, ...) tell(next_text(plan, name), PLAN_TEXT_MAX, __VA_ARGS__)

static bool is_same_hash(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, X509_SHA256_LEN) == 0;
}

/* --- names ------------------------------------------------------------------------------------ */

/* What goes, without or with a wildcard of the new certificate that stands for it. */
static void warn_gone(const struct cert_names *before, const struct cert_names *after,
	bool is_covered, struct plan *plan)
{
	struct cert_names gone;
	char list[TOLD_LIST_MAX];
	size_t count = 0;
	cert_names_select(before, after, false, &gone);
	for (size_t i = 0; i < gone.count; i++)
		if (cert_names_cover(after, gone.item[i]) == is_covered)
			gone.item[count++] = gone.item[i];
	tell_list(list, gone.item, count);
	if (count > 0 && is_covered)
		WARN(plan, "name_by_wildcard",
			"the new certificate covers these names of the present one only by a wildcard: %s",
			list);
	else if (count > 0)
		WARN(plan, "name_lost",
			"the new certificate lacks these names of the present one: %s", list);
	cert_names_clear(&gone);
}

static void warn_wildcards(const struct cert_names *names, struct plan *plan)
{
	struct cert_names bare;
	char list[TOLD_LIST_MAX];
	cert_names_select(names, &(struct cert_names){.count = 0}, false, &bare); /* all */
	size_t count = 0;
	for (size_t i = 0; i < bare.count; i++)
		if (text_has_prefix(bare.item[i], "*.") &&
			!cert_names_have(names, bare.item[i] + 2))
			bare.item[count++] = bare.item[i] + 2;
	tell_list(list, bare.item, count);
	if (count > 0)
		WARN(plan, "wildcard_without_apex",
			"the new certificate does not cover %s: a wildcard such as *.%.100s covers "
			"only names directly below",
			list, bare.item[0]);
	cert_names_clear(&bare);
}

static void warn_private(const struct cert_names *names, struct plan *plan)
{
	struct cert_names private;
	char list[TOLD_LIST_MAX];
	cert_names_select(names, &(struct cert_names){.count = 0}, false, &private); /* all */
	size_t count = 0;
	for (size_t i = 0; i < private.count; i++)
		if (name_is_private(private.item[i]))
	private.item[count++] = private.item[i];
	tell_list(list, private.item, count);
	if (count > 0)
		WARN(plan, "private_names", "nobody on the Internet can know these names: %s",
			list);
	cert_names_clear(&private);
}

static void warn_names(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *old = plan_old_facts(input);
	struct cert_names before = {.count = 0}, after;
	cert_names_init(&after, &input->bundle->leaf.facts);
	if (old != NULL)
		cert_names_init(&before, old);
	warn_gone(&before, &after, false, plan);
	warn_gone(&before, &after, true, plan);
	warn_wildcards(&after, plan);
	warn_private(&after, plan);
	cert_names_clear(&before);
	cert_names_clear(&after);
}

/* --- where it goes ---------------------------------------------------------------------------- */

static void warn_place(const struct plan_input *input, struct plan *plan)
{
	const char *problem = input->read_problem != NULL ? input->read_problem : "";
	if (plan->decision != PLAN_REFUSE && input->is_region_unread)
		WARN(plan, "region_unread",
			"the list of regions of connector %s leaves out %s: whether that region is "
			"there is not known, and the inventory will not show the certificate",
			input->connector, input->region);
	else if (plan->decision == PLAN_IMPORT_NEW && problem[0] != '\0')
		WARN(plan, "inventory_blind",
			"connector %.64s cannot read account %s in %s (%.200s): whether such a "
			"certificate is there already is not known, and the inventory will not show "
			"this one",
			input->connector, input->account_id, input->region, problem);
}

/* --- what was there --------------------------------------------------------------------------- */

static void warn_gone_arn(const struct plan_input *input, struct plan *plan)
{
	const char *given = plan_has_arn(input) && plan_current(input) == NULL ? input->arn : "";
	const char *former = input->former_arn != NULL ? input->former_arn : "";
	if (plan->decision == PLAN_IMPORT_NEW && given[0] != '\0')
		WARN(plan, "arn_gone", "ACM does not have %.300s: it was deleted or never was",
			given);
	if (plan->decision == PLAN_IMPORT_NEW && former[0] != '\0')
		WARN(plan, "arn_gone",
			"%.200s carried the id %.128s and is gone: whatever was set up with that "
			"ARN is to be given the new one",
			former, input->certificate_id);
}

/* --- what it is ------------------------------------------------------------------------------- */

static void warn_key(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = plan_old_facts(input);
	if (old != NULL && !is_same_hash(old->fingerprint_sha256, now->fingerprint_sha256) &&
		is_same_hash(old->spki_sha256, now->spki_sha256))
		WARN(plan, "key_reused",
			"the key is that of the present certificate: whoever has a copy of it has both");
}

static void warn_same(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = plan_old_facts(input);
	bool is_there =
		old != NULL && is_same_hash(old->fingerprint_sha256, now->fingerprint_sha256);
	bool is_new = plan->decision == PLAN_IMPORT_NEW;
	if (is_there)
		WARN(plan, "same_certificate",
			"this very certificate (serial %s) is in ACM already: %s", now->serial,
			is_new ? "there would be two of it" : "nothing would change");
	else if (is_new && input->same_arn != NULL && input->same_arn[0] != '\0')
		WARN(plan, "same_certificate",
			"this very certificate (serial %s) is in ACM already, under %.200s: there "
			"would be two of it",
			now->serial, input->same_arn);
}

static void warn_use(const struct x509_facts *now, struct plan *plan)
{
	if (now->has_ext_key_usage && !has_ext_key_usage(now, "TLS_WEB_SERVER_AUTHENTICATION") &&
		!has_ext_key_usage(now, "ANY"))
		WARN(plan, "no_server_authentication",
			"its extended key usages are not for servers: browsers refuse it");
	if (now->is_ca)
		WARN(plan, "is_ca", "it is a CA's certificate, not a server's");
}

static void warn_dates(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = plan_old_facts(input);
	char before[TEXT_TIME_MAX], after[TEXT_TIME_MAX];
	char old_life_text[TEXT_DURATION_MAX], life_text[TEXT_DURATION_MAX];
	int64_t life = now->not_after_s - now->not_before_s;
	int64_t left = now->not_after_s - input->aws_now_s;
	int64_t old_life = old != NULL ? old->not_after_s - old->not_before_s : 0;
	if (left > 0 && left < SOON_S && left < life / LIFE_PARTS)
		WARN(plan, "expires_soon", "it ends on %s, in %s",
			text_format_time(now->not_after_s, after),
			text_format_duration(left, life_text));
	if (old != NULL && now->not_after_s < old->not_after_s)
		WARN(plan, "shorter_validity", "it ends on %s, before the present one (%s)",
			text_format_time(now->not_after_s, after),
			text_format_time(old->not_after_s, before));
	else if (life < old_life)
		WARN(plan, "shorter_validity", "it lives %s, shorter than the present one (%s)",
			text_format_duration(life, life_text),
			text_format_duration(old_life, old_life_text));
}

static void warn_issuer(const struct plan_input *input, struct plan *plan)
{
	const struct x509_facts *now = &input->bundle->leaf.facts, *old = plan_old_facts(input);
	if (old != NULL && strcmp(old->issuer, now->issuer) != 0)
		WARN(plan, "issuer_changed",
			"another issuer: %.200s; the present one was issued by %.200s", now->issuer,
			old->issuer);
}

/* --- who uses it ------------------------------------------------------------------------------ */

static bool is_used_by(const struct acm_text_list *users, const char *service, const char *kind)
{
	struct arn arn;
	for (size_t i = 0; i < users->count; i++)
		if (arn_parse(users->item[i], &arn) && strcmp(arn.service, service) == 0 &&
			text_has_prefix(arn.resource, kind))
			return true;
	return false;
}

static bool is_one_of(const char *text, const char *const *list)
{
	while (*list != NULL && strcmp(*list, text) != 0)
		list++;
	return *list != NULL;
}

/* source: facts.md 3.4. Of NLB and API Gateway it is known only that they once were stricter. */
static void warn_users(const struct plan_input *input, struct plan *plan)
{
	static const char *const of_cloudfront[] = {
		"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", NULL};
	static const char *const up_to_2048[] = {"RSA_1024", "RSA_2048", NULL};
	static const char *const large[] = {"RSA_3072", "RSA_4096", NULL};
	const struct remote_state *current = plan_current(input);
	const char *key = input->bundle->leaf.facts.key_algorithm;
	if (current == NULL)
		return;
	const struct acm_text_list *users = &current->detail.in_use_by;
	bool has_cloudfront = is_used_by(users, "cloudfront", "distribution/");
	if (has_cloudfront && strcmp(input->region, "us-east-1") != 0)
		WARN(plan, "cloudfront_region",
			"CloudFront takes certificates from us-east-1 only, and this one is for %s",
			input->region);
	if (has_cloudfront && !is_one_of(key, of_cloudfront))
		WARN(plan, "cloudfront_key_type",
			"CloudFront takes RSA keys of 1024 to 4096 bits and EC_prime256v1, not %s",
			key);
	if (is_used_by(users, "elasticloadbalancing", "loadbalancer/net/") &&
		!is_one_of(key, up_to_2048))
		WARN(plan, "nlb_key_type",
			"it is not confirmed that Network Load Balancers take %s keys", key);
	if (is_used_by(users, "apigateway", "") && is_one_of(key, large))
		WARN(plan, "api_gateway_key_type",
			"it is not confirmed that API Gateway takes keys above 2048 bits (%s)",
			key);
	if (plan->decision == PLAN_IMPORT_NEW && users->count > 0) {
		char list[TOLD_LIST_MAX];
		tell_list(list, (const char *const *)users->item, users->count);
		WARN(plan, "bindings_to_move",
			"these go on with the old certificate until they are given the new ARN: %s",
			list);
	}
}

/* --- what comes with it ----------------------------------------------------------------------- */

/* NULL: none of that key. */
static const char *current_tag(const struct remote_state *current, const char *key)
{
	for (size_t i = 0; i < current->tags.count; i++)
		if (strcmp(current->tags.item[i].key, key) == 0)
			return current->tags.item[i].value;
	return NULL;
}

static void warn_tags(const struct plan_input *input, struct plan *plan)
{
	const struct remote_state *current = plan_current(input);
	const char *keys[DELIVERY_TAGS_MAX] = {NULL};
	char list[TOLD_LIST_MAX];
	size_t count = 0;
	if (current == NULL || plan->decision != PLAN_REIMPORT)
		return;
	assert(input->tag_count <= DELIVERY_TAGS_MAX); /* plan_make_start refuses more */
	for (size_t i = 0; i < input->tag_count; i++) {
		const char *value = current_tag(current, input->tag[i].key);
		if (value != NULL && strcmp(value, input->tag[i].value) != 0)
			keys[count++] = input->tag[i].key;
	}
	tell_list(list, keys, count);
	if (count > 0)
		WARN(plan, "tag_changed", "tags that are there get another value: %s", list);
	const char *id = current_tag(current, TAG_CERTIFICATE_ID);
	if (id != NULL && strcmp(id, input->certificate_id) != 0)
		WARN(plan, "certificate_id_changed",
			"the present certificate carries the id %.140s, which becomes %.140s", id,
			input->certificate_id);
}

/* Certificates name no root. */
static bool covers_host(const struct cert_names *names, char *host)
{
	size_t len = strlen(host);
	if (host[len - 1] == '.')
		host[len - 1] = '\0';
	return cert_names_cover(names, host);
}

static void warn_hosts(const struct plan_input *input, struct plan *plan)
{
	struct cert_names names;
	cert_names_init(&names, &input->bundle->leaf.facts);
	const char *missing[VERIFY_HOSTS_MAX] = {NULL};
	char list[TOLD_LIST_MAX];
	size_t count = 0;
	assert(input->verify_host_count <= VERIFY_HOSTS_MAX); /* plan_make_start refuses more */
	for (size_t i = 0; i < input->verify_host_count; i++) {
		char host[HOST_MAX];
		int port;
		struct err ignored = ERR_INIT;
		if (probe_host_parse(input->verify_host[i], host, sizeof(host), &port, &ignored) ==
				0 &&
			!covers_host(&names, host))
			missing[count++] = input->verify_host[i];
	}
	tell_list(list, missing, count);
	if (count > 0)
		WARN(plan, "verify_host_not_named",
			"the new certificate names none of these hosts that are to be verified: %s",
			list);
	cert_names_clear(&names);
}

static void warn_way_back(const struct plan_input *input, struct plan *plan)
{
	if (plan->decision == PLAN_REIMPORT && !plan->may_roll_back)
		WARN(plan, "no_rollback", "there is no way back: %s", plan->rollback_reason);
	if (plan->decision != PLAN_REFUSE && input->auto_rollback && !plan->may_roll_back)
		WARN(plan, "no_auto_rollback",
			"the automatic rollback that is asked for cannot be done");
}

void plan_warn(const struct plan_input *input, struct plan *plan)
{
	for (size_t i = 0; i < plan->rules.count; i++)
		if (plan->rules.item[i].verdict == RULE_UNCONFIRMED)
			WARN(plan, plan->rules.item[i].name, "%s", plan->rules.item[i].text);
	warn_place(input, plan);
	warn_gone_arn(input, plan);
	warn_key(input, plan);
	warn_same(input, plan);
	warn_names(input, plan);
	warn_use(&input->bundle->leaf.facts, plan);
	warn_dates(input, plan);
	warn_issuer(input, plan);
	warn_users(input, plan);
	warn_tags(input, plan);
	warn_hosts(input, plan);
	if (input->escrow == ESCROW_MEMORY && secret_is_set(&input->bundle->key_pem))
		WARN(plan, "memory_escrow",
			"the key waits in memory only: a restart of the sensor loses it, and the "
			"plan "
			"has to be made anew");
	warn_way_back(input, plan);
}
