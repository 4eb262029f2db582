/* Which certificate matches which filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "store/cert_query.h"
#include "tests/lib/temp_store.h"

static struct sample_cert sample;

static int setup(void **state)
{
	(void)state;
	sample_cert_init(&sample, 6); /* ISSUED, AMAZON_ISSUED, in use, us-east-1 */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sample_cert_clear(&sample);
	return 0;
}

static bool matches(struct cert_filter filter)
{
	filter.now_s = SAMPLE_NOW_S;
	return cert_filter_matches(&filter, &sample.record);
}

#define FILTER(...) ((struct cert_filter){.in_use = -1, __VA_ARGS__})

static void a_wildcard_covers_exactly_one_label(void **state)
{
	(void)state;
	assert_true(cert_name_covers("*.example.com", "www.example.com"));
	assert_true(cert_name_covers("*.EXAMPLE.com", "WWW.example.COM"));
	assert_true(cert_name_covers("www.example.com", "WWW.EXAMPLE.COM"));
	assert_true(cert_name_covers("*.example.com", "*.example.com"));
	assert_false(cert_name_covers("*.example.com", "example.com"));
	assert_false(cert_name_covers("*.example.com", "a.b.example.com"));
	assert_false(cert_name_covers("*.example.com", ".example.com"));
	assert_false(cert_name_covers("*example.com", "wwwexample.com"));
	assert_false(cert_name_covers("w*.example.com", "www.example.com"));
	assert_false(cert_name_covers("www.*.com", "www.example.com"));
	assert_false(cert_name_covers("*", "example"));
	assert_false(cert_name_covers("", "example"));
}

static void an_empty_filter_matches_what_is_not_gone(void **state)
{
	(void)state;
	assert_true(matches((struct cert_filter){.in_use = -1}));
	sample.record.gone_s = 5;
	assert_false(matches((struct cert_filter){.in_use = -1}));
	assert_true(matches(FILTER(.include_gone = true)));
}

static void places_and_identities_match_exactly(void **state)
{
	(void)state;
	char hex[65];
	text_hex(sample.record.fingerprint_sha256, 32, hex);
	assert_true(matches(FILTER(.connector = "prod", .account_id = sample.account_id,
		.region = "us-east-1", .serial = sample.serial, .fingerprint = hex)));
	assert_false(matches(FILTER(.connector = "pro")));
	assert_false(matches(FILTER(.account_id = "000000100001")));
	assert_false(matches(FILTER(.region = "us-east-2")));
	assert_false(matches(FILTER(.serial = "0a")));
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_false(matches(FILTER(.fingerprint = hex)));
}

static void status_and_type_in_any_case(void **state)
{
	(void)state;
	assert_true(matches(FILTER(.status = "issued", .type = "Amazon_Issued")));
	assert_false(matches(FILTER(.status = "PENDING_VALIDATION")));
	assert_false(matches(FILTER(.type = "IMPORTED")));
}

static void expired_is_what_acm_says_or_what_not_after_says(void **state)
{
	(void)state;
	sample.record.not_after_s = SAMPLE_NOW_S + 1;
	assert_false(matches(FILTER(.status = "EXPIRED")));
	sample.record.not_after_s = SAMPLE_NOW_S;
	assert_true(matches(FILTER(.status = "expired")));
	assert_true(matches(FILTER(.status = "ISSUED"))); /* ACM still says so */
	sample.record.not_after_s = SAMPLE_NOW_S + 1;
	sample.record.status = "EXPIRED";
	assert_true(matches(FILTER(.status = "EXPIRED")));
	sample.record.status = "PENDING_VALIDATION";
	sample.record.not_after_s = 0; /* not known is not expired */
	assert_false(matches(FILTER(.status = "EXPIRED")));
}

static void expiry_between_two_times(void **state)
{
	(void)state;
	sample.record.not_after_s = 1000;
	assert_true(matches(FILTER(.expires_before_s = 1000)));
	assert_false(matches(FILTER(.expires_before_s = 999)));
	assert_true(matches(FILTER(.expires_after_s = 999)));
	assert_false(matches(FILTER(.expires_after_s = 1000)));
	assert_true(matches(FILTER(.expires_after_s = 500, .expires_before_s = 1500)));
	sample.record.not_after_s = 0;
	assert_false(matches(FILTER(.expires_before_s = 1000)));
	assert_false(matches(FILTER(.expires_after_s = 1)));
}

static void in_use_yes_no_or_any(void **state)
{
	(void)state;
	struct cert_filter filter = {.in_use = 1};
	assert_true(matches(filter));
	filter.in_use = 0;
	assert_false(matches(filter));
	sample.record.in_use = false;
	assert_true(matches(filter));
}

static void any_of_the_names_will_do(void **state)
{
	(void)state;
	sample_cert_set_names(&sample, "www.example.com", "*.shop.example.org", "192.0.2.1", NULL);
	assert_true(matches(FILTER(.domain = "www.example.com")));
	assert_true(matches(FILTER(.domain = "a.shop.example.org")));
	assert_true(matches(FILTER(.domain = "192.0.2.1")));
	assert_false(matches(FILTER(.domain = "a.b.shop.example.org")));
	assert_true(matches(FILTER(.domain_suffix = "example.org")));
	assert_true(matches(FILTER(.domain_suffix = "org")));
	assert_false(matches(FILTER(.domain_suffix = "example.net")));
	assert_false(matches(FILTER(.domain_suffix = "op.example.org")));
	sample.record.sans = (struct pack){.bytes = NULL};
	assert_true(matches(FILTER(.domain = "www.example.com")));
	assert_false(matches(FILTER(.domain = "a.shop.example.org")));
}

static void tags_by_key_or_key_and_value(void **state)
{
	(void)state;
	assert_true(matches(FILTER(.tag_key = "team")));
	assert_true(matches(FILTER(.tag_key = "team", .tag_value = "team-6")));
	assert_false(matches(FILTER(.tag_key = "team", .tag_value = "team-7")));
	assert_false(matches(FILTER(.tag_key = "Team")));
	assert_false(matches(FILTER(.tag_key = "team-6"))); /* a value is no key */
	sample.record.tags = (struct pack){.bytes = NULL};
	assert_false(matches(FILTER(.tag_key = "team")));
}

#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SAMPLE(a_wildcard_covers_exactly_one_label),
		WITH_SAMPLE(an_empty_filter_matches_what_is_not_gone),
		WITH_SAMPLE(places_and_identities_match_exactly),
		WITH_SAMPLE(status_and_type_in_any_case),
		WITH_SAMPLE(expired_is_what_acm_says_or_what_not_after_says),
		WITH_SAMPLE(expiry_between_two_times),
		WITH_SAMPLE(in_use_yes_no_or_any),
		WITH_SAMPLE(any_of_the_names_will_do),
		WITH_SAMPLE(tags_by_key_or_key_and_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
