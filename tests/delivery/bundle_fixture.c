#include "tests/delivery/bundle_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

struct pki root, middle, leaf, rsa_leaf, stranger;
char *root_pem, *middle_pem, *leaf_pem, *rsa_pem, *stranger_pem, *leaf_key, *rsa_key;

struct pki bundle_make(const char *name, bool is_ca, const char *algorithm, const struct pki *by)
{
	return pki_make(&(struct pki_spec){.common_name = name,
				.sans = is_ca ? NULL : "DNS:www.example.com",
				.is_ca = is_ca,
				.key_algorithm = algorithm,
				.not_before_s = NOW_S - DAY_S,
				.not_after_s = NOW_S + 90 * DAY_S},
		by);
}

int bundle_fixture_set_up(void **state)
{
	(void)state;
	root = bundle_make("Test Root", true, "RSA_2048", NULL);
	middle = bundle_make("Test Middle", true, NULL, &root);
	leaf = bundle_make("www.example.com", false, NULL, &middle);
	rsa_leaf = bundle_make("www.example.com", false, "RSA_2048", &middle);
	stranger = bundle_make("Stranger", true, NULL, NULL);
	root_pem = pki_pem(&root);
	middle_pem = pki_pem(&middle);
	leaf_pem = pki_pem(&leaf);
	rsa_pem = pki_pem(&rsa_leaf);
	stranger_pem = pki_pem(&stranger);
	leaf_key = pki_key_pem(&leaf);
	rsa_key = pki_key_pem(&rsa_leaf);
	return 0;
}

int bundle_fixture_tear_down(void **state)
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

char *bundle_join(const char *a, const char *b, const char *c)
{
	size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
	char *text = xmalloc(size);
	(void)snprintf(text, size, "%s%s%s", a, b, c);
	return text;
}

int bundle_ask(const struct given *given, struct bundle *ret_bundle, struct err *err)
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

void bundle_expect_refused(const struct given *given, const char *code, const char *says)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	assert_int_equal(bundle_ask(given, &bundle, &err), -1);
	if (err.kind != ERR_CONFIG || strcmp(err.code, code) != 0 || strstr(err.text, says) == NULL)
		fail_msg("%s: %s (expected %s: %s)", err.code, err.text, code, says);
}

struct bundle bundle_take(const struct given *given)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	if (bundle_ask(given, &bundle, &err) != 0)
		fail_msg("%s: %s", err.code, err.text);
	return bundle;
}

bool bundle_has_note(const struct bundle *bundle, const char *says)
{
	for (size_t i = 0; i < bundle->note_count; i++)
		if (strstr(bundle->note[i], says) != NULL)
			return true;
	return false;
}

void bundle_assert_der(const struct bundle_der *der, const struct pki *pki)
{
	unsigned char *encoded = NULL;
	int len = i2d_X509(pki->x509, &encoded);
	assert_int_equal(der->len, len);
	assert_memory_equal(der->bytes, encoded, der->len);
	OPENSSL_free(encoded);
}

void bundle_expect_leaf(const struct given *given, size_t notes)
{
	struct bundle bundle = bundle_take(given);
	bundle_assert_der(&bundle.leaf, &leaf);
	assert_int_equal(bundle.chain_count, 1);
	bundle_assert_der(&bundle.chain[0], &middle);
	assert_string_equal(bundle.key_algorithm, "EC_prime256v1");
	assert_string_equal(secret_bytes(&bundle.key_pem), leaf_key);
	if (bundle.note_count != notes)
		fail_msg("%zu notes, first: %s", bundle.note_count,
			bundle.note_count > 0 ? bundle.note[0] : "");
	bundle_clear(&bundle);
}
