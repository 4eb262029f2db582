/* A connection; private to server.c and conn.c. */
#ifndef TESTS_AWSSIM_CONN_H
#define TESTS_AWSSIM_CONN_H

#include <event2/event_struct.h>

#include "tests/awssim/server.h"

struct conn;

struct server {
	struct event_base *base; /* borrowed */
	struct tls *tls;	 /* borrowed */
	struct server_hooks hooks;
	struct server_limits limits;
	struct evconnlistener *listener[4]; /* owned; by role */
	struct conn *first;		    /* owned list of all connections */
	struct server_counts counts;
	struct reply reply; /* the one being made; requests are answered one after the other */
};

void conn_new(struct server *server, enum server_role role, int fd); /* takes fd */
void conn_close(struct conn *conn);

#endif
