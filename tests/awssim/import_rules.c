/* The rules of import_rules.h: what each blob must be, how they fit, what they may replace. */
#include "tests/awssim/import_rules.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/awssim/import_pem.h"

enum { OCSP_URL_MAX = 1000, VERSION_3 = 2 };

static const char invalid[] = "ValidationException";
static const char more_than_one[] = "The certificate field contains more than one certificate. You "
				    "can specify only one certificate in this field.";
static const char bad_chain[] = "Could not validate the certificate with the certificate chain.";
static const char not_self_signed[] =
	"Provided certificate is not a valid self signed. Please provide either a valid self-signed "
	"certificate or certificate chain.";

static bool refuse(struct import_refusal *ret_why, const char *code, const char *message)
{
	ret_why->code = code;
	snprintf(ret_why->message, sizeof(ret_why->message), "%s", message);
	return false;
}

/* NULL: not one certificate, whole and alone. */
static X509 *parse_x509(const struct pem_block *block)
{
	if (strcmp(block->label, "CERTIFICATE") != 0 || block->has_headers)
		return NULL;
	const unsigned char *at = (const unsigned char *)block->der.data;
	const unsigned char *end = at + block->der.len;
	X509 *x509 = d2i_X509(NULL, &at, (long)block->der.len);
	if (x509 != NULL && at != end) {
		X509_free(x509);
		return NULL;
	}
	return x509;
}

/* Base64 of a PEM text that was encoded once more by the client. */
static bool is_encoded_twice(struct slice text)
{
	struct out decoded = {0}, digits = {0};
	for (size_t i = 0; i < text.len; i++)
		if (strchr("\r\n ", text.ptr[i]) == NULL || text.ptr[i] == '\0')
			out_char(&digits, text.ptr[i]);
	bool is_twice = digits.len > 0 &&
			base64_decode((struct slice){digits.data, digits.len}, &decoded) &&
			slice_starts((struct slice){decoded.data, decoded.len}, "-----BEGIN");
	out_clear(&decoded);
	out_clear(&digits);
	return is_twice;
}

static X509 *read_leaf(struct slice text, struct import_refusal *ret_why)
{
	struct pem_block block = {0};
	struct slice rest = text;
	X509 *leaf = NULL;
	enum pem_result result = pem_next(&rest, &block);
	if (result == PEM_BLOCK)
		leaf = parse_x509(&block);
	if (leaf != NULL) {
		result = pem_next(&rest, &block);
		if (result != PEM_END) {
			X509_free(leaf);
			leaf = NULL;
			refuse(ret_why, invalid,
				result == PEM_BLOCK ? more_than_one
						    : "The certificate is not in a valid PEM "
						      "format: there is text after it.");
		}
	} else if (is_encoded_twice(text)) {
		refuse(ret_why, invalid, more_than_one);
	} else {
		refuse(ret_why, invalid,
			result == PEM_BLOCK ? "The certificate could not be parsed."
					    : "The certificate is not in a valid PEM format.");
	}
	out_clear(&block.der);
	return leaf;
}

/* False: something else than certificates. An empty chain is one that was given empty. */
static bool read_chain(struct slice text, STACK_OF(X509) * chain, struct import_refusal *ret_why)
{
	struct pem_block block = {0};
	enum pem_result result;
	while ((result = pem_next(&text, &block)) == PEM_BLOCK) {
		X509 *x509 = parse_x509(&block);
		if (x509 == NULL || sk_X509_push(chain, x509) <= 0) {
			result = PEM_BROKEN;
			break;
		}
	}
	out_clear(&block.der);
	if (result == PEM_END && sk_X509_num(chain) > 0)
		return true;
	return refuse(ret_why, invalid, "The certificate chain is not in a valid PEM format.");
}

