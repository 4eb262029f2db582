/* OpenSSL reads what was made, and finds in it what was asked for. */
#include "delivery/csr.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/x509.h"

enum { TEXT_MAX = 4096 };

struct made {
	X509_REQ *req;
	EVP_PKEY *key;
	STACK_OF(X509_EXTENSION) * extensions;
	struct secret key_pem;
};

static struct made make(const struct csr_request *request)
{
	struct err err = ERR_INIT;
	struct made made = {.key_pem = SECRET_INIT};
	struct buf pem;
	buf_init(&pem, 1 << 20);
	if (csr_make(request, &made.key_pem, &pem, &err) != 0)
		fail_msg("%s", err.text);
	BIO *bio = BIO_new_mem_buf(buf_text(&pem), (int)pem.len);
	made.req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(secret_bytes(&made.key_pem), (int)made.key_pem.len);
	made.key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	buf_clear(&pem);
	assert_non_null(made.req);
	assert_non_null(made.key);
	made.extensions = X509_REQ_get_extensions(made.req);
	return made;
}

static void made_clear(struct made *made)
{
	sk_X509_EXTENSION_pop_free(made->extensions, X509_EXTENSION_free);
	X509_REQ_free(made->req);
	EVP_PKEY_free(made->key);
	secret_clear(&made->key_pem);
}

/* As OpenSSL prints it; "" when it is not there. */
static const char *extension_text(const struct made *made, int nid)
{
	static char text[TEXT_MAX];
	int at = X509v3_get_ext_by_NID(made->extensions, nid, -1);
	text[0] = '\0';
	if (at < 0)
		return text;
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(X509V3_EXT_print(bio, X509v3_get_ext(made->extensions, at), 0, 0), 1);
	int len = BIO_read(bio, text, TEXT_MAX - 1);
	text[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
	return text;
}

static const char *subject_text(const struct made *made)
{
	static char text[TEXT_MAX];
	BIO *bio = BIO_new(BIO_s_mem());
	X509_NAME_print_ex(bio, X509_REQ_get_subject_name(made->req), 0,
		XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
	int len = BIO_read(bio, text, TEXT_MAX - 1);
	text[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
	return text;
}

static void expect_refused(const struct csr_request *request, const char *says)
{
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	struct buf pem;
	buf_init(&pem, 1 << 20);
	assert_int_equal(csr_make(request, &key, &pem, &err), -1);
	if (err.kind != ERR_CONFIG || strstr(err.text, says) == NULL)
		fail_msg("%s: %s (expected %s)", err_kind_name(err.kind), err.text, says);
	assert_false(secret_is_set(&key));
	assert_int_equal(pem.len, 0);
	buf_clear(&pem);
}

/* --- round trip ------------------------------------------------------------------------------- */

static void a_request_is_what_was_asked_for(void **state)
{
	(void)state;
	static const char *const domain[] = {
		"www.example.com", "*.example.com", "192.0.2.1", "2001:db8::1"};
	static const char *const usage[] = {
		"TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION", "1.2.3.4"};
	struct made made = make(&(struct csr_request){.domain = domain,
		.domain_count = 4,
		.key_algorithm = "EC_prime256v1",
		.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_AGREEMENT,
		.ext_key_usage = usage,
		.ext_key_usage_count = 3});
	assert_int_equal(X509_REQ_get_version(made.req), 0);
	assert_int_equal(X509_REQ_verify(made.req, made.key), 1);
	assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(made.req), made.key), 1);
	assert_string_equal(subject_text(&made), "CN = www.example.com");
	assert_string_equal(extension_text(&made, NID_subject_alt_name),
		"DNS:www.example.com, DNS:*.example.com, IP Address:192.0.2.1, "
		"IP Address:2001:DB8:0:0:0:0:0:1");
	assert_string_equal(
		extension_text(&made, NID_key_usage), "Digital Signature, Key Agreement");
	assert_string_equal(extension_text(&made, NID_ext_key_usage),
		"TLS Web Server Authentication, TLS Web Client Authentication, 1.2.3.4");
	assert_non_null(strstr(secret_bytes(&made.key_pem), "-----BEGIN PRIVATE KEY-----"));
	made_clear(&made);
}

static void what_is_not_asked_for_is_not_there(void **state)
{
	(void)state;
	static const char *const domain[] = {"example.com"};
	struct made made = make(&(struct csr_request){
		.domain = domain, .domain_count = 1, .key_algorithm = "EC_secp384r1"});
	assert_string_equal(extension_text(&made, NID_key_usage), "");
	assert_string_equal(extension_text(&made, NID_ext_key_usage), "");
	assert_int_equal(EVP_PKEY_get_bits(made.key), 384);
	made_clear(&made);
}

/* Every key usage has the bit that AWS's name of it stands for. */
static void key_usages_are_where_x509_has_them(void **state)
{
	(void)state;
	static const char *const name[] = {"Digital Signature", "Non Repudiation",
		"Key Encipherment", "Data Encipherment", "Key Agreement", "Certificate Sign",
		"CRL Sign", "Encipher Only", "Decipher Only"};
	static const char *const domain[] = {"example.com"};
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		struct made made = make(&(struct csr_request){.domain = domain,
			.domain_count = 1,
			.key_algorithm = "EC_prime256v1",
			.key_usage = 1U << i});
		assert_string_equal(extension_text(&made, NID_key_usage), name[i]);
		made_clear(&made);
	}
}

