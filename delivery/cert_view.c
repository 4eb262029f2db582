#include "delivery/cert_view.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/mem.h"
#include "base/text.h"

enum { LABEL_MAX = 63, HOST_NAME_MAX_LEN = 253, SENTENCE_MAX = 8192 };

/* --- names ------------------------------------------------------------------------------------ */

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* The order of the names, whatever the locale. */
static int compare_names(const void *a, const void *b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	while (*left != '\0' && lower(*left) == lower(*right)) {
		left++;
		right++;
	}
	return lower(*left) - lower(*right);
}

static void sort_out(struct cert_names *names)
{
	size_t kept = 0;
	qsort(names->item, names->count, sizeof(names->item[0]), compare_names);
	for (size_t i = 0; i < names->count; i++)
		if (i == 0 || compare_names(&names->item[i], &names->item[kept - 1]) != 0)
			names->item[kept++] = names->item[i];
	names->count = kept;
}

static void collect(
	struct cert_names *names, const struct x509_facts *facts, bool takes_common_name)
{
	const char *common = facts->common_name;
	*names = (struct cert_names){
		.item = xcalloc(facts->san_count + 1, sizeof(names->item[0])), .count = 0};
	for (size_t i = 0; i < facts->san_count; i++)
		if (facts->san[i].kind == X509_SAN_DNS || facts->san[i].kind == X509_SAN_IP)
			names->item[names->count++] = facts->san[i].text;
	if ((takes_common_name || names->count == 0) &&
		(name_is_host(common) || host_is_address(common)))
		names->item[names->count++] = common;
	sort_out(names);
}

void cert_names_init(struct cert_names *names, const struct x509_facts *facts)
{
	collect(names, facts, true);
}

void cert_names_init_alternative(struct cert_names *names, const struct x509_facts *facts)
{
	collect(names, facts, false);
}

void cert_names_clear(struct cert_names *names)
{
	free(names->item);
	*names = (struct cert_names){.count = 0};
}

bool cert_names_have(const struct cert_names *names, const char *name)
{
	return names->count > 0 && bsearch(&name, names->item, names->count, sizeof(names->item[0]),
					   compare_names) != NULL;
}

bool cert_names_cover(const struct cert_names *names, const char *name)
{
	char wildcard[X509_SAN_TEXT_MAX + 2];
	const char *dot = strchr(name, '.');
	if (cert_names_have(names, name))
		return true;
	if (dot == NULL || host_is_address(name) || name[0] == '*')
		return false;
	(void)snprintf(wildcard, sizeof(wildcard), "*%s", dot);
	return cert_names_have(names, wildcard);
}

void cert_names_select(const struct cert_names *names, const struct cert_names *others,
	bool is_shared, struct cert_names *ret)
{
	*ret = (struct cert_names){.item = xcalloc(names->count + 1, sizeof(ret->item[0]))};
	for (size_t i = 0; i < names->count; i++)
		if (cert_names_have(others, names->item[i]) == is_shared)
			ret->item[ret->count++] = names->item[i];
}

static bool is_label(const char *at, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	return len >= 1 && len <= LABEL_MAX && strspn(at, allowed) >= len && at[0] != '-' &&
	       at[len - 1] != '-';
}

bool name_is_host(const char *name)
{
	size_t labels = 0;
	if (strlen(name) > HOST_NAME_MAX_LEN || host_is_address(name))
		return false;
	if (text_has_prefix(name, "*."))
		name += 2;
	for (;; name++) {
		size_t len = strcspn(name, ".");
		if (!is_label(name, len))
			return false;
		labels++;
		name += len;
		if (*name == '\0') /* no top-level domain is a number */
			return labels >= 2 && len >= 2 && !text_is_digits(name - len, len);
	}
}

/* source: RFC 1918, 1122, 3927, 4193, 4291. */
static bool is_private_address(const char *name)
{
	static const struct {
		const char *prefix;
		unsigned bits;
	} range[] = {{"10.0.0.0", 8}, {"172.16.0.0", 12}, {"192.168.0.0", 16}, {"127.0.0.0", 8},
		{"169.254.0.0", 16}, {"fc00::", 7}, {"fe80::", 10}, {"::1", 128}};
	for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		unsigned char prefix[16], address[16];
		int family = strchr(range[i].prefix, ':') != NULL ? AF_INET6 : AF_INET;
		unsigned whole = range[i].bits / 8, rest = range[i].bits % 8;
		if (inet_pton(family, name, address) != 1 ||
			inet_pton(family, range[i].prefix, prefix) != 1 ||
			memcmp(address, prefix, whole) != 0)
			continue;
		if (rest == 0 || (address[whole] ^ prefix[whole]) >> (8 - rest) == 0)
			return true;
	}
	return false;
}

/* source: RFC 6761, 6762, 7686, 8375, 9476; ICANN reserved .internal in 2024. */
bool name_is_private(const char *name)
{
	static const char *const ending[] = {"local", "internal", "test", "localhost", "invalid",
		"example", "alt", "onion", "home.arpa", "corp", "home", "lan", "intranet",
		"private"};
	size_t len = strlen(name);
	if (host_is_address(name))
		return is_private_address(name);
	if (strchr(name, '.') == NULL)
		return true;
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		size_t ending_len = strlen(ending[i]);
		if (len > ending_len && name[len - ending_len - 1] == '.' &&
			text_equal_ci(name + len - ending_len, ending[i]))
			return true;
	}
	return false;
}

/* --- usages ----------------------------------------------------------------------------------- */

size_t key_usage_names(unsigned key_usage, const char *ret[KEY_USAGES_MAX])
{
	size_t count = 0;
	for (unsigned bit = 0; x509_key_usage_name(bit) != NULL; bit++)
		if ((key_usage & 1u << bit) != 0)
			ret[count++] = x509_key_usage_name(bit);
	return count;
}

bool has_ext_key_usage(const struct x509_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		if (strcmp(facts->ext_key_usage[i], name) == 0)
			return true;
	return false;
}

/* --- sentences -------------------------------------------------------------------------------- */

void tell_list(char ret[TOLD_LIST_MAX], const char *const *item, size_t count)
{
	enum { MORE_LEN = sizeof(" and 4294967295 more"), SHORT_LEN = 4 };
	size_t len = 0, i = 0;
	ret[0] = '\0';
	if (count == 0)
		text_copy(ret, TOLD_LIST_MAX, "none");
	for (; i < count; i++) {
		size_t next = strlen(item[i]) + 2;
		if (i > 0 && len + next + SHORT_LEN + MORE_LEN >= TOLD_LIST_MAX)
			break;
		if (i > 0)
			text_copy(ret + len, TOLD_LIST_MAX - len, ", ");
		len = strlen(ret);
		text_shorten(ret + len, TOLD_LIST_MAX - len - MORE_LEN, item[i]);
		len = strlen(ret);
	}
	if (i < count)
		(void)snprintf(ret + len, TOLD_LIST_MAX - len, " and %zu more", count - i);
}

void tell(char *ret, size_t size, const char *format, ...)
{
	char sentence[SENTENCE_MAX]; /* longer than any that is made of bounded texts */
	va_list args;
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	text_shorten(ret, size, sentence);
}
