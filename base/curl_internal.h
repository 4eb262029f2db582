/* What the users of libcurl in base/ share (http, mail): begin and end, and what is set on every
 * easy handle. */
#ifndef BASE_CURL_INTERNAL_H
#define BASE_CURL_INTERNAL_H

#include <curl/curl.h>

struct err;

/* For the whole process; libcurl counts how often. ERR_SYSTEM: it is missing what is needed. */
int curl_begin(struct err *err);
void curl_end(void);

/* Every other code than OK is a wrong use of libcurl, or no memory: aborts. */
void curl_check(CURLcode code);

/* Children that are started do not inherit connections; no signal is used. */
void curl_set_sockets(CURL *easy);
/* TLS 1.2 or newer, with one CA file and no directory: only then does libcurl keep the trust store
 * between connections. */
void curl_set_tls(CURL *easy, const char *ca_bundle);
/* The system's CA file; NULL: none in a usual place. Shared static. */
const char *curl_ca_bundle(void);

#endif
