#include "discovery/cert_build.h"

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
#include "base/text.h"
#include "discovery/cert_fetch.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

#define ARN "arn:aws:acm:eu-west-1:111122223333:certificate/1"

struct fixture {
	struct acm_summary summary;
	struct cert_fetched fetched;
	struct cert_build_input input;
	struct cert_copy built;
	struct cert_copy previous;
};

static void add(struct acm_text_list *list, const char *text)
{
	list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
	list->item[list->count++] = xstrdup(text);
}

static void fill_summary(struct acm_summary *summary)
{
	*summary = (struct acm_summary){.arn = xstrdup(ARN),
		.domain_name = xstrdup("www.example.com"),
		.status = "ISSUED",
		.type = "AMAZON_ISSUED",
		.key_pair_origin = "AWS_MANAGED",
		.key_algorithm = "RSA_2048",
		.export_option = "DISABLED",
		.renewal_eligibility = "INELIGIBLE",
		.exported = true,
		.created_s = 1,
		.issued_s = 2,
		.not_before_s = 10 * DAY_S,
		.not_after_s = NOW_S + 100 * DAY_S};
	memset(summary->digest, 9, sizeof(summary->digest));
}

static void fill_detail(struct acm_detail *detail)
{
	*detail = (struct acm_detail){.arn = xstrdup(ARN),
		.domain_name = xstrdup("www.example.com"),
		.serial = "0fac",
		.subject = xstrdup("CN=www.example.com"),
		.issuer = xstrdup("Amazon"),
		.key_algorithm = "RSA_2048",
		.signature_algorithm = "SHA256WITHRSA",
		.status = "ISSUED",
		.type = "AMAZON_ISSUED",
		.renewal_eligibility = "ELIGIBLE",
		.renewal_status = "PENDING_VALIDATION",
		.renewal_reason = "CAA_ERROR",
		.validation_method = "DNS",
		.certificate_authority_arn = xstrdup(""),
		.not_before_s = 10 * DAY_S,
		.not_after_s = NOW_S + 100 * DAY_S,
		.renewal_updated_s = 77};
	add(&detail->sans, "www.example.com");
	add(&detail->in_use_by, "arn:b");
	add(&detail->in_use_by, "arn:a");
	add(&detail->in_use_by, "arn:b");
	add(&detail->key_usages, "KEY_ENCIPHERMENT");
	add(&detail->key_usages, "DIGITAL_SIGNATURE");
}

static void fill_pem(struct cert_fetched *fetched)
{
	fetched->has_pem = true;
	struct x509_facts *facts = &fetched->facts;
	*facts = (struct x509_facts){.serial = "0fac",
		.not_before_s = 10 * DAY_S,
		.not_after_s = NOW_S + 100 * DAY_S,
		.subject = "CN=www.example.com,O=Example",
		.issuer = "CN=Amazon RSA 2048 M02,O=Amazon,C=US",
		.key_algorithm = "EC_prime256v1",
		.signature_algorithm = "SHA384WITHRSA",
		.has_key_usage = true,
		.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_CRL_SIGNING,
		.ext_key_usage_count = 2,
		.san_count = 2};
	facts->ext_key_usage = xcalloc(2, sizeof(*facts->ext_key_usage));
	text_copy(facts->ext_key_usage[0], 64, "TLS_WEB_SERVER_AUTHENTICATION");
	text_copy(facts->ext_key_usage[1], 64, "1.2.3.4");
	facts->san = xcalloc(2, sizeof(*facts->san));
	facts->san[0] = (struct x509_san){X509_SAN_DNS, xstrdup("www.example.com")};
	facts->san[1] = (struct x509_san){X509_SAN_IP, xstrdup("192.0.2.7")};
	memset(facts->fingerprint_sha256, 3, CERT_SHA256_LEN);
	memset(facts->spki_sha256, 4, CERT_SHA256_LEN);
	fetched->chain.count = 2;
	memset(fetched->chain.der[0].sha256, 5, CERT_SHA256_LEN);
	memset(fetched->chain.der[1].sha256, 6, CERT_SHA256_LEN);
}

