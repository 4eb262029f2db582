/* What people have, in every form, becomes what ACM takes; the rest is refused by its code. */
#include "delivery/bundle.h"

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

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/make_pki.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

/* root -> middle -> leaf (EC) and rsa_leaf; stranger signs itself. */
static struct pki root, middle, leaf, rsa_leaf, stranger;
static char *root_pem, *middle_pem, *leaf_pem, *rsa_pem, *stranger_pem, *leaf_key, *rsa_key;

static struct pki make(const char *name, bool is_ca, const char *algorithm, const struct pki *by)
{
	return pki_make(&(struct pki_spec){.common_name = name,
				.sans = is_ca ? NULL : "DNS:www.example.com",
				.is_ca = is_ca,
				.key_algorithm = algorithm,
				.not_before_s = NOW_S - DAY_S,
				.not_after_s = NOW_S + 90 * DAY_S},
		by);
}

static int setup(void **state)
{
	(void)state;
	root = make("Test Root", true, "RSA_2048", NULL);
	middle = make("Test Middle", true, NULL, &root);
	leaf = make("www.example.com", false, NULL, &middle);
	rsa_leaf = make("www.example.com", false, "RSA_2048", &middle);
	stranger = make("Stranger", true, NULL, NULL);
	root_pem = pki_pem(&root);
	middle_pem = pki_pem(&middle);
	leaf_pem = pki_pem(&leaf);
	rsa_pem = pki_pem(&rsa_leaf);
	stranger_pem = pki_pem(&stranger);
	leaf_key = pki_key_pem(&leaf);
	rsa_key = pki_key_pem(&rsa_leaf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	struct pki *const all[] = {&root, &middle, &leaf, &rsa_leaf, &stranger};
	char *const texts[] = {
		root_pem, middle_pem, leaf_pem, rsa_pem, stranger_pem, leaf_key, rsa_key};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pki_clear(all[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	return 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

static char *join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *text = xmalloc(size);
	(void)snprintf(text, size, "%s%s%s", a, b, c);
	return text;
}

struct given {
	const char *certificate, *chain, *key, *passphrase; /* NULL: none */
	const unsigned char *pkcs12;
	size_t pkcs12_len;
	bool keep_root, no_key;
	int64_t now_s; /* 0: NOW_S */
};

#define GIVEN(pem, more, key_pem, phrase)                                                          \
	(&(struct given){                                                                          \
		.certificate = (pem), .chain = (more), .key = (key_pem), .passphrase = (phrase)})

static int ask(const struct given *given, struct bundle *ret_bundle, struct err *err)
{
	struct secret key = SECRET_INIT, passphrase = SECRET_INIT, pkcs12 = SECRET_INIT;
	if (given->key != NULL)
		secret_set(&key, given->key, strlen(given->key));
	if (given->passphrase != NULL)
		secret_set(&passphrase, given->passphrase, strlen(given->passphrase));
	if (given->pkcs12 != NULL)
		secret_set(&pkcs12, given->pkcs12, given->pkcs12_len);
	struct bundle_input input = {.certificate = given->certificate,
		.certificate_len = given->certificate != NULL ? strlen(given->certificate) : 0,
		.chain = given->chain,
		.chain_len = given->chain != NULL ? strlen(given->chain) : 0,
		.key = given->key != NULL ? &key : NULL,
		.passphrase = given->passphrase != NULL ? &passphrase : NULL,
		.pkcs12 = given->pkcs12 != NULL ? &pkcs12 : NULL,
		.keep_root = given->keep_root,
		.now_s = given->now_s != 0 ? given->now_s : NOW_S};
	int rc = bundle_read(&input, !given->no_key, ret_bundle, err);
	secret_clear(&key);
	secret_clear(&passphrase);
	secret_clear(&pkcs12);
	return rc;
}

static void expect_refused(const struct given *given, const char *code, const char *says)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	assert_int_equal(ask(given, &bundle, &err), -1);
	if (err.kind != ERR_CONFIG || strcmp(err.code, code) != 0 || strstr(err.text, says) == NULL)
		fail_msg("%s: %s (expected %s: %s)", err.code, err.text, code, says);
}

static struct bundle take(const struct given *given)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	if (ask(given, &bundle, &err) != 0)
		fail_msg("%s: %s", err.code, err.text);
	return bundle;
}

static bool has_note(const struct bundle *bundle, const char *says)
{
	for (size_t i = 0; i < bundle->note_count; i++)
		if (strstr(bundle->note[i], says) != NULL)
			return true;
	return false;
}

static void assert_der(const struct bundle_der *der, const struct pki *pki)
{
	unsigned char *encoded = NULL;
	int len = i2d_X509(pki->x509, &encoded);
	assert_int_equal(der->len, len);
	assert_memory_equal(der->bytes, encoded, der->len);
	OPENSSL_free(encoded);
}

/* The EC leaf below the intermediate, and the key as PKCS#8. */
static void expect_leaf(const struct given *given, size_t notes)
{
	struct bundle bundle = take(given);
	assert_der(&bundle.leaf, &leaf);
	assert_int_equal(bundle.chain_count, 1);
	assert_der(&bundle.chain[0], &middle);
	assert_string_equal(bundle.key_algorithm, "EC_prime256v1");
	assert_string_equal(secret_bytes(&bundle.key_pem), leaf_key);
	if (bundle.note_count != notes)
		fail_msg("%zu notes, first: %s", bundle.note_count,
			bundle.note_count > 0 ? bundle.note[0] : "");
	bundle_clear(&bundle);
}

/* --- forms ------------------------------------------------------------------------------------ */

static void leaf_chain_and_key_are_taken(void **state)
{
	(void)state;
	expect_leaf(GIVEN(leaf_pem, middle_pem, leaf_key, NULL), 0);
	struct bundle bundle = take(GIVEN(rsa_pem, middle_pem, rsa_key, NULL));
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
		char *all = join(item[order[i][0]], item[order[i][1]], item[order[i][2]]);
		expect_leaf(GIVEN(leaf_pem, all, leaf_key, NULL), 2);
		expect_leaf(GIVEN(all, NULL, leaf_key, NULL), 1);
		struct bundle bundle = take(GIVEN(leaf_pem, all, leaf_key, NULL));
		assert_true(has_note(&bundle, "given more than once"));
		assert_true(has_note(&bundle, "the root CN=Test Root was left out"));
		bundle_clear(&bundle);
		free(all);
	}
}

