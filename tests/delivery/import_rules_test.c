/* Each rule: passed, broken, unconfirmed; and what it says. */
#include "delivery/import_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/make_facts.h"

enum {
	NOW_S = 1795219200, /* 2026-11-21T00:00:00Z */
	DAY_S = 86400,
	SIGN = X509_KU_DIGITAL_SIGNATURE,
	CIPHER = X509_KU_KEY_ENCIPHERMENT,
	AGREE = X509_KU_KEY_AGREEMENT,
};

static const char server[] = "TLS_WEB_SERVER_AUTHENTICATION";
static const char both[] = "TLS_WEB_SERVER_AUTHENTICATION,TLS_WEB_CLIENT_AUTHENTICATION";
static const char client[] = "TLS_WEB_CLIENT_AUTHENTICATION";

static const struct rule_result *find(const struct rule_results *results, const char *name)
{
	for (size_t i = 0; i < results->count; i++)
		if (strcmp(results->item[i].name, name) == 0)
			return &results->item[i];
	return NULL;
}

/* The rule has that verdict and sentence, and every other one is passed. */
static void expect_only(const struct rule_results *results, const char *name,
	enum rule_verdict verdict, const char *text)
{
	const struct rule_result *rule = find(results, name);
	assert_non_null(rule);
	assert_string_equal(rule->text, text);
	assert_int_equal(rule->verdict, verdict);
	for (size_t i = 0; i < results->count; i++)
		if (&results->item[i] != rule && results->item[i].verdict != RULE_PASSED)
			fail_msg("%s: %s", results->item[i].name, results->item[i].text);
	assert_int_equal(rule_results_verdict(results), verdict);
}

/* --- any import ------------------------------------------------------------------------------- */

static const struct facts_wish plain = {.names = "www.example.com",
	.subject = "CN=www.example.com",
	.issuer = "CN=Issuing",
	.not_before_s = NOW_S - DAY_S,
	.not_after_s = NOW_S + 90 * DAY_S};
static const struct facts_wish issuing = {.subject = "CN=Issuing",
	.issuer = "CN=Root",
	.is_ca = true,
	.not_before_s = NOW_S - 900 * DAY_S,
	.not_after_s = NOW_S + 900 * DAY_S};
static const struct facts_wish root = {.subject = "CN=Root",
	.issuer = "CN=Root",
	.is_ca = true,
	.is_self_issued = true,
	.not_before_s = NOW_S - 900 * DAY_S,
	.not_after_s = NOW_S + 900 * DAY_S};

/* chain: NULL ends it. */
static void judge_import(const struct facts_wish *leaf_wish,
	const struct facts_wish *const *chain_wish, struct rule_results *results)
{
	struct x509_facts leaf, chain[4];
	const struct x509_facts *list[4];
	size_t count = 0;
	make_facts(&leaf, leaf_wish);
	for (; chain_wish[count] != NULL; count++) {
		make_facts(&chain[count], chain_wish[count]);
		list[count] = &chain[count];
	}
	results->count = 0;
	import_rules_new(&leaf, list, count, NOW_S, results);
	x509_facts_clear(&leaf);
	for (size_t i = 0; i < count; i++)
		x509_facts_clear(&chain[i]);
}

static void expect_leaf(const struct facts_wish *leaf, const char *name, enum rule_verdict verdict,
	const char *text)
{
	struct rule_results results;
	judge_import(leaf, (const struct facts_wish *const[]){&issuing, &root, NULL}, &results);
	assert_int_equal(results.count, 11);
	expect_only(&results, name, verdict, text);
}

static void expect_chain(const struct facts_wish *const *chain, const char *name,
	enum rule_verdict verdict, const char *text)
{
	struct rule_results results;
	judge_import(&plain, chain, &results);
	expect_only(&results, name, verdict, text);
}

