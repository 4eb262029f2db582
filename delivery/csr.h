/* A key made on the sensor, and the request for its certificate. Pure but for OpenSSL. */
#ifndef DELIVERY_CSR_H
#define DELIVERY_CSR_H

#include <stddef.h>

#include "base/secret.h"

struct buf;
struct err;

struct csr_request {
	const char *const *domain; /* DNS names, wildcards too, or IP addresses; 1 to 100 */
	size_t domain_count;
	const char
		*subject; /* "CN=..,O=.." (RFC 4514); NULL: the first domain as CN when it fits */
	const char *key_algorithm; /* RSA_2048, RSA_3072, RSA_4096, EC_prime256v1, EC_secp384r1 */
	unsigned key_usage;	   /* x509_key_usage; 0: not asked for */
	const char *const *ext_key_usage; /* AWS's names or OIDs */
	size_t ext_key_usage_count;
};

/*
 * ret_key_pem  set: PKCS#8
 * csr_pem      appended to
 * errors       ERR_CONFIG: names what is not a domain, a subject or a usage, or how many there may
 *              be; ERR_SYSTEM: OpenSSL
 * time         RSA_4096 may take seconds: for base/worker
 * source       PKCS #10, RFC 2986; names in the extension of RFC 5280, 4.2.1.6
 */
int csr_make(const struct csr_request *request, struct secret *ret_key_pem, struct buf *csr_pem,
	struct err *err);

#endif
