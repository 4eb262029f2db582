/* The document of GET /v1/status as far as the store alone tells. */
#ifndef CLI_STATUS_OFFLINE_H
#define CLI_STATUS_OFFLINE_H

#include <jansson.h>

struct cli;
struct err;

/*
 * Without attention and what only a running daemon knows.
 *
 * cli           now_s, offline_dir
 * ret_document  owned by the caller
 * errors        as store_open and store_get_stats; ERR_LIMIT: larger than SOURCE_DOCUMENT_MAX
 */
int status_offline(const struct cli *cli, json_t **ret_document, struct err *err);

#endif
