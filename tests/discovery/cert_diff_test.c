#include "discovery/cert_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "discovery/cert_fields.h"

enum { END_S = 1795219200 }; /* 2026-11-21T00:00:00Z */

static struct cert_record plain(void)
{
	struct cert_record record = cert_record_empty();
	record.arn = "arn:aws:acm:eu-west-1:111122223333:certificate/1";
	record.serial = "0fac";
	record.status = "ISSUED";
	record.type = "AMAZON_ISSUED";
	record.not_after_s = END_S;
	return record;
}

static struct cert_diff diff(const struct cert_record *previous, const struct cert_record *now)
{
	struct cert_diff made;
	cert_diff_make(previous, now, &made);
	return made;
}

static void expect_changed(
	const struct cert_record *previous, const struct cert_record *now, const char *detail)
{
	struct cert_diff made = diff(previous, now);
	assert_true(made.differs);
	assert_true(made.has_event);
	assert_int_equal(made.kind, EVENT_CERT_CHANGED);
	assert_string_equal(made.detail, detail);
}

static void new_certificate_appears(void **state)
{
	(void)state;
	struct cert_record now = plain();
	struct cert_diff made = diff(NULL, &now);
	assert_true(made.differs);
	assert_true(made.has_event);
	assert_int_equal(made.kind, EVENT_CERT_APPEARED);
	assert_string_equal(made.detail, "type: AMAZON_ISSUED; status: ISSUED; "
					 "not_after: 2026-11-21T00:00:00Z; serial: 0fac");
	now = cert_record_empty();
	assert_string_equal(
		diff(NULL, &now).detail, "type: none; status: none; not_after: none; serial: none");
}

static void same_certificate_is_no_event(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	now.first_seen_s = now.detailed_s = 12345; /* our own book-keeping */
	now.arn = "another spelling";
	struct cert_diff made = diff(&previous, &now);
	assert_false(made.differs);
	assert_false(made.has_event);
	assert_string_equal(made.detail, "");
}

static void change_names_the_fields_with_old_and_new(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	previous.status = "PENDING_VALIDATION";
	previous.serial = "";
	previous.not_after_s = 0;
	now.in_use = true;
	expect_changed(&previous, &now,
		"serial: none -> 0fac; not_after: none -> 2026-11-21T00:00:00Z; "
		"status: PENDING_VALIDATION -> ISSUED; in_use: no -> yes");
}

static void new_serial_is_a_renewal_or_a_reimport(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	now.serial = "0fad";
	struct cert_diff made = diff(&previous, &now);
	assert_int_equal(made.kind, EVENT_CERT_RENEWED);
	assert_string_equal(made.detail, "serial: 0fac -> 0fad");
	now.type = previous.type = "IMPORTED";
	assert_int_equal(diff(&previous, &now).kind, EVENT_CERT_REIMPORTED);
	now.type = previous.type = "PRIVATE";
	assert_int_equal(diff(&previous, &now).kind, EVENT_CERT_RENEWED);
	now.serial = "fac"; /* only spelt otherwise */
	assert_int_equal(diff(&previous, &now).kind, EVENT_CERT_CHANGED);
}

static void returned_certificate_is_an_event_without_other_changes(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	previous.gone_s = 777;
	struct cert_diff made = diff(&previous, &now);
	assert_true(made.differs);
	assert_true(made.has_event);
	assert_int_equal(made.kind, EVENT_CERT_RETURNED);
	assert_string_equal(made.detail, "");
	now.serial = "0fad";
	made = diff(&previous, &now);
	assert_int_equal(made.kind, EVENT_CERT_RETURNED);
	assert_string_equal(made.detail, "serial: 0fac -> 0fad");
}

static void book_keeping_is_stored_in_silence(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct cert_record previous = plain(), now = plain();
		if (i == 0)
			now.detail_error = "throttled";
		if (i == 1)
			now.summary_digest[0] = 1;
		if (i == 2)
			now.renewal_updated_s = 1;
		if (i == 3)
			now.spki_sha256[0] = 1;
		if (i == 4)
			now.connector = "other";
		struct cert_diff made = diff(&previous, &now);
		assert_true(made.differs);
		assert_false(made.has_event);
		assert_string_equal(made.detail, "");
	}
}

