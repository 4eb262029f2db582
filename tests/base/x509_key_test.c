/* Keys that belong to a certificate and keys that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/x509.h"
#include "tests/lib/read_file.h"

static struct der load(const char *name)
{
	struct err err = ERR_INIT;
	size_t len;
	char *pem = read_data("x509", name, ".pem", &len);
	const char *at = pem;
	unsigned char *der = NULL;
	struct der result = {NULL, 0};
	assert_int_equal(x509_pem_next(&at, pem + len, &der, &result.len, &err), 1);
	result.bytes = der;
	free(pem);
	return result;
}

static void drop(struct der der)
{
	free((void *)(uintptr_t)der.bytes);
}

static int match(const char *key_name, const char *leaf_name, bool *ret_matches, struct err *err)
{
	size_t len;
	char *pem = read_data("x509", key_name, ".key", &len);
	struct secret key = SECRET_INIT;
	secret_set(&key, pem, len);
	free(pem);
	struct der leaf = load(leaf_name);
	int rc = x509_key_matches(&key, &leaf, ret_matches, err);
	drop(leaf);
	secret_clear(&key);
	return rc;
}

static void a_key_is_matched_with_its_leaf_only(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	bool matches = false;
	assert_int_equal(match("leaf", "chain-leaf", &matches, &err), 0);
	assert_true(matches);
	assert_int_equal(match("leaf-sec1", "chain-leaf", &matches, &err), 0);
	assert_true(matches);
	assert_int_equal(match("other", "chain-leaf", &matches, &err), 0);
	assert_false(matches);
	matches = true;
	assert_int_equal(match("leaf", "rsa-2048", &matches, &err), 0);
	assert_false(matches);
}

static void a_key_that_cannot_be_read_is_a_configuration_error(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	bool matches = false;
	assert_int_equal(match("leaf-encrypted", "chain-leaf", &matches, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "encrypted"));

	struct der leaf = load("chain-leaf");
	struct secret key = SECRET_INIT;
	assert_int_equal(x509_key_matches(&key, &leaf, &matches, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	secret_set(&key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 58);
	assert_int_equal(x509_key_matches(&key, &leaf, &matches, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	secret_clear(&key);
	drop(leaf);
}

static void a_leaf_of_an_unknown_kind_is_a_protocol_error(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	bool matches = false;
	size_t len;
	char *pem = read_data("x509", "leaf", ".key", &len);
	struct secret key = SECRET_INIT;
	secret_set(&key, pem, len);
	struct der garbage = {(const unsigned char *)pem, len};
	assert_int_equal(x509_key_matches(&key, &garbage, &matches, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	secret_clear(&key);
	free(pem);
}

static void what_is_no_certificate_is_refused(void **state)
{
	(void)state;
	static const unsigned char zeros[X509_DER_MAX + 1];
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	bool matches = false;
	struct der leaf = load("chain-leaf");
	struct der cut = {leaf.bytes, leaf.len - 1};
	struct der more = {zeros, sizeof(zeros)};
	assert_int_equal(x509_key_matches(&key, &cut, &matches, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_string_equal(err.text, "the leaf is not a certificate");
	assert_int_equal(x509_key_matches(&key, &more, &matches, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	drop(leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(a_key_is_matched_with_its_leaf_only),
		cmocka_unit_test(a_key_that_cannot_be_read_is_a_configuration_error),
		cmocka_unit_test(a_leaf_of_an_unknown_kind_is_a_protocol_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
