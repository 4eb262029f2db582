#include "discovery/cert_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/temp_store.h"

/* Every byte of the record belongs to exactly one field, but for the chain's count and padding. */
static void table_has_every_member_once(void **state)
{
	(void)state;
	unsigned char seen[sizeof(struct cert_record)] = {0};
	for (size_t i = 0; i < cert_field_count; i++) {
		const struct cert_field *field = &cert_fields[i];
		for (size_t at = field->offset; at < field->offset + field->size; at++) {
			assert_int_equal(seen[at], 0);
			seen[at] = 1;
		}
	}
	size_t count_at = offsetof(struct cert_record, chain_count);
	memset(seen + count_at, 1, sizeof(uint32_t));
	size_t missing = 0;
	for (size_t at = 0; at < sizeof(seen); at++)
		missing += seen[at] == 0;
	assert_in_range(missing, 0, 2 * sizeof(void *)); /* padding */
}

static void names_are_there_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < cert_field_count; i++) {
		for (size_t other = 0; other < i; other++)
			assert_string_not_equal(cert_fields[i].name, cert_fields[other].name);
	}
}

static void empty_record_has_empty_texts(void **state)
{
	(void)state;
	struct cert_record record = cert_record_empty();
	for (size_t i = 0; i < cert_field_count; i++) {
		if (cert_fields[i].kind != CERT_FIELD_TEXT)
			continue;
		const char *text;
		memcpy(&text, (char *)&record + cert_fields[i].offset, sizeof(text));
		assert_string_equal(text, "");
	}
	assert_int_equal(record.sans.count, 0);
	assert_int_equal(record.not_after_s, 0);
}

static void expect_same_pack(const struct pack *a, const struct pack *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->len, b->len);
	assert_true(a->len == 0 || a->bytes != b->bytes);
	if (a->len > 0)
		assert_memory_equal(a->bytes, b->bytes, a->len);
}

static void copy_shares_nothing_with_the_original(void **state)
{
	(void)state;
	struct sample_cert sample, again;
	struct cert_copy copy;
	sample_cert_init(&sample, 3); /* an odd one: in_use_by is empty */
	sample_cert_init(&again, 3);
	cert_copy_make(&sample.record, &copy);
	sample_cert_clear(&sample);
	memset(&sample, 0x55, sizeof(sample));
	assert_string_equal(copy.record.arn, again.record.arn);
	assert_string_equal(copy.record.serial, again.record.serial);
	assert_string_equal(copy.record.subject, again.record.subject);
	assert_string_equal(copy.record.connector, "prod");
	assert_string_equal(copy.record.detail_error, "");
	expect_same_pack(&copy.record.sans, &again.record.sans);
	expect_same_pack(&copy.record.tags, &again.record.tags);
	expect_same_pack(&copy.record.in_use_by, &again.record.in_use_by);
	assert_null(copy.record.in_use_by.bytes);
	assert_int_equal(copy.record.not_after_s, again.record.not_after_s);
	assert_memory_equal(copy.record.fingerprint_sha256, again.record.fingerprint_sha256, 32);
	assert_int_equal(copy.record.chain_count, 1);
	cert_copy_clear(&copy);
	assert_null(copy.memory);
	cert_copy_clear(&copy);
	sample_cert_clear(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_every_member_once),
		cmocka_unit_test(names_are_there_once),
		cmocka_unit_test(empty_record_has_empty_texts),
		cmocka_unit_test(copy_shares_nothing_with_the_original),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
