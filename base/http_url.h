/*
 * The decisions about where a request goes, pure: which name must be resolved, and whether a proxy
 * stands before it. They are ours rather than libcurl's because libcurl never resolves here.
 */
#ifndef BASE_HTTP_URL_H
#define BASE_HTTP_URL_H

#include <stdbool.h>

struct err;

enum { HTTP_NAME_MAX = 256 };

struct http_target {
	char name[HTTP_NAME_MAX]; /* lower case, an IPv6 address without its brackets */
	int port;
	bool is_tls;
	bool is_literal; /* an address: nothing to resolve */
};

/*
 * "https://host[:port][/path...]", also http and [IPv6]. Refused: user information, a name with
 * other characters than letters, digits, '-', '_' and '.'. ERR_CONFIG names the URL.
 */
int http_target_parse(const char *url, struct http_target *ret_target, struct err *err);

/*
 * "[scheme://][user:password@]host[:port][/]" with http (the default), https, socks4a or socks5h;
 * ports default as libcurl's do. socks4 and socks5 are refused, because with them we would have to
 * resolve what only the proxy may know. ERR_CONFIG; the text never shows a password.
 */
int http_proxy_parse(const char *proxy, struct http_target *ret_proxy, struct err *err);

/*
 * Whether no_proxy exempts a host: a list, separated by commas or blanks, of "*", names (which
 * stand for what is below them too, with or without a leading dot), addresses and networks
 * ("10.0.0.0/8", "fd00::/8"). NULL or "": nothing is exempt.
 * Source: libcurl's CURLOPT_NOPROXY.
 */
bool http_no_proxy_matches(const char *no_proxy, const struct http_target *target);

#endif