static void the_root_is_kept_on_demand(void **state)
{
	(void)state;
	char *chain = join(root_pem, middle_pem, "");
	struct bundle bundle =
		take(&(struct given){leaf_pem, chain, leaf_key, NULL, .keep_root = true});
	assert_int_equal(bundle.chain_count, 2);
	assert_der(&bundle.chain[1], &root);
	assert_int_equal(bundle.note_count, 0);
	bundle_clear(&bundle);
	free(chain);
}

/* ACM takes no certificate of a CA without a chain. */
static void a_root_that_is_the_whole_chain_stays(void **state)
{
	(void)state;
	struct pki direct = make("www.example.com", false, "RSA_2048", &root);
	char *pem = pki_pem(&direct), *key = pki_key_pem(&direct);
	struct bundle bundle = take(GIVEN(pem, root_pem, key, NULL));
	assert_int_equal(bundle.chain_count, 1);
	assert_der(&bundle.chain[0], &root);
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&direct);
}

static void a_self_signed_certificate_needs_no_chain(void **state)
{
	(void)state;
	struct pki self = make("www.example.com", false, NULL, NULL);
	char *pem = pki_pem(&self), *key = pki_key_pem(&self);
	struct bundle bundle = take(GIVEN(pem, NULL, key, NULL));
	assert_int_equal(bundle.chain_count, 0);
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&self);
}

static void one_file_may_hold_everything(void **state)
{
	(void)state;
	char *all = join(leaf_key, middle_pem, leaf_pem);
	char *text = join("Bag Attributes: x\nsubject=CN = y\n", all, "trailing words\n");
	expect_leaf(GIVEN(all, NULL, NULL, NULL), 0);
	expect_leaf(GIVEN(text, NULL, NULL, NULL), 0);
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
	char *lines = join(certificate, "\n", "");
	expect_leaf(GIVEN(certificate, chain, leaf_key, NULL), 2);
	expect_leaf(GIVEN(lines, middle_pem, leaf_key, NULL), 1);
	struct bundle bundle = take(GIVEN(leaf_pem, chain, leaf_key, NULL));
	assert_true(has_note(&bundle, "the chain was base64 of PEM"));
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
	expect_leaf(GIVEN(buf_text(&text), middle_pem, leaf_key, NULL), 0);
	buf_clear(&text);
}

