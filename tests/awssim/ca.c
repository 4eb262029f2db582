/* Loads the key pool and builds the CA certificates, with fixed dates, when the program starts. */
#include "tests/awssim/ca.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/digest.h"

const char *const key_type_name[KEY_TYPES] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
	"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};

static const char *const key_file[KEY_TYPES] = {"leaf-rsa1024", "leaf-rsa2048", "leaf-rsa3072",
	"leaf-rsa4096", "leaf-p256", "leaf-p384", "leaf-p521"};

enum {
	KEYS_PER_TYPE_MAX = 8,
	CAS_MAX = 24,
	CA_NOT_BEFORE_S = 1577836800, /* 2020-01-01 */
};

static const int64_t ca_not_after_s = 2366841600; /* 2045-01-01 */

struct key_list {
	struct key key[KEYS_PER_TYPE_MAX];
	size_t count;
};

struct key_pool {
	struct key_list leaf[KEY_TYPES], ca_rsa, ca_ec;
	struct ca ca[CAS_MAX];
	size_t ca_count;
};

/* The hierarchy: an issuer stands before what it issues; issuer -1 is a root. */
static const struct ca_plan {
	struct dn name;
	int issuer;
	enum ca_class class;
	bool is_ec, signs_leaves, is_sha384;
} plan[] = {
	{{"US", NULL, "Amazon", NULL, "Amazon Root CA 1"}, -1, CA_PUBLIC, false, false, false},
	{{"US", NULL, "Amazon", NULL, "Amazon Root CA 3"}, -1, CA_PUBLIC, true, false, false},
	{{"US", NULL, "Amazon", NULL, "Amazon RSA 2048 M01"}, 0, CA_PUBLIC, false, true, false},
	{{"US", NULL, "Amazon", NULL, "Amazon RSA 2048 M02"}, 0, CA_PUBLIC, false, true, false},
	{{"US", NULL, "Amazon", NULL, "Amazon RSA 2048 M03"}, 0, CA_PUBLIC, false, true, false},
	{{"US", NULL, "Amazon", NULL, "Amazon ECDSA 256 M01"}, 1, CA_PUBLIC, true, true, false},
	{{"US", NULL, "Amazon", NULL, "Amazon ECDSA 256 M02"}, 1, CA_PUBLIC, true, true, false},
	{{"DE", NULL, "Example Corp", "PKI", "Example Corp Root CA"}, -1, CA_PRIVATE, false, false,
		false},
	{{"DE", NULL, "Example Corp", "PKI", "Example Corp Issuing CA 1"}, 7, CA_PRIVATE, false,
		true, false},
	{{"DE", NULL, "Example Corp", "PKI", "Example Corp Issuing CA 2"}, 7, CA_PRIVATE, false,
		true, true},
	{{"DE", NULL, "Example Corp", "PKI", "Example Corp EC Root CA"}, -1, CA_PRIVATE, true,
		false, false},
	{{"DE", NULL, "Example Corp", "PKI", "Example Corp EC Issuing CA 1"}, 10, CA_PRIVATE, true,
		true, false},
	{{"US", NULL, "Simulated Trust, Inc.", "www.simtrust.example", "SimTrust Global Root G2"},
		-1, CA_COMMERCIAL, false, false, false},
	{{"US", NULL, "Simulated Trust, Inc.", NULL, "SimTrust TLS RSA SHA256 2020 CA1"}, 12,
		CA_COMMERCIAL, false, true, false},
	{{"US", NULL, "Simulated Trust, Inc.", NULL, "SimTrust TLS RSA SHA384 2021 CA2"}, 12,
		CA_COMMERCIAL, false, true, true},
	{{"FR", "Paris", "Soci\xc3\xa9t\xc3\xa9 \"G\xc3\xa9n\xc3\xa9rale\" de Test, S.A.", NULL,
		 "Autorit\xc3\xa9 de certification"},
		12, CA_COMMERCIAL, false, true, false},
	{{"US", NULL, "Simulated Trust, Inc.", NULL, "SimTrust Global Root EC"}, -1, CA_COMMERCIAL,
		true, false, false},
	{{"US", NULL, "Simulated Trust, Inc.", NULL, "SimTrust TLS ECC CA3"}, 16, CA_COMMERCIAL,
		true, true, false},
};

enum { PLANNED = sizeof(plan) / sizeof(plan[0]) };
_Static_assert((int)PLANNED <= (int)CAS_MAX, "ca[] holds the plan");

