/* Requests for certificates: what is asked for, what is taken from the one that is replaced, and
 * where the key goes. */
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/make_pki.h"
#include "tests/sensor/desk_fixture.h"

static const char *of_arn(const char *arn, const char *more)
{
	static char body[512];
	snprintf(body, sizeof(body), "{'arn': '%s', 'connector': 'prod'%s}", arn, more);
	return body;
}

static void wrong_bodies_are_one_sentence(void **state)
{
	(void)state;
	static const struct {
		const char *body, *text;
		enum err_kind kind;
	} row[] = {
		{"{'domain': 'a'}", "unknown member \"domain\"", ERR_CONFIG},
		{"{'connector': 7}", "connector", ERR_PROTOCOL},
		{"{'key_type': 7}", "key_type", ERR_PROTOCOL},
		{"{'subject': 7}", "subject", ERR_PROTOCOL},
		{"{'arn': 7}", "arn", ERR_PROTOCOL},
		{"{'domains': 7}", "domains", ERR_PROTOCOL},
		{"{'domains': ['']}", "domains: expected texts", ERR_CONFIG},
		{"{'domains': ['a.example'], 'key_type': 'dsa'}",
			"key_type: expected rsa2048, rsa3072, rsa4096, ec256 or ec384", ERR_CONFIG},
		{"{'domains': ['a.example'], 'connector': 'x'}", "there is no connector \"x\"",
			ERR_NOT_FOUND},
		{"{}", "expected domains, or the ARN to replace", ERR_CONFIG},
		{"{'arn': 'x'}", "arn: expected the ARN of an ACM certificate", ERR_CONFIG},
		{"{'arn': 'arn:aws:acm:eu-west-1:222222222222:certificate/1', 'connector': 'x'}",
			"there is no connector \"x\"", ERR_NOT_FOUND},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		desk_fixture_refuse(&desk, DESK_CSR, row[i].body, row[i].kind, row[i].text);
	assert_int_equal(fake_call_count(), 0);
	desk_fixture_refuse(&desk, DESK_CSR, "{'domains': ['no domain']}", ERR_CONFIG, "no domain");
	desk_fixture_refuse(&desk, DESK_CSR, "{'domains': ['a.example'], 'subject': 'x'}",
		ERR_CONFIG, "x"); /* the worker's */
}

static void what_is_to_be_known_of_the_request_is_in_the_answer(void **state)
{
	(void)state;
	desk_fixture_run(&desk, DESK_CSR, "{'domains': ['a.example'], 'key_type': 'ec256'}");
	assert_string_equal(desk_fixture_text(&desk, "csr", "connector"), "");
	assert_string_equal(desk_fixture_text(&desk, "csr", "arn"), "");
	assert_string_equal(desk_fixture_text(&desk, "csr", "key_escrow"), "sensor");
	const char *arn = write_acm_add(&desk.acm, desk.pem, "x")->arn;
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ""));
	assert_string_equal(desk_fixture_text(&desk, "csr", "connector"), "prod");
	assert_string_equal(desk_fixture_text(&desk, "csr", "arn"), arn);
	desk_fixture_run(&desk, DESK_CSR,
		"{'domains': ['a.example'], 'key_type': 'ec256', 'connector': 'other'}");
	assert_string_equal(desk_fixture_text(&desk, "csr", "key_escrow"), "secretsmanager");
}

static void keys_are_of_the_type_that_was_asked_for(void **state)
{
	(void)state;
	static const char *const row[][2] = {{"", "RSA_2048"}, {"rsa2048", "RSA_2048"},
		{"ec256", "EC_prime256v1"}, {"ec384", "EC_secp384r1"},
		{"EC_prime256v1", "EC_prime256v1"}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char body[128];
		snprintf(body, sizeof(body), "{'domains': ['a.example'], 'key_type': '%s'}",
			row[i][0]);
		desk_fixture_run(&desk, DESK_CSR, body);
		assert_string_equal(desk_fixture_text(&desk, "csr", "key_algorithm"), row[i][1]);
		assert_non_null(strstr(desk_fixture_text(&desk, "csr", "pem"),
			"-----BEGIN CERTIFICATE REQUEST-----"));
	}
	assert_int_equal(fake_call_count(), 0); /* no account is needed */
}

static void write_due(struct store_txn *txn, void *arg)
{
	const int64_t *now_s = arg;
	store_vault_delete_due(txn, *now_s);
}

static bool is_left_after(const char *id, int64_t now_s)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(desk.sensor->store, write_due, &now_s, &err), 0);
	return desk_fixture_has_key(&desk, id);
}

