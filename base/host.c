/* Hosts and ports (see host.h). */
#include "base/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63, ADDRESS_LEN = 16 };

bool host_is_address(const char *text)
{
	unsigned char address[ADDRESS_LEN];
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* An underscore is in no host's name by the book, and in some by use. */
static bool is_label(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isascii(at[i]) ||
			(!isalnum((unsigned char)at[i]) && at[i] != '-' && at[i] != '_'))
			return false;
	return len > 0 && len <= LABEL_MAX_LEN && at[0] != '-' && at[len - 1] != '-';
}

static bool is_name(const char *host)
{
	if (strlen(host) > NAME_MAX_LEN)
		return false;
	for (;; host++) {
		size_t len = strcspn(host, ".");
		if (!is_label(host, len))
			return false;
		host += len;
		if (*host == '\0' || strcmp(host, ".") == 0) /* the root may be named */
			return true;
	}
}

static int fail(const char *host, struct err *err)
{
	if (text_has_prefix(host, "*."))
		return err_set(err, ERR_CONFIG,
			"a wildcard is no host: expected one of the hosts that it covers");
	return err_set(err, ERR_CONFIG,
		"expected HOST or HOST:PORT, as in www.example.com:8443 or [2001:db8::1]:8443");
}

int host_parse(const char *text, int default_port, char *ret_host, size_t size, int *ret_port,
	struct err *err)
{
	char name[NAME_MAX_LEN + 2];
	int64_t port = default_port;
	struct err ignored = ERR_INIT;
	const char *host = text, *end = text + strlen(text), *colon = strrchr(text, ':');
	bool is_bracketed = text[0] == '[';
	if (strpbrk(text, "/@") != NULL) /* a URL: what follows a colon of it is no port */
		return fail(text, err);
	if (is_bracketed) {
		host = text + 1;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return fail(text, err);
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	} else if (colon != NULL) {
		end = colon;
	}
	size_t len = (size_t)(end - host);
	if (len >= sizeof(name) || len >= size)
		return fail(text, err);
	memcpy(name, host, len);
	name[len] = '\0';
	if (!host_is_address(name) && (is_bracketed || !is_name(name)))
		return fail(text, err);
	if (colon != NULL && text_parse_int(colon + 1, 1, UINT16_MAX, &port, &ignored) != 0)
		return err_set(err, ERR_CONFIG, "the port is not a whole number from 1 to 65535");
	memcpy(ret_host, name, len + 1);
	*ret_port = (int)port;
	return 0;
}
