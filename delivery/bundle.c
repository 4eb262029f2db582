/* Which certificate is the leaf, and whether ACM would take it. */
#include "delivery/bundle.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/bundle_internal.h"
#include "delivery/import_rules.h"

enum { NOTE_MAX = 512, CERTIFICATE_PEM_MAX = 32768 };

void bundle_note(struct bundle *bundle, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list args;
	if (bundle->note_count == BUNDLE_NOTES_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut */
	va_end(args);
	for (size_t i = 0; i < bundle->note_count; i++)
		if (strcmp(bundle->note[i], text) == 0)
			return;
	bundle->note[bundle->note_count++] = xstrdup(text);
}

int bundle_fail(struct err *err, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)err_vset(err, ERR_CONFIG, format, args);
	va_end(args);
	return err_set_code(err, code);
}

/* --- the leaf --------------------------------------------------------------------------------- */

static int leaf_of_key(const struct bundle_material *material, size_t *ret_leaf, struct err *err)
{
	for (size_t i = 0; i < material->count; i++) {
		EVP_PKEY *public = X509_get0_pubkey(material->item[i].x509);
		if (public == NULL || EVP_PKEY_eq(public, material->key) != 1)
			continue;
		ERR_clear_error();
		*ret_leaf = i;
		return 0;
	}
	ERR_clear_error();
	return bundle_fail(err, "wrong_key",
		"the key does not belong to the certificate: they have different public keys; "
		"give the one that it was requested with");
}

static int leaf_without_key(
	const struct bundle_material *material, size_t *ret_leaf, struct err *err)
{
	size_t leaves = 0;
	for (size_t i = 0; i < material->count; i++) {
		const struct x509_facts *facts = &material->item[i].der.facts;
		if (facts->is_ca)
			continue;
		*ret_leaf = i;
		leaves++;
	}
	if (leaves == 0 && material->count == 1) {
		*ret_leaf = 0;
		return 0;
	}
	return leaves == 1
		       ? 0
		       : bundle_fail(err, "input",
				 "expected one certificate that is not a CA's, found %zu", leaves);
}

static int choose_leaf(const struct bundle_material *material, bool key_required, size_t *ret_leaf,
	struct err *err)
{
	if (material->count == 0)
		return bundle_fail(err, "input", "no certificate was given");
	if (key_required && material->key == NULL)
		return bundle_fail(err, "input",
			"no private key was given: give its file, or a PKCS#12 file that was "
			"exported with it");
	return material->key != NULL ? leaf_of_key(material, ret_leaf, err)
				     : leaf_without_key(material, ret_leaf, err);
}

/* --- what ACM takes --------------------------------------------------------------------------- */

static int check_validity(const struct x509_facts *facts, int64_t now_s, struct err *err)
{
	char time[TEXT_TIME_MAX], now[TEXT_TIME_MAX];
	if (now_s > facts->not_after_s) {
		return bundle_fail(err, "expired",
			"the certificate expired on %s: give one that is valid now (%s)",
			text_format_time(facts->not_after_s, time), text_format_time(now_s, now));
	}
	if (now_s < facts->not_before_s) {
		return bundle_fail(err, "not_yet_valid",
			"the certificate is not valid before %s, and now it is %s",
			text_format_time(facts->not_before_s, time), text_format_time(now_s, now));
	}
	return 0;
}

static int check_algorithms(const struct x509_facts *facts, struct err *err)
{
	const char *signature = facts->signature_algorithm;
	if (!import_rules_take_key(facts->key_algorithm))
		return bundle_fail(err, "key_type",
			"ACM takes no %s keys: RSA of 1024, 2048, 3072 or 4096 bits, or EC P-256, "
			"P-384, P-521",
			facts->key_algorithm);
	bool is_usual =
		text_has_prefix(signature, "SHA") &&
		(text_has_suffix(signature, "WITHRSA") || text_has_suffix(signature, "WITHECDSA"));
	return is_usual ? 0
			: bundle_fail(err, "signature",
				  "ACM takes no certificates that are signed with %s", signature);
}

