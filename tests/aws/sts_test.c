#include "aws/sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/answers.h"

static int take(const char *text, struct sts_identity *identity, struct err *err)
{
	struct aws_reply reply = answer_text(AWS_QUERY, text);
	*err = (struct err)ERR_INIT;
	int rc = sts_get_caller_identity_take(&reply, identity, err);
	aws_reply_clear(&reply);
	return rc;
}

static void identity_and_partition_are_taken(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_QUERY, "sts/identity.xml");
	struct sts_identity identity;
	struct err err = ERR_INIT;
	assert_int_equal(sts_get_caller_identity_take(&reply, &identity, &err), 0);
	assert_string_equal(identity.account_id, "123456789012");
	assert_string_equal(identity.partition, "aws-us-gov");
	assert_string_equal(identity.arn, "arn:aws-us-gov:sts::123456789012:assumed-role/Hub/dc1");
	assert_string_equal(identity.user_id, "AROAEXAMPLE:dc1");
	aws_reply_clear(&reply);
}

static void cut_answers_are_not_read(void **state)
{
	(void)state;
	answer_check_cuts(AWS_QUERY, "sts/identity.xml");
	answer_check_cuts(AWS_QUERY, "sts/assume_role.xml");
}

static void answers_that_lie_are_refused(void **state)
{
	(void)state;
#define RESULT(account, arn, user)                                                                 \
	"<R><GetCallerIdentityResult><Account>" account "</Account><Arn>" arn                      \
	"</Arn><UserId>" user "</UserId></GetCallerIdentityResult></R>"
	static const char *const wrong[] = {
		"<R/>",
		"<R><GetCallerIdentityResult/></R>",
		RESULT("", "arn:aws:iam::123456789012:root", "u"),
		RESULT("123456789012", "", "u"),
		RESULT("123456789012", "arn:aws:iam::123456789012:root", ""),
		RESULT("12345678901", "arn:aws:iam::12345678901:root", "u"),
		RESULT("1234567890123", "arn:aws:iam::123456789012:root", "u"),
		RESULT("999999999999", "arn:aws:iam::123456789012:root", "u"),
		RESULT("123456789012", "no arn", "u"),
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct sts_identity identity = {.user_id = "untouched"};
		struct err err;
		if (take(wrong[i], &identity, &err) != -1)
			fail_msg("%s", wrong[i]);
		assert_true(err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
		assert_string_equal(identity.user_id, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_and_partition_are_taken),
		cmocka_unit_test(cut_answers_are_not_read),
		cmocka_unit_test(answers_that_lie_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
