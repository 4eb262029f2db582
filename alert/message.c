#include "alert/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/render.h"

enum {
	BODY_MAX = 262144,
	LINE_BYTES = 57, /* of a line of base64: 76 characters */
};

/* --- gathering -------------------------------------------------------------------------------- */

static void item_clear(struct message_item *item)
{
	free(item->subject);
	free(item->connector);
	free(item->account_id);
	free(item->region);
	free(item->name);
	free(item->text);
}

void message_clear(struct message *message)
{
	for (size_t i = 0; i < message->item_count; i++)
		item_clear(&message->item[i]);
	message->item_count = 0;
}

/* Whether a comes before b. */
static bool is_before(const struct message_item *a, const struct message_item *b)
{
	if (a->is_resolved != b->is_resolved)
		return b->is_resolved;
	if (a->class != b->class)
		return a->class > b->class;
	if (a->ends_s != b->ends_s)
		return b->ends_s == 0 || (a->ends_s != 0 && a->ends_s < b->ends_s);
	return strcmp(a->id, b->id) < 0;
}

void message_add(struct message *message, const struct alert_record *alert)
{
	struct message_item item = {.kind = alert->kind,
		.class = alert->class,
		.days = alert->days,
		.ends_s = alert->ends_s,
		.is_resolved = alert->resolved_s != 0};
	(void)text_copy(item.id, sizeof(item.id), alert->id);
	if (item.is_resolved) {
		message->resolved++;
	} else {
		message->count[alert->class]++;
		message->kind_count[alert->kind]++;
	}
	size_t at = message->item_count;
	while (at > 0 && is_before(&item, &message->item[at - 1]))
		at--;
	if (at == MESSAGE_ITEMS_MAX)
		return;
	if (message->item_count == MESSAGE_ITEMS_MAX)
		item_clear(&message->item[--message->item_count]);
	memmove(&message->item[at + 1], &message->item[at],
		(message->item_count - at) * sizeof(item));
	item.subject = xstrdup(alert->subject);
	item.connector = xstrdup(alert->connector);
	item.account_id = xstrdup(alert->account_id);
	item.region = xstrdup(alert->region);
	item.name = xstrdup(alert->name);
	item.text = xstrdup(item.is_resolved ? alert->resolution : alert->text);
	message->item[at] = item;
	message->item_count++;
}

static int64_t open_total(const struct message *message)
{
	int64_t total = 0;
	for (int class = ALERT_NOTICE; class <= ALERT_EMERGENCY; class ++)
		total += message->count[class];
	return total;
}

int64_t message_total(const struct message *message)
{
	return open_total(message) + message->resolved;
}

enum alert_class message_worst(const struct message *message)
{
	for (int class = ALERT_EMERGENCY; class > ALERT_NOTICE; class --)
		if (message->count[class] > 0)
			return (enum alert_class) class;
	return ALERT_NOTICE;
}

/* --- words ------------------------------------------------------------------------------------ */

void message_headline(const struct message *message, struct buf *to)
{
	int64_t total = open_total(message);
	const char *comma = "";
	if (message->is_test) {
		buf_addf(to, "test message of acmsensor on %s", message->sensor);
		return;
	}
	if (total > 0) {
		buf_addf(to, "%" PRId64 " %s%s (", total, message->is_all ? "open " : "",
			total == 1 ? "alert" : "alerts");
		for (int class = ALERT_EMERGENCY; class >= ALERT_NOTICE; class --) {
			if (message->count[class] == 0)
				continue;
			buf_addf(to, "%s%" PRId64 " %s", comma, message->count[class],
				alert_class_name((enum alert_class) class));
			comma = ", ";
		}
		buf_add_char(to, ')');
	}
	if (message->resolved > 0)
		buf_addf(to, "%s%" PRId64 " resolved", total > 0 ? ", " : "", message->resolved);
	buf_addf(to, " on %s", message->sensor);
}

/* "in 13 days", "ended 2 days ago", "" */
static void add_left(const struct message *message, const struct message_item *item, struct buf *to)
{
	char left[TEXT_DURATION_MAX];
	int64_t left_s = item->ends_s - message->now_s;
	if (item->ends_s == 0 || item->is_resolved)
		return;
	if (left_s > 0)
		buf_addf(to, " (in %s)", text_format_duration(left_s, left));
	else
		buf_addf(to, " (%s ago)", text_format_duration(-left_s, left));
}

static const char *word_of(const struct message_item *item)
{
	return item->is_resolved ? "resolved" : alert_class_name(item->class);
}

/* One line an item; text from outside is escaped. */
static void add_line(const struct message *message, const struct message_item *item, struct buf *to)
{
	buf_addf(to, "%s: ", word_of(item));
	if (item->is_resolved)
		buf_addf(to, "%s %s: ", alert_kind_name(item->kind),
			item->name[0] != '\0' ? item->name : item->subject);
	text_escape_line(to, item->text, strlen(item->text), ALERT_TEXT_MAX);
	add_left(message, item, to);
	if (item->account_id[0] != '\0')
		buf_addf(to, " [account %s%s%s]", item->account_id,
			item->region[0] != '\0' ? ", " : "", item->region);
}

