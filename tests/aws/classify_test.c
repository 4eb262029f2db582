#include "aws/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "tests/lib/read_file.h"

struct given {
	enum aws_protocol protocol;
	int status;
	const char *body, *error_type, *content_type;
};

static struct classified classify(const struct given *given, struct err *err)
{
	struct http_reply reply = {.status = given->status, .retry_after_s = -1};
	buf_init(&reply.body, 1 << 20);
	buf_add_text(&reply.body, given->body);
	if (given->error_type != NULL)
		snprintf(reply.error_type, sizeof(reply.error_type), "%s", given->error_type);
	if (given->content_type != NULL)
		snprintf(reply.content_type, sizeof(reply.content_type), "%s", given->content_type);
	*err = (struct err)ERR_INIT;
	struct classified classified = classify_answer(given->protocol, &reply, err);
	buf_clear(&reply.body);
	return classified;
}

static void expect(struct given given, enum err_kind kind, const char *code, enum retry_class retry)
{
	struct err err;
	struct classified classified = classify(&given, &err);
	if (err.kind != kind || classified.retry != retry || strcmp(err.code, code) != 0)
		fail_msg("%d %s: %s %s retry %d (%s)", given.status, given.body,
			err_kind_name(err.kind), err.code, (int)classified.retry, err.text);
}

static enum aws_protocol protocol_named(const char *name)
{
	if (strcmp(name, "json_1_1") == 0)
		return AWS_JSON_1_1;
	if (strcmp(name, "rest_json") == 0)
		return AWS_REST_JSON;
	return strcmp(name, "ec2") == 0 ? AWS_EC2_QUERY : AWS_QUERY;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void protocol_tests_of_botocore(void **state)
{
	(void)state;
	size_t len;
	char *text = read_data("answers", "protocol_errors", ".json", &len);
	json_t *cases = json_loadb(text, len, 0, NULL);
	assert_true(json_array_size(cases) >= 29);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *item = json_array_get(cases, i);
		struct err err;
		struct classified classified = classify(
			&(struct given){.protocol = protocol_named(text_of(item, "protocol")),
				.status = (int)json_integer_value(json_object_get(item, "status")),
				.body = text_of(item, "body"),
				.error_type = text_of(item, "error_type"),
				.content_type = text_of(item, "content_type")},
			&err);
		assert_string_equal(err.code, text_of(item, "code"));
		assert_true(classified.is_from_aws);
		assert_non_null(strstr(err.text, text_of(item, "message")));
	}
	json_decref(cases);
	free(text);
}

#define JSON(status, body) ((struct given){AWS_JSON_1_1, status, body, NULL, NULL})
#define QUERY(status, code)                                                                              \
	((struct given){AWS_QUERY, status,                                                               \
		"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender" \
		"</Type><Code>" code "</Code><Message>m</Message></Error></ErrorResponse>",              \
		NULL, NULL})
#define EC2(status, code)                                                                          \
	((struct given){AWS_EC2_QUERY, status,                                                     \
		"<Response><Errors><Error><Code>" code                                             \
		"</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>", \
		NULL, NULL})

static void every_name_of_a_denial_is_a_denial(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}"), ERR_DENIED,
		"AccessDeniedException", RETRY_NEVER);
	expect(JSON(400, "{\"__type\":\"AccessDeniedException\"}"), ERR_DENIED,
		"AccessDeniedException", RETRY_NEVER);
	expect(QUERY(403, "AccessDenied"), ERR_DENIED, "AccessDenied", RETRY_NEVER);
	expect(QUERY(403, "AuthorizationError"), ERR_DENIED, "AuthorizationError", RETRY_NEVER);
	expect(EC2(403, "UnauthorizedOperation"), ERR_DENIED, "UnauthorizedOperation", RETRY_NEVER);
	expect(EC2(401, "OptInRequired"), ERR_DENIED, "OptInRequired", RETRY_NEVER);
	expect(JSON(400, "{\"__type\":\"SubscriptionRequiredException\"}"), ERR_DENIED,
		"SubscriptionRequiredException", RETRY_NEVER);
	expect(QUERY(403, "RegionDisabledException"), ERR_DENIED, "RegionDisabledException",
		RETRY_NEVER);
}

