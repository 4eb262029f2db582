/* A plan as a person reads it (see plan_show.h). */
#include "cli/plan_show.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/row.h"

enum { USERS_MAX = 10, SIGN_COLUMN = FACTS_LABEL_COLUMNS - 2, LABEL_MAX = 64 };

/* --- lines with a sign ------------------------------------------------------------------------ */

enum sign { STAYS, GOES, COMES };

/* The sign stands two columns before the value. Nothing when value is empty. */
static void show_signed(const struct cli *cli, const char *label, enum sign sign, const char *value)
{
	static const struct {
		char mark;
		enum style style;
	} look[] = {[STAYS] = {' ', STYLE_PLAIN},
		[GOES] = {'-', STYLE_RED},
		[COMES] = {'+', STYLE_GREEN}};
	char text[FACTS_LABEL_COLUMNS + 1];
	snprintf(text, sizeof(text), "%-*.*s%c", SIGN_COLUMN, SIGN_COLUMN, label, look[sign].mark);
	facts_styled(cli, text, value, look[sign].style);
}

/* before NULL: there is nothing to compare with. */
static void show_change(
	const struct cli *cli, const char *label, const char *before, const char *after)
{
	if (before == NULL || strcmp(before, after) == 0) {
		show_signed(cli, label, STAYS, after);
		return;
	}
	show_signed(cli, label, GOES, before[0] != '\0' ? before : "(none)");
	show_signed(cli, "", COMES, after[0] != '\0' ? after : "(none)");
}

static void show_text_change(
	const struct cli *cli, const char *label, const json_t *plan, const char *member)
{
	const json_t *current = row_get(plan, "current");
	show_change(cli, label, current != NULL ? row_text(current, member) : NULL,
		row_text(row_get(plan, "new"), member));
}

static void show_list_change(
	const struct cli *cli, const char *label, const json_t *plan, const char *member)
{
	const json_t *current = row_get(plan, "current");
	struct buf before, after;
	facts_join(&before, row_get(current, member));
	facts_join(&after, row_get(row_get(plan, "new"), member));
	show_change(cli, label, current != NULL ? buf_text(&before) : NULL, buf_text(&after));
	buf_clear(&before);
	buf_clear(&after);
}

static void show_time_change(
	const struct cli *cli, const char *label, const json_t *plan, const char *member)
{
	const json_t *current = row_get(plan, "current");
	char before[2 * DATES_TEXT_MAX], after[2 * DATES_TEXT_MAX];
	int64_t before_s = row_time(current, member);
	int64_t after_s = row_time(row_get(plan, "new"), member);
	dates_both(before_s, cli->now_s, before);
	dates_both(after_s, cli->now_s, after);
	show_change(cli, label, current != NULL && before_s != 0 ? before : NULL,
		after_s != 0 ? after : "");
}

/* --- what changes ----------------------------------------------------------------------------- */

static void show_names(const struct cli *cli, const json_t *plan)
{
	static const struct {
		const char *member;
		enum sign sign;
	} part[] = {{"kept", STAYS}, {"lost", GOES}, {"added", COMES}};
	const char *label = "Names";
	const json_t *names = row_get(plan, "names");
	bool is_first = row_get(plan, "current") == NULL;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		struct buf text;
		facts_join(&text, row_get(names, part[i].member));
		show_signed(cli, label, is_first ? STAYS : part[i].sign, buf_text(&text));
		if (text.len > 0)
			label = "";
		buf_clear(&text);
	}
}

static const char *show_tag(const struct cli *cli, const char *label, enum sign sign,
	const char *key, const char *value)
{
	char line[1024];
	snprintf(line, sizeof(line), "%s=%s", key, value);
	show_signed(cli, label, sign, line);
	return "";
}

/* At a reimport those that are there stay, and the operator's are set over them. */
static void show_tags(const struct cli *cli, const json_t *plan)
{
	bool is_import = strcmp(row_text(plan, "decision"), "import") == 0;
	const json_t *tags = row_get(plan, "tags");
	const json_t *current = is_import ? NULL : row_get(row_get(plan, "current"), "tags");
	const char *key, *label = "Tags";
	json_t *value;
	json_object_foreach((json_t *)current, key, value)
	{
		bool is_kept = !row_has(tags, key) ||
			       strcmp(row_text(tags, key), row_text(current, key)) == 0;
		label = show_tag(cli, label, is_kept ? STAYS : GOES, key, row_text(current, key));
		if (!is_kept)
			show_tag(cli, "", COMES, key, row_text(tags, key));
	}
	json_object_foreach((json_t *)tags, key, value)
	{
		if (!row_has(current, key))
			label = show_tag(cli, label, current == NULL ? STAYS : COMES, key,
				row_text(tags, key));
	}
}