static void what_windows_editors_put_before_the_text_is_taken(void **state)
{
	(void)state;
	char *certificate = join("\xef\xbb\xbf", leaf_pem, ""),
	     *chain = join("\xef\xbb\xbf", middle_pem, "");
	char *key = join("\xef\xbb\xbf", leaf_key, ""), *all = join(certificate, chain, key);
	expect_leaf(GIVEN(certificate, chain, key, NULL), 0);
	expect_leaf(GIVEN(all, NULL, NULL, NULL), 0);
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
	expect_leaf(GIVEN(certificate, chain, key, NULL), 0);
	OPENSSL_free(bytes);
	bytes = NULL;
	len = i2d_PrivateKey(leaf.key, &bytes);
	char *traditional = base64_of_der(bytes, len);
	expect_leaf(GIVEN(certificate, middle_pem, traditional, NULL), 0);
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
	expect_leaf(GIVEN(leaf_pem, middle_pem, key, "right"), 0);
	expect_refused(
		GIVEN(leaf_pem, middle_pem, key, "wrong"), "passphrase", "does not open the key");
	expect_refused(GIVEN(leaf_pem, middle_pem, key, NULL), "passphrase", "give its passphrase");
	BIO_free(bio);
	free(key);
}

static void base64_around_a_key_is_undone(void **state)
{
	(void)state;
	char *key = base64_of(leaf_key);
	struct bundle bundle = take(GIVEN(leaf_pem, middle_pem, key, NULL));
	assert_true(has_note(&bundle, "the key was base64 of PEM"));
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
		expect_leaf(GIVEN(leaf_pem, chain, leaf_key, NULL), 1);
		free(chain);
	}
	char *both = pkcs7_of(middle.x509, leaf.x509, "PKCS7", &der);
	expect_leaf(GIVEN(both, NULL, leaf_key, NULL), 0);
	expect_leaf(GIVEN(der, NULL, leaf_key, NULL), 0);
	char *cut = xstrndup(both, strlen(both) / 2), *none = pkcs7_of(NULL, NULL, "PKCS7", NULL);
	expect_refused(GIVEN(leaf_pem, cut, leaf_key, NULL), "input",
		"the chain: it cannot be decoded: it is damaged");
	expect_refused(GIVEN(leaf_pem, none, leaf_key, NULL), "input",
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
	expect_leaf(GIVEN(pem, middle_pem, leaf_key, NULL), 0);
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
	expect_refused(GIVEN(pem, NULL, leaf_key, NULL), "input",
		"the certificate: no certificate is in it, but a request for a certificate (CSR)");
	expect_refused(GIVEN(leaf_pem, pem, leaf_key, NULL), "input",
		"the chain: no certificate is in it, but a request for a certificate (CSR)");
	expect_refused(
		GIVEN(der, NULL, leaf_key, NULL), "input", "the certificate: it is a request for");
	expect_refused(GIVEN(leaf_pem, middle_pem, pem, NULL), "input",
		"the key cannot be read: it is a request for");
	expect_refused(GIVEN(leaf_pem, middle_pem, leaf_pem, NULL), "input",
		"the key cannot be read: it is a certificate; give the private key");
	expect_refused(GIVEN(leaf_pem, middle_pem, leaf_der, NULL), "input",
		"the key cannot be read: it is a certificate; give the private key");
	expect_refused(GIVEN(leaf_pem, middle_pem, "MAA=", NULL), "input",
		"the key cannot be read: expected");
	expect_refused(GIVEN(leaf_pem, "MAA=", leaf_key, NULL), "input",
		"the chain: it cannot be decoded: it is damaged");
	expect_refused(GIVEN(leaf_pem, "-----BEGIN X509 CRL-----\n", leaf_key, NULL), "input",
		"the chain: no certificate is in it, but a revocation list (CRL)");
	expect_refused(GIVEN(leaf_pem, "-----BEGIN PUBLIC KEY-----\n", leaf_key, NULL), "input",
		"but a public key");
	expect_refused(GIVEN(leaf_pem, "-----BEGIN WHATEVER-----\n", leaf_key, NULL), "input",
		"the chain: no certificate is in it");
	expect_refused(GIVEN(leaf_pem, middle_pem, "-----BEGIN OPENSSH PRIVATE KEY-----\n", NULL),
		"input", "it is a key in OpenSSH's own format (ssh-keygen");
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
	expect_refused(GIVEN(text, NULL, leaf_key, NULL), "input",
		"the certificate: it is a PKCS#12 file: give it with --pkcs12, alone");
	expect_refused(GIVEN(leaf_pem, middle_pem, text, NULL), "input",
		"the key cannot be read: it is a PKCS#12 file");
	expect_refused(&(struct given){.pkcs12 = (const unsigned char *)leaf_pem,
			       .pkcs12_len = strlen(leaf_pem)},
		"input", "not a PKCS#12 file, but PEM: give it with --cert");
	free(file);
	free(text);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void encrypted_keys_need_their_passphrase(void **state)
{
	(void)state;
	char *key = pki_key_encrypted(&leaf, "right");
	char *combined = join(leaf_pem, middle_pem, key);
	expect_leaf(GIVEN(leaf_pem, middle_pem, key, "right"), 0);
	expect_leaf(GIVEN(combined, NULL, NULL, "right"), 0);
	expect_refused(GIVEN(leaf_pem, middle_pem, key, "wrong"), "passphrase",
		"the passphrase does not open the");
	expect_refused(GIVEN(leaf_pem, middle_pem, key, ""), "passphrase",
		"the passphrase does not open the");
	expect_refused(GIVEN(leaf_pem, middle_pem, key, NULL), "passphrase", "give its passphrase");
	expect_refused(GIVEN(combined, NULL, NULL, NULL), "passphrase", "give its passphrase");
	char *endless = xmalloc(4097);
	memset(endless, 'x', 4096);
	endless[4096] = '\0';
	expect_refused(GIVEN(leaf_pem, middle_pem, key, endless), "passphrase",
		"the passphrase does not open the");
	free(endless);
	/* A passphrase that is not needed is nothing bad. */
	expect_leaf(GIVEN(leaf_pem, middle_pem, leaf_key, "right"), 0);
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
	expect_leaf(GIVEN(leaf_pem, middle_pem, ec, NULL), 0);
	char *combined = join(ec, leaf_pem, middle_pem);
	expect_leaf(GIVEN(combined, NULL, NULL, NULL), 0);
	struct bundle bundle = take(GIVEN(rsa_pem, middle_pem, rsa, NULL));
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
	expect_leaf(GIVEN(leaf_pem, middle_pem, pem, NULL), 0);
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
	expect_leaf(GIVEN(leaf_pem, middle_pem, pem, NULL), 0);
	free(pem);
	PKCS8_PRIV_KEY_INFO_free(info);
}

static void keys_that_cannot_be_used_are_refused(void **state)
{
	(void)state;
	expect_refused(GIVEN(leaf_pem, middle_pem, rsa_key, NULL), "wrong_key", "does not belong");
	expect_refused(
		GIVEN(leaf_pem, middle_pem, "rubbish", NULL), "input", "the key cannot be read");
	expect_refused(
		GIVEN(leaf_pem, middle_pem, leaf_pem, NULL), "input", "the key cannot be read");
	expect_refused(GIVEN(leaf_pem, middle_pem, "", NULL), "input", "the key cannot be read");
	expect_refused(
		GIVEN(leaf_pem, middle_pem, NULL, NULL), "input", "no private key was given");
}

/* The certificate of a request whose key was made here. */
static void the_key_may_be_elsewhere(void **state)
{
	(void)state;
	char *chain = join(root_pem, middle_pem, "");
	char *two = join(leaf_pem, rsa_pem, "");
	struct bundle bundle = take(&(struct given){leaf_pem, chain, .no_key = true});
	assert_der(&bundle.leaf, &leaf);
	assert_false(secret_is_set(&bundle.key_pem));
	bundle_clear(&bundle);
	expect_refused(&(struct given){two, middle_pem, .no_key = true}, "input", "found 2");
	expect_refused(&(struct given){chain, NULL, .no_key = true}, "input", "found 0");
	/* One alone is what was asked for, whatever it may do. */
	struct pki alone = make("ca.example.com", true, NULL, NULL);
	char *alone_pem = pki_pem(&alone);
	bundle = take(&(struct given){alone_pem, NULL, .no_key = true});
	assert_der(&bundle.leaf, &alone);
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
	expect_leaf(&given, 0);
	given.passphrase = "wrong";
	expect_refused(&given, "passphrase", "the passphrase does not open the");
	given.passphrase = NULL;
	expect_refused(&given, "passphrase", "give its passphrase");
	given = (struct given){.pkcs12 = bare, .pkcs12_len = bare_len};
	expect_leaf(&given, 0);
	given.passphrase = "";
	expect_leaf(&given, 0);
	given = (struct given){.pkcs12 = (const unsigned char *)"rubbish", .pkcs12_len = 7};
	expect_refused(&given, "input", "not a PKCS#12 file");
	given = (struct given){.pkcs12 = file, .passphrase = "right"};
	for (size_t cut = 0; cut < len; cut++) {
		given.pkcs12_len = cut;
		expect_refused(&given, "input", "not a PKCS#12 file");
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
	expect_refused(&given, "input", "no private key was given");
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
	expect_leaf(&(struct given){.pkcs12 = der, .pkcs12_len = (size_t)len}, 0);
	OPENSSL_free(der);
	der = NULL;
	len = i2d_PKCS12(file, &der);
	expect_refused(
		&(struct given){.pkcs12 = der, .pkcs12_len = (size_t)len, .passphrase = "wrong"},
		"input", "the passphrase is wrong, or");
	OPENSSL_free(der);
	PKCS12_free(open);
	PKCS12_free(file);
	sk_X509_free(others);
}

/* --- what ACM does not take ------------------------------------------------------------------- */

static void time_is_told(void **state)
{
	(void)state;
	struct given given = *GIVEN(leaf_pem, middle_pem, leaf_key, NULL);
	given.now_s = NOW_S + 90 * DAY_S;
	expect_leaf(&given, 0);
	given.now_s++;
	expect_refused(&given, "expired",
		"expired on 2027-02-19T00:00:00Z: give one that is valid now (2027-02-19T00:00:01Z)");
	given.now_s = NOW_S - DAY_S;
	expect_leaf(&given, 0);
	given.now_s--;
	expect_refused(&given, "not_yet_valid",
		"not valid before 2026-11-20T00:00:00Z, and now it is 2026-11-19T23:59:59Z");
}

static void a_chain_of_strangers_is_refused(void **state)
{
	(void)state;
	char *some = join(middle_pem, stranger_pem, "");
	expect_refused(GIVEN(leaf_pem, stranger_pem, leaf_key, NULL), "chain",
		"lacks the issuer of the certificate, CN=Test Middle");
	expect_refused(GIVEN(leaf_pem, root_pem, leaf_key, NULL), "chain", "CN=Test Middle");
	expect_refused(GIVEN(leaf_pem, NULL, leaf_key, NULL), "chain", "CN=Test Middle");
	struct bundle bundle = take(GIVEN(leaf_pem, some, leaf_key, NULL));
	assert_int_equal(bundle.chain_count, 1);
	assert_true(has_note(&bundle, "CN=Stranger is not in the chain"));
	bundle_clear(&bundle);
	free(some);
}

static void a_key_in_the_chain_is_told_and_not_used(void **state)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	char *chain = join(middle_pem, rsa_key, "");
	char *all = join(leaf_pem, middle_pem, leaf_key);
	(void)state;
	assert_int_equal(ask(GIVEN(leaf_pem, chain, leaf_key, NULL), &bundle, &err), 0);
	assert_true(has_note(&bundle, "the chain has a private key in it, which was not used"));
	bundle_clear(&bundle);
	/* One file, named for everything. */
	assert_int_equal(ask(GIVEN(all, all, leaf_key, NULL), &bundle, &err), 0);
	assert_false(has_note(&bundle, "private key"));
	bundle_clear(&bundle);
	/* Two files of the same length. */
	char *other = join(middle_pem, leaf_pem, leaf_key);
	assert_int_equal(ask(GIVEN(all, other, leaf_key, NULL), &bundle, &err), 0);
	assert_true(has_note(&bundle, "the chain has a private key in it"));
	bundle_clear(&bundle);
	free(other);
	/* It is no key of the certificate either. */
	char *own = join(middle_pem, leaf_key, "");
	assert_int_equal(ask(GIVEN(leaf_pem, own, NULL, NULL), &bundle, &err), -1);
	assert_string_equal(err.code, "input");
	assert_non_null(strstr(err.text, "no private key was given"));
	free(chain);
	free(all);
	free(own);
}

/* Same name, another key: the signature decides. */
static void an_issuer_of_the_same_name_is_not_the_issuer(void **state)
{
	(void)state;
	struct pki twin = make("Test Middle", true, NULL, &root);
	char *twin_pem = pki_pem(&twin);
	char *both = join(twin_pem, middle_pem, "");
	expect_refused(GIVEN(leaf_pem, twin_pem, leaf_key, NULL), "chain", "lacks");
	expect_leaf(GIVEN(leaf_pem, both, leaf_key, NULL), 1);
	free(twin_pem);
	free(both);
	pki_clear(&twin);
}

static void a_chain_without_its_root_is_taken_as_it_is(void **state)
{
	(void)state;
	struct pki low = make("Test Low", true, NULL, &middle);
	struct pki end = make("www.example.com", false, NULL, &low);
	char *low_pem = pki_pem(&low), *pem = pki_pem(&end), *key = pki_key_pem(&end);
	char *chain = join(middle_pem, low_pem, "");
	struct bundle bundle = take(GIVEN(pem, chain, key, NULL));
	assert_int_equal(bundle.chain_count, 2);
	assert_der(&bundle.chain[0], &low);
	assert_der(&bundle.chain[1], &middle);
	assert_int_equal(bundle.note_count, 0);
	bundle_clear(&bundle);
	free(low_pem);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&low);
	pki_clear(&end);
}

