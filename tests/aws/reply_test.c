#include "aws/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/xml_read.h"

static int read_text(enum aws_protocol protocol, const char *body, const char *expects,
	struct aws_reply *reply, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return aws_reply_read(protocol, body, strlen(body), expects, reply, err);
}

static void json_services_give_an_object(void **state)
{
	(void)state;
	struct aws_reply reply;
	struct err err;
	assert_int_equal(read_text(AWS_JSON_1_1, "{\"Tags\":[]}", "Tags", &reply, &err), 0);
	assert_true(json_is_array(json_object_get(reply.json, "Tags")));
	assert_null(reply.xml);
	aws_reply_clear(&reply);
	assert_null(reply.json);
	assert_int_equal(read_text(AWS_REST_JSON, "{}", NULL, &reply, &err), 0);
	aws_reply_clear(&reply);
}

static void xml_services_give_the_root(void **state)
{
	(void)state;
	struct aws_reply reply;
	struct err err;
	assert_int_equal(read_text(AWS_QUERY, "<R><A><B>x</B></A></R>", "A/B", &reply, &err), 0);
	assert_string_equal(xml_child_text(reply.xml, "A/B"), "x");
	aws_reply_clear(&reply);
	assert_int_equal(read_text(AWS_EC2_QUERY, "<R/>", NULL, &reply, &err), 0);
	aws_reply_clear(&reply);
}

static void empty_body_is_no_answer(void **state)
{
	(void)state;
	struct aws_reply reply;
	struct err err;
	assert_int_equal(read_text(AWS_JSON_1_1, "", NULL, &reply, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(read_text(AWS_QUERY, "", NULL, &reply, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
}

static void empty_body_is_an_answer_where_one_is_expected(void **state)
{
	(void)state;
	struct aws_reply reply;
	struct err err;
	static const char *const body[] = {"", "{}", "{\"a\":1}"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_text(AWS_JSON_1_1, body[i], "", &reply, &err), 0);
		assert_true(json_is_object(reply.json));
		aws_reply_clear(&reply);
	}
	static const char *const broken[] = {" ", "{", "null", "[]", "<html></html>"};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(read_text(AWS_JSON_1_1, broken[i], "", &reply, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
	}
}

static void what_was_not_asked_for_is_refused_and_nothing_touched(void **state)
{
	(void)state;
	static const struct {
		enum aws_protocol protocol;
		const char *body;
	} given[] = {{AWS_JSON_1_1, "<html></html>"}, {AWS_JSON_1_1, "[]"},
		{AWS_JSON_1_1, "{\"Other\":1}"}, {AWS_JSON_1_1, "{\"Tags\":null}"},
		{AWS_JSON_1_1, "{\"Tags\":[]"}, {AWS_REST_JSON, "garbage"},
		{AWS_QUERY, "{\"Tags\":[]}"}, {AWS_QUERY, ""}, {AWS_QUERY, "<R><Other/></R>"},
		{AWS_QUERY, "<!DOCTYPE R [<!ENTITY a \"b\">]><R><Tags>&a;</Tags></R>"}};
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct aws_reply reply = {.json = (json_t *)&reply};
		struct err err;
		assert_int_equal(
			read_text(given[i].protocol, given[i].body, "Tags", &reply, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_ptr_equal(reply.json, &reply);
	}
}

static void a_web_page_is_called_so(void **state)
{
	(void)state;
	static const char *const page[] = {"<!DOCTYPE html>\n<html><body>Log in</body></html>",
		"\n <HTML><head>", "<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">"};
	for (size_t i = 0; i < sizeof(page) / sizeof(page[0]); i++) {
		struct aws_reply reply;
		struct err err;
		assert_int_equal(read_text(AWS_QUERY, page[i], "Tags", &reply, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "a web page"));
		assert_int_equal(read_text(AWS_JSON_1_1, page[i], "Tags", &reply, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "a web page"));
	}
}

static void too_deep_is_a_limit(void **state)
{
	(void)state;
	char body[4096] = "{\"Tags\":";
	for (int i = 0; i < 1000; i++)
		strcat(body, "[");
	struct aws_reply reply;
	struct err err;
	assert_int_equal(read_text(AWS_JSON_1_1, body, "Tags", &reply, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_services_give_an_object),
		cmocka_unit_test(xml_services_give_the_root),
		cmocka_unit_test(empty_body_is_no_answer),
		cmocka_unit_test(empty_body_is_an_answer_where_one_is_expected),
		cmocka_unit_test(what_was_not_asked_for_is_refused_and_nothing_touched),
		cmocka_unit_test(a_web_page_is_called_so),
		cmocka_unit_test(too_deep_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
