/* Faults that spoil a finished answer: its body, its length or its pace. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/service.h"

enum {
	BIG_BYTES = 100 << 20,
	BIG_PIECE = 65536,
	DEEP_LEVELS = 100000,
	SLOW_MS = 5000,
	GARBAGE_BYTES = 600,
};

static const char html[] =
	"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Proxy "
	"authentication</h1><p>Please log in to go on.</p></body></html>\n";

/* Every type differs from what the API promises, whatever the operation. */
static const char wrong_json[] =
	"{\"CertificateSummaryList\":\"none\",\"NextToken\":17,\"Certificate\":[1,2],"
	"\"CertificateChain\":{},\"CertificateArn\":5,\"ARN\":[],\"Name\":1,\"VersionId\":{},"
	"\"SecretString\":[7],\"SecretList\":{\"ARN\":1},\"Tags\":{\"Key\":3},\"Organization\":\"o\",\"Roots\":{\"Id\":1},"
	"\"OrganizationalUnits\":7,\"Accounts\":[\"a\",null,{\"Id\":12}],\"Regions\":[[],{\"RegionName\":"
	"false}]}";
static const char wrong_xml[] =
	"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
	"<Credentials>none</Credentials><AssumedRoleUser/></AssumeRoleResult></AssumeRoleResponse>";
static const char bad_utf8[] =
	"{\"CertificateSummaryList\":[{\"CertificateArn\":\"a\xff\xfe\xc3\","
	"\"DomainName\":\"\xed\xa0\x80\"}],\"Accounts\":[{\"Name\":\"\xc0\xaf\"}],"
	"\"Regions\":[{\"RegionName\":\"\xff\"}],\"Tags\":[{\"Key\":\"\x80\"}],"
	"\"Certificate\":\"\xff\"}";
static const char duplicates[] =
	"\"CertificateSummaryList\":[],\"Certificate\":\"x\",\"CertificateArn\":\"x\",\"Tags\":[],"
	"\"Accounts\":[],\"Regions\":[],\"NextToken\":\"again\",\"NextToken\":"
	"\"again\",";

static bool is_xml(const struct call *call)
{
	return call->service == SERVICE_STS || call->service == SERVICE_EC2;
}

static void replace(struct call *call, const char *text)
{
	call->reply->body.len = 0;
	out_text(&call->reply->body, text);
}

static void play_bomb(struct call *call)
{
	struct out *body = &call->reply->body;
	replace(call, "<?xml version=\"1.0\"?>\n<!DOCTYPE a [\n<!ENTITY x0 \"lollollol\">\n"
		      "<!ENTITY file SYSTEM \"file:///etc/passwd\">\n");
	for (int i = 1; i < 20; i++) {
		out_fmt(body, "<!ENTITY x%d \"", i);
		for (int k = 0; k < 10; k++)
			out_fmt(body, "&x%d;", i - 1);
		out_text(body, "\">\n");
	}
	out_text(body,
		"]>\n<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>&file;&x19;"
		"</AccessKeyId></Credentials></AssumeRoleResult></AssumeRoleResponse>");
}

static void play_deep(struct call *call, int64_t levels)
{
	struct out *body = &call->reply->body;
	replace(call, is_xml(call) ? "" : "{\"CertificateSummaryList\":");
	for (int64_t i = 0; i < levels; i++)
		out_text(body, is_xml(call) ? "<a>" : "[");
	for (int64_t i = 0; i < levels; i++)
		out_text(body, is_xml(call) ? "</a>" : "]");
	if (!is_xml(call))
		out_char(body, '}');
}

static bool more_big(void *arg, struct out *out)
{
	int64_t *left = arg;
	size_t len = *left < BIG_PIECE ? (size_t)*left : BIG_PIECE;
	out_reserve(out, len);
	memset(out->data + out->len, 'a', len);
	out->len += len;
	*left -= (int64_t)len;
	return *left > 0;
}

/* Well-formed so far, and it never stops: one string of that many bytes. */
static void play_big(struct call *call, int64_t bytes)
{
	struct reply *reply = call->reply;
	replace(call,
		is_xml(call) ? "<AssumeRoleResponse><AssumeRoleResult>" : "{\"NextToken\":\"");
	int64_t *left = mem_alloc(sizeof(*left));
	*left = bytes;
	reply->more = more_big;
	reply->more_arg = left;
	reply->more_free = free;
	reply->more_bytes = bytes;
}

static void play_garbage(struct call *call)
{
	struct out *body = &call->reply->body;
	struct random random = {call->sim->request_number};
	body->len = 0;
	for (int i = 0; i < GARBAGE_BYTES; i += 8) {
		uint64_t word = random_next(&random);
		out_bytes(body, &word, sizeof(word));
	}
}

static void play_html(struct call *call, int status)
{
	call->reply->status = status;
	call->reply->content_type = "text/html";
	replace(call, html);
}

/* The answer's own members follow, so that some names come twice. */
static void play_duplicates(struct call *call)
{
	struct out *body = &call->reply->body, rest = *body;
	if (is_xml(call) || rest.len < 2)
		return;
	*body = (struct out){0};
	out_char(body, '{');
	out_text(body, duplicates);
	out_bytes(body, rest.data + 1, rest.len - 1);
	out_clear(&rest);
}

void spoil_answer(struct call *call, const struct fault_rule *rule)
{
	struct reply *reply = call->reply;
	switch (rule->kind) {
	case FAULT_TRUNCATE:
		reply->manner = REPLY_TRUNCATE;
		break;
	case FAULT_SLOW:
		reply->manner = REPLY_SLOW;
		reply->slow_ms = rule->ms > 0 ? rule->ms : SLOW_MS;
		break;
	case FAULT_GARBAGE:
		play_garbage(call);
		break;
	case FAULT_HTML_502:
		play_html(call, 502);
		break;
	case FAULT_HTML:
		play_html(call, 200);
		break;
	case FAULT_EMPTY:
		reply->body.len = 0;
		break;
	case FAULT_BIG:
		play_big(call, rule->bytes > 0 ? rule->bytes : BIG_BYTES);
		break;
	case FAULT_WRONG_TYPES:
		replace(call, is_xml(call) ? wrong_xml : wrong_json);
		break;
	case FAULT_XML_BOMB:
		play_bomb(call);
		break;
	case FAULT_DUPLICATE_KEYS:
		play_duplicates(call);
		break;
	case FAULT_DEEP:
		play_deep(call, rule->bytes > 0 ? rule->bytes : DEEP_LEVELS);
		break;
	case FAULT_BAD_UTF8:
		replace(call, is_xml(call) ? "<AssumeRoleResponse>\xff\xfe</AssumeRoleResponse>"
					   : bad_utf8);
		break;
	case FAULT_ENDLESS_TOKEN: /* played by page_next */
	case FAULT_REPEAT_PAGE:
	case FAULT_500:
	case FAULT_503:
	case FAULT_RESET:
	case FAULT_CLOSE:
	case FAULT_STALL:
	case FAULT_THROTTLE:
	case FAULT_ERROR:
	case FAULT_EXPIRED_TOKEN:
	case FAULT_DEAD:
	case FAULT_REFUSE:
	case FAULT_LATENCY:
	case FAULT_KINDS:
		break;
	}
}
