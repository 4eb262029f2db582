/*
 * Which URL a service is reached at in a region, and which region signs for it. Pure: a data table,
 * the partition rules and overrides.
 *
 * An override is the last word: FIPS and dual stack do not apply to a service that has one. Without
 * one, a combination that AWS does not offer (FIPS where there is none) is an error, never a quiet
 * fallback to something weaker.
 *
 * source: botocore 1.43.67 endpoint rule sets and endpoints.json (facts.md section 7).
 */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include <stdbool.h>

#include "aws/service.h"

struct err;

enum {
	ENDPOINT_URL_MAX = 512,
	ENDPOINT_HOST_MAX = 272, /* a DNS name or a bracketed IPv6 address, ":65535" and a NUL */
	ENDPOINT_PATH_MAX = 256,
	ENDPOINT_REGION_MAX = 32,
};

/* URLs that replace the table's; "": none. Zeroed: no override at all. */
struct endpoint_overrides {
	char service[AWS_SERVICES][ENDPOINT_URL_MAX]; /* for one service; by enum aws_service */
	char all[ENDPOINT_URL_MAX];		      /* for services without their own */
	bool is_ignored; /* ignore_configured_endpoint_urls of a profile; unused elsewhere */
};

struct endpoint_options {
	bool use_fips;
	bool use_dualstack;
	struct endpoint_overrides overrides;
};

struct endpoint {
	/* "https://host[:port][/prefix]" without '/' at the end: a request's path ("/",
	 * "/listRegions") is appended. */
	char url[ENDPOINT_URL_MAX];
	char host_key[ENDPOINT_HOST_MAX + 16]; /* "https://host:port", port always there */
	char host_header[ENDPOINT_HOST_MAX];   /* "host", ":port" unless the scheme's default */
	char path_prefix[ENDPOINT_PATH_MAX];   /* "" or "/prefix"; before the path when signing */
	char signing_region[ENDPOINT_REGION_MAX];
	bool is_tls;
};

/*
 * region   the region of the call; for global services the connector's home region (it names the
 *          partition)
 * errors   ERR_CONFIG: region is not a region's name, no such endpoint (says what to change), or an
 *          override that is not a usable URL
 */
int endpoint_resolve(enum aws_service service, const char *region,
	const struct endpoint_options *options, struct endpoint *ret_endpoint, struct err *err);

/*
 * Checks an override: http or https, a host, perhaps a port and a path; no user, query or fragment.
 *
 * is_http_allowed  http:// to any host; false: only to this host (localhost, 127.0.0.0/8, ::1),
 *                  since tokens would cross the network in the clear
 * errors           ERR_CONFIG with the reason
 */
int endpoint_override_check(const char *url, bool is_http_allowed, struct err *err);

/* Same contract as getenv. */
typedef const char *aws_getenv_fn(const char *name);

/* The places that say where to go, strongest first. Overrides: borrowed for the call, NULL: none.
 * Switches: -1 not set, 0, 1. */
struct endpoint_sources {
	const struct endpoint_overrides *configured; /* the connector's; may use http:// anywhere */
	int configured_use_fips, configured_use_dualstack;
	aws_getenv_fn *get;
	const struct endpoint_overrides *profile;
	int profile_use_fips, profile_use_dualstack;
};

/*
 * Merges them, per service: configuration (its own, then all), AWS_ENDPOINT_URL_<SERVICE>,
 * AWS_ENDPOINT_URL, the profile's services section, the profile's endpoint_url.
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS (else the profile's setting) switches environment and profile
 * off.
 * Switches: configuration, AWS_USE_FIPS_ENDPOINT / AWS_USE_DUALSTACK_ENDPOINT, profile, off.
 * errors   ERR_CONFIG: names the variable or setting, its value's fault and what was expected
 */
int endpoint_options_merge(const struct endpoint_sources *sources,
	struct endpoint_options *ret_options, struct err *err);

#endif
