/* What a host is, and where somebody listens, as people write it: HOST or HOST:PORT. Pure. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/*
 * Whether text is an IP address and so no name: IPv4 in four decimal parts, or IPv6 without
 * brackets, zone or prefix length. Everything else that some resolvers take for an address (127.1,
 * 0x7f000001) is none.
 *
 * source  POSIX inet_pton; RFC 4291, 2.2
 */
bool host_is_address(const char *text);

/*
 * HOST is a name in ASCII, an IPv4 address, or an IPv6 address, which stands in brackets where a
 * port follows.
 *
 * ret_host  at most size - 1 bytes; without brackets
 * ret_port  default_port where none is given
 * errors    ERR_CONFIG: what was expected; does not repeat text
 */
int host_parse(const char *text, int default_port, char *ret_host, size_t size, int *ret_port,
	struct err *err);

#endif
