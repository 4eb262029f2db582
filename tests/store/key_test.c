/* Keys: their order is the order that walks need, and hostile texts cannot forge them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/key_internal.h"

static const unsigned char hash[KEY_ARN_HASH_LEN] = {0xaa, 1, 2, 3};

static int order(struct key a, struct key b)
{
	return key_compare(a.bytes, a.len, b.bytes, b.len);
}

static void assert_text(struct key key, const char *text)
{
	assert_int_equal(key.len, strlen(text));
	assert_memory_equal(key.bytes, text, key.len);
}

static void texts_are_joined_by_a_separator(void **state)
{
	(void)state;
	assert_text(key_coverage("prod", "000000000001", "eu-west-1"), "prod\x01"
								       "000000000001\x01"
								       "eu-west-1");
	assert_text(key_coverage("prod", "000000000001", NULL), "prod\x01"
								"000000000001\x01");
	assert_text(key_coverage("prod", NULL, NULL), "prod\x01");
	assert_int_equal(key_coverage(NULL, NULL, NULL).len, 0);
	assert_text(key_account("prod", NULL), "prod\x01");
	assert_text(key_cert_place("aws", "eu-west-1", "000000000001"),
		"arn:aws:acm:eu-west-1:000000000001:");
	assert_text(key_cert_place("aws", "eu-west-1", NULL), "arn:aws:acm:eu-west-1:");
	assert_text(key_position("prod\x01x"), "prod\x01x");
}

static void a_name_is_no_prefix_of_a_longer_name(void **state)
{
	(void)state;
	struct key prefix = key_account("prod", NULL), other = key_account("prod2", "1");
	assert_false(key_is_prefix_of(&prefix, other.bytes, other.len));
	assert_true(order(key_account("prod", "9"), key_account("prod2", "1")) < 0);
}

static void a_text_with_control_bytes_or_too_long_makes_an_unfit_key(void **state)
{
	(void)state;
	char long_text[600];
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_true(key_account("prod\x01x", "1").is_unfit);
	assert_true(key_account("prod", "1\n").is_unfit);
	assert_true(key_cert(long_text).is_unfit);
	assert_false(key_account("prod", "1").is_unfit);
}

static void expiries_sort_by_time_and_unknown_ones_last(void **state)
{
	(void)state;
	static const int64_t times[] = {
		INT64_MIN, -1, 1, 1000, INT64_C(4102444800), INT64_MAX - 1, 0};
	for (size_t i = 0; i + 1 < sizeof(times) / sizeof(times[0]); i++) {
		assert_true(order(key_cert_expiry(times[i], "z"),
				    key_cert_expiry(times[i + 1], "a")) < 0);
		assert_int_equal(key_expiry_read(key_cert_expiry(times[i], "z").bytes), times[i]);
	}
	assert_int_equal(key_expiry_read(key_cert_expiry(0, "z").bytes), 0);
}

static void numbers_sort_by_size(void **state)
{
	(void)state;
	assert_true(order(key_event(255), key_event(256)) < 0);
	assert_true(order(key_event(1), key_event(UINT64_MAX)) < 0);
	assert_true(order(key_history("arn", 255), key_history("arn", 256)) < 0);
	assert_int_equal(key_read_u64(key_event(77).bytes), 77);
}

static void domains_are_reversed_label_by_label(void **state)
{
	(void)state;
	struct key key = key_cert_domain("www.Example.COM", hash);
	static const char name[] = "com.example.www"; /* its NUL is part of the key */
	assert_int_equal(key.len, sizeof(name) + KEY_ARN_HASH_LEN);
	assert_memory_equal(key.bytes, name, sizeof(name));
	assert_memory_equal(key.bytes + sizeof(name), hash, sizeof(hash));
	key = key_cert_domain_exact("*.example.com");
	assert_memory_equal(key.bytes, "com.example.*", key.len);
	key = key_cert_domain_exact("localhost");
	assert_memory_equal(key.bytes, "localhost", key.len);
	key = key_cert_domain_exact("..a.");
	assert_memory_equal(key.bytes, ".a..", key.len);
}

static bool is_in_suffix(const char *name, const char *suffix)
{
	struct key entry = key_cert_domain(name, hash);
	struct key exact = key_cert_domain_exact(suffix), below = key_cert_domain_below(suffix);
	return key_is_prefix_of(&exact, entry.bytes, entry.len) ||
	       key_is_prefix_of(&below, entry.bytes, entry.len);
}