static void policies_of_the_organization_are_told_apart(void **state)
{
	(void)state;
	expect(JSON(400,
		       "{\"__type\":\"AccessDeniedException\",\"Message\":\"User: arn:aws:sts::1:x is not "
		       "authorized to perform: acm:ListCertificates on resource: * with an explicit deny "
		       "in a service control policy: arn:aws:organizations::1:policy/p\"}"),
		ERR_DENIED_BY_SCP, "AccessDeniedException", RETRY_NEVER);
	expect(JSON(400,
		       "{\"__type\":\"AccessDeniedException\",\"Message\":\"x with an explicit deny in a "
		       "resource control policy\"}"),
		ERR_DENIED_BY_SCP, "AccessDeniedException", RETRY_NEVER);
	expect(JSON(400,
		       "{\"__type\":\"AccessDeniedException\",\"Message\":\"x with an explicit deny in an "
		       "identity-based policy\"}"),
		ERR_DENIED, "AccessDeniedException", RETRY_NEVER);
	expect(JSON(400,
		       "{\"__type\":\"ValidationException\",\"message\":\"explicit deny in a service control "
		       "policy\"}"),
		ERR_REFUSED, "ValidationException", RETRY_NEVER);
}

static void credentials_that_are_refused(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"UnrecognizedClientException\"}"), ERR_CREDENTIALS,
		"UnrecognizedClientException", RETRY_UNKNOWN_KEY);
	expect(QUERY(403, "InvalidClientTokenId"), ERR_CREDENTIALS, "InvalidClientTokenId",
		RETRY_UNKNOWN_KEY);
	expect(EC2(401, "AuthFailure"), ERR_CREDENTIALS, "AuthFailure", RETRY_UNKNOWN_KEY);
	expect(JSON(400, "{\"__type\":\"ExpiredTokenException\"}"), ERR_CREDENTIALS,
		"ExpiredTokenException", RETRY_EXPIRED);
	expect(QUERY(403, "ExpiredToken"), ERR_CREDENTIALS, "ExpiredToken", RETRY_EXPIRED);
	expect(QUERY(403, "SignatureDoesNotMatch"), ERR_CREDENTIALS, "SignatureDoesNotMatch",
		RETRY_NEVER);
}

static void signatures_out_of_time_are_a_matter_of_the_clock(void **state)
{
	(void)state;
	expect(JSON(400,
		       "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired: 20260101T000000Z "
		       "is now earlier than 20260101T001500Z\"}"),
		ERR_CREDENTIALS, "InvalidSignatureException", RETRY_CLOCK);
	expect(JSON(400,
		       "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature not yet current: x\"}"),
		ERR_CREDENTIALS, "InvalidSignatureException", RETRY_CLOCK);
	expect(JSON(400,
		       "{\"__type\":\"InvalidSignatureException\",\"message\":\"The request signature we calculated "
		       "does not match\"}"),
		ERR_CREDENTIALS, "InvalidSignatureException", RETRY_NEVER);
	expect(EC2(400, "RequestExpired"), ERR_CREDENTIALS, "RequestExpired", RETRY_CLOCK);
}

static void throttling_comes_under_many_names_and_mostly_as_400(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"),
		ERR_THROTTLED, "ThrottlingException", RETRY_THROTTLED);
	expect(JSON(400, "{\"__type\":\"TooManyRequestsException\"}"), ERR_THROTTLED,
		"TooManyRequestsException", RETRY_THROTTLED);
	expect(QUERY(400, "Throttling"), ERR_THROTTLED, "Throttling", RETRY_THROTTLED);
	expect(EC2(503, "RequestLimitExceeded"), ERR_THROTTLED, "RequestLimitExceeded",
		RETRY_THROTTLED);
	expect(QUERY(503, "SlowDown"), ERR_THROTTLED, "SlowDown", RETRY_THROTTLED);
	expect((struct given){AWS_REST_JSON, 429, "{}", "TooManyRequestsException", NULL},
		ERR_THROTTLED, "TooManyRequestsException", RETRY_THROTTLED);
	expect(JSON(429, ""), ERR_THROTTLED, "429", RETRY_THROTTLED);
}

static void limit_exceeded_counts_things_and_is_no_throttling(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"LimitExceededException\"}"), ERR_REFUSED,
		"LimitExceededException", RETRY_NEVER);
}

