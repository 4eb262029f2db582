/* "label   value" lines in groups, wrapped to the terminal: the form of show and status. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <jansson.h>

#include "cli/cli.h"

struct buf;

enum {
	FACTS_LABEL_COLUMNS = 20,
	FACTS_VALUE_MAX = 1 << 20,
};

/* All print on stdout. Texts are escaped, since any may come from outsiders. */
void facts_heading(const struct cli *cli, const char *text);
/* A blank line and a heading. */
void facts_title(const struct cli *cli, const char *title);
/* Nothing when value is empty. Wrapped at blanks. A word that is longer than a line (an
 * ARN) stays whole, so that it can be copied. */
void facts_line(const struct cli *cli, const char *label, const char *value);
void facts_styled(const struct cli *cli, const char *label, const char *value, enum style style);
void facts_format(const struct cli *cli, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What is to be copied: after "acmsensor" with its options, on one line whatever the terminal's width,
 * because a shell would run the first of two. */
void facts_command(const struct cli *cli, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void facts_time(const struct cli *cli, const char *label, int64_t at_s); /* nothing for 0 */
/* The texts of an array, joined with ", ". to: begins here, at most FACTS_VALUE_MAX. */
void facts_join(struct buf *to, const json_t *list);
void facts_list(const struct cli *cli, const char *label, const json_t *list);

/* Pure: the lines of facts_styled. A label too long for its column has a line of its own. */
void facts_wrap(struct buf *to, const struct terminal *terminal, const char *label,
	const char *value, enum style style);

#endif