static int64_t not_shown(const struct message *message)
{
	return message_total(message) - (int64_t)message->item_count;
}

/* "and 1980 more (5 certificate, 1974 coverage, 1 resolved)" */
static void add_more(const struct message *message, struct buf *to)
{
	int64_t resolved = message->resolved, kind_count[ALERT_IDENTITY + 1];
	const char *comma = "";
	memcpy(kind_count, message->kind_count, sizeof(kind_count));
	for (size_t i = 0; i < message->item_count; i++) {
		const struct message_item *item = &message->item[i];
		if (item->is_resolved)
			resolved--;
		else
			kind_count[item->kind]--;
	}
	buf_addf(to, "and %" PRId64 " more (", not_shown(message));
	for (int kind = ALERT_CERTIFICATE; kind <= ALERT_IDENTITY; kind++) {
		if (kind_count[kind] == 0)
			continue;
		buf_addf(to, "%s%" PRId64 " %s", comma, kind_count[kind],
			alert_kind_name((enum alert_kind)kind));
		comma = ", ";
	}
	if (resolved > 0)
		buf_addf(to, "%s%" PRId64 " resolved", comma, resolved);
	buf_add_text(to, "): acmsensor alerts");
}

/* --- generic ---------------------------------------------------------------------------------- */

static void member_or_null(struct json_writer *writer, const char *key, const char *text)
{
	json_member_text(writer, key, text[0] != '\0' ? text : NULL);
}

static void write_item(
	const struct message *message, const struct message_item *item, struct json_writer *writer)
{
	json_open_object(writer);
	json_member_text(writer, "id", item->id);
	json_member_text(writer, "kind", alert_kind_name(item->kind));
	json_member_text(writer, "class", alert_class_name(item->class));
	json_member_text(writer, "state", item->is_resolved ? "resolved" : "open");
	json_member_text(writer, "subject", item->subject);
	json_member_text(writer, "text", item->text);
	member_or_null(writer, "domain_name", item->name);
	member_or_null(writer, "connector", item->connector);
	member_or_null(writer, "account_id", item->account_id);
	member_or_null(writer, "region", item->region);
	json_member_time(writer, "ends", item->ends_s);
	json_key(writer, "threshold_days");
	if (item->days != ALERT_NO_DAYS)
		json_int(writer, item->days);
	else
		json_write_null(writer);
	json_key(writer, "days_left");
	if (item->ends_s != 0)
		json_int(writer, render_days_left(item->ends_s, message->now_s));
	else
		json_write_null(writer);
	json_close_object(writer);
}

void message_json(const struct message *message, struct buf *to)
{
	struct json_writer writer;
	struct buf headline;
	buf_init(&headline, BODY_MAX);
	message_headline(message, &headline);
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", 1);
	json_member_text(&writer, "id", message->id);
	json_member_text(&writer, "sensor", message->sensor);
	json_member_time(&writer, "at", message->now_s);
	json_member_bool(&writer, "test", message->is_test);
	json_member_bool(&writer, "all_open", message->is_all);
	json_member_text(&writer, "text", buf_text(&headline));
	json_member_int(&writer, "count", message_total(message));
	json_key(&writer, "counts");
	json_open_object(&writer);
	for (int class = ALERT_NOTICE; class <= ALERT_EMERGENCY; class ++)
		json_member_int(
			&writer, alert_class_name((enum alert_class) class), message->count[class]);
	json_member_int(&writer, "resolved", message->resolved);
	json_close_object(&writer);
	json_key(&writer, "kinds");
	json_open_object(&writer);
	for (int kind = ALERT_CERTIFICATE; kind <= ALERT_IDENTITY; kind++)
		json_member_int(
			&writer, alert_kind_name((enum alert_kind)kind), message->kind_count[kind]);
	json_close_object(&writer);
	json_key(&writer, "alerts");
	json_open_array(&writer);
	for (size_t i = 0; i < message->item_count; i++)
		write_item(message, &message->item[i], &writer);
	json_close_array(&writer);
	json_close_object(&writer);
	buf_clear(&headline);
}

/* --- chats ------------------------------------------------------------------------------------ */

/* Slack: &, < and > are its own. */
static void add_slack_text(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			buf_add_text(to, "&amp;");
		else if (*text == '<')
			buf_add_text(to, "&lt;");
		else if (*text == '>')
			buf_add_text(to, "&gt;");
		else
			buf_add_char(to, *text);
	}
}