static void key_types_are_those_of_acm(void **state)
{
	(void)state;
	static const char *const taken[] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
		"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
	struct facts_wish leaf = plain;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		char text[64];
		leaf.key = taken[i];
		leaf.signature = taken[i][0] == 'R' ? "SHA512WITHRSA" : "SHA384WITHECDSA";
		snprintf(text, sizeof(text), "ACM takes keys of type %s", taken[i]);
		expect_leaf(&leaf, "key_type", RULE_PASSED, text);
	}
	leaf.key = "RSA_8192";
	leaf.signature = "SHA256WITHRSA";
	expect_leaf(&leaf, "key_type", RULE_BROKEN,
		"the key is of type RSA_8192, and ACM takes only RSA of 1024, 2048, 3072 or 4096 "
		"bits and EC prime256v1, secp384r1 or secp521r1");
}

static void ed25519_is_no_key_of_acm(void **state)
{
	(void)state;
	struct rule_results results;
	struct facts_wish leaf = plain;
	leaf.key = "Ed25519";
	leaf.signature = "ED25519";
	judge_import(&leaf, (const struct facts_wish *const[]){&issuing, NULL}, &results);
	assert_int_equal(find(&results, "key_type")->verdict, RULE_BROKEN);
	assert_int_equal(find(&results, "issuer_key_type")->verdict, RULE_UNCONFIRMED);
	assert_string_equal(find(&results, "issuer_key_type")->text,
		"whether the CA's key, which signed with ED25519, is of the kind of the "
		"certificate's key (Ed25519), as ACM wants, is not known");
	assert_int_equal(rule_results_verdict(&results), RULE_BROKEN);
}

static void an_unknown_signature_leaves_two_rules_open(void **state)
{
	(void)state;
	struct rule_results results;
	struct facts_wish leaf = plain;
	leaf.signature = "ED25519";
	judge_import(&leaf, (const struct facts_wish *const[]){&issuing, NULL}, &results);
	assert_int_equal(find(&results, "signature_algorithm")->verdict, RULE_UNCONFIRMED);
	assert_int_equal(find(&results, "issuer_key_type")->verdict, RULE_UNCONFIRMED);
	assert_int_equal(rule_results_verdict(&results), RULE_UNCONFIRMED);
}

static void undocumented_signatures_are_unconfirmed(void **state)
{
	(void)state;
	struct facts_wish leaf = plain;
	leaf.signature = "SHA1WITHECDSA";
	expect_leaf(&leaf, "signature_algorithm", RULE_UNCONFIRMED,
		"it is signed with SHA1WITHECDSA, and it is not confirmed that ACM takes others "
		"than SHA-256, SHA-384 or SHA-512 with RSA or ECDSA");
	leaf.key = "RSA_2048";
	leaf.signature = "rsassaPss";
	expect_leaf(&leaf, "signature_algorithm", RULE_UNCONFIRMED,
		"it is signed with rsassaPss, and it is not confirmed that ACM takes others than "
		"SHA-256, SHA-384 or SHA-512 with RSA or ECDSA");
}

static void only_version_3_is_taken(void **state)
{
	(void)state;
	struct facts_wish leaf = plain;
	expect_leaf(&leaf, "version", RULE_PASSED, "it is an X.509 certificate of version 3");
	leaf.version = 1;
	expect_leaf(&leaf, "version", RULE_BROKEN,
		"it is an X.509 certificate of version 1, and ACM takes only version 3");
}

static void the_url_of_ocsp_has_a_limit(void **state)
{
	(void)state;
	struct facts_wish leaf = plain;
	expect_leaf(&leaf, "ocsp_url", RULE_PASSED, "it names no OCSP URL");
	leaf.ocsp_url_len = 1000;
	expect_leaf(&leaf, "ocsp_url", RULE_PASSED,
		"its OCSP URL has 1000 characters, and ACM takes up to 1000");
	leaf.ocsp_url_len = 1001;
	expect_leaf(&leaf, "ocsp_url", RULE_BROKEN,
		"its OCSP URL has 1001 characters, and ACM takes at most 1000");
}

