/* Listeners. */
#include "tests/awssim/server.h"

#include <arpa/inet.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/awssim/conn.h"

enum { BACKLOG = 1024 };

struct server *server_new(struct event_base *base, struct tls *tls,
	const struct server_hooks *hooks, const struct server_limits *limits)
{
	struct server *server = mem_alloc(sizeof(*server));
	server->base = base;
	server->tls = tls;
	server->hooks = *hooks;
	server->limits = *limits;
	return server;
}

void server_free(struct server *server)
{
	if (server == NULL)
		return;
	while (server->first != NULL)
		conn_close(server->first);
	for (size_t i = 0; i < 4; i++)
		if (server->listener[i] != NULL)
			evconnlistener_free(server->listener[i]);
	reply_clear(&server->reply);
	free(server);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
	int address_len, void *arg)
{
	(void)address;
	(void)address_len;
	struct server *server = arg;
	for (int role = 0; role < 4; role++)
		if (server->listener[role] == listener)
			conn_new(server, (enum server_role)role, fd);
}

/* libevent's own parser does not take port 0. */
bool server_parse_address(const char *where, struct sockaddr_storage *ret_address, int *ret_len)
{
	char host[64], *end;
	const char *colon = strrchr(where, ':');
	if (colon == NULL ||
		!slice_copy((struct slice){where, (size_t)(colon - where)}, host, sizeof(host)))
		return false;
	unsigned long port = strtoul(colon + 1, &end, 10);
	*ret_len = sizeof(*ret_address);
	if (end == colon + 1 || *end != '\0' || port > 65535 ||
		evutil_parse_sockaddr_port(host, (struct sockaddr *)ret_address, ret_len) != 0)
		return false;
	uint16_t in_order = htons((uint16_t)port);
	if (ret_address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)ret_address)->sin6_port = in_order;
	else
		((struct sockaddr_in *)(void *)ret_address)->sin_port = in_order;
	return true;
}

bool server_listen(
	struct server *server, enum server_role role, const char *where, char ret_bound[64])
{
	struct sockaddr_storage address;
	int len = 0;
	struct evconnlistener *listener = NULL;
	if (server_parse_address(where, &address, &len))
		listener = evconnlistener_new_bind(server->base, on_accept, server,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG,
			(struct sockaddr *)&address, len);
	if (listener == NULL) {
		fprintf(stderr, "awssim: cannot listen on \"%s\" (address:port): %s\n", where,
			strerror(EVUTIL_SOCKET_ERROR()));
		return false;
	}
	server->listener[role] = listener;
	socklen_t bound_len = sizeof(address);
	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &bound_len);
	char host[INET6_ADDRSTRLEN];
	if (address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(void *)&address;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(ret_bound, 64, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(void *)&address;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(ret_bound, 64, "%s:%u", host, ntohs(in->sin_port));
	}
	return true;
}

const struct server_counts *server_counts(const struct server *server)
{
	return &server->counts;
}

void server_reset_counts(struct server *server)
{
	unsigned open = server->counts.open, in_flight = server->counts.in_flight;
	server->counts = (struct server_counts){
		.open = open, .open_max = open, .in_flight = in_flight, .in_flight_max = in_flight};
}
