#include "base/http_url.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/host.h"
#include "base/text.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool take_prefix(const char **at, const char *prefix)
{
	size_t len = strlen(prefix);
	if (strncasecmp(*at, prefix, len) != 0)
		return false;
	*at += len;
	return true;
}

/* "host", "192.0.2.1" or "[2001:db8::1]". */
static bool take_host(const char **at, struct http_target *target)
{
	bool is_bracketed = take_prefix(at, "[");
	size_t len = 0;
	while (is_name_char((*at)[len]) || (is_bracketed && (*at)[len] == ':'))
		len++;
	if (len == 0 || len >= sizeof(target->name))
		return false;
	memcpy(target->name, *at, len);
	target->name[len] = '\0';
	text_lower(target->name);
	*at += len;
	target->is_literal = host_is_address(target->name);
	return !is_bracketed || (target->is_literal && take_prefix(at, "]"));
}

/* ":443", or nothing, which leaves the default. */
static bool take_port(const char **at, struct http_target *target)
{
	if (!take_prefix(at, ":"))
		return true;
	int port = 0, digits = 0;
	for (; **at >= '0' && **at <= '9' && digits < 5; (*at)++, digits++)
		port = port * 10 + (**at - '0');
	target->port = port;
	return port >= 1 && port <= USHRT_MAX;
}

int http_target_parse(const char *url, struct http_target *ret_target, struct err *err)
{
	struct http_target target = {.port = 443, .is_tls = true};
	const char *at = url;
	if (!take_prefix(&at, "https://")) {
		if (!take_prefix(&at, "http://"))
			return err_set(err, ERR_CONFIG, "not an http or https URL: %s", url);
		target.port = 80;
		target.is_tls = false;
	}
	if (!take_host(&at, &target) || !take_port(&at, &target) ||
		(*at != '\0' && strchr("/?#", *at) == NULL))
		return err_set(err, ERR_CONFIG, "not a host and port in the URL: %s", url);
	*ret_target = target;
	return 0;
}

int http_proxy_parse(const char *proxy, struct http_target *ret_proxy, struct err *err)
{
	struct http_target target = {.port = 1080};
	const char *at = proxy;
	if (take_prefix(&at, "https://")) {
		target.port = 443;
		target.is_tls = true;
	} else if (take_prefix(&at, "socks4://") || take_prefix(&at, "socks5://")) {
		return err_set(err, ERR_CONFIG,
			"socks4:// and socks5:// proxies are not supported: write socks4a:// or "
			"socks5h://, with which the proxy resolves names");
	} else if (!take_prefix(&at, "http://") && !take_prefix(&at, "socks4a://") &&
		   !take_prefix(&at, "socks5h://") && strstr(at, "://") != NULL) {
		return err_set(err, ERR_CONFIG,
			"unknown kind of proxy: http, https, socks4a and socks5h are known");
	}
	const char *user_end = strrchr(at, '@');
	if (user_end != NULL)
		at = user_end + 1;
	const char *host = at;
	if (!take_host(&at, &target) || !take_port(&at, &target) ||
		(*at != '\0' && strcmp(at, "/") != 0))
		return err_set(err, ERR_CONFIG, "not a proxy's host and port: %s", host);
	*ret_proxy = target;
	return 0;
}

/* Whether the first bits of two addresses are equal. */
static bool is_in_network(const unsigned char *address, const unsigned char *network, size_t bits)
{
	size_t bytes = bits / 8;
	unsigned mask = 0xff00U >> (bits % 8) & 0xffU;
	return memcmp(address, network, bytes) == 0 &&
	       (mask == 0 || ((address[bytes] ^ network[bytes]) & mask) == 0);
}

/* item: an address, or "address/bits". */
static bool address_matches(const char *item, size_t len, const char *address)
{
	char text[INET6_ADDRSTRLEN + sizeof("[]/128")];
	if (len >= sizeof(text))
		return false;
	memcpy(text, item, len);
	text[len] = '\0';
	char *start = text, *slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	size_t start_len = strlen(start);
	if (start[0] == '[' && start_len > 1 && start[start_len - 1] == ']') {
		start[start_len - 1] = '\0';
		start++;
	}
	unsigned char ours[16], theirs[16];
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	int64_t bits = family == AF_INET6 ? 128 : 32;
	struct err ignored = ERR_INIT;
	if (slash != NULL && text_parse_int(slash + 1, 0, bits, &bits, &ignored) != 0)
		return false;
	return inet_pton(family, address, ours) == 1 && inet_pton(family, start, theirs) == 1 &&
	       is_in_network(ours, theirs, (size_t)bits);
}

/* "example.com" and ".example.com" match themselves and every name below. */
static bool name_matches(const char *item, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	if (len > 0 && item[len - 1] == '.')
		len--;
	if (name_len > 0 && name[name_len - 1] == '.')
		name_len--;
	if (len > 0 && item[0] == '.') {
		item++;
		len--;
	}
	if (len == 0 || len > name_len)
		return false;
	return strncasecmp(name + (name_len - len), item, len) == 0 &&
	       (len == name_len || name[name_len - len - 1] == '.');
}

bool http_no_proxy_matches(const char *no_proxy, const struct http_target *target)
{
	static const char separators[] = ", \t";
	if (no_proxy == NULL)
		return false;
	for (const char *at = no_proxy + strspn(no_proxy, separators); *at != '\0';) {
		size_t len = strcspn(at, separators);
		if (len == 1 && *at == '*')
			return true;
		if (target->is_literal ? address_matches(at, len, target->name)
				       : name_matches(at, len, target->name))
			return true;
		at += len;
		at += strspn(at, separators);
	}
	return false;
}