static void issuer_is_of_the_kind_of_the_key(void **state)
{
	(void)state;
	struct facts_wish leaf = plain;
	leaf.signature = "SHA256WITHRSA";
	expect_leaf(&leaf, "issuer_key_type", RULE_BROKEN,
		"the CA signed with SHA256WITHRSA, but the certificate's key is EC_prime256v1: ACM "
		"wants RSA signed by RSA and EC signed by EC");
	leaf.key = "RSA_2048";
	expect_leaf(&leaf, "issuer_key_type", RULE_PASSED,
		"the CA's key, which signed with SHA256WITHRSA, is of the kind of the "
		"certificate's key (RSA_2048)");
	leaf.signature = "SHA256WITHECDSA";
	expect_leaf(&leaf, "issuer_key_type", RULE_BROKEN,
		"the CA signed with SHA256WITHECDSA, but the certificate's key is RSA_2048: ACM "
		"wants RSA signed by RSA and EC signed by EC");
}

static void issuer_has_a_name(void **state)
{
	(void)state;
	struct rule_results results;
	struct facts_wish leaf = plain;
	leaf.issuer = "";
	leaf.is_self_issued = true;
	judge_import(&leaf, (const struct facts_wish *const[]){NULL}, &results);
	assert_int_equal(results.count, 9);
	expect_only(&results, "issuer_named", RULE_BROKEN, "the issuer is empty");
	expect_leaf(&plain, "issuer_named", RULE_PASSED, "the issuer is CN=Issuing");
}

static void now_lies_in_its_validity(void **state)
{
	(void)state;
	struct facts_wish leaf = plain;
	expect_leaf(&leaf, "valid_now", RULE_PASSED,
		"it is valid from 2026-11-20T00:00:00Z until 2027-02-19T00:00:00Z, and now it is "
		"2026-11-21T00:00:00Z");
	leaf.not_before_s = NOW_S;
	leaf.not_after_s = NOW_S + 1;
	expect_leaf(&leaf, "valid_now", RULE_PASSED,
		"it is valid from 2026-11-21T00:00:00Z until 2026-11-21T00:00:01Z, and now it is "
		"2026-11-21T00:00:00Z");
	leaf.not_before_s = NOW_S + 1;
	leaf.not_after_s = NOW_S + 2;
	expect_leaf(&leaf, "valid_now", RULE_BROKEN,
		"it is valid from 2026-11-21T00:00:01Z until 2026-11-21T00:00:02Z, but now it is "
		"2026-11-21T00:00:00Z");
	leaf.not_before_s = NOW_S - 1;
	leaf.not_after_s = NOW_S;
	expect_leaf(&leaf, "valid_now", RULE_BROKEN,
		"it is valid from 2026-11-20T23:59:59Z until 2026-11-21T00:00:00Z, but now it is "
		"2026-11-21T00:00:00Z");
}

static void expect_name(
	const char *names, const char *common_name, enum rule_verdict verdict, const char *text)
{
	struct facts_wish leaf = plain;
	leaf.names = names;
	leaf.common_name = common_name;
	expect_leaf(&leaf, "has_name", verdict, text);
}

static void a_domain_or_an_address_is_named(void **state)
{
	(void)state;
	expect_name("www.example.com", NULL, RULE_PASSED, "it names www.example.com");
	expect_name("*.example.com", NULL, RULE_PASSED, "it names *.example.com");
	expect_name(NULL, "www.example.com", RULE_PASSED, "it names www.example.com");
	expect_name("2001:db8::1", NULL, RULE_PASSED, "it names 2001:db8::1");
	expect_name(NULL, "192.0.2.1", RULE_PASSED, "it names 192.0.2.1");
	expect_name("_a.example.com,intranet", NULL, RULE_UNCONFIRMED,
		"it names _a.example.com: whether ACM takes that as a domain name is not known");
	expect_name("intranet", "My Server", RULE_BROKEN,
		"it names no fully qualified domain name and no IP address (common name: My "
		"Server, alternative names: intranet)");
	expect_name("me@example.com", NULL, RULE_BROKEN,
		"it names no fully qualified domain name and no IP address (common name: none, "
		"alternative names: me@example.com)");
	expect_name(NULL, NULL, RULE_BROKEN,
		"it names no fully qualified domain name and no IP address (common name: none, "
		"alternative names: none)");
}

