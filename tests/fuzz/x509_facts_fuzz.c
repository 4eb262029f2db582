/* A DER certificate from anywhere: facts or a clean error. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct x509_facts facts = {.serial = ""};
	if (x509_facts_from_der(data, size, &facts, &err) != 0) {
		assert(err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
		return 0;
	}
	assert(text_is_utf8(facts.subject, strlen(facts.subject)));
	assert(text_is_utf8(facts.issuer, strlen(facts.issuer)));
	assert(text_is_utf8(facts.common_name, strlen(facts.common_name)));
	assert(facts.serial[0] != '\0' && facts.key_algorithm[0] != '\0');
	assert(facts.san_count <= X509_SANS_MAX && facts.ext_key_usage_count <= X509_EKUS_MAX);
	for (size_t i = 0; i < facts.san_count; i++)
		assert(strlen(facts.san[i].text) < X509_SAN_TEXT_MAX);
	x509_facts_clear(&facts);
	return 0;
}
