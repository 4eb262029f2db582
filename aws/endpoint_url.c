/*
 * URLs that replace the table's endpoints: strict, because a request with credentials goes to
 * whatever they name. source: RFC 3986 sections 3.1 to 3.3.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "aws/endpoint_internal.h"
#include "base/err.h"
#include "base/text.h"

enum {
	DNS_NAME_MAX = 253,
	DNS_LABEL_MAX = 63,
	PORT_HTTP = 80,
	PORT_HTTPS = 443,
	PORT_MAX = 65535,
};

/* The parts of a URL; borrowed from it. */
struct parts {
	bool is_tls;
	const char *host; /* with the brackets of an IPv6 address */
	size_t host_len;
	const char *port;
	size_t port_len; /* 0: none */
	const char *path;
	size_t path_len; /* without '/' at its end */
};

static int refuse(struct err *err, const char *reason)
{
	return err_set(err, ERR_CONFIG, "not a usable endpoint URL: %s", reason);
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int check_characters(const char *url, struct err *err)
{
	if (strlen(url) >= ENDPOINT_URL_MAX)
		return err_set(err, ERR_CONFIG,
			"not a usable endpoint URL: longer than %d characters",
			ENDPOINT_URL_MAX - 1);
	for (const char *at = url; *at != '\0'; at++) {
		if (*at == '?')
			return refuse(err, "it has a query");
		if (*at == '#')
			return refuse(err, "it has a fragment");
		if (!is_alphanumeric(*at) && strchr("-._~:/[]@!$&'()*+,;=%", *at) == NULL)
			return refuse(err, "it has characters that no URL has");
	}
	return 0;
}

static int split(const char *url, struct parts *ret_parts, struct err *err)
{
	static const char https[] = "https://", http[] = "http://";
	struct parts parts = {.is_tls = text_has_prefix(url, https)};
	if (!parts.is_tls && !text_has_prefix(url, http))
		return refuse(err, "it does not begin with https:// or http://");
	parts.host = url + strlen(parts.is_tls ? https : http);
	const char *end = strchrnul(parts.host, '/');
	if (memchr(parts.host, '@', (size_t)(end - parts.host)) != NULL)
		return refuse(err, "it has a user name or password");
	parts.path = end;
	parts.path_len = strlen(end);
	while (parts.path_len > 0 && parts.path[parts.path_len - 1] == '/')
		parts.path_len--;

	const char *host_end;
	if (parts.host[0] == '[') {
		const char *bracket = memchr(parts.host, ']', (size_t)(end - parts.host));
		if (bracket == NULL)
			return refuse(err, "its IPv6 address has no closing bracket");
		host_end = bracket + 1;
	} else {
		const char *colon = memchr(parts.host, ':', (size_t)(end - parts.host));
		host_end = colon != NULL ? colon : end;
	}
	parts.host_len = (size_t)(host_end - parts.host);
	if (host_end < end) {
		parts.port = host_end + 1;
		parts.port_len = (size_t)(end - parts.port);
		if (*host_end != ':' || parts.port_len == 0)
			return refuse(err, "what follows its host is not a port");
	}
	*ret_parts = parts;
	return 0;
}

/* A DNS name of letters, digits, '-' and '_'; or an IPv4 address in the usual form, and in no other
 * that a resolver would take for one (127.1, 0x7f000001): a name's last label begins with a letter
 * or '_'. */
static bool is_name_or_ipv4(const char *host)
{
	struct in_addr address;
	if (inet_pton(AF_INET, host, &address) == 1)
		return true;
	size_t label_len = 0;
	char label_first = '\0';
	for (const char *at = host; *at != '\0'; at++) {
		if (*at == '.') {
			if (label_len == 0)
				return false;
			label_len = 0;
			continue;
		}
		if (label_len == 0)
			label_first = *at;
		if (++label_len > DNS_LABEL_MAX ||
			(!is_alphanumeric(*at) && *at != '-' && *at != '_'))
			return false;
	}
	return label_len > 0 && label_first > '9';
}

/* With its brackets. */
static bool is_ipv6(const char *host)
{
	char inner[INET6_ADDRSTRLEN];
	size_t len = strlen(host);
	if (len - 2 >= sizeof(inner))
		return false;
	memcpy(inner, host + 1, len - 2);
	inner[len - 2] = '\0';
	struct in6_addr address;
	return inet_pton(AF_INET6, inner, &address) == 1;
}

static int read_host(const struct parts *parts, char *ret_host, size_t size, struct err *err)
{
	if (parts->host_len == 0)
		return refuse(err, "it has no host");
	if (parts->host_len >= size)
		return refuse(err, "its host is too long");
	memcpy(ret_host, parts->host, parts->host_len);
	ret_host[parts->host_len] = '\0';
	text_lower(ret_host);
	bool is_host = ret_host[0] == '[' ? is_ipv6(ret_host) : is_name_or_ipv4(ret_host);
	return is_host ? 0 : refuse(err, "its host is neither a name nor an address");
}

static int read_port(const struct parts *parts, int *ret_port, struct err *err)
{
	int port = parts->is_tls ? PORT_HTTPS : PORT_HTTP;
	if (parts->port_len > 0) {
		port = 0;
		for (size_t i = 0; i < parts->port_len && port <= PORT_MAX; i++) {
			if (parts->port[i] < '0' || parts->port[i] > '9')
				return refuse(err, "its port is not a number");
			port = port * 10 + (parts->port[i] - '0');
		}
	}
	if (port < 1 || port > PORT_MAX)
		return refuse(err, "its port is not between 1 and 65535");
	*ret_port = port;
	return 0;
}

int endpoint_parse_url(const char *url, struct endpoint *ret_endpoint, struct err *err)
{
	struct parts parts = {.host = ""};
	char host[DNS_NAME_MAX + 1];
	int port = 0;
	if (check_characters(url, err) != 0 || split(url, &parts, err) != 0 ||
		read_host(&parts, host, sizeof(host), err) != 0 ||
		read_port(&parts, &port, err) != 0)
		return -1;
	if (parts.path_len >= ENDPOINT_PATH_MAX)
		return err_set(err, ERR_CONFIG,
			"not a usable endpoint URL: its path is longer than %d characters",
			ENDPOINT_PATH_MAX - 1);

	struct endpoint made = *ret_endpoint;
	const char *scheme = parts.is_tls ? "https" : "http";
	bool is_default_port = port == (parts.is_tls ? PORT_HTTPS : PORT_HTTP);
	made.is_tls = parts.is_tls;
	if (is_default_port)
		snprintf(made.host_header, sizeof(made.host_header), "%s", host);
	else
		snprintf(made.host_header, sizeof(made.host_header), "%s:%d", host, port);
	snprintf(made.host_key, sizeof(made.host_key), "%s://%s:%d", scheme, host, port);
	snprintf(made.path_prefix, sizeof(made.path_prefix), "%.*s", (int)parts.path_len,
		parts.path);
	int len = snprintf(made.url, sizeof(made.url), "%s://%s%s", scheme, made.host_header,
		made.path_prefix);
	assert(len > 0 &&
		(size_t)len < sizeof(made.url)); /* the URL is no longer than what was given */
	*ret_endpoint = made;
	return 0;
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
	char host[ENDPOINT_HOST_MAX];
	text_copy(host, sizeof(host), endpoint->host_header);
	if (host[0] == '[')
		return text_has_prefix(host, "[::1]");
	*strchrnul(host, ':') = '\0';
	struct in_addr address;
	bool is_ipv4 = inet_pton(AF_INET, host, &address) == 1;
	return is_ipv4 ? text_has_prefix(host, "127.") : strcmp(host, "localhost") == 0;
}

int endpoint_override_check(const char *url, bool is_http_allowed, struct err *err)
{
	struct endpoint parsed = {.url = ""};
	if (endpoint_parse_url(url, &parsed, err) != 0)
		return -1;
	if (!parsed.is_tls && !is_http_allowed && !endpoint_is_loopback(&parsed))
		return refuse(err, "http:// is only for this host (localhost, 127.0.0.1, [::1]); "
				   "elsewhere credentials would cross the network in the clear");
	return 0;
}
