/* Between the endpoint_*.c files. */
#ifndef AWS_ENDPOINT_INTERNAL_H
#define AWS_ENDPOINT_INTERNAL_H

#include "aws/endpoint.h"

/*
 * Reads a base URL into everything of an endpoint but its signing region (untouched). The URL is
 * never quoted in an error: a refused one may hold a password.
 */
int endpoint_parse_url(const char *url, struct endpoint *ret_endpoint, struct err *err);

/* Whether the endpoint's host is this one: localhost, 127.0.0.0/8, ::1. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

#endif
