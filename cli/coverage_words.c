/* An account's coverage in words (see coverage_words.h). */
#include "cli/coverage_words.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/row.h"
#include "store/coverage.h"

enum style coverage_style(const char *state_name)
{
	enum coverage_state state;
	if (!coverage_state_parse(state_name, &state))
		return STYLE_PLAIN;
	if (state == COVERAGE_OK)
		return STYLE_GREEN;
	if (state == COVERAGE_NEVER_TRIED)
		return STYLE_YELLOW;
	return coverage_is_problem(state) ? STYLE_RED : STYLE_DIM;
}

/* In the order in which they are said: what somebody should mend comes first. */
static const struct {
	enum coverage_state state;
	const char *words; /* after the number of regions */
	const char *whole; /* instead, when it concerns the account as a whole; NULL: never */
} said[] = {
	{COVERAGE_ROLE_UNASSUMABLE, "where the role cannot be assumed", "role cannot be assumed"},
	{COVERAGE_DENIED, "denied", NULL},
	{COVERAGE_DENIED_BY_SCP, "denied by SCP", NULL},
	{COVERAGE_UNREACHABLE, "unreachable", NULL},
	{COVERAGE_FAILED, "failed", NULL},
	{COVERAGE_THROTTLED, "throttled", NULL},
	{COVERAGE_NEVER_TRIED, "not tried yet", NULL},
	{COVERAGE_OK, "read", NULL},
	{COVERAGE_REGION_DISABLED, "disabled", NULL},
	{COVERAGE_EXCLUDED, "excluded", "excluded"},
};

static void say_inactive(struct buf *to, const json_t *row)
{
	char state[32];
	text_copy(state, sizeof(state), row_text(row, "state"));
	text_lower(state);
	for (char *c = state; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	buf_addf(to, "account %s", state[0] != '\0' ? state : "inactive");
}

enum style coverage_words(struct buf *to, const json_t *row)
{
	const json_t *coverage = row_get(row, "coverage");
	const char *separator = "";
	enum style style = STYLE_PLAIN;
	if (row_int(coverage, coverage_state_name(COVERAGE_ACCOUNT_INACTIVE)) > 0) {
		say_inactive(to, row);
		return STYLE_DIM;
	}
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const char *name = coverage_state_name(said[i].state);
		int64_t count = row_int(coverage, name);
		if (count == 0)
			continue;
		if (style == STYLE_PLAIN)
			style = coverage_style(name);
		buf_add_text(to, separator);
		if (said[i].whole != NULL && json_object_size(coverage) == 1)
			buf_add_text(to, said[i].whole);
		else
			buf_addf(to, "%" PRId64 " %s", count, said[i].words);
		separator = ", ";
	}
	if (separator[0] == '\0')
		buf_add_text(to, "not tried yet");
	return style;
}