static void a_suffix_finds_itself_and_what_is_below(void **state)
{
	(void)state;
	assert_true(is_in_suffix("example.com", "example.com"));
	assert_true(is_in_suffix("a.b.example.com", "example.com"));
	assert_true(is_in_suffix("*.example.com", "EXAMPLE.com"));
	assert_false(is_in_suffix("notexample.com", "example.com"));
	assert_false(is_in_suffix("example.com.org", "example.com"));
	assert_false(is_in_suffix("example-a.com", "example.com"));
	assert_false(is_in_suffix("com", "example.com"));
}

/* A name that no DNS allows keeps its right end, which is what suffixes look at. */
static void long_names_are_cut_on_the_left_and_still_found_by_suffix(void **state)
{
	(void)state;
	char name[600], suffix[600];
	for (size_t len = 400; len < sizeof(name); len += 7) {
		memset(name, 'a', len);
		memcpy(name + len - 12, ".example.com", 13);
		struct key key = key_cert_domain(name, hash);
		assert_false(key.is_unfit);
		assert_true(key.len <= KEY_MAX);
		assert_true(is_in_suffix(name, "example.com"));
		assert_true(is_in_suffix(name, name));
		for (size_t from = 0; from + 13 < len; from += 11) {
			name[from] = '.';
			memcpy(suffix, name + from + 1, len - from);
			assert_true(is_in_suffix(name, suffix));
			name[from] = 'a';
		}
	}
}

static void the_end_of_a_prefix_is_the_next_key(void **state)
{
	(void)state;
	struct key prefix = key_bytes("a\xff\xff", 3), end = key_after_prefix(&prefix);
	assert_text(end, "b");
	prefix = key_bytes("\xff\xff", 2);
	assert_int_equal(key_after_prefix(&prefix).len, 0);
	prefix = key_bytes("ab", 2);
	assert_text(key_after_prefix(&prefix), "ac");
}

static void shorter_keys_sort_first(void **state)
{
	(void)state;
	assert_true(key_compare("a", 1, "ab", 2) < 0);
	assert_true(key_compare("b", 1, "ab", 2) > 0);
	assert_true(key_compare("ab", 2, "ab", 2) == 0);
	assert_true(key_compare("", 0, "a", 1) < 0);
	assert_true(key_compare(NULL, 0, NULL, 0) == 0);
}

static void ids_that_are_empty_or_too_long_are_unfit(void **state)
{
	(void)state;
	assert_text(key_id("job-1", 5), "job-1");
	assert_false(key_id("job-1", 5).is_unfit);
	assert_true(key_id("job-10", 5).is_unfit);
	assert_true(key_id("", 5).is_unfit);
	assert_true(key_id("a\x01", 5).is_unfit);
}

static void keys_of_jobs_do_not_run_into_each_other(void **state)
{
	(void)state;
	static const unsigned char leaf[32] = {0xff, 1};
	struct key key = key_job_leaf("arn", leaf), steps = key_job_step("job-1", 0);
	struct key other = key_job_step("job-10", 1), last = key_job_step("job-1", UINT32_MAX);
	assert_int_equal(key.len, 3 + 1 + sizeof(leaf));
	assert_memory_equal(key.bytes, "arn\x01\xff\x01", 6);
	assert_true(key_job_leaf("a\x01", leaf).is_unfit);
	assert_text(key_job_leaf("arn", NULL), "arn\x01");
	assert_false(key_is_prefix_of(&steps, other.bytes, other.len));
	assert_true(key_is_prefix_of(&steps, last.bytes, last.len));
	assert_int_equal(key_read_u32(last.bytes + steps.len), UINT32_MAX);
	assert_true(order(last, other) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_joined_by_a_separator),
		cmocka_unit_test(a_name_is_no_prefix_of_a_longer_name),
		cmocka_unit_test(a_text_with_control_bytes_or_too_long_makes_an_unfit_key),
		cmocka_unit_test(expiries_sort_by_time_and_unknown_ones_last),
		cmocka_unit_test(numbers_sort_by_size),
		cmocka_unit_test(domains_are_reversed_label_by_label),
		cmocka_unit_test(a_suffix_finds_itself_and_what_is_below),
		cmocka_unit_test(long_names_are_cut_on_the_left_and_still_found_by_suffix),
		cmocka_unit_test(the_end_of_a_prefix_is_the_next_key),
		cmocka_unit_test(shorter_keys_sort_first),
		cmocka_unit_test(ids_that_are_empty_or_too_long_are_unfit),
		cmocka_unit_test(keys_of_jobs_do_not_run_into_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