/* Source: api.slack.com, incoming webhooks: {"text": ...} of at most 40,000 characters. */
void message_slack(const struct message *message, struct buf *to)
{
	struct json_writer writer;
	struct buf plain, text;
	buf_init(&plain, BODY_MAX);
	buf_init(&text, BODY_MAX);
	message_headline(message, &plain);
	buf_add_char(&text, '*');
	add_slack_text(&text, buf_text(&plain));
	buf_add_char(&text, '*');
	for (size_t i = 0; i < message->item_count; i++) {
		buf_reset(&plain);
		add_line(message, &message->item[i], &plain);
		buf_add_text(&text, "\n- ");
		add_slack_text(&text, buf_text(&plain));
	}
	if (not_shown(message) > 0) {
		buf_add_text(&text, "\n- ");
		add_more(message, &text);
	}
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	json_member_text(&writer, "text", buf_text(&text));
	json_close_object(&writer);
	buf_clear(&plain);
	buf_clear(&text);
}

/* A TextBlock would read markdown in names and reasons of others: "*.example.com", links. Source:
 * learn.microsoft.com/adaptive-cards, text features: a RichTextBlock does not. */
static void write_card_text(struct json_writer *writer, const char *text, bool is_title)
{
	json_open_object(writer);
	json_member_text(writer, "type", "RichTextBlock");
	json_key(writer, "inlines");
	json_open_array(writer);
	json_open_object(writer);
	json_member_text(writer, "type", "TextRun");
	json_member_text(writer, "text", text);
	if (is_title)
		json_member_text(writer, "weight", "Bolder");
	json_close_object(writer);
	json_close_array(writer);
	json_close_object(writer);
}

/* Source: Teams workflows, "when a webhook request is received": a message with an adaptive card. */
void message_teams(const struct message *message, struct buf *to)
{
	struct json_writer writer;
	struct buf line;
	buf_init(&line, BODY_MAX);
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	json_member_text(&writer, "type", "message");
	json_key(&writer, "attachments");
	json_open_array(&writer);
	json_open_object(&writer);
	json_member_text(&writer, "contentType", "application/vnd.microsoft.card.adaptive");
	json_key(&writer, "content");
	json_open_object(&writer);
	json_member_text(&writer, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
	json_member_text(&writer, "type", "AdaptiveCard");
	json_member_text(&writer, "version", "1.4");
	json_key(&writer, "body");
	json_open_array(&writer);
	message_headline(message, &line);
	write_card_text(&writer, buf_text(&line), true);
	for (size_t i = 0; i < message->item_count; i++) {
		buf_reset(&line);
		add_line(message, &message->item[i], &line);
		write_card_text(&writer, buf_text(&line), false);
	}
	if (not_shown(message) > 0) {
		buf_reset(&line);
		add_more(message, &line);
		write_card_text(&writer, buf_text(&line), false);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	json_close_object(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
	buf_clear(&line);
}

/* --- mail ------------------------------------------------------------------------------------- */

static void add_body(const struct message *message, struct buf *to)
{
	message_headline(message, to);
	buf_add_text(to, "\n\n");
	for (size_t i = 0; i < message->item_count; i++) {
		add_line(message, &message->item[i], to);
		buf_addf(
			to, "\n    %s (alert %s)\n", message->item[i].subject, message->item[i].id);
	}
	if (not_shown(message) > 0) {
		add_more(message, to);
		buf_add_char(to, '\n');
	}
	if (!message->is_test)
		buf_add_text(to, "\nOn the sensor: acmsensor alerts; acmsensor alerts ack ID\n");
}

/* In lines that any mail server takes; UTF-8 in it stays what it is. */
static void add_base64(struct buf *to, const char *text, size_t len)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i < 3 ? len - i : 3;
		unsigned char b[3] = {0};
		memcpy(b, text + i, left);
		buf_add_char(to, digit[b[0] >> 2]);
		buf_add_char(to, digit[(b[0] & 3) << 4 | b[1] >> 4]);
		buf_add_char(to, left > 1 ? digit[(b[1] & 15) << 2 | b[2] >> 6] : '=');
		buf_add_char(to, left > 2 ? digit[b[2] & 63] : '=');
		if ((i + 3) % LINE_BYTES == 0)
			buf_add_text(to, "\r\n");
	}
	buf_add_text(to, "\r\n");
}

void message_mail(
	const struct message *message, const char *from, const char *to_text, struct buf *to)
{
	char date[64];
	struct tm at;
	time_t now = (time_t)message->now_s;
	struct buf body, headline;
	buf_init(&body, BODY_MAX);
	buf_init(&headline, BODY_MAX);
	add_body(message, &body);
	message_headline(message, &headline);
	(void)gmtime_r(&now, &at);
	/* RFC 5322 names days and months in English; the program never sets another locale. */
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &at);
	buf_addf(to,
		"From: acmsensor <%s>\r\nTo: %s\r\nSubject: [acmsensor] %s\r\nDate: %s\r\n"
		"Message-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\n",
		from, to_text, buf_text(&headline), date, message->id, message->sensor);
	add_base64(to, buf_text(&body), body.len);
	buf_clear(&body);
	buf_clear(&headline);
}