/* "a|b|c" as a pack. */
static struct pack pack_of(struct buf *memory, const char *texts)
{
	struct pack pack = {.count = 0};
	char copy[2048], *at = copy, *text;
	buf_init(memory, 1 << 20);
	text_copy(copy, sizeof(copy), texts);
	while (texts[0] != '\0' && (text = strsep(&at, "|")) != NULL) {
		pack_add(memory, text);
		pack.count++;
	}
	pack.bytes = memory->data;
	pack.len = memory->len;
	return pack;
}

static void expect_lists(const char *before, const char *after, bool is_tags, const char *detail)
{
	struct buf memory[2];
	struct cert_record previous = plain(), now = plain();
	struct pack pack[2] = {pack_of(&memory[0], before), pack_of(&memory[1], after)};
	*(is_tags ? &previous.tags : &previous.sans) = pack[0];
	*(is_tags ? &now.tags : &now.sans) = pack[1];
	if (detail[0] == '\0')
		assert_false(diff(&previous, &now).differs);
	else
		expect_changed(&previous, &now, detail);
	buf_clear(&memory[0]);
	buf_clear(&memory[1]);
}

static void lists_tell_what_came_and_what_went(void **state)
{
	(void)state;
	expect_lists("", "", false, "");
	expect_lists("a|b", "a|b", false, "");
	expect_lists("", "a", false, "subject_alternative_names: +a");
	expect_lists("a", "", false, "subject_alternative_names: -a");
	expect_lists("a|b|c", "d|b|e", false, "subject_alternative_names: +d +e -a -c");
	expect_lists("a|b", "b|a", false, "subject_alternative_names: another order");
}

static void tags_are_told_in_pairs(void **state)
{
	(void)state;
	expect_lists("k|v", "k|v", true, "");
	expect_lists("k|v", "k|w", true, "tags: +k=w -k=v");
	expect_lists("", "k|", true, "tags: +k=");
	expect_lists("a|1|b|2", "b|2", true, "tags: -a=1");
	expect_lists("a|b", "b|a", true, "tags: +b=a -a=b");
	expect_lists("odd", "odd|even", true, "tags: 1 entries -> 2 entries");
	expect_lists("odd|even", "odd", true, "tags: 2 entries -> 1 entries");
}

static void long_lists_are_told_by_their_lengths(void **state)
{
	(void)state;
	struct buf texts;
	buf_init(&texts, 4096);
	buf_add_text(&texts, "0");
	for (int i = 1; i < 100; i++)
		buf_addf(&texts, "|%d", i);
	char hundred[2048];
	text_copy(hundred, sizeof(hundred), buf_text(&texts));
	buf_add_text(&texts, "|100");
	expect_lists(hundred, "", true,
		"tags: -0=1 -2=3"
		" -4=5 -6=7 -8=9 -10=11 -12=13 -14=15 -16=17 -18=19 -20=21"
		" -22=23 -24=25 -26=27 -28=29 -30=31 -32=33 -34=35 -36=37"
		" -38=39 -40=41 -42=43 -44=45 -46=47 -48=49 -50=51 -52=53"
		" -54=55 -56=57 -58=59 -60=61 -62=63 -64=65 -66=67 -68=69"
		" -70=71 -72=73 -74=75 -76=77 -78=79 -80=81 -82=83 -84=85"
		" -86=87 -88=89 -90=91 -92=93 -94=95 -96=97 -98=99");
	expect_lists(buf_text(&texts), "a", false,
		"subject_alternative_names: 101 entries -> 1 entries");
	expect_lists("a", buf_text(&texts), false,
		"subject_alternative_names: 1 entries -> 101 entries");
	buf_clear(&texts);
}

