/* The list of certificates of a pair: making, finding, renewing, removing; and their DER. */
#include "tests/awssim/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SALT_CERT = 301,
	SALT_LEFT,
	SALT_END,
	SALT_CREATED,
	SALT_UUID,
	DAY_S = 86400,
	RENEWED_LIFE_DAYS = 198,
	VALIDATION_DAYS = 3,
};

static uint64_t pair_draw(const struct world *world, size_t account, size_t region)
{
	return hash_mix(hash_mix(world->seed, SALT_CERT), account * REGIONS_MAX + region);
}

static struct cert *append(struct world *world, size_t account, size_t region)
{
	struct pair *pair = &world->account[account].pair[region];
	if (pair->count == pair->cap) {
		pair->cap = pair->cap > 0 ? pair->cap * 2 : 2;
		pair->cert = mem_resize(pair->cert, pair->cap * sizeof(*pair->cert));
	}
	struct cert *cert = &pair->cert[pair->count++];
	*cert = (struct cert){.uid = pair->next_uid++};
	cert->draw = hash_mix(pair_draw(world, account, region), cert->uid);
	return cert;
}

struct cert *cert_add(struct world *world, size_t account, size_t region)
{
	return cert_add_kind(world, account, region, -1);
}

struct cert *cert_add_kind(struct world *world, size_t account, size_t region, int wanted)
{
	struct cert *cert = append(world, account, region);
	cert->kind = cert_kind_pick(world->cert_ordinal++, world->seed);
	if (wanted >= 0)
		cert->kind = (uint16_t)wanted;
	const struct cert_kind *kind = &cert_kinds[cert->kind];
	if (kind->life_days == 0) { /* never issued */
		cert->created_s = world->base_s - (int64_t)hash_below(cert->draw, SALT_CREATED,
							  VALIDATION_DAYS * DAY_S);
		if (kind->status != PENDING_VALIDATION)
			cert->created_s -= (int64_t)DAY_S * 10;
		return cert;
	}
	int64_t span = kind->left_max_days - kind->left_min_days + 1;
	int64_t left =
		kind->left_min_days + (int64_t)hash_below(cert->draw, SALT_LEFT, (uint64_t)span);
	cert->not_after_s =
		world->base_s + left * DAY_S + (int64_t)hash_below(cert->draw, SALT_END, DAY_S);
	cert->not_before_s = cert->not_after_s - (int64_t)kind->life_days * DAY_S;
	cert->issued_s =
		cert->not_before_s + (int64_t)hash_below(cert->draw, SALT_CREATED, DAY_S / 2);
	if (cert->issued_s > world->base_s)
		cert->issued_s = world->base_s;
	cert->created_s = cert->issued_s - (int64_t)hash_below(cert->draw, SALT_CREATED, DAY_S / 4);
	return cert;
}

void cert_remove(struct pair *pair, uint32_t index)
{
	free(pair->cert[index].signature);
	cert_more_free(pair->cert[index].more);
	memmove(&pair->cert[index], &pair->cert[index + 1],
		(pair->count - index - 1) * sizeof(*pair->cert));
	pair->count--;
}

