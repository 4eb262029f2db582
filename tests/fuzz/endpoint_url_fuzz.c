/* Any text as an endpoint override: refused, or an endpoint whose own URL gives the same again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = xstrndup((const char *)data, size);
	struct err err = ERR_INIT;
	struct endpoint first = {.url = ""}, second = {.url = ""};
	struct endpoint_options options = {.use_fips = false};
	if (endpoint_override_check(url, true, &err) == 0) {
		text_copy(options.overrides.all, ENDPOINT_URL_MAX, url);
		assert(endpoint_resolve(AWS_ACM, "eu-west-1", &options, &first, &err) == 0);
		assert(strpbrk(first.host_header, "@/?# \r\n") == NULL);
		text_copy(options.overrides.all, ENDPOINT_URL_MAX, first.url);
		assert(endpoint_resolve(AWS_ACM, "eu-west-1", &options, &second, &err) == 0);
		assert(strcmp(first.url, second.url) == 0);
		assert(strcmp(first.host_key, second.host_key) == 0);
		assert(strcmp(first.path_prefix, second.path_prefix) == 0);
	} else {
		assert(err.kind == ERR_CONFIG && err.text[0] != '\0');
	}
	free(url);
	return 0;
}