static void chain_leads_from_the_leaf_upwards(void **state)
{
	(void)state;
	const struct facts_wish *all[] = {&issuing, &root, NULL}, *short_one[] = {&issuing, NULL};
	const struct facts_wish *none[] = {NULL}, *gap[] = {&root, NULL};
	const struct facts_wish *turned[] = {&root, &issuing, NULL};
	const struct facts_wish *with_leaf[] = {&plain, &issuing, NULL};
	expect_chain(all, "chain_given", RULE_PASSED, "the chain leads to the root CN=Root");
	expect_chain(short_one, "chain_given", RULE_PASSED,
		"the chain leads to CN=Root, which is left out of it");
	expect_chain(none, "chain_given", RULE_BROKEN,
		"there is no chain, and without one ACM takes only what is signed by itself, not "
		"what CN=Issuing issued");
	expect_chain(all, "chain_order", RULE_PASSED,
		"each certificate of the chain (2) certifies the one before");
	expect_chain(gap, "chain_order", RULE_BROKEN,
		"in the chain CN=Root follows CN=www.example.com, which CN=Issuing issued");
	struct rule_results results;
	judge_import(&plain, turned, &results);
	assert_int_equal(find(&results, "chain_order")->verdict, RULE_BROKEN);
	expect_chain(with_leaf, "chain_order", RULE_BROKEN, "the chain repeats CN=www.example.com");
	struct facts_wish own = plain;
	own.is_self_issued = true;
	judge_import(&own, none, &results);
	expect_only(
		&results, "chain_given", RULE_PASSED, "it is signed by itself and needs no chain");
}

static void doubts_about_the_chain_are_unconfirmed(void **state)
{
	(void)state;
	struct facts_wish old = issuing, no_ca = issuing;
	old.not_after_s = NOW_S - DAY_S;
	no_ca.is_ca = false;
	expect_chain((const struct facts_wish *const[]){&old, &root, NULL}, "chain_valid_now",
		RULE_UNCONFIRMED,
		"CN=Issuing of the chain is valid from 2024-06-04T00:00:00Z until "
		"2026-11-20T00:00:00Z, not now: ACM may refuse the chain");
	expect_chain((const struct facts_wish *const[]){&no_ca, &root, NULL}, "chain_order",
		RULE_UNCONFIRMED,
		"CN=Issuing of the chain does not say that it is a CA: ACM may refuse the chain");
	struct facts_wish no_root = root;
	no_root.is_ca = false;
	expect_chain((const struct facts_wish *const[]){&no_ca, &no_root, NULL}, "chain_order",
		RULE_UNCONFIRMED, /* the first is named */
		"CN=Issuing of the chain does not say that it is a CA: ACM may refuse the chain");
	expect_chain((const struct facts_wish *const[]){&issuing, &root, NULL}, "chain_valid_now",
		RULE_PASSED, "each certificate of the chain (2) is valid now");
}

/* --- a reimport ------------------------------------------------------------------------------- */

static void judge_replace(const struct facts_wish *old_wish, const struct facts_wish *new_wish,
	struct rule_results *results)
{
	struct x509_facts old, new;
	make_facts(&old, old_wish);
	make_facts(&new, new_wish);
	results->count = 0;
	import_rules_replace(
		&(struct rule_old){.type = "IMPORTED", .status = "ISSUED", .facts = &old}, &new,
		results);
	assert_int_equal(results->count, 8);
	x509_facts_clear(&old);
	x509_facts_clear(&new);
}

static void expect_replace(struct facts_wish old, struct facts_wish new, const char *name,
	enum rule_verdict verdict, const char *text)
{
	struct rule_results results;
	if (old.names == NULL && old.common_name == NULL)
		old.names = new.names = "www.example.com";
	judge_replace(&old, &new, &results);
	expect_only(&results, name, verdict, text);
}

#define WISH(...) ((struct facts_wish){__VA_ARGS__})

