/* What a failed attempt means: find code and message, then look the code up in one table. */
#include "aws/classify.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "base/xml_read.h"

enum { MESSAGE_MAX = 512 };

/* What an answer says of itself. */
struct found {
	char code[ERR_CODE_MAX]; /* "" when there is none */
	char message[MESSAGE_MAX];
	bool is_document; /* the body is JSON or XML, whatever it says */
};

/* Codes whose meaning does not follow from the HTTP status. */
static const struct meaning {
	const char *code;
	enum err_kind kind;
	enum retry_class retry;
} meaning[] = {
	{"AccessDenied", ERR_DENIED, RETRY_NEVER},
	{"AccessDeniedException", ERR_DENIED, RETRY_NEVER},
	{"AuthorizationError", ERR_DENIED, RETRY_NEVER},
	{"AuthorizationErrorException", ERR_DENIED, RETRY_NEVER},
	{"NotAuthorized", ERR_DENIED, RETRY_NEVER}, {"OptInRequired", ERR_DENIED, RETRY_NEVER},
	{"RegionDisabledException", ERR_DENIED, RETRY_NEVER},
	{"SubscriptionRequired", ERR_DENIED, RETRY_NEVER},
	{"SubscriptionRequiredException", ERR_DENIED, RETRY_NEVER},
	{"UnauthorizedOperation", ERR_DENIED, RETRY_NEVER},

	{"ExpiredToken", ERR_CREDENTIALS, RETRY_EXPIRED},
	{"ExpiredTokenException", ERR_CREDENTIALS, RETRY_EXPIRED},
	{"TokenRefreshRequired", ERR_CREDENTIALS, RETRY_EXPIRED},
	{"AuthFailure", ERR_CREDENTIALS, RETRY_UNKNOWN_KEY},
	{"InvalidAccessKeyId", ERR_CREDENTIALS, RETRY_UNKNOWN_KEY},
	{"InvalidClientTokenId", ERR_CREDENTIALS, RETRY_UNKNOWN_KEY},
	{"InvalidToken", ERR_CREDENTIALS, RETRY_UNKNOWN_KEY},
	{"UnrecognizedClientException", ERR_CREDENTIALS, RETRY_UNKNOWN_KEY},
	{"IncompleteSignature", ERR_CREDENTIALS, RETRY_NEVER},
	{"IncompleteSignatureException", ERR_CREDENTIALS, RETRY_NEVER},
	{"InvalidSignatureException", ERR_CREDENTIALS, RETRY_NEVER},
	{"MissingAuthenticationToken", ERR_CREDENTIALS, RETRY_NEVER},
	{"MissingAuthenticationTokenException", ERR_CREDENTIALS, RETRY_NEVER},
	{"SignatureDoesNotMatch", ERR_CREDENTIALS, RETRY_NEVER},
	{"RequestExpired", ERR_CREDENTIALS, RETRY_CLOCK},
	{"RequestInTheFuture", ERR_CREDENTIALS, RETRY_CLOCK},
	{"RequestTimeTooSkewed", ERR_CREDENTIALS, RETRY_CLOCK},

	/* LimitExceededException is not here: in ACM it counts things, not requests. */
	{"BandwidthLimitExceeded", ERR_THROTTLED, RETRY_THROTTLED},
	{"EC2ThrottledException", ERR_THROTTLED, RETRY_THROTTLED},
	{"PriorRequestNotComplete", ERR_THROTTLED, RETRY_THROTTLED},
	{"ProvisionedThroughputExceededException", ERR_THROTTLED, RETRY_THROTTLED},
	{"RequestLimitExceeded", ERR_THROTTLED, RETRY_THROTTLED},
	{"RequestThrottled", ERR_THROTTLED, RETRY_THROTTLED},
	{"RequestThrottledException", ERR_THROTTLED, RETRY_THROTTLED},
	{"SlowDown", ERR_THROTTLED, RETRY_THROTTLED},
	{"ThrottledException", ERR_THROTTLED, RETRY_THROTTLED},
	{"Throttling", ERR_THROTTLED, RETRY_THROTTLED},
	{"ThrottlingException", ERR_THROTTLED, RETRY_THROTTLED},
	{"TooManyRequestsException", ERR_THROTTLED, RETRY_THROTTLED},
	{"TransactionInProgressException", ERR_THROTTLED, RETRY_THROTTLED},

	{"IDPCommunicationError", ERR_SERVICE, RETRY_SERVICE},
	{"InternalError", ERR_SERVICE, RETRY_SERVICE},
	{"InternalFailure", ERR_SERVICE, RETRY_SERVICE},
	{"InternalServerException", ERR_SERVICE, RETRY_SERVICE},
	{"InternalServiceError", ERR_SERVICE, RETRY_SERVICE},
	{"ServiceException", ERR_SERVICE, RETRY_SERVICE},
	{"ServiceUnavailable", ERR_SERVICE, RETRY_SERVICE},
	{"ServiceUnavailableException", ERR_SERVICE, RETRY_SERVICE},
	{"RequestTimeout", ERR_TIMEOUT, RETRY_SERVICE},
	{"RequestTimeoutException", ERR_TIMEOUT, RETRY_SERVICE},

	{"NoSuchEntity", ERR_NOT_FOUND, RETRY_NEVER}, {"NotFound", ERR_NOT_FOUND, RETRY_NEVER},
	{"UnknownOperationException", ERR_REFUSED, RETRY_NEVER}, /* as 404 */
};

