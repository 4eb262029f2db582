#include "orgscope/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "tests/lib/aborts.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

static struct outcome decide(const struct err *err, const struct coverage_record *previous)
{
	struct outcome outcome;
	outcome_decide(&(struct outcome_input){.err = err,
			       .now_s = NOW_S,
			       .interval_s = DAY_S,
			       .previous = previous,
			       .certificate_count = 7},
		&outcome);
	return outcome;
}

static struct err failure(enum err_kind kind)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "something");
	err_set_code(&err, "SomeException");
	return err;
}

static struct coverage_record before(enum coverage_state state, uint32_t failures_in_row)
{
	return (struct coverage_record){.state = state,
		.failures_in_row = failures_in_row,
		.state_since_s = NOW_S - 3 * DAY_S,
		.last_success_s = NOW_S - 5 * DAY_S,
		.certificate_count = 3};
}

static void every_kind_of_error_has_its_state(void **state)
{
	(void)state;
	static const struct {
		enum err_kind kind;
		enum coverage_state state;
	} expected[] = {
		{ERR_CONFIG, COVERAGE_FAILED},
		{ERR_SYSTEM, COVERAGE_FAILED},
		{ERR_LIMIT, COVERAGE_FAILED},
		{ERR_PROTOCOL, COVERAGE_FAILED},
		{ERR_UNREACHABLE, COVERAGE_UNREACHABLE},
		{ERR_TIMEOUT, COVERAGE_UNREACHABLE},
		{ERR_THROTTLED, COVERAGE_THROTTLED},
		{ERR_DENIED, COVERAGE_DENIED},
		{ERR_DENIED_BY_SCP, COVERAGE_DENIED_BY_SCP},
		{ERR_ROLE, COVERAGE_ROLE_UNASSUMABLE},
		{ERR_CREDENTIALS, COVERAGE_FAILED},
		{ERR_NOT_FOUND, COVERAGE_FAILED},
		{ERR_REFUSED, COVERAGE_FAILED},
		{ERR_SERVICE, COVERAGE_FAILED},
		{ERR_STORE, COVERAGE_FAILED},
		{ERR_STORE_FULL, COVERAGE_FAILED},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct err err = failure(expected[i].kind);
		struct outcome outcome = decide(&err, NULL);
		assert_int_equal(outcome.state, expected[i].state);
		assert_string_equal(outcome.code, "SomeException");
		assert_string_equal(outcome.reason, "something");
		assert_int_equal(outcome.failures_in_row, 1);
		assert_true(outcome.is_changed);
	}
}

static void decide_a_stop(void)
{
	struct err err = failure(ERR_STOPPED);
	(void)decide(&err, NULL);
}

static void decide_an_error_of_no_kind(void)
{
	struct err err = ERR_INIT;
	(void)decide(&err, NULL);
}

static void what_was_stopped_is_never_an_outcome(void **state)
{
	(void)state;
	assert_true(aborts(decide_a_stop));
	assert_true(aborts(decide_an_error_of_no_kind));
}

static void success_forgets_the_failures(void **state)
{
	(void)state;
	struct coverage_record previous = before(COVERAGE_DENIED, 4);
	struct outcome outcome = decide(NULL, &previous);
	assert_int_equal(outcome.state, COVERAGE_OK);
	assert_int_equal(outcome.failures_in_row, 0);
	assert_int_equal(outcome.certificate_count, 7);
	assert_int_equal(outcome.last_success_s, NOW_S);
	assert_int_equal(outcome.state_since_s, NOW_S);
	assert_int_equal(outcome.next_try_s, NOW_S + DAY_S);
	assert_string_equal(outcome.reason, "");
	assert_string_equal(outcome.code, "");
	assert_true(outcome.is_changed);
}

static void same_state_keeps_its_beginning(void **state)
{
	(void)state;
	struct coverage_record previous = before(COVERAGE_OK, 0);
	struct outcome outcome = decide(NULL, &previous);
	assert_false(outcome.is_changed);
	assert_int_equal(outcome.state_since_s, NOW_S - 3 * DAY_S);
}

