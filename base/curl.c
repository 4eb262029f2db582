#include "base/curl_internal.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem_wiping.h"

enum { CA_CACHE_S = 3600 }; /* a renewed bundle is noticed within the hour */

#define SET(option, value) curl_check(curl_easy_setopt(easy, (option), (value)))

void curl_check(CURLcode code)
{
	if (code != CURLE_OK)
		abort();
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)arg;
	(void)purpose;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

void curl_set_sockets(CURL *easy)
{
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
}

/* OpenSSL wipes what it has decrypted once it is read. */
static CURLcode set_up_tls(CURL *easy, void *tls, void *arg)
{
	(void)easy;
	(void)arg;
	SSL_CTX_set_options(tls, SSL_OP_CLEANSE_PLAINTEXT);
	return CURLE_OK;
}

void curl_set_tls(CURL *easy, const char *ca_bundle)
{
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, ca_bundle);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L); /* memory for nothing: handles do not share it */
	SET(CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
#endif
}

const char *curl_ca_bundle(void)
{
	static const char *const usual[] = {
		"/etc/ssl/certs/ca-certificates.crt",		     /* Debian, Ubuntu, Alpine */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL, Fedora, Amazon */
		"/etc/pki/tls/certs/ca-bundle.crt",		     /* the same, older */
		"/etc/ssl/ca-bundle.pem",			     /* SUSE */
		"/etc/ssl/cert.pem",
	};
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (access(usual[i], R_OK) == 0)
			return usual[i];
	}
	return NULL;
}

static int check_library(struct err *err)
{
	const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
	if (version->ssl_version == NULL || strncmp(version->ssl_version, "OpenSSL/", 8) != 0)
		return err_set(err, ERR_SYSTEM,
			"libcurl %s uses %s for TLS; this program needs one that uses OpenSSL",
			version->version,
			version->ssl_version != NULL ? version->ssl_version : "nothing");
	return 0;
}

/* Requests carry session tokens and answers carry credentials, so all that libcurl frees is
 * wiped. */
int curl_begin(struct err *err)
{
	CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_wiping_alloc, mem_wiping_free,
		mem_wiping_realloc, strdup, calloc);
	if (code != CURLE_OK)
		return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_easy_strerror(code));
	if (check_library(err) == 0)
		return 0;
	curl_global_cleanup();
	return -1;
}

void curl_end(void)
{
	curl_global_cleanup();
}
