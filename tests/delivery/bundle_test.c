/* What ACM does not take is refused by its code, and what is too much. */
#include "delivery/bundle.h"

#include <openssl/pem.h>
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
#include "base/mem.h"
#include "tests/delivery/bundle_fixture.h"
#include "tests/lib/make_pki.h"

static void time_is_told(void **state)
{
	(void)state;
	struct given given = *GIVEN(leaf_pem, middle_pem, leaf_key, NULL);
	given.now_s = NOW_S + 90 * DAY_S;
	bundle_expect_leaf(&given, 0);
	given.now_s++;
	bundle_expect_refused(&given, "expired",
		"expired on 2027-02-19T00:00:00Z: give one that is valid now (2027-02-19T00:00:01Z)");
	given.now_s = NOW_S - DAY_S;
	bundle_expect_leaf(&given, 0);
	given.now_s--;
	bundle_expect_refused(&given, "not_yet_valid",
		"not valid before 2026-11-20T00:00:00Z, and now it is 2026-11-19T23:59:59Z");
}

static void a_chain_of_strangers_is_refused(void **state)
{
	(void)state;
	char *some = bundle_join(middle_pem, stranger_pem, "");
	bundle_expect_refused(GIVEN(leaf_pem, stranger_pem, leaf_key, NULL), "chain",
		"lacks the issuer of the certificate, CN=Test Middle");
	bundle_expect_refused(GIVEN(leaf_pem, root_pem, leaf_key, NULL), "chain", "CN=Test Middle");
	bundle_expect_refused(GIVEN(leaf_pem, NULL, leaf_key, NULL), "chain", "CN=Test Middle");
	struct bundle bundle = bundle_take(GIVEN(leaf_pem, some, leaf_key, NULL));
	assert_int_equal(bundle.chain_count, 1);
	assert_true(bundle_has_note(&bundle, "CN=Stranger is not in the chain"));
	bundle_clear(&bundle);
	free(some);
}

static void a_key_in_the_chain_is_told_and_not_used(void **state)
{
	struct bundle bundle;
	struct err err = ERR_INIT;
	char *chain = bundle_join(middle_pem, rsa_key, "");
	char *all = bundle_join(leaf_pem, middle_pem, leaf_key);
	(void)state;
	assert_int_equal(bundle_ask(GIVEN(leaf_pem, chain, leaf_key, NULL), &bundle, &err), 0);
	assert_true(
		bundle_has_note(&bundle, "the chain has a private key in it, which was not used"));
	bundle_clear(&bundle);
	/* One file, named for everything. */
	assert_int_equal(bundle_ask(GIVEN(all, all, leaf_key, NULL), &bundle, &err), 0);
	assert_false(bundle_has_note(&bundle, "private key"));
	bundle_clear(&bundle);
	/* Two files of the same length. */
	char *other = bundle_join(middle_pem, leaf_pem, leaf_key);
	assert_int_equal(bundle_ask(GIVEN(all, other, leaf_key, NULL), &bundle, &err), 0);
	assert_true(bundle_has_note(&bundle, "the chain has a private key in it"));
	bundle_clear(&bundle);
	free(other);
	/* It is no key of the certificate either. */
	char *own = bundle_join(middle_pem, leaf_key, "");
	assert_int_equal(bundle_ask(GIVEN(leaf_pem, own, NULL, NULL), &bundle, &err), -1);
	assert_string_equal(err.code, "input");
	assert_non_null(strstr(err.text, "no private key was given"));
	free(chain);
	free(all);
	free(own);
}

/* Same name, another key: the signature decides. */
static void an_issuer_of_the_same_name_is_not_the_issuer(void **state)
{
	(void)state;
	struct pki twin = bundle_make("Test Middle", true, NULL, &root);
	char *twin_pem = pki_pem(&twin);
	char *both = bundle_join(twin_pem, middle_pem, "");
	bundle_expect_refused(GIVEN(leaf_pem, twin_pem, leaf_key, NULL), "chain", "lacks");
	bundle_expect_leaf(GIVEN(leaf_pem, both, leaf_key, NULL), 1);
	free(twin_pem);
	free(both);
	pki_clear(&twin);
}

