/* Certificates made when a test runs: any serial, any validity, real DER that every parser reads. */
#ifndef TESTS_LIB_MAKE_CERT_H
#define TESTS_LIB_MAKE_CERT_H

#include <stdint.h>

/* PEM of a certificate for domain_name, signed by itself with the one key of this file, so that
 * the same arguments give the same bytes. Owned. */
char *make_cert_pem(
	const char *domain_name, uint32_t serial, int64_t not_before_s, int64_t not_after_s);

#endif
