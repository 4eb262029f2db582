#include "delivery/csr.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/host.h"
#include "base/x509.h"
#include "delivery/cert_view.h"

enum {
	DOMAINS_MAX = 100,
	COMMON_NAME_MAX = 64,
	SAN_MAX = 65536,
	VALUE_MAX = 256,
	KEY_MAX = 64, /* an OID too */
};

static int fail(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_SYSTEM, "cannot make the request: OpenSSL refused the %s", what);
}

/* --- domains ---------------------------------------------------------------------------------- */

static int write_names(const struct csr_request *request, struct buf *to, struct err *err)
{
	if (request->domain_count == 0 || request->domain_count > DOMAINS_MAX)
		return err_set(err, ERR_CONFIG, "expected 1 to %d domains", DOMAINS_MAX);
	for (size_t i = 0; i < request->domain_count; i++) {
		const char *domain = request->domain[i];
		bool is_ip = host_is_address(domain);
		if (!is_ip && !name_is_host(domain))
			return err_set(err, ERR_CONFIG,
				"\"%.253s\" is neither a domain name nor an IP address", domain);
		buf_addf(to, "%s%s:%s", i > 0 ? "," : "", is_ip ? "IP" : "DNS", domain);
	}
	return buf_check(to, "the list of domains", err);
}

/* --- subject ---------------------------------------------------------------------------------- */

static const char *fail_part(const char *text, struct err *err)
{
	(void)err_set(err, ERR_CONFIG,
		"subject: expected KEY=VALUE, as in CN=www.example.com,O=Example; wrong at \"%.64s\"",
		text);
	return NULL;
}

/* Why OpenSSL does not take it. */
static int fail_entry(const char *key, const char *value, size_t len, struct err *err)
{
	int nid = OBJ_txt2nid(key);
	const ASN1_STRING_TABLE *limits = nid != NID_undef ? ASN1_STRING_TABLE_get(nid) : NULL;
	ERR_clear_error();
	if (nid == NID_undef)
		return err_set(err, ERR_CONFIG,
			"subject: %s is not known: expected CN, O, OU, L, ST, C, emailAddress, or "
			"another name or OID of OpenSSL",
			key);
	if (nid == NID_countryName)
		return err_set(err, ERR_CONFIG,
			"subject: C=%.*s: a country is two letters, as in C=DE", (int)len, value);
	if (limits != NULL && limits->maxsize > 0 && len > (size_t)limits->maxsize)
		return err_set(err, ERR_CONFIG, "subject: %s=%.*s: expected at most %ld characters",
			key, (int)len, value, limits->maxsize);
	return err_set(err, ERR_CONFIG, "subject: %s=%.*s: it has characters that %s may not have",
		key, (int)len, value, key);
}

static bool is_country(const char *value, size_t len)
{
	return len == 2 && isascii(value[0]) && isalpha((unsigned char)value[0]) &&
	       isascii(value[1]) && isalpha((unsigned char)value[1]);
}

static int add_entry(
	X509_NAME *name, const char *key, const char *value, size_t len, struct err *err)
{
	bool fits = OBJ_txt2nid(key) != NID_countryName || is_country(value, len);
	if (fits && X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8,
			    (const unsigned char *)value, (int)len, -1, 0) == 1)
		return 0;
	return fail_entry(key, value, len, err);
}

/* One KEY=VALUE; a backslash takes the next character as it is. Returns what follows, or NULL. */
static const char *add_part(X509_NAME *name, const char *text, struct err *err)
{
	char key[KEY_MAX], value[VALUE_MAX];
	size_t key_len = 0, len = 0;
	while (isascii(text[key_len]) &&
		(isalnum((unsigned char)text[key_len]) || text[key_len] == '.'))
		key_len++;
	if (text[key_len] != '=' || key_len == 0 || key_len >= sizeof(key))
		return fail_part(text, err);
	memcpy(key, text, key_len);
	key[key_len] = '\0';
	const char *at = text + key_len + 1;
	for (; *at != '\0' && *at != ','; at++) {
		if (*at == '\\' && *++at == '\0')
			return fail_part(text, err);
		if (len == sizeof(value)) {
			(void)err_set(err, ERR_CONFIG, "subject: %s is longer than %zu bytes", key,
				sizeof(value));
			return NULL;
		}
		value[len++] = *at;
	}
	if (len == 0)
		return fail_part(text, err);
	if (add_entry(name, key, value, len, err) != 0)
		return NULL;
	return *at == ',' && *++at == '\0' ? fail_part(text, err) : at;
}

static int set_subject(X509_REQ *req, const struct csr_request *request, struct err *err)
{
	X509_NAME *name = X509_NAME_new();
	const char *at = request->subject;
	const char *first = request->domain[0];
	int rc = name != NULL ? 0 : fail(err, "subject");
	while (rc == 0 && at != NULL && *at != '\0') {
		at = add_part(name, at, err);
		rc = at != NULL ? 0 : -1;
	}
	if (rc == 0 && request->subject == NULL && strlen(first) <= COMMON_NAME_MAX &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_UTF8, (const unsigned char *)first, -1, -1, 0) != 1)
		rc = fail(err, "common name");
	if (rc == 0 && X509_REQ_set_subject_name(req, name) != 1)
		rc = fail(err, "subject");
	X509_NAME_free(name);
	return rc;
}

/* --- extensions ------------------------------------------------------------------------------- */

static int add_extension(
	STACK_OF(X509_EXTENSION) * list, int nid, const char *value, struct err *err)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	if (extension == NULL)
		return fail(err, OBJ_nid2sn(nid));
	if (sk_X509_EXTENSION_push(list, extension) > 0)
		return 0;
	X509_EXTENSION_free(extension);
	return fail(err, OBJ_nid2sn(nid));
}