static void a_chain_without_its_root_is_taken_as_it_is(void **state)
{
	(void)state;
	struct pki low = bundle_make("Test Low", true, NULL, &middle);
	struct pki end = bundle_make("www.example.com", false, NULL, &low);
	char *low_pem = pki_pem(&low), *pem = pki_pem(&end), *key = pki_key_pem(&end);
	char *chain = bundle_join(middle_pem, low_pem, "");
	struct bundle bundle = bundle_take(GIVEN(pem, chain, key, NULL));
	assert_int_equal(bundle.chain_count, 2);
	bundle_assert_der(&bundle.chain[0], &low);
	bundle_assert_der(&bundle.chain[1], &middle);
	assert_int_equal(bundle.note_count, 0);
	bundle_clear(&bundle);
	free(low_pem);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&low);
	pki_clear(&end);
}

/* A CA's new key, signed by its old one: the same name above and below, and no root. */
static void a_ca_with_a_new_key_is_not_its_own_issuer(void **state)
{
	(void)state;
	struct pki renewed = bundle_make("Stranger", true, NULL, &stranger);
	struct pki end = bundle_make("www.example.com", false, NULL, &renewed);
	char *renewed_pem = pki_pem(&renewed), *pem = pki_pem(&end), *key = pki_key_pem(&end);
	char *chain = bundle_join(renewed_pem, stranger_pem, "");
	struct bundle bundle =
		bundle_take(&(struct given){pem, chain, key, NULL, .keep_root = true});
	assert_int_equal(bundle.chain_count, 2);
	bundle_assert_der(&bundle.chain[0], &renewed);
	bundle_assert_der(&bundle.chain[1], &stranger);
	bundle_clear(&bundle);
	free(renewed_pem);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&renewed);
	pki_clear(&end);
}

static void as_many_notes_are_told_as_fit(void **state)
{
	(void)state;
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	buf_add_text(&chain, middle_pem);
	for (int i = 0; i <= BUNDLE_NOTES_MAX; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "Stranger %d", i);
		struct pki one = bundle_make(name, true, NULL, NULL);
		char *pem = pki_pem(&one);
		buf_add_text(&chain, pem);
		free(pem);
		pki_clear(&one);
	}
	bundle_expect_leaf(GIVEN(leaf_pem, buf_text(&chain), leaf_key, NULL), BUNDLE_NOTES_MAX);
	buf_clear(&chain);
}

static void a_chain_of_too_many_is_refused(void **state)
{
	(void)state;
	struct pki link[BUNDLE_CHAIN_MAX + 2];
	struct buf chain;
	char *pem = NULL, *key = NULL;
	enum { LINKS = BUNDLE_CHAIN_MAX + 1 };
	buf_init(&chain, X509_PEM_MAX);
	for (int i = 0; i < LINKS; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "CA %d", i);
		link[i] = bundle_make(name, true, NULL, i > 0 ? &link[i - 1] : NULL);
		pem = pki_pem(&link[i]);
		buf_add_text(&chain, pem);
		free(pem);
	}
	link[LINKS] = bundle_make("www.example.com", false, NULL, &link[LINKS - 1]);
	pem = pki_pem(&link[LINKS]);
	key = pki_key_pem(&link[LINKS]);
	bundle_expect_refused(GIVEN(pem, buf_text(&chain), key, NULL), "chain", "more than 16");
	for (int i = 0; i <= LINKS; i++)
		pki_clear(&link[i]);
	buf_clear(&chain);
	free(pem);
	free(key);
}

static void expect_made_refused(
	const struct pki_spec *spec, const struct pki *by, const char *code, const char *says)
{
	struct pki_spec valid = *spec;
	valid.not_before_s = NOW_S - DAY_S;
	valid.not_after_s = NOW_S + DAY_S;
	struct pki made = pki_make(&valid, by);
	char *pem = pki_pem(&made), *key = pki_key_pem(&made);
	char *chain = by != NULL ? pki_pem(by) : xstrdup("");
	bundle_expect_refused(GIVEN(pem, chain, key, NULL), code, says);
	free(pem);
	free(key);
	free(chain);
	pki_clear(&made);
}

