/* What each kind of error means for a job. */
#include "delivery/job_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/client.h"
#include "base/err.h"

static const struct {
	enum err_kind kind;
	bool passes, is_doubt, is_away;
} rows[] = {
	{ERR_NONE, false, true, false},
	{ERR_CONFIG, false, false, false},
	{ERR_SYSTEM, true, true, false},
	{ERR_LIMIT, false, true, false},
	{ERR_PROTOCOL, true, true, false},
	{ERR_UNREACHABLE, true, false, true},
	{ERR_TIMEOUT, true, true, false},
	{ERR_THROTTLED, true, false, false},
	{ERR_DENIED, false, false, false},
	{ERR_DENIED_BY_SCP, false, false, false},
	{ERR_ROLE, false, false, true},
	{ERR_CREDENTIALS, true, false, true},
	{ERR_SERVICE, true, true, false},
	{ERR_NOT_FOUND, false, false, false},
	{ERR_REFUSED, false, false, false},
	{ERR_STORE, true, true, false},
	{ERR_STORE_FULL, true, true, false},
	{ERR_STOPPED, true, true, false},
};

static void each_kind_has_its_meaning(void **state)
{
	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), ERR_STOPPED + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct err err = {.kind = rows[i].kind};
		assert_int_equal(job_error_passes(&err), rows[i].passes);
		assert_int_equal(job_error_is_doubt(&err), rows[i].is_doubt);
		assert_int_equal(job_error_is_away(&err), rows[i].is_away);
		assert_false(job_error_is_conflict(&err));
	}
}

/* Whatever the kind: an answer that was lost may have been a yes, and without a connection nothing
 * was sent. */
static void its_code_says_more_than_its_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {.kind = rows[i].kind};
		(void)err_set_code(&err, AWS_ANSWER_LOST);
		assert_true(job_error_is_doubt(&err));
		(void)err_set_code(&err, "connect");
		assert_false(job_error_is_doubt(&err));
		(void)err_set_code(&err, "ConflictException");
		assert_true(job_error_is_conflict(&err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_meaning),
		cmocka_unit_test(its_code_says_more_than_its_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
