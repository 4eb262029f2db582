/* Keys, whatever they are wrapped in, become PKCS#8; what cannot be used is told. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/delivery/bundle_fixture.h"
#include "tests/lib/make_pki.h"

static void encrypted_keys_need_their_passphrase(void **state)
{
	(void)state;
	char *key = pki_key_encrypted(&leaf, "right");
	char *combined = bundle_join(leaf_pem, middle_pem, key);
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, key, "right"), 0);
	bundle_expect_leaf(GIVEN(combined, NULL, NULL, "right"), 0);
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, key, "wrong"), "passphrase",
		"the passphrase does not open the");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, key, ""), "passphrase",
		"the passphrase does not open the");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, key, NULL), "passphrase", "give its passphrase");
	bundle_expect_refused(
		GIVEN(combined, NULL, NULL, NULL), "passphrase", "give its passphrase");
	char *endless = xmalloc(4097);
	memset(endless, 'x', 4096);
	endless[4096] = '\0';
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, key, endless), "passphrase",
		"the passphrase does not open the");
	free(endless);
	/* A passphrase that is not needed is nothing bad. */
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, leaf_key, "right"), 0);
	free(key);
	free(combined);
}

static void traditional_keys_become_pkcs8(void **state)
{
	(void)state;
	char *ec = pki_key_traditional(&leaf), *rsa = pki_key_traditional(&rsa_leaf);
	assert_non_null(strstr(ec, "-----BEGIN EC PARAMETERS-----"));
	assert_non_null(strstr(ec, "-----BEGIN EC PRIVATE KEY-----"));
	assert_non_null(strstr(rsa, "-----BEGIN RSA PRIVATE KEY-----"));
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, ec, NULL), 0);
	char *combined = bundle_join(ec, leaf_pem, middle_pem);
	bundle_expect_leaf(GIVEN(combined, NULL, NULL, NULL), 0);
	struct bundle bundle = bundle_take(GIVEN(rsa_pem, middle_pem, rsa, NULL));
	assert_string_equal(secret_bytes(&bundle.key_pem), rsa_key);
	bundle_clear(&bundle);
	free(combined);
	free(ec);
	free(rsa);
}

/* Owned. */
static char *pem_of_pkcs8(const PKCS8_PRIV_KEY_INFO *info)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at = NULL;
	assert_int_equal(PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info), 1);
	long len = BIO_get_mem_data(bio, &at);
	char *pem = xstrndup(at, (size_t)len);
	BIO_free(bio);
	return pem;
}

static void a_curve_that_is_spelt_out_gets_its_name(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_PKEY_dup(leaf.key);
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
				 key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT),
		1);
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	char *pem = pem_of_pkcs8(info);
	assert_true(strlen(pem) > strlen(leaf_key) + 100);
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, pem, NULL), 0);
	free(pem);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
}

/* As Windows and Java write them. */
static void attributes_of_a_key_are_left_out(void **state)
{
	(void)state;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(leaf.key);
	assert_int_equal(PKCS8_pkey_add1_attr_by_NID(info, NID_friendlyName, MBSTRING_ASC,
				 (const unsigned char *)"a key", 5),
		1);
	char *pem = pem_of_pkcs8(info);
	assert_string_not_equal(pem, leaf_key);
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, pem, NULL), 0);
	free(pem);
	PKCS8_PRIV_KEY_INFO_free(info);
}

static void keys_that_cannot_be_used_are_refused(void **state)
{
	(void)state;
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, rsa_key, NULL), "wrong_key", "does not belong");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, "rubbish", NULL), "input", "the key cannot be read");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, leaf_pem, NULL), "input", "the key cannot be read");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, "", NULL), "input", "the key cannot be read");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, NULL, NULL), "input", "no private key was given");
}

/* The certificate of a request whose key was made here. */
static void the_key_may_be_elsewhere(void **state)
{
	(void)state;
	char *chain = bundle_join(root_pem, middle_pem, "");
	char *two = bundle_join(leaf_pem, rsa_pem, "");
	struct bundle bundle = bundle_take(&(struct given){leaf_pem, chain, .no_key = true});
	bundle_assert_der(&bundle.leaf, &leaf);
	assert_false(secret_is_set(&bundle.key_pem));
	bundle_clear(&bundle);
	bundle_expect_refused(&(struct given){two, middle_pem, .no_key = true}, "input", "found 2");
	bundle_expect_refused(&(struct given){chain, NULL, .no_key = true}, "input", "found 0");
	/* One alone is what was asked for, whatever it may do. */
	struct pki alone = bundle_make("ca.example.com", true, NULL, NULL);
	char *alone_pem = pki_pem(&alone);
	bundle = bundle_take(&(struct given){alone_pem, NULL, .no_key = true});
	bundle_assert_der(&bundle.leaf, &alone);
	bundle_clear(&bundle);
	free(alone_pem);
	pki_clear(&alone);
	free(chain);
	free(two);
}

