/* A plan as JSON: sensor/local_api.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "delivery/plan_internal.h"

static const char *const verdict_name[] = {
	[RULE_PASSED] = "passed", [RULE_BROKEN] = "broken", [RULE_UNCONFIRMED] = "unconfirmed"};

static void render_texts(
	struct json_writer *writer, const char *key, const char *const *item, size_t count)
{
	json_key(writer, key);
	json_open_array(writer);
	for (size_t i = 0; i < count; i++)
		json_text(writer, item[i]);
	json_close_array(writer);
}

static void render_usages(struct json_writer *writer, const struct x509_facts *facts)
{
	const char *name[KEY_USAGES_MAX];
	render_texts(writer, "key_usages", name, key_usage_names(facts->key_usage, name));
	json_key(writer, "extended_key_usages");
	json_open_array(writer);
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		json_text(writer, facts->ext_key_usage[i]);
	json_close_array(writer);
}

static void render_facts(struct json_writer *writer, const struct x509_facts *facts)
{
	char hex[X509_SHA256_LEN * 2 + 1];
	text_hex(facts->fingerprint_sha256, X509_SHA256_LEN, hex);
	json_member_text(writer, "serial", facts->serial);
	json_member_text(writer, "fingerprint_sha256", hex);
	json_member_text(writer, "subject", facts->subject);
	json_member_text(writer, "issuer", facts->issuer);
	json_member_time(writer, "not_before", facts->not_before_s);
	json_member_time(writer, "not_after", facts->not_after_s);
	json_member_text(writer, "key_algorithm", facts->key_algorithm);
	json_member_text(writer, "signature_algorithm", facts->signature_algorithm);
	json_key(writer, "subject_alternative_names");
	json_open_array(writer);
	for (size_t i = 0; i < facts->san_count; i++)
		json_text(writer, facts->san[i].text);
	json_close_array(writer);
	render_usages(writer, facts);
}

static void render_tags(
	struct json_writer *writer, const char *key, const struct acm_tag *tag, size_t count)
{
	json_key(writer, key);
	json_open_object(writer);
	for (size_t i = 0; i < count; i++)
		json_member_text(writer, tag[i].key, tag[i].value);
	json_close_object(writer);
}

/* Of a certificate that cannot be read only what AWS says. */
static void render_detail(struct json_writer *writer, const struct acm_detail *detail)
{
	json_member_text(writer, "serial", detail->serial);
	json_member_text(writer, "fingerprint_sha256", NULL);
	json_member_text(writer, "subject", detail->subject);
	json_member_text(writer, "issuer", detail->issuer);
	json_member_time(writer, "not_before", detail->not_before_s);
	json_member_time(writer, "not_after", detail->not_after_s);
	json_member_text(writer, "key_algorithm", detail->key_algorithm);
	json_member_text(writer, "signature_algorithm", detail->signature_algorithm);
	render_texts(writer, "subject_alternative_names", (const char *const *)detail->sans.item,
		detail->sans.count);
	render_texts(writer, "key_usages", (const char *const *)detail->key_usages.item,
		detail->key_usages.count);
	render_texts(writer, "extended_key_usages",
		(const char *const *)detail->ext_key_usages.item, detail->ext_key_usages.count);
}

/* Subjects of what ACM gave as the chain; what cannot be read ends it. */
static void render_current_chain(struct json_writer *writer, const char *pem)
{
	const char *at = pem != NULL ? pem : "", *end = at + strlen(at);
	struct err unread = ERR_INIT;
	unsigned char *der;
	size_t len;
	json_key(writer, "chain");
	json_open_array(writer);
	for (int i = 0; i < BUNDLE_CHAIN_MAX && x509_pem_next(&at, end, &der, &len, &unread) == 1;
		i++) {
		struct x509_facts facts = {.san_count = 0};
		if (x509_facts_from_der(der, len, &facts, &unread) == 0)
			json_text(writer, facts.subject);
		x509_facts_clear(&facts);
		free(der);
	}
	json_close_array(writer);
}

static void render_current(struct json_writer *writer, const struct remote_state *current)
{
	json_key(writer, "current");
	if (current == NULL) {
		json_write_null(writer);
		return;
	}
	const struct acm_detail *detail = &current->detail;
	json_open_object(writer);
	json_member_text(writer, "arn", detail->arn);
	json_member_text(writer, "type", detail->type);
	json_member_text(writer, "status", detail->status);
	if (current->has_facts)
		render_facts(writer, &current->facts);
	else
		render_detail(writer, detail);
	render_current_chain(writer, current->pem.chain);
	render_texts(writer, "in_use_by", (const char *const *)detail->in_use_by.item,
		detail->in_use_by.count);
	render_tags(writer, "tags", current->tags.item, current->tags.count);
	json_close_object(writer);
}

