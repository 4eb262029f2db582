/* What a stranger sends to metrics_listen: any bytes are answered with a status that is known. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/metrics_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metrics_request request;
	if (size > METRICS_REQUEST_MAX)
		return 0;
	char *head = malloc(size + 1); /* of its own, so that nothing behind it can be read */
	assert(head != NULL);
	memcpy(head, data, size);
	metrics_request_parse(head, size, &request);
	assert(metrics_status_phrase(request.status)[0] != '\0');
	assert((request.status == 200) == (request.text[0] == '\0'));
	assert(request.status != 200 || memmem(data, size, " /metrics", 9) != NULL);
	assert(request.has_body || memcmp(data, "HEAD ", 5) == 0);
	free(head);
	return 0;
}