/* A CA's new key, signed by its old one: the same name above and below, and no root. */
static void a_ca_with_a_new_key_is_not_its_own_issuer(void **state)
{
	(void)state;
	struct pki renewed = make("Stranger", true, NULL, &stranger);
	struct pki end = make("www.example.com", false, NULL, &renewed);
	char *renewed_pem = pki_pem(&renewed), *pem = pki_pem(&end), *key = pki_key_pem(&end);
	char *chain = join(renewed_pem, stranger_pem, "");
	struct bundle bundle = take(&(struct given){pem, chain, key, NULL, .keep_root = true});
	assert_int_equal(bundle.chain_count, 2);
	assert_der(&bundle.chain[0], &renewed);
	assert_der(&bundle.chain[1], &stranger);
	bundle_clear(&bundle);
	free(renewed_pem);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&renewed);
	pki_clear(&end);
}

static void as_many_notes_are_told_as_fit(void **state)
{
	(void)state;
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	buf_add_text(&chain, middle_pem);
	for (int i = 0; i <= BUNDLE_NOTES_MAX; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "Stranger %d", i);
		struct pki one = make(name, true, NULL, NULL);
		char *pem = pki_pem(&one);
		buf_add_text(&chain, pem);
		free(pem);
		pki_clear(&one);
	}
	expect_leaf(GIVEN(leaf_pem, buf_text(&chain), leaf_key, NULL), BUNDLE_NOTES_MAX);
	buf_clear(&chain);
}

