/* Every format: what is written is read again, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/alerts_internal.h"
#include "store/coverage.h"
#include "store/delivery_internal.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/record_internal.h"
#include "store/vault.h"
#include "tests/lib/any_record.h"
#include "tests/lib/sample_delivery.h"
#include "tests/lib/temp_store.h"

enum { RECORD_MAX = 1 << 20 };

static void encode(const struct record_format *format, const void *record, struct buf *to)
{
	struct err err = ERR_INIT;
	buf_init(to, RECORD_MAX);
	assert_int_equal(record_encode(format, record, to, &err), 0);
}

/* In memory of exactly that size, so that the sanitizer sees one byte too many. */
static int decode(const struct record_format *format, const void *bytes, size_t len, void *ret,
	struct err *err)
{
	unsigned char *copy = xmalloc(len);
	memcpy(copy, bytes, len);
	int rc = record_decode(format, copy, len, ret, err);
	free(copy);
	return rc;
}

/* One of each, with every field set. */
static const struct coverage_record coverage = {.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.state = COVERAGE_DENIED_BY_SCP,
	.code = "AccessDeniedException",
	.reason = "an explicit deny in a service control policy",
	.certificate_count = -1,
	.last_attempt_s = INT64_MAX,
	.last_success_s = INT64_MIN,
	.next_try_s = 4,
	.state_since_s = 5,
	.failures_in_row = UINT32_MAX};
static const struct account_record account = {.connector = "prod",
	.account_id = "000000000001",
	.name = "M\xc3\xbcller",
	.email = "a@example.com",
	.state = "ACTIVE",
	.unit_id = "ou-1",
	.unit_path = "Root/Prod",
	.is_management = true,
	.first_seen_s = 1,
	.last_seen_s = 2};
static const struct unit_record unit = {
	.connector = "prod", .unit_id = "ou-1", .parent_id = "r-1", .name = "Prod"};
static const struct cycle_record cycle = {.connector = "prod",
	.hub_account_id = "000000000001",
	.hub_arn = "arn:aws:iam::000000000001:user/sensor",
	.partition = "aws",
	.organization_id = "o-1",
	.error = "no",
	.started_s = 1,
	.finished_s = 2,
	.next_s = 3,
	.last_complete_s = 4,
	.accounts = 5,
	.pairs = 6,
	.pairs_ok = 7,
	.pairs_problem = 8,
	.certificates = 9,
	.calls = 10,
	.throttles = 11};
static const struct event_record event = {.at_s = 1,
	.kind = EVENT_CERT_GONE,
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.arn = "arn",
	.subject = "www.example.com",
	.detail = "no longer listed"};

static const struct job_step step = {
	.number = 1, .at_s = 2, .phase = JOB_TAG, .is_failure = true, .text = "throttled"};
static const struct vault_record sealed = {.id = "plan-1",
	.kind = VAULT_KEY,
	.epoch = 1,
	.sealed_s = 2,
	.wipe_after_s = 3,
	.bytes = {.bytes = (const unsigned char[]){0, 0xff, 7}, .len = 3}};

static const struct alert_record alert = {.id = "0123456789abcdef",
	.kind = ALERT_CERTIFICATE,
	.class = ALERT_EMERGENCY,
	.days = 7,
	.ends_s = 1,
	.subject = "arn",
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.name = "www.example.com",
	.text = "ends",
	.raised_s = 2,
	.changed_s = 3,
	.resolved_s = 4,
	.resolution = "renewed",
	.acknowledged_s = 5,
	.acknowledged_by = "uid 0",
	.note = "known",
	.told_class = ALERT_CRITICAL,
	.told_days = ALERT_NO_DAYS,
	.first_notice = 6,
	.last_notice = 7};
static const struct alert_notice notice = {.alert_id = "0123456789abcdef"};
static const struct alert_channel_record channel = {.name = "ops",
	.position = -1,
	.sent_s = 1,
	.failing_since_s = 2,
	.attempts = 3,
	.error = "refused"};

