/* The forms in which people have certificates and chains: each becomes what ACM takes. */
#include <openssl/evp.h>
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

#include "base/buf.h"
#include "base/mem.h"
#include "tests/delivery/bundle_fixture.h"
#include "tests/lib/make_pki.h"

static void leaf_chain_and_key_are_taken(void **state)
{
	(void)state;
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, leaf_key, NULL), 0);
	struct bundle bundle = bundle_take(GIVEN(rsa_pem, middle_pem, rsa_key, NULL));
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	bundle_chain_pem(&bundle, &chain);
	assert_string_equal(buf_text(&chain), middle_pem);
	assert_string_equal(bundle.key_algorithm, "RSA_2048");
	assert_string_equal(secret_bytes(&bundle.key_pem), rsa_key);
	buf_clear(&chain);
	bundle_clear(&bundle);
}

static void the_chain_may_come_in_any_order(void **state)
{
	(void)state;
	const char *const item[] = {leaf_pem, middle_pem, root_pem};
	static const int order[][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		char *all = bundle_join(item[order[i][0]], item[order[i][1]], item[order[i][2]]);
		bundle_expect_leaf(GIVEN(leaf_pem, all, leaf_key, NULL), 2);
		bundle_expect_leaf(GIVEN(all, NULL, leaf_key, NULL), 1);
		struct bundle bundle = bundle_take(GIVEN(leaf_pem, all, leaf_key, NULL));
		assert_true(bundle_has_note(&bundle, "given more than once"));
		assert_true(bundle_has_note(&bundle, "the root CN=Test Root was left out"));
		bundle_clear(&bundle);
		free(all);
	}
}

static void the_root_is_kept_on_demand(void **state)
{
	(void)state;
	char *chain = bundle_join(root_pem, middle_pem, "");
	struct bundle bundle =
		bundle_take(&(struct given){leaf_pem, chain, leaf_key, NULL, .keep_root = true});
	assert_int_equal(bundle.chain_count, 2);
	bundle_assert_der(&bundle.chain[1], &root);
	assert_int_equal(bundle.note_count, 0);
	bundle_clear(&bundle);
	free(chain);
}

/* ACM takes no certificate of a CA without a chain. */
static void a_root_that_is_the_whole_chain_stays(void **state)
{
	(void)state;
	struct pki direct = bundle_make("www.example.com", false, "RSA_2048", &root);
	char *pem = pki_pem(&direct), *key = pki_key_pem(&direct);
	struct bundle bundle = bundle_take(GIVEN(pem, root_pem, key, NULL));
	assert_int_equal(bundle.chain_count, 1);
	bundle_assert_der(&bundle.chain[0], &root);
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&direct);
}

static void a_self_signed_certificate_needs_no_chain(void **state)
{
	(void)state;
	struct pki self = bundle_make("www.example.com", false, NULL, NULL);
	char *pem = pki_pem(&self), *key = pki_key_pem(&self);
	struct bundle bundle = bundle_take(GIVEN(pem, NULL, key, NULL));
	assert_int_equal(bundle.chain_count, 0);
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&self);
}

static void one_file_may_hold_everything(void **state)
{
	(void)state;
	char *all = bundle_join(leaf_key, middle_pem, leaf_pem);
	char *text = bundle_join("Bag Attributes: x\nsubject=CN = y\n", all, "trailing words\n");
	bundle_expect_leaf(GIVEN(all, NULL, NULL, NULL), 0);
	bundle_expect_leaf(GIVEN(text, NULL, NULL, NULL), 0);
	free(all);
	free(text);
}

static char *base64_of(const char *text)
{
	size_t len = strlen(text);
	char *out = xmalloc(len * 4 / 3 + 5);
	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
	return out;
}

