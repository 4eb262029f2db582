/* A plan as JSON: sensor/local_api.h. */
#include <string.h>

#include "aws/arn.h"
#include "base/json_write.h"
#include "base/text.h"
#include "delivery/plan.h"

static const char *const verdict_name[] = {
	[RULE_PASSED] = "passed", [RULE_BROKEN] = "broken", [RULE_UNCONFIRMED] = "unconfirmed"};

static void render_texts(
	struct json_writer *writer, const char *key, char *const *item, size_t count)
{
	json_key(writer, key);
	json_open_array(writer);
	for (size_t i = 0; i < count; i++)
		json_text(writer, item[i]);
	json_close_array(writer);
}

static void render_key_usages(struct json_writer *writer, const struct x509_facts *facts)
{
	json_key(writer, "key_usages");
	json_open_array(writer);
	for (unsigned i = 0; x509_key_usage_name(i) != NULL; i++)
		if ((facts->key_usage & 1U << i) != 0)
			json_text(writer, x509_key_usage_name(i));
	json_close_array(writer);
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
	render_key_usages(writer, facts);
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

static void render_current(struct json_writer *writer, const struct remote_state *remote)
{
	json_key(writer, "current");
	if (remote == NULL || !remote->exists) {
		json_write_null(writer);
		return;
	}
	json_open_object(writer);
	json_member_text(writer, "type", remote->detail.type);
	json_member_text(writer, "status", remote->detail.status);
	if (remote->has_facts)
		render_facts(writer, &remote->facts);
	render_texts(
		writer, "in_use_by", remote->detail.in_use_by.item, remote->detail.in_use_by.count);
	render_tags(writer, "tags", remote->tags.item, remote->tags.count);
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

/* Names of a that are in b (is_shared) or are not. */
static void render_names(struct json_writer *writer, const char *key, const struct x509_facts *a,
	const struct x509_facts *b, bool is_shared)
{
	json_key(writer, key);
	json_open_array(writer);
	for (size_t i = 0; a != NULL && i < a->san_count; i++)
		if ((b != NULL && plan_covers(b, a->san[i].text)) == is_shared)
			json_text(writer, a->san[i].text);
	json_close_array(writer);
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
	bool keeps_arn = plan->decision != PLAN_IMPORT_NEW && input->arn != NULL;
	json_member_text(writer, "id", input->id);
	json_member_text(writer, "decision", plan_decision_name(plan->decision));
	json_member_text(writer, "reason", plan->reason);
	json_member_text(writer, "connector", input->connector);
	json_member_text(writer, "account_id", input->account_id);
	json_member_text(writer, "region", input->region);
	json_member_text(writer, "arn", keeps_arn ? input->arn : "");
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
	render_texts(writer, "verify_hosts", (char *const *)(uintptr_t)input->verify_host,
		input->verify_host_count);
}

void plan_render(const struct plan_input *input, const struct plan *plan, struct buf *to)
{
	const struct remote_state *remote = input->remote;
	const struct x509_facts *now = &input->bundle->leaf.facts;
	const struct x509_facts *old = remote != NULL && remote->has_facts ? &remote->facts : NULL;
	bool moves = plan->decision == PLAN_IMPORT_NEW && remote != NULL;
	struct json_writer writer;
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	render_place(&writer, input, plan);
	render_current(&writer, remote);
	render_new(&writer, input->bundle);
	json_key(&writer, "names");
	json_open_object(&writer);
	render_names(&writer, "added", now, old, false);
	render_names(&writer, "lost", old, now, false);
	render_names(&writer, "kept", now, old, true);
	json_close_object(&writer);
	render_rules(&writer, plan);
	render_warnings(&writer, plan, input->bundle);
	render_tags(&writer, "tags", input->tag, input->tag_count);
	render_texts(&writer, "bindings_to_move", moves ? remote->detail.in_use_by.item : NULL,
		moves ? remote->detail.in_use_by.count : 0);
	render_way_back(&writer, input, plan);
	json_close_object(&writer);
}
