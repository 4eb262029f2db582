/* Where the metrics are to be had: "127.0.0.1:9847", "[::1]:9847". Numbers only. */
#ifndef SENSOR_METRICS_ADDRESS_H
#define SENSOR_METRICS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct err;

struct metrics_address {
	struct sockaddr_storage socket;
	socklen_t len;
};

/* false: not an IPv4 address, or an IPv6 address in brackets, with a colon and a port from 1 to
 * 65535. */
bool metrics_address_parse(const char *text, struct metrics_address *ret_address);
/* Binds and listens, non-blocking. Returns the descriptor, or -1: ERR_SYSTEM with what (an option's
 * name) and text. An address in IPv6 takes IPv6 alone. */
int metrics_address_listen(
	const struct metrics_address *address, const char *what, const char *text, struct err *err);

#endif