/* Reads folder/name-1.pem and on, until one is missing. */
static bool load_keys(const char *folder, const char *name, struct key_list *list)
{
	for (int i = 1; i <= KEYS_PER_TYPE_MAX; i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s-%d.pem", folder, name, i);
		FILE *file = fopen(path, "re");
		if (file == NULL)
			break;
		EVP_PKEY *private_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
		fclose(file);
		if (private_key == NULL) {
			fprintf(stderr, "awssim: no private key in %s\n", path);
			return false;
		}
		key_from_private(private_key, &list->key[list->count++]);
	}
	if (list->count == 0)
		fprintf(stderr, "awssim: no %s-1.pem in the key folder %s (--keys-dir)\n", name,
			folder);
	return list->count > 0;
}

static void add_chain(struct ca *ca)
{
	unsigned char hash[SHA256_LEN];
	for (const struct ca *at = ca; at != NULL; at = at->issuer) {
		pem_add(&ca->chain_pem, (const unsigned char *)at->der.data, at->der.len, "\n");
		pem_add(&ca->chain_json, (const unsigned char *)at->der.data, at->der.len, "\\n");
	}
	digest_sha256(ca->chain_pem.data, ca->chain_pem.len, hash);
	struct out hex = {0};
	out_hex(&hex, hash, sizeof(hash));
	memcpy(ca->chain_sha256, hex.data, sizeof(ca->chain_sha256));
	out_clear(&hex);
}

static void build_ca(struct key_pool *pool, size_t index)
{
	const struct ca_plan *from = &plan[index];
	struct ca *ca = &pool->ca[index];
	const struct key_list *keys = from->is_ec ? &pool->ca_ec : &pool->ca_rsa;
	ca->name = from->name;
	ca->issuer = from->issuer >= 0 ? &pool->ca[from->issuer] : NULL;
	ca->key = &keys->key[index % keys->count];
	ca->signs_with = from->is_ec ? SHA256_WITH_ECDSA
				     : (from->is_sha384 ? SHA384_WITH_RSA : SHA256_WITH_RSA);
	const struct ca *issuer = ca->issuer != NULL ? ca->issuer : ca;
	struct x509_spec spec = {.algorithm = issuer->signs_with,
		.issuer = &issuer->name,
		.subject = &ca->name,
		.key = ca->key,
		.issuer_key_id = issuer->key->key_id,
		.not_before_s = CA_NOT_BEFORE_S,
		.not_after_s = ca_not_after_s,
		.key_usage = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN | KEY_USAGE_DIGITAL_SIGNATURE,
		.is_ca = true};
	unsigned char hash[SHA256_LEN];
	digest_sha256(ca->name.common_name, strlen(ca->name.common_name), hash);
	memcpy(spec.serial, hash, SERIAL_LEN);
	spec.serial[0] = (unsigned char)(spec.serial[0] & 0x7f) | 1;
	unsigned char signature[SIGNATURE_MAX];
	struct out tbs = {0};
	x509_tbs(&tbs, &spec);
	size_t len = x509_sign(issuer->key, spec.algorithm, &tbs, signature);
	x509_certificate(&ca->der, &tbs, spec.algorithm, signature, len);
	out_clear(&tbs);
	add_chain(ca);
}

struct key_pool *key_pool_new(const char *folder, bool fast)
{
	struct key_pool *pool = mem_alloc(sizeof(*pool));
	bool ok = load_keys(folder, fast ? "leaf-rsa1024" : "ca-rsa2048", &pool->ca_rsa) &&
		  load_keys(folder, "ca-p256", &pool->ca_ec);
	for (size_t i = 0; ok && i < KEY_TYPES; i++)
		ok = load_keys(folder, key_file[i], &pool->leaf[i]);
	if (!ok) {
		key_pool_free(pool);
		return NULL;
	}
	for (size_t i = 0; i < PLANNED; i++)
		build_ca(pool, i);
	pool->ca_count = PLANNED;
	return pool;
}

static void clear_keys(struct key_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		key_clear(&list->key[i]);
}

void key_pool_free(struct key_pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < CAS_MAX; i++) {
		out_clear(&pool->ca[i].der);
		out_clear(&pool->ca[i].chain_pem);
		out_clear(&pool->ca[i].chain_json);
	}
	for (size_t i = 0; i < KEY_TYPES; i++)
		clear_keys(&pool->leaf[i]);
	clear_keys(&pool->ca_rsa);
	clear_keys(&pool->ca_ec);
	free(pool);
}

const struct key *key_pool_leaf(const struct key_pool *pool, enum key_type type, uint64_t choice)
{
	const struct key_list *list = &pool->leaf[type];
	return &list->key[choice % list->count];
}

const struct ca *key_pool_ca(
	const struct key_pool *pool, enum ca_class class, bool for_ec, uint64_t choice)
{
	const struct ca *found[CAS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < pool->ca_count; i++)
		if (plan[i].signs_leaves && plan[i].class == class && plan[i].is_ec == for_ec)
			found[count++] = &pool->ca[i];
	if (count == 0)
		abort(); /* the plan has one of each class and key kind */
	return found[choice % count];
}
