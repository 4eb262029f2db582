/*
 * An answer of AWS that was understood as JSON or XML: parsed once, by the call, so that a
 * truncated or garbled body is retried like any other failure of the way, and read by the _take
 * functions.
 */
#ifndef AWS_REPLY_H
#define AWS_REPLY_H

#include <jansson.h>
#include <stddef.h>

#include "aws/service.h"

struct err;
struct xml_document;
struct xml_element;

/* What a call hands to its owner: borrowed for the callback. */
struct aws_reply {
	json_t *json;		       /* owned; the body's object of a JSON service, else NULL */
	struct xml_document *document; /* owned; of an XML service, else NULL */
	const struct xml_element *xml; /* borrowed from document: its root */
};

/*
 * Reads the body of a success. Bound len before.
 *
 * expects  member or element below the root that must be there; NULL: any; "": any, and JSON may
 *          be no bytes at all, which reads as {}
 * errors   ERR_PROTOCOL: not JSON or XML (names the place), or without what was expected;
 *          ERR_LIMIT: nested too deeply
 */
int aws_reply_read(enum aws_protocol protocol, const char *body, size_t len, const char *expects,
	struct aws_reply *ret_reply, struct err *err);
void aws_reply_clear(struct aws_reply *reply); /* XML is wiped; zeroed is fine */

#endif