static void a_chain_of_too_many_is_refused(void **state)
{
	(void)state;
	struct pki link[BUNDLE_CHAIN_MAX + 2];
	struct buf chain;
	char *pem = NULL, *key = NULL;
	enum { LINKS = BUNDLE_CHAIN_MAX + 1 };
	buf_init(&chain, X509_PEM_MAX);
	for (int i = 0; i < LINKS; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "CA %d", i);
		link[i] = make(name, true, NULL, i > 0 ? &link[i - 1] : NULL);
		pem = pki_pem(&link[i]);
		buf_add_text(&chain, pem);
		free(pem);
	}
	link[LINKS] = make("www.example.com", false, NULL, &link[LINKS - 1]);
	pem = pki_pem(&link[LINKS]);
	key = pki_key_pem(&link[LINKS]);
	expect_refused(GIVEN(pem, buf_text(&chain), key, NULL), "chain", "more than 16");
	for (int i = 0; i <= LINKS; i++)
		pki_clear(&link[i]);
	buf_clear(&chain);
	free(pem);
	free(key);
}

static void expect_made_refused(
	const struct pki_spec *spec, const struct pki *by, const char *code, const char *says)
{
	struct pki_spec valid = *spec;
	valid.not_before_s = NOW_S - DAY_S;
	valid.not_after_s = NOW_S + DAY_S;
	struct pki made = pki_make(&valid, by);
	char *pem = pki_pem(&made), *key = pki_key_pem(&made);
	char *chain = by != NULL ? pki_pem(by) : xstrdup("");
	expect_refused(GIVEN(pem, chain, key, NULL), code, says);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&made);
}