static void pkcs12_is_taken(void **state)
{
	(void)state;
	size_t len, bare_len;
	unsigned char *file = pki_pkcs12(&leaf, &middle, "right", &len);
	unsigned char *bare = pki_pkcs12(&leaf, &middle, "", &bare_len);
	struct given given = {.pkcs12 = file, .pkcs12_len = len, .passphrase = "right"};
	bundle_expect_leaf(&given, 0);
	given.passphrase = "wrong";
	bundle_expect_refused(&given, "passphrase", "the passphrase does not open the");
	given.passphrase = NULL;
	bundle_expect_refused(&given, "passphrase", "give its passphrase");
	given = (struct given){.pkcs12 = bare, .pkcs12_len = bare_len};
	bundle_expect_leaf(&given, 0);
	given.passphrase = "";
	bundle_expect_leaf(&given, 0);
	given = (struct given){.pkcs12 = (const unsigned char *)"rubbish", .pkcs12_len = 7};
	bundle_expect_refused(&given, "input", "not a PKCS#12 file");
	given = (struct given){.pkcs12 = file, .passphrase = "right"};
	for (size_t cut = 0; cut < len; cut++) {
		given.pkcs12_len = cut;
		bundle_expect_refused(&given, "input", "not a PKCS#12 file");
	}
	free(file);
	free(bare);
}

static void pkcs12_of_certificates_alone_has_no_key(void **state)
{
	(void)state;
	STACK_OF(X509) *certificates = sk_X509_new_null();
	unsigned char *der = NULL;
	assert_true(sk_X509_push(certificates, leaf.x509) > 0);
	PKCS12 *file = PKCS12_create("", NULL, NULL, NULL, certificates, 0, 0, 0, 0, 0);
	int len = i2d_PKCS12(file, &der);
	struct given given = {.pkcs12 = der, .pkcs12_len = (size_t)len};
	bundle_expect_refused(&given, "input", "no private key was given");
	OPENSSL_free(der);
	PKCS12_free(file);
	sk_X509_free(certificates);
}

/* Without a MAC nothing tells a wrong passphrase but what comes out. OpenSSL 3.0 opens what has no
 * MAC only when it is not encrypted either. */
static void pkcs12_needs_no_mac(void **state)
{
	(void)state;
	STACK_OF(X509) *others = sk_X509_new_null();
	unsigned char *der = NULL;
	assert_true(sk_X509_push(others, middle.x509) > 0);
	PKCS12 *file = PKCS12_create("right", NULL, leaf.key, leaf.x509, others, 0, 0, 0, -1, 0);
	PKCS12 *open = PKCS12_create("", NULL, leaf.key, leaf.x509, others, -1, -1, 0, -1, 0);
	int len = i2d_PKCS12(open, &der);
	bundle_expect_leaf(&(struct given){.pkcs12 = der, .pkcs12_len = (size_t)len}, 0);
	OPENSSL_free(der);
	der = NULL;
	len = i2d_PKCS12(file, &der);
	bundle_expect_refused(
		&(struct given){.pkcs12 = der, .pkcs12_len = (size_t)len, .passphrase = "wrong"},
		"input", "the passphrase is wrong, or");
	OPENSSL_free(der);
	PKCS12_free(open);
	PKCS12_free(file);
	sk_X509_free(others);
}

static BIGNUM *part_of(const EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
	return number;
}

/* Another private exponent that does the same, and is as long as one likes. Owned. */
static char *key_with_a_long_exponent(const EVP_PKEY *key, int bits)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
		OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	enum { PARTS = sizeof(names) / sizeof(names[0]), D = 2, P = 3, Q = 4 };
	BIGNUM *part[PARTS], *p = BN_new(), *q = BN_new();
	BN_CTX *work = BN_CTX_new();
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *made = NULL;
	for (size_t i = 0; i < PARTS; i++)
		part[i] = part_of(key, names[i]);
	assert_true(BN_sub(p, part[P], BN_value_one()) && BN_sub(q, part[Q], BN_value_one()) &&
		    BN_mul(p, p, q, work) && BN_lshift(p, p, bits) && BN_add(part[D], part[D], p));
	for (size_t i = 0; i < PARTS; i++)
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, names[i], part[i]), 1);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	assert_true(EVP_PKEY_fromdata_init(context) == 1 &&
		    EVP_PKEY_fromdata(context, &made, EVP_PKEY_KEYPAIR, params) == 1);
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(made);
	char *pem = pem_of_pkcs8(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(made);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_CTX_free(work);
	BN_free(p);
	BN_free(q);
	for (size_t i = 0; i < PARTS; i++)
		BN_free(part[i]);
	return pem;
}

static void a_key_has_a_limit(void **state)
{
	(void)state;
	char *fits = key_with_a_long_exponent(rsa_leaf.key, 8000);
	char *large = key_with_a_long_exponent(rsa_leaf.key, 24000);
	struct bundle bundle = bundle_take(GIVEN(rsa_pem, middle_pem, fits, NULL));
	bundle_clear(&bundle);
	assert_true(strlen(large) > BUNDLE_KEY_MAX);
	bundle_expect_refused(
		GIVEN(rsa_pem, middle_pem, large, NULL), "size", "bytes as PEM, ACM 5120");
	free(fits);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encrypted_keys_need_their_passphrase),
		cmocka_unit_test(traditional_keys_become_pkcs8),
		cmocka_unit_test(a_curve_that_is_spelt_out_gets_its_name),
		cmocka_unit_test(attributes_of_a_key_are_left_out),
		cmocka_unit_test(keys_that_cannot_be_used_are_refused),
		cmocka_unit_test(the_key_may_be_elsewhere),
		cmocka_unit_test(pkcs12_is_taken),
		cmocka_unit_test(pkcs12_of_certificates_alone_has_no_key),
		cmocka_unit_test(pkcs12_needs_no_mac),
		cmocka_unit_test(a_key_has_a_limit),
	};
	return cmocka_run_group_tests(tests, bundle_fixture_set_up, bundle_fixture_tear_down);
}