static EVP_PKEY *decode_key(const struct pem_block *block)
{
	const unsigned char *at = (const unsigned char *)block->der.data;
	const unsigned char *end = at + block->der.len;
	EVP_PKEY *key = NULL;
	if (strcmp(block->label, "RSA PRIVATE KEY") == 0) {
		key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)block->der.len);
	} else if (strcmp(block->label, "EC PRIVATE KEY") == 0) {
		key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, (long)block->der.len);
	} else if (strcmp(block->label, "PRIVATE KEY") == 0) {
		PKCS8_PRIV_KEY_INFO *info =
			d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)block->der.len);
		key = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
		PKCS8_PRIV_KEY_INFO_free(info);
	}
	if (key != NULL && at != end) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static EVP_PKEY *read_key(struct slice text, struct import_refusal *ret_why)
{
	struct pem_block block = {0};
	EVP_PKEY *key = NULL;
	enum key_type type;
	enum pem_result result = pem_next(&text, &block);
	bool is_encrypted = strcmp(block.label, "ENCRYPTED PRIVATE KEY") == 0 || block.has_headers;
	if (result != PEM_BLOCK && !is_encrypted) {
		refuse(ret_why, invalid, "The private key is not in a valid PEM format.");
	} else if (is_encrypted) {
		refuse(ret_why, invalid,
			"The private key is encrypted. The private key must be unencrypted.");
	} else if (strcmp(block.label, "EC PARAMETERS") == 0) {
		refuse(ret_why, invalid,
			"The private key is not in a valid PEM format: EC PARAMETERS is not a key.");
	} else {
		key = decode_key(&block);
		bool is_alone = pem_next(&text, &block) == PEM_END;
		if (key == NULL || !is_alone || !held_key_type(key, &type)) {
			refuse(ret_why, invalid,
				key == NULL || is_alone
					? "The private key is not supported."
					: "The private key field contains more than one key.");
			EVP_PKEY_free(key);
			key = NULL;
		}
	}
	out_clear(&block.der);
	return key;
}

static bool is_now_valid(const X509 *x509, int64_t now_s)
{
	time_t now = (time_t)now_s;
	return X509_cmp_time(X509_get0_notBefore(x509), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(x509), &now) > 0;
}

static bool has_name(const struct held *held)
{
	const char *common = held->common_name;
	bool any = common != NULL && (is_host_name(common) || is_ip_address(common));
	for (size_t i = 0; i < held->dns.count; i++)
		any = any || is_host_name(held->dns.item[i]);
	return any || held->ip.count > 0;
}

static bool has_long_ocsp_url(X509 *leaf)
{
	bool is_long = false;
	AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(leaf, NID_info_access, NULL, NULL);
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(list, i);
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(one->location, &type);
		if (OBJ_obj2nid(one->method) == NID_ad_OCSP && type == GEN_URI &&
			ASN1_STRING_length(value) > OCSP_URL_MAX)
			is_long = true;
	}
	AUTHORITY_INFO_ACCESS_free(list);
	return is_long;
}

/* RSA signs RSA, EC signs EC: seen at the leaf's signature. */
static bool is_signed_by_other_kind(const X509 *leaf, enum key_type type)
{
	const char *name = held_signature_name(leaf);
	bool is_ecdsa = strstr(name, "ECDSA") != NULL;
	return is_ecdsa != (type >= EC_P256);
}

static bool check_leaf(X509 *leaf, int64_t now_s, struct import_refusal *ret_why)
{
	enum key_type type;
	EVP_PKEY *public_key = X509_get0_pubkey(leaf);
	time_t now = (time_t)now_s;
	if (public_key == NULL || !held_key_type(public_key, &type))
		return refuse(
			ret_why, invalid, "The key algorithm of the certificate is not supported.");
	if (held_signature_name(leaf) == NULL)
		return refuse(ret_why, invalid,
			"The signature algorithm of the certificate is not supported.");
	if (X509_get_version(leaf) != VERSION_3)
		return refuse(
			ret_why, invalid, "The certificate is not an X.509 version 3 certificate.");
	if (X509_NAME_entry_count(X509_get_issuer_name(leaf)) == 0)
		return refuse(ret_why, invalid, "The issuer of the certificate is empty.");
	if (X509_cmp_time(X509_get0_notBefore(leaf), &now) >= 0)
		return refuse(ret_why, invalid, "The certificate is not valid yet.");
	if (X509_cmp_time(X509_get0_notAfter(leaf), &now) <= 0)
		return refuse(ret_why, invalid, "The certificate has expired.");
	if (has_long_ocsp_url(leaf))
		return refuse(ret_why, invalid,
			"The OCSP authority URL of the certificate exceeds 1000 characters.");
	if (is_signed_by_other_kind(leaf, type))
		return refuse(ret_why, invalid,
			"The key algorithm of the certificate does not match the key algorithm of the "
			"signing CA.");
	return true;
}

