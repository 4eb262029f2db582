/*
 * Facts against what OpenSSL says: its API, with everything decoded, and its program
 * (expected.tsv), for each certificate of tests/data/x509 (made by generate.sh there); then hostile
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/x509.h"
#include "tests/lib/read_file.h"

enum { FIELDS = 7 }; /* name, serial, fingerprint, notBefore, notAfter, subject, issuer */

static const char *const refused[] = {"san-4097", "san-twice", "serial-33-octets"};

static bool is_refused(const char *name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (strcmp(name, refused[i]) == 0)
			return true;
	}
	return false;
}

static unsigned char *load_der(const char *name, size_t *ret_len)
{
	struct err err = ERR_INIT;
	size_t len;
	char *pem = read_data("x509", name, ".pem", &len);
	const char *at = pem;
	unsigned char *der = NULL;
	assert_int_equal(x509_pem_next(&at, pem + len, &der, ret_len, &err), 1);
	free(pem);
	return der;
}

static struct x509_facts load(const char *name)
{
	struct err err = ERR_INIT;
	struct x509_facts facts = {.serial = ""};
	size_t len;
	unsigned char *der = load_der(name, &len);
	if (x509_facts_from_der(der, len, &facts, &err) != 0)
		fail_msg("%s: %s", name, err.text);
	free(der);
	return facts;
}

/* Runs check for each certificate that facts can be had from. */
static void for_each(void (*check)(char **field))
{
	size_t len;
	char *table = read_data("x509", "expected", ".tsv", &len);
	size_t count = 0;
	for (char *rest = table, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		char *field[FIELDS];
		for (size_t i = 0; i < FIELDS; i++) {
			field[i] = strsep(&line, "\t");
			assert_non_null(field[i]);
		}
		if (!is_refused(field[0])) {
			check(field);
			count++;
		}
	}
	assert_true(count >= 50);
	free(table);
}

/* --- the program ------------------------------------------------------------------------------ */

static int64_t program_time(const char *text)
{
	struct tm tm = {0};
	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%SZ", &tm));
	return timegm(&tm);
}

static void assert_name_equal(const char *name, const char *expected)
{
	if (strlen(expected) < X509_NAME_MAX) {
		assert_string_equal(name, expected);
		return;
	}
	assert_int_equal(strlen(name), X509_NAME_MAX - 1);
	assert_memory_equal(name, expected, X509_NAME_MAX - sizeof("..."));
	assert_true(text_has_suffix(name, "..."));
}

static void check_program(char **field)
{
	struct x509_facts facts = load(field[0]);
	char fingerprint[2 * X509_SHA256_LEN + 1];
	text_hex(facts.fingerprint_sha256, X509_SHA256_LEN, fingerprint);
	char *colons = field[2], plain[2 * X509_SHA256_LEN + 1] = "";
	for (char *at = plain; *colons != '\0'; colons++) {
		if (*colons != ':')
			*at++ = *colons;
	}
	assert_int_equal(strcasecmp(facts.serial, field[1]), 0);
	assert_int_equal(strcasecmp(fingerprint, plain), 0);
	assert_int_equal(facts.not_before_s, program_time(field[3]));
	assert_int_equal(facts.not_after_s, program_time(field[4]));
	assert_name_equal(facts.subject, field[5]);
	assert_name_equal(facts.issuer, field[6]);
	x509_facts_clear(&facts);
}

static void all_facts_are_what_the_openssl_program_prints(void **state)
{
	(void)state;
	for_each(check_program);
}

/* --- the API ---------------------------------------------------------------------------------- */

static int64_t api_time(const ASN1_TIME *time)
{
	struct tm tm;
	assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
	return timegm(&tm);
}

static void check_api_usages(X509 *certificate, const struct x509_facts *facts)
{
	bool has_key_usage = X509_get_ext_by_NID(certificate, NID_key_usage, -1) >= 0;
	assert_int_equal(facts->has_key_usage, has_key_usage);
	if (has_key_usage) {
		/* OpenSSL keeps the octets as they stand: 0x80 is bit 0, 0x8000 bit 8. */
		uint32_t octets = X509_get_key_usage(certificate);
		unsigned usage = (octets & 0x8000) != 0 ? X509_KU_DECIPHER_ONLY : 0;
		for (unsigned bit = 0; bit < 8; bit++)
			usage |= (octets & (0x80u >> bit)) != 0 ? 1u << bit : 0;
		assert_int_equal(facts->key_usage, usage);
	}
	EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	assert_int_equal(facts->has_ext_key_usage, purposes != NULL);
	if (purposes != NULL)
		assert_int_equal(facts->ext_key_usage_count, sk_ASN1_OBJECT_num(purposes));
	EXTENDED_KEY_USAGE_free(purposes);
	BASIC_CONSTRAINTS *constraints =
		X509_get_ext_d2i(certificate, NID_basic_constraints, NULL, NULL);
	assert_int_equal(facts->is_ca, constraints != NULL && constraints->ca != 0);
	BASIC_CONSTRAINTS_free(constraints);
}