static void fill_tags(struct acm_tag_list *tags)
{
	tags->item[0] = (struct acm_tag){xstrdup("team"), xstrdup("pki")};
	tags->item[1] = (struct acm_tag){xstrdup("cost"), xstrdup("")};
	tags->count = 2;
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.built = {.memory = NULL}};
	fill_summary(&fixture.summary);
	fill_detail(&fixture.fetched.detail);
	fill_pem(&fixture.fetched);
	fill_tags(&fixture.fetched.tags);
	fixture.fetched.has_detail = fixture.fetched.has_tags = fixture.fetched.is_complete = true;
	fixture.input = (struct cert_build_input){.connector = "prod",
		.account_id = "111122223333",
		.region = "eu-west-1",
		.summary = &fixture.summary,
		.fetched = &fixture.fetched,
		.now_s = NOW_S};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	free(fixture->summary.arn);
	free(fixture->summary.domain_name);
	cert_fetched_clear(&fixture->fetched);
	cert_copy_clear(&fixture->built);
	cert_copy_clear(&fixture->previous);
	return 0;
}

static const struct cert_record *build(struct fixture *fixture)
{
	cert_copy_clear(&fixture->built);
	cert_build(&fixture->input, &fixture->built);
	return &fixture->built.record;
}

/* Makes what was built the stored record; the next look is a day later. */
static void store(struct fixture *fixture)
{
	build(fixture);
	fixture->previous = fixture->built;
	fixture->built = (struct cert_copy){.memory = NULL};
	fixture->input.previous = &fixture->previous.record;
	fixture->input.now_s = NOW_S + DAY_S;
}

static void without(struct fixture *fixture, bool has_detail, bool has_pem, bool has_tags)
{
	struct cert_fetched *fetched = &fixture->fetched;
	if (!has_detail)
		acm_detail_clear(&fetched->detail);
	if (!has_pem) {
		x509_facts_clear(&fetched->facts);
		cert_chain_clear(&fetched->chain);
	}
	if (!has_tags)
		acm_tag_list_clear(&fetched->tags);
	fetched->has_detail = has_detail;
	fetched->has_pem = has_pem;
	fetched->has_tags = has_tags;
	fetched->is_complete = false;
}

static void expect_pack(const struct pack *pack, const char *expected)
{
	char got[1024] = "";
	uint32_t count = 0;
	for (const char *text = pack_first(pack); text != NULL; text = pack_next(pack, text)) {
		size_t len = strlen(got);
		snprintf(got + len, sizeof(got) - len, "%s%s", count++ > 0 ? "|" : "", text);
	}
	assert_string_equal(got, expected);
	assert_int_equal(pack->count, count);
}

static void pem_is_the_truth(void **state)
{
	const struct cert_record *record = build(*state);
	assert_string_equal(record->serial, "0fac");
	assert_string_equal(record->subject, "CN=www.example.com,O=Example");
	assert_string_equal(record->issuer, "CN=Amazon RSA 2048 M02,O=Amazon,C=US");
	assert_string_equal(record->key_algorithm, "EC_prime256v1");
	assert_string_equal(record->signature_algorithm, "SHA384WITHRSA");
	assert_int_equal(record->not_before_s, 10 * DAY_S);
	assert_int_equal(record->not_after_s, NOW_S + 100 * DAY_S);
	assert_true(record->has_pem);
	assert_int_equal(record->fingerprint_sha256[31], 3);
	assert_int_equal(record->spki_sha256[0], 4);
	assert_int_equal(record->chain_count, 2);
	assert_int_equal(record->chain_sha256[0][0], 5);
	assert_int_equal(record->chain_sha256[1][0], 6);
	expect_pack(&record->sans, "www.example.com|192.0.2.7");
}

static void aws_tells_the_rest(void **state)
{
	const struct cert_record *record = build(*state);
	assert_string_equal(record->arn, ARN);
	assert_string_equal(record->connector, "prod");
	assert_string_equal(record->account_id, "111122223333");
	assert_string_equal(record->region, "eu-west-1");
	assert_string_equal(record->domain_name, "www.example.com");
	assert_string_equal(record->status, "ISSUED");
	assert_string_equal(record->type, "AMAZON_ISSUED");
	assert_string_equal(record->renewal_eligibility, "ELIGIBLE"); /* Describe is newer */
	assert_string_equal(record->renewal_status, "PENDING_VALIDATION");
	assert_string_equal(record->renewal_reason, "CAA_ERROR");
	assert_int_equal(record->renewal_updated_s, 77);
	assert_string_equal(record->validation_method, "DNS");
	assert_true(record->exported);
	assert_true(record->in_use); /* by Describe, though the list says no */
	expect_pack(&record->in_use_by, "arn:a|arn:b");
	expect_pack(&record->key_usages, "DIGITAL_SIGNATURE|KEY_ENCIPHERMENT");
	expect_pack(&record->ext_key_usages, "1.2.3.4|TLS_WEB_SERVER_AUTHENTICATION");
	expect_pack(&record->tags, "cost||team|pki");
	assert_int_equal(record->created_s, 1);
	assert_int_equal(record->issued_s, 2);
	assert_int_equal(record->first_seen_s, NOW_S);
	assert_int_equal(record->detailed_s, NOW_S);
	assert_int_equal(record->gone_s, 0);
	assert_int_equal(record->summary_digest[0], 9);
	assert_string_equal(record->detail_error, "");
}

