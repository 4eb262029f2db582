#include "tests/lib/test_ca.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/host.h"
#include "base/mem.h"

struct test_ca {
	EVP_PKEY *key;
	X509 *certificate;
	char file[64];
};

static void check(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	fprintf(stderr, "test_ca: %s failed\n", what);
	abort();
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

static X509 *new_certificate(EVP_PKEY *key, const char *common_name, long serial)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const unsigned char *)common_name, -1, -1, 0);
	return certificate;
}

struct test_ca *test_ca_new(const char *name)
{
	struct test_ca *ca = xcalloc(1, sizeof(*ca));
	ca->key = EVP_EC_gen("P-256");
	check(ca->key != NULL, "making a key");
	ca->certificate = new_certificate(ca->key, name, 1);
	X509_set_issuer_name(ca->certificate, X509_get_subject_name(ca->certificate));
	add_extension(ca->certificate, ca->certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(ca->certificate, ca->certificate, NID_key_usage, "critical,keyCertSign");
	add_extension(ca->certificate, ca->certificate, NID_subject_key_identifier, "hash");
	check(X509_sign(ca->certificate, ca->key, EVP_sha256()) > 0, "signing");
	snprintf(ca->file, sizeof(ca->file), "/tmp/acmsensor-test-ca-XXXXXX");
	int fd = mkstemp(ca->file);
	check(fd >= 0, "mkstemp");
	FILE *file = fdopen(fd, "w");
	check(PEM_write_X509(file, ca->certificate) == 1, "writing the CA file");
	fclose(file);
	return ca;
}

void test_ca_free(struct test_ca *ca)
{
	if (ca == NULL)
		return;
	unlink(ca->file);
	X509_free(ca->certificate);
	EVP_PKEY_free(ca->key);
	free(ca);
}

const char *test_ca_file(const struct test_ca *ca)
{
	return ca->file;
}

SSL_CTX *test_ca_server_context(struct test_ca *ca, const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(key, name, 2);
	X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate));
	char names[300];
	snprintf(names, sizeof(names), "%s:%s", host_is_address(name) ? "IP" : "DNS", name);
	add_extension(certificate, ca->certificate, NID_subject_alt_name, names);
	check(X509_sign(certificate, ca->key, EVP_sha256()) > 0, "signing");
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	check(SSL_CTX_use_certificate(context, certificate) == 1, "the certificate");
	check(SSL_CTX_use_PrivateKey(context, key) == 1, "the key");
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}
