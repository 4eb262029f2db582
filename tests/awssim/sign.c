/*
 * Deterministic signatures. RSA PKCS#1 v1.5 is deterministic by itself; ECDSA gets its nonce from
 * HMAC(private key, message hash), in the spirit of RFC 6979, because OpenSSL 3.0 offers only a
 * random one. Test keys only.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "tests/awssim/der.h"
#include "tests/awssim/digest.h"

static void must(bool ok)
{
	if (!ok)
		abort(); /* our own keys and sizes */
}

void key_from_private(EVP_PKEY *private_key, struct key *ret_key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(private_key, &der);
	if (len <= 0)
		abort();
	struct key key = {.private_key = private_key, .is_ec = EVP_PKEY_is_a(private_key, "EC")};
	out_bytes(&key.spki, der, (size_t)len);
	digest_sha1(der, (size_t)len, key.key_id);
	OPENSSL_free(der);
	*ret_key = key;
}

void key_clear(struct key *key)
{
	EVP_PKEY_free(key->private_key);
	out_clear(&key->spki);
}

static size_t sign_rsa(const struct key *signer, enum signature_algorithm algorithm,
	const struct out *tbs, unsigned char *ret_signature)
{
	unsigned char hash[SHA384_LEN];
	bool is_384 = algorithm == SHA384_WITH_RSA;
	if (is_384)
		digest_sha384(tbs->data, tbs->len, hash);
	else
		digest_sha256(tbs->data, tbs->len, hash);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->private_key, NULL);
	size_t len = SIGNATURE_MAX;
	must(context != NULL && EVP_PKEY_sign_init(context) == 1);
	must(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
	must(EVP_PKEY_CTX_set_signature_md(context, is_384 ? EVP_sha384() : EVP_sha256()) == 1);
	must(EVP_PKEY_sign(context, ret_signature, &len, hash, is_384 ? SHA384_LEN : SHA256_LEN) ==
		1);
	EVP_PKEY_CTX_free(context);
	return len;
}

/* r = (kG).x mod n, s = (e + r d) / k mod n; encoded as SEQUENCE { r, s }. */
static size_t sign_p256(
	const struct key *signer, const struct out *tbs, unsigned char *ret_signature)
{
	unsigned char hash[SHA256_LEN], nonce[SHA256_LEN], secret[SHA256_LEN];
	digest_sha256(tbs->data, tbs->len, hash);
	BIGNUM *d = NULL;
	must(EVP_PKEY_get_bn_param(signer->private_key, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1);
	must(BN_bn2binpad(d, secret, SHA256_LEN) == SHA256_LEN);
	digest_hmac(secret, SHA256_LEN, hash, SHA256_LEN, nonce);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BN_CTX *context = BN_CTX_new();
	must(group != NULL && context != NULL);
	const BIGNUM *order = EC_GROUP_get0_order(group);
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *k = BN_bin2bn(nonce, SHA256_LEN, NULL), *e = BN_bin2bn(hash, SHA256_LEN, NULL);
	BIGNUM *r = BN_new(), *s = BN_new();
	must(point != NULL && k != NULL && e != NULL && r != NULL && s != NULL);
	must(BN_nnmod(k, k, order, context) == 1 && !BN_is_zero(k));
	must(EC_POINT_mul(group, point, k, NULL, NULL, context) == 1);
	must(EC_POINT_get_affine_coordinates(group, point, r, NULL, context) == 1);
	must(BN_nnmod(r, r, order, context) == 1);
	must(BN_mod_mul(s, r, d, order, context) == 1);
	must(BN_mod_add(s, s, e, order, context) == 1);
	must(BN_mod_inverse(k, k, order, context) != NULL);
	must(BN_mod_mul(s, s, k, order, context) == 1);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	must(pair != NULL && ECDSA_SIG_set0(pair, r, s) == 1);
	unsigned char *to = ret_signature;
	int len = i2d_ECDSA_SIG(pair, &to);
	must(len > 0);
	ECDSA_SIG_free(pair); /* and r, s */
	BN_free(k);
	BN_free(e);
	BN_free(d);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	BN_CTX_free(context);
	return (size_t)len;
}

size_t x509_sign(const struct key *signer, enum signature_algorithm algorithm,
	const struct out *tbs, unsigned char ret_signature[SIGNATURE_MAX])
{
	if (algorithm == SHA256_WITH_ECDSA)
		return sign_p256(signer, tbs, ret_signature);
	return sign_rsa(signer, algorithm, tbs, ret_signature);
}
