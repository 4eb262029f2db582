#include "discovery/cert_pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* PEM's armour is all that counts here: what is inside is not parsed. */
static void add_pem(struct buf *to, const char *base64)
{
	buf_addf(to, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", base64);
}

/* SHA-256 of "abc", which is YWJj in base64: FIPS 180-2 appendix B.1. */
static const char abc_sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void leaf_is_der_and_its_hash(void **state)
{
	(void)state;
	struct buf pem;
	struct cert_der leaf;
	struct err err = ERR_INIT;
	char hex[2 * CERT_SHA256_LEN + 1];
	buf_init(&pem, 4096);
	buf_add_text(&pem, "some text before\n");
	add_pem(&pem, "YWJj");
	assert_int_equal(cert_leaf_read(buf_text(&pem), &leaf, &err), 0);
	assert_int_equal(leaf.len, 3);
	assert_memory_equal(leaf.bytes, "abc", 3);
	text_hex(leaf.sha256, CERT_SHA256_LEN, hex);
	assert_string_equal(hex, abc_sha256);
	cert_der_clear(&leaf);
	assert_null(leaf.bytes);
	buf_clear(&pem);
}

static void expect_no_leaf(const char *pem, const char *text)
{
	struct cert_der leaf = {.len = 77};
	struct err err = ERR_INIT;
	assert_int_equal(cert_leaf_read(pem, &leaf, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", err.text, text);
	assert_int_equal(leaf.len, 77);
}

static void leaf_must_be_exactly_one_certificate(void **state)
{
	(void)state;
	struct buf pem;
	buf_init(&pem, 4096);
	expect_no_leaf("", "no certificate");
	expect_no_leaf("<html>", "no certificate");
	add_pem(&pem, "YW!j");
	expect_no_leaf(buf_text(&pem), "base64");
	buf_reset(&pem);
	add_pem(&pem, "YWJj");
	add_pem(&pem, "YWJj");
	expect_no_leaf(buf_text(&pem), "more than one");
	buf_reset(&pem);
	add_pem(&pem, "YWJj");
	add_pem(&pem, "YW!j");
	expect_no_leaf(buf_text(&pem), "base64");
	buf_clear(&pem);
}

static void chain_keeps_its_order(void **state)
{
	(void)state;
	struct buf pem;
	struct cert_chain chain;
	struct err err = ERR_INIT;
	buf_init(&pem, 4096);
	add_pem(&pem, "YWJj"); /* abc */
	add_pem(&pem, "Y2Jh"); /* cba */
	add_pem(&pem, "YWJj");
	assert_int_equal(cert_chain_read(buf_text(&pem), &chain, &err), 0);
	assert_int_equal(chain.count, 3);
	assert_memory_equal(chain.der[0].bytes, "abc", 3);
	assert_memory_equal(chain.der[1].bytes, "cba", 3);
	assert_memory_equal(chain.der[0].sha256, chain.der[2].sha256, CERT_SHA256_LEN);
	cert_chain_clear(&chain);
	assert_int_equal(chain.count, 0);
	buf_clear(&pem);
}

static void empty_text_is_an_empty_chain(void **state)
{
	(void)state;
	static const char *const blank[] = {"", "\n", " \r\n\t"};
	for (size_t i = 0; i < 3; i++) {
		struct cert_chain chain = {.count = 9};
		struct err err = ERR_INIT;
		assert_int_equal(cert_chain_read(blank[i], &chain, &err), 0);
		assert_int_equal(chain.count, 0);
	}
}

static void broken_chain_is_refused_as_a_whole(void **state)
{
	(void)state;
	struct buf pem;
	struct cert_chain chain = {.count = 9};
	struct err err = ERR_INIT;
	buf_init(&pem, 4096);
	assert_int_equal(cert_chain_read("<html>", &chain, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	add_pem(&pem, "YWJj");
	add_pem(&pem, "YW!j");
	assert_int_equal(cert_chain_read(buf_text(&pem), &chain, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(chain.count, 9);
	buf_clear(&pem);
}

static void chain_has_a_limit(void **state)
{
	(void)state;
	struct buf pem;
	struct cert_chain chain;
	struct err err = ERR_INIT;
	buf_init(&pem, 16384);
	for (int i = 0; i < CERT_CHAIN_MAX; i++)
		add_pem(&pem, "YWJj");
	assert_int_equal(cert_chain_read(buf_text(&pem), &chain, &err), 0);
	assert_int_equal(chain.count, CERT_CHAIN_MAX);
	cert_chain_clear(&chain);
	add_pem(&pem, "YWJj");
	assert_int_equal(cert_chain_read(buf_text(&pem), &chain, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_clear(&pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_is_der_and_its_hash),
		cmocka_unit_test(leaf_must_be_exactly_one_certificate),
		cmocka_unit_test(chain_keeps_its_order),
		cmocka_unit_test(empty_text_is_an_empty_chain),
		cmocka_unit_test(broken_chain_is_refused_as_a_whole),
		cmocka_unit_test(chain_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
