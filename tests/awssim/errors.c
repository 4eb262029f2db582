/* Errors in the form of each service, with the status codes that AWS gives them. */
#include <stdio.h>
#include <string.h>

#include "tests/awssim/service.h"

/* By service: STS, Organizations, Account, EC2, ACM, Secrets Manager. */
static const struct {
	int status;
	const char *code;
} common[COMMON_ERRORS][SERVICES] = {
	[ERROR_NO_TOKEN] = {{403, "MissingAuthenticationToken"},
		{400, "MissingAuthenticationTokenException"},
		{403, "MissingAuthenticationTokenException"}, {400, "MissingParameter"},
		{400, "MissingAuthenticationTokenException"},
		{400, "MissingAuthenticationTokenException"}},
	[ERROR_INCOMPLETE] = {{400, "IncompleteSignature"}, {400, "IncompleteSignatureException"},
		{403, "IncompleteSignatureException"}, {400, "IncompleteSignature"},
		{400, "IncompleteSignatureException"}, {400, "IncompleteSignatureException"}},
	[ERROR_SIGNATURE] = {{403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"},
		{403, "InvalidSignatureException"}, {401, "AuthFailure"},
		{400, "InvalidSignatureException"}, {400, "InvalidSignatureException"}},
	[ERROR_SIGNATURE_EXPIRED] = {{403, "SignatureDoesNotMatch"},
		{400, "InvalidSignatureException"}, {403, "InvalidSignatureException"},
		{400, "RequestExpired"}, {400, "InvalidSignatureException"},
		{400, "InvalidSignatureException"}},
	[ERROR_UNKNOWN_KEY] = {{403, "InvalidClientTokenId"}, {400, "UnrecognizedClientException"},
		{403, "UnrecognizedClientException"}, {401, "AuthFailure"},
		{400, "UnrecognizedClientException"}, {400, "UnrecognizedClientException"}},
	[ERROR_EXPIRED_TOKEN] = {{403, "ExpiredToken"}, {400, "ExpiredTokenException"},
		{403, "ExpiredTokenException"}, {400, "RequestExpired"},
		{400, "ExpiredTokenException"}, {400, "ExpiredTokenException"}},
	[ERROR_DENIED] = {{403, "AccessDenied"}, {400, "AccessDeniedException"},
		{403, "AccessDeniedException"}, {403, "UnauthorizedOperation"},
		{400, "AccessDeniedException"}, {400, "AccessDeniedException"}},
	[ERROR_THROTTLED] = {{400, "Throttling"}, {400, "TooManyRequestsException"},
		{429, "TooManyRequestsException"}, {503, "RequestLimitExceeded"},
		{400, "ThrottlingException"}, {400, "ThrottlingException"}},
	[ERROR_INTERNAL] = {{500, "InternalFailure"}, {500, "ServiceException"},
		{500, "InternalServerException"}, {500, "InternalError"}, {500, "InternalFailure"},
		{500, "InternalServiceError"}},
	[ERROR_UNAVAILABLE] = {{503, "ServiceUnavailable"}, {503, "ServiceUnavailableException"},
		{503, "ServiceUnavailableException"}, {503, "Unavailable"},
		{503, "ServiceUnavailableException"}, {503, "ServiceUnavailableException"}},
	[ERROR_INVALID] = {{400, "ValidationError"}, {400, "InvalidInputException"},
		{400, "ValidationException"}, {400, "InvalidParameterValue"},
		{400, "ValidationException"}, {400, "InvalidParameterException"}},
	[ERROR_UNKNOWN_OPERATION] = {{400, "InvalidAction"}, {400, "UnknownOperationException"},
		{404, "UnknownOperationException"}, {400, "InvalidAction"},
		{400, "UnknownOperationException"}, {400, "UnknownOperationException"}},
	[ERROR_MALFORMED] = {{400, "MalformedInput"}, {400, "SerializationException"},
		{400, "SerializationException"}, {400, "MalformedInput"},
		{400, "SerializationException"}, {400, "SerializationException"}},
};

/* Errors of the common front end carry its namespace, as clients must be able to read. */
static bool has_namespace(const char *code)
{
	return strcmp(code, "UnrecognizedClientException") == 0 ||
	       strcmp(code, "InvalidSignatureException") == 0 ||
	       strcmp(code, "ExpiredTokenException") == 0 ||
	       strcmp(code, "UnknownOperationException") == 0;
}

static void write_json(const struct call *call, const char *code, const char *message)
{
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_key(body, "__type");
	struct out type = {0};
	out_fmt(&type, "%s%s", has_namespace(code) ? "com.amazon.coral.service#" : "", code);
	json_text(body, type.data);
	out_clear(&type);
	bool is_capital = strcmp(code, "AccessDeniedException") == 0 ||
			  call->service == SERVICE_ORGANIZATIONS ||
			  call->service == SERVICE_SECRETS_MANAGER;
	if (message[0] != '\0') /* denials of foreign ARNs come without */
		json_member(body, is_capital ? "Message" : "message", message);
	if (strcmp(code, "ThrottlingException") == 0 && call->service == SERVICE_ACM) {
		json_key(body, "throttlingReasons");
		json_raw(body, "[{\"reason\":\"RequestRateExceeded\",\"resource\":\"acm\"}]");
	}
	json_close(body, '}');
	call->reply->content_type = "application/x-amz-json-1.1";
}

static void write_rest_json(const struct call *call, const char *code, const char *message)
{
	struct out *body = &call->reply->body;
	out_fmt(&call->reply->headers,
		"x-amzn-ErrorType: %s:http://internal.amazon.com/coral/com.amazon.account/\r\n",
		code);
	json_open(body, '{');
	json_member(body, "message", message);
	json_close(body, '}');
	call->reply->content_type = "application/json";
}

static void write_xml(const struct call *call, int status, const char *code, const char *message)
{
	struct out *body = &call->reply->body;
	call->reply->content_type = "text/xml";
	if (call->service == SERVICE_EC2) {
		out_text(body,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
		out_fmt(body, "<Code>%s</Code><Message>", code);
		out_xml(body, message);
		out_fmt(body, "</Message></Error></Errors><RequestID>%s</RequestID></Response>",
			call->request_id);
		call->reply->content_type = "text/xml;charset=UTF-8";
		return;
	}
	out_text(body, "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n");
	out_fmt(body, "  <Error>\n    <Type>%s</Type>\n    <Code>%s</Code>\n    <Message>",
		status >= 500 ? "Receiver" : "Sender", code);
	out_xml(body, message);
	out_fmt(body, "</Message>\n  </Error>\n  <RequestId>%s</RequestId>\n</ErrorResponse>\n",
		call->request_id);
}

static void __attribute__((format(printf, 4, 0)))
fail(struct call *call, int status, const char *code, const char *format, va_list args)
{
	struct out message = {0};
	out_vfmt(&message, format, args);
	call->failed = true;
	call->reply->status = status;
	call->reply->body.len = 0;
	snprintf(call->error_code, sizeof(call->error_code), "%s", code);
	switch (call->service) {
	case SERVICE_STS:
	case SERVICE_EC2:
		write_xml(call, status, code, message.data);
		break;
	case SERVICE_ACCOUNT:
		write_rest_json(call, code, message.data);
		break;
	case SERVICE_ORGANIZATIONS:
	case SERVICE_ACM:
	case SERVICE_SECRETS_MANAGER:
	case SERVICES:
		write_json(call, code, message.data);
		break;
	}
	out_clear(&message);
}

void call_fail(struct call *call, int status, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(call, status, code, format, args);
	va_end(args);
}

void call_fail_common(struct call *call, enum common_error error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(call, common[error][call->service].status, common[error][call->service].code, format,
		args);
	va_end(args);
}

static void deny(struct call *call, const char *action, const char *resource, const char *why)
{
	struct out who = {0}, what = {0};
	creds_arn(call->sim->world, call->who, &who);
	if (resource != NULL)
		out_fmt(&what, " on resource: %s", resource);
	else
		out_bytes(&what, "", 0);
	const char *start = call->service == SERVICE_EC2
				    ? "You are not authorized to perform this operation. "
				    : "";
	call_fail_common(call, ERROR_DENIED, "%sUser: %s is not authorized to perform: %s%s%s",
		start, who.data, action, what.data, why);
	out_clear(&who);
	out_clear(&what);
}

void call_deny_scp(struct call *call, const char *action, const char *resource)
{
	const struct world *world = call->sim->world;
	struct out why = {0};
	out_fmt(&why,
		" with an explicit deny in a service control policy: "
		"arn:%s:organizations::%s:policy/%s/service_control_policy/p-awssim01",
		world->partition->id, world->account[world->management].id, world->org_id);
	deny(call, action, resource, why.data);
	out_clear(&why);
}

void call_deny_identity(struct call *call, const char *action, const char *resource)
{
	struct out why = {0};
	if (call->service == SERVICE_STS) /* STS says no more than that */
		out_bytes(&why, "", 0);
	else
		out_fmt(&why, " because no identity-based policy allows the %s action", action);
	deny(call, action, resource, why.data);
	out_clear(&why);
}