static void the_key_is_sealed_for_its_time(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct secret key = SECRET_INIT;
	char id[DELIVERY_ID_MAX + 1];
	desk_fixture_run(&desk, DESK_CSR, "{'domains': ['a.example'], 'key_type': 'ec256'}");
	assert_null(strstr(desk.document, "PRIVATE KEY"));
	text_copy(id, sizeof(id), desk_fixture_text(&desk, "csr", "id"));
	assert_int_equal(id[0], CSR_ID_PREFIX);
	assert_int_equal(store_read_begin(desk.sensor->store, &txn, &err), 0);
	assert_int_equal(vault_unseal(desk.desk->vault, txn, id, &key, &err), 0);
	store_read_end(txn);
	assert_non_null(memmem(secret_bytes(&key), key.len, "PRIVATE KEY", 11));
	secret_clear(&key);
	assert_true(is_left_after(id, NOW_S + 90 * DAY_S - 1));
	assert_false(is_left_after(id, NOW_S + 90 * DAY_S));
}

/* --- from the certificate that is replaced ----------------------------------------------------- */

static X509_REQ *request_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(request);
	return request;
}

/* The extensions in OpenSSL's words, one after the other. */
static void expect_request(const char *const *parts, size_t count)
{
	X509_REQ *request = request_of(desk_fixture_text(&desk, "csr", "pem"));
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	(void)X509_REQ_print(bio, request);
	BIO_write(bio, "", 1);
	(void)BIO_get_mem_data(bio, &text);
	for (size_t i = 0; i < count; i++)
		if (strstr(text, parts[i]) == NULL)
			fail_msg("no %s in %s", parts[i], text);
	BIO_free(bio);
	X509_REQ_free(request);
}

static void a_name_that_is_given_twice_is_in_it_once(void **state)
{
	(void)state;
	desk_fixture_run(&desk, DESK_CSR,
		"{'domains': ['a.example', 'b.example', 'A.example', 'a.example', 'c.example']}");
	assert_non_null(
		strstr(desk.document, "\"domains\":[\"a.example\",\"b.example\",\"c.example\"]"));
	static const char *const only[] = {"DNS:a.example, DNS:b.example, DNS:c.example\n"};
	expect_request(only, 1);
}

static void names_key_type_and_usages_are_those_of_the_replaced_one(void **state)
{
	(void)state;
	static const char *const all[] = {"DNS:www.example.com, DNS:example.com",
		"Digital Signature, Certificate Sign", "TLS Web Server Authentication",
		"prime256v1"};
	static const char *const given[] = {
		"DNS:new.example.com", "rsaEncryption", "Digital Signature, Certificate Sign"};
	const char *arn = write_acm_add(&desk.acm, desk.pem, "x")->arn;
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ""));
	assert_string_equal(desk_fixture_text(&desk, "csr", "key_algorithm"), "EC_prime256v1");
	assert_non_null(strstr(desk.document, "\"warnings\":[]"));
	expect_request(all, 4);
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ", 'domains': []")); /* as none at all */
	expect_request(all, 4);
	desk_fixture_run(&desk, DESK_CSR,
		of_arn(arn, ", 'domains': ['new.example.com'], 'key_type': 'rsa2048', 'subject': "
			    "'CN=New'"));
	expect_request(given, 3);
	X509_REQ *request = request_of(desk_fixture_text(&desk, "csr", "pem"));
	char name[64];
	(void)X509_NAME_get_text_by_NID(
		X509_REQ_get_subject_name(request), NID_commonName, name, sizeof(name));
	assert_string_equal(name, "New");
	X509_REQ_free(request);
}

/* A CA would be paid for what the plan refuses afterwards. */
static void what_the_arn_cannot_take_is_told_before_it_is_signed(void **state)
{
	(void)state;
	static const char type[] = "\"warnings\":[\"the ARN holds a key of type EC_prime256v1, and "
				   "ACM replaces it by no other: a certificate with this "
				   "EC_secp384r1 key needs plan --new-arn\"]";
	static const char name[] =
		"\"warnings\":[\"none of its names is in the certificate under the ARN, and ACM "
		"wants one at least to stay: its certificate needs plan --new-arn\"]";
	const char *arn = write_acm_add(&desk.acm, desk.pem, "x")->arn;
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ", 'key_type': 'ec384'"));
	assert_non_null(strstr(desk.document, type));
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ", 'domains': ['new.example.com']"));
	assert_non_null(strstr(desk.document, name));
	desk_fixture_run(&desk, DESK_CSR,
		of_arn(arn, ", 'domains': ['new.example.com', 'WWW.example.com']"));
	assert_non_null(strstr(desk.document, "\"warnings\":[]"));
}

