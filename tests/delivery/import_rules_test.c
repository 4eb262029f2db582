/* Each rule of ACM passed and broken, with the exceptions. */
#include "delivery/import_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char server[64] = "TLS_WEB_SERVER_AUTHENTICATION";
static char client[64] = "TLS_WEB_CLIENT_AUTHENTICATION";

/* Facts with memory for their lists. */
struct sample {
	struct x509_facts facts;
	struct x509_san san[4];
	char usage[4][64];
};

static void set_names(struct sample *sample, const char *a, const char *b)
{
	const char *const name[] = {a, b};
	sample->facts.san = sample->san;
	sample->facts.san_count = 0;
	for (size_t i = 0; i < 2; i++)
		if (name[i] != NULL)
			sample->san[sample->facts.san_count++] = (struct x509_san){
				.kind = X509_SAN_DNS, .text = (char *)(uintptr_t)name[i]};
}

static void set_usages(struct sample *sample, const char *a, const char *b)
{
	const char *const usage[] = {a, b};
	sample->facts.ext_key_usage = sample->usage;
	sample->facts.ext_key_usage_count = 0;
	sample->facts.has_ext_key_usage = a != NULL;
	for (size_t i = 0; i < 2; i++)
		if (usage[i] != NULL)
			strcpy(sample->usage[sample->facts.ext_key_usage_count++], usage[i]);
}

static void sample_init(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	strcpy(sample->facts.subject, "CN=www.example.com");
	strcpy(sample->facts.issuer, "CN=Test CA");
	strcpy(sample->facts.common_name, "www.example.com");
	strcpy(sample->facts.key_algorithm, "RSA_2048");
	strcpy(sample->facts.signature_algorithm, "SHA256WITHRSA");
	sample->facts.has_key_usage = true;
	sample->facts.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT;
	set_names(sample, "www.example.com", "example.com");
	set_usages(sample, server, client);
}

static const struct rule_result *find(const struct rule_results *results, const char *name)
{
	for (size_t i = 0; i < results->count; i++)
		if (strcmp(results->item[i].name, name) == 0)
			return &results->item[i];
	return NULL;
}

static void expect(const struct rule_results *results, const char *name, enum rule_verdict verdict,
	const char *says)
{
	const struct rule_result *result = find(results, name);
	if (result == NULL)
		fail_msg("no rule %s", name);
	else if (result->verdict != verdict || strstr(result->text, says) == NULL)
		fail_msg("%s: %d, %s (expected %d, %s)", name, (int)result->verdict, result->text,
			(int)verdict, says);
}

/* --- any import ------------------------------------------------------------------------------- */

static void expect_new(const struct sample *leaf, const struct x509_facts *const *chain,
	size_t count, const char *name, enum rule_verdict verdict, const char *says)
{
	struct rule_results results = {.count = 0};
	import_rules_new(&leaf->facts, chain, count, &results);
	expect(&results, name, verdict, says);
}

static void a_usual_certificate_passes_every_rule(void **state)
{
	(void)state;
	struct sample leaf, ca;
	struct rule_results results = {.count = 0};
	sample_init(&leaf);
	sample_init(&ca);
	ca.facts.is_ca = true;
	const struct x509_facts *chain[] = {&ca.facts};
	import_rules_new(&leaf.facts, chain, 1, &results);
	assert_int_equal(results.count, 5);
	assert_int_equal(rule_results_verdict(&results), RULE_PASSED);
	import_rules_replace(
		&(struct rule_old){"IMPORTED", "ISSUED", &leaf.facts}, &leaf.facts, &results);
	assert_int_equal(results.count, 10);
	assert_int_equal(rule_results_verdict(&results), RULE_PASSED);
}

static void key_types_are_those_of_acm(void **state)
{
	(void)state;
	static const char *const taken[] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
		"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
	static const char *const others[] = {
		"RSA_1536", "RSA_8192", "EC_secp256k1", "Ed25519", "1.2.3", ""};
	struct sample leaf;
	sample_init(&leaf);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		strcpy(leaf.facts.key_algorithm, taken[i]);
		expect_new(&leaf, NULL, 0, "key_type", RULE_PASSED, taken[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		strcpy(leaf.facts.key_algorithm, others[i]);
		expect_new(&leaf, NULL, 0, "key_type", RULE_BROKEN, others[i]);
	}
}

static void the_issuer_has_a_key_of_the_same_kind(void **state)
{
	(void)state;
	static const struct {
		const char *key, *signature;
		enum rule_verdict verdict;
	} rows[] = {{"RSA_2048", "SHA256WITHRSA", RULE_PASSED},
		{"RSA_2048", "SHA256WITHECDSA", RULE_BROKEN},
		{"EC_prime256v1", "SHA384WITHECDSA", RULE_PASSED},
		{"EC_prime256v1", "SHA384WITHRSA", RULE_BROKEN},
		{"RSA_2048", "ED25519", RULE_BROKEN}};
	struct sample leaf;
	sample_init(&leaf);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(leaf.facts.key_algorithm, rows[i].key);
		strcpy(leaf.facts.signature_algorithm, rows[i].signature);
		expect_new(&leaf, NULL, 0, "issuer_key_type", rows[i].verdict, rows[i].signature);
	}
}

