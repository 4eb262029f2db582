#include "sensor/attention.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/text.h"
#include "sensor/tally.h"

const char *attention_severity_name(enum attention_severity severity)
{
	static const char *const name[] = {"critical", "warning", "notice"};
	return name[severity];
}

/* Behind those of the same severity. */
__attribute__((format(printf, 4, 5))) static void add(struct attention *attention,
	enum attention_severity severity, const char *hint, const char *format, ...)
{
	size_t at = attention->count;
	if (at == ATTENTION_MAX)
		return; /* a person has enough to do with the first ones */
	for (; at > 0 && attention->item[at - 1].severity > severity; at--)
		attention->item[at] = attention->item[at - 1];
	attention->count++;
	attention->item[at] = (struct attention_item){.severity = severity, .hint = hint};
	va_list args;
	va_start(args, format);
	(void)vsnprintf(attention->item[at].text, ATTENTION_TEXT_MAX, format, args); /* cut */
	va_end(args);
}

static const char *plural(int64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static void find_connector(
	const struct attention_connector *connector, int64_t now_s, struct attention *attention)
{
	char age[TEXT_DURATION_MAX];
	int64_t since_s =
		connector->last_complete_s != 0 ? connector->last_complete_s : connector->started_s;
	if (connector->error[0] != '\0')
		add(attention, ATTENTION_CRITICAL, "acmsensor events --since 1d",
			"connector %s: the last cycle failed: %s", connector->name,
			connector->error);
	else if (since_s != 0 && now_s - since_s > 2 * connector->interval_s)
		add(attention, ATTENTION_WARNING, "acmsensor coverage --problems",
			"connector %s: no cycle has read everything for %s", connector->name,
			text_format_duration(now_s - since_s, age));
}

static void find_clock(int64_t offset_s, struct attention *attention)
{
	char offset[TEXT_DURATION_MAX];
	if (llabs(offset_s) >= ATTENTION_CLOCK_S)
		add(attention, ATTENTION_WARNING, "check time synchronisation (chronyc tracking)",
			"this host's clock is %s %s AWS's",
			text_format_duration(llabs(offset_s), offset),
			offset_s > 0 ? "behind" : "ahead of");
}

static void find_certificates(const struct cert_counts *counts, struct attention *attention)
{
	int64_t not_renewing = counts->in_use_not_renewing_30;
	int64_t within_7 = counts->expires_in_days[0];
	if (not_renewing > 0)
		add(attention, ATTENTION_CRITICAL, "acmsensor certs --expires 30d --in-use yes",
			"%" PRId64 " %s in use %s within 30 days and AWS will not renew %s",
			not_renewing, plural(not_renewing, "certificate", "certificates"),
			plural(not_renewing, "ends", "end"), plural(not_renewing, "it", "them"));
	if (within_7 > 0)
		add(attention, ATTENTION_WARNING, "acmsensor certs --expires 7d",
			"%" PRId64 " %s within 7 days", within_7,
			plural(within_7, "certificate ends", "certificates end"));
	if (counts->detail_failed > 0)
		add(attention, ATTENTION_NOTICE, "acmsensor show ARN tells the reason",
			"%" PRId64 " %s listed but could not be described", counts->detail_failed,
			plural(counts->detail_failed, "certificate was", "certificates were"));
}

/* "12 account-regions could not be read: 10 role_unassumable, 2 denied" */
static void find_coverage(const struct tally *tally, struct attention *attention)
{
	struct buf text;
	int64_t unread = tally->problems - tally->state[COVERAGE_NEVER_TRIED];
	if (unread > 0) {
		buf_init(&text, ATTENTION_TEXT_MAX);
		for (int state = 0; state < COVERAGE_STATES; state++) {
			if (state == COVERAGE_NEVER_TRIED || tally->state[state] == 0 ||
				!coverage_is_problem((enum coverage_state)state))
				continue;
			buf_addf(&text, "%s%" PRId64 " %s", text.len > 0 ? ", " : "",
				tally->state[state],
				coverage_state_name((enum coverage_state)state));
		}
		add(attention, ATTENTION_WARNING, "acmsensor coverage --problems",
			"%" PRId64 " %s could not be read: %s", unread,
			plural(unread, "account-region", "account-regions"), buf_text(&text));
		buf_clear(&text);
	}
	if (tally->state[COVERAGE_NEVER_TRIED] > 0)
		add(attention, ATTENTION_NOTICE, "acmsensor scan --wait",
			"%" PRId64 " %s not been tried yet", tally->state[COVERAGE_NEVER_TRIED],
			plural(tally->state[COVERAGE_NEVER_TRIED], "account-region has",
				"account-regions have"));
}

/* When none works, nobody is told of anything. */
static void find_channels(const struct attention_input *input, struct attention *attention)
{
	char age[TEXT_DURATION_MAX];
	size_t failing = 0;
	for (size_t i = 0; i < input->channel_count; i++)
		failing += input->channel[i].failing_since_s != 0;
	for (size_t i = 0; i < input->channel_count; i++) {
		const struct attention_channel *channel = &input->channel[i];
		if (channel->failing_since_s == 0)
			continue;
		add(attention,
			failing == input->channel_count ? ATTENTION_CRITICAL : ATTENTION_WARNING,
			"acmsensor alerts test CHANNEL",
			"alerts cannot be told on channel %s for %s: %s", channel->name,
			text_format_duration(input->now_s - channel->failing_since_s, age),
			channel->error);
	}
}

/* "2 alerts are open: 1 emergency, 1 warning" */
static void find_alerts(const struct attention_input *input, struct attention *attention)
{
	int64_t total = 0;
	struct buf text;
	buf_init(&text, ATTENTION_TEXT_MAX);
	for (int class = ALERT_EMERGENCY; class >= ALERT_NOTICE; class --) {
		if (input->alerts[class] == 0)
			continue;
		buf_addf(&text, "%s%" PRId64 " %s", text.len > 0 ? ", " : "", input->alerts[class],
			alert_class_name((enum alert_class) class));
		total += input->alerts[class];
	}
	bool is_critical = input->alerts[ALERT_EMERGENCY] + input->alerts[ALERT_CRITICAL] > 0;
	if (total > 0)
		add(attention,
			is_critical			   ? ATTENTION_CRITICAL
			: input->alerts[ALERT_WARNING] > 0 ? ATTENTION_WARNING
							   : ATTENTION_NOTICE,
			"acmsensor alerts", "%" PRId64 " %s open: %s", total,
			plural(total, "alert is", "alerts are"), buf_text(&text));
	buf_clear(&text);
	if (input->alerts_error[0] != '\0')
		add(attention, ATTENTION_CRITICAL, "df -h; ls -l on the data directory",
			"alerts cannot be looked for: %s", input->alerts_error);
	find_channels(input, attention);
}

static void find_secrets(const struct attention_input *input, struct attention *attention)
{
	static const char hint[] = "allow secretsmanager:ListSecrets and DeleteSecret";
	int64_t left = (int64_t)input->secrets_left;
	if (left > 0)
		add(attention, ATTENTION_WARNING, hint,
			"%" PRId64 " private %s should be gone from AWS Secrets Manager and %s "
			"not: %s",
			left, plural(left, "key", "keys"), plural(left, "is", "are"),
			input->secrets_error);
	else if (input->secrets_error[0] != '\0')
		add(attention, ATTENTION_WARNING, hint,
			"left-over private keys cannot be looked for in AWS Secrets Manager: %s",
			input->secrets_error);
}

void attention_find(const struct attention_input *input, struct attention *ret_attention)
{
	ret_attention->count = 0;
	if (input->store_error[0] != '\0')
		add(ret_attention, ATTENTION_CRITICAL, "df -h; ls -l on the data directory",
			"the store cannot be written: %s", input->store_error);
	if (input->connector_count == 0)
		add(ret_attention, ATTENTION_WARNING, "acmsensord --example shows the options",
			"no connector is configured, so nothing is discovered");
	for (size_t i = 0; i < input->connector_count; i++)
		find_connector(&input->connector[i], input->now_s, ret_attention);
	find_clock(input->clock_offset_s, ret_attention);
	find_certificates(input->counts, ret_attention);
	find_coverage(input->tally, ret_attention);
	find_alerts(input, ret_attention);
	find_secrets(input, ret_attention);
}

void attention_render(const struct attention *attention, struct json_writer *writer)
{
	json_open_array(writer);
	for (size_t i = 0; i < attention->count; i++) {
		const struct attention_item *item = &attention->item[i];
		json_open_object(writer);
		json_member_text(writer, "severity", attention_severity_name(item->severity));
		json_member_text(writer, "text", item->text);
		json_member_text(writer, "hint", item->hint);
		json_close_object(writer);
	}
	json_close_array(writer);
}