static void render_new(struct json_writer *writer, const struct bundle *bundle)
{
	json_key(writer, "new");
	json_open_object(writer);
	render_facts(writer, &bundle->leaf.facts);
	json_key(writer, "chain");
	json_open_array(writer);
	for (size_t i = 0; i < bundle->chain_count; i++)
		json_text(writer, bundle->chain[i].facts.subject);
	json_close_array(writer);
	json_close_object(writer);
}

static void render_selected(struct json_writer *writer, const char *key,
	const struct cert_names *names, const struct cert_names *others, bool is_shared)
{
	struct cert_names selected;
	cert_names_select(names, others, is_shared, &selected);
	render_texts(writer, key, selected.item, selected.count);
	cert_names_clear(&selected);
}

static void render_names(struct json_writer *writer, const struct plan_input *input)
{
	const struct x509_facts *old = plan_old_facts(input);
	struct cert_names before = {.count = 0}, after;
	cert_names_init(&after, &input->bundle->leaf.facts);
	if (old != NULL)
		cert_names_init(&before, old);
	json_key(writer, "names");
	json_open_object(writer);
	render_selected(writer, "added", &after, &before, false);
	render_selected(writer, "lost", &before, &after, false);
	render_selected(writer, "kept", &before, &after, true);
	json_close_object(writer);
	cert_names_clear(&before);
	cert_names_clear(&after);
}

static void render_rules(struct json_writer *writer, const struct plan *plan)
{
	json_key(writer, "rules");
	json_open_array(writer);
	for (size_t i = 0; i < plan->rules.count; i++) {
		const struct rule_result *rule = &plan->rules.item[i];
		json_open_object(writer);
		json_member_text(writer, "name", rule->name);
		json_member_text(writer, "verdict", verdict_name[rule->verdict]);
		json_member_text(writer, "text", rule->text);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void render_warnings(
	struct json_writer *writer, const struct plan *plan, const struct bundle *bundle)
{
	json_key(writer, "warnings");
	json_open_array(writer);
	for (size_t i = 0; i < plan->warning_count; i++) {
		json_open_object(writer);
		json_member_text(writer, "name", plan->warning[i].name);
		json_member_text(writer, "text", plan->warning[i].text);
		json_close_object(writer);
	}
	json_close_array(writer);
	json_key(writer, "notes");
	json_open_array(writer);
	for (size_t i = 0; i < bundle->note_count; i++) {
		json_open_object(writer);
		json_member_text(writer, "name", "bundle");
		json_member_text(writer, "text", bundle->note[i]);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void render_place(
	struct json_writer *writer, const struct plan_input *input, const struct plan *plan)
{
	bool is_replaced = plan->decision != PLAN_IMPORT_NEW && input->arn != NULL;
	json_member_text(writer, "id", input->id);
	json_member_text(writer, "decision", plan_decision_name(plan->decision));
	json_member_text(writer, "reason", plan->reason);
	json_member_text(writer, "connector", input->connector);
	json_member_text(writer, "account_id", input->account_id);
	json_member_text(writer, "region", input->region);
	json_member_text(writer, "arn", is_replaced ? input->arn : "");
	json_member_text(writer, "certificate_id", input->certificate_id);
	json_member_time(writer, "created", input->now_s);
	json_member_time(writer, "expires", input->expires_s);
}

static void render_way_back(
	struct json_writer *writer, const struct plan_input *input, const struct plan *plan)
{
	json_key(writer, "rollback");
	json_open_object(writer);
	json_member_bool(writer, "possible", plan->may_roll_back);
	json_member_text(writer, "reason", plan->rollback_reason);
	json_close_object(writer);
	json_member_bool(writer, "auto_rollback", input->auto_rollback);
	json_member_text(writer, "key_escrow", key_escrow_name(input->escrow));
	render_texts(writer, "verify_hosts", input->verify_host, input->verify_host_count);
}

/* What uses the old ARN and is to use the new one. */
static void render_bindings(
	struct json_writer *writer, const struct plan_input *input, const struct plan *plan)
{
	const struct remote_state *current = plan_current(input);
	bool moves = plan->decision == PLAN_IMPORT_NEW && current != NULL;
	render_texts(writer, "bindings_to_move",
		moves ? (const char *const *)current->detail.in_use_by.item : NULL,
		moves ? current->detail.in_use_by.count : 0);
}

void plan_render(const struct plan_input *input, const struct plan *plan, struct buf *to)
{
	struct json_writer writer;
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	render_place(&writer, input, plan);
	render_current(&writer, plan_current(input));
	render_new(&writer, input->bundle);
	render_names(&writer, input);
	render_rules(&writer, plan);
	render_warnings(&writer, plan, input->bundle);
	render_tags(&writer, "tags", input->tag, input->tag_count);
	render_bindings(&writer, input, plan);
	render_way_back(&writer, input, plan);
	json_close_object(&writer);
}