static void order_of_aws_lists_means_nothing(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	struct acm_text_list *list = &fixture->fetched.detail.in_use_by;
	char *first = list->item[0];
	list->item[0] = list->item[1];
	list->item[1] = first;
	struct acm_tag tag = fixture->fetched.tags.item[0];
	fixture->fetched.tags.item[0] = fixture->fetched.tags.item[1];
	fixture->fetched.tags.item[1] = tag;
	const struct cert_record *record = build(fixture);
	expect_pack(&record->in_use_by, "arn:a|arn:b");
	expect_pack(&record->tags, "cost||team|pki");
}

/* AWS promises that keys are unique; the JSON object that they become must be one. */
static void a_tag_key_that_aws_tells_twice_is_kept_once(void **state)
{
	struct fixture *fixture = *state;
	struct acm_tag_list *tags = &fixture->fetched.tags;
	tags->item[tags->count++] = (struct acm_tag){xstrdup("team"), xstrdup("zoo")};
	tags->item[tags->count++] = (struct acm_tag){xstrdup("team"), xstrdup("mid")};
	const struct cert_record *record = build(fixture);
	expect_pack(&record->tags, "cost||team|mid");
}

static void usages_come_from_the_pem_when_aws_tells_none(void **state)
{
	struct fixture *fixture = *state;
	without(fixture, false, true, true);
	const struct cert_record *record = build(fixture);
	expect_pack(&record->key_usages, "CRL_SIGNING|DIGITAL_SIGNATURE");
	expect_pack(&record->ext_key_usages, "1.2.3.4|TLS_WEB_SERVER_AUTHENTICATION");
}

static void ext_usages_of_aws_come_first(void **state)
{
	struct fixture *fixture = *state;
	add(&fixture->fetched.detail.ext_key_usages, "CUSTOM");
	expect_pack(&build(fixture)->ext_key_usages, "CUSTOM");
}

static void describe_stands_in_for_the_pem(void **state)
{
	struct fixture *fixture = *state;
	without(fixture, true, false, true);
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->serial, "0fac");
	assert_string_equal(record->subject, "CN=www.example.com");
	assert_string_equal(record->issuer, "Amazon");
	assert_string_equal(record->key_algorithm, "RSA_2048");
	assert_string_equal(record->signature_algorithm, "SHA256WITHRSA");
	expect_pack(&record->sans, "www.example.com");
	assert_false(record->has_pem);
	assert_int_equal(record->fingerprint_sha256[0], 0);
	assert_int_equal(record->chain_count, 0);
	expect_pack(&record->ext_key_usages, "");
}

static void list_is_all_there_is_when_describe_and_get_fail(void **state)
{
	struct fixture *fixture = *state;
	without(fixture, false, false, false);
	text_copy(fixture->fetched.error, sizeof(fixture->fetched.error), "acm: it is damaged");
	fixture->summary.in_use = true;
	fixture->summary.imported_s = 3;
	fixture->summary.revoked_s = 4;
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->domain_name, "www.example.com");
	assert_string_equal(record->status, "ISSUED");
	assert_string_equal(record->type, "AMAZON_ISSUED");
	assert_string_equal(record->key_pair_origin, "AWS_MANAGED");
	assert_string_equal(record->key_algorithm, "RSA_2048");
	assert_string_equal(record->export_option, "DISABLED");
	assert_string_equal(record->renewal_eligibility, "INELIGIBLE");
	assert_int_equal(record->imported_s, 3);
	assert_int_equal(record->revoked_s, 4);
	assert_int_equal(record->not_before_s, 10 * DAY_S);
	assert_int_equal(record->not_after_s, NOW_S + 100 * DAY_S);
	assert_true(record->in_use);
	assert_true(record->exported);
	assert_string_equal(record->serial, "");
	assert_string_equal(record->detail_error, "acm: it is damaged");
	assert_int_equal(record->detailed_s, 0);
}