static void keys_and_signatures_that_acm_does_not_know_are_refused(void **state)
{
	(void)state;
	static const char *const keys[] = {"Ed25519", "EC_secp256k1", "RSA_1536"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		expect_made_refused(&(struct pki_spec){.common_name = "www.example.com",
					    .key_algorithm = keys[i]},
			&middle, "key_type", keys[i]);
	struct pki ed = make("Ed CA", true, "Ed25519", NULL);
	expect_made_refused(
		&(struct pki_spec){.common_name = "www.example.com"}, &ed, "signature", "ED25519");
	pki_clear(&ed);
}

static void certificates_without_a_name_are_refused(void **state)
{
	(void)state;
	expect_made_refused(
		&(struct pki_spec){.common_name = "Accounting"}, &middle, "names", "neither");
	expect_made_refused(
		&(struct pki_spec){.sans = "email:a@example.com"}, &middle, "names", "neither");
	struct pki address = pki_make(&(struct pki_spec){.sans = "IP:192.0.2.1",
					      .not_before_s = NOW_S - DAY_S,
					      .not_after_s = NOW_S + DAY_S},
		&middle);
	char *pem = pki_pem(&address), *key = pki_key_pem(&address);
	struct bundle bundle = take(GIVEN(pem, middle_pem, key, NULL));
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&address);
}

