/* Makes the successor of foreign.h with the simulator's own CAs and keys. */
#include "tests/awssim/foreign.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { LIFE_S = 90 * 86400, BACKDATE_S = 60 };

static X509 *decode(const struct out *der)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509 *x509 = d2i_X509(NULL, &at, (long)der->len);
	if (x509 == NULL)
		abort();
	return x509;
}

struct held *foreign_successor(
	const struct world *world, const struct held *old, uint64_t draw, int64_t now_s)
{
	const struct key *key = key_pool_leaf(world->keys, old->key_type, hash_mix(draw, 1));
	const struct ca *ca =
		key_pool_ca(world->keys, CA_COMMERCIAL, key->is_ec, hash_mix(draw, 2));
	struct dn subject = {.common_name = old->common_name};
	struct x509_spec spec = {.algorithm = ca->signs_with,
		.issuer = &ca->name,
		.subject = &subject,
		.key = key,
		.issuer_key_id = ca->key->key_id,
		.not_before_s = now_s - BACKDATE_S,
		.not_after_s = now_s + LIFE_S,
		.dns = old->dns.item,
		.dns_count = old->dns.count,
		.ip = old->ip.item,
		.ip_count = old->ip.count,
		.key_usage = old->key_usage,
		.ext_key_usage = old->ext_key_usage.item,
		.ext_key_usage_count = old->ext_key_usage.count};
	uint64_t half[2] = {hash_mix(draw, 3), hash_mix(draw, 4)};
	memcpy(spec.serial, half, SERIAL_LEN);
	spec.serial[0] = (unsigned char)(spec.serial[0] & 0x7f) | 1;
	unsigned char signature[SIGNATURE_MAX];
	struct out tbs = {0}, der = {0};
	x509_tbs(&tbs, &spec);
	size_t len = x509_sign(ca->key, spec.algorithm, &tbs, signature);
	x509_certificate(&der, &tbs, spec.algorithm, signature, len);
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *leaf = decode(&der);
	for (const struct ca *at = ca; at != NULL; at = at->issuer)
		if (sk_X509_push(chain, decode(&at->der)) <= 0)
			abort();
	out_clear(&tbs);
	out_clear(&der);
	EVP_PKEY_up_ref(key->private_key);
	return held_new(leaf, chain, key->private_key);
}