static void show_users(const struct cli *cli, const char *label, const json_t *list)
{
	size_t i, count = json_array_size(list);
	json_t *arn;
	json_array_foreach(list, i, arn)
	{
		if (i == USERS_MAX && cli->output != OUTPUT_WIDE)
			break;
		show_signed(cli, i == 0 ? label : "", STAYS,
			json_is_string(arn) ? json_string_value(arn) : "");
	}
	if (i < count)
		facts_format(cli, "", "and %zu more: -o wide shows them", count - i);
}

static bool has_text(const json_t *list, const char *text)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

/* Those of one chain; the other one decides how they are signed. */
static const char *show_subjects(const struct cli *cli, const char *label, const json_t *chain,
	const json_t *other, enum sign sign_alone)
{
	size_t i;
	json_t *item;
	json_array_foreach(chain, i, item)
	{
		const char *subject = json_is_string(item) ? json_string_value(item) : "";
		bool is_shared = has_text(other, subject);
		if (is_shared && sign_alone == GOES)
			continue; /* shown with the new chain */
		show_signed(cli, label, is_shared ? STAYS : sign_alone, subject);
		label = "";
	}
	return label;
}

static void show_chain(const struct cli *cli, const json_t *plan)
{
	const json_t *current = row_get(plan, "current");
	const json_t *before = row_get(current, "chain");
	const json_t *after = row_get(row_get(plan, "new"), "chain");
	const char *label = show_subjects(cli, "Chain", before, after, GOES);
	/* A daemon of before told nothing of the chain that is there. */
	show_subjects(cli, label, after, before, before != NULL ? COMES : STAYS);
}

static void show_certificate(const struct cli *cli, const json_t *plan)
{
	const json_t *current = row_get(plan, "current");
	if (current == NULL)
		facts_title(cli, "The new certificate");
	else
		facts_title(cli, "What changes (- there now, + new)");
	show_names(cli, plan);
	show_text_change(cli, "Key", plan, "key_algorithm");
	show_list_change(cli, "Key usage", plan, "key_usages");
	show_list_change(cli, "Extended usage", plan, "extended_key_usages");
	show_time_change(cli, "Valid from", plan, "not_before");
	show_time_change(cli, "Valid until", plan, "not_after");
	show_text_change(cli, "Subject", plan, "subject");
	show_text_change(cli, "Issuer", plan, "issuer");
	show_text_change(cli, "Serial", plan, "serial");
	if (cli->output == OUTPUT_WIDE) {
		show_text_change(cli, "Signature", plan, "signature_algorithm");
		show_text_change(cli, "SHA-256", plan, "fingerprint_sha256");
	}
	show_chain(cli, plan);
	show_tags(cli, plan);
	if (current != NULL)
		facts_format(cli, "In ACM now", "%s, %s", row_text(current, "type"),
			row_text(current, "status"));
	show_users(cli, "Used by", row_get(current, "in_use_by"));
	show_users(cli, "To be moved", row_get(plan, "bindings_to_move"));
}

/* --- what is to be known ---------------------------------------------------------------------- */

/* A name that programs go by ("name_lost") in words. */
static const char *in_words(const char *name, char ret_words[LABEL_MAX])
{
	text_shorten(ret_words, LABEL_MAX, name);
	for (char *at = ret_words; (at = strchr(at, '_')) != NULL;)
		*at = ' ';
	return ret_words;
}

/* The worst first. */
static void show_rules(const struct cli *cli, const json_t *rules)
{
	static const struct {
		const char *verdict, *label;
		enum style style;
	} look[] = {{"broken", "broken", STYLE_RED}, {"unconfirmed", "not confirmed", STYLE_YELLOW},
		{"passed", "passed", STYLE_GREEN}};
	size_t i;
	json_t *rule;
	char label[LABEL_MAX];
	if (json_array_size(rules) == 0)
		return;
	facts_title(cli, "ACM's rules");
	for (size_t at = 0; at < sizeof(look) / sizeof(look[0]); at++) {
		json_array_foreach(rules, i, rule)
		{
			const char *text = row_text(rule, "text");
			if (strcmp(row_text(rule, "verdict"), look[at].verdict) == 0)
				facts_styled(cli, look[at].label,
					text[0] != '\0' ? text
							: in_words(row_text(rule, "name"), label),
					look[at].style);
		}
	}
}