static void base64_around_pem_is_undone(void **state)
{
	(void)state;
	char *certificate = base64_of(leaf_pem), *chain = base64_of(middle_pem);
	char *lines = bundle_join(certificate, "\n", "");
	bundle_expect_leaf(GIVEN(certificate, chain, leaf_key, NULL), 2);
	bundle_expect_leaf(GIVEN(lines, middle_pem, leaf_key, NULL), 1);
	struct bundle bundle = bundle_take(GIVEN(leaf_pem, chain, leaf_key, NULL));
	assert_true(bundle_has_note(&bundle, "the chain was base64 of PEM"));
	bundle_clear(&bundle);
	free(certificate);
	free(chain);
	free(lines);
}

static void windows_line_ends_are_taken(void **state)
{
	(void)state;
	struct buf text;
	buf_init(&text, X509_PEM_MAX);
	for (const char *at = leaf_pem; *at != '\0'; at++)
		if (*at == '\n')
			buf_add_text(&text, "\r\n");
		else
			buf_add(&text, at, 1);
	bundle_expect_leaf(GIVEN(buf_text(&text), middle_pem, leaf_key, NULL), 0);
	buf_clear(&text);
}

static void what_windows_editors_put_before_the_text_is_taken(void **state)
{
	(void)state;
	char *certificate = bundle_join("\xef\xbb\xbf", leaf_pem, ""),
	     *chain = bundle_join("\xef\xbb\xbf", middle_pem, "");
	char *key = bundle_join("\xef\xbb\xbf", leaf_key, ""),
	     *all = bundle_join(certificate, chain, key);
	bundle_expect_leaf(GIVEN(certificate, chain, key, NULL), 0);
	bundle_expect_leaf(GIVEN(all, NULL, NULL, NULL), 0);
	free(certificate);
	free(chain);
	free(key);
	free(all);
}

/* base64 of a DER form, as the CLI sends a file of bytes. Owned. */
static char *base64_of_der(const unsigned char *der, int len)
{
	char *out = xmalloc((size_t)len * 4 / 3 + 5);
	assert_true(len > 0);
	EVP_EncodeBlock((unsigned char *)out, der, len);
	return out;
}

static char *der_of(X509 *x509)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x509, &der);
	char *text = base64_of_der(der, len);
	OPENSSL_free(der);
	return text;
}

static void der_is_taken(void **state)
{
	(void)state;
	unsigned char *bytes = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(leaf.key);
	char *certificate = der_of(leaf.x509), *chain = der_of(middle.x509);
	int len = i2d_PKCS8_PRIV_KEY_INFO(info, &bytes);
	char *key = base64_of_der(bytes, len);
	bundle_expect_leaf(GIVEN(certificate, chain, key, NULL), 0);
	OPENSSL_free(bytes);
	bytes = NULL;
	len = i2d_PrivateKey(leaf.key, &bytes);
	char *traditional = base64_of_der(bytes, len);
	bundle_expect_leaf(GIVEN(certificate, middle_pem, traditional, NULL), 0);
	OPENSSL_free(bytes);
	PKCS8_PRIV_KEY_INFO_free(info);
	free(certificate);
	free(chain);
	free(key);
	free(traditional);
}

static void an_encrypted_key_may_be_der(void **state)
{
	(void)state;
	BIO *bio = BIO_new(BIO_s_mem());
	char *at = NULL;
	assert_int_equal(i2d_PKCS8PrivateKey_bio(
				 bio, leaf.key, EVP_aes_256_cbc(), (char *)"right", 5, NULL, NULL),
		1);
	long len = BIO_get_mem_data(bio, &at);
	char *key = base64_of_der((const unsigned char *)at, (int)len);
	bundle_expect_leaf(GIVEN(leaf_pem, middle_pem, key, "right"), 0);
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, key, "wrong"), "passphrase", "does not open the key");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, key, NULL), "passphrase", "give its passphrase");
	BIO_free(bio);
	free(key);
}

static void base64_around_a_key_is_undone(void **state)
{
	(void)state;
	char *key = base64_of(leaf_key);
	struct bundle bundle = bundle_take(GIVEN(leaf_pem, middle_pem, key, NULL));
	assert_true(bundle_has_note(&bundle, "the key was base64 of PEM"));
	bundle_clear(&bundle);
	free(key);
}

