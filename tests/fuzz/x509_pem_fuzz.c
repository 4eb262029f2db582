/* PEM text from anywhere; every block that decodes must come back the same after encoding. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const unsigned char *der, size_t len)
{
	struct err err = ERR_INIT;
	struct buf text;
	buf_init(&text, X509_PEM_MAX);
	x509_pem_add(&text, der, len);
	const char *at = text.data;
	unsigned char *again = NULL;
	size_t again_len = 0;
	int rc = x509_pem_next(&at, text.data + text.len, &again, &again_len, &err);
	assert(rc == 1 && again_len == len && memcmp(again, der, len) == 0);
	free(again);
	buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	const char *at = (const char *)data, *end = at + size;
	unsigned char *der;
	size_t len;
	int rc;
	while ((rc = x509_pem_next(&at, end, &der, &len, &err)) == 1) {
		assert(len <= X509_DER_MAX);
		check_round_trip(der, len);
		free(der);
	}
	assert(rc == 0 ? at == end : err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
	return 0;
}
