/* Answers of AWS, parsed. */
#include "aws/reply.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/json.h"
#include "base/xml_read.h"

static int read_json(const char *body, size_t len, const char *expects, struct aws_reply *ret_reply,
	struct err *err)
{
	bool may_be_empty = expects != NULL && expects[0] == '\0';
	json_t *json = len == 0 && may_be_empty ? json_object() : json_read_object(body, len, err);
	if (json == NULL)
		return -1;
	const json_t *member =
		expects != NULL && !may_be_empty ? json_object_get(json, expects) : json;
	if (member == NULL || json_is_null(member)) {
		json_decref(json);
		return err_set(err, ERR_PROTOCOL, "the answer has no member %s", expects);
	}
	*ret_reply = (struct aws_reply){.json = json};
	return 0;
}

static int read_xml(const char *body, size_t len, const char *expects, struct aws_reply *ret_reply,
	struct err *err)
{
	struct xml_document *document = xml_read(body, len, err);
	if (document == NULL)
		return -1;
	const struct xml_element *root = xml_root(document);
	if (expects != NULL && xml_child(root, expects) == NULL) {
		xml_free(document);
		return err_set(err, ERR_PROTOCOL, "the answer has no element %s", expects);
	}
	*ret_reply = (struct aws_reply){.document = document, .xml = root};
	return 0;
}

static bool begins_with(const char *text, size_t len, const char *prefix)
{
	size_t prefix_len = strlen(prefix);
	return len >= prefix_len && strncasecmp(text, prefix, prefix_len) == 0;
}

/* What a proxy or a portal in front of the network answers in the name of AWS. */
static bool is_web_page(const char *body, size_t len)
{
	size_t begin = 0;
	/* Four blanks; strchr would take the NUL for a fifth. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	while (begin < len && memchr(" \t\r\n", body[begin], 4) != NULL)
		begin++;
	return begins_with(body + begin, len - begin, "<!doctype html") ||
	       begins_with(body + begin, len - begin, "<html");
}

int aws_reply_read(enum aws_protocol protocol, const char *body, size_t len, const char *expects,
	struct aws_reply *ret_reply, struct err *err)
{
	if (is_web_page(body, len))
		return err_set(err, ERR_PROTOCOL,
			"a web page instead of an answer: a proxy or a portal seems to be in the way");
	switch (protocol) {
	case AWS_JSON_1_1:
	case AWS_REST_JSON:
		return read_json(body, len, expects, ret_reply, err);
	case AWS_QUERY:
	case AWS_EC2_QUERY:
		return read_xml(body, len, expects, ret_reply, err);
	}
	return err_set(err, ERR_PROTOCOL, "unknown protocol %d", (int)protocol);
}

void aws_reply_clear(struct aws_reply *reply)
{
	json_decref(reply->json);
	xml_free(reply->document);
	*reply = (struct aws_reply){.json = NULL};
}