static const char *add_certificate(const char *common_name, const char *sans)
{
	struct pki pki = pki_make(&(struct pki_spec){.common_name = common_name,
					  .sans = sans,
					  .not_before_s = NOW_S - DAY_S,
					  .not_after_s = NOW_S + 90 * DAY_S},
		NULL);
	char *pem = pki_pem(&pki);
	const char *arn = write_acm_add(&desk.acm, pem, "x")->arn;
	free(pem);
	pki_clear(&pki);
	return arn;
}

static void what_has_no_names_has_to_be_given_some(void **state)
{
	(void)state;
	const char *arn = add_certificate("x", "email:a@example.com");
	desk_fixture_refuse(
		&desk, DESK_CSR, of_arn(arn, ""), ERR_CONFIG, "it has no domain names; give some");
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ", 'domains': ['a.example']"));
	assert_non_null(desk.document);
}

/* As certificates of old have it; beside alternative names it does not count. */
static void a_common_name_is_the_name_when_it_is_the_only_one(void **state)
{
	(void)state;
	static const char *const names[][2] = {
		{"www.example.com", "DNS:www.example.com"}, {"192.0.2.1", "IP Address:192.0.2.1"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *arn = add_certificate(names[i][0], "email:a@example.com");
		desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ""));
		expect_request(&names[i][1], 1);
	}
	const char *arn = add_certificate("www.example.com", "DNS:shop.example.com");
	static const char *const only[] = {"DNS:shop.example.com\n"}; /* the last one */
	desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ""));
	expect_request(only, 1);
}

/* A request with some of the names would become a certificate that breaks the other hosts. */
static void too_many_names_are_no_request_for_some_of_them(void **state)
{
	(void)state;
	for (int count = DESK_DOMAINS_MAX; count <= DESK_DOMAINS_MAX + 1; count++) {
		struct buf sans;
		buf_init(&sans, 65536);
		for (int i = 0; i < count; i++)
			buf_addf(&sans, "%sDNS:n%d.example.com", i > 0 ? "," : "", i);
		const char *arn = add_certificate("www.example.com", buf_text(&sans));
		buf_clear(&sans);
		if (count > DESK_DOMAINS_MAX) {
			desk_fixture_refuse(&desk, DESK_CSR, of_arn(arn, ""), ERR_LIMIT,
				"it has more than 100 domain names");
			continue;
		}
		static const char *const last[] = {"DNS:n0.example.com", "DNS:n99.example.com"};
		desk_fixture_run(&desk, DESK_CSR, of_arn(arn, ""));
		expect_request(last, 2);
	}
}

static void what_is_not_there_cannot_be_copied(void **state)
{
	(void)state;
	desk_fixture_refuse(&desk, DESK_CSR,
		of_arn("arn:aws:acm:eu-west-1:222222222222:certificate/1", ""), ERR_NOT_FOUND,
		"certificate/1: ACM has no certificate there");
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	const char *arn = cert->arn; /* issued never: there is no PEM */
	fake_call_fail_at(4, ERR_REFUSED, "RequestInProgressException");
	desk_fixture_refuse(&desk, DESK_CSR, of_arn(arn, ""), ERR_NOT_FOUND,
		"ACM has no certificate there to take names and usages from");
}

/* The CA would be paid for a plan that can only be refused. */
static void what_acm_never_replaces_needs_no_request(void **state)
{
	(void)state;
	struct write_acm_cert *cert = write_acm_add(&desk.acm, desk.pem, "x");
	char other[512];
	cert->type = "AMAZON_ISSUED";
	desk_fixture_refuse(&desk, DESK_CSR, of_arn(cert->arn, ", 'domains': ['a.example']"),
		ERR_REFUSED,
		": it is of type AMAZON_ISSUED, and ACM replaces by an import only what was imported; "
		"a request by csr --domain, without the ARN, can be imported as a new certificate");
	snprintf(other, sizeof(other), "{'arn': '%s', 'connector': 'other'}", cert->arn);
	desk_fixture_run(&desk, DESK_CSR, other); /* reimport = no */
	assert_non_null(desk.document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(wrong_bodies_are_one_sentence),
		DESK_TEST(what_is_to_be_known_of_the_request_is_in_the_answer),
		DESK_TEST(keys_are_of_the_type_that_was_asked_for),
		DESK_TEST(the_key_is_sealed_for_its_time),
		DESK_TEST(a_name_that_is_given_twice_is_in_it_once),
		DESK_TEST(names_key_type_and_usages_are_those_of_the_replaced_one),
		DESK_TEST(what_the_arn_cannot_take_is_told_before_it_is_signed),
		DESK_TEST(what_has_no_names_has_to_be_given_some),
		DESK_TEST(a_common_name_is_the_name_when_it_is_the_only_one),
		DESK_TEST(too_many_names_are_no_request_for_some_of_them),
		DESK_TEST(what_is_not_there_cannot_be_copied),
		DESK_TEST(what_acm_never_replaces_needs_no_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
