#include "tests/lib/make_facts.h"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { ENTRIES_MAX = 64 };

static const char *text_or(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

static void add_names(struct x509_facts *facts, const char *at)
{
	const char *item;
	size_t len;
	facts->san = xcalloc(ENTRIES_MAX, sizeof(facts->san[0]));
	while (facts->san_count < ENTRIES_MAX && text_next_item(&at, &item, &len)) {
		unsigned char bytes[16];
		struct x509_san *san = &facts->san[facts->san_count++];
		san->text = xstrndup(item, len);
		san->kind = X509_SAN_DNS;
		if (strchr(san->text, '@') != NULL)
			san->kind = X509_SAN_EMAIL;
		if (inet_pton(AF_INET, san->text, bytes) == 1 ||
			inet_pton(AF_INET6, san->text, bytes) == 1)
			san->kind = X509_SAN_IP;
	}
}

static void add_ext_key_usages(struct x509_facts *facts, const char *at)
{
	const char *item;
	size_t len;
	facts->has_ext_key_usage = true;
	facts->ext_key_usage = xcalloc(X509_EKUS_MAX, sizeof(facts->ext_key_usage[0]));
	while (text_next_item(&at, &item, &len)) {
		char *to = facts->ext_key_usage[facts->ext_key_usage_count++];
		memcpy(to, item, len); /* zeroed behind */
	}
}

static void hash(unsigned char *ret, const char *what, const char *text)
{
	char *both = xasprintf("%s %s", what, text);
	SHA256((const unsigned char *)both, strlen(both), ret);
	free(both);
}

void make_facts(struct x509_facts *ret_facts, const struct facts_wish *wish)
{
	struct x509_facts facts = {.not_before_s = wish->not_before_s,
		.not_after_s = wish->not_after_s,
		.version = wish->version != 0 ? wish->version : 3,
		.ocsp_url_len = wish->ocsp_url_len,
		.is_ca = wish->is_ca,
		.is_self_issued = wish->is_self_issued,
		.has_key_usage = wish->key_usage != NO_KEY_USAGE,
		.key_usage = wish->key_usage & ~(unsigned)EMPTY_KEY_USAGE};
	text_copy(facts.serial, sizeof(facts.serial), text_or(wish->serial, "0a"));
	text_copy(facts.subject, sizeof(facts.subject), text_or(wish->subject, ""));
	text_copy(facts.issuer, sizeof(facts.issuer), text_or(wish->issuer, "CN=CA"));
	text_copy(facts.common_name, sizeof(facts.common_name), text_or(wish->common_name, ""));
	text_copy(facts.key_algorithm, sizeof(facts.key_algorithm),
		text_or(wish->key, "EC_prime256v1"));
	text_copy(facts.signature_algorithm, sizeof(facts.signature_algorithm),
		text_or(wish->signature, "SHA256WITHECDSA"));
	hash(facts.fingerprint_sha256, facts.subject, facts.serial);
	hash(facts.spki_sha256, "key", text_or(wish->public_key, facts.serial));
	if (wish->names != NULL)
		add_names(&facts, wish->names);
	if (wish->ext_key_usage != NULL)
		add_ext_key_usages(&facts, wish->ext_key_usage);
	*ret_facts = facts;
}
