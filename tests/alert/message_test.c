/* Messages: counts, order, what is cut, and text from outside in each form. */
#include "alert/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum { NOW = 1795219200, DAY = 86400 };

static struct alert_record alert(int number, enum alert_class class, int64_t ends_s)
{
	static char id[4096][ALERT_ID_LEN + 1];
	(void)snprintf(id[number], sizeof(id[number]), "%016x", (unsigned)number);
	return (struct alert_record){.id = id[number],
		.kind = ALERT_CERTIFICATE,
		.class = class,
		.days = 14,
		.ends_s = ends_s,
		.subject = "arn",
		.connector = "prod",
		.account_id = "000000000001",
		.region = "eu-west-1",
		.name = "www.example.com",
		.text = "it <ends> & \x1b[31m\n\"soon\"",
		.resolution = "renewed"};
}

static void add(struct message *message, int number, enum alert_class class, int64_t ends_s)
{
	struct alert_record one = alert(number, class, ends_s);
	message_add(message, &one);
}

static void add_resolved(struct message *message, int number)
{
	struct alert_record one = alert(number, ALERT_EMERGENCY, NOW);
	one.resolved_s = NOW;
	message_add(message, &one);
}

static struct message empty(void)
{
	return (struct message){.sensor = "dc1", .id = "ops-0-9", .now_s = NOW};
}

typedef void write_fn(const struct message *message, struct buf *to);

static json_t *json_of(write_fn *write, const struct message *message)
{
	struct buf text;
	struct err err = ERR_INIT;
	buf_init(&text, 1 << 20);
	write(message, &text);
	json_t *document = json_read_object(buf_text(&text), text.len, &err);
	if (document == NULL)
		fail_msg("%s: %s", err.text, buf_text(&text));
	buf_clear(&text);
	return document;
}

static void expect_headline(const struct message *message, const char *expected)
{
	struct buf text;
	buf_init(&text, 4096);
	message_headline(message, &text);
	assert_string_equal(buf_text(&text), expected);
	buf_clear(&text);
}

static void the_headline_counts_the_worst_first(void **state)
{
	(void)state;
	struct message message = empty();
	message.is_test = true;
	expect_headline(&message, "test message of acmsensor on dc1");
	message.is_test = false;
	add(&message, 1, ALERT_WARNING, NOW);
	expect_headline(&message, "1 alert (1 warning) on dc1");
	assert_int_equal(message_worst(&message), ALERT_WARNING);
	add(&message, 2, ALERT_EMERGENCY, NOW);
	add(&message, 3, ALERT_WARNING, NOW);
	add_resolved(&message, 4);
	expect_headline(&message, "3 alerts (1 emergency, 2 warning), 1 resolved on dc1");
	assert_int_equal(message_worst(&message), ALERT_EMERGENCY);
	assert_int_equal(message_total(&message), 4);
	message.is_all = true;
	expect_headline(&message, "3 open alerts (1 emergency, 2 warning), 1 resolved on dc1");
	message_clear(&message);
	message = empty();
	add_resolved(&message, 1);
	expect_headline(&message, "1 resolved on dc1");
	assert_int_equal(message_worst(&message), ALERT_NOTICE);
	message_clear(&message);
}

static void the_worst_are_kept_in_order(void **state)
{
	(void)state;
	struct message message = empty();
	for (int i = 0; i < 30; i++)
		add(&message, i, ALERT_NOTICE, NOW + (30 - i) * DAY);
	add(&message, 40, ALERT_WARNING, 0);
	add(&message, 41, ALERT_WARNING, NOW + DAY);
	add(&message, 42, ALERT_CRITICAL, NOW + 99 * (int64_t)DAY);
	add(&message, 43, ALERT_WARNING, 0);
	add_resolved(&message, 50);
	assert_int_equal(message.item_count, MESSAGE_ITEMS_MAX);
	assert_int_equal(message_total(&message), 35);
	static const char *const first[] = {"000000000000002a", "0000000000000029",
		"0000000000000028", "000000000000002b", "000000000000001d", "000000000000001c"};
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		assert_string_equal(message.item[i].id, first[i]);
	message_clear(&message);
	message_clear(&message);
}

