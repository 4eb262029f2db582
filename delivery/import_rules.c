/*
 * One function a rule; each appends one result with the values that it compared. What AWS's
 * documents do not say is not guessed: it is unconfirmed.
 */
#include "delivery/import_rules.h"

#include <assert.h>
#include <string.h>

#include "base/host.h"
#include "base/text.h"
#include "delivery/cert_view.h"

static struct rule_result *next(
	struct rule_results *results, const char *name, enum rule_verdict verdict)
{
	assert(results->count < RULES_MAX);
	struct rule_result *result = &results->item[results->count++];
	result->name = name;
	result->verdict = verdict;
	return result;
}

#define ADD(results, name, verdict, ...)                                                           \
	tell(next(results, name, verdict)->text, RULE_TEXT_MAX, __VA_ARGS__)

static enum rule_verdict passed_if(bool condition)
{
	return condition ? RULE_PASSED : RULE_BROKEN;
}

static const char *or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

/* --- any import ------------------------------------------------------------------------------- */

enum key_kind { KIND_RSA, KIND_EC, KIND_OTHER };

static enum key_kind kind_of_key(const struct x509_facts *facts)
{
	if (text_has_prefix(facts->key_algorithm, "RSA_"))
		return KIND_RSA;
	return text_has_prefix(facts->key_algorithm, "EC_") ? KIND_EC : KIND_OTHER;
}

/* The CA's key is seen at the signature that it made. */
static enum key_kind kind_of_signer(const struct x509_facts *facts)
{
	const char *name = facts->signature_algorithm;
	if (text_has_suffix(name, "WITHRSA") || strcmp(name, "rsassaPss") == 0)
		return KIND_RSA;
	return text_has_suffix(name, "WITHECDSA") ? KIND_EC : KIND_OTHER;
}

bool import_rules_take_key(const char *key_algorithm)
{
	static const char *const taken[] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
		"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
	size_t i = 0;
	while (i < sizeof(taken) / sizeof(taken[0]) && strcmp(key_algorithm, taken[i]) != 0)
		i++;
	return i < sizeof(taken) / sizeof(taken[0]);
}

static void rule_version(const struct x509_facts *leaf, struct rule_results *results)
{
	enum { VERSION = 3 };
	if (leaf->version == VERSION)
		ADD(results, "version", RULE_PASSED, "it is an X.509 certificate of version %d",
			VERSION);
	else
		ADD(results, "version", RULE_BROKEN,
			"it is an X.509 certificate of version %u, and ACM takes only version %d",
			leaf->version, VERSION);
}

static void rule_key_type(const struct x509_facts *leaf, struct rule_results *results)
{
	if (import_rules_take_key(leaf->key_algorithm))
		ADD(results, "key_type", RULE_PASSED, "ACM takes keys of type %s",
			leaf->key_algorithm);
	else
		ADD(results, "key_type", RULE_BROKEN,
			"the key is of type %s, and ACM takes only RSA of 1024, 2048, 3072 or 4096 "
			"bits and EC prime256v1, secp384r1 or secp521r1",
			leaf->key_algorithm);
}

static void rule_signature(const struct x509_facts *leaf, struct rule_results *results)
{
	static const char *const sure[] = {"SHA256WITHRSA", "SHA384WITHRSA", "SHA512WITHRSA",
		"SHA256WITHECDSA", "SHA384WITHECDSA", "SHA512WITHECDSA"};
	bool is_sure = false;
	for (size_t i = 0; i < sizeof(sure) / sizeof(sure[0]); i++)
		is_sure = is_sure || strcmp(leaf->signature_algorithm, sure[i]) == 0;
	if (is_sure)
		ADD(results, "signature_algorithm", RULE_PASSED, "ACM takes signatures by %s",
			leaf->signature_algorithm);
	else
		ADD(results, "signature_algorithm", RULE_UNCONFIRMED,
			"it is signed with %s, and it is not confirmed that ACM takes others than "
			"SHA-256, SHA-384 or SHA-512 with RSA or ECDSA",
			leaf->signature_algorithm);
}

