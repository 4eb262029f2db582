/* A CA for tests, made when the test runs, so that nothing in the tree expires. */
#ifndef TESTS_LIB_TEST_CA_H
#define TESTS_LIB_TEST_CA_H

#include <openssl/ssl.h>

struct test_ca;

struct test_ca *test_ca_new(const char *name);
void test_ca_free(struct test_ca *ca); /* NULL is fine */

/* Path of a PEM file with the CA's certificate; removed with the CA. */
const char *test_ca_file(const struct test_ca *ca);

/* What a server needs to answer for name (or address). The caller owns it. */
SSL_CTX *test_ca_server_context(struct test_ca *ca, const char *name);

#endif
