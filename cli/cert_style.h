/* How urgent a certificate looks, and its status in one word; shared by certs and show. */
#ifndef CLI_CERT_STYLE_H
#define CLI_CERT_STYLE_H

#include <jansson.h>
#include <stdint.h>

#include "cli/terminal.h"

enum { CERT_SOON_DAYS = 30 };

/* Red: ended or ends within a week; yellow: within CERT_SOON_DAYS; dim: gone. */
enum style cert_style(const json_t *row, int64_t now_s);

/* AWS's status, but EXPIRED when the end has passed whatever AWS says, and GONE. Borrowed from
 * row. */
const char *cert_status_word(const json_t *row);

#endif