static bool certifies(X509 *issuer, X509 *subject)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	return X509_check_issued(issuer, subject) == X509_V_OK && X509_check_ca(issuer) != 0 &&
	       key != NULL && X509_verify(subject, key) == 1;
}

/* In order, without the leaf, nothing twice, each valid now. The root may be left out. */
static bool check_chain(X509 *leaf, STACK_OF(X509) * chain, int64_t now_s)
{
	X509 *below = leaf;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *above = sk_X509_value(chain, i);
		if (X509_cmp(above, below) == 0 || !certifies(above, below) ||
			!is_now_valid(above, now_s))
			return false;
		below = above;
	}
	return true;
}

static bool check_issuer(
	X509 *leaf, STACK_OF(X509) * chain, int64_t now_s, struct import_refusal *ret_why)
{
	if (chain != NULL)
		return check_chain(leaf, chain, now_s) || refuse(ret_why, invalid, bad_chain);
	bool is_own = X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_issuer_name(leaf)) == 0 &&
		      X509_verify(leaf, X509_get0_pubkey(leaf)) == 1;
	return is_own || refuse(ret_why, invalid, not_self_signed);
}

/* The same public key, and what the key signs the certificate's key verifies. */
static bool is_key_of(EVP_PKEY *key, X509 *leaf)
{
	static const unsigned char text[] = "awssim";
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	if (X509_check_private_key(leaf, key) != 1)
		return false;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		       EVP_DigestSign(context, signature, &len, text, sizeof(text)) == 1 &&
		       EVP_MD_CTX_reset(context) == 1 &&
		       EVP_DigestVerifyInit(
			       context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(leaf)) == 1 &&
		       EVP_DigestVerify(context, signature, len, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(context);
	return is_good;
}

/* All of the request but whether the leaf has a name. Fills what it could read. */
static bool read_all(const struct import_request *request, X509 **leaf, STACK_OF(X509) * *chain,
	EVP_PKEY **key, struct import_refusal *ret_why)
{
	*leaf = read_leaf(request->certificate, ret_why);
	if (*leaf == NULL)
		return false;
	if (request->chain.ptr != NULL) {
		*chain = sk_X509_new_null();
		if (!read_chain(request->chain, *chain, ret_why))
			return false;
	}
	*key = read_key(request->private_key, ret_why);
	if (*key == NULL || !check_leaf(*leaf, request->now_s, ret_why))
		return false;
	if (!is_key_of(*key, *leaf))
		return refuse(ret_why,
			request->mismatch_code != NULL ? request->mismatch_code : invalid,
			"The private key does not match the certificate.");
	return check_issuer(*leaf, *chain, request->now_s, ret_why);
}

struct held *import_read(const struct import_request *request, struct import_refusal *ret_why)
{
	X509 *leaf = NULL;
	STACK_OF(X509) *chain = NULL;
	EVP_PKEY *key = NULL;
	bool ok = read_all(request, &leaf, &chain, &key, ret_why);
	ERR_clear_error();
	if (!ok) {
		X509_free(leaf);
		sk_X509_pop_free(chain, X509_free);
		EVP_PKEY_free(key);
		return NULL;
	}
	struct held *held = held_new(leaf, chain, key);
	if (!has_name(held)) {
		refuse(ret_why, invalid,
			"The certificate must have a fully qualified domain name or an IP address.");
		held_free(held);
		return NULL;
	}
	return held;
}

struct held *import_read_certificate(struct slice pem, struct import_refusal *ret_why)
{
	enum key_type type;
	X509 *leaf = read_leaf(pem, ret_why);
	ERR_clear_error();
	if (leaf == NULL)
		return NULL;
	if (X509_get0_pubkey(leaf) == NULL || !held_key_type(X509_get0_pubkey(leaf), &type)) {
		refuse(ret_why, invalid, "The key algorithm of the certificate is not supported.");
		X509_free(leaf);
		return NULL;
	}
	return held_new(leaf, NULL, NULL);
}

void import_face_of(const struct held *held, struct import_face *ret_face)
{
	*ret_face = (struct import_face){.key_type = held->key_type,
		.common_name = held->common_name,
		.dns = held->dns.item,
		.dns_count = held->dns.count,
		.ip = held->ip.item,
		.ip_count = held->ip.count,
		.key_usage = held->key_usage,
		.ext_key_usage = held->ext_key_usage.item,
		.ext_key_usage_count = held->ext_key_usage.count};
}

static bool holds(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(list[i], text) == 0)
			return true;
	return false;
}

