#include "sensor/metrics_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { BACKLOG = 64, PORT_DIGITS = 5, PORT_MAX = 65535 };

/* 0: no port. */
static uint16_t parse_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	unsigned port = 0;
	if (len == 0 || len > PORT_DIGITS || text[len] != '\0' || text[0] == '0')
		return 0;
	for (size_t i = 0; i < len; i++)
		port = 10 * port + (unsigned)(text[i] - '0');
	return port <= PORT_MAX ? (uint16_t)port : 0;
}

static bool parse_ip4(const char *host, uint16_t port, struct metrics_address *address)
{
	struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	if (inet_pton(AF_INET, host, &ip4.sin_addr) != 1)
		return false;
	memcpy(&address->socket, &ip4, sizeof(ip4));
	address->len = sizeof(ip4);
	return true;
}

static bool parse_ip6(char *host, size_t len, uint16_t port, struct metrics_address *address)
{
	struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &ip6.sin6_addr) != 1)
		return false;
	memcpy(&address->socket, &ip6, sizeof(ip6));
	address->len = sizeof(ip6);
	return true;
}

bool metrics_address_parse(const char *text, struct metrics_address *ret_address)
{
	char host[INET6_ADDRSTRLEN + 2];
	struct metrics_address address = {.len = 0};
	const char *colon = strrchr(text, ':');
	uint16_t port = colon != NULL ? parse_port(colon + 1) : 0;
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	if (port == 0 || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!parse_ip4(host, port, &address) && !parse_ip6(host, len, port, &address))
		return false;
	*ret_address = address;
	return true;
}

int metrics_address_listen(
	const struct metrics_address *address, const char *what, const char *text, struct err *err)
{
	const int on = 1;
	int family = address->socket.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A restart must not wait for connections of the former daemon to be forgotten. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		(family != AF_INET6 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
		bind(fd, (const struct sockaddr *)&address->socket, address->len) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	(void)err_set_errno(err, ERR_SYSTEM, "%s %s", what, text);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}