static void only_imported_is_replaced(void **state)
{
	(void)state;
	static const struct {
		const char *type, *status, *rule, *text;
		enum rule_verdict verdict;
	} cases[] = {
		{"IMPORTED", "ISSUED", "imported", "what the ARN holds was imported (IMPORTED)",
			RULE_PASSED},
		{"IMPORTED", "EXPIRED", "status", "its status is EXPIRED", RULE_PASSED},
		{"AMAZON_ISSUED", "ISSUED", "imported",
			"what the ARN holds is of type AMAZON_ISSUED, not IMPORTED: ACM replaces "
			"by an import only what was imported",
			RULE_BROKEN},
		{"PRIVATE", "ISSUED", "imported",
			"what the ARN holds is of type PRIVATE, not IMPORTED: ACM replaces by an "
			"import only what was imported",
			RULE_BROKEN},
		{"", "ISSUED", "imported",
			"what the ARN holds is of type none, not IMPORTED: ACM replaces by an "
			"import only what was imported",
			RULE_BROKEN},
		{"IMPORTED", "REVOKED", "status",
			"its status is REVOKED: whether ACM replaces that is not known",
			RULE_UNCONFIRMED},
	};
	struct x509_facts facts;
	make_facts(&facts, &plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule_results results = {.count = 0};
		import_rules_replace(
			&(struct rule_old){
				.type = cases[i].type, .status = cases[i].status, .facts = &facts},
			&facts, &results);
		expect_only(&results, cases[i].rule, cases[i].verdict, cases[i].text);
	}
	x509_facts_clear(&facts);
}

static void what_cannot_be_read_cannot_be_compared(void **state)
{
	(void)state;
	struct x509_facts facts;
	struct rule_results results = {.count = 0};
	make_facts(&facts, &plain);
	import_rules_replace(
		&(struct rule_old){.type = "IMPORTED", .status = "ISSUED"}, &facts, &results);
	assert_int_equal(results.count, 3);
	expect_only(&results, "current_known", RULE_UNCONFIRMED,
		"ACM gives no certificate that could be read (status ISSUED), so key, names and "
		"usages of the two cannot be compared");
	x509_facts_clear(&facts);
}

static void key_type_and_size_stay(void **state)
{
	(void)state;
	expect_replace(WISH(.key = "RSA_2048"), WISH(.key = "RSA_2048"), "same_key_type",
		RULE_PASSED, "key type and size stay RSA_2048");
	expect_replace(WISH(.key = "RSA_2048"), WISH(.key = "RSA_4096"), "same_key_type",
		RULE_BROKEN, "key type and size must stay: RSA_2048 would become RSA_4096");
	expect_replace(WISH(.key = "EC_prime256v1"), WISH(.key = "EC_secp384r1"), "same_key_type",
		RULE_BROKEN,
		"key type and size must stay: EC_prime256v1 would become EC_secp384r1");
}

static void one_name_stays(void **state)
{
	(void)state;
	static const char rule[] = "names_overlap";
	expect_replace(WISH(.names = "a.example,b.example"), WISH(.names = "c.example,B.EXAMPLE"),
		rule, RULE_PASSED, "b.example stays, and ACM wants one name at least to stay");
	expect_replace(WISH(.names = "a.example,b.example"), WISH(.names = "c.example"), rule,
		RULE_BROKEN,
		"none of the names stays (a.example, b.example), and ACM wants one at least to "
		"stay");
	expect_replace(WISH(.names = "192.0.2.1"), WISH(.names = "192.0.2.1,a.example"), rule,
		RULE_PASSED, "192.0.2.1 stays, and ACM wants one name at least to stay");
	expect_replace(WISH(.names = "a.example.com"), WISH(.names = "*.example.com"), rule,
		RULE_BROKEN,
		"none of the names stays (a.example.com), and ACM wants one at least to stay");
	/* A common name is a name when it is the only one. */
	expect_replace(WISH(.common_name = "a.example"), WISH(.names = "a.example"), rule,
		RULE_PASSED, "a.example stays, and ACM wants one name at least to stay");
	expect_replace(WISH(.common_name = "a.example", .names = "b.example"),
		WISH(.names = "a.example"), rule, RULE_UNCONFIRMED,
		"only a.example stays, which is a common name and not among the alternative names "
		"of both: whether ACM counts it is not known");
	expect_replace(WISH(.common_name = "My Server"), WISH(.names = "a.example"), rule,
		RULE_UNCONFIRMED,
		"there is no name that could stay: what ACM compares then is not known");
}

