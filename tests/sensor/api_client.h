/* A client of the local API for tests that run its loop themselves, turn by turn. */
#ifndef TESTS_SENSOR_API_CLIENT_H
#define TESTS_SENSOR_API_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

struct loop;

struct api_client {
	struct loop *loop;	 /* borrowed */
	const char *socket_path; /* borrowed */
	struct buf answer;	 /* of the last request */
};
void api_client_init(struct api_client *client, struct loop *loop, const char *socket_path);
void api_client_clear(struct api_client *client);

/* A connection; close it. */
int api_client_connect(const struct api_client *client);
/* The same with a request sent. */
int api_client_ask(const struct api_client *client, const char *request);
/* One turn of the loop, without waiting. */
void api_client_turn(struct api_client *client);
/* Takes all that is there; false: the connection has ended. */
bool api_client_receive(struct api_client *client, int fd);
/* The rest of the answer, with or without waiting in the loop; closes. */
const char *api_client_finish(struct api_client *client, int fd, bool waits);

/* The whole answer to one request, which must come without time passing; borrowed until the next.
 * what: "GET /v1/status". */
const char *api_client_get(struct api_client *client, const char *what);
const char *api_client_post(struct api_client *client, const char *path, const char *body);

void expect_status(const char *answer, int status);
/* The body as JSON; owned. */
json_t *body_of(const char *answer);

#endif