static void check_api_alt_names(X509 *certificate, const struct x509_facts *facts)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
	assert_int_equal(facts->san_count, count);
	for (int i = 0; i < count; i++) {
		int type;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		const struct x509_san *san = &facts->san[i];
		switch (san->kind) {
		case X509_SAN_DNS:
			assert_int_equal(type, GEN_DNS);
			break;
		case X509_SAN_EMAIL:
			assert_int_equal(type, GEN_EMAIL);
			break;
		case X509_SAN_URI:
			assert_int_equal(type, GEN_URI);
			break;
		case X509_SAN_IP:
			assert_int_equal(type, GEN_IPADD);
			continue;
		case X509_SAN_OTHER:
			continue;
		}
		if (strchr(san->text, '\\') == NULL) {
			assert_int_equal(ASN1_STRING_length(value), strlen(san->text));
			assert_memory_equal(
				ASN1_STRING_get0_data(value), san->text, strlen(san->text));
		}
	}
	GENERAL_NAMES_free(names);
}

static void check_api_key(X509 *certificate, const struct x509_facts *facts)
{
	unsigned char *spki = NULL, digest[SHA256_DIGEST_LENGTH];
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	assert_true(len > 0);
	SHA256(spki, (size_t)len, digest);
	OPENSSL_free(spki);
	assert_memory_equal(facts->spki_sha256, digest, sizeof(digest));

	EVP_PKEY *key = X509_get0_pubkey(certificate);
	assert_non_null(key);
	char expected[64] = "", group[48];
	size_t group_len;
	if (EVP_PKEY_is_a(key, "RSA"))
		snprintf(expected, sizeof(expected), "RSA_%d", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "EC") && strcmp(facts->key_algorithm, "EC_explicit") != 0 &&
		 EVP_PKEY_get_group_name(key, group, sizeof(group), &group_len) == 1)
		snprintf(expected, sizeof(expected), "EC_%s", group);
	if (expected[0] != '\0')
		assert_string_equal(facts->key_algorithm, expected);
}

static size_t api_ocsp_url_len(X509 *certificate)
{
	STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate);
	size_t longest = 0;
	for (int i = 0; i < sk_OPENSSL_STRING_num(urls); i++) {
		size_t len = strlen(sk_OPENSSL_STRING_value(urls, i));
		longest = len > longest ? len : longest;
	}
	X509_email_free(urls);
	return longest;
}

static void check_api(char **field)
{
	size_t len;
	unsigned char *der = load_der(field[0], &len);
	struct x509_facts facts = load(field[0]);
	const unsigned char *at = der;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	assert_non_null(certificate);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *hex = BN_bn2hex(serial);
	assert_int_equal(strcasecmp(facts.serial, BN_is_zero(serial) ? "00" : hex), 0);
	OPENSSL_free(hex);
	BN_free(serial);
	assert_int_equal(facts.not_before_s, api_time(X509_get0_notBefore(certificate)));
	assert_int_equal(facts.not_after_s, api_time(X509_get0_notAfter(certificate)));
	assert_int_equal(facts.is_self_issued, X509_NAME_cmp(X509_get_subject_name(certificate),
						       X509_get_issuer_name(certificate)) == 0);
	assert_int_equal(facts.version, X509_get_version(certificate) + 1);
	assert_int_equal(facts.ocsp_url_len, api_ocsp_url_len(certificate));
	check_api_usages(certificate, &facts);
	check_api_alt_names(certificate, &facts);
	check_api_key(certificate, &facts);
	x509_facts_clear(&facts);
	X509_free(certificate);
	free(der);
}

static void all_facts_are_what_the_openssl_api_says(void **state)
{
	(void)state;
	for_each(check_api);
}

/* --- words and kinds -------------------------------------------------------------------------- */

