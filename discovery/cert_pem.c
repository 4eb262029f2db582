/* PEM to DER and hash; see cert_pem.h. */
#include "discovery/cert_pem.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/x509.h"

void cert_der_clear(struct cert_der *der)
{
	free(der->bytes);
	*der = (struct cert_der){.bytes = NULL};
}

void cert_chain_clear(struct cert_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		cert_der_clear(&chain->der[i]);
	chain->count = 0;
}

/* As x509_pem_next: 1 and *ret_der set, 0 at the end, or -1. */
static int next_der(const char **at, const char *end, struct cert_der *ret_der, struct err *err)
{
	struct cert_der der = {.bytes = NULL};
	int rc = x509_pem_next(at, end, &der.bytes, &der.len, err);
	if (rc != 1)
		return rc;
	SHA256(der.bytes, der.len, der.sha256);
	*ret_der = der;
	return 1;
}

int cert_leaf_read(const char *pem, struct cert_der *ret_leaf, struct err *err)
{
	const char *at = pem, *end = pem + strlen(pem);
	struct cert_der leaf = {.bytes = NULL}, second = {.bytes = NULL};
	int rc = next_der(&at, end, &leaf, err);
	if (rc == 0)
		rc = err_set(err, ERR_PROTOCOL, "the certificate's PEM holds no certificate");
	if (rc < 0)
		return -1;
	rc = next_der(&at, end, &second, err);
	if (rc == 1)
		rc = err_set(
			err, ERR_PROTOCOL, "the certificate's PEM holds more than one certificate");
	cert_der_clear(&second);
	if (rc < 0) {
		cert_der_clear(&leaf);
		return -1;
	}
	*ret_leaf = leaf;
	return 0;
}

int cert_chain_read(const char *pem, struct cert_chain *ret_chain, struct err *err)
{
	const char *at = pem, *end = pem + strlen(pem);
	struct cert_chain chain = {.count = 0};
	struct cert_der der = {.bytes = NULL};
	int rc;
	while ((rc = next_der(&at, end, &der, err)) == 1) {
		if (chain.count == CERT_CHAIN_MAX) {
			cert_der_clear(&der);
			rc = err_set(err, ERR_LIMIT, "a chain of more than %d certificates",
				CERT_CHAIN_MAX);
			break;
		}
		chain.der[chain.count++] = der;
	}
	if (rc == 0 && chain.count == 0 && pem[strspn(pem, " \t\r\n")] != '\0')
		rc = err_set(err, ERR_PROTOCOL, "the chain's PEM holds no certificate");
	if (rc < 0) {
		cert_chain_clear(&chain);
		return -1;
	}
	*ret_chain = chain;
	return 0;
}