static void json_says_everything(void **state)
{
	(void)state;
	struct message message = empty();
	add(&message, 1, ALERT_EMERGENCY, NOW + 13 * DAY + 5);
	struct alert_record job = alert(2, ALERT_CRITICAL, 0);
	job.kind = ALERT_JOB;
	job.days = ALERT_NO_DAYS;
	job.name = job.region = "";
	message_add(&message, &job);
	add_resolved(&message, 3);
	json_t *document = json_of(message_json, &message);
	const json_t *alerts = json_object_get(document, "alerts");
	const json_t *first = json_array_get(alerts, 0), *second = json_array_get(alerts, 1);
	assert_int_equal(json_integer_value(json_object_get(document, "count")), 3);
	assert_string_equal(json_string_value(json_object_get(document, "id")), "ops-0-9");
	assert_int_equal(json_array_size(alerts), 3);
	assert_string_equal(json_string_value(json_object_get(first, "class")), "emergency");
	assert_string_equal(json_string_value(json_object_get(first, "state")), "open");
	assert_int_equal(json_integer_value(json_object_get(first, "days_left")), 13);
	assert_int_equal(json_integer_value(json_object_get(first, "threshold_days")), 14);
	assert_string_equal(json_string_value(json_object_get(first, "text")),
		"it <ends> & \x1b[31m\n\"soon\"");
	assert_true(json_is_null(json_object_get(second, "days_left")));
	assert_true(json_is_null(json_object_get(second, "threshold_days")));
	assert_true(json_is_null(json_object_get(second, "region")));
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(alerts, 2), "text")), "renewed");
	json_decref(document);
	message_clear(&message);
}

static void days_left_are_whole_days_and_below_zero_after_the_end(void **state)
{
	(void)state;
	static const struct {
		int64_t left_s, days;
	} all[] = {{2 * DAY, 2}, {2 * DAY - 1, 1}, {0, 0}, {-1, -1}, {-DAY, -1}, {-DAY - 1, -2}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct message message = empty();
		add(&message, 1, ALERT_WARNING, NOW + all[i].left_s);
		json_t *document = json_of(message_json, &message);
		const json_t *first = json_array_get(json_object_get(document, "alerts"), 0);
		assert_int_equal(
			json_integer_value(json_object_get(first, "days_left")), all[i].days);
		json_decref(document);
		message_clear(&message);
	}
}

/* Two thousand accounts must not look like twenty: what they are is in the last line. */
static void what_is_left_out_is_told_by_kind(void **state)
{
	(void)state;
	struct message message = empty();
	for (int i = 0; i < 2000; i++) {
		struct alert_record one = alert(i, ALERT_WARNING, 0);
		one.kind = ALERT_COVERAGE;
		message_add(&message, &one);
	}
	add(&message, 3000, ALERT_NOTICE, NOW + DAY);
	add(&message, 3001, ALERT_EMERGENCY, NOW + DAY);
	json_t *document = json_of(message_slack, &message);
	const char *text = json_string_value(json_object_get(document, "text"));
	assert_non_null(
		strstr(text, "\n- and 1982 more (1 certificate, 1981 coverage): acmsensor alerts"));
	json_decref(document);
	document = json_of(message_json, &message);
	const json_t *kinds = json_object_get(document, "kinds");
	assert_int_equal(json_integer_value(json_object_get(kinds, "coverage")), 2000);
	assert_int_equal(json_integer_value(json_object_get(kinds, "certificate")), 2);
	assert_int_equal(json_integer_value(json_object_get(kinds, "job")), 0);
	json_decref(document);
	message_clear(&message);
}

static void what_ends_first_comes_first_and_what_has_no_end_last(void **state)
{
	(void)state;
	static const int64_t ends_s[] = {NOW + 3 * DAY, 0, NOW + DAY, 0, NOW + 2 * DAY};
	static const char *const order[] = {"0000000000000002", "0000000000000004",
		"0000000000000000", "0000000000000001", "0000000000000003"};
	struct message message = empty();
	for (int i = 0; i < 5; i++)
		add(&message, i, ALERT_WARNING, ends_s[i]);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(message.item[i].id, order[i]);
	message_clear(&message);
}

static void what_is_over_is_named(void **state)
{
	(void)state;
	struct message message = empty();
	struct alert_record job = alert(2, ALERT_CRITICAL, 0);
	add_resolved(&message, 1);
	job.kind = ALERT_JOB;
	job.subject = "j-20261120-1";
	job.name = job.region = "";
	job.resolved_s = NOW;
	job.resolution = "long ago";
	message_add(&message, &job);
	json_t *document = json_of(message_slack, &message);
	const char *text = json_string_value(json_object_get(document, "text"));
	assert_non_null(strstr(text, "\n- resolved: certificate www.example.com: renewed [account "
				     "000000000001, eu-west-1]"));
	assert_non_null(
		strstr(text, "\n- resolved: job j-20261120-1: long ago [account 000000000001]"));
	json_decref(document);
	for (int i = 0; i < 23; i++)
		add_resolved(&message, 100 + i);
	document = json_of(message_slack, &message);
	text = json_string_value(json_object_get(document, "text"));
	assert_non_null(strstr(text, "\n- and 5 more (5 resolved): acmsensor alerts"));
	json_decref(document);
	message_clear(&message);
}