typedef void format_fn(const struct record_format *format, const struct buf *bytes);

static void for_each_format(format_fn *test)
{
	struct sample_cert sample;
	sample_cert_init(&sample, 6);
	struct cert_history history = {.serial = "0a", .not_after_s = 1, .first_seen_s = 2};
	const struct {
		const struct record_format *format;
		const void *record;
	} all[] = {
		{&cert_format, &sample.record},
		{&cert_history_format, &history},
		{&coverage_format, &coverage},
		{&account_format, &account},
		{&unit_format, &unit},
		{&cycle_format, &cycle},
		{&event_format, &event},
		{&plan_format, &sample_plan},
		{&job_format, &sample_job},
		{&job_step_format, &step},
		{&vault_format, &sealed},
		{&alert_format, &alert},
		{&alert_notice_format, &notice},
		{&alert_channel_format, &channel},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct buf bytes;
		encode(all[i].format, all[i].record, &bytes);
		test(all[i].format, &bytes);
		buf_clear(&bytes);
	}
	sample_cert_clear(&sample);
}

static void round_trip(const struct record_format *format, const struct buf *bytes)
{
	struct err err = ERR_INIT;
	union any_record record;
	struct buf again;
	assert_int_equal(record_decode(format, (const unsigned char *)bytes->data, bytes->len,
				 &record, &err),
		0);
	encode(format, &record, &again);
	assert_int_equal(again.len, bytes->len);
	assert_memory_equal(again.data, bytes->data, again.len);
	buf_clear(&again);
}

static void every_format_reads_what_it_wrote(void **state)
{
	(void)state;
	for_each_format(round_trip);
}

static void truncate(const struct record_format *format, const struct buf *bytes)
{
	for (size_t len = 0; len < bytes->len; len++) {
		struct err err = ERR_INIT;
		union any_record record;
		assert_int_equal(decode(format, bytes->data, len, &record, &err), -1);
		assert_int_equal(err.kind, ERR_STORE);
	}
}

static void a_record_cut_at_any_byte_is_damaged(void **state)
{
	(void)state;
	for_each_format(truncate);
}

/* What a flipped bit leaves readable must at least encode to the same bytes: nothing is guessed. */
static void flip(const struct record_format *format, const struct buf *bytes)
{
	char *copy = xmalloc(bytes->len);
	for (size_t bit = 0; bit < bytes->len * 8; bit++) {
		struct err err = ERR_INIT;
		union any_record record;
		memcpy(copy, bytes->data, bytes->len);
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		if (record_decode(format, (const unsigned char *)copy, bytes->len, &record, &err) !=
			0)
			continue;
		struct buf again;
		encode(format, &record, &again);
		assert_int_equal(again.len, bytes->len);
		assert_memory_equal(again.data, copy, again.len);
		buf_clear(&again);
	}
	free(copy);
}

static void a_flipped_bit_is_damage_or_another_value_but_never_a_guess(void **state)
{
	(void)state;
	for_each_format(flip);
}

static void extend(const struct record_format *format, const struct buf *bytes)
{
	struct err err = ERR_INIT;
	union any_record record;
	struct buf longer;
	buf_init(&longer, RECORD_MAX);
	buf_add(&longer, bytes->data, bytes->len);
	buf_add_char(&longer, '\0');
	assert_int_equal(decode(format, longer.data, longer.len, &record, &err), -1);
	assert_string_equal(err.text, "damaged: 1 bytes too long");
	longer.data[0] = 9;
	assert_int_equal(decode(format, longer.data, longer.len, &record, &err), -1);
	assert_string_equal(err.text, "record version 9 is not known (1 is)");
	assert_int_equal(decode(format, "", 0, &record, &err), -1);
	assert_string_equal(err.text, "the record is empty");
	buf_clear(&longer);
}

static void other_versions_and_longer_records_are_refused(void **state)
{
	(void)state;
	for_each_format(extend);
}