static void server_failures_are_transient(void **state)
{
	(void)state;
	expect(JSON(500, "{\"__type\":\"InternalFailure\"}"), ERR_SERVICE, "InternalFailure",
		RETRY_SERVICE);
	expect(JSON(400, "{\"__type\":\"ServiceException\"}"), ERR_SERVICE, "ServiceException",
		RETRY_SERVICE);
	expect(JSON(500, "{\"__type\":\"SomethingNew\"}"), ERR_SERVICE, "SomethingNew",
		RETRY_SERVICE);
	expect(JSON(503, ""), ERR_SERVICE, "503", RETRY_SERVICE);
	expect(EC2(503, "Unavailable"), ERR_SERVICE, "Unavailable", RETRY_SERVICE);
	expect(JSON(502, "<html><body>Bad Gateway</body></html>"), ERR_SERVICE, "502",
		RETRY_SERVICE);
	expect(JSON(408, ""), ERR_TIMEOUT, "408", RETRY_SERVICE);
}

static void missing_things_are_not_found(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"ResourceNotFoundException\"}"), ERR_NOT_FOUND,
		"ResourceNotFoundException", RETRY_NEVER);
	expect(JSON(400, "{\"__type\":\"ParentNotFoundException\"}"), ERR_NOT_FOUND,
		"ParentNotFoundException", RETRY_NEVER);
	expect(JSON(404, "{}"), ERR_NOT_FOUND, "404", RETRY_NEVER);
}

static void a_web_page_is_never_aws_speaking(void **state)
{
	(void)state;
	struct given page = {AWS_JSON_1_1, 403, "<!DOCTYPE html><html>Blocked by policy</html>",
		NULL, "text/html; charset=utf-8"};
	struct err err;
	assert_false(classify(&page, &err).is_from_aws);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(err.code, "403");
	assert_non_null(strstr(err.text, "web page"));
	page.status = 404;
	page.content_type = NULL;
	expect(page, ERR_REFUSED, "404", RETRY_NEVER);
	expect(JSON(302, ""), ERR_REFUSED, "302", RETRY_NEVER);
	expect(JSON(407, "<html></html>"), ERR_UNREACHABLE, "407", RETRY_NEVER);
	expect(JSON(407, ""), ERR_UNREACHABLE, "407", RETRY_NEVER);
}

static void the_front_of_aws_may_answer_json_requests_in_xml(void **state)
{
	(void)state;
	expect(JSON(404, "<UnknownOperationException/>\n"), ERR_REFUSED,
		"UnknownOperationException", RETRY_NEVER);
	expect((struct given){AWS_JSON_1_1, 403,
		       "<AccessDeniedException><Message>x</Message></AccessDeniedException>", NULL,
		       "application/xml"},
		ERR_DENIED, "AccessDeniedException", RETRY_NEVER);
}

static void codes_that_are_no_words_are_ignored(void **state)
{
	(void)state;
	expect(JSON(400, "{\"__type\":\"a b\\u0007\"}"), ERR_REFUSED, "400", RETRY_NEVER);
	expect(JSON(400, "{\"__type\":5,\"code\":{},\"message\":[]}"), ERR_REFUSED, "400",
		RETRY_NEVER);
	expect(JSON(403, "{\"message\":\"Forbidden\"}"), ERR_DENIED, "403", RETRY_NEVER);
	char body[256];
	snprintf(body, sizeof(body), "{\"__type\":\"%0*d\"}", ERR_CODE_MAX, 0);
	expect(JSON(400, body), ERR_REFUSED, "400", RETRY_NEVER);
}

/* Forms that no service of ours documents, of front ends and of services to come. */
static void errors_are_found_wherever_xml_has_them(void **state)
{
	(void)state;
	struct given given = {.protocol = AWS_QUERY, .status = 503};
	given.body = "<Error><Code>SlowDown</Code><Message>m</Message></Error>";
	struct err err;
	classify(&given, &err);
	assert_string_equal(err.text, "SlowDown: m (HTTP 503)");
	given.status = 400;
	given.body = "<UnknownOperationException/>";
	expect(given, ERR_REFUSED, "UnknownOperationException", RETRY_NEVER);
	given.body = "<ThingNotFound/>"; /* not a name of an error */
	expect(given, ERR_REFUSED, "400", RETRY_NEVER);
	given.body = "<Error><Code>ThingNotFound</Code></Error>";
	expect(given, ERR_NOT_FOUND, "ThingNotFound", RETRY_NEVER);
	given.body = "<ErrorResponse><Error><Message>m</Message></Error></ErrorResponse>";
	expect(given, ERR_REFUSED, "400", RETRY_NEVER);
}

