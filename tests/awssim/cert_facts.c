/* Draws a certificate's names, key, serial, tags and users from its kind and seed. */
#include <stdio.h>
#include <string.h>

#include "tests/awssim/cert.h"

const char *const cert_type_name[] = {"IMPORTED", "AMAZON_ISSUED", "PRIVATE"};
const char *const cert_status_name[] = {"PENDING_VALIDATION", "ISSUED", "INACTIVE", "EXPIRED",
	"VALIDATION_TIMED_OUT", "REVOKED", "FAILED"};
const char *const cert_origin_name[] = {"AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED"};
const char *const cert_renewal_name[] = {
	"", "PENDING_AUTO_RENEWAL", "PENDING_VALIDATION", "SUCCESS", "FAILED"};
const char *const cert_validation_name[] = {"", "DNS", "EMAIL", "HTTP"};
const char *const cert_signature_name[] = {"SHA256WITHRSA", "SHA384WITHRSA", "SHA256WITHECDSA"};
const char *const key_usage_name[KEY_USAGES] = {"DIGITAL_SIGNATURE", "NON_REPUDIATION",
	"KEY_ENCIPHERMENT", "DATA_ENCIPHERMENT", "KEY_AGREEMENT", "CERTIFICATE_SIGNING",
	"CRL_SIGNING", "ENCIPHER_ONLY", "DECIPHER_ONLY"};

static const char oid_server[] = "1.3.6.1.5.5.7.3.1", oid_client[] = "1.3.6.1.5.5.7.3.2";
static const char oid_custom[] = "1.3.6.1.4.1.311.20.2.2";

enum {
	SALT_APEX = 401,
	SALT_HOST,
	SALT_COUNT,
	SALT_KEY,
	SALT_CA,
	SALT_SERIAL,
	SALT_TAG,
	SALT_USE,
	SALT_IP,
	DAY_S = 86400,
};

static const char *const words[] = {"shop", "api", "login", "pay", "mail", "portal", "cdn",
	"assets", "data", "edge", "admin", "docs", "status", "metrics", "search", "media", "static",
	"auth", "billing", "orders", "stock", "partner", "mobile", "web", "app", "gateway", "iot",
	"vpn", "chat", "news", "blog", "jobs"};
static const char *const ends[] = {"example.com", "example.org", "example.net", "corp.example",
	"internal.example", "shop.example"};

enum { WORDS = sizeof(words) / sizeof(words[0]), ENDS = sizeof(ends) / sizeof(ends[0]) };

