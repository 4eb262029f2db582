/*
 * An HTTP server of the daemon: evhttp on a socket that listens, with limits. The local API and the
 * metrics each have one.
 */
#ifndef SENSOR_API_SERVER_H
#define SENSOR_API_SERVER_H

#include <stddef.h>

struct api_server;
struct err;
struct evhttp_request;
struct loop;

typedef void api_server_fn(struct evhttp_request *request, void *arg);

struct api_server_options {
	struct loop *loop; /* borrowed */
	const char *name;  /* shared static; in messages: "local API" */
	int fd;		   /* listens, non-blocking; taken, also on failure */
	long body_max_bytes;
	/* Open connections; further ones wait in the system's queue until one ends. 0: no limit of
	 * ours, for a socket that only the machine's own users reach. */
	size_t connections_max;
	int idle_s; /* a connection that neither asks nor takes for this long is closed */
	api_server_fn *on_request; /* any method that HTTP knows; marks the loop's turn itself */
	void *arg;
};

/* ERR_SYSTEM. */
struct api_server *api_server_new(const struct api_server_options *options, struct err *err);
/* Answers that are under way break off. NULL is fine. */
void api_server_free(struct api_server *server);
size_t api_server_connections(const struct api_server *server); /* with a limit: open ones */

#endif