static void keys_and_signatures_have_the_names_that_aws_uses(void **state)
{
	(void)state;
	static const struct {
		const char *name, *key, *signature;
	} expected[] = {
		{"rsa-1024", "RSA_1024", "SHA256WITHRSA"},
		{"rsa-2048", "RSA_2048", "SHA256WITHRSA"},
		{"rsa-3072", "RSA_3072", "SHA256WITHRSA"},
		{"rsa-4096", "RSA_4096", "SHA256WITHRSA"},
		{"rsa-1536", "RSA_1536", "SHA256WITHRSA"},
		{"rsa-2050", "RSA_2050", "SHA256WITHRSA"},
		{"ec-prime256v1", "EC_prime256v1", "SHA256WITHECDSA"},
		{"ec-secp384r1", "EC_secp384r1", "SHA256WITHECDSA"},
		{"ec-secp521r1", "EC_secp521r1", "SHA256WITHECDSA"},
		{"ec-secp256k1", "EC_secp256k1", "SHA256WITHECDSA"},
		{"ec-brainpoolP256r1", "EC_brainpoolP256r1", "SHA256WITHECDSA"},
		{"ec-explicit", "EC_explicit", "SHA256WITHECDSA"},
		{"ed25519", "Ed25519", "ED25519"},
		{"ed448", "1.3.101.113", "ED448"},
		{"rsa-pss", "1.2.840.113549.1.1.10", "rsassaPss"},
		{"sha1", "RSA_2048", "SHA1WITHRSA"},
		{"sha384", "RSA_2048", "SHA384WITHRSA"},
		{"sha512-ecdsa", "EC_prime256v1", "SHA512WITHECDSA"},
		{"signature-unknown", "EC_prime256v1", "1.3.6.1.4.1.99999.3"},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct x509_facts facts = load(expected[i].name);
		assert_string_equal(facts.key_algorithm, expected[i].key);
		assert_string_equal(facts.signature_algorithm, expected[i].signature);
		x509_facts_clear(&facts);
	}
}

static void usages_have_the_names_that_aws_uses(void **state)
{
	(void)state;
	static const char *const expected[] = {"TLS_WEB_SERVER_AUTHENTICATION",
		"TLS_WEB_CLIENT_AUTHENTICATION", "CODE_SIGNING", "EMAIL_PROTECTION",
		"TIME_STAMPING", "OCSP_SIGNING", "IPSEC_END_SYSTEM", "IPSEC_TUNNEL", "IPSEC_USER",
		"ANY", "1.3.6.1.4.1.99999.2"};
	struct x509_facts facts = load("usages");
	assert_int_equal(facts.key_usage, 0x1ff);
	assert_int_equal(facts.ext_key_usage_count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < facts.ext_key_usage_count; i++)
		assert_string_equal(facts.ext_key_usage[i], expected[i]);
	x509_facts_clear(&facts);

	facts = load("usages-server");
	assert_int_equal(facts.key_usage, X509_KU_DIGITAL_SIGNATURE);
	assert_false(facts.is_ca);
	x509_facts_clear(&facts);
}

static void assert_san(const struct x509_san *san, enum x509_san_kind kind, const char *text)
{
	assert_int_equal(san->kind, kind);
	assert_string_equal(san->text, text);
}

static void alternative_names_of_every_kind_are_read(void **state)
{
	(void)state;
	struct x509_facts facts = load("san-kinds");
	assert_int_equal(facts.san_count, 8);
	assert_san(&facts.san[0], X509_SAN_DNS, "kinds.example.com");
	assert_san(&facts.san[1], X509_SAN_IP, "192.0.2.17");
	assert_san(&facts.san[2], X509_SAN_IP, "2001:db8::17");
	assert_san(&facts.san[3], X509_SAN_IP, "::1");
	assert_san(&facts.san[4], X509_SAN_EMAIL, "pki@example.com");
	assert_san(&facts.san[5], X509_SAN_URI, "spiffe://example.com/ns/prod");
	assert_san(&facts.san[6], X509_SAN_OTHER, "name8:#2a0304");
	assert_san(&facts.san[7], X509_SAN_OTHER, "othername:1.3.6.1.4.1.311.20.2.3");
	x509_facts_clear(&facts);

	facts = load("san-wildcard");
	assert_int_equal(facts.san_count, 3);
	assert_san(&facts.san[0], X509_SAN_DNS, "*.example.com");
	x509_facts_clear(&facts);

	facts = load("san-100");
	assert_int_equal(facts.san_count, 100);
	assert_san(&facts.san[99], X509_SAN_DNS, "host-100.example.com");
	x509_facts_clear(&facts);
}

