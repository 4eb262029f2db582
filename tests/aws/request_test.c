#include "aws/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"

static void values_cannot_break_out(void **state)
{
	(void)state;
	struct buf body;
	buf_init(&body, 1024);
	query_begin(&body, AWS_STS, "AssumeRole");
	query_add(&body, "RoleArn", "a&b=c d+e/\xc3\xa4%\n~");
	query_add(&body, "Empty", "");
	assert_string_equal(buf_text(&body),
		"Action=AssumeRole&Version=2011-06-15&RoleArn=a%26b%3Dc%20d%2Be%2F%C3%A4%25%0A~&Empty=");
	buf_clear(&body);
}

static void each_service_has_its_version(void **state)
{
	(void)state;
	struct buf body;
	buf_init(&body, 1024);
	query_begin(&body, AWS_EC2, "DescribeRegions");
	assert_string_equal(buf_text(&body), "Action=DescribeRegions&Version=2016-11-15");
	buf_clear(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_cannot_break_out),
		cmocka_unit_test(each_service_has_its_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
