/* The document of GET /v1/status as far as the store alone tells. */
#ifndef CLI_STATUS_OFFLINE_H
#define CLI_STATUS_OFFLINE_H

#include <jansson.h>

struct cli;
struct err;

/* Owned by the caller. Without attention and what only a running daemon knows. */
int status_offline(const struct cli *cli, json_t **ret_document, struct err *err);

#endif