static void the_issuer_has_a_name(void **state)
{
	(void)state;
	struct sample leaf;
	sample_init(&leaf);
	expect_new(&leaf, NULL, 0, "issuer_named", RULE_PASSED, "CN=Test CA");
	leaf.facts.issuer[0] = '\0';
	expect_new(&leaf, NULL, 0, "issuer_named", RULE_BROKEN, "empty");
}

static void a_chain_is_of_cas(void **state)
{
	(void)state;
	struct sample leaf, ca, root;
	sample_init(&leaf);
	sample_init(&ca);
	sample_init(&root);
	const struct x509_facts *chain[] = {&ca.facts, &root.facts};
	expect_new(&leaf, NULL, 0, "chain", RULE_BROKEN, "there is none");
	leaf.facts.is_self_issued = true;
	expect_new(&leaf, NULL, 0, "chain", RULE_PASSED, "self-signed");
	leaf.facts.is_self_issued = false;
	ca.facts.is_ca = true;
	expect_new(&leaf, chain, 1, "chain", RULE_PASSED, "1 certificate in order, without");
	expect_new(&leaf, chain, 2, "chain", RULE_BROKEN, "is not a CA");
	root.facts.is_ca = root.facts.is_self_issued = true;
	expect_new(&leaf, chain, 2, "chain", RULE_PASSED, "2 certificates in order, up to");
}

static void there_is_a_name(void **state)
{
	(void)state;
	struct sample leaf;
	sample_init(&leaf);
	leaf.facts.common_name[0] = '\0';
	expect_new(&leaf, NULL, 0, "has_name", RULE_PASSED, "a domain");
	leaf.san[0].kind = leaf.san[1].kind = X509_SAN_EMAIL;
	expect_new(&leaf, NULL, 0, "has_name", RULE_BROKEN, "neither");
	leaf.san[1].kind = X509_SAN_IP;
	expect_new(&leaf, NULL, 0, "has_name", RULE_PASSED, "a domain");
}

/* --- a reimport ------------------------------------------------------------------------------- */

static void expect_replace(const struct sample *old, const struct sample *leaf, const char *name,
	enum rule_verdict verdict, const char *says)
{
	struct rule_results results = {.count = 0};
	import_rules_replace(
		&(struct rule_old){"IMPORTED", "ISSUED", &old->facts}, &leaf->facts, &results);
	expect(&results, name, verdict, says);
	assert_int_equal(rule_results_verdict(&results), verdict);
}

static void only_what_was_imported_is_replaced(void **state)
{
	(void)state;
	static const char *const types[] = {"AMAZON_ISSUED", "PRIVATE"};
	struct sample leaf;
	sample_init(&leaf);
	for (size_t i = 0; i < 2; i++) {
		struct rule_results results = {.count = 0};
		import_rules_replace(
			&(struct rule_old){types[i], "ISSUED", &leaf.facts}, &leaf.facts, &results);
		expect(&results, "imported", RULE_BROKEN, types[i]);
	}
}

static void what_cannot_be_read_is_unconfirmed(void **state)
{
	(void)state;
	struct sample leaf;
	struct rule_results results = {.count = 0};
	sample_init(&leaf);
	import_rules_replace(&(struct rule_old){"IMPORTED", "FAILED", NULL}, &leaf.facts, &results);
	expect(&results, "current_known", RULE_UNCONFIRMED, "status FAILED");
	assert_int_equal(rule_results_verdict(&results), RULE_UNCONFIRMED);
	results.count = 0;
	import_rules_replace(&(struct rule_old){"PRIVATE", "FAILED", NULL}, &leaf.facts, &results);
	assert_int_equal(rule_results_verdict(&results), RULE_BROKEN);
}

static void key_type_and_size_stay(void **state)
{
	(void)state;
	struct sample old, leaf;
	sample_init(&old);
	sample_init(&leaf);
	expect_replace(&old, &leaf, "same_key_type", RULE_PASSED, "RSA_2048 before, RSA_2048 now");
	strcpy(leaf.facts.key_algorithm, "RSA_3072");
	expect_replace(&old, &leaf, "same_key_type", RULE_BROKEN, "RSA_2048 before, RSA_3072 now");
}