static void failure_keeps_the_last_success(void **state)
{
	(void)state;
	struct coverage_record previous = before(COVERAGE_OK, 0);
	struct err err = failure(ERR_TIMEOUT);
	struct outcome outcome = decide(&err, &previous);
	assert_int_equal(outcome.last_success_s, NOW_S - 5 * DAY_S);
	assert_int_equal(outcome.certificate_count, 3);
	assert_true(outcome.is_changed);
	outcome = decide(&err, NULL);
	assert_int_equal(outcome.last_success_s, 0);
	assert_int_equal(outcome.certificate_count, 0);
}

static void denials_are_tried_less_and_less(void **state)
{
	(void)state;
	static const int64_t days[] = {1, 2, 4, 7, 7};
	struct err err = failure(ERR_DENIED_BY_SCP);
	struct coverage_record previous = before(COVERAGE_OK, 0);
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct outcome outcome = decide(&err, &previous);
		assert_int_equal(outcome.next_try_s - NOW_S, days[i] * DAY_S);
		assert_int_equal(outcome.failures_in_row, i + 1);
		previous = before(outcome.state, outcome.failures_in_row);
	}
}

static void passing_trouble_is_tried_again_soon(void **state)
{
	(void)state;
	static const int64_t seconds[] = {
		300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, DAY_S, DAY_S};
	struct err err = failure(ERR_THROTTLED);
	struct coverage_record previous = before(COVERAGE_NEVER_TRIED, 0);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		struct outcome outcome = decide(&err, &previous);
		assert_int_equal(outcome.next_try_s - NOW_S, seconds[i]);
		previous = before(outcome.state, outcome.failures_in_row);
	}
}

static void trouble_of_another_nature_counts_from_one(void **state)
{
	(void)state;
	struct err denied = failure(ERR_DENIED), role = failure(ERR_ROLE);
	struct coverage_record previous = before(COVERAGE_THROTTLED, 9);
	assert_int_equal(decide(&denied, &previous).failures_in_row, 1);
	previous = before(COVERAGE_ROLE_UNASSUMABLE, 2);
	assert_int_equal(decide(&denied, &previous).failures_in_row, 3);
	assert_int_equal(decide(&role, &previous).failures_in_row, 3);
	previous = before(COVERAGE_EXCLUDED, 2);
	assert_int_equal(decide(&role, &previous).failures_in_row, 1);
	previous = before(COVERAGE_ACCOUNT_INACTIVE, 2);
	assert_int_equal(decide(&role, &previous).failures_in_row, 1);
}

static void very_many_failures_stay_at_the_longest_delay(void **state)
{
	(void)state;
	struct err err = failure(ERR_DENIED);
	struct coverage_record previous = before(COVERAGE_DENIED, UINT32_MAX);
	struct outcome outcome = decide(&err, &previous);
	assert_int_equal(outcome.failures_in_row, UINT32_MAX); /* and does not wrap */
	assert_int_equal(outcome.next_try_s - NOW_S, OUTCOME_DENIED_MAX_S);
	previous.failures_in_row = UINT32_MAX - 1;
	outcome = decide(&err, &previous);
	assert_int_equal(outcome.next_try_s - NOW_S, OUTCOME_DENIED_MAX_S);
}

static void delay_is_never_shorter_than_a_long_interval(void **state)
{
	(void)state;
	struct err denied = failure(ERR_DENIED), throttled = failure(ERR_THROTTLED);
	struct outcome_input input = {
		.err = &denied, .now_s = NOW_S, .interval_s = 30 * (int64_t)DAY_S};
	struct outcome outcome;
	outcome_decide(&input, &outcome);
	assert_int_equal(outcome.next_try_s - NOW_S, 30 * (int64_t)DAY_S);
	input.err = &throttled;
	input.interval_s = 60; /* shorter than OUTCOME_RETRY_MIN_S */
	outcome_decide(&input, &outcome);
	assert_int_equal(outcome.next_try_s - NOW_S, 60);
}