static void hashes_and_chains_are_told(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	now.fingerprint_sha256[31] = 0xab;
	expect_changed(&previous, &now,
		"fingerprint_sha256: none -> "
		"00000000000000000000000000000000000000000000000000000000000000ab");
	now = plain();
	previous.chain_count = 2;
	now.chain_count = 3;
	expect_changed(&previous, &now, "chain: 2 certificates -> 3 certificates");
	now.chain_count = 2;
	now.chain_sha256[2][0] = 1; /* behind the count: nothing */
	assert_false(diff(&previous, &now).differs);
	now.chain_sha256[1][0] = 1;
	expect_changed(&previous, &now, "chain: other certificates");
}

static void outsiders_text_is_escaped_and_bounded(void **state)
{
	(void)state;
	struct cert_record previous = plain(), now = plain();
	char name[600];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	now.domain_name = "two\nlines";
	now.issuer = name;
	struct cert_diff made = diff(&previous, &now);
	assert_non_null(strstr(made.detail, "domain_name: none -> two\\nlines; "));
	assert_true(strlen(made.detail) < 300);
	assert_true(text_has_suffix(made.detail, "..."));
}

static void long_detail_is_cut(void **state)
{
	(void)state;
	struct buf texts;
	buf_init(&texts, 16384);
	for (int i = 0; i < 60; i++)
		buf_addf(&texts, "%sname-%d.a-rather-long-name.example.com", i > 0 ? "|" : "", i);
	struct buf memory;
	struct cert_record previous = plain(), now = plain();
	char copy[2048];
	text_copy(copy, sizeof(copy), buf_text(&texts));
	now.sans = pack_of(&memory, copy);
	struct cert_diff made = diff(&previous, &now);
	assert_int_equal(strlen(made.detail), CERT_DIFF_DETAIL_MAX - 1);
	assert_true(text_has_suffix(made.detail, "..."));
	buf_clear(&memory);
	buf_clear(&texts);
}

/* A record that differs in one member differs, whatever member it is; the last bytes count too. */
static void every_member_is_compared(void **state)
{
	(void)state;
	static const struct pack pack = {.bytes = "k\0v", .len = 4, .count = 2};
	for (size_t i = 0; i < cert_field_count; i++) {
		const struct cert_field *field = &cert_fields[i];
		struct cert_record previous = plain(), now = plain();
		char *member = (char *)&now + field->offset;
		const char *text = "x";
		int64_t time_s = 5;
		bool yes = true;
		switch (field->kind) {
		case CERT_FIELD_TEXT:
			memcpy(member, &text, sizeof(text));
			break;
		case CERT_FIELD_LIST:
		case CERT_FIELD_PAIRS:
			memcpy(member, &pack, sizeof(pack));
			break;
		case CERT_FIELD_TIME:
			memcpy(member, &time_s, sizeof(time_s));
			break;
		case CERT_FIELD_BOOL:
			memcpy(member, &yes, sizeof(yes));
			break;
		case CERT_FIELD_HASH:
		case CERT_FIELD_BYTES:
			member[field->size - 1] = 1;
			break;
		case CERT_FIELD_CHAIN:
			now.chain_count = 1;
			break;
		}
		struct cert_diff made = diff(&previous, &now);
		assert_int_equal(made.differs, field->use != CERT_FIELD_OWN);
		assert_int_equal(made.has_event, field->use == CERT_FIELD_TOLD);
		if (field->use == CERT_FIELD_TOLD)
			assert_true(text_has_prefix(made.detail, field->name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_certificate_appears),
		cmocka_unit_test(same_certificate_is_no_event),
		cmocka_unit_test(change_names_the_fields_with_old_and_new),
		cmocka_unit_test(new_serial_is_a_renewal_or_a_reimport),
		cmocka_unit_test(returned_certificate_is_an_event_without_other_changes),
		cmocka_unit_test(book_keeping_is_stored_in_silence),
		cmocka_unit_test(lists_tell_what_came_and_what_went),
		cmocka_unit_test(tags_are_told_in_pairs),
		cmocka_unit_test(long_lists_are_told_by_their_lengths),
		cmocka_unit_test(hashes_and_chains_are_told),
		cmocka_unit_test(outsiders_text_is_escaped_and_bounded),
		cmocka_unit_test(long_detail_is_cut),
		cmocka_unit_test(every_member_is_compared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
