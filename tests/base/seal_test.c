/* AES-256-GCM: a published vector, and everything that must not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "base/text.h"

static struct seal *seal;
static struct secret key;

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	seal = seal_new(&err);
	assert_non_null(seal);
	assert_int_equal(seal_make_key(&key, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	seal_free(seal);
	secret_clear(&key);
	return 0;
}

static struct seal_context context(const char *text)
{
	return (struct seal_context){.bytes = text, .len = strlen(text)};
}

/* Owned. */
static unsigned char *close_text(const char *text, size_t len, const char *bound)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, text, len);
	unsigned char *sealed = xmalloc(len + SEAL_OVERHEAD);
	assert_int_equal(seal_close(seal, &key, context(bound), &secret, sealed, &err), 0);
	secret_clear(&secret);
	return sealed;
}

/* A copy of exactly that size, so that the sanitizer sees one byte too many. */
static bool opens(const struct secret *with, const char *bound, const unsigned char *sealed,
	size_t len, struct secret *ret)
{
	unsigned char *copy = xmalloc(len + 1);
	memcpy(copy + 1, sealed, len);
	bool is_open = seal_open(seal, with, context(bound), copy + 1, len, ret);
	free(copy);
	return is_open;
}

static void what_was_sealed_opens_again(void **state)
{
	(void)state;
	static char large[SECRET_MAX];
	static const size_t lens[] = {0, 1, 15, 16, 17, 1704, SECRET_MAX};
	memset(large, 'k', sizeof(large));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct secret back = SECRET_INIT;
		unsigned char *sealed = close_text(large, lens[i], "csr-1");
		assert_true(opens(&key, "csr-1", sealed, lens[i] + SEAL_OVERHEAD, &back));
		assert_int_equal(back.len, lens[i]);
		assert_memory_equal(secret_bytes(&back), large, lens[i]);
		secret_clear(&back);
		free(sealed);
	}
}

/* Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega): AES-256, 96-bit nonce. */
static void it_is_the_published_cipher(void **state)
{
	(void)state;
	struct secret published = SECRET_INIT, back = SECRET_INIT;
	unsigned char raw_key[SEAL_KEY_LEN], text[60], aad[20];
	unsigned char sealed[SEAL_NONCE_LEN + 60 + SEAL_TAG_LEN];
	assert_true(text_unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		raw_key, sizeof(raw_key)));
	assert_true(text_unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c"
			       "3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		text, sizeof(text)));
	assert_true(text_unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof(aad)));
	assert_true(text_unhex("cafebabefacedbaddecaf888"
			       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8c"
			       "b08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
			       "76fc6ece0f4e1768cddf8853bb2d551b",
		sealed, sizeof(sealed)));
	secret_set(&published, raw_key, sizeof(raw_key));
	struct seal_context bound = {.bytes = aad, .len = sizeof(aad)};
	assert_true(seal_open(seal, &published, bound, sealed, sizeof(sealed), &back));
	assert_int_equal(back.len, sizeof(text));
	assert_memory_equal(secret_bytes(&back), text, sizeof(text));
	secret_clear(&back);
	secret_clear(&published);
}

static void a_changed_or_missing_byte_does_not_open(void **state)
{
	(void)state;
	static const char text[] = "a private key, more or less";
	size_t len = sizeof(text) + SEAL_OVERHEAD;
	struct secret back = SECRET_INIT;
	unsigned char *sealed = close_text(text, sizeof(text), "csr-1");
	for (size_t bit = 0; bit < len * 8; bit++) {
		sealed[bit / 8] = (unsigned char)(sealed[bit / 8] ^ 1U << bit % 8);
		assert_false(opens(&key, "csr-1", sealed, len, &back));
		sealed[bit / 8] = (unsigned char)(sealed[bit / 8] ^ 1U << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_false(opens(&key, "csr-1", sealed, cut, &back));
	assert_false(secret_is_set(&back));
	assert_true(opens(&key, "csr-1", sealed, len, &back));
	secret_clear(&back);
	free(sealed);
}

static void another_key_or_context_does_not_open(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct secret other = SECRET_INIT, back = SECRET_INIT;
	size_t len = 3 + SEAL_OVERHEAD;
	unsigned char *sealed = close_text("abc", 3, "csr-1");
	assert_int_equal(seal_make_key(&other, &err), 0);
	assert_false(opens(&other, "csr-1", sealed, len, &back));
	assert_false(opens(&key, "csr-2", sealed, len, &back));
	assert_false(opens(&key, "", sealed, len, &back));
	assert_false(opens(&key, "csr-11", sealed, len, &back));
	secret_set(&back, "kept", 4); /* what is there stays when nothing opens */
	assert_false(opens(&other, "csr-1", sealed, len, &back));
	assert_string_equal(secret_bytes(&back), "kept");
	assert_true(opens(&key, "csr-1", sealed, len, &back));
	assert_string_equal(secret_bytes(&back), "abc");
	secret_clear(&back);
	secret_clear(&other);
	free(sealed);
}

static void the_same_secret_is_never_sealed_to_the_same_bytes(void **state)
{
	(void)state;
	size_t len = 3 + SEAL_OVERHEAD;
	unsigned char *one = close_text("abc", 3, "csr-1"), *other = close_text("abc", 3, "csr-1");
	assert_memory_not_equal(one, other, SEAL_NONCE_LEN);
	assert_memory_not_equal(one + SEAL_NONCE_LEN, other + SEAL_NONCE_LEN, len - SEAL_NONCE_LEN);
	free(one);
	free(other);
}

static void more_than_a_secret_holds_does_not_open(void **state)
{
	(void)state;
	struct secret back = SECRET_INIT;
	size_t len = SECRET_MAX + SEAL_OVERHEAD + 1;
	unsigned char *sealed = xcalloc(1, len);
	assert_false(seal_open(seal, &key, context(""), sealed, len, &back));
	assert_false(secret_is_set(&back));
	free(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens_again),
		cmocka_unit_test(it_is_the_published_cipher),
		cmocka_unit_test(a_changed_or_missing_byte_does_not_open),
		cmocka_unit_test(another_key_or_context_does_not_open),
		cmocka_unit_test(the_same_secret_is_never_sealed_to_the_same_bytes),
		cmocka_unit_test(more_than_a_secret_holds_does_not_open),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
