/*
 * The truth as JSON. 100,000 certificates are more than fits one answer, so a cursor walks the
 * accounts and each piece is one account.
 */
#include "tests/awssim/truth.h"

#include <stdlib.h>
#include <string.h>

#include "tests/awssim/cert.h"
#include "tests/awssim/digest.h"

static const char *const state_name[] = {
	"ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"};

struct cursor {
	struct sim *sim; /* borrowed */
	struct truth_options options;
	size_t account;
	uint32_t certificate;
	size_t region;
	bool has_written;
};

const char *truth_account_state(const struct world *world, size_t index)
{
	const struct account *account = &world->account[index];
	if (account->state != ACTIVE)
		return "account_inactive";
	bool is_hub = index == world->hub;
	bool has_role = !account->role_missing && !account->trust_refuses &&
			(index != world->management || world->options->management_has_role);
	if (!is_hub && !has_role)
		return "role_unassumable";
	if (account->scp_all)
		return "denied_by_scp";
	if (account->list_regions_denied && account->describe_regions_denied)
		return "denied";
	return NULL;
}

const char *truth_pair_state(const struct world *world, size_t index, size_t region)
{
	const struct account *account = &world->account[index];
	if (!account_region_enabled(account, region))
		return "region_disabled";
	if (account->scp_all || account->scp_acm || (account->scp_regions >> region & 1) != 0)
		return "denied_by_scp";
	return account->acm_denied ? "denied" : "ok";
}