/* --- code and message ------------------------------------------------------------------------- */

/* "com.amazonaws.acm#ThrottlingException:http://..." -> "ThrottlingException". What is left must be
 * a word: an answer that is not AWS's may have anything there. */
static void set_code(struct found *found, const char *text)
{
	char code[512];
	(void)text_copy(code, sizeof(code), text); /* longer ones are no codes */
	code[strcspn(code, ",")] = '\0';
	code[strcspn(code, ":")] = '\0';
	const char *hash = strrchr(code, '#');
	const char *word = hash != NULL ? hash + 1 : code;
	size_t len = strlen(word);
	if (len == 0 || len >= sizeof(found->code))
		return;
	if (strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") !=
		len)
		return;
	memcpy(found->code, word, len + 1);
}

/* About a wrong signature AWS quotes what it thinks was signed, the session token included, and
 * about a wrong value perhaps the value, which may be a private key (as PEM, or in base64): that
 * part must not get into logs, the store and the API. Returns how much of the text comes before. */
static size_t len_before_quoted_request(const char *text)
{
	static const char *const begin[] = {"The Canonical String", "The String-to-Sign",
		"x-amz-security-token", "-----BEGIN PRIVATE KEY", "LS0tLS1CRUdJTiBQUklWQVRF"};
	size_t len = strlen(text);
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
		const char *found = strcasestr(text, begin[i]);
		if (found != NULL && (size_t)(found - text) < len)
			len = (size_t)(found - text);
	}
	if (text[len] == '\0')
		return len;
	while (len > 0 && (unsigned char)text[len - 1] <= ' ')
		len--;
	return len;
}

/* One line, without control bytes, whatever was sent. */
static void set_message(struct found *found, const char *text)
{
	size_t len = len_before_quoted_request(text);
	if (len >= sizeof(found->message))
		len = sizeof(found->message) - 1; /* cut is fine */
	memcpy(found->message, text, len);
	found->message[len] = '\0';
	while (len > 0 && !text_is_utf8(found->message, len))
		found->message[--len] = '\0'; /* cut inside a character */
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)found->message[i] < ' ' || found->message[i] == 0x7f)
			found->message[i] = ' ';
	}
}

static const char *text_member(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	return json_is_string(member) ? json_string_value(member) : "";
}

