/* ACM ImportCertificate: the request, what it refers to, the quotas, the effect. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/acm.h"
#include "tests/awssim/consistency.h"
#include "tests/awssim/digest.h"
#include "tests/awssim/import_pem.h"
#include "tests/awssim/import_rules.h"

enum {
	CERTIFICATE_MAX = 32768,
	PRIVATE_KEY_MAX = 5120,
	CHAIN_MAX = 2097152,
	QUOTA_CERTIFICATES = 2500,
	QUOTA_IMPORTS = 5000,
	YEAR_S = 365 * 86400,
};

struct order {
	struct out certificate, private_key, chain;
	bool has_chain;
	const char *arn; /* NULL: a new one */
	struct acm_tag tag[CERT_TAGS_MAX];
	size_t tag_count;
	bool has_tags;
};

void acm_settings_reset(struct acm_settings *settings)
{
	*settings = (struct acm_settings){
		.certificates_max = QUOTA_CERTIFICATES, .imports_max = QUOTA_IMPORTS};
}

/* Base64 exactly once, within the size. member is the name in messages. */
static bool read_blob(struct call *call, const char *key, const char *member, size_t max,
	struct out *blob, bool *ret_has)
{
	const char *text;
	if (!input_text(call, key, &text))
		return false;
	*ret_has = text != NULL;
	if (text == NULL)
		return true;
	if (!base64_decode(slice_of(text), blob)) {
		call_fail_common(call, ERROR_MALFORMED, "%s is not base64", key);
		return false;
	}
	if (blob->len == 0 || blob->len > max) {
		call_fail_common(call, ERROR_INVALID,
			"1 validation error detected: Value at '%s' failed to satisfy constraint: "
			"Member must have length %s than or equal to %zu",
			member, blob->len == 0 ? "greater" : "less",
			blob->len == 0 ? (size_t)1 : max);
		return false;
	}
	return true;
}

static bool read_order(struct call *call, struct order *order)
{
	bool has_certificate, has_key;
	if (!read_blob(call, "Certificate", "certificate", CERTIFICATE_MAX, &order->certificate,
		    &has_certificate) ||
		!read_blob(call, "PrivateKey", "privateKey", PRIVATE_KEY_MAX, &order->private_key,
			&has_key) ||
		!read_blob(call, "CertificateChain", "certificateChain", CHAIN_MAX, &order->chain,
			&order->has_chain) ||
		!input_text(call, "CertificateArn", &order->arn))
		return false;
	if (!has_certificate || !has_key) {
		acm_fail_null(call, has_certificate ? "privateKey" : "certificate");
		return false;
	}
	const json_t *tags = json_object_get(call->input, "Tags");
	order->has_tags = tags != NULL && !json_is_null(tags);
	return !order->has_tags || acm_read_tags(call, order->tag, &order->tag_count);
}

/* acm:ImportCertificate, and acm:AddTagsToCertificate for tags. */
static bool may_import(struct call *call, const struct order *order)
{
	const struct world *world = call->sim->world;
	struct out any = {0};
	out_fmt(&any, "arn:%s:acm:%s:%s:certificate/*", world->partition->id, call->region_name,
		world->account[call->who->account].id);
	const char *resource = order->arn != NULL ? order->arn : any.data;
	bool may = acm_may(call, "acm:ImportCertificate", resource) &&
		   (!order->has_tags || acm_may(call, "acm:AddTagsToCertificate", resource));
	out_clear(&any);
	return may;
}

/* The one to be replaced. NULL after an error was answered. */
static struct cert *find_old(struct call *call, const char *uuid, const struct order *order,
	struct cert_facts *ret_facts)
{
	struct world *world = call->sim->world;
	size_t account = call->who->account, region = (size_t)call->region;
	struct cert *old = cert_find(world, account, region, slice_of(uuid));
	if (old == NULL) {
		acm_fail_not_found(call, order->arn);
		return NULL;
	}
	cert_describe(world, account, region, old, call->now_s, ret_facts);
	if (ret_facts->kind->type != IMPORTED) {
		call_fail_common(call, ERROR_INVALID,
			"Certificate %s is not an imported certificate: it cannot be reimported.",
			ret_facts->arn);
		return NULL;
	}
	return old;
}

static uint32_t imports_of_year(const struct pair *pair, int64_t now_s)
{
	uint32_t first = pair->imports;
	while (first > 0 && pair->import_s[first - 1] > now_s - YEAR_S)
		first--;
	return pair->imports - first;
}

static void count_import(struct call *call, struct pair *pair, struct cert *cert)
{
	if (pair->imports == pair->imports_cap) {
		pair->imports_cap = pair->imports_cap > 0 ? pair->imports_cap * 2 : 4;
		pair->import_s =
			mem_resize(pair->import_s, pair->imports_cap * sizeof(*pair->import_s));
	}
	pair->import_s[pair->imports++] = call->now_s;
	cert->more->imports++;
	cert->more->changed_ms = sim_mono_ms();
}