static void show_warnings(const struct cli *cli, const json_t *list)
{
	size_t i;
	json_t *item;
	char label[LABEL_MAX];
	if (json_array_size(list) == 0)
		return;
	facts_title(cli, "Warnings");
	json_array_foreach(list, i, item)
	{
		facts_styled(cli, in_words(row_text(item, "name"), label), row_text(item, "text"),
			STYLE_YELLOW);
	}
}

static void show_notes(const struct cli *cli, const json_t *list)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) == 0)
		return;
	facts_title(cli, "Put right in what was given");
	json_array_foreach(list, i, item)
	{
		facts_line(cli, "note", row_text(item, "text"));
	}
}

static void show_way_back(const struct cli *cli, const json_t *plan)
{
	const json_t *rollback = row_get(plan, "rollback");
	bool is_possible = row_bool(rollback, "possible");
	facts_title(cli, "Rollback");
	facts_styled(cli, is_possible ? "possible" : "not possible", row_text(rollback, "reason"),
		is_possible ? STYLE_GREEN : STYLE_YELLOW);
	if (is_possible && row_bool(plan, "auto_rollback"))
		facts_line(cli, "automatic",
			"when ACM holds neither certificate, or a host still serves another one "
			"after the time for propagation");
}

/* An old plan, as the list of plans has it, cannot be applied any more. */
static void show_next(const struct cli *cli, const json_t *plan)
{
	const char *state = row_text(plan, "state"), *job = row_text(plan, "job");
	putchar('\n');
	bool is_key_lost = strcmp(state, "key_lost") == 0;
	facts_line(
		cli, is_key_lost ? "Key waited in" : "Key waits in", row_text(plan, "key_escrow"));
	facts_list(cli, "Verified at", row_get(plan, "verify_hosts"));
	if (strcmp(row_text(plan, "decision"), "refuse") == 0) {
		facts_styled(cli, "Next", "nothing: a refused plan cannot be applied", STYLE_RED);
	} else if (job[0] != '\0') {
		facts_format(cli, "Applied by", "%s", job);
		facts_command(cli, "Next", "jobs %s", job);
	} else if (strcmp(state, "expired") == 0) {
		facts_time(cli, "Expired", row_time(plan, "expires"));
		facts_styled(cli, "Next", "plan again: this one has expired", STYLE_RED);
	} else if (strcmp(state, "void") == 0) {
		facts_styled(cli, "Next", "plan again: this one is void, what ACM holds changed",
			STYLE_RED);
	} else if (is_key_lost) {
		facts_styled(cli, "Next",
			"plan again: the daemon was restarted, and the key is lost", STYLE_RED);
	} else {
		facts_time(cli, "Expires", row_time(plan, "expires"));
		facts_command(cli, "Next", "apply %s --wait", row_text(plan, "id"));
	}
}

static enum style decision_style(const char *decision)
{
	return strcmp(decision, "reimport") == 0 || strcmp(decision, "import") == 0 ? STYLE_GREEN
										    : STYLE_RED;
}

/* That it cannot be applied any more is to be seen first, whatever was decided then. */
static void show_state(const struct cli *cli, const json_t *plan)
{
	const char *state = row_text(plan, "state");
	if (strcmp(state, "void") == 0 || strcmp(state, "expired") == 0)
		facts_styled(cli, "State", state, STYLE_RED);
	else if (strcmp(state, "key_lost") == 0)
		facts_styled(cli, "State", "its key is lost", STYLE_RED);
}

void plan_show(const struct cli *cli, const json_t *plan)
{
	const char *decision = row_text(plan, "decision"), *reason = row_text(plan, "reason");
	facts_styled(cli, decision, reason[0] != '\0' ? reason : "(no reason was given)",
		decision_style(decision));
	show_state(cli, plan);
	facts_line(cli, "Plan", row_text(plan, "id"));
	facts_format(cli, "Where", "account %s, %s, connector %s", row_text(plan, "account_id"),
		row_text(plan, "region"), row_text(plan, "connector"));
	facts_line(cli, "ARN", row_text(plan, "arn"));
	facts_line(cli, "Certificate ID", row_text(plan, "certificate_id"));
	show_warnings(cli, row_get(plan, "warnings"));
	show_certificate(cli, plan);
	show_rules(cli, row_get(plan, "rules"));
	show_notes(cli, row_get(plan, "notes"));
	show_way_back(cli, plan);
	show_next(cli, plan);
}