static void messages_are_one_line_of_valid_text(void **state)
{
	(void)state;
	struct err err;
	classify(
		&JSON(400,
			"{\"__type\":\"ValidationException\",\"message\":\"a\\nb\\u001b[1mc\\u007f!\"}"),
		&err);
	assert_string_equal(err.text, "ValidationException: a b [1mc ! (HTTP 400)");
	char body[2048] = "{\"__type\":\"ValidationException\",\"message\":\"";
	while (strlen(body) < 1500)
		strncat(body, "\xc3\xa4", sizeof(body) - strlen(body) - 1);
	strncat(body, "\"}", sizeof(body) - strlen(body) - 1);
	classify(&JSON(400, body), &err);
	assert_true(text_is_utf8(err.text, strlen(err.text)));
}

/* AWS repeats the request as it understood it, session token included. */
static void what_was_signed_is_not_told_again(void **state)
{
	(void)state;
	static const char *const code[] = {"SignatureDoesNotMatch", "InvalidSignatureException"};
	static const char says[] =
		"The request signature we calculated does not match the signature you provided.";
	static const char *const quoted[] = {
		"The Canonical String for this request should have been",
		"The String-to-Sign should have been"};
	for (size_t i = 0; i < 2; i++) {
		char json[1024], xml[1024], text[1024];
		struct err err;
		snprintf(json, sizeof(json),
			"{\"__type\":\"%s\",\"message\":\"%s\\n\\n%s\\n'POST\\n/\\n\\n"
			"x-amz-security-token:FwoGZXIvYXdz'\"}",
			code[i], says, quoted[i]);
		snprintf(xml, sizeof(xml),
			"<ErrorResponse><Error><Code>%s</Code><Message>%s\n\n%s\n'POST\n/\n\n"
			"x-amz-security-token:FwoGZXIvYXdz'</Message></Error></ErrorResponse>",
			code[i], says, quoted[i]);
		snprintf(text, sizeof(text), "%s: %s (HTTP 403)", code[i], says);
		classify(&JSON(403, json), &err);
		assert_string_equal(err.text, text);
		classify(&(struct given){.protocol = AWS_QUERY, .status = 403, .body = xml}, &err);
		assert_string_equal(err.text, text);
	}
	struct err err; /* nothing before it */
	classify(&JSON(403, "{\"__type\":\"SignatureDoesNotMatch\",\"message\":"
			    "\" The Canonical String is: x-amz-security-token:FwoGZXIvYXdz\"}"),
		&err);
	assert_string_equal(err.text, "SignatureDoesNotMatch (HTTP 403)");
}

/* A validation error quotes the value that it does not like. */
static void a_key_that_was_sent_is_not_told_again(void **state)
{
	(void)state;
	static const char *const quoted[] = {"'-----BEGIN PRIVATE KEY-----\\nMIGHAgEA'",
		"'LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VB'"};
	for (size_t i = 0; i < 2; i++) {
		char json[256];
		struct err err;
		snprintf(json, sizeof(json),
			"{\"__type\":\"ValidationException\",\"message\":\"1 validation error: "
			"Value %s at 'privateKey'\"}",
			quoted[i]);
		classify(&JSON(400, json), &err);
		assert_string_equal(
			err.text, "ValidationException: 1 validation error: Value ' (HTTP 400)");
	}
}

static void a_refusal_whose_reason_was_lost_is_asked_for_again(void **state)
{
	(void)state;
	expect(JSON(400, "\x01\x02garbage"), ERR_PROTOCOL, "400", RETRY_GARBAGE);
	expect(JSON(400, "{\"__type\":\"AccessDeni"), ERR_PROTOCOL, "400", RETRY_GARBAGE);
	expect(JSON(403, ""), ERR_PROTOCOL, "403", RETRY_GARBAGE);
	expect((struct given){AWS_REST_JSON, 403, "{\"message", "AccessDeniedException", NULL},
		ERR_PROTOCOL, "AccessDeniedException", RETRY_GARBAGE);
	expect((struct given){AWS_REST_JSON, 403, "", "AccessDeniedException", NULL}, ERR_DENIED,
		"AccessDeniedException", RETRY_NEVER);
	expect(QUERY(403, "AccessDenied"), ERR_DENIED, "AccessDenied", RETRY_NEVER);
	expect((struct given){AWS_QUERY, 403, "<ErrorResponse><Error><Code>Acc", NULL, NULL},
		ERR_PROTOCOL, "403", RETRY_GARBAGE);
}