static void odd_alternative_names_are_shown_without_being_believed(void **state)
{
	(void)state;
	struct x509_facts facts = load("san-directory");
	assert_int_equal(facts.san_count, 3);
	assert_san(&facts.san[0], X509_SAN_OTHER, "DirName:CN=directory");
	assert_san(&facts.san[1], X509_SAN_OTHER, "IP:#0a000001ff");
	assert_san(&facts.san[2], X509_SAN_DNS, "evil\\x5cx00name");
	x509_facts_clear(&facts);
}

static void names_of_every_string_type_become_utf8(void **state)
{
	(void)state;
	struct x509_facts facts = load("subject-t61");
	assert_string_equal(facts.subject, "CN=t61.example.com,O=B\xc3\xa4"
					   "ckerei M\xc3\xbcller");
	x509_facts_clear(&facts);
	facts = load("subject-bmp");
	assert_true(text_has_prefix(facts.subject, "CN=bmp.example.com,O=\xe4\xbe\x8b"));
	x509_facts_clear(&facts);
	facts = load("name-universal");
	assert_true(text_has_suffix(facts.issuer, "\xf0\x90\x8d\x88")); /* above the BMP */
	x509_facts_clear(&facts);
	facts = load("name-bitstring");
	assert_string_equal(facts.issuer, "O=#0303000102");
	assert_string_equal(facts.subject, "");
	x509_facts_clear(&facts);
}

static void the_last_common_name_counts(void **state)
{
	(void)state;
	struct x509_facts facts = load("subject-two-cns");
	assert_string_equal(facts.common_name, "last.example.com");
	x509_facts_clear(&facts);
	facts = load("subject-none");
	assert_string_equal(facts.common_name, "");
	assert_string_equal(facts.subject, "");
	assert_int_equal(facts.san_count, 1);
	x509_facts_clear(&facts);
}

static void serials_are_compared_as_numbers(void **state)
{
	(void)state;
	assert_true(x509_is_same_serial("0fac", "0FAC"));
	assert_true(x509_is_same_serial("000fac", "fac"));
	assert_true(x509_is_same_serial("00", "0"));
	assert_false(x509_is_same_serial("0fac", "0fad"));
	assert_false(x509_is_same_serial("0fac", "facf"));
	assert_false(x509_is_same_serial("-0fac", "0fac"));
}

static void serials_are_whole_octets_of_the_magnitude(void **state)
{
	(void)state;
	static const char *const expected[][2] = {
		{"serial-leading-nibble", "0fac17"},
		{"serial-high-bit", "8fac17"},
		{"serial-zero", "00"},
		{"serial-negative-one", "-01"},
		{"serial-negative", "-0100"},
		{"serial-20-octets", "ff00112233445566778899aabbccddeeff001122"},
		{"serial-32-octets",
			"7f00112233445566778899aabbccddeeff00112233445566778899aabbccddee"},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct x509_facts facts = load(expected[i][0]);
		assert_string_equal(facts.serial, expected[i][1]);
		x509_facts_clear(&facts);
	}
}

/* -129 needs two octets, and its magnitude one. */
static void a_negative_serial_is_as_short_as_its_magnitude(void **state)
{
	(void)state;
	size_t len;
	unsigned char *der = load_der("serial-leading-nibble", &len);
	unsigned char *serial = memmem(der, len, "\x02\x03\x0f\xac\x17", 5);
	struct x509_facts facts;
	struct err err = ERR_INIT;
	assert_non_null(serial);
	memcpy(serial + 2, "\xff\x7f\x00", 3);
	assert_int_equal(x509_facts_from_der(der, len, &facts, &err), 0);
	assert_string_equal(facts.serial, "-8100");
	x509_facts_clear(&facts);
	free(der);
}

