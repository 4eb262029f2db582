/* PEM blocks as they come, and as they should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/x509.h"
#include "tests/lib/read_file.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

/* What x509_pem_next makes of text; an exact copy, so that ASan sees a byte too far. */
static int next(const char *text, size_t *ret_len, char *ret_start, struct err *err)
{
	size_t len = strlen(text);
	char *copy = xmalloc(len > 0 ? len : 1);
	memcpy(copy, text, len);
	const char *at = copy;
	unsigned char *der = NULL;
	int rc = x509_pem_next(&at, copy + len, &der, ret_len, err);
	if (rc == 1)
		memcpy(ret_start, der, *ret_len < 8 ? *ret_len : 8);
	if (rc == -1)
		assert_ptr_equal(at, copy);
	free(der);
	free(copy);
	return rc;
}

static void assert_decodes(const char *text, const char *expected)
{
	struct err err = ERR_INIT;
	size_t len = 0;
	char start[8];
	assert_int_equal(next(text, &len, start, &err), 1);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(start, expected, len);
}

static void assert_broken(const char *text, const char *reason)
{
	struct err err = ERR_INIT;
	size_t len = 0;
	char start[8];
	assert_int_equal(next(text, &len, start, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(err.text, reason));
}

static void assert_nothing(const char *text)
{
	struct err err = ERR_INIT;
	size_t len = 0;
	char start[8];
	assert_int_equal(next(text, &len, start, &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

static void blocks_decode_with_any_line_ends_and_padding(void **state)
{
	(void)state;
	assert_decodes(BEGIN "Zg==\n" END, "f");
	assert_decodes(BEGIN "Zm8=\n" END, "fo");
	assert_decodes(BEGIN "Zm9v\n" END, "foo");
	assert_decodes(BEGIN "Zm9vYg==\n" END, "foob");
	assert_decodes(
		"-----BEGIN CERTIFICATE-----\r\nZm9v\r\nYg==\r\n-----END CERTIFICATE-----", "foob");
	assert_decodes(BEGIN " Z m\t9 v \n\n" END, "foo");
	assert_decodes(BEGIN "+/+/" END, "\xfb\xff\xbf");
	assert_decodes(BEGIN END, "");
}

static void text_and_other_blocks_around_are_skipped(void **state)
{
	(void)state;
	assert_decodes("subject=CN = x\n\n" BEGIN "Zm9v\n" END "trailer", "foo");
	assert_decodes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" BEGIN
		       "Zm9v\n" END,
		"foo");
	assert_nothing("");
	assert_nothing("no certificate here");
	assert_nothing("-----BEGIN ");
	assert_nothing("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_nothing("not at a line start " BEGIN "Zm9v\n" END);
}

static void broken_blocks_are_errors(void **state)
{
	(void)state;
	assert_broken(BEGIN "Zm9v\n", "no END line");
	assert_broken(BEGIN "Zm9v\n-----END", "no END line");
	assert_broken(BEGIN "Zm9v\n-----END PRIVATE KEY-----\n", "no END line");
	assert_broken(BEGIN "Zm9v\n" BEGIN "Zm9v\n" END, "no END line");
	assert_broken(BEGIN "Zm9\n" END, "base64");
	assert_broken(BEGIN "Z\n" END, "base64");
	assert_broken(BEGIN "Zg=\n" END, "base64");
	assert_broken(BEGIN "Z===\n" END, "base64");
	assert_broken(BEGIN "====\n" END, "base64");
	assert_broken(BEGIN "Zg==Zg==\n" END, "base64");
	assert_broken(BEGIN "Zm9v!\n" END, "base64");
	assert_broken(BEGIN "Zm9v\xff\n" END, "base64");
	assert_broken(BEGIN "{\"message\":1}\n" END, "base64");
}

static void a_chain_is_walked_block_by_block(void **state)
{
	(void)state;
	static const char *const names[] = {"chain-leaf", "chain-intermediate", "chain-root"};
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		char *pem = read_data("x509", names[i], ".pem", &len);
		buf_add(&chain, pem, len);
		free(pem);
	}
	const char *at = chain.data;
	struct buf again;
	buf_init(&again, X509_PEM_MAX);
	struct err err = ERR_INIT;
	unsigned char *der;
	size_t len;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(x509_pem_next(&at, chain.data + chain.len, &der, &len, &err), 1);
		x509_pem_add(&again, der, len);
		free(der);
	}
	assert_int_equal(x509_pem_next(&at, chain.data + chain.len, &der, &len, &err), 0);
	assert_int_equal(x509_pem_next(&at, chain.data + chain.len, &der, &len, &err), 0);
	assert_string_equal(buf_text(&again), buf_text(&chain)); /* what openssl writes, we write */
	buf_clear(&again);
	buf_clear(&chain);
}

static void a_block_above_the_limit_is_an_error(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, X509_PEM_MAX);
	unsigned char *bytes = xcalloc(1, X509_DER_MAX + 1);
	for (size_t extra = 0; extra <= 1; extra++) {
		buf_reset(&text);
		x509_pem_add(&text, bytes, X509_DER_MAX + extra);
		const char *at = text.data;
		unsigned char *der = NULL;
		size_t len = 0;
		int rc = x509_pem_next(&at, text.data + text.len, &der, &len, &err);
		assert_int_equal(rc, extra == 0 ? 1 : -1);
		if (rc == 1)
			assert_int_equal(len, X509_DER_MAX);
		else
			assert_int_equal(err.kind, ERR_LIMIT);
		free(der);
	}
	free(bytes);
	buf_clear(&text);
}

static void a_block_cut_anywhere_is_refused(void **state)
{
	(void)state;
	size_t len;
	char *pem = read_data("x509", "rsa-2048", ".pem", &len);
	for (size_t cut = 0; cut < len - 1; cut++) { /* without the last line end it is whole */
		struct err err = ERR_INIT;
		char *part = xmalloc(cut > 0 ? cut : 1);
		memcpy(part, pem, cut);
		const char *at = part;
		unsigned char *der = NULL;
		size_t der_len;
		int rc = x509_pem_next(&at, part + cut, &der, &der_len, &err);
		assert_int_equal(rc, cut < strlen(BEGIN) - 1 ? 0 : -1);
		free(part);
	}
	free(pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_decode_with_any_line_ends_and_padding),
		cmocka_unit_test(text_and_other_blocks_around_are_skipped),
		cmocka_unit_test(broken_blocks_are_errors),
		cmocka_unit_test(a_chain_is_walked_block_by_block),
		cmocka_unit_test(a_block_above_the_limit_is_an_error),
		cmocka_unit_test(a_block_cut_anywhere_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