static void rule_issuer_key(const struct x509_facts *leaf, struct rule_results *results)
{
	enum key_kind key = kind_of_key(leaf), signer = kind_of_signer(leaf);
	static const char name[] = "issuer_key_type";
	if (key == KIND_OTHER || signer == KIND_OTHER)
		ADD(results, name, RULE_UNCONFIRMED,
			"whether the CA's key, which signed with %s, is of the kind of the "
			"certificate's key (%s), as ACM wants, is not known",
			leaf->signature_algorithm, leaf->key_algorithm);
	else if (key == signer)
		ADD(results, name, RULE_PASSED,
			"the CA's key, which signed with %s, is of the kind of the certificate's "
			"key (%s)",
			leaf->signature_algorithm, leaf->key_algorithm);
	else
		ADD(results, name, RULE_BROKEN,
			"the CA signed with %s, but the certificate's key is %s: ACM wants RSA "
			"signed by RSA and EC signed by EC",
			leaf->signature_algorithm, leaf->key_algorithm);
}

static void rule_issuer_named(const struct x509_facts *leaf, struct rule_results *results)
{
	bool is_named = leaf->issuer[0] != '\0';
	ADD(results, "issuer_named", passed_if(is_named),
		is_named ? "the issuer is %.400s" : "the issuer is empty%s", leaf->issuer);
}

static bool is_valid(const struct x509_facts *facts, int64_t now_s)
{
	return facts->not_before_s <= now_s && now_s < facts->not_after_s;
}

static void rule_valid_now(
	const struct x509_facts *leaf, int64_t now_s, struct rule_results *results)
{
	char from[TEXT_TIME_MAX], until[TEXT_TIME_MAX], now[TEXT_TIME_MAX];
	bool is_good = is_valid(leaf, now_s);
	ADD(results, "valid_now", passed_if(is_good), "it is valid from %s until %s, %s %s",
		text_format_time(leaf->not_before_s, from),
		text_format_time(leaf->not_after_s, until),
		is_good ? "and now it is" : "but now it is", text_format_time(now_s, now));
}

static void rule_has_name(const struct x509_facts *leaf, struct rule_results *results)
{
	struct cert_names names;
	const char *odd = NULL, *good = NULL;
	static const char name[] = "has_name";
	cert_names_init(&names, leaf);
	for (size_t i = 0; i < names.count && good == NULL; i++) {
		if (name_is_host(names.item[i]) || host_is_address(names.item[i]))
			good = names.item[i];
		else if (strchr(names.item[i], '.') != NULL)
			odd = names.item[i];
	}
	if (good != NULL)
		ADD(results, name, RULE_PASSED, "it names %s", good);
	else if (odd != NULL)
		ADD(results, name, RULE_UNCONFIRMED,
			"it names %s: whether ACM takes that as a domain name is not known", odd);
	else
		ADD(results, name, RULE_BROKEN,
			"it names no fully qualified domain name and no IP address (common name: "
			"%s, alternative names: %s)",
			or_none(leaf->common_name),
			leaf->san_count > 0 ? leaf->san[0].text : "none");
	cert_names_clear(&names);
}

static void rule_ocsp_url(const struct x509_facts *leaf, struct rule_results *results)
{
	enum { URL_MAX = 1000 };
	static const char name[] = "ocsp_url";
	if (leaf->ocsp_url_len == 0)
		ADD(results, name, RULE_PASSED, "it names no OCSP URL");
	else if (leaf->ocsp_url_len <= URL_MAX)
		ADD(results, name, RULE_PASSED,
			"its OCSP URL has %zu characters, and ACM takes up to %d",
			leaf->ocsp_url_len, URL_MAX);
	else
		ADD(results, name, RULE_BROKEN,
			"its OCSP URL has %zu characters, and ACM takes at most %d",
			leaf->ocsp_url_len, URL_MAX);
}

static void rule_chain_given(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, struct rule_results *results)
{
	const struct x509_facts *top = chain_count > 0 ? chain[chain_count - 1] : leaf;
	static const char name[] = "chain_given";
	if (chain_count > 0 && top->is_self_issued)
		ADD(results, name, RULE_PASSED, "the chain leads to the root %.400s", top->subject);
	else if (chain_count > 0)
		ADD(results, name, RULE_PASSED,
			"the chain leads to %.400s, which is left out of it", top->issuer);
	else if (top->is_self_issued)
		ADD(results, name, RULE_PASSED, "it is signed by itself and needs no chain");
	else
		ADD(results, name, RULE_BROKEN,
			"there is no chain, and without one ACM takes only what is signed by "
			"itself, not what %.400s issued",
			or_none(leaf->issuer));
}