const char *ext_key_usage_name(const char *oid)
{
	static const struct {
		const char *oid, *name;
	} known[] = {{oid_server, "TLS_WEB_SERVER_AUTHENTICATION"},
		{oid_client, "TLS_WEB_CLIENT_AUTHENTICATION"},
		{"1.3.6.1.5.5.7.3.3", "CODE_SIGNING"}, {"1.3.6.1.5.5.7.3.4", "EMAIL_PROTECTION"},
		{"1.3.6.1.5.5.7.3.5", "IPSEC_END_SYSTEM"}, {"1.3.6.1.5.5.7.3.6", "IPSEC_TUNNEL"},
		{"1.3.6.1.5.5.7.3.7", "IPSEC_USER"}, {"1.3.6.1.5.5.7.3.8", "TIME_STAMPING"},
		{"1.3.6.1.5.5.7.3.9", "OCSP_SIGNING"}, {"2.5.29.37.0", "ANY"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(oid, known[i].oid) == 0)
			return known[i].name;
	return "CUSTOM";
}

static const char *word(uint64_t draw, uint64_t salt)
{
	return words[hash_below(draw, salt, WORDS)];
}

static void add_dns(struct cert_facts *facts, const char *name)
{
	facts->dns[facts->dns_count++] = name;
}

static void add_many_names(
	struct arena *arena, struct cert_facts *facts, const char *apex, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_dns(facts, arena_fmt(arena, "%s-%zu.%s", word(facts->cert->draw, SALT_HOST + i),
				       i, apex));
}

static void add_ips(struct arena *arena, struct cert_facts *facts)
{
	uint64_t draw = facts->cert->draw;
	facts->ip = arena_alloc(arena, 2 * sizeof(*facts->ip));
	facts->ip[facts->ip_count++] =
		arena_fmt(arena, "10.%u.%u.%u", (unsigned)hash_below(draw, SALT_IP, 256),
			(unsigned)hash_below(draw, SALT_IP + 1, 256),
			(unsigned)hash_below(draw, SALT_IP + 2, 256));
	facts->ip[facts->ip_count++] =
		arena_fmt(arena, "fd00:%x::%x", (unsigned)hash_below(draw, SALT_IP + 3, 65535) + 1,
			(unsigned)hash_below(draw, SALT_IP + 4, 65535) + 1);
}

static const char *long_name(struct arena *arena, const char *apex)
{
	static const char label[] = "a-very-long-label-that-nobody-would-type-by-hand";
	return arena_fmt(arena, "%s.%s-2.%s-3.%s", label, label, label, apex);
}

static void draw_names(struct arena *arena, struct cert_facts *facts)
{
	uint64_t draw = facts->cert->draw;
	const char *end = ends[hash_below(draw, SALT_APEX, ENDS)];
	const char *apex = arena_fmt(arena, "%s.%s", word(draw, SALT_APEX + 1), end);
	const char *host = arena_fmt(arena, "%s-%u.%s", word(draw, SALT_HOST),
		(unsigned)hash_below(draw, SALT_COUNT, 500), apex);
	facts->dns = arena_alloc(arena, CERT_NAMES_MAX * sizeof(*facts->dns));
	switch (facts->kind->names) {
	case NAMES_ONE:
		add_dns(facts, host);
		break;
	case NAMES_APEX_WWW:
		add_dns(facts, apex);
		add_dns(facts, arena_fmt(arena, "www.%s", apex));
		break;
	case NAMES_WILDCARD:
		add_dns(facts, arena_fmt(arena, "*.%s", apex));
		if (hash_below(draw, SALT_COUNT, 3) > 0)
			add_dns(facts, apex);
		break;
	case NAMES_SEVERAL:
		add_dns(facts, host);
		add_many_names(arena, facts, apex, 2 + hash_below(draw, SALT_COUNT, 7));
		break;
	case NAMES_100:
		add_many_names(arena, facts, apex, 100);
		break;
	case NAMES_150:
		add_many_names(arena, facts, apex, 150);
		break;
	case NAMES_WITH_IP:
		add_dns(facts, host);
		add_ips(arena, facts);
		break;
	case NAMES_IP_ONLY:
		add_ips(arena, facts);
		break;
	case NAMES_NONE:
		break;
	case NAMES_LONG:
		add_dns(facts, long_name(arena, apex));
		break;
	case NAMES_IDN:
		add_dns(facts, arena_fmt(arena, "xn--mnchen-3ya.%s", apex));
		break;
	}
	facts->domain = facts->dns_count > 0 ? facts->dns[0] : NULL;
}

static void draw_subject(struct arena *arena, struct cert_facts *facts)
{
	const struct cert_kind *kind = facts->kind;
	const char *name = facts->domain;
	if (kind->names == NAMES_NONE)
		name = arena_fmt(arena, "Device %04u",
			(unsigned)hash_below(facts->cert->draw, SALT_HOST, 10000));
	else if (kind->names == NAMES_IP_ONLY)
		name = facts->ip[0];
	else if (name != NULL && strlen(name) > 64) /* RFC 5280's limit of a common name */
		name = "long name";
	facts->subject = (struct dn){.common_name = name};
	if (kind->type == IMPORTED)
		facts->subject = (struct dn){"DE", "Berlin", "Example Corp", "IT", name};
	if (kind->utf8_subject)
		facts->subject = (struct dn){"JP", "\xe6\x9d\xb1\xe4\xba\xac",
			"\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a\xe7\xa4\xbe, \"Example\" + <S\xc3\xb6hne>",
			"#1 team", name};
}

static void draw_usages(struct arena *arena, struct cert_facts *facts)
{
	enum usage_kind usage = facts->kind->usage;
	if (usage == USAGE_NONE)
		return;
	facts->ext_key_usage = arena_alloc(arena, 3 * sizeof(*facts->ext_key_usage));
	facts->key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
	if (!facts->key->is_ec)
		facts->key_usage |= KEY_USAGE_KEY_ENCIPHERMENT;
	size_t *count = &facts->ext_key_usage_count;
	if (usage != USAGE_CLIENT)
		facts->ext_key_usage[(*count)++] = oid_server;
	if (usage == USAGE_CLIENT || usage == USAGE_SERVER_CLIENT)
		facts->ext_key_usage[(*count)++] = oid_client;
	if (usage == USAGE_CUSTOM)
		facts->ext_key_usage[(*count)++] = oid_custom;
}

static void draw_keys(const struct world *world, struct cert_facts *facts)
{
	static const enum ca_class class_of[] = {CA_PUBLIC, CA_PRIVATE, CA_COMMERCIAL, CA_PUBLIC};
	const struct cert *cert = facts->cert;
	uint64_t fresh = hash_mix(cert->draw, cert->generation);
	facts->key_type = facts->kind->key;
	facts->key = key_pool_leaf(world->keys, facts->key_type, hash_mix(fresh, SALT_KEY));
	facts->algorithm = SHA256_WITH_RSA;
	if (facts->kind->issuer != BY_ITSELF) {
		facts->issuer = key_pool_ca(world->keys, class_of[facts->kind->issuer],
			facts->key->is_ec, hash_mix(cert->draw, SALT_CA));
		facts->algorithm = facts->issuer->signs_with;
	}
	uint64_t half[2] = {hash_mix(fresh, SALT_SERIAL), hash_mix(fresh, SALT_SERIAL + 1)};
	memcpy(facts->serial, half, SERIAL_LEN);
	facts->serial_len = SERIAL_LEN;
	facts->signature_name = cert_signature_name[facts->algorithm];
	if (facts->serial[0] == 0)
		facts->serial[0] = 1;
}

static void add_tag(struct cert_facts *facts, const char *key, const char *value)
{
	facts->tag[facts->tag_count++] = (struct cert_tag){key, value};
}

static void add_own_tags(struct cert_facts *facts)
{
	const struct cert_more *more = facts->cert->more;
	for (size_t i = 0; i < more->tag_count; i++)
		add_tag(facts, more->tag_key[i], more->tag_value[i]);
}

static void draw_tags(struct arena *arena, struct cert_facts *facts)
{
	if (facts->cert->more != NULL && facts->cert->more->has_tags) {
		add_own_tags(facts);
		return;
	}
	static const char *const stages[] = {"production", "staging", "development", "test"};
	uint64_t draw = hash_mix(facts->cert->draw, facts->cert->tag_generation);
	switch (facts->kind->tags) {
	case TAGS_NONE:
		if (facts->cert->tag_generation > 0)
			add_tag(facts, "Owner", word(draw, SALT_TAG));
		break;
	case TAGS_SOME:
		add_tag(facts, "Owner", word(draw, SALT_TAG));
		add_tag(facts, "Environment", stages[hash_below(draw, SALT_TAG + 1, 4)]);
		if (hash_below(draw, SALT_TAG + 2, 2) == 0)
			add_tag(facts, "CostCenter",
				arena_fmt(arena, "%05u",
					(unsigned)hash_below(draw, SALT_TAG + 3, 100000)));
		break;
	case TAGS_ODD:
		add_tag(facts, "team:owner/x=y+@_.-", "a=b c:d/e+f@g_h.i-j");
		add_tag(facts,
			"Gr\xc3\xb6\xc3\x9f"
			"e",
			"\xe6\x9d\xb1\xe4\xba\xac \xc3\xa9t\xc3\xa9");
		add_tag(facts, "empty", "");
		add_tag(facts, " leading blank", " both ends ");
		add_tag(facts, "Owner", word(draw, SALT_TAG));
		break;
	case TAGS_50:
		for (unsigned i = 0; i < CERT_TAGS_MAX; i++)
			add_tag(facts, arena_fmt(arena, "key-%02u", i),
				arena_fmt(arena, "value %llx",
					(unsigned long long)hash_mix(draw, SALT_TAG + i)));
		break;
	}
}

static void add_load_balancer(
	struct world *world, struct cert_facts *facts, const char *account, uint64_t salt)
{
	struct arena *arena = &world->arena;
	uint64_t draw = facts->cert->draw;
	facts->used_by[facts->used_by_count++] = arena_fmt(arena,
		"arn:%s:elasticloadbalancing:%s:%s:loadbalancer/%s/%s-%llu/%016llx",
		world->partition->id, world->region[facts->region].name, account,
		hash_below(draw, salt, 4) == 0 ? "net" : "app", word(draw, salt + 1),
		(unsigned long long)hash_below(draw, salt + 2, 100),
		(unsigned long long)hash_mix(draw, salt + 3));
}

static void add_distribution(
	struct world *world, struct cert_facts *facts, const char *account, uint64_t salt)
{
	facts->used_by[facts->used_by_count++] = arena_fmt(&world->arena,
		"arn:%s:cloudfront::%s:distribution/E%013llX", world->partition->id, account,
		(unsigned long long)(hash_mix(facts->cert->draw, salt) & 0xfffffffffffff));
}

static void draw_uses(struct world *world, struct cert_facts *facts)
{
	const char *own = world->account[facts->account].id;
	enum use_kind use = facts->kind->use;
	if (facts->cert->in_use_flipped)
		use = use == USE_NONE ? USE_ALB : USE_NONE;
	switch (use) {
	case USE_NONE:
		break;
	case USE_ALB:
		add_load_balancer(world, facts, own, SALT_USE);
		break;
	case USE_CLOUDFRONT:
		add_distribution(world, facts, own, SALT_USE);
		break;
	case USE_MANY:
		for (unsigned i = 0; i < 2 + hash_below(facts->cert->draw, SALT_COUNT, 20); i++)
			add_load_balancer(world, facts, own, SALT_USE + 10 * i);
		add_distribution(world, facts, own, SALT_USE);
		break;
	case USE_FOREIGN: /* the hidden half of API Gateway and Cognito domains */
		add_distribution(world, facts, "392220576650", SALT_USE);
		add_load_balancer(world, facts, "580317146650", SALT_USE + 1);
		break;
	}
	const struct cert_more *more = facts->cert->more;
	for (size_t i = 0; more != NULL && i < more->uses.count; i++)
		if (facts->used_by_count < CERT_USES_MAX)
			facts->used_by[facts->used_by_count++] = more->uses.item[i];
	facts->in_use = facts->used_by_count > 0;
}

static void set_state(struct cert_facts *facts, int64_t now_s)
{
	const struct cert *cert = facts->cert;
	const struct cert_kind *kind = facts->kind;
	facts->status = cert_status_at(cert, now_s);
	facts->has_pem = cert->not_after_s != 0;
	facts->created_s = cert->created_s;
	if (kind->type == IMPORTED)
		facts->imported_s = cert->issued_s;
	else if (facts->has_pem)
		facts->issued_s = cert->issued_s;
	if (facts->status == REVOKED)
		facts->revoked_s = cert->issued_s + DAY_S;
	facts->exported = kind->exported && !cert->is_renewed;
	facts->renewal = kind->renewal;
	if (cert->is_renewed)
		facts->renewal = kind->type == IMPORTED ? RENEWAL_NONE : RENEWAL_SUCCESS;
	facts->renewal_eligible = kind->type != IMPORTED && kind->origin != ACME &&
				  facts->status == ISSUED && (facts->in_use || facts->exported);
}

/* What the imported certificate says, in the place of what would be drawn. */
static void take_held(struct arena *arena, struct cert_facts *facts, const struct held *held)
{
	facts->held = held;
	facts->dns = held->dns.item;
	facts->dns_count = held->dns.count;
	facts->ip = held->ip.item;
	facts->ip_count = held->ip.count;
	facts->domain = held_domain(held);
	facts->key_type = held->key_type;
	facts->signature_name = held->signature_name;
	memcpy(facts->serial, held->serial, held->serial_len);
	facts->serial_len = held->serial_len;
	facts->key_usage = held->key_usage;
	facts->ext_key_usage = held->ext_key_usage.item;
	facts->ext_key_usage_count = held->ext_key_usage.count;
	facts->subject.common_name = held->common_name;
	if (facts->dns_count == 0 && facts->domain != NULL) { /* named by its common name only */
		facts->dns = arena_alloc(arena, sizeof(*facts->dns));
		facts->dns[facts->dns_count++] = facts->domain;
	}
}

void cert_describe(struct world *world, size_t account, size_t region, const struct cert *cert,
	int64_t now_s, struct cert_facts *ret_facts)
{
	struct arena *arena = &world->arena;
	arena_reset(arena);
	memset(ret_facts, 0, sizeof(*ret_facts));
	ret_facts->cert = cert;
	ret_facts->kind = cert_kind_of(cert);
	ret_facts->account = account;
	ret_facts->region = region;
	cert_uuid(world, account, region, cert, ret_facts->uuid);
	ret_facts->arn = arena_fmt(arena, "arn:%s:acm:%s:%s:certificate/%s", world->partition->id,
		world->region[region].name, world->account[account].id, ret_facts->uuid);
	if (cert->more != NULL && cert->more->held != NULL) {
		take_held(arena, ret_facts, cert->more->held);
	} else {
		draw_names(arena, ret_facts);
		draw_subject(arena, ret_facts);
		draw_keys(world, ret_facts);
		draw_usages(arena, ret_facts);
	}
	draw_tags(arena, ret_facts);
	draw_uses(world, ret_facts);
	set_state(ret_facts, now_s);
}