static void what_fails_now_is_kept_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	without(fixture, false, false, false);
	text_copy(fixture->fetched.error, sizeof(fixture->fetched.error), "throttled");
	text_copy(fixture->summary.status, sizeof(fixture->summary.status), "INACTIVE");
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->status, "INACTIVE"); /* from the list */
	assert_string_equal(record->serial, "0fac");
	assert_string_equal(record->key_algorithm, "EC_prime256v1"); /* the PEM's still */
	assert_true(record->has_pem);
	assert_int_equal(record->chain_count, 2);
	expect_pack(&record->sans, "www.example.com|192.0.2.7");
	expect_pack(&record->tags, "cost||team|pki");
	expect_pack(&record->key_usages, "DIGITAL_SIGNATURE|KEY_ENCIPHERMENT");
	assert_string_equal(record->detail_error, "throttled");
	assert_int_equal(record->detailed_s, NOW_S);
	assert_int_equal(record->first_seen_s, NOW_S);
}

static void success_takes_the_mark_away(void **state)
{
	struct fixture *fixture = *state;
	text_copy(fixture->fetched.error, sizeof(fixture->fetched.error), "throttled");
	store(fixture);
	assert_string_equal(fixture->previous.record.detail_error, "throttled");
	fixture->fetched.error[0] = '\0';
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->detail_error, "");
	assert_int_equal(record->detailed_s, NOW_S + DAY_S);
	assert_int_equal(record->first_seen_s, NOW_S);
}

static void ended_renewal_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	fixture->fetched.detail.renewal_status[0] = '\0';
	fixture->fetched.detail.renewal_reason[0] = '\0';
	fixture->fetched.detail.renewal_updated_s = 0;
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->renewal_status, "");
	assert_string_equal(record->renewal_reason, "");
	assert_int_equal(record->renewal_updated_s, 0);
}

static void describe_alone_keeps_the_pem_of_the_same_version(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	without(fixture, true, false, false);
	fixture->summary.not_after_s -= 1; /* rounded by AWS */
	const struct cert_record *record = build(fixture);
	assert_true(record->has_pem);
	assert_string_equal(record->issuer, "CN=Amazon RSA 2048 M02,O=Amazon,C=US");
	assert_string_equal(record->key_algorithm, "EC_prime256v1");
	assert_int_equal(record->not_after_s, NOW_S + 100 * DAY_S);
	expect_pack(&record->sans, "www.example.com|192.0.2.7");
	assert_int_equal(record->detailed_s, NOW_S); /* not complete: no new date */
}

static void new_version_without_its_pem_drops_the_old_one(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	without(fixture, true, false, true);
	text_copy(fixture->fetched.detail.serial, sizeof(fixture->fetched.detail.serial), "0fad");
	fixture->fetched.detail.not_after_s = NOW_S + 400 * (int64_t)DAY_S;
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->serial, "0fad");
	assert_int_equal(record->not_after_s, NOW_S + 400 * (int64_t)DAY_S);
	assert_false(record->has_pem);
	assert_int_equal(record->fingerprint_sha256[0], 0);
	assert_int_equal(record->chain_count, 0);
	assert_int_equal(record->chain_sha256[0][0], 0);
}

static void new_end_in_the_list_alone_is_believed(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	without(fixture, false, false, false);
	fixture->summary.not_after_s = NOW_S + 400 * (int64_t)DAY_S;
	assert_int_equal(build(fixture)->not_after_s, NOW_S + 400 * (int64_t)DAY_S);
}

static void shorter_chain_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	fixture->fetched.chain.count = 1;
	const struct cert_record *record = build(fixture);
	assert_int_equal(record->chain_count, 1);
	assert_int_equal(record->chain_sha256[1][0], 0);
	fixture->fetched.chain.count = 2;
}

static void summary_without_a_member_does_not_forget_it(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	without(fixture, false, false, false);
	fixture->summary.status[0] = '\0';
	fixture->summary.created_s = 0;
	fixture->summary.not_after_s = 0;
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->status, "ISSUED");
	assert_int_equal(record->created_s, 1);
	assert_int_equal(record->not_after_s, NOW_S + 100 * DAY_S);
}

