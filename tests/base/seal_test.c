/* What is sealed opens with the same key and data, and in no other way. */
#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

static struct secret key;

static int setup(void **state)
{
	(void)state;
	seal_key_make(&key);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	secret_clear(&key);
	return 0;
}

static unsigned char *close_text(const char *text, size_t len, size_t *ret_len)
{
	struct secret secret = SECRET_INIT;
	secret_set(&secret, text, len);
	*ret_len = len + SEAL_EXTRA;
	unsigned char *sealed = xmalloc(*ret_len);
	seal_close(&key, "plan-1", 6, &secret, sealed);
	secret_clear(&secret);
	return sealed;
}

static void expect_refused(
	const struct secret *with, const char *associated, const unsigned char *sealed, size_t len)
{
	struct err err = ERR_INIT;
	struct secret opened = SECRET_INIT;
	assert_int_equal(
		seal_open(with, associated, strlen(associated), sealed, len, &opened, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	assert_false(secret_is_set(&opened));
}

static void keys_are_not_the_same_twice(void **state)
{
	(void)state;
	struct secret other = SECRET_INIT;
	seal_key_make(&other);
	assert_int_equal(key.len, SEAL_KEY_LEN);
	assert_int_equal(other.len, SEAL_KEY_LEN);
	assert_false(secret_equal(&key, &other));
	secret_clear(&other);
}

static void every_length_comes_back(void **state)
{
	(void)state;
	static const size_t edges[] = {1, 15, 16, 17, 32, 1704, 32000, SECRET_MAX};
	char *text = xmalloc(SECRET_MAX);
	memset(text, 'k', SECRET_MAX);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct err err = ERR_INIT;
		struct secret opened = SECRET_INIT;
		size_t len;
		unsigned char *sealed = close_text(text, edges[i], &len);
		assert_int_equal(seal_open(&key, "plan-1", 6, sealed, len, &opened, &err), 0);
		assert_int_equal(opened.len, edges[i]);
		assert_memory_equal(secret_bytes(&opened), text, edges[i]);
		secret_clear(&opened);
		free(sealed);
	}
	free(text);
}

static void the_same_secret_is_sealed_otherwise_each_time(void **state)
{
	(void)state;
	size_t len;
	unsigned char *first = close_text("secret", 6, &len);
	unsigned char *second = close_text("secret", 6, &len);
	assert_memory_not_equal(first, second, SEAL_NONCE_LEN);
	assert_memory_not_equal(first + SEAL_NONCE_LEN, second + SEAL_NONCE_LEN, 6);
	free(first);
	free(second);
}

static void another_key_or_record_is_refused(void **state)
{
	(void)state;
	struct secret other = SECRET_INIT, half = SECRET_INIT;
	size_t len;
	unsigned char *sealed = close_text("secret", 6, &len);
	seal_key_make(&other);
	secret_set(&half, key.bytes, 16);
	expect_refused(&other, "plan-1", sealed, len);
	expect_refused(&half, "plan-1", sealed, len);
	expect_refused(&key, "plan-2", sealed, len);
	expect_refused(&key, "plan-", sealed, len);
	expect_refused(&key, "", sealed, len);
	secret_clear(&other);
	secret_clear(&half);
	free(sealed);
}

static void every_changed_bit_and_length_is_refused(void **state)
{
	(void)state;
	size_t len;
	unsigned char *sealed = close_text("secret", 6, &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		sealed[bit / 8] ^= (unsigned char)(1U << (bit % 8));
		expect_refused(&key, "plan-1", sealed, len);
		sealed[bit / 8] ^= (unsigned char)(1U << (bit % 8));
	}
	for (size_t cut = 0; cut < len; cut++) {
		unsigned char *copy = xmalloc(cut + 1); /* the sanitizer sees a read too many */
		memcpy(copy, sealed, cut);
		expect_refused(&key, "plan-1", copy, cut);
		free(copy);
	}
	expect_refused(&key, "plan-1", sealed, (size_t)SECRET_MAX + SEAL_EXTRA + 1);
	free(sealed);
}

static void what_is_refused_leaves_what_was_there(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct secret kept = SECRET_INIT;
	size_t len;
	unsigned char *sealed = close_text("secret", 6, &len);
	secret_set(&kept, "before", 6);
	sealed[len - 1] ^= 1;
	assert_int_equal(seal_open(&key, "plan-1", 6, sealed, len, &kept, &err), -1);
	assert_string_equal(secret_bytes(&kept), "before");
	secret_clear(&kept);
	free(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_not_the_same_twice),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(the_same_secret_is_sealed_otherwise_each_time),
		cmocka_unit_test(another_key_or_record_is_refused),
		cmocka_unit_test(every_changed_bit_and_length_is_refused),
		cmocka_unit_test(what_is_refused_leaves_what_was_there),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