static void all_values_come_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf bytes;
	struct coverage_record back;
	encode(&coverage_format, &coverage, &bytes);
	assert_int_equal(record_decode(&coverage_format, (const unsigned char *)bytes.data,
				 bytes.len, &back, &err),
		0);
	assert_string_equal(back.region, "eu-west-1");
	assert_string_equal(back.reason, coverage.reason);
	assert_int_equal(back.state, COVERAGE_DENIED_BY_SCP);
	assert_int_equal(back.certificate_count, -1);
	assert_int_equal(back.last_attempt_s, INT64_MAX);
	assert_int_equal(back.last_success_s, INT64_MIN);
	assert_int_equal(back.failures_in_row, UINT32_MAX);
	assert_true(back.reason > bytes.data && back.reason < bytes.data + bytes.len); /* no copy */
	buf_clear(&bytes);
}

static void a_certificate_comes_back_with_its_lists(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	struct cert_record back;
	struct buf bytes;
	sample_cert_init(&sample, 6);
	sample.record.chain_count = CERT_CHAIN_MAX;
	sample.record.chain_sha256[CERT_CHAIN_MAX - 1][31] = 0x5a;
	encode(&cert_format, &sample.record, &bytes);
	assert_int_equal(record_decode(&cert_format, (const unsigned char *)bytes.data, bytes.len,
				 &back, &err),
		0);
	assert_int_equal(back.sans.count, 2);
	assert_string_equal(pack_next(&back.sans, pack_first(&back.sans)), "*.shop6.example.com");
	assert_int_equal(back.tags.count, 2);
	assert_int_equal(back.chain_count, CERT_CHAIN_MAX);
	assert_int_equal(back.chain_sha256[CERT_CHAIN_MAX - 1][31], 0x5a);
	assert_true(back.in_use && back.has_pem && !back.exported);
	assert_memory_equal(back.summary_digest, sample.record.summary_digest, CERT_DIGEST_LEN);
	buf_clear(&bytes);
	sample_cert_clear(&sample);
}

static void what_is_too_large_is_refused_by_name(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf bytes;
	struct unit_record large = unit;
	char *text = xmalloc(70000);
	memset(text, 'x', 69999);
	text[69999] = '\0';
	large.name = text;
	buf_init(&bytes, RECORD_MAX);
	assert_int_equal(record_encode(&unit_format, &large, &bytes, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "unit: name is too large");
	buf_clear(&bytes);
	buf_init(&bytes, 8);
	assert_int_equal(record_encode(&unit_format, &unit, &bytes, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	buf_clear(&bytes);
	struct sample_cert sample;
	sample_cert_init(&sample, 6);
	sample.record.chain_count = CERT_CHAIN_MAX + 1;
	buf_init(&bytes, RECORD_MAX);
	assert_int_equal(record_encode(&cert_format, &sample.record, &bytes, &err), -1);
	assert_string_equal(err.text, "certificate: chain_sha256 is too large");
	buf_clear(&bytes);
	sample_cert_clear(&sample);
	free(text);
}

static void a_text_that_is_null_is_written_as_empty(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf bytes;
	struct unit_record back;
	encode(&unit_format, &(struct unit_record){.connector = "prod"}, &bytes);
	assert_int_equal(record_decode(&unit_format, (const unsigned char *)bytes.data, bytes.len,
				 &back, &err),
		0);
	assert_string_equal(back.connector, "prod");
	assert_string_equal(back.parent_id, "");
	buf_clear(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_reads_what_it_wrote),
		cmocka_unit_test(a_record_cut_at_any_byte_is_damaged),
		cmocka_unit_test(a_flipped_bit_is_damage_or_another_value_but_never_a_guess),
		cmocka_unit_test(other_versions_and_longer_records_are_refused),
		cmocka_unit_test(all_values_come_back),
		cmocka_unit_test(a_certificate_comes_back_with_its_lists),
		cmocka_unit_test(what_is_too_large_is_refused_by_name),
		cmocka_unit_test(a_text_that_is_null_is_written_as_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