static void nothing_asked_takes_only_the_summary_and_the_place(void **state)
{
	struct fixture *fixture = *state;
	text_copy(fixture->fetched.error, sizeof(fixture->fetched.error), "throttled");
	store(fixture);
	fixture->input.fetched = NULL;
	fixture->input.connector = "second";
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->connector, "second");
	assert_string_equal(record->serial, "0fac");
	assert_string_equal(record->detail_error, "throttled");
	assert_int_equal(record->detailed_s, NOW_S);
}

static void returned_certificate_is_no_longer_gone(void **state)
{
	struct fixture *fixture = *state;
	store(fixture);
	fixture->previous.record.gone_s = NOW_S;
	assert_int_equal(build(fixture)->gone_s, 0);
}

static void exported_is_told_by_describe_if_it_does(void **state)
{
	struct fixture *fixture = *state;
	fixture->fetched.detail.has_exported = true;
	assert_false(build(fixture)->exported);
}

static void pem_that_contradicts_describe_is_kept_with_a_mark(void **state)
{
	struct fixture *fixture = *state;
	text_copy(fixture->fetched.detail.serial, sizeof(fixture->fetched.detail.serial), "0fad");
	fixture->fetched.detail.not_after_s = NOW_S + 101 * DAY_S;
	text_copy(fixture->fetched.error, sizeof(fixture->fetched.error), "tags failed");
	const struct cert_record *record = build(fixture);
	assert_string_equal(record->serial, "0fac");
	assert_true(record->has_pem);
	assert_string_equal(record->detail_error,
		"tags failed; GetCertificate gave serial 0fac, DescribeCertificate tells of 0fad; "
		"GetCertificate gave one that ends 2027-03-01T00:00:00Z, "
		"DescribeCertificate tells of 2027-03-02T00:00:00Z");
}

static void list_that_is_too_long_is_cut_with_a_mark(void **state)
{
	struct fixture *fixture = *state;
	for (int i = 0; i < 3000; i++) {
		char arn[128];
		snprintf(arn, sizeof(arn),
			"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/"
			"a-rather-long-name/%016d",
			i);
		add(&fixture->fetched.detail.in_use_by, arn);
	}
	const struct cert_record *record = build(fixture);
	assert_in_range(record->in_use_by.count, 1000, 2999);
	assert_in_range(record->in_use_by.len, 100000, 192 * 1024);
	uint32_t count = 0;
	for (const char *text = pack_first(&record->in_use_by); text != NULL;
		text = pack_next(&record->in_use_by, text))
		count++;
	assert_int_equal(record->in_use_by.count, count);
	assert_string_equal(record->detail_error,
		"in_use_by is longer than 196608 bytes: the rest is left out");
}

int main(void)
{
#define BUILD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BUILD_TEST(pem_is_the_truth),
		BUILD_TEST(aws_tells_the_rest),
		BUILD_TEST(order_of_aws_lists_means_nothing),
		BUILD_TEST(a_tag_key_that_aws_tells_twice_is_kept_once),
		BUILD_TEST(usages_come_from_the_pem_when_aws_tells_none),
		BUILD_TEST(ext_usages_of_aws_come_first),
		BUILD_TEST(describe_stands_in_for_the_pem),
		BUILD_TEST(list_is_all_there_is_when_describe_and_get_fail),
		BUILD_TEST(what_fails_now_is_kept_as_it_was),
		BUILD_TEST(success_takes_the_mark_away),
		BUILD_TEST(ended_renewal_is_forgotten),
		BUILD_TEST(describe_alone_keeps_the_pem_of_the_same_version),
		BUILD_TEST(new_version_without_its_pem_drops_the_old_one),
		BUILD_TEST(new_end_in_the_list_alone_is_believed),
		BUILD_TEST(shorter_chain_leaves_nothing_behind),
		BUILD_TEST(summary_without_a_member_does_not_forget_it),
		BUILD_TEST(nothing_asked_takes_only_the_summary_and_the_place),
		BUILD_TEST(returned_certificate_is_no_longer_gone),
		BUILD_TEST(exported_is_told_by_describe_if_it_does),
		BUILD_TEST(pem_that_contradicts_describe_is_kept_with_a_mark),
		BUILD_TEST(list_that_is_too_long_is_cut_with_a_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