static bool is_name(const char *common_name)
{
	return common_name != NULL && (is_host_name(common_name) || is_ip_address(common_name));
}

static bool has_this_name(const struct import_face *face, const char *name)
{
	return holds(face->dns, face->dns_count, name) || holds(face->ip, face->ip_count, name) ||
	       (is_name(face->common_name) && strcasecmp(face->common_name, name) == 0);
}

/* Names may come and go, but one of the old ones stays. */
static bool keeps_a_name(const struct import_face *old, const struct import_face *fresh)
{
	size_t names = old->dns_count + old->ip_count;
	for (size_t i = 0; i < old->dns_count; i++)
		if (has_this_name(fresh, old->dns[i]))
			return true;
	for (size_t i = 0; i < old->ip_count; i++)
		if (has_this_name(fresh, old->ip[i]))
			return true;
	if (!is_name(old->common_name))
		return names == 0;
	return has_this_name(fresh, old->common_name);
}

static bool loses_key_usage(const struct import_face *old, const struct import_face *fresh)
{
	unsigned missing = old->key_usage & ~fresh->key_usage;
	if (fresh->key_type >= EC_P256) /* since 2026-04-03 */
		missing &= ~(unsigned)KEY_USAGE_KEY_ENCIPHERMENT;
	return missing != 0;
}

static bool loses_ext_key_usage(const struct import_face *old, const struct import_face *fresh)
{
	static const char client_authentication[] = "1.3.6.1.5.5.7.3.2"; /* since 2025-10-22 */
	for (size_t i = 0; i < old->ext_key_usage_count; i++)
		if (strcmp(old->ext_key_usage[i], client_authentication) != 0 &&
			!holds(fresh->ext_key_usage, fresh->ext_key_usage_count,
				old->ext_key_usage[i]))
			return true;
	return false;
}

bool import_may_replace(const struct import_face *old, const struct import_face *fresh,
	struct import_refusal *ret_why)
{
	if (old->key_type != fresh->key_type) {
		ret_why->code = invalid;
		snprintf(ret_why->message, sizeof(ret_why->message),
			"New certificate must have the same key algorithm as the currently imported "
			"certificate: %s, not %s.",
			key_type_name[old->key_type], key_type_name[fresh->key_type]);
		return false;
	}
	if (!keeps_a_name(old, fresh))
		return refuse(ret_why, invalid,
			"New certificate has none of the domain names of the currently imported "
			"certificate.");
	if (old->key_usage == 0 && fresh->key_usage != 0)
		return refuse(ret_why, invalid,
			"New certificate has Key Usages and the currently imported certificate has "
			"none.");
	if (old->ext_key_usage_count == 0 && fresh->ext_key_usage_count > 0)
		return refuse(ret_why, invalid,
			"New certificate has Extended Key Usages and the currently imported "
			"certificate has none.");
	if (loses_key_usage(old, fresh))
		return refuse(ret_why, invalid,
			"New certificate is missing one or more Key Usages supported by the currently "
			"imported certificate");
	if (loses_ext_key_usage(old, fresh))
		return refuse(ret_why, invalid,
			"New certificate is missing one or more Extended Key Usages supported by the "
			"currently imported certificate");
	return true;
}