static void slack_obeys_nothing_from_outside(void **state)
{
	(void)state;
	struct message message = empty();
	for (int i = 0; i < 22; i++)
		add(&message, i, ALERT_WARNING, NOW + DAY);
	json_t *document = json_of(message_slack, &message);
	const char *text = json_string_value(json_object_get(document, "text"));
	assert_non_null(strstr(text, "*22 alerts (22 warning) on dc1*\n- warning: it &lt;ends&gt; "
				     "&amp; \\x1b[31m\\n\"soon\" (in 1d) [account 000000000001, "
				     "eu-west-1]\n"));
	assert_non_null(strstr(text, "\n- and 2 more (2 certificate): acmsensor alerts"));
	json_decref(document);
	message_clear(&message);
}

/* Of the i-th block of a card's body, which must be plain text. */
static const char *card_text(const json_t *body, size_t i)
{
	const json_t *block = json_array_get(body, i);
	assert_string_equal(json_string_value(json_object_get(block, "type")), "RichTextBlock");
	const json_t *run = json_array_get(json_object_get(block, "inlines"), 0);
	assert_string_equal(json_string_value(json_object_get(run, "type")), "TextRun");
	return json_string_value(json_object_get(run, "text"));
}

static void teams_gets_a_card(void **state)
{
	(void)state;
	struct message message = empty();
	for (int i = 0; i < 21; i++)
		add(&message, i, ALERT_WARNING, NOW - 2 * DAY);
	json_t *document = json_of(message_teams, &message);
	const json_t *attachment = json_array_get(json_object_get(document, "attachments"), 0);
	const json_t *body = json_object_get(json_object_get(attachment, "content"), "body");
	assert_string_equal(json_string_value(json_object_get(attachment, "contentType")),
		"application/vnd.microsoft.card.adaptive");
	assert_int_equal(json_array_size(body), 22);
	assert_string_equal(card_text(body, 0), "21 alerts (21 warning) on dc1");
	assert_non_null(strstr(card_text(body, 1), "(2d ago)"));
	assert_string_equal(card_text(body, 21), "and 1 more (1 certificate): acmsensor alerts");
	json_decref(document);
	message_clear(&message);
}

/* Of base64 lines. */
static char *decode(const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *bytes = calloc(1, strlen(text) + 1), *to = bytes;
	unsigned value = 0, bits = 0;
	for (; *text != '\0'; text++) {
		const char *digit = strchr(digits, *text);
		if (digit == NULL)
			continue;
		value = value << 6 | (unsigned)(digit - digits);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		*to++ = (char)(value >> bits);
		value &= (1U << bits) - 1;
	}
	return bytes;
}

static void mail_is_a_message_of_short_lines(void **state)
{
	(void)state;
	struct message message = empty();
	struct buf mail;
	for (int i = 0; i < 25; i++)
		add(&message, i, ALERT_EMERGENCY, NOW + DAY);
	add_resolved(&message, 99);
	buf_init(&mail, 1 << 20);
	message_mail(&message, "acmsensor@example.com", "a@example.com,\r\n b@example.com", &mail);
	const char *text = buf_text(&mail), *body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	assert_non_null(
		strstr(text, "From: acmsensor <acmsensor@example.com>\r\n"
			     "To: a@example.com,\r\n b@example.com\r\n"
			     "Subject: [acmsensor] 25 alerts (25 emergency), 1 resolved on dc1\r\n"
			     "Date: Sat, 21 Nov 2026 00:00:00 +0000\r\n"
			     "Message-ID: <ops-0-9@dc1>\r\n"));
	for (const char *line = text, *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		assert_true(end - line <= 78);
	char *words = decode(body);
	assert_non_null(strstr(
		words, "25 alerts (25 emergency), 1 resolved on dc1\n\nemergency: it <ends>"));
	assert_non_null(strstr(words, "\n    arn (alert 0000000000000000)\n"));
	assert_non_null(
		strstr(words, "\nand 6 more (5 certificate, 1 resolved): acmsensor alerts\n"));
	assert_non_null(strstr(words, "acmsensor alerts ack ID\n"));
	free(words);
	message_clear(&message);
	message = empty();
	message.is_test = true;
	buf_reset(&mail);
	message_mail(&message, "a@b", "c@d", &mail);
	words = decode(strstr(buf_text(&mail), "\r\n\r\n"));
	assert_string_equal(words, "test message of acmsensor on dc1\n\n");
	free(words);
	buf_clear(&mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_headline_counts_the_worst_first),
		cmocka_unit_test(the_worst_are_kept_in_order),
		cmocka_unit_test(json_says_everything),
		cmocka_unit_test(days_left_are_whole_days_and_below_zero_after_the_end),
		cmocka_unit_test(what_is_left_out_is_told_by_kind),
		cmocka_unit_test(what_ends_first_comes_first_and_what_has_no_end_last),
		cmocka_unit_test(what_is_over_is_named),
		cmocka_unit_test(slack_obeys_nothing_from_outside),
		cmocka_unit_test(teams_gets_a_card),
		cmocka_unit_test(mail_is_a_message_of_short_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