static void rule_chain_order(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, struct rule_results *results)
{
	const struct x509_facts *below = leaf, *stranger = NULL;
	static const char name[] = "chain_order";
	for (size_t i = 0; i < chain_count; below = chain[i++]) {
		const struct x509_facts *above = chain[i];
		bool is_twice = memcmp(above->fingerprint_sha256, below->fingerprint_sha256,
					X509_SHA256_LEN) == 0;
		if (is_twice || strcmp(above->subject, below->issuer) != 0) {
			ADD(results, name, RULE_BROKEN,
				is_twice
					? "the chain repeats %.200s"
					: "in the chain %.200s follows %.200s, which %.200s issued",
				above->subject, or_none(below->subject), or_none(below->issuer));
			return;
		}
		if (!above->is_ca && stranger == NULL)
			stranger = above;
	}
	if (stranger != NULL)
		ADD(results, name, RULE_UNCONFIRMED,
			"%.300s of the chain does not say that it is a CA: ACM may refuse the "
			"chain",
			stranger->subject);
	else
		ADD(results, name, RULE_PASSED,
			"each certificate of the chain (%zu) certifies the one before",
			chain_count);
}

static void rule_chain_valid(const struct x509_facts *const *chain, size_t chain_count,
	int64_t now_s, struct rule_results *results)
{
	char from[TEXT_TIME_MAX], until[TEXT_TIME_MAX];
	for (size_t i = 0; i < chain_count; i++) {
		if (is_valid(chain[i], now_s))
			continue;
		ADD(results, "chain_valid_now", RULE_UNCONFIRMED,
			"%.300s of the chain is valid from %s until %s, not now: ACM may refuse "
			"the chain",
			chain[i]->subject, text_format_time(chain[i]->not_before_s, from),
			text_format_time(chain[i]->not_after_s, until));
		return;
	}
	ADD(results, "chain_valid_now", RULE_PASSED,
		"each certificate of the chain (%zu) is valid now", chain_count);
}

void import_rules_new(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, int64_t now_s, struct rule_results *results)
{
	rule_version(leaf, results);
	rule_key_type(leaf, results);
	rule_signature(leaf, results);
	rule_issuer_key(leaf, results);
	rule_issuer_named(leaf, results);
	rule_valid_now(leaf, now_s, results);
	rule_has_name(leaf, results);
	rule_ocsp_url(leaf, results);
	rule_chain_given(leaf, chain, chain_count, results);
	if (chain_count == 0)
		return;
	rule_chain_order(leaf, chain, chain_count, results);
	rule_chain_valid(chain, chain_count, now_s, results);
}

/* --- a reimport ------------------------------------------------------------------------------- */

static void rule_imported(const struct rule_old *old, struct rule_results *results)
{
	bool is_imported = strcmp(old->type, "IMPORTED") == 0;
	ADD(results, "imported", passed_if(is_imported),
		is_imported ? "what the ARN holds was imported (%s)"
			    : "what the ARN holds is of type %s, not IMPORTED: ACM replaces by an "
			      "import only what was imported",
		or_none(old->type));
}

static void rule_status(const struct rule_old *old, struct rule_results *results)
{
	bool is_usual = strcmp(old->status, "ISSUED") == 0 || strcmp(old->status, "EXPIRED") == 0;
	ADD(results, "status", is_usual ? RULE_PASSED : RULE_UNCONFIRMED,
		is_usual ? "its status is %s"
			 : "its status is %s: whether ACM replaces that is not known",
		or_none(old->status));
}

static void rule_same_key_type(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	bool is_same = strcmp(old->key_algorithm, leaf->key_algorithm) == 0;
	ADD(results, "same_key_type", passed_if(is_same),
		is_same ? "key type and size stay %s"
			: "key type and size must stay: %s would become %s",
		old->key_algorithm, leaf->key_algorithm);
}

static const char *first_shared(const struct cert_names *old, const struct cert_names *fresh)
{
	for (size_t i = 0; i < old->count; i++)
		if (cert_names_have(fresh, old->item[i]))
			return old->item[i];
	return NULL;
}

/* A name in both lists of alternative names is sure to count; whether a common name does when it is
 * not among its own certificate's alternative names, nobody says. */