/* Owned. label: instead of what OpenSSL writes. */
static char *pkcs7_of(X509 *one, X509 *other, const char *label, char **ret_der)
{
	PKCS7 *file = PKCS7_new();
	unsigned char *der = NULL;
	char *pem = NULL;
	assert_int_equal(PKCS7_set_type(file, NID_pkcs7_signed), 1);
	assert_int_equal(PKCS7_content_new(file, NID_pkcs7_data), 1);
	if (one != NULL)
		assert_int_equal(PKCS7_add_certificate(file, one), 1);
	if (other != NULL)
		assert_int_equal(PKCS7_add_certificate(file, other), 1);
	int len = i2d_PKCS7(file, &der);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio(bio, label, "", der, len) > 0);
	long pem_len = BIO_get_mem_data(bio, &pem);
	char *text = xstrndup(pem, (size_t)pem_len);
	if (ret_der != NULL)
		*ret_der = base64_of_der(der, len);
	BIO_free(bio);
	OPENSSL_free(der);
	PKCS7_free(file);
	return text;
}

static void pkcs7_is_taken(void **state)
{
	(void)state;
	static const char *const label[] = {"PKCS7", "PKCS #7 SIGNED DATA", "CMS"};
	char *der = NULL;
	for (size_t i = 0; i < sizeof(label) / sizeof(label[0]); i++) {
		char *chain = pkcs7_of(root.x509, middle.x509, label[i], NULL);
		bundle_expect_leaf(GIVEN(leaf_pem, chain, leaf_key, NULL), 1);
		free(chain);
	}
	char *both = pkcs7_of(middle.x509, leaf.x509, "PKCS7", &der);
	bundle_expect_leaf(GIVEN(both, NULL, leaf_key, NULL), 0);
	bundle_expect_leaf(GIVEN(der, NULL, leaf_key, NULL), 0);
	char *cut = xstrndup(both, strlen(both) / 2), *none = pkcs7_of(NULL, NULL, "PKCS7", NULL);
	bundle_expect_refused(GIVEN(leaf_pem, cut, leaf_key, NULL), "input",
		"the chain: it cannot be decoded: it is damaged");
	bundle_expect_refused(GIVEN(leaf_pem, none, leaf_key, NULL), "input",
		"the chain: no certificate is in it, but PKCS#7");
	free(both);
	free(der);
	free(cut);
	free(none);
}

static void trusted_certificates_are_taken(void **state)
{
	(void)state;
	BIO *bio = BIO_new(BIO_s_mem());
	char *at = NULL;
	X509 *trusted = X509_dup(leaf.x509);
	assert_int_equal(X509_add1_trust_object(trusted, OBJ_nid2obj(NID_server_auth)), 1);
	assert_int_equal(PEM_write_bio_X509_AUX(bio, trusted), 1);
	long len = BIO_get_mem_data(bio, &at);
	char *pem = xstrndup(at, (size_t)len);
	assert_non_null(strstr(pem, "BEGIN TRUSTED CERTIFICATE"));
	bundle_expect_leaf(GIVEN(pem, middle_pem, leaf_key, NULL), 0);
	free(pem);
	X509_free(trusted);
	BIO_free(bio);
}

static char *request_of(const struct pki *of, char **ret_der)
{
	X509_REQ *request = X509_to_X509_REQ(of->x509, of->key, EVP_sha256());
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	char *at = NULL;
	assert_int_equal(PEM_write_bio_X509_REQ(bio, request), 1);
	long len = BIO_get_mem_data(bio, &at);
	char *pem = xstrndup(at, (size_t)len);
	int der_len = i2d_X509_REQ(request, &der);
	*ret_der = base64_of_der(der, der_len);
	OPENSSL_free(der);
	BIO_free(bio);
	X509_REQ_free(request);
	return pem;
}