static void sizes_have_limits(void **state)
{
	(void)state;
	struct buf names;
	buf_init(&names, 1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_addf(&names, "%sDNS:host-%06d.example.com", i > 0 ? "," : "", i);
	expect_made_refused(
		&(struct pki_spec){.sans = buf_text(&names)}, &middle, "size", "as PEM, ACM 32768");
	buf_clear(&names);
	char *text = xmalloc(BUNDLE_INPUT_MAX + 2);
	memset(text, 'x', BUNDLE_INPUT_MAX + 1);
	text[BUNDLE_INPUT_MAX + 1] = '\0';
	expect_refused(GIVEN(leaf_pem, text, leaf_key, NULL), "size", "the chain is larger than");
	expect_refused(GIVEN(text, NULL, leaf_key, NULL), "size", "the certificate is larger than");
	free(text);
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
	struct bundle bundle = take(GIVEN(rsa_pem, middle_pem, fits, NULL));
	bundle_clear(&bundle);
	assert_true(strlen(large) > BUNDLE_KEY_MAX);
	expect_refused(GIVEN(rsa_pem, middle_pem, large, NULL), "size", "bytes as PEM, ACM 5120");
	free(fits);
	free(large);
}

static void too_many_certificates_are_refused(void **state)
{
	(void)state;
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	for (int i = 0; i < 64; i++) {
		struct pki one = make("Stranger", true, NULL, NULL);
		char *pem = pki_pem(&one);
		buf_add_text(&chain, pem);
		free(pem);
		pki_clear(&one);
	}
	expect_refused(GIVEN(leaf_pem, buf_text(&chain), leaf_key, NULL), "input",
		"more than 64 certificates");
	buf_clear(&chain);
}

static void what_is_no_certificate_is_refused(void **state)
{
	(void)state;
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	expect_refused(GIVEN(NULL, NULL, leaf_key, NULL), "input", "no certificate");
	expect_refused(GIVEN("", "", leaf_key, NULL), "input", "no certificate");
	expect_refused(GIVEN(NULL, NULL, NULL, NULL), "input", "no certificate");
	expect_refused(GIVEN("!", NULL, leaf_key, NULL), "input",
		"the certificate: it is neither PEM nor DER");
	expect_refused(GIVEN("rubbish", NULL, leaf_key, NULL), "input",
		"the certificate: it is neither PEM nor DER");
	expect_refused(GIVEN(leaf_pem, "rubbish", leaf_key, NULL), "input",
		"the chain: it is neither PEM nor DER");
	expect_refused(GIVEN(leaf_key, NULL, leaf_key, NULL), "input",
		"the certificate: no certificate is in it, but a private key");
	expect_refused(GIVEN(broken, NULL, leaf_key, NULL), "input", "");
	expect_refused(GIVEN(leaf_pem, broken, leaf_key, NULL), "input", "");
}

/* The leaf with one byte of its DER changed: that behind the last of these bytes. */
static char *leaf_with(const char *bytes, size_t len, unsigned char changed)
{
	unsigned char *der = NULL, *last = NULL;
	struct buf pem;
	size_t size = (size_t)i2d_X509(leaf.x509, &der);
	for (unsigned char *at = der; at + len < der + size; at++)
		if (memcmp(at, bytes, len) == 0)
			last = at;
	assert_non_null(last);
	last[len] = changed;
	buf_init(&pem, X509_PEM_MAX);
	x509_pem_add(&pem, der, size);
	char *text = xstrdup(buf_text(&pem));
	buf_clear(&pem);
	OPENSSL_free(der);
	return text;
}

/* What the inventory can read of a certificate is less than what delivery has to. */
static void what_openssl_cannot_read_is_refused(void **state)
{
	(void)state;
	static const char curve[] = "\x2a\x86\x48\xce\x3d\x03\x01",
			  algorithm[] = "\x04\x03\x02\x03";
	char *of_a_curve = leaf_with(curve, sizeof(curve) - 1, 0x7f);
	char *of_no_curve = leaf_with(algorithm, sizeof(algorithm) - 1, 0x70);
	expect_refused(GIVEN(of_a_curve, middle_pem, leaf_key, NULL), "wrong_key", "");
	expect_refused(GIVEN(of_no_curve, middle_pem, leaf_key, NULL), "input", "");
	free(of_a_curve);
	free(of_no_curve);
}

/* Whatever is cut off, the answer is a whole bundle or a refusal with a code. */
static void truncation_at_every_byte_is_an_answer(void **state)
{
	(void)state;
	char *all = join(leaf_key, leaf_pem, middle_pem);
	for (size_t len = 0; len <= strlen(all); len++) {
		struct err err = ERR_INIT;
		struct bundle bundle;
		char *cut = xmalloc(len + 1); /* the sanitizer sees a read too many */
		memcpy(cut, all, len);
		struct bundle_input input = {
			.certificate = cut, .certificate_len = len, .now_s = NOW_S};
		if (bundle_read(&input, true, &bundle, &err) == 0) {
			assert_der(&bundle.leaf, &leaf);
			assert_int_equal(bundle.chain_count, 1);
			bundle_clear(&bundle);
		} else {
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_string_not_equal(err.code, "");
		}
		free(cut);
	}
	free(all);
}

static void clearing_twice_is_fine(void **state)
{
	(void)state;
	struct bundle bundle = take(GIVEN(leaf_pem, middle_pem, leaf_key, NULL));
	bundle_clear(&bundle);
	bundle_clear(&bundle);
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
		cmocka_unit_test(encrypted_keys_need_their_passphrase),
		cmocka_unit_test(traditional_keys_become_pkcs8),
		cmocka_unit_test(a_curve_that_is_spelt_out_gets_its_name),
		cmocka_unit_test(attributes_of_a_key_are_left_out),
		cmocka_unit_test(keys_that_cannot_be_used_are_refused),
		cmocka_unit_test(the_key_may_be_elsewhere),
		cmocka_unit_test(pkcs12_is_taken),
		cmocka_unit_test(pkcs12_of_certificates_alone_has_no_key),
		cmocka_unit_test(pkcs12_needs_no_mac),
		cmocka_unit_test(time_is_told),
		cmocka_unit_test(a_chain_of_strangers_is_refused),
		cmocka_unit_test(a_key_in_the_chain_is_told_and_not_used),
		cmocka_unit_test(an_issuer_of_the_same_name_is_not_the_issuer),
		cmocka_unit_test(a_chain_without_its_root_is_taken_as_it_is),
		cmocka_unit_test(a_ca_with_a_new_key_is_not_its_own_issuer),
		cmocka_unit_test(as_many_notes_are_told_as_fit),
		cmocka_unit_test(a_chain_of_too_many_is_refused),
		cmocka_unit_test(keys_and_signatures_that_acm_does_not_know_are_refused),
		cmocka_unit_test(certificates_without_a_name_are_refused),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(a_key_has_a_limit),
		cmocka_unit_test(too_many_certificates_are_refused),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(what_openssl_cannot_read_is_refused),
		cmocka_unit_test(truncation_at_every_byte_is_an_answer),
		cmocka_unit_test(clearing_twice_is_fine),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