static void disabled_region_is_no_failure_when_it_was_told(void **state)
{
	(void)state;
	struct coverage_record previous = before(COVERAGE_OK, 0);
	struct outcome outcome;
	outcome_decide(&(struct outcome_input){.is_region_disabled = true,
			       .now_s = NOW_S,
			       .interval_s = DAY_S,
			       .previous = &previous},
		&outcome);
	assert_int_equal(outcome.state, COVERAGE_REGION_DISABLED);
	assert_int_equal(outcome.failures_in_row, 0);
	assert_int_equal(outcome.next_try_s, NOW_S + DAY_S);
	assert_string_equal(outcome.reason, "the region is not enabled in this account");
	assert_int_equal(outcome.last_success_s, NOW_S - 5 * DAY_S);
}

static void disabled_region_that_was_probed_is_probed_rarely(void **state)
{
	(void)state;
	struct err err = failure(ERR_CREDENTIALS);
	struct coverage_record previous = before(COVERAGE_REGION_DISABLED, 1);
	struct outcome outcome;
	outcome_decide(&(struct outcome_input){.err = &err,
			       .is_region_disabled = true,
			       .now_s = NOW_S,
			       .interval_s = DAY_S,
			       .previous = &previous},
		&outcome);
	assert_int_equal(outcome.state, COVERAGE_REGION_DISABLED);
	assert_int_equal(outcome.failures_in_row, 2);
	assert_int_equal(outcome.next_try_s, NOW_S + 2 * DAY_S);
	assert_string_equal(outcome.code, "SomeException");
	assert_false(outcome.is_changed);
}

static void reason_is_one_printable_bounded_line(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	err_set(&err, ERR_DENIED, "two\nlines and \x1b[31mred \"quoted\"");
	assert_string_equal(decide(&err, NULL).reason, "two\\nlines and \\x1b[31mred \"quoted\"");

	char text[ERR_TEXT_MAX];
	memset(text, '\1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_DENIED, "%s", text);
	struct outcome outcome = decide(&err, NULL);
	assert_int_equal(strlen(outcome.reason), OUTCOME_REASON_MAX - 1);
	assert_true(text_has_suffix(outcome.reason, "..."));
}

static void record_has_all_of_the_outcome(void **state)
{
	(void)state;
	struct err err = failure(ERR_DENIED);
	struct coverage_record previous = before(COVERAGE_OK, 0), record;
	struct outcome outcome = decide(&err, &previous);
	outcome_record(&outcome, "prod", "111122223333", "eu-west-1", NOW_S, &record);
	assert_string_equal(record.connector, "prod");
	assert_string_equal(record.account_id, "111122223333");
	assert_string_equal(record.region, "eu-west-1");
	assert_int_equal(record.state, COVERAGE_DENIED);
	assert_string_equal(record.code, "SomeException");
	assert_string_equal(record.reason, "something");
	assert_int_equal(record.certificate_count, 3);
	assert_int_equal(record.last_attempt_s, NOW_S);
	assert_int_equal(record.last_success_s, NOW_S - 5 * DAY_S);
	assert_int_equal(record.next_try_s, NOW_S + DAY_S);
	assert_int_equal(record.state_since_s, NOW_S);
	assert_int_equal(record.failures_in_row, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_error_has_its_state),
		cmocka_unit_test(what_was_stopped_is_never_an_outcome),
		cmocka_unit_test(success_forgets_the_failures),
		cmocka_unit_test(same_state_keeps_its_beginning),
		cmocka_unit_test(failure_keeps_the_last_success),
		cmocka_unit_test(denials_are_tried_less_and_less),
		cmocka_unit_test(passing_trouble_is_tried_again_soon),
		cmocka_unit_test(trouble_of_another_nature_counts_from_one),
		cmocka_unit_test(very_many_failures_stay_at_the_longest_delay),
		cmocka_unit_test(delay_is_never_shorter_than_a_long_interval),
		cmocka_unit_test(disabled_region_is_no_failure_when_it_was_told),
		cmocka_unit_test(disabled_region_that_was_probed_is_probed_rarely),
		cmocka_unit_test(reason_is_one_printable_bounded_line),
		cmocka_unit_test(record_has_all_of_the_outcome),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