static void rule_names_overlap(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	struct cert_names sure[2], all[2];
	char before[TOLD_LIST_MAX];
	static const char name[] = "names_overlap";
	cert_names_init_alternative(&sure[0], old);
	cert_names_init_alternative(&sure[1], leaf);
	cert_names_init(&all[0], old);
	cert_names_init(&all[1], leaf);
	const char *shared = first_shared(&sure[0], &sure[1]);
	const char *perhaps = first_shared(&all[0], &all[1]);
	tell_list(before, all[0].item, all[0].count);
	if (all[0].count == 0)
		ADD(results, name, RULE_UNCONFIRMED,
			"there is no name that could stay: what ACM compares then is not known");
	else if (shared != NULL)
		ADD(results, name, RULE_PASSED, "%s stays, and ACM wants one name at least to stay",
			shared);
	else if (perhaps != NULL)
		ADD(results, name, RULE_UNCONFIRMED,
			"only %s stays, which is a common name and not among the alternative names "
			"of both: whether ACM counts it is not known",
			perhaps);
	else
		ADD(results, name, RULE_BROKEN,
			"none of the names stays (%s), and ACM wants one at least to stay", before);
	for (size_t i = 0; i < 2; i++) {
		cert_names_clear(&sure[i]);
		cert_names_clear(&all[i]);
	}
}

static bool is_ec_pair(const struct x509_facts *old, const struct x509_facts *leaf)
{
	return kind_of_key(old) == KIND_EC && kind_of_key(leaf) == KIND_EC;
}

static void tell_key_usages(char ret[TOLD_LIST_MAX], unsigned key_usage)
{
	const char *name[KEY_USAGES_MAX];
	tell_list(ret, name, key_usage_names(key_usage, name));
}

static void rule_key_usage_kept(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	unsigned gone = old->key_usage & ~leaf->key_usage;
	unsigned may_go = is_ec_pair(old, leaf) ? X509_KU_KEY_ENCIPHERMENT : 0;
	char lost[TOLD_LIST_MAX], before[TOLD_LIST_MAX];
	static const char name[] = "key_usage_kept";
	tell_key_usages(lost, gone & ~may_go);
	tell_key_usages(before, old->key_usage);
	if ((gone & ~may_go) != 0)
		ADD(results, name, RULE_BROKEN, "key usages may not go: %s would", lost);
	else if (gone != 0 && leaf->key_usage == 0)
		ADD(results, name, RULE_UNCONFIRMED,
			"KEY_ENCIPHERMENT goes, which ACM allows with EC keys, but whether also "
			"when it was the only key usage is not known");
	else if (gone != 0)
		ADD(results, name, RULE_PASSED,
			"key usages stay, but KEY_ENCIPHERMENT, which may go with EC keys (before: "
			"%s)",
			before);
	else
		ADD(results, name, RULE_PASSED, "every key usage stays (before: %s)", before);
}

/* An extension without a value is not one that RFC 5280 allows, but it exists. */
static enum rule_verdict judge_addition(
	bool old_has, bool old_has_value, bool new_has, bool new_has_value)
{
	if (!new_has || (old_has && old_has_value))
		return RULE_PASSED;
	if (!old_has && new_has_value)
		return RULE_BROKEN;
	return !old_has || new_has_value ? RULE_UNCONFIRMED : RULE_PASSED;
}

static void add_addition(const char *name, const char *what, enum rule_verdict verdict,
	const char *before, const char *after, struct rule_results *results)
{
	struct rule_result *result = next(results, name, verdict);
	switch (verdict) {
	case RULE_PASSED:
		tell(result->text, RULE_TEXT_MAX,
			"no %s is added where there was none (before: %s; after: %s)", what, before,
			after);
		break;
	case RULE_BROKEN:
		tell(result->text, RULE_TEXT_MAX,
			"where there is no %s ACM allows none to be added: %s would be", what,
			after);
		break;
	case RULE_UNCONFIRMED:
		tell(result->text, RULE_TEXT_MAX,
			"the %s of one of them is there but empty (before: %s; after: %s): what "
			"ACM makes of that is not known",
			what, before, after);
		break;
	}
}