uint32_t cert_position(const struct pair *pair, uint32_t uid)
{
	uint32_t low = 0, high = pair->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (pair->cert[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The uid stands in the first eight digits, covered by the pair's draw, so that it can be found. */
void cert_uuid(const struct world *world, size_t account, size_t region, const struct cert *cert,
	char ret_uuid[UUID_LEN + 1])
{
	uint32_t cover = (uint32_t)hash_mix(pair_draw(world, account, region), SALT_UUID);
	uint64_t a = hash_mix(cert->draw, SALT_UUID), b = hash_mix(cert->draw, SALT_UUID + 1);
	snprintf(ret_uuid, UUID_LEN + 1, "%08x-%04x-4%03x-a%03x-%012llx", cert->uid ^ cover,
		(unsigned)(a & 0xffff), (unsigned)(a >> 16 & 0xfff), (unsigned)(a >> 32 & 0xfff),
		(unsigned long long)(b & 0xffffffffffff));
}

struct cert *cert_find(struct world *world, size_t account, size_t region, struct slice uuid)
{
	struct pair *pair = &world->account[account].pair[region];
	unsigned char head[4];
	if (uuid.len != UUID_LEN || !hex_decode((struct slice){uuid.ptr, 8}, head, sizeof(head)))
		return NULL;
	uint32_t cover = (uint32_t)hash_mix(pair_draw(world, account, region), SALT_UUID);
	uint32_t uid = ((uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
			       head[3]) ^
		       cover;
	uint32_t index = cert_position(pair, uid);
	if (index == pair->count || pair->cert[index].uid != uid)
		return NULL;
	char whole[UUID_LEN + 1];
	cert_uuid(world, account, region, &pair->cert[index], whole);
	return slice_is(uuid, whole) ? &pair->cert[index] : NULL;
}

/* arn:PARTITION:acm:REGION:ACCOUNT:certificate/UUID */
struct cert *cert_find_arn(
	struct world *world, const char *arn, size_t *ret_account, size_t *ret_region)
{
	struct slice part[6];
	size_t count = 0;
	for (const char *at = arn; count < 6; at += part[count++].len + 1) {
		part[count] = (struct slice){at, count < 5 ? strcspn(at, ":") : strlen(at)};
		if (count < 5 && at[part[count].len] == '\0')
			return NULL;
	}
	int region = world_find_region(world, part[3]);
	int account = world_find_account(world, part[4]);
	if (region < 0 || account < 0 || !slice_starts(part[5], "certificate/"))
		return NULL;
	if (ret_account != NULL)
		*ret_account = (size_t)account;
	if (ret_region != NULL)
		*ret_region = (size_t)region;
	return cert_find(world, (size_t)account, (size_t)region,
		(struct slice){part[5].ptr + 12, part[5].len - 12});
}

enum cert_status cert_status_at(const struct cert *cert, int64_t now_s)
{
	const struct cert_kind *kind = cert_kind_of(cert);
	bool expires = kind->status == ISSUED && !(kind->stale_status && !cert->is_renewed);
	return expires && cert->not_after_s <= now_s ? EXPIRED : kind->status;
}

void cert_renew(struct cert *cert, int64_t now_s)
{
	const struct cert_kind *kind = cert_kind_of(cert);
	int64_t life_days = kind->type == AMAZON_ISSUED ? RENEWED_LIFE_DAYS : kind->life_days;
	cert->generation++;
	cert->is_renewed = true;
	cert->not_before_s = now_s - now_s % 60;
	cert->not_after_s = cert->not_before_s + life_days * DAY_S;
	cert->issued_s = now_s;
	free(cert->signature);
	cert->signature = NULL;
}

struct cert *cert_add_held(
	struct world *world, size_t account, size_t region, struct held *take_held, int64_t now_s)
{
	struct cert *cert = append(world, account, region);
	cert->kind = (uint16_t)(cert_kind_find("delivered") - cert_kinds);
	cert->created_s = now_s;
	cert_reimport(cert, take_held, now_s);
	cert_more(cert)->has_tags = true;
	return cert;
}

void cert_reimport(struct cert *cert, struct held *take_held, int64_t now_s)
{
	struct cert_more *more = cert_more(cert);
	struct cert_kind kind = *cert_kind_of(cert);
	held_free(more->held);
	more->held = take_held;
	kind.status = ISSUED;
	kind.key = take_held->key_type;
	kind.names = held_domain(take_held) != NULL ? NAMES_ONE : NAMES_IP_ONLY;
	kind.utf8_subject = kind.describe_fails = kind.get_fails = kind.stale_status = false;
	more->kind = kind;
	cert->is_renewed = true;
	cert->not_before_s = take_held->not_before_s;
	cert->not_after_s = take_held->not_after_s;
	cert->issued_s = now_s;
	free(cert->signature);
	cert->signature = NULL;
}

void cert_der(struct cert *cert, const struct cert_facts *facts, struct out *der)
{
	if (facts->held != NULL) {
		out_bytes(der, facts->held->der.data, facts->held->der.len);
		return;
	}
	const struct key *signer = facts->issuer != NULL ? facts->issuer->key : facts->key;
	struct x509_spec spec = {.algorithm = facts->algorithm,
		.issuer = facts->issuer != NULL ? &facts->issuer->name : &facts->subject,
		.subject = &facts->subject,
		.key = facts->key,
		.issuer_key_id = signer->key_id,
		.not_before_s = cert->not_before_s,
		.not_after_s = cert->not_after_s,
		.dns = facts->dns,
		.dns_count = facts->dns_count,
		.ip = facts->ip,
		.ip_count = facts->ip_count,
		.key_usage = facts->key_usage,
		.ext_key_usage = facts->ext_key_usage,
		.ext_key_usage_count = facts->ext_key_usage_count,
		.crl_url = "http://crl.pki.example/ca.crl",
		.ocsp_url = "http://ocsp.pki.example"};
	memcpy(spec.serial, facts->serial, SERIAL_LEN);
	struct out tbs = {0};
	out_reserve(&tbs, 2048);
	x509_tbs(&tbs, &spec);
	unsigned char made[SIGNATURE_MAX];
	const unsigned char *signature = cert->signature;
	size_t len = cert->signature_len;
	if (signature == NULL) {
		len = x509_sign(signer, spec.algorithm, &tbs, made);
		signature = made;
		if (spec.algorithm != SHA256_WITH_ECDSA) { /* RSA is dear: keep it */
			cert->signature = mem_alloc(len);
			memcpy(cert->signature, made, len);
			cert->signature_len = (uint16_t)len;
		}
	}
	x509_certificate(der, &tbs, spec.algorithm, signature, len);
	out_clear(&tbs);
}