static void key_usages_do_not_go(void **state)
{
	(void)state;
	static const char rule[] = "key_usage_kept";
	expect_replace(WISH(.key_usage = SIGN), WISH(.key_usage = SIGN | AGREE), rule, RULE_PASSED,
		"every key usage stays (before: DIGITAL_SIGNATURE)");
	expect_replace(WISH(.key_usage = SIGN | AGREE | CIPHER), WISH(.key_usage = SIGN), rule,
		RULE_BROKEN, "key usages may not go: KEY_AGREEMENT would");
	expect_replace(WISH(.key_usage = SIGN), WISH(.key_usage = 0), rule, RULE_BROKEN,
		"key usages may not go: DIGITAL_SIGNATURE would");
	expect_replace(WISH(.key = "RSA_2048", .key_usage = SIGN | CIPHER),
		WISH(.key = "RSA_2048", .key_usage = SIGN), rule, RULE_BROKEN,
		"key usages may not go: KEY_ENCIPHERMENT would");
	expect_replace(WISH(.key_usage = SIGN | CIPHER), WISH(.key_usage = SIGN), rule, RULE_PASSED,
		"key usages stay, but KEY_ENCIPHERMENT, which may go with EC keys (before: "
		"DIGITAL_SIGNATURE, KEY_ENCIPHERMENT)");
	expect_replace(WISH(.key_usage = CIPHER), WISH(.key_usage = 0), rule, RULE_UNCONFIRMED,
		"KEY_ENCIPHERMENT goes, which ACM allows with EC keys, but whether also when it "
		"was the only key usage is not known");
	/* The exception is for EC on both sides. */
	struct rule_results results;
	judge_replace(&WISH(.key = "RSA_2048", .key_usage = SIGN | CIPHER),
		&WISH(.key_usage = SIGN), &results);
	assert_int_equal(find(&results, rule)->verdict, RULE_BROKEN);
}

static void key_usage_is_not_added(void **state)
{
	(void)state;
	static const char rule[] = "key_usage_not_added";
	expect_replace(WISH(.key_usage = 0), WISH(.key_usage = 0), rule, RULE_PASSED,
		"no key usage is added where there was none (before: none; after: none)");
	expect_replace(WISH(.key_usage = 0), WISH(.key_usage = SIGN), rule, RULE_BROKEN,
		"where there is no key usage ACM allows none to be added: DIGITAL_SIGNATURE would "
		"be");
	expect_replace(WISH(.key_usage = 0), WISH(.key_usage = EMPTY_KEY_USAGE), rule,
		RULE_UNCONFIRMED,
		"the key usage of one of them is there but empty (before: none; after: none): what "
		"ACM makes of that is not known");
	expect_replace(WISH(.key_usage = EMPTY_KEY_USAGE), WISH(.key_usage = SIGN), rule,
		RULE_UNCONFIRMED,
		"the key usage of one of them is there but empty (before: none; after: "
		"DIGITAL_SIGNATURE): what ACM makes of that is not known");
	expect_replace(WISH(.key_usage = EMPTY_KEY_USAGE), WISH(.key_usage = EMPTY_KEY_USAGE), rule,
		RULE_PASSED,
		"no key usage is added where there was none (before: none; after: none)");
}