static void rule_key_usage_not_added(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	char before[TOLD_LIST_MAX], after[TOLD_LIST_MAX];
	tell_key_usages(before, old->key_usage);
	tell_key_usages(after, leaf->key_usage);
	add_addition("key_usage_not_added", "key usage",
		judge_addition(old->has_key_usage, old->key_usage != 0, leaf->has_key_usage,
			leaf->key_usage != 0),
		before, after, results);
}

/* Texts are borrowed from the facts; those that fresh lacks, or all without fresh. */
static size_t list_ext_key_usages(const struct x509_facts *facts, const struct x509_facts *fresh,
	const char *ret[X509_EKUS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		if (fresh == NULL || !has_ext_key_usage(fresh, facts->ext_key_usage[i]))
			ret[count++] = facts->ext_key_usage[i];
	return count;
}

static void tell_ext_key_usages(char ret[TOLD_LIST_MAX], const struct x509_facts *facts)
{
	const char *item[X509_EKUS_MAX];
	tell_list(ret, item, list_ext_key_usages(facts, NULL, item));
}

static void rule_ext_key_usage_kept(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	static const char client[] = "TLS_WEB_CLIENT_AUTHENTICATION";
	static const char name[] = "ext_key_usage_kept";
	const char *gone[X509_EKUS_MAX];
	char lost[TOLD_LIST_MAX], before[TOLD_LIST_MAX];
	size_t gone_count = list_ext_key_usages(old, leaf, gone), lost_count = 0;
	for (size_t i = 0; i < gone_count; i++)
		if (strcmp(gone[i], client) != 0)
			gone[lost_count++] = gone[i];
	tell_list(lost, gone, lost_count);
	tell_ext_key_usages(before, old);
	if (lost_count > 0)
		ADD(results, name, RULE_BROKEN, "extended key usages may not go: %s would", lost);
	else if (gone_count > 0 && leaf->ext_key_usage_count == 0)
		ADD(results, name, RULE_UNCONFIRMED,
			"%s goes, which ACM allows, but whether also when it was the only extended "
			"key usage is not known",
			client);
	else if (gone_count > 0)
		ADD(results, name, RULE_PASSED,
			"extended key usages stay, but %s, which may go (before: %s)", client,
			before);
	else
		ADD(results, name, RULE_PASSED, "every extended key usage stays (before: %s)",
			before);
}

static void rule_ext_key_usage_not_added(
	const struct x509_facts *old, const struct x509_facts *leaf, struct rule_results *results)
{
	char before[TOLD_LIST_MAX], after[TOLD_LIST_MAX];
	tell_ext_key_usages(before, old);
	tell_ext_key_usages(after, leaf);
	add_addition("ext_key_usage_not_added", "extended key usage",
		judge_addition(old->has_ext_key_usage, old->ext_key_usage_count > 0,
			leaf->has_ext_key_usage, leaf->ext_key_usage_count > 0),
		before, after, results);
}

void import_rules_replace(
	const struct rule_old *old, const struct x509_facts *leaf, struct rule_results *results)
{
	rule_imported(old, results);
	rule_status(old, results);
	if (old->facts == NULL) {
		ADD(results, "current_known", RULE_UNCONFIRMED,
			"ACM gives no certificate that could be read (status %s), so key, names "
			"and usages of the two cannot be compared",
			or_none(old->status));
		return;
	}
	rule_same_key_type(old->facts, leaf, results);
	rule_names_overlap(old->facts, leaf, results);
	rule_key_usage_kept(old->facts, leaf, results);
	rule_key_usage_not_added(old->facts, leaf, results);
	rule_ext_key_usage_kept(old->facts, leaf, results);
	rule_ext_key_usage_not_added(old->facts, leaf, results);
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

bool rule_results_tell_broken(
	const struct rule_results *results, size_t from, char *ret, size_t size)
{
	static const char another[] = " (and another rule is broken)";
	const struct rule_result *first = NULL;
	bool is_more = false;
	for (size_t i = from; i < results->count; i++) {
		if (results->item[i].verdict != RULE_BROKEN)
			continue;
		is_more = first != NULL;
		if (is_more)
			break;
		first = &results->item[i];
	}
	if (first == NULL)
		return false;
	text_shorten(ret, size - sizeof(another), first->text);
	if (is_more)
		text_copy(ret + strlen(ret), size - strlen(ret), another);
	return true;
}