/* Each says in which input, and what it is instead. */
static void what_is_something_else_is_told(void **state)
{
	(void)state;
	char *der = NULL, *pem = request_of(&leaf, &der), *leaf_der = der_of(leaf.x509);
	bundle_expect_refused(GIVEN(pem, NULL, leaf_key, NULL), "input",
		"the certificate: no certificate is in it, but a request for a certificate (CSR)");
	bundle_expect_refused(GIVEN(leaf_pem, pem, leaf_key, NULL), "input",
		"the chain: no certificate is in it, but a request for a certificate (CSR)");
	bundle_expect_refused(
		GIVEN(der, NULL, leaf_key, NULL), "input", "the certificate: it is a request for");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, pem, NULL), "input",
		"the key cannot be read: it is a request for");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, leaf_pem, NULL), "input",
		"the key cannot be read: it is a certificate; give the private key");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, leaf_der, NULL), "input",
		"the key cannot be read: it is a certificate; give the private key");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, "MAA=", NULL), "input",
		"the key cannot be read: expected");
	bundle_expect_refused(GIVEN(leaf_pem, "MAA=", leaf_key, NULL), "input",
		"the chain: it cannot be decoded: it is damaged");
	bundle_expect_refused(GIVEN(leaf_pem, "-----BEGIN X509 CRL-----\n", leaf_key, NULL),
		"input", "the chain: no certificate is in it, but a revocation list (CRL)");
	bundle_expect_refused(GIVEN(leaf_pem, "-----BEGIN PUBLIC KEY-----\n", leaf_key, NULL),
		"input", "but a public key");
	bundle_expect_refused(GIVEN(leaf_pem, "-----BEGIN WHATEVER-----\n", leaf_key, NULL),
		"input", "the chain: no certificate is in it");
	bundle_expect_refused(
		GIVEN(leaf_pem, middle_pem, "-----BEGIN OPENSSH PRIVATE KEY-----\n", NULL), "input",
		"it is a key in OpenSSH's own format (ssh-keygen");
	free(der);
	free(pem);
	free(leaf_der);
}

static void pkcs12_in_another_place_is_told(void **state)
{
	(void)state;
	size_t len;
	unsigned char *file = pki_pkcs12(&leaf, &middle, "right", &len);
	char *text = base64_of_der(file, (int)len);
	bundle_expect_refused(GIVEN(text, NULL, leaf_key, NULL), "input",
		"the certificate: it is a PKCS#12 file: give it with --pkcs12, alone");
	bundle_expect_refused(GIVEN(leaf_pem, middle_pem, text, NULL), "input",
		"the key cannot be read: it is a PKCS#12 file");
	bundle_expect_refused(&(struct given){.pkcs12 = (const unsigned char *)leaf_pem,
				      .pkcs12_len = strlen(leaf_pem)},
		"input", "not a PKCS#12 file, but PEM: give it with --cert");
	free(file);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_chain_and_key_are_taken),
		cmocka_unit_test(the_chain_may_come_in_any_order),
		cmocka_unit_test(the_root_is_kept_on_demand),
		cmocka_unit_test(a_root_that_is_the_whole_chain_stays),
		cmocka_unit_test(a_self_signed_certificate_needs_no_chain),
		cmocka_unit_test(one_file_may_hold_everything),
		cmocka_unit_test(base64_around_pem_is_undone),
		cmocka_unit_test(windows_line_ends_are_taken),
		cmocka_unit_test(what_windows_editors_put_before_the_text_is_taken),
		cmocka_unit_test(der_is_taken),
		cmocka_unit_test(an_encrypted_key_may_be_der),
		cmocka_unit_test(base64_around_a_key_is_undone),
		cmocka_unit_test(pkcs7_is_taken),
		cmocka_unit_test(trusted_certificates_are_taken),
		cmocka_unit_test(what_is_something_else_is_told),
		cmocka_unit_test(pkcs12_in_another_place_is_told),
	};
	return cmocka_run_group_tests(tests, bundle_fixture_set_up, bundle_fixture_tear_down);
}