static void extended_key_usages_do_not_go(void **state)
{
	(void)state;
	static const char rule[] = "ext_key_usage_kept";
	expect_replace(WISH(.ext_key_usage = server), WISH(.ext_key_usage = both), rule,
		RULE_PASSED,
		"every extended key usage stays (before: TLS_WEB_SERVER_AUTHENTICATION)");
	expect_replace(WISH(.ext_key_usage = both), WISH(.ext_key_usage = server), rule,
		RULE_PASSED,
		"extended key usages stay, but TLS_WEB_CLIENT_AUTHENTICATION, which may go "
		"(before: TLS_WEB_SERVER_AUTHENTICATION, TLS_WEB_CLIENT_AUTHENTICATION)");
	expect_replace(WISH(.ext_key_usage = both), WISH(.ext_key_usage = client), rule,
		RULE_BROKEN, "extended key usages may not go: TLS_WEB_SERVER_AUTHENTICATION would");
	expect_replace(WISH(.ext_key_usage = "1.2.3,TLS_WEB_CLIENT_AUTHENTICATION,CODE_SIGNING"),
		WISH(.ext_key_usage = "ANY"), rule, RULE_BROKEN,
		"extended key usages may not go: 1.2.3, CODE_SIGNING would");
	expect_replace(WISH(.ext_key_usage = server), WISH(.names = NULL), rule, RULE_BROKEN,
		"extended key usages may not go: TLS_WEB_SERVER_AUTHENTICATION would");
	expect_replace(WISH(.ext_key_usage = client), WISH(.names = NULL), rule, RULE_UNCONFIRMED,
		"TLS_WEB_CLIENT_AUTHENTICATION goes, which ACM allows, but whether also when it "
		"was the only extended key usage is not known");
}

static void extended_key_usage_is_not_added(void **state)
{
	(void)state;
	static const char rule[] = "ext_key_usage_not_added";
	expect_replace(WISH(.names = NULL), WISH(.ext_key_usage = client), rule, RULE_BROKEN,
		"where there is no extended key usage ACM allows none to be added: "
		"TLS_WEB_CLIENT_AUTHENTICATION would be");
	expect_replace(WISH(.ext_key_usage = ""), WISH(.ext_key_usage = server), rule,
		RULE_UNCONFIRMED,
		"the extended key usage of one of them is there but empty (before: none; after: "
		"TLS_WEB_SERVER_AUTHENTICATION): what ACM makes of that is not known");
	expect_replace(WISH(.ext_key_usage = server), WISH(.ext_key_usage = both), rule,
		RULE_PASSED,
		"no extended key usage is added where there was none (before: "
		"TLS_WEB_SERVER_AUTHENTICATION; after: TLS_WEB_SERVER_AUTHENTICATION, "
		"TLS_WEB_CLIENT_AUTHENTICATION)");
}

static void several_rules_can_be_broken(void **state)
{
	(void)state;
	struct rule_results results;
	judge_replace(&WISH(.key = "RSA_2048", .names = "a.example", .key_usage = SIGN,
			      .ext_key_usage = server),
		&WISH(.names = "b.example", .key_usage = AGREE, .ext_key_usage = client), &results);
	size_t broken = 0;
	for (size_t i = 0; i < results.count; i++)
		broken += results.item[i].verdict == RULE_BROKEN;
	assert_int_equal(broken, 4);
	assert_int_equal(rule_results_verdict(&results), RULE_BROKEN);
	assert_int_equal(rule_results_verdict(&(struct rule_results){.count = 0}), RULE_PASSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_types_are_those_of_acm),
		cmocka_unit_test(ed25519_is_no_key_of_acm),
		cmocka_unit_test(an_unknown_signature_leaves_two_rules_open),
		cmocka_unit_test(undocumented_signatures_are_unconfirmed),
		cmocka_unit_test(only_version_3_is_taken),
		cmocka_unit_test(the_url_of_ocsp_has_a_limit),
		cmocka_unit_test(issuer_is_of_the_kind_of_the_key),
		cmocka_unit_test(issuer_has_a_name),
		cmocka_unit_test(now_lies_in_its_validity),
		cmocka_unit_test(a_domain_or_an_address_is_named),
		cmocka_unit_test(chain_leads_from_the_leaf_upwards),
		cmocka_unit_test(doubts_about_the_chain_are_unconfirmed),
		cmocka_unit_test(only_imported_is_replaced),
		cmocka_unit_test(what_cannot_be_read_cannot_be_compared),
		cmocka_unit_test(key_type_and_size_stay),
		cmocka_unit_test(one_name_stays),
		cmocka_unit_test(key_usages_do_not_go),
		cmocka_unit_test(key_usage_is_not_added),
		cmocka_unit_test(extended_key_usages_do_not_go),
		cmocka_unit_test(extended_key_usage_is_not_added),
		cmocka_unit_test(several_rules_can_be_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