static void write_key_usage(unsigned usage, struct buf *to)
{
	static const char *const name[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
		"dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly"};
	buf_add_text(to, "critical");
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if ((usage & (1U << i)) != 0)
			buf_addf(to, ",%s", name[i]);
}

static const char *openssl_usage(const char *name)
{
	static const struct {
		const char *aws, *openssl;
	} known[] = {{"TLS_WEB_SERVER_AUTHENTICATION", "serverAuth"},
		{"TLS_WEB_CLIENT_AUTHENTICATION", "clientAuth"}, {"CODE_SIGNING", "codeSigning"},
		{"EMAIL_PROTECTION", "emailProtection"}, {"TIME_STAMPING", "timeStamping"},
		{"OCSP_SIGNING", "OCSPSigning"}, {"IPSEC_END_SYSTEM", "ipsecEndSystem"},
		{"IPSEC_TUNNEL", "ipsecTunnel"}, {"IPSEC_USER", "ipsecUser"},
		{"ANY", "anyExtendedKeyUsage"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].aws, name) == 0)
			return known[i].openssl;
	return name[strspn(name, "0123456789.")] == '\0' ? name : NULL; /* an OID */
}

/* Checked here, since OpenSSL takes more than names ("DER:...") and does not say what was wrong. */
static int write_ext_key_usage(const struct csr_request *request, struct buf *to, struct err *err)
{
	for (size_t i = 0; i < request->ext_key_usage_count; i++) {
		const char *usage = openssl_usage(request->ext_key_usage[i]);
		ASN1_OBJECT *object = usage != NULL ? OBJ_txt2obj(usage, 0) : NULL;
		bool is_known = object != NULL;
		ASN1_OBJECT_free(object);
		if (!is_known)
			return err_set(err, ERR_CONFIG, "\"%.63s\" is not an extended key usage",
				request->ext_key_usage[i]);
		buf_addf(to, "%s%s", i > 0 ? "," : "", usage);
	}
	return 0;
}

static int add_extensions(
	X509_REQ *req, const struct csr_request *request, const char *names, struct err *err)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	struct buf text;
	int rc = list != NULL ? add_extension(list, NID_subject_alt_name, names, err)
			      : fail(err, "extensions");
	buf_init(&text, SAN_MAX);
	if (rc == 0 && request->key_usage != 0) {
		write_key_usage(request->key_usage, &text);
		rc = add_extension(list, NID_key_usage, buf_text(&text), err);
	}
	buf_reset(&text);
	if (rc == 0)
		rc = write_ext_key_usage(request, &text, err);
	if (rc == 0 && text.len > 0)
		rc = add_extension(list, NID_ext_key_usage, buf_text(&text), err);
	if (rc == 0 && X509_REQ_add_extensions(req, list) != 1)
		rc = fail(err, "extensions");
	buf_clear(&text);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return rc;
}

/* --- key and request -------------------------------------------------------------------------- */

static EVP_PKEY *make_key(const char *algorithm, struct err *err)
{
	static const struct {
		const char *name, *curve;
		unsigned bits;
	} known[] = {{"RSA_2048", NULL, 2048}, {"RSA_3072", NULL, 3072}, {"RSA_4096", NULL, 4096},
		{"EC_prime256v1", "P-256", 0}, {"EC_secp384r1", "P-384", 0}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, algorithm) != 0)
			continue;
		EVP_PKEY *key = known[i].curve != NULL ? EVP_EC_gen(known[i].curve)
						       : EVP_RSA_gen(known[i].bits);
		if (key == NULL)
			(void)fail(err, "key");
		return key;
	}
	(void)err_set(err, ERR_CONFIG,
		"no %s keys are made here: expected RSA of 2048, 3072 or 4096 bits, EC P-256 or P-384",
		algorithm);
	return NULL;
}

static int write_request(EVP_PKEY *key, const struct csr_request *request, const char *names,
	struct buf *csr_pem, struct err *err)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	if (req == NULL || bio == NULL)
		abort(); /* no memory: as base/mem.h */
	int rc = set_subject(req, request, err);
	if (rc == 0)
		rc = add_extensions(req, request, names, err);
	if (rc == 0 &&
		(X509_REQ_set_pubkey(req, key) != 1 || X509_REQ_sign(req, key, EVP_sha256()) <= 0 ||
			PEM_write_bio_X509_REQ(bio, req) != 1))
		rc = fail(err, "signature");
	long len = BIO_get_mem_data(bio, &text);
	if (rc == 0)
		buf_add(csr_pem, text, (size_t)len);
	BIO_free(bio);
	X509_REQ_free(req);
	return rc == 0 ? buf_check(csr_pem, "the request", err) : -1;
}

static int write_key(EVP_PKEY *key, struct secret *ret_pem, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	int rc = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1
			 ? 0
			 : fail(err, "key");
	long len = BIO_get_mem_data(bio, &text);
	if (rc == 0)
		secret_set(ret_pem, text, (size_t)len);
	BIO_free(bio); /* wipes */
	return rc;
}

int csr_make(const struct csr_request *request, struct secret *ret_key_pem, struct buf *csr_pem,
	struct err *err)
{
	struct buf names;
	EVP_PKEY *key = NULL;
	buf_init(&names, SAN_MAX);
	int rc = write_names(request, &names, err);
	if (rc == 0)
		rc = (key = make_key(request->key_algorithm, err)) != NULL ? 0 : -1;
	if (rc == 0)
		rc = write_request(key, request, buf_text(&names), csr_pem, err);
	if (rc == 0)
		rc = write_key(key, ret_key_pem, err);
	EVP_PKEY_free(key); /* wipes */
	buf_clear(&names);
	ERR_clear_error();
	return rc;
}