static void one_name_stays(void **state)
{
	(void)state;
	struct sample old, leaf;
	sample_init(&old);
	sample_init(&leaf);
	strcpy(leaf.facts.common_name, "other.example");
	set_names(&leaf, "other.example", "EXAMPLE.com");
	expect_replace(&old, &leaf, "names_overlap", RULE_PASSED, "example.com");
	set_names(&leaf, "other.example", "*.example.com"); /* covers, but is not that name */
	expect_replace(&old, &leaf, "names_overlap", RULE_BROKEN, "none of the old names");
	strcpy(leaf.facts.common_name, "WWW.example.com");
	expect_replace(&old, &leaf, "names_overlap", RULE_PASSED, "www.example.com");
	strcpy(leaf.facts.common_name, "other.example");
	old.facts.common_name[0] = '\0';
	set_names(&old, NULL, NULL);
	expect_replace(&old, &leaf, "names_overlap", RULE_PASSED, "no names to keep");
	set_names(&old, "a@example.com", NULL); /* an email address is no name of ACM's */
	old.san[0].kind = X509_SAN_EMAIL;
	expect_replace(&old, &leaf, "names_overlap", RULE_PASSED, "no names to keep");
	set_names(&old, "192.0.2.1", NULL);
	set_names(&leaf, "192.0.2.1", NULL);
	old.san[0].kind = leaf.san[0].kind = X509_SAN_IP;
	expect_replace(&old, &leaf, "names_overlap", RULE_PASSED, "192.0.2.1");
}

static void key_usages_stay(void **state)
{
	(void)state;
	struct sample old, leaf;
	sample_init(&old);
	sample_init(&leaf);
	leaf.facts.key_usage |= X509_KU_KEY_AGREEMENT; /* more is fine */
	expect_replace(&old, &leaf, "key_usage_kept", RULE_PASSED, "every key usage stays");
	leaf.facts.key_usage = X509_KU_KEY_ENCIPHERMENT;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_BROKEN, "DIGITAL_SIGNATURE");
	leaf.facts.key_usage = X509_KU_DIGITAL_SIGNATURE;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_BROKEN, "KEY_ENCIPHERMENT");
	leaf.facts.key_usage = 0;
	leaf.facts.has_key_usage = false;
	expect_replace(
		&old, &leaf, "key_usage_kept", RULE_BROKEN, "DIGITAL_SIGNATURE, KEY_ENCIPHERMENT");
	old.facts.has_key_usage = false;
	old.facts.key_usage = 0;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_PASSED, "there is none");
	leaf.facts.has_key_usage = true;
	leaf.facts.key_usage = X509_KU_DIGITAL_SIGNATURE;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_BROKEN, "none can be added");
}

static void key_encipherment_may_go_with_an_ec_key(void **state)
{
	(void)state;
	struct sample old, leaf;
	sample_init(&old);
	sample_init(&leaf);
	strcpy(old.facts.key_algorithm, "EC_prime256v1");
	strcpy(leaf.facts.key_algorithm, "EC_prime256v1");
	leaf.facts.key_usage = X509_KU_DIGITAL_SIGNATURE;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_PASSED, "but KEY_ENCIPHERMENT");
	leaf.facts.key_usage = 0;
	expect_replace(&old, &leaf, "key_usage_kept", RULE_BROKEN, "DIGITAL_SIGNATURE");
}

static void extended_key_usages_stay_but_client_authentication(void **state)
{
	(void)state;
	struct sample old, leaf;
	sample_init(&old);
	sample_init(&leaf);
	set_usages(&leaf, server, NULL);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_PASSED,
		"but TLS_WEB_CLIENT_AUTHENTICATION");
	set_usages(&leaf, client, server);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_PASSED, "usage stays");
	set_usages(&leaf, client, NULL);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_BROKEN, server);
	set_usages(&leaf, NULL, NULL);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_BROKEN, server);
	set_usages(&old, NULL, NULL);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_PASSED, "there is none");
	set_usages(&leaf, server, NULL);
	expect_replace(&old, &leaf, "ext_key_usage_kept", RULE_BROKEN, "none can be added");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_certificate_passes_every_rule),
		cmocka_unit_test(key_types_are_those_of_acm),
		cmocka_unit_test(the_issuer_has_a_key_of_the_same_kind),
		cmocka_unit_test(the_issuer_has_a_name),
		cmocka_unit_test(a_chain_is_of_cas),
		cmocka_unit_test(there_is_a_name),
		cmocka_unit_test(only_what_was_imported_is_replaced),
		cmocka_unit_test(what_cannot_be_read_is_unconfirmed),
		cmocka_unit_test(key_type_and_size_stay),
		cmocka_unit_test(one_name_stays),
		cmocka_unit_test(key_usages_stay),
		cmocka_unit_test(key_encipherment_may_go_with_an_ec_key),
		cmocka_unit_test(extended_key_usages_stay_but_client_authentication),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
