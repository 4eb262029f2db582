/* The way into an account: through the hub, into the hub itself, and where it is shut. */
#include "sensor/account_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/sensor/fixture.h"

struct answer {
	int ends;
	struct err err;
};

static void on_done(void *arg, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static struct account_access *start(
	struct fixture *fixture, const char *account_id, struct answer *answer)
{
	char *id = xstrdup(account_id); /* copied by start */
	*answer = (struct answer){.ends = 0};
	struct account_access *access =
		account_access_start(&(struct account_access_options){.hub = fixture->hub,
					     .config = fixture->connector,
					     .session_name = "acmsensor-x",
					     .account_id = id},
			on_done, answer);
	free(id);
	assert_int_equal(answer->ends, 0);
	return access;
}

static void a_member_is_entered_by_its_role(void **state)
{
	struct fixture *fixture = *state;
	struct answer answer;
	struct account_access *access = start(fixture, SHOP, &answer);
	fake_loop_run_ready();
	assert_int_equal(answer.ends, 1);
	assert_int_equal(answer.err.kind, ERR_NONE);
	assert_string_equal(account_access_partition(access), "aws");
	assert_string_equal(aws_client_account(account_access_client(access)), SHOP);
	assert_string_equal(aws_client_account(fixture->hub), HUB); /* it is known now */
	const struct fake_record *ready = fake_call_record(1);
	assert_string_equal(ready->operation, "ready");
	assert_non_null(strstr(ready->role_arn, "arn:aws:iam::" SHOP ":role/"));
	assert_non_null(strstr(ready->role_arn, fixture->connector->role_name));
	account_access_end(access);
}

static void the_hub_is_entered_without_a_role(void **state)
{
	struct fixture *fixture = *state;
	struct answer answer;
	struct account_access *access = start(fixture, HUB, &answer);
	fake_loop_run_ready();
	assert_int_equal(answer.err.kind, ERR_NONE);
	assert_ptr_equal(account_access_client(access), fixture->hub);
	assert_int_equal(fake_call_count(), 1);
	account_access_end(access);
}

/* Asked before the organization's answerer, which would say "aws". */
static bool answer_of_china(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	(void)arg, (void)err;
	if (strcmp(call->operation, "ready") != 0)
		*ret_body = xstrdup("<GetCallerIdentityResponse><GetCallerIdentityResult>"
				    "<Account>" HUB "</Account><Arn>arn:aws-cn:iam::" HUB
				    ":user/hub</Arn><UserId>AID</UserId></GetCallerIdentityResult>"
				    "</GetCallerIdentityResponse>");
	return true;
}

static void the_role_is_of_the_hubs_partition(void **state)
{
	struct fixture *fixture = *state;
	struct answer answer;
	fake_call_set_answerer(answer_of_china, NULL);
	struct account_access *access = start(fixture, SHOP, &answer);
	fake_loop_run_ready();
	assert_string_equal(account_access_partition(access), "aws-cn");
	assert_non_null(strstr(fake_call_record(1)->role_arn, "arn:aws-cn:iam::" SHOP ":role/"));
	account_access_end(access);
}

static void each_call_fails_in_each_way(void **state)
{
	struct fixture *fixture = *state;
	for (size_t i = 0; i < FAKE_CALL_ERRORS; i++) {
		for (size_t n = 1; n <= 2; n++) {
			struct answer answer;
			struct account_access *access = start(fixture, SHOP, &answer);
			fake_call_fail_at(n, fake_call_errors[i].kind, fake_call_errors[i].code);
			fake_loop_run_ready();
			assert_int_equal(answer.ends, 1);
			assert_int_equal(answer.err.kind, fake_call_errors[i].kind);
			assert_string_equal(answer.err.code, fake_call_errors[i].code);
			assert_string_equal(answer.err.text, "account " SHOP ": failed on purpose");
			account_access_end(access);
		}
	}
}

static bool answer_nonsense(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	(void)arg, (void)call, (void)err;
	*ret_body = xstrdup("<GetCallerIdentityResponse/>");
	return true;
}

static void an_identity_that_cannot_be_read_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct answer answer;
	fake_call_set_answerer(answer_nonsense, NULL);
	struct account_access *access = start(fixture, SHOP, &answer);
	fake_loop_run_ready();
	assert_int_equal(answer.err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(answer.err.text, "account " SHOP ": "));
	account_access_end(access);
}

static void it_ends_at_any_turn(void **state)
{
	struct fixture *fixture = *state;
	for (int n = 0; n < 3; n++) {
		struct answer answer;
		struct account_access *access = start(fixture, SHOP, &answer);
		for (int i = 0; i < n; i++)
			assert_true(fake_loop_step());
		account_access_end(access);
		fake_loop_run_ready();
		assert_int_equal(answer.ends, n == 2);
		assert_int_equal(fake_clients_alive(), 1);
	}
	account_access_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SENSOR_TEST(a_member_is_entered_by_its_role),
		SENSOR_TEST(the_hub_is_entered_without_a_role),
		SENSOR_TEST(the_role_is_of_the_hubs_partition),
		SENSOR_TEST(each_call_fails_in_each_way),
		SENSOR_TEST(an_identity_that_cannot_be_read_is_an_error),
		SENSOR_TEST(it_ends_at_any_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