static int check_names(const struct x509_facts *facts, struct err *err)
{
	bool has_name = facts->common_name[0] != '\0' && strchr(facts->common_name, '.') != NULL;
	for (size_t i = 0; i < facts->san_count; i++)
		has_name |= facts->san[i].kind == X509_SAN_DNS || facts->san[i].kind == X509_SAN_IP;
	return has_name ? 0
			: bundle_fail(err, "names",
				  "the certificate names neither a domain nor an IP address");
}

_Static_assert(X509_DER_MAX / 2 * 3 * BUNDLE_CHAIN_MAX <= X509_PEM_MAX,
	"as PEM any chain is as small as ACM wants it");

static int check_size(const struct bundle *bundle, struct err *err)
{
	struct buf pem;
	buf_init(&pem, X509_PEM_MAX);
	x509_pem_add(&pem, bundle->leaf.bytes, bundle->leaf.len);
	size_t len = pem.len;
	buf_clear(&pem);
	return len <= CERTIFICATE_PEM_MAX
		       ? 0
		       : bundle_fail(err, "size", "the certificate takes %zu bytes as PEM, ACM %d",
				 len, CERTIFICATE_PEM_MAX);
}

/* --- the key ---------------------------------------------------------------------------------- */

/* PKCS#8, a named curve, nothing around it. */
static int write_key(EVP_PKEY *key, struct secret *ret_pem, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		(void)EVP_PKEY_set_utf8_string_param(
			key, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP);
	int rc = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 ? 0 : -1;
	long len = BIO_get_mem_data(bio, &text);
	if (rc != 0 || len <= 0)
		rc = bundle_fail(err, "input", "the key cannot be written as PKCS#8");
	else if (len > BUNDLE_KEY_MAX)
		rc = bundle_fail(
			err, "size", "the key takes %ld bytes as PEM, ACM %d", len, BUNDLE_KEY_MAX);
	else
		secret_set(ret_pem, text, (size_t)len);
	BIO_free(bio); /* wipes */
	ERR_clear_error();
	return rc;
}

/* --- public ----------------------------------------------------------------------------------- */

static int judge(const struct bundle *bundle, const struct bundle_input *input, struct err *err)
{
	const struct x509_facts *facts = &bundle->leaf.facts;
	if (check_validity(facts, input->now_s, err) != 0 || check_algorithms(facts, err) != 0 ||
		check_names(facts, err) != 0)
		return -1;
	return check_size(bundle, err);
}

int bundle_read(const struct bundle_input *input, bool key_required, struct bundle *ret_bundle,
	struct err *err)
{
	struct bundle_material material = {.count = 0};
	struct bundle bundle = {.chain_count = 0};
	size_t leaf = 0;
	int rc = bundle_collect(input, &material, &bundle, err);
	if (rc == 0)
		rc = choose_leaf(&material, key_required, &leaf, err);
	if (rc == 0)
		rc = bundle_order(&material, leaf, input->keep_root, &bundle, err);
	if (rc == 0)
		rc = judge(&bundle, input, err);
	if (rc == 0 && material.key != NULL)
		rc = write_key(material.key, &bundle.key_pem, err);
	bundle_material_clear(&material);
	if (rc != 0) {
		bundle_clear(&bundle);
		return -1;
	}
	(void)text_copy(bundle.key_algorithm, sizeof(bundle.key_algorithm),
		bundle.leaf.facts.key_algorithm);
	*ret_bundle = bundle;
	return 0;
}

static void clear_der(struct bundle_der *der)
{
	free(der->bytes);
	x509_facts_clear(&der->facts);
}

void bundle_clear(struct bundle *bundle)
{
	clear_der(&bundle->leaf);
	for (size_t i = 0; i < bundle->chain_count; i++)
		clear_der(&bundle->chain[i]);
	for (size_t i = 0; i < bundle->note_count; i++)
		free(bundle->note[i]);
	secret_clear(&bundle->key_pem);
	*bundle = (struct bundle){.chain_count = 0};
}

void bundle_chain_pem(const struct bundle *bundle, struct buf *to)
{
	for (size_t i = 0; i < bundle->chain_count; i++)
		x509_pem_add(to, bundle->chain[i].bytes, bundle->chain[i].len);
}