static void add_coverage(const struct world *world, size_t index, struct out *out)
{
	const struct account *account = &world->account[index];
	const char *whole = truth_account_state(world, index);
	/* With regions = enabled; an account whose regions cannot be known has the one region "*". */
	json_key(out, "coverage");
	json_open(out, '[');
	for (size_t i = 0; i < (whole != NULL ? 1 : world->region_count); i++) {
		const char *state = whole != NULL ? whole : truth_pair_state(world, index, i);
		json_open(out, '{');
		json_member(out, "region", whole != NULL ? "*" : world->region[i].name);
		json_member(out, "state", state);
		if (strcmp(state, "ok") == 0)
			json_member_int(out, "certificates", account->pair[i].count);
		json_close(out, '}');
	}
	json_close(out, ']');
	/* With the regions given by the configuration instead of asked for. */
	bool is_asked = whole != NULL && strcmp(whole, "account_inactive") != 0 &&
			strcmp(whole, "role_unassumable") != 0;
	json_key(out, "coverage_of_listed_regions");
	json_open(out, '[');
	for (size_t i = 0; i < world->region_count; i++) {
		bool is_visited = whole == NULL || is_asked;
		const char *state = is_visited ? truth_pair_state(world, index, i) : whole;
		json_open(out, '{');
		json_member(out, "region", world->region[i].name);
		json_member(out, "state", state);
		if (strcmp(state, "ok") == 0)
			json_member_int(out, "certificates", account->pair[i].count);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void add_unit_path(const struct world *world, int unit, struct out *out)
{
	int chain[8], count = 0;
	struct out path = {0};
	for (; unit >= 0 && count < 8; unit = world->unit[unit].parent)
		chain[count++] = unit;
	out_text(&path, "Root");
	while (count-- > 0)
		out_fmt(&path, "/%s", world->unit[chain[count]].name);
	json_member(out, "unit_path", path.data);
	out_clear(&path);
}

static void add_account(const struct world *world, size_t index, struct out *out)
{
	const struct account *account = &world->account[index];
	struct out name = {0};
	account_name(account, &name);
	json_open(out, '{');
	json_member(out, "account_id", account->id);
	json_member(out, "name", name.data);
	json_member(out, "state", state_name[account->state]);
	json_member(out, "unit_id",
		account->unit >= 0 ? world->unit[account->unit].id : world->root_id);
	add_unit_path(world, account->unit, out);
	json_member_bool(out, "is_management", index == world->management);
	json_member_bool(out, "is_hub", index == world->hub);
	json_member_bool(out, "role_missing", account->role_missing);
	json_member_bool(out, "trust_refuses", account->trust_refuses);
	json_member_bool(out, "list_regions_denied", account->list_regions_denied);
	add_coverage(world, index, out);
	json_close(out, '}');
	out_clear(&name);
}

static void add_hash(struct out *out, const char *key, const void *bytes, size_t len)
{
	unsigned char hash[SHA256_LEN];
	struct out hex = {0};
	digest_sha256(bytes, len, hash);
	out_hex(&hex, hash, sizeof(hash));
	json_member(out, key, hex.data);
	out_clear(&hex);
}

static void add_time(struct out *out, const char *key, int64_t time_s)
{
	char text[TIME_TEXT_MAX];
	time_format_rfc3339(time_s, text);
	json_member(out, key, time_s != 0 ? text : NULL);
}

/* What follows from the certificate itself. */
static void add_pem_facts(
	struct out *out, struct cert *cert, const struct cert_facts *facts, bool with_pem)
{
	struct out der = {0}, pem = {0}, text = {0};
	cert_der(cert, facts, &der);
	pem_add(&pem, (const unsigned char *)der.data, der.len, "\n");
	const struct held *held = facts->held;
	const struct ca *issuer = facts->issuer;
	const char *chain_sha256 = issuer != NULL ? issuer->chain_sha256 : NULL;
	const char *chain_pem = issuer != NULL ? issuer->chain_pem.data : NULL;
	if (held != NULL && held->chain_pem.len > 0) {
		chain_sha256 = held->chain_sha256;
		chain_pem = held->chain_pem.data;
	}
	out_hex(&text, facts->serial, facts->serial_len);
	json_member(out, "serial", text.data);
	add_hash(out, "fingerprint_sha256", der.data, der.len);
	add_hash(out, "pem_sha256", pem.data, pem.len);
	json_member(out, "chain_sha256", chain_sha256);
	text.len = 0;
	dn_text(&text, &facts->subject);
	json_member(out, "subject", held != NULL ? held->subject : text.data);
	text.len = 0;
	dn_text(&text, issuer != NULL ? &issuer->name : &facts->subject);
	json_member(out, "issuer", held != NULL ? held->issuer : text.data);
	json_member(out, "signature_algorithm", facts->signature_name);
	if (with_pem) {
		json_member(out, "pem", pem.data);
		json_member(out, "chain_pem", chain_pem);
	}
	out_clear(&der);
	out_clear(&pem);
	out_clear(&text);
}

static void add_lists(struct out *out, const struct cert_facts *facts)
{
	json_key(out, "subject_alternative_names");
	json_open(out, '[');
	for (size_t i = 0; i < facts->dns_count; i++)
		json_text(out, facts->dns[i]);
	for (size_t i = 0; i < facts->ip_count; i++)
		json_text(out, facts->ip[i]);
	json_close(out, ']');
	json_key(out, "in_use_by");
	json_open(out, '[');
	for (size_t i = 0; i < facts->used_by_count; i++)
		json_text(out, facts->used_by[i]);
	json_close(out, ']');
	json_key(out, "tags");
	json_open(out, '{');
	for (size_t i = 0; i < facts->tag_count; i++)
		json_member(out, facts->tag[i].key, facts->tag[i].value);
	json_close(out, '}');
}

static void add_certificate(
	struct cursor *cursor, size_t account, size_t region, struct cert *cert, struct out *out)
{
	struct world *world = cursor->sim->world;
	struct cert_facts facts;
	cert_describe(world, account, region, cert, sim_now_s(cursor->sim), &facts);
	const struct cert_kind *kind = facts.kind;
	json_open(out, '{');
	json_member(out, "arn", facts.arn);
	json_member(out, "account_id", world->account[account].id);
	json_member(out, "region", world->region[region].name);
	json_member(out, "kind", kind->name);
	json_member(out, "domain_name", facts.domain);
	json_member(out, "status", cert_status_name[facts.status]);
	json_member(out, "type", cert_type_name[kind->type]);
	json_member(out, "key_algorithm", key_type_name[facts.key_type]);
	json_member(out, "key_pair_origin", cert_origin_name[kind->origin]);
	add_time(out, "not_before", cert->not_before_s);
	add_time(out, "not_after", cert->not_after_s);
	add_time(out, "created_at", facts.created_s);
	add_time(out, "issued_at", facts.issued_s);
	add_time(out, "imported_at", facts.imported_s);
	add_time(out, "revoked_at", facts.revoked_s);
	json_member_bool(out, "in_use", facts.in_use);
	json_member_bool(out, "exported", facts.exported);
	json_member(out, "export_option",
		kind->type == IMPORTED ? NULL : (kind->export_enabled ? "ENABLED" : "DISABLED"));
	json_member(out, "renewal_eligibility", facts.renewal_eligible ? "ELIGIBLE" : "INELIGIBLE");
	json_member(out, "renewal_status",
		facts.renewal == RENEWAL_NONE ? NULL : cert_renewal_name[facts.renewal]);
	json_member(out, "managed_by", kind->by_cloudfront ? "CLOUDFRONT" : NULL);
	json_member(out, "validation_method",
		kind->validation == VALIDATED_NOT ? NULL : cert_validation_name[kind->validation]);
	json_member_int(out, "imports", cert->more != NULL ? cert->more->imports : 0);
	json_member_bool(out, "is_held", facts.held != NULL);
	json_member_bool(out, "describe_fails", kind->describe_fails);
	json_member_bool(out, "get_fails", kind->get_fails);
	json_member_bool(out, "has_pem", facts.has_pem);
	json_member_bool(out, "listed_by_default",
		facts.key_type <= RSA_2048 && facts.domain != NULL && kind->origin != ACME);
	add_lists(out, &facts);
	if (facts.has_pem)
		add_pem_facts(out, cert, &facts, cursor->options.with_pem);
	json_close(out, '}');
}

static void add_head(const struct world *world, int64_t now_s, struct out *out)
{
	json_open(out, '{');
	json_member_int(out, "schema", 1);
	add_time(out, "now", now_s);
	add_time(out, "now_base", world->base_s);
	json_member(out, "partition", world->partition->id);
	json_member(out, "organization_id", world->org_id);
	json_member(out, "root_id", world->root_id);
	json_member(out, "management_account_id", world->account[world->management].id);
	json_member(out, "hub_account_id", world->account[world->hub].id);
	json_key(out, "regions");
	json_open(out, '[');
	for (size_t i = 0; i < world->region_count; i++)
		json_text(out, world->region[i].name);
	json_close(out, ']');
	json_key(out, "units");
	json_open(out, '[');
	for (size_t i = 0; i < world->unit_count; i++) {
		json_open(out, '{');
		json_member(out, "unit_id", world->unit[i].id);
		json_member(out, "name", world->unit[i].name);
		json_member(out, "parent_id",
			world->unit[i].parent >= 0 ? world->unit[world->unit[i].parent].id
						   : world->root_id);
		add_unit_path(world, (int)i, out);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_key(out, "accounts");
	json_open(out, '[');
	for (size_t i = 0; i < world->account_count; i++)
		add_account(world, i, out);
	json_close(out, ']');
	json_key(out, "certificates");
	json_open(out, '[');
}

static bool is_left_out(const struct cursor *cursor, size_t account, size_t region)
{
	const struct world *world = cursor->sim->world;
	return cursor->options.only_reachable &&
	       (truth_account_state(world, account) != NULL ||
		       strcmp(truth_pair_state(world, account, region), "ok") != 0);
}

/* One certificate at a time; the caller asks until a piece is full. */
static bool more_truth(void *arg, struct out *out)
{
	struct cursor *cursor = arg;
	struct world *world = cursor->sim->world;
	while (!cursor->options.without_certificates && cursor->account < world->account_count) {
		if (cursor->region == world->region_count) {
			cursor->account++;
			cursor->region = 0;
			continue;
		}
		struct pair *pair = &world->account[cursor->account].pair[cursor->region];
		if (cursor->certificate >= pair->count ||
			is_left_out(cursor, cursor->account, cursor->region)) {
			cursor->region++;
			cursor->certificate = 0;
			continue;
		}
		/* The buffer is emptied between pieces, so the comma cannot be left to the writer. */
		if (cursor->has_written)
			out_char(out, ',');
		cursor->has_written = true;
		add_certificate(cursor, cursor->account, cursor->region,
			&pair->cert[cursor->certificate++], out);
		return true;
	}
	out_text(out, "]}\n");
	return false;
}

void truth_answer(struct sim *sim, const struct truth_options *options, struct reply *reply)
{
	struct cursor *cursor = mem_alloc(sizeof(*cursor));
	*cursor = (struct cursor){.sim = sim, .options = *options};
	reply->content_type = "application/json";
	add_head(sim->world, sim_now_s(sim), &reply->body);
	reply->more = more_truth;
	reply->more_arg = cursor;
	reply->more_free = free;
}