static void keys_are_of_the_kind_that_was_asked_for(void **state)
{
	(void)state;
	static const char *const domain[] = {"example.com"};
	static const struct {
		const char *name;
		int bits;
	} rows[] = {{"RSA_2048", 2048}, {"RSA_3072", 3072}, {"EC_prime256v1", 256},
		{"EC_secp384r1", 384}};
	static const char *const others[] = {"RSA_1024", "RSA", "EC_secp521r1", "Ed25519", ""};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made made = make(&(struct csr_request){
			.domain = domain, .domain_count = 1, .key_algorithm = rows[i].name});
		assert_int_equal(EVP_PKEY_get_bits(made.key), rows[i].bits);
		assert_int_equal(X509_REQ_verify(made.req, made.key), 1);
		made_clear(&made);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect_refused(
			&(struct csr_request){
				.domain = domain, .domain_count = 1, .key_algorithm = others[i]},
			"keys are made here");
}

/* --- domains ---------------------------------------------------------------------------------- */

static void expect_domain_refused(const char *domain, const char *says)
{
	expect_refused(
		&(struct csr_request){
			.domain = &domain, .domain_count = 1, .key_algorithm = "EC_prime256v1"},
		says);
}

static void what_is_no_domain_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "localhost", ".example.com", "example..com",
		"example.com.", "-a.example.com", "a-.example.com", "a.*.example.com", "*", "*.com",
		"*example.com", "**.example.com", "a b.example.com", "a_b.example.com",
		"b\xc3\xbc.example.com", "a.example.com,DNS:evil.example", "a.example.com\n",
		"user@example.com", "https://example.com", "192.0.2.1/24", "2001:db8::/32"};
	char label[80], name[300];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_domain_refused(wrong[i], "neither a domain name nor an IP address");
	memset(label, 'a', 64);
	(void)snprintf(label + 64, sizeof(label) - 64, ".com");
	expect_domain_refused(label, "neither");
	memset(name, 'a', sizeof(name));
	for (size_t i = 49; i < sizeof(name); i += 50)
		name[i] = '.';
	name[254] = '\0';
	expect_domain_refused(name, "neither");
}

static void a_long_first_domain_is_no_common_name(void **state)
{
	(void)state;
	static const char *const domain[] = {
		"a-label-that-is-rather-long-0123456789.a-label-that-is-rather-long.example"};
	struct made made = make(&(struct csr_request){
		.domain = domain, .domain_count = 1, .key_algorithm = "EC_prime256v1"});
	assert_string_equal(subject_text(&made), "");
	assert_non_null(strstr(extension_text(&made, NID_subject_alt_name), domain[0]));
	made_clear(&made);
}

static void there_are_up_to_a_hundred_domains(void **state)
{
	(void)state;
	static char name[101][32];
	const char *domain[101];
	for (int i = 0; i < 101; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "n%d.example.com", i);
		domain[i] = name[i];
	}
	struct csr_request request = {
		.domain = domain, .domain_count = 100, .key_algorithm = "EC_prime256v1"};
	struct made made = make(&request);
	assert_non_null(strstr(extension_text(&made, NID_subject_alt_name), "n99.example.com"));
	made_clear(&made);
	request.domain_count = 101;
	expect_refused(&request, "expected 1 to 100 domains");
	request.domain_count = 0;
	expect_refused(&request, "expected 1 to 100 domains");
}

