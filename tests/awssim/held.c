/* Reads what an X.509 certificate says into the fields of held.h. */
#include "tests/awssim/held.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/digest.h"

enum { LABEL_MAX = 63, NAME_MAX_LEN = 253 };

void text_list_add(struct text_list *list, const char *text)
{
	list->item = mem_resize(list->item, (list->count + 1) * sizeof(*list->item));
	list->item[list->count++] = mem_strdup(text);
}

void text_list_remove(struct text_list *list, const char *text)
{
	size_t at = 0;
	while (at < list->count && strcmp(list->item[at], text) != 0)
		at++;
	if (at == list->count)
		return;
	free((void *)(uintptr_t)list->item[at]);
	list->item[at] = list->item[--list->count];
}

void text_list_clear(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((void *)(uintptr_t)list->item[i]);
	free(list->item);
	*list = (struct text_list){0};
}

bool held_key_type(EVP_PKEY *key, enum key_type *ret_type)
{
	static const struct {
		int id, bits;
		const char *group;
		enum key_type type;
	} known[] = {{EVP_PKEY_RSA, 1024, NULL, RSA_1024}, {EVP_PKEY_RSA, 2048, NULL, RSA_2048},
		{EVP_PKEY_RSA, 3072, NULL, RSA_3072}, {EVP_PKEY_RSA, 4096, NULL, RSA_4096},
		{EVP_PKEY_EC, 256, "prime256v1", EC_P256}, {EVP_PKEY_EC, 384, "secp384r1", EC_P384},
		{EVP_PKEY_EC, 521, "secp521r1", EC_P521}};
	char group[64] = "";
	size_t len = 0;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
		EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (EVP_PKEY_get_base_id(key) == known[i].id &&
			EVP_PKEY_get_bits(key) == known[i].bits &&
			(known[i].group == NULL || strcmp(group, known[i].group) == 0)) {
			*ret_type = known[i].type;
			return true;
		}
	return false;
}

