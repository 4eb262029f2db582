/*
 * One SSL_CTX serves all: its own certificate is for localhost and loopback addresses; a host name
 * in the SNI gets one of its own, made when first seen and kept.
 */
#include "tests/awssim/tls.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/awssim/der.h"

enum { HOST_SLOTS = 1024, DAY_S = 86400 };

struct tls {
	SSL_CTX *context; /* owned */
	struct key ca_key, leaf_key;
	struct out ca_pem;
	tls_host_fn *is_known_host;
	void *arg;
	struct {
		char *host; /* owned */
		X509 *x509; /* owned */
	} slot[HOST_SLOTS];
	size_t hosts;
};

static const struct dn ca_name = {NULL, NULL, "awssim", NULL, "awssim test CA"};

static void make_key(struct key *ret_key)
{
	EVP_PKEY *private_key = EVP_EC_gen("P-256");
	if (private_key == NULL)
		abort();
	key_from_private(private_key, ret_key);
}

/* subject NULL: the CA itself. */
static void make_certificate(struct tls *tls, const char *host, struct out *der)
{
	static const char *const loopback_dns[] = {"localhost"};
	static const char *const loopback_ip[] = {"127.0.0.1", "::1"};
	static const char *const server_auth[] = {"1.3.6.1.5.5.7.3.1"};
	bool is_ca = host == NULL, is_loopback = !is_ca && host[0] == '\0';
	struct dn subject = {.organization = "awssim", .common_name = "server"};
	struct x509_spec spec = {.algorithm = SHA256_WITH_ECDSA,
		.issuer = &ca_name,
		.subject = is_ca ? &ca_name : &subject,
		.key = is_ca ? &tls->ca_key : &tls->leaf_key,
		.issuer_key_id = tls->ca_key.key_id,
		.not_before_s = time(NULL) - DAY_S,
		.not_after_s = time(NULL) + 30 * DAY_S,
		.key_usage = is_ca ? KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN
				   : KEY_USAGE_DIGITAL_SIGNATURE,
		.is_ca = is_ca};
	if (RAND_bytes(spec.serial, SERIAL_LEN) != 1)
		abort();
	spec.serial[0] = (unsigned char)(spec.serial[0] & 0x7f) | 1;
	if (!is_ca) {
		spec.dns = is_loopback ? loopback_dns : &host;
		spec.dns_count = 1;
		spec.ip = loopback_ip;
		spec.ip_count = is_loopback ? 2 : 0;
		spec.ext_key_usage = server_auth;
		spec.ext_key_usage_count = 1;
	}
	unsigned char signature[SIGNATURE_MAX];
	struct out tbs = {0};
	x509_tbs(&tbs, &spec);
	size_t len = x509_sign(&tls->ca_key, spec.algorithm, &tbs, signature);
	x509_certificate(der, &tbs, spec.algorithm, signature, len);
	out_clear(&tbs);
}

static X509 *certificate_for(struct tls *tls, const char *host)
{
	struct out der = {0};
	make_certificate(tls, host, &der);
	const unsigned char *at = (const unsigned char *)der.data;
	X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
	out_clear(&der);
	if (x509 == NULL)
		abort();
	return x509;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	(void)alert;
	struct tls *tls = arg;
	const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	if (host == NULL || strcmp(host, "localhost") == 0)
		return SSL_TLSEXT_ERR_NOACK;
	size_t at = hash_bytes(host, strlen(host), 1) % HOST_SLOTS;
	while (tls->slot[at].host != NULL && strcmp(tls->slot[at].host, host) != 0)
		at = (at + 1) % HOST_SLOTS;
	if (tls->slot[at].host == NULL) {
		if (tls->hosts == HOST_SLOTS / 2 || !tls->is_known_host(tls->arg, host))
			return SSL_TLSEXT_ERR_NOACK;
		tls->slot[at].host = mem_strdup(host);
		tls->slot[at].x509 = certificate_for(tls, host);
		tls->hosts++;
	}
	SSL_use_certificate(ssl, tls->slot[at].x509);
	SSL_use_PrivateKey(ssl, tls->leaf_key.private_key);
	return SSL_TLSEXT_ERR_OK;
}

struct tls *tls_new(tls_host_fn *is_known_host, void *arg)
{
	struct tls *tls = mem_alloc(sizeof(*tls));
	tls->is_known_host = is_known_host;
	tls->arg = arg;
	make_key(&tls->ca_key);
	make_key(&tls->leaf_key);
	struct out der = {0};
	make_certificate(tls, NULL, &der);
	pem_add(&tls->ca_pem, (const unsigned char *)der.data, der.len, "\n");
	out_clear(&der);
	tls->context = SSL_CTX_new(TLS_server_method());
	X509 *own = certificate_for(tls, "");
	if (tls->context == NULL || SSL_CTX_use_certificate(tls->context, own) != 1 ||
		SSL_CTX_use_PrivateKey(tls->context, tls->leaf_key.private_key) != 1)
		abort();
	X509_free(own);
	SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
					       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A client that closes without close_notify is a closed connection, not an error. */
	SSL_CTX_set_options(tls->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_id_context(tls->context, (const unsigned char *)"awssim", 6);
	SSL_CTX_set_tlsext_servername_callback(tls->context, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(tls->context, tls);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	for (size_t i = 0; i < HOST_SLOTS; i++) {
		free(tls->slot[i].host);
		X509_free(tls->slot[i].x509);
	}
	SSL_CTX_free(tls->context);
	key_clear(&tls->ca_key);
	key_clear(&tls->leaf_key);
	out_clear(&tls->ca_pem);
	free(tls);
}

SSL *tls_session(struct tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->context);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort();
	SSL_set_accept_state(ssl);
	return ssl;
}

const char *tls_ca_pem(const struct tls *tls)
{
	return tls->ca_pem.data;
}