static void transport_failures(void **state)
{
	(void)state;
	struct err err = {.kind = ERR_UNREACHABLE, .code = "connect"};
	assert_int_equal(classify_transport(&err), RETRY_CONNECT);
	err = (struct err){.kind = ERR_TIMEOUT, .code = "connect"};
	assert_int_equal(classify_transport(&err), RETRY_CONNECT);
	err = (struct err){.kind = ERR_UNREACHABLE, .code = "reset"};
	assert_int_equal(classify_transport(&err), RETRY_RESET);
	err = (struct err){.kind = ERR_TIMEOUT};
	assert_int_equal(classify_transport(&err), RETRY_TIMEOUT);
	err = (struct err){.kind = ERR_PROTOCOL};
	assert_int_equal(classify_transport(&err), RETRY_BROKEN);
	err = (struct err){.kind = ERR_LIMIT};
	assert_int_equal(classify_transport(&err), RETRY_NEVER);
	err = (struct err){.kind = ERR_CONFIG};
	assert_int_equal(classify_transport(&err), RETRY_NEVER);
}

static void unsent_is_what_met_nobody(void **state)
{
	(void)state;
	static const struct {
		struct err err;
		bool is_unsent;
	} cases[] = {
		{{.kind = ERR_UNREACHABLE, .code = "connect"}, true},
		{{.kind = ERR_TIMEOUT, .code = "connect"}, true},
		{{.kind = ERR_CONFIG}, true},
		{{.kind = ERR_SYSTEM}, true},
		{{.kind = ERR_UNREACHABLE}, false},
		{{.kind = ERR_UNREACHABLE, .code = "reset"}, false},
		{{.kind = ERR_TIMEOUT, .code = "first_byte"}, false},
		{{.kind = ERR_TIMEOUT, .code = "stall"}, false},
		{{.kind = ERR_TIMEOUT, .code = "total"}, false},
		{{.kind = ERR_PROTOCOL}, false},
		{{.kind = ERR_LIMIT}, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(classify_is_unsent(&cases[i].err), cases[i].is_unsent);
}

/* Every class under every status: certain are only 4xx of AWS for reasons that come before any
 * work, throttling as 503, and a proxy's 407. */
static void certain_refusals_are_few(void **state)
{
	(void)state;
	for (int status = 300; status < 600; status++) {
		for (int class = 0; class < RETRY_CLASSES; class ++) {
			struct http_reply reply = {.status = status};
			struct classified classified = {.retry = (enum retry_class) class};
			assert_int_equal(classify_is_refusal(&reply, &classified), status == 407);
			classified.is_from_aws = true;
			bool may_be = class == RETRY_NEVER || class == RETRY_THROTTLED ||
				      class == RETRY_CLOCK || class == RETRY_EXPIRED ||
				      class == RETRY_UNKNOWN_KEY;
			bool is_certain = (status / 100 == 4 && may_be) || status == 407 ||
					  (status == 503 && class == RETRY_THROTTLED);
			assert_int_equal(classify_is_refusal(&reply, &classified), is_certain);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocol_tests_of_botocore),
		cmocka_unit_test(every_name_of_a_denial_is_a_denial),
		cmocka_unit_test(policies_of_the_organization_are_told_apart),
		cmocka_unit_test(credentials_that_are_refused),
		cmocka_unit_test(signatures_out_of_time_are_a_matter_of_the_clock),
		cmocka_unit_test(throttling_comes_under_many_names_and_mostly_as_400),
		cmocka_unit_test(limit_exceeded_counts_things_and_is_no_throttling),
		cmocka_unit_test(server_failures_are_transient),
		cmocka_unit_test(missing_things_are_not_found),
		cmocka_unit_test(a_web_page_is_never_aws_speaking),
		cmocka_unit_test(the_front_of_aws_may_answer_json_requests_in_xml),
		cmocka_unit_test(codes_that_are_no_words_are_ignored),
		cmocka_unit_test(errors_are_found_wherever_xml_has_them),
		cmocka_unit_test(messages_are_one_line_of_valid_text),
		cmocka_unit_test(what_was_signed_is_not_told_again),
		cmocka_unit_test(a_key_that_was_sent_is_not_told_again),
		cmocka_unit_test(a_refusal_whose_reason_was_lost_is_asked_for_again),
		cmocka_unit_test(transport_failures),
		cmocka_unit_test(unsent_is_what_met_nobody),
		cmocka_unit_test(certain_refusals_are_few),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