static void note_import(
	struct call *call, const struct cert_facts *facts, const struct order *order)
{
	struct world *world = call->sim->world;
	unsigned char hash[SHA256_LEN];
	struct out hex = {0};
	if (world->note_count == world->note_cap) {
		world->note_cap = world->note_cap > 0 ? world->note_cap * 2 : 64;
		world->note = mem_resize(world->note, world->note_cap * sizeof(*world->note));
	}
	struct import_note *note = &world->note[world->note_count++];
	*note = (struct import_note){.arn = mem_strdup(facts->arn),
		.at_s = call->now_s,
		.is_reimport = order->arn != NULL,
		.has_tags = order->has_tags};
	out_hex(&hex, facts->serial, facts->serial_len);
	slice_copy((struct slice){hex.data, hex.len}, note->serial, sizeof(note->serial));
	hex.len = 0;
	digest_sha256(facts->held->der.data, facts->held->der.len, hash);
	out_hex(&hex, hash, sizeof(hash));
	slice_copy((struct slice){hex.data, hex.len}, note->fingerprint, sizeof(note->fingerprint));
	out_clear(&hex);
}

static bool is_within_quota(struct call *call, const struct pair *pair, bool is_new)
{
	const struct acm_settings *settings = &call->sim->acm;
	int64_t imported = 0;
	for (uint32_t i = 0; is_new && i < pair->count; i++)
		imported += cert_kind_of(&pair->cert[i])->type == IMPORTED;
	if (is_new && imported >= settings->certificates_max) {
		call_fail(call, 400, "LimitExceededException",
			"You have reached the maximum number of certificates. Delete certificates that "
			"are not in use, or contact AWS Support to request an increase.");
		return false;
	}
	if (imports_of_year(pair, call->now_s) >= settings->imports_max) {
		call_fail(call, 400, "LimitExceededException",
			"You have imported too many certificates in the last 365 days.");
		return false;
	}
	return true;
}

/* What the blobs hold, by the rules. NULL after an error was answered. */
static struct held *read_held(
	struct call *call, const struct order *order, const struct cert_facts *old)
{
	const char *mismatch = call->sim->acm.mismatch_code;
	struct import_request request = {
		.certificate = {order->certificate.data, order->certificate.len},
		.private_key = {order->private_key.data, order->private_key.len},
		.chain = {order->has_chain ? order->chain.data : NULL, order->chain.len},
		.now_s = call->now_s,
		.mismatch_code = mismatch[0] != '\0' ? mismatch : NULL};
	struct import_refusal why;
	struct import_face fresh_face, old_face;
	struct held *held = import_read(&request, &why);
	bool ok = held != NULL;
	if (ok && old != NULL) {
		old_face = (struct import_face){.key_type = old->key_type,
			.common_name = old->subject.common_name,
			.dns = old->dns,
			.ip = old->ip,
			.dns_count = old->dns_count,
			.ip_count = old->ip_count,
			.key_usage = old->key_usage,
			.ext_key_usage = old->ext_key_usage,
			.ext_key_usage_count = old->ext_key_usage_count};
		import_face_of(held, &fresh_face);
		ok = import_may_replace(&old_face, &fresh_face, &why);
	}
	if (ok)
		return held;
	call_fail(call, 400, why.code, "%s", why.message);
	held_free(held);
	return NULL;
}

static void carry_out(struct call *call, const struct order *order)
{
	struct world *world = call->sim->world;
	size_t account = call->who->account, region = (size_t)call->region;
	struct pair *pair = &world->account[account].pair[region];
	struct cert_facts old_facts;
	struct cert *cert = NULL;
	const char *uuid = NULL;
	enum acm_arn kind =
		order->arn != NULL ? acm_read_arn(call, order->arn, &uuid) : ACM_ARN_OWN;
	if (kind == ACM_ARN_BAD) {
		acm_fail_bad_arn(call, order->arn);
		return;
	}
	if (!may_import(call, order))
		return;
	if (order->arn != NULL && order->has_tags) {
		call_fail_common(call, ERROR_INVALID, "Tagging is not permitted on re-import.");
		return;
	}
	if (kind == ACM_ARN_FOREIGN) {
		acm_fail_not_found(call, order->arn);
		return;
	}
	if (uuid != NULL && (cert = find_old(call, uuid, order, &old_facts)) == NULL)
		return;
	struct held *held = read_held(call, order, cert != NULL ? &old_facts : NULL);
	if (held == NULL)
		return;
	if (!is_within_quota(call, pair, cert == NULL)) {
		held_free(held);
		return;
	}
	if (cert != NULL) {
		consistency_keep(call->sim, account, region, cert);
		cert_reimport(cert, held, call->now_s);
	} else {
		cert = cert_add_held(world, account, region, held, call->now_s);
		consistency_keep_absence(call->sim, account, region, cert);
	}
	for (size_t i = 0; i < order->tag_count; i++)
		cert_tag_set(cert->more, order->tag[i].key,
			order->tag[i].value != NULL ? order->tag[i].value : "");
	count_import(call, pair, cert);
	struct cert_facts facts;
	cert_describe(world, account, region, cert, call->now_s, &facts);
	note_import(call, &facts, order);
	json_open(&call->reply->body, '{');
	json_member(&call->reply->body, "CertificateArn", facts.arn);
	json_close(&call->reply->body, '}');
}

void acm_import_certificate(struct call *call)
{
	struct order order = {0};
	if (read_order(call, &order))
		carry_out(call, &order);
	out_clear(&order.certificate);
	out_clear(&order.private_key);
	out_clear(&order.chain);
}
