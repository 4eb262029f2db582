/* "label   value" lines in groups, wrapped to the terminal: the form of show and status. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <jansson.h>

#include "cli/cli.h"

enum { FACTS_LABEL_COLUMNS = 20 };

/* A blank line and a bold title. */
void facts_title(const struct cli *cli, const char *title);
/* Nothing when value is empty. Escaped; wrapped at blanks and, where there is none, anywhere. */
void facts_line(const struct cli *cli, const char *label, const char *value);
void facts_styled(const struct cli *cli, const char *label, const char *value, enum style style);
void facts_time(const struct cli *cli, const char *label, int64_t at_s); /* nothing for 0 */
/* The texts of an array, joined with ", ". */
void facts_list(const struct cli *cli, const char *label, const json_t *list);

#endif