const char *held_signature_name(const X509 *x509)
{
	static const struct {
		int nid;
		const char *name;
	} known[] = {{NID_sha1WithRSAEncryption, "SHA1WITHRSA"},
		{NID_sha224WithRSAEncryption, "SHA224WITHRSA"},
		{NID_sha256WithRSAEncryption, "SHA256WITHRSA"},
		{NID_sha384WithRSAEncryption, "SHA384WITHRSA"},
		{NID_sha512WithRSAEncryption, "SHA512WITHRSA"},
		{NID_ecdsa_with_SHA1, "SHA1WITHECDSA"}, {NID_ecdsa_with_SHA224, "SHA224WITHECDSA"},
		{NID_ecdsa_with_SHA256, "SHA256WITHECDSA"},
		{NID_ecdsa_with_SHA384, "SHA384WITHECDSA"},
		{NID_ecdsa_with_SHA512, "SHA512WITHECDSA"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (X509_get_signature_nid(x509) == known[i].nid)
			return known[i].name;
	return NULL;
}

/* Owned RFC 4514 text, UTF-8. */
static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	long len = BIO_get_mem_data(bio, &bytes);
	struct out copy = {0};
	out_bytes(&copy, bytes, len > 0 ? (size_t)len : 0);
	text = copy.data;
	BIO_free(bio);
	return text;
}

/* Owned UTF-8 of the last attribute of that kind; NULL: none. */
static char *name_part(const X509_NAME *name, int nid)
{
	int at = -1, last = -1;
	while ((at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0)
		last = at;
	unsigned char *utf8 = NULL;
	if (last < 0)
		return NULL;
	int len = ASN1_STRING_to_UTF8(
		&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
	char *text = NULL;
	if (len >= 0 && memchr(utf8, 0, (size_t)len) == NULL) {
		struct out copy = {0};
		out_bytes(&copy, utf8, (size_t)len);
		text = copy.data;
	}
	OPENSSL_free(utf8);
	return text;
}

static void read_names(struct held *held)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(held->leaf, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		if (type != GEN_DNS && type != GEN_IPADD)
			continue;
		const unsigned char *bytes = ASN1_STRING_get0_data(value);
		size_t len = (size_t)ASN1_STRING_length(value);
		char text[INET6_ADDRSTRLEN];
		if (type == GEN_DNS && memchr(bytes, 0, len) == NULL) {
			struct out copy = {0};
			out_bytes(&copy, bytes, len);
			text_list_add(&held->dns, copy.data);
			out_clear(&copy);
		} else if (type == GEN_IPADD && (len == 4 || len == 16)) {
			inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
			text_list_add(&held->ip, text);
		}
	}
	GENERAL_NAMES_free(names);
	held->common_name = name_part(X509_get_subject_name(held->leaf), NID_commonName);
	held->subject = name_text(X509_get_subject_name(held->leaf));
	const X509_NAME *issuer = X509_get_issuer_name(held->leaf);
	held->issuer = name_text(issuer);
	held->issuer_name = name_part(issuer, NID_commonName);
	if (held->issuer_name == NULL)
		held->issuer_name = name_part(issuer, NID_organizationName);
	if (held->issuer_name == NULL)
		held->issuer_name = mem_strdup(held->issuer);
}

static void read_usages(struct held *held)
{
	ASN1_BIT_STRING *bits = X509_get_ext_d2i(held->leaf, NID_key_usage, NULL, NULL);
	for (int i = 0; bits != NULL && i < KEY_USAGES; i++)
		if (ASN1_BIT_STRING_get_bit(bits, i) != 0)
			held->key_usage |= 1U << i;
	ASN1_BIT_STRING_free(bits);
	EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(held->leaf, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		char oid[128];
		OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(list, i), 1);
		text_list_add(&held->ext_key_usage, oid);
	}
	sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm tm;
	return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

static void add_der(X509 *x509, struct out *der)
{
	unsigned char *bytes = NULL;
	int len = i2d_X509(x509, &bytes);
	if (len <= 0)
		abort();
	out_bytes(der, bytes, (size_t)len);
	OPENSSL_free(bytes);
}

static void read_chain(struct held *held)
{
	unsigned char hash[SHA256_LEN];
	struct out der = {0}, hex = {0};
	for (int i = 0; i < sk_X509_num(held->chain); i++) {
		der.len = 0;
		add_der(sk_X509_value(held->chain, i), &der);
		pem_add(&held->chain_pem, (const unsigned char *)der.data, der.len, "\n");
	}
	if (held->chain_pem.len > 0) {
		digest_sha256(held->chain_pem.data, held->chain_pem.len, hash);
		out_hex(&hex, hash, sizeof(hash));
		memcpy(held->chain_sha256, hex.data, sizeof(held->chain_sha256));
	}
	out_clear(&der);
	out_clear(&hex);
}

struct held *held_new(X509 *take_leaf, STACK_OF(X509) * take_chain, EVP_PKEY *take_key)
{
	struct held *held = mem_alloc(sizeof(*held));
	held->users = 1;
	held->leaf = take_leaf;
	held->chain = take_chain;
	held->key = take_key;
	if (!held_key_type(X509_get0_pubkey(take_leaf), &held->key_type))
		abort();
	held->signature_name = held_signature_name(take_leaf);
	add_der(take_leaf, &held->der);
	read_chain(held);
	read_names(held);
	read_usages(held);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(take_leaf);
	held->serial_len = (size_t)ASN1_STRING_length(serial);
	if (held->serial_len > HELD_SERIAL_MAX)
		held->serial_len = HELD_SERIAL_MAX;
	memcpy(held->serial, ASN1_STRING_get0_data(serial), held->serial_len);
	held->not_before_s = seconds_of(X509_get0_notBefore(take_leaf));
	held->not_after_s = seconds_of(X509_get0_notAfter(take_leaf));
	ERR_clear_error();
	return held;
}

struct held *held_use(struct held *held)
{
	if (held != NULL)
		held->users++;
	return held;
}

void held_free(struct held *held)
{
	if (held == NULL || --held->users > 0)
		return;
	X509_free(held->leaf);
	sk_X509_pop_free(held->chain, X509_free);
	EVP_PKEY_free(held->key);
	out_clear(&held->der);
	out_clear(&held->chain_pem);
	text_list_clear(&held->dns);
	text_list_clear(&held->ip);
	text_list_clear(&held->ext_key_usage);
	free(held->common_name);
	free(held->subject);
	free(held->issuer);
	free(held->issuer_name);
	free(held);
}

static bool is_label(const char *at, size_t len)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	return len >= 1 && len <= LABEL_MAX && strspn(at, allowed) >= len && at[0] != '-' &&
	       at[len - 1] != '-';
}

bool is_host_name(const char *name)
{
	if (strlen(name) > NAME_MAX_LEN)
		return false;
	if (strncmp(name, "*.", 2) == 0)
		name += 2;
	if (is_ip_address(name))
		return false;
	size_t labels = 0, len;
	for (;; name += len + 1) {
		len = strcspn(name, ".");
		if (!is_label(name, len))
			return false;
		labels++;
		if (name[len] == '\0')
			return labels >= 2 && len >= 2;
	}
}

bool is_ip_address(const char *name)
{
	unsigned char bytes[16];
	return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

const char *held_domain(const struct held *held)
{
	if (held->common_name != NULL && is_host_name(held->common_name))
		return held->common_name;
	return held->dns.count > 0 ? held->dns.item[0] : NULL;
}