static void keys_and_signatures_that_acm_does_not_know_are_refused(void **state)
{
	(void)state;
	static const char *const keys[] = {"Ed25519", "EC_secp256k1", "RSA_1536"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		expect_made_refused(&(struct pki_spec){.common_name = "www.example.com",
					    .key_algorithm = keys[i]},
			&middle, "key_type", keys[i]);
	struct pki ed = bundle_make("Ed CA", true, "Ed25519", NULL);
	expect_made_refused(
		&(struct pki_spec){.common_name = "www.example.com"}, &ed, "signature", "ED25519");
	pki_clear(&ed);
}

static void certificates_without_a_name_are_refused(void **state)
{
	(void)state;
	expect_made_refused(
		&(struct pki_spec){.common_name = "Accounting"}, &middle, "names", "neither");
	expect_made_refused(
		&(struct pki_spec){.sans = "email:a@example.com"}, &middle, "names", "neither");
	struct pki address = pki_make(&(struct pki_spec){.sans = "IP:192.0.2.1",
					      .not_before_s = NOW_S - DAY_S,
					      .not_after_s = NOW_S + DAY_S},
		&middle);
	char *pem = pki_pem(&address), *key = pki_key_pem(&address);
	struct bundle bundle = bundle_take(GIVEN(pem, middle_pem, key, NULL));
	bundle_clear(&bundle);
	free(pem);
	free(key);
	pki_clear(&address);
}

static void sizes_have_limits(void **state)
{
	(void)state;
	struct buf names;
	buf_init(&names, 1 << 20);
	for (int i = 0; i < 1000; i++)
		buf_addf(&names, "%sDNS:host-%06d.example.com", i > 0 ? "," : "", i);
	expect_made_refused(
		&(struct pki_spec){.sans = buf_text(&names)}, &middle, "size", "as PEM, ACM 32768");
	buf_clear(&names);
	char *text = xmalloc(BUNDLE_INPUT_MAX + 2);
	memset(text, 'x', BUNDLE_INPUT_MAX + 1);
	text[BUNDLE_INPUT_MAX + 1] = '\0';
	bundle_expect_refused(
		GIVEN(leaf_pem, text, leaf_key, NULL), "size", "the chain is larger than");
	bundle_expect_refused(
		GIVEN(text, NULL, leaf_key, NULL), "size", "the certificate is larger than");
	free(text);
}

static void too_many_certificates_are_refused(void **state)
{
	(void)state;
	struct buf chain;
	buf_init(&chain, X509_PEM_MAX);
	for (int i = 0; i < 64; i++) {
		struct pki one = bundle_make("Stranger", true, NULL, NULL);
		char *pem = pki_pem(&one);
		buf_add_text(&chain, pem);
		free(pem);
		pki_clear(&one);
	}
	bundle_expect_refused(GIVEN(leaf_pem, buf_text(&chain), leaf_key, NULL), "input",
		"more than 64 certificates");
	buf_clear(&chain);
}

static void what_is_no_certificate_is_refused(void **state)
{
	(void)state;
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	bundle_expect_refused(GIVEN(NULL, NULL, leaf_key, NULL), "input", "no certificate");
	bundle_expect_refused(GIVEN("", "", leaf_key, NULL), "input", "no certificate");
	bundle_expect_refused(GIVEN(NULL, NULL, NULL, NULL), "input", "no certificate");
	bundle_expect_refused(GIVEN("!", NULL, leaf_key, NULL), "input",
		"the certificate: it is neither PEM nor DER");
	bundle_expect_refused(GIVEN("rubbish", NULL, leaf_key, NULL), "input",
		"the certificate: it is neither PEM nor DER");
	bundle_expect_refused(GIVEN(leaf_pem, "rubbish", leaf_key, NULL), "input",
		"the chain: it is neither PEM nor DER");
	bundle_expect_refused(GIVEN(leaf_key, NULL, leaf_key, NULL), "input",
		"the certificate: no certificate is in it, but a private key");
	bundle_expect_refused(GIVEN(broken, NULL, leaf_key, NULL), "input", "");
	bundle_expect_refused(GIVEN(leaf_pem, broken, leaf_key, NULL), "input", "");
}

/* The leaf with one byte of its DER changed: that behind the last of these bytes. */
static char *leaf_with(const char *bytes, size_t len, unsigned char changed)
{
	unsigned char *der = NULL, *last = NULL;
	struct buf pem;
	size_t size = (size_t)i2d_X509(leaf.x509, &der);
	for (unsigned char *at = der; at + len < der + size; at++)
		if (memcmp(at, bytes, len) == 0)
			last = at;
	assert_non_null(last);
	last[len] = changed;
	buf_init(&pem, X509_PEM_MAX);
	x509_pem_add(&pem, der, size);
	char *text = xstrdup(buf_text(&pem));
	buf_clear(&pem);
	OPENSSL_free(der);
	return text;
}

/* What the inventory can read of a certificate is less than what delivery has to. */
static void what_openssl_cannot_read_is_refused(void **state)
{
	(void)state;
	static const char curve[] = "\x2a\x86\x48\xce\x3d\x03\x01",
			  algorithm[] = "\x04\x03\x02\x03";
	char *of_a_curve = leaf_with(curve, sizeof(curve) - 1, 0x7f);
	char *of_no_curve = leaf_with(algorithm, sizeof(algorithm) - 1, 0x70);
	bundle_expect_refused(GIVEN(of_a_curve, middle_pem, leaf_key, NULL), "wrong_key", "");
	bundle_expect_refused(GIVEN(of_no_curve, middle_pem, leaf_key, NULL), "input", "");
	free(of_a_curve);
	free(of_no_curve);
}

/* Whatever is cut off, the answer is a whole bundle or a refusal with a code. */
static void truncation_at_every_byte_is_an_answer(void **state)
{
	(void)state;
	char *all = bundle_join(leaf_key, leaf_pem, middle_pem);
	for (size_t len = 0; len <= strlen(all); len++) {
		struct err err = ERR_INIT;
		struct bundle bundle;
		char *cut = xmalloc(len + 1); /* the sanitizer sees a read too many */
		memcpy(cut, all, len);
		struct bundle_input input = {
			.certificate = cut, .certificate_len = len, .now_s = NOW_S};
		if (bundle_read(&input, true, &bundle, &err) == 0) {
			bundle_assert_der(&bundle.leaf, &leaf);
			assert_int_equal(bundle.chain_count, 1);
			bundle_clear(&bundle);
		} else {
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_string_not_equal(err.code, "");
		}
		free(cut);
	}
	free(all);
}

static void clearing_twice_is_fine(void **state)
{
	(void)state;
	struct bundle bundle = bundle_take(GIVEN(leaf_pem, middle_pem, leaf_key, NULL));
	bundle_clear(&bundle);
	bundle_clear(&bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_told),
		cmocka_unit_test(a_chain_of_strangers_is_refused),
		cmocka_unit_test(a_key_in_the_chain_is_told_and_not_used),
		cmocka_unit_test(an_issuer_of_the_same_name_is_not_the_issuer),
		cmocka_unit_test(a_chain_without_its_root_is_taken_as_it_is),
		cmocka_unit_test(a_ca_with_a_new_key_is_not_its_own_issuer),
		cmocka_unit_test(as_many_notes_are_told_as_fit),
		cmocka_unit_test(a_chain_of_too_many_is_refused),
		cmocka_unit_test(keys_and_signatures_that_acm_does_not_know_are_refused),
		cmocka_unit_test(certificates_without_a_name_are_refused),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(too_many_certificates_are_refused),
		cmocka_unit_test(what_is_no_certificate_is_refused),
		cmocka_unit_test(what_openssl_cannot_read_is_refused),
		cmocka_unit_test(truncation_at_every_byte_is_an_answer),
		cmocka_unit_test(clearing_twice_is_fine),
	};
	return cmocka_run_group_tests(tests, bundle_fixture_set_up, bundle_fixture_tear_down);
}