/* --- subject ---------------------------------------------------------------------------------- */

static const char *const one_domain[] = {"www.example.com"};

static void expect_subject(const char *subject, const char *expected)
{
	struct made made = make(&(struct csr_request){.domain = one_domain,
		.domain_count = 1,
		.subject = subject,
		.key_algorithm = "EC_prime256v1"});
	assert_string_equal(subject_text(&made), expected);
	made_clear(&made);
}

static void subjects_are_taken_apart(void **state)
{
	(void)state;
	expect_subject("", "");
	expect_subject("CN=shop.example.com", "CN = shop.example.com");
	expect_subject("CN=a,O=Example Corp,C=DE", "CN = a, O = Example Corp, C = DE");
	expect_subject("O=Smith\\, Jones,CN=a", "O = \"Smith, Jones\", CN = a");
	expect_subject("O=a\\\\b", "O = a\\\\b");
	expect_subject("O=a=b", "O = a=b");
	expect_subject("emailAddress=a@example.com,2.5.4.5=7",
		"emailAddress = a@example.com, serialNumber = 7");
	expect_subject("O=B\xc3\xbc"
		       "ro",
		"O = B\xc3\xbc"
		"ro");
}

static void subjects_that_are_none_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"www.example.com", "=a", "CN=", "CN=a,", ",CN=a",
		"CN=a,,O=b", "CN=a\\",
		"1234567890123456789012345678901234567890123456789012345678901234=a"};
	static const struct {
		const char *subject, *says;
	} other[] = {
		{"CN=a,EMAIL=b",
			"subject: EMAIL is not known: expected CN, O, OU, L, ST, C, emailAddress, or "
			"another name or OID of OpenSSL"},
		{"C=Germany", "subject: C=Germany: a country is two letters, as in C=DE"},
		{"C=D", "subject: C=D: a country is two letters, as in C=DE"},
		{"C=D1", "subject: C=D1: a country is two letters"},
		{"C=1D", "subject: C=1D: a country is two letters"},
		{"countryName=\xc3\xbc", "a country is two letters"},
		{"O=\xff", "it has characters that O may not have"},
		{"emailAddress=b\xc3\xbc"
		 "cher@example.com",
			"it has characters that emailAddress may not have"},
		{"OU=12345678901234567890123456789012345678901234567890123456789012345",
			": expected at most 64 characters"}};
	char text[400] = "O=";
	memset(text + 2, 'a', 300);
	text[302] = '\0';
	struct csr_request request = {
		.domain = one_domain, .domain_count = 1, .key_algorithm = "EC_prime256v1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		request.subject = wrong[i];
		expect_refused(&request, "subject: expected KEY=VALUE");
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		request.subject = other[i].subject;
		expect_refused(&request, other[i].says);
	}
	request.subject = text;
	expect_refused(&request, "subject: O is longer than 256 bytes");
}

static void usages_that_openssl_does_not_know_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"NO_SUCH_USAGE", "DER:00", "@section", "", "serverAuth,codeSigning", "1", "9.9.9"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_refused(&(struct csr_request){.domain = one_domain,
				       .domain_count = 1,
				       .key_algorithm = "EC_prime256v1",
				       .ext_key_usage = &wrong[i],
				       .ext_key_usage_count = 1},
			"extended key usage");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_what_was_asked_for),
		cmocka_unit_test(what_is_not_asked_for_is_not_there),
		cmocka_unit_test(key_usages_are_where_x509_has_them),
		cmocka_unit_test(keys_are_of_the_kind_that_was_asked_for),
		cmocka_unit_test(what_is_no_domain_is_refused),
		cmocka_unit_test(a_long_first_domain_is_no_common_name),
		cmocka_unit_test(there_are_up_to_a_hundred_domains),
		cmocka_unit_test(subjects_are_taken_apart),
		cmocka_unit_test(subjects_that_are_none_are_refused),
		cmocka_unit_test(usages_that_openssl_does_not_know_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
