#include "cli/plan_show.h"

#include <stdio.h>
#include <string.h>

#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/row.h"

enum { LINE_MAX_BYTES = 4096 };

static enum style decision_style(const char *decision)
{
	return strcmp(decision, "refuse") == 0 ? STYLE_RED : STYLE_GREEN;
}

/* "what is there -> what will be", or one text when they are the same. */
static void show_change(
	const struct cli *cli, const char *label, const char *before, const char *after)
{
	char text[LINE_MAX_BYTES];
	bool is_same = strcmp(before, after) == 0;
	if (before[0] == '\0' || is_same)
		(void)snprintf(
			text, sizeof(text), "%s%s", after, before[0] != '\0' ? " (as before)" : "");
	else
		(void)snprintf(text, sizeof(text), "%s -> %s", before, after);
	facts_line(cli, label, text);
}

static void show_member(const struct cli *cli, const char *label, const json_t *current,
	const json_t *new, const char *name)
{
	show_change(
		cli, label, current != NULL ? row_text(current, name) : "", row_text(new, name));
}

static void join(const json_t *list, char *to, size_t size)
{
	size_t i, len = 0;
	json_t *item;
	to[0] = '\0';
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		if (text == NULL || len >= size)
			continue;
		int got = snprintf(to + len, size - len, "%s%s", len > 0 ? ", " : "", text);
		len += got > 0 ? (size_t)got : 0;
	}
}

static void show_lists(const struct cli *cli, const char *label, const json_t *current,
	const json_t *new, const char *name)
{
	char before[LINE_MAX_BYTES / 2 - 16], after[LINE_MAX_BYTES / 2 - 16];
	join(current != NULL ? row_get(current, name) : NULL, before, sizeof(before));
	join(row_get(new, name), after, sizeof(after));
	if (before[0] != '\0' || after[0] != '\0')
		show_change(cli, label, before, after[0] != '\0' ? after : "none");
}

static void show_names(const struct cli *cli, const json_t *names)
{
	size_t i;
	json_t *item;
	facts_list(cli, "names", row_get(names, "kept"));
	json_array_foreach(row_get(names, "added"), i, item)
	{
		facts_styled(
			cli, i == 0 ? "names added" : "", json_string_value(item), STYLE_GREEN);
	}
	json_array_foreach(row_get(names, "lost"), i, item)
	{
		facts_styled(cli, i == 0 ? "names lost" : "", json_string_value(item), STYLE_RED);
	}
}

static void show_certificate(const struct cli *cli, const json_t *plan)
{
	const json_t *current = row_get(plan, "current"), *new = row_get(plan, "new");
	facts_title(cli, current != NULL ? "What changes" : "What is new");
	show_names(cli, row_get(plan, "names"));
	show_member(cli, "key", current, new, "key_algorithm");
	show_member(cli, "signature", current, new, "signature_algorithm");
	show_lists(cli, "key usage", current, new, "key_usages");
	show_lists(cli, "extended key usage", current, new, "extended_key_usages");
	show_member(cli, "valid from", current, new, "not_before");
	show_member(cli, "valid until", current, new, "not_after");
	show_member(cli, "subject", current, new, "subject");
	show_member(cli, "issuer", current, new, "issuer");
	show_member(cli, "serial", current, new, "serial");
	facts_list(cli, "chain", row_get(new, "chain"));
	if (current != NULL)
		facts_list(cli, "used by", row_get(current, "in_use_by"));
	facts_list(cli, "to be moved", row_get(plan, "bindings_to_move"));
}

static void show_tags(const struct cli *cli, const json_t *plan)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)row_get(plan, "tags"), key, value)
	{
		facts_format(cli, "tag", "%s = %s", key, json_string_value(value));
	}
}

static void show_rules(const struct cli *cli, const json_t *rules)
{
	size_t i;
	json_t *rule;
	facts_title(cli, "ACM's rules");
	json_array_foreach(rules, i, rule)
	{
		const char *verdict = row_text(rule, "verdict");
		enum style style = strcmp(verdict, "passed") == 0   ? STYLE_GREEN
				   : strcmp(verdict, "broken") == 0 ? STYLE_RED
								    : STYLE_YELLOW;
		facts_styled(cli, strcmp(verdict, "unconfirmed") == 0 ? "not confirmed" : verdict,
			row_text(rule, "text"), style);
	}
}

static void show_texts(
	const struct cli *cli, const char *title, const json_t *list, enum style style)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) == 0)
		return;
	facts_title(cli, title);
	json_array_foreach(list, i, item)
	{
		facts_styled(cli, row_text(item, "name"), row_text(item, "text"), style);
	}
}

void plan_show(const struct cli *cli, const json_t *plan)
{
	const char *decision = row_text(plan, "decision");
	const json_t *rollback = row_get(plan, "rollback");
	facts_styled(cli, decision, row_text(plan, "reason"), decision_style(decision));
	facts_line(cli, "plan", row_text(plan, "id"));
	facts_format(cli, "where", "account %s, %s, connector %s", row_text(plan, "account_id"),
		row_text(plan, "region"), row_text(plan, "connector"));
	facts_line(cli, "ARN", row_text(plan, "arn"));
	facts_line(cli, "certificate id", row_text(plan, "certificate_id"));
	show_certificate(cli, plan);
	show_tags(cli, plan);
	show_rules(cli, row_get(plan, "rules"));
	show_texts(cli, "Warnings", row_get(plan, "warnings"), STYLE_YELLOW);
	show_texts(cli, "Put right", row_get(plan, "notes"), STYLE_PLAIN);
	facts_title(cli, "The way back");
	facts_styled(cli, row_bool(rollback, "possible") ? "possible" : "not possible",
		row_text(rollback, "reason"),
		row_bool(rollback, "possible") ? STYLE_GREEN : STYLE_YELLOW);
	facts_line(cli, "key waits", row_text(plan, "key_escrow"));
	facts_list(cli, "verified at", row_get(plan, "verify_hosts"));
	facts_time(cli, "expires", row_time(plan, "expires"));
	if (strcmp(decision, "refuse") != 0)
		cli_note("to do it: acmsensor apply %s --wait", row_text(plan, "id"));
}
