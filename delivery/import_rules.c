/*
 * One function a rule; each appends one result with the values that it compared. Names compare
 * without regard to case, as DNS does; an IP address is a name too.
 */
#include "delivery/import_rules.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { LIST_MAX = 320 };

static void add(struct rule_results *results, const char *name, enum rule_verdict verdict,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add(struct rule_results *results, const char *name, enum rule_verdict verdict,
	const char *format, ...)
{
	va_list args;
	assert(results->count < RULES_MAX);
	struct rule_result *result = &results->item[results->count++];
	result->name = name;
	result->verdict = verdict;
	va_start(args, format);
	(void)vsnprintf(result->text, sizeof(result->text), format, args); /* cut */
	va_end(args);
}

static enum rule_verdict passed_if(bool condition)
{
	return condition ? RULE_PASSED : RULE_BROKEN;
}

static void append(char list[LIST_MAX], const char *name)
{
	size_t len = strlen(list);
	(void)snprintf(list + len, LIST_MAX - len, "%s%s", len > 0 ? ", " : "", name); /* cut */
}

static bool is_ec(const struct x509_facts *facts)
{
	return text_has_prefix(facts->key_algorithm, "EC_");
}

/* --- any import ------------------------------------------------------------------------------- */

static void rule_key_type(const struct x509_facts *leaf, struct rule_results *results)
{
	static const char *const taken[] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
		"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
	bool is_taken = false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		is_taken |= strcmp(leaf->key_algorithm, taken[i]) == 0;
	add(results, "key_type", passed_if(is_taken), "%s key: ACM %s it", leaf->key_algorithm,
		is_taken ? "takes" : "does not take");
}

/* RSA with RSA, EC with EC: seen at the signature, which the CA's key made. */
static void rule_issuer_key(const struct x509_facts *leaf, struct rule_results *results)
{
	bool is_ecdsa = text_has_suffix(leaf->signature_algorithm, "ECDSA");
	bool is_rsa = text_has_suffix(leaf->signature_algorithm, "RSA");
	bool is_same = is_ec(leaf) ? is_ecdsa : is_rsa;
	add(results, "issuer_key_type", passed_if(is_same),
		"%s key, signed with %s: the CA's key must be of the same kind",
		leaf->key_algorithm, leaf->signature_algorithm);
}

static void rule_issuer_named(const struct x509_facts *leaf, struct rule_results *results)
{
	bool is_named = leaf->issuer[0] != '\0';
	add(results, "issuer_named", passed_if(is_named), "the issuer is %.300s",
		is_named ? leaf->issuer : "empty");
}

static void rule_chain(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, struct rule_results *results)
{
	if (chain_count == 0 && leaf->is_self_issued) {
		add(results, "chain", RULE_PASSED, "self-signed: it needs no chain");
		return;
	}
	if (chain_count == 0) {
		add(results, "chain", RULE_BROKEN,
			"a certificate of a CA needs its chain, and there is none");
		return;
	}
	for (size_t i = 0; i < chain_count; i++) {
		if (chain[i]->is_ca)
			continue;
		add(results, "chain", RULE_BROKEN, "%.200s of the chain is not a CA",
			chain[i]->subject);
		return;
	}
	bool has_root = chain[chain_count - 1]->is_self_issued;
	add(results, "chain", RULE_PASSED, "%zu certificate%s in order, %s", chain_count,
		chain_count == 1 ? "" : "s", has_root ? "up to the root" : "without the root");
}

static void rule_names(const struct x509_facts *leaf, struct rule_results *results)
{
	size_t count = leaf->common_name[0] != '\0' ? 1 : 0;
	for (size_t i = 0; i < leaf->san_count; i++)
		count += leaf->san[i].kind == X509_SAN_DNS || leaf->san[i].kind == X509_SAN_IP;
	add(results, "has_name", passed_if(count > 0), "it names %s",
		count > 0 ? "a domain or an IP address" : "neither a domain nor an IP address");
}

void import_rules_new(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, struct rule_results *results)
{
	rule_key_type(leaf, results);
	rule_issuer_key(leaf, results);
	rule_issuer_named(leaf, results);
	rule_chain(leaf, chain, chain_count, results);
	rule_names(leaf, results);
}

/* --- a reimport ------------------------------------------------------------------------------- */

static void rule_type(const struct rule_old *old, struct rule_results *results)
{
	bool is_imported = strcmp(old->type, "IMPORTED") == 0;
	add(results, "imported", passed_if(is_imported),
		is_imported ? "what is there was imported (%s)"
			    : "what is there is %s: ACM replaces only what was imported",
		old->type);
}

static void rule_same_key(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	add(results, "same_key_type",
		passed_if(strcmp(old->key_algorithm, leaf->key_algorithm) == 0),
		"key type and size stay: %s before, %s now", old->key_algorithm,
		leaf->key_algorithm);
}

static bool names(const struct x509_facts *facts, const char *name)
{
	if (text_equal_ci(facts->common_name, name))
		return true;
	for (size_t i = 0; i < facts->san_count; i++) {
		enum x509_san_kind kind = facts->san[i].kind;
		if ((kind == X509_SAN_DNS || kind == X509_SAN_IP) &&
			text_equal_ci(facts->san[i].text, name))
			return true;
	}
	return false;
}

/* The first name of old that leaf has too; NULL: none. ret_count: how many names old has. */
static const char *shared_name(
	const struct x509_facts *old, const struct x509_facts *leaf, size_t *ret_count)
{
	const char *shared = NULL;
	*ret_count = old->common_name[0] != '\0' ? 1 : 0;
	if (*ret_count > 0 && names(leaf, old->common_name))
		shared = old->common_name;
	for (size_t i = 0; i < old->san_count; i++) {
		if (old->san[i].kind != X509_SAN_DNS && old->san[i].kind != X509_SAN_IP)
			continue;
		++*ret_count;
		if (shared == NULL && names(leaf, old->san[i].text))
			shared = old->san[i].text;
	}
	return shared;
}

static void rule_name_kept(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	size_t count = 0;
	const char *shared = shared_name(old, leaf, &count);
	if (count == 0)
		add(results, "names_overlap", RULE_PASSED, "there were no names to keep");
	else if (shared != NULL)
		add(results, "names_overlap", RULE_PASSED, "at least one name stays: %.253s",
			shared);
	else
		add(results, "names_overlap", RULE_BROKEN,
			"none of the old names stays: ACM lets not all of them go at once");
}

static void rule_key_usage(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	char lost[LIST_MAX] = "";
	unsigned may_go = is_ec(leaf) ? X509_KU_KEY_ENCIPHERMENT : 0;
	if (!old->has_key_usage) {
		add(results, "key_usage_kept", passed_if(!leaf->has_key_usage),
			leaf->has_key_usage ? "there was no key usage, and none can be added"
					    : "there was no key usage, and there is none");
		return;
	}
	unsigned gone = old->key_usage & ~leaf->key_usage & ~may_go;
	for (unsigned i = 0; x509_key_usage_name(i) != NULL; i++)
		if ((gone & 1U << i) != 0)
			append(lost, x509_key_usage_name(i));
	if (lost[0] != '\0')
		add(results, "key_usage_kept", RULE_BROKEN, "key usages may not go: %s", lost);
	else
		add(results, "key_usage_kept", RULE_PASSED, "every key usage stays%s",
			(old->key_usage & ~leaf->key_usage) != 0
				? " but KEY_ENCIPHERMENT, which may go with an EC key"
				: "");
}

static bool has_ext_key_usage(const struct x509_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		if (strcmp(facts->ext_key_usage[i], name) == 0)
			return true;
	return false;
}

static void rule_ext_key_usage(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	static const char client[] = "TLS_WEB_CLIENT_AUTHENTICATION";
	char lost[LIST_MAX] = "";
	bool has_client_gone = false;
	if (!old->has_ext_key_usage) {
		add(results, "ext_key_usage_kept", passed_if(!leaf->has_ext_key_usage),
			leaf->has_ext_key_usage
				? "there was no extended key usage, and none can be added"
				: "there was no extended key usage, and there is none");
		return;
	}
	for (size_t i = 0; i < old->ext_key_usage_count; i++) {
		if (has_ext_key_usage(leaf, old->ext_key_usage[i]))
			continue;
		if (strcmp(old->ext_key_usage[i], client) == 0)
			has_client_gone = true;
		else
			append(lost, old->ext_key_usage[i]);
	}
	if (lost[0] != '\0')
		add(results, "ext_key_usage_kept", RULE_BROKEN,
			"extended key usages may not go: %s", lost);
	else
		add(results, "ext_key_usage_kept", RULE_PASSED, "every extended key usage stays%s",
			has_client_gone ? " but TLS_WEB_CLIENT_AUTHENTICATION, which may go" : "");
}

void import_rules_replace(
	const struct rule_old *old, const struct x509_facts *leaf, struct rule_results *results)
{
	rule_type(old, results);
	if (old->facts == NULL) {
		add(results, "current_known", RULE_UNCONFIRMED,
			"what is there cannot be read (status %s), so the other conditions of a "
			"reimport are not known",
			old->status);
		return;
	}
	rule_same_key(old->facts, leaf, results);
	rule_name_kept(old->facts, leaf, results);
	rule_key_usage(old->facts, leaf, results);
	rule_ext_key_usage(old->facts, leaf, results);
}

enum rule_verdict rule_results_verdict(const struct rule_results *results)
{
	enum rule_verdict verdict = RULE_PASSED;
	for (size_t i = 0; i < results->count; i++) {
		if (results->item[i].verdict == RULE_BROKEN)
			return RULE_BROKEN;
		if (results->item[i].verdict == RULE_UNCONFIRMED)
			verdict = RULE_UNCONFIRMED;
	}
	return verdict;
}