static void versions_are_counted_from_one(void **state)
{
	(void)state;
	struct x509_facts facts = load("version-1");
	assert_int_equal(facts.version, 1);
	x509_facts_clear(&facts);
	size_t len;
	unsigned char *der = load_der("ocsp-1001", &len);
	unsigned char *version = memmem(der, len, "\xa0\x03\x02\x01\x02", 5);
	assert_non_null(version);
	for (unsigned number = 0; number < 256; number++) {
		struct err err = ERR_INIT;
		version[4] = (unsigned char)number;
		assert_int_equal(x509_facts_from_der(der, len, &facts, &err), 0);
		assert_int_equal(facts.version, number < 3 ? number + 1 : 0);
		assert_int_equal(facts.ocsp_url_len, 1001);
		x509_facts_clear(&facts);
	}
	free(der);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void assert_refused(const char *name, enum err_kind kind, const char *text)
{
	struct err err = ERR_INIT;
	struct x509_facts facts = {.serial = "untouched"};
	size_t len;
	unsigned char *der = load_der(name, &len);
	assert_int_equal(x509_facts_from_der(der, len, &facts, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.text, text));
	assert_string_equal(facts.serial, "untouched");
	free(der);
}

static void what_is_over_a_limit_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused("serial-33-octets", ERR_LIMIT, "33 octets");
	assert_refused("san-4097", ERR_LIMIT, "4096 subject alternative names");

	struct err err = ERR_INIT;
	struct x509_facts facts = {.serial = ""};
	unsigned char *zeros = xcalloc(1, X509_DER_MAX + 1);
	assert_int_equal(x509_facts_from_der(zeros, X509_DER_MAX + 1, &facts, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	free(zeros);
}

static void an_extension_that_stands_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("san-twice", ERR_PROTOCOL, "2.5.29.17 stands twice");
}

static void a_certificate_cut_anywhere_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = {
		"san-kinds", "usages", "rsa-2048", "subject-multivalued", "dates-9999", "ed25519"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len;
		unsigned char *der = load_der(names[i], &len);
		for (size_t cut = 0; cut < len; cut++) {
			struct err err = ERR_INIT;
			struct x509_facts facts = {.serial = ""};
			unsigned char *part = xmalloc(cut > 0 ? cut : 1); /* exact, for ASan */
			memcpy(part, der, cut);
			assert_int_equal(x509_facts_from_der(part, cut, &facts, &err), -1);
			assert_int_equal(err.kind, ERR_PROTOCOL);
			free(part);
		}
		free(der);
	}
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
	(void)state;
	size_t len;
	unsigned char *der = load_der("rsa-2048", &len);
	unsigned char *longer = xcalloc(1, len + 1);
	memcpy(longer, der, len);
	struct err err = ERR_INIT;
	struct x509_facts facts = {.serial = ""};
	assert_int_equal(x509_facts_from_der(longer, len + 1, &facts, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	free(longer);
	free(der);
}

/* Each flipped bit gives facts or a clean error; texts stay what everyone may rely on. */
static void a_flipped_bit_gives_facts_or_a_clean_error(void **state)
{
	(void)state;
	static const char *const names[] = {
		"san-kinds", "usages", "subject-bmp", "subject-multivalued", "dates-9999"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len;
		unsigned char *der = load_der(names[i], &len);
		for (size_t bit = 0; bit < len * 8; bit++) {
			struct err err = ERR_INIT;
			struct x509_facts facts = {.serial = ""};
			der[bit / 8] ^= (unsigned char)(1 << bit % 8);
			if (x509_facts_from_der(der, len, &facts, &err) == 0) {
				assert_true(text_is_utf8(facts.subject, strlen(facts.subject)));
				assert_true(text_is_utf8(facts.issuer, strlen(facts.issuer)));
				x509_facts_clear(&facts);
			} else {
				assert_true(err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
				assert_true(err.text[0] != '\0');
			}
			der[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		free(der);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_facts_are_what_the_openssl_program_prints),
		cmocka_unit_test(all_facts_are_what_the_openssl_api_says),
		cmocka_unit_test(keys_and_signatures_have_the_names_that_aws_uses),
		cmocka_unit_test(usages_have_the_names_that_aws_uses),
		cmocka_unit_test(alternative_names_of_every_kind_are_read),
		cmocka_unit_test(odd_alternative_names_are_shown_without_being_believed),
		cmocka_unit_test(names_of_every_string_type_become_utf8),
		cmocka_unit_test(the_last_common_name_counts),
		cmocka_unit_test(serials_are_compared_as_numbers),
		cmocka_unit_test(serials_are_whole_octets_of_the_magnitude),
		cmocka_unit_test(a_negative_serial_is_as_short_as_its_magnitude),
		cmocka_unit_test(versions_are_counted_from_one),
		cmocka_unit_test(what_is_over_a_limit_is_refused_by_name),
		cmocka_unit_test(an_extension_that_stands_twice_is_refused),
		cmocka_unit_test(a_certificate_cut_anywhere_is_refused),
		cmocka_unit_test(bytes_behind_a_certificate_are_refused),
		cmocka_unit_test(a_flipped_bit_gives_facts_or_a_clean_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