static void find_in_json(
	enum aws_protocol protocol, const struct http_reply *reply, struct found *found)
{
	struct err ignored = ERR_INIT; /* not JSON: then the status must do */
	json_t *json = json_read_object(buf_text(&reply->body), reply->body.len, &ignored);
	found->is_document = json != NULL;
	const char *type = text_member(json, "__type"), *code = text_member(json, "code");
	/* The places, weakest first. */
	if (protocol == AWS_REST_JSON) {
		set_code(found, type);
		set_code(found, code);
		set_code(found, reply->error_type);
	} else {
		set_code(found, reply->error_type);
		set_code(found, code);
		set_code(found, type);
	}
	set_message(found, text_member(json, "message"));
	if (found->message[0] == '\0')
		set_message(found, text_member(json, "Message"));
	json_decref(json);
}

/* Also of JSON services: the front of AWS answers some requests in XML whatever was asked. */
static void find_in_xml(const struct http_reply *reply, struct found *found)
{
	struct err ignored = ERR_INIT;
	struct xml_document *document = xml_read(buf_text(&reply->body), reply->body.len, &ignored);
	if (document == NULL)
		return;
	found->is_document = true;
	const struct xml_element *root = xml_root(document);
	const struct xml_element *error = xml_child(root, "Error");
	if (error == NULL)
		error = xml_child(root, "Errors/Error");
	if (error == NULL && strcmp(xml_name(root), "Error") == 0)
		error = root;
	if (error != NULL) {
		const char *code = xml_child_text(error, "Code");
		const char *message = xml_child_text(error, "Message");
		set_code(found, code != NULL ? code : "");
		set_message(found, message != NULL ? message : "");
	} else if (text_has_suffix(xml_name(root), "Exception")) {
		set_code(found, xml_name(root));
	}
	xml_free(document);
}

static bool is_html(const struct http_reply *reply)
{
	if (strncasecmp(reply->content_type, "text/html", 9) == 0)
		return true;
	const char *text = buf_text(&reply->body);
	text += strspn(text, " \t\r\n");
	return strncasecmp(text, "<!doctype html", 14) == 0 || strncasecmp(text, "<html", 5) == 0;
}

/* --- meaning ---------------------------------------------------------------------------------- */

static const struct meaning *look_up(const char *code)
{
	for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++) {
		if (strcmp(meaning[i].code, code) == 0)
			return &meaning[i];
	}
	return NULL;
}

/* By the status, where the code says nothing more. */
static struct meaning by_status(int status, const char *code, bool is_page)
{
	if (status == 429)
		return (struct meaning){.kind = ERR_THROTTLED, .retry = RETRY_THROTTLED};
	if (status >= 500)
		return (struct meaning){.kind = ERR_SERVICE, .retry = RETRY_SERVICE};
	if (status == 408)
		return (struct meaning){.kind = ERR_TIMEOUT, .retry = RETRY_SERVICE};
	if (status == 407)
		return (struct meaning){.kind = ERR_UNREACHABLE, .retry = RETRY_NEVER};
	if (text_has_suffix(code, "NotFoundException") || text_has_suffix(code, "NotFound"))
		return (struct meaning){.kind = ERR_NOT_FOUND, .retry = RETRY_NEVER};
	/* A page is not AWS's: a proxy's refusal must not look like a missing permission. */
	if (!is_page && (status == 401 || status == 403))
		return (struct meaning){.kind = ERR_DENIED, .retry = RETRY_NEVER};
	if (!is_page && status == 404)
		return (struct meaning){.kind = ERR_NOT_FOUND, .retry = RETRY_NEVER};
	return (struct meaning){.kind = ERR_REFUSED, .retry = RETRY_NEVER};
}

static bool is_explicit_policy_deny(const char *message)
{
	return strstr(message, "explicit deny in a service control policy") != NULL ||
	       strstr(message, "explicit deny in a resource control policy") != NULL;
}

static bool is_about_time(const char *message)
{
	return strncmp(message, "Signature expired", 17) == 0 ||
	       strncmp(message, "Signature not yet current", 25) == 0;
}

