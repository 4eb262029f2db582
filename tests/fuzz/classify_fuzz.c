/* Error answers: protocol, status and whether there is a header come from the first three bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "aws/classify.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { HEAD = 3 };
	if (size < HEAD)
		return 0;
	struct http_reply reply = {.status = 300 + data[1]};
	if (data[2] % 4 == 1) { /* the body's begin stands in the header as well */
		size_t len = size - HEAD < 100 ? size - HEAD : 100;
		memcpy(reply.error_type, data + HEAD, len);
	} else if (data[2] % 4 == 2) {
		memcpy(reply.content_type, "text/html", sizeof("text/html"));
	}
	buf_init(&reply.body, size);
	buf_add(&reply.body, data + HEAD, size - HEAD);
	struct err err = ERR_INIT;
	(void)classify_answer((enum aws_protocol)(data[0] % 4), &reply, &err);
	assert(err.kind != ERR_NONE && err.text[0] != '\0');
	buf_clear(&reply.body);
	return 0;
}