/* A refusal whose reason was lost on the way: AWS always gives one, if only in a header. */
static bool is_garbled(const struct http_reply *reply, const struct found *found)
{
	bool is_refusal = reply->status >= 400 && reply->status < 500 && reply->status != 407;
	if (!is_refusal || found->is_document)
		return false;
	return found->code[0] == '\0' || reply->body.len > 0;
}

static void set_without_code(const struct http_reply *reply, enum err_kind kind, struct err *err)
{
	if (reply->status == 407)
		err_set(err, kind, "HTTP 407: the proxy asks for credentials");
	else if (reply->status < 400)
		err_set(err, kind,
			"HTTP %d: a redirect, which AWS never answers; is a proxy or portal in between?",
			reply->status);
	else if (is_html(reply))
		err_set(err, kind,
			"HTTP %d with a web page instead of AWS's answer; is a proxy in between?",
			reply->status);
	else
		err_set(err, kind, "HTTP %d without AWS's error code", reply->status);
	char code[16];
	snprintf(code, sizeof(code), "%d", reply->status);
	err_set_code(err, code);
}

struct classified classify_answer(
	enum aws_protocol protocol, const struct http_reply *reply, struct err *err)
{
	struct found found = {.code = ""};
	bool is_page = is_html(reply);
	if (!is_page) {
		if (protocol == AWS_JSON_1_1 || protocol == AWS_REST_JSON)
			find_in_json(protocol, reply, &found);
		if (found.code[0] == '\0')
			find_in_xml(reply, &found);
	}
	const struct meaning *known = look_up(found.code);
	struct meaning means =
		known != NULL ? *known : by_status(reply->status, found.code, is_page);
	if (means.retry == RETRY_NEVER && !is_page && is_garbled(reply, &found))
		means = (struct meaning){.kind = ERR_PROTOCOL, .retry = RETRY_GARBAGE};
	if (means.kind == ERR_DENIED && is_explicit_policy_deny(found.message))
		means.kind = ERR_DENIED_BY_SCP;
	if (means.kind == ERR_CREDENTIALS && is_about_time(found.message))
		means.retry = RETRY_CLOCK;
	if (found.code[0] == '\0') {
		set_without_code(reply, means.kind, err);
		return (struct classified){.retry = means.retry};
	}
	err_set(err, means.kind, "%s%s%s (HTTP %d)", found.code,
		found.message[0] != '\0' ? ": " : "", found.message, reply->status);
	err_set_code(err, found.code);
	return (struct classified){.retry = means.retry, .is_from_aws = true};
}

bool classify_is_refusal(const struct http_reply *reply, const struct classified *classified)
{
	if (reply->status == 407)
		return true;
	bool is_4xx = reply->status >= 400 && reply->status < 500;
	if (!classified->is_from_aws)
		return false;
	switch (classified->retry) {
	case RETRY_THROTTLED:
		return is_4xx || reply->status == 503;
	case RETRY_NEVER:
	case RETRY_CLOCK:
	case RETRY_EXPIRED:
	case RETRY_UNKNOWN_KEY:
		return is_4xx;
	case RETRY_SERVICE: /* also 408: it may have come in time for somebody */
	case RETRY_BROKEN:
	case RETRY_GARBAGE:
	case RETRY_TIMEOUT:
	case RETRY_CONNECT:
	case RETRY_RESET:
		break;
	}
	return false;
}

bool classify_is_unsent(const struct err *http_err)
{
	return strcmp(http_err->code, "connect") == 0 || http_err->kind == ERR_CONFIG ||
	       http_err->kind == ERR_SYSTEM;
}

enum retry_class classify_transport(const struct err *http_err)
{
	if (strcmp(http_err->code, "connect") == 0)
		return RETRY_CONNECT;
	if (strcmp(http_err->code, "reset") == 0)
		return RETRY_RESET;
	if (http_err->kind == ERR_TIMEOUT)
		return RETRY_TIMEOUT;
	if (http_err->kind == ERR_UNREACHABLE || http_err->kind == ERR_PROTOCOL)
		return RETRY_BROKEN;
	return RETRY_NEVER; /* too large, a CA bundle that cannot be read: the same next time */
}
