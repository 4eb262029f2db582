#include "base/loop.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"

struct fixture {
	struct loop *loop;
	char seen[64]; /* one letter for each callback */
	struct loop_timer *other;
};

static int make_loop(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	fixture = (struct fixture){.loop = loop_new(&err)};
	*state = &fixture;
	return fixture.loop != NULL ? 0 : -1;
}

static int free_loop(void **state)
{
	struct fixture *f = *state;
	loop_free(f->loop);
	return 0;
}

static struct fixture *current; /* of callbacks that need their argument for a letter */

static void note(void *arg)
{
	size_t len = strlen(current->seen);
	current->seen[len] = *(const char *)arg;
}

static void timers_of_zero_run_in_the_order_started(void **state)
{
	struct fixture *f = current = *state;
	for (const char *c = "abcdefghijklmnopqrstuvwxyz"; *c != '\0'; c++)
		loop_timer_start(f->loop, 0, note, (void *)(uintptr_t)c);
	loop_run(f->loop);
	assert_string_equal(f->seen, "abcdefghijklmnopqrstuvwxyz");
}

static void start_does_not_call_back(void **state)
{
	struct fixture *f = current = *state;
	struct loop_timer *timer = loop_timer_start(f->loop, 0, note, "a");
	assert_string_equal(f->seen, "");
	loop_timer_cancel(timer);
	loop_run(f->loop);
	assert_string_equal(f->seen, "");
}

static void earlier_timer_runs_first_whatever_was_started_first(void **state)
{
	struct fixture *f = current = *state;
	int64_t began_ms = clock_mono_ms();
	loop_timer_start(f->loop, 30, note, "c");
	loop_timer_start(f->loop, 10, note, "a");
	loop_timer_start(f->loop, 20, note, "b");
	loop_run(f->loop);
	assert_string_equal(f->seen, "abc");
	assert_true(clock_mono_ms() - began_ms >= 30);
}

static void many_timers_keep_order_through_cancels(void **state)
{
	struct fixture *f = current = *state;
	struct loop_timer *timer[26];
	const char *letter = "zyxwvutsrqponmlkjihgfedcba";
	for (int i = 0; i < 26; i++)
		timer[i] = loop_timer_start(
			f->loop, ('z' - 'a') - i, note, (void *)(uintptr_t)(letter + i));
	for (int i = 0; i < 26; i += 3)
		loop_timer_cancel(timer[i]);
	loop_run(f->loop);
	assert_string_equal(f->seen, "acdfgijlmoprsuvxy");
}

static void cancel_other(void *arg)
{
	struct fixture *f = arg;
	loop_timer_cancel(f->other);
	f->other = NULL;
}

static void timer_may_cancel_another_that_is_due_too(void **state)
{
	struct fixture *f = current = *state;
	loop_timer_start(f->loop, 0, cancel_other, f);
	f->other = loop_timer_start(f->loop, 0, note, "x");
	loop_timer_start(f->loop, 0, note, "a");
	loop_run(f->loop);
	assert_string_equal(f->seen, "a");
}

static void cancel_of_nothing_does_nothing(void **state)
{
	(void)state;
	loop_timer_cancel(NULL);
	loop_free(NULL);
}

static void count_down(void *arg)
{
	struct fixture *f = arg;
	size_t len = strlen(f->seen);
	f->seen[len] = 't';
	if (len < 9)
		loop_timer_start(f->loop, 0, count_down, f);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	struct fixture *f = arg;
	char byte;
	assert_int_equal(read(fd, &byte, 1), 1);
	loop_turn_mark(f->loop);
	f->seen[strlen(f->seen)] = 's';
}

static void timers_that_post_themselves_do_not_starve_sockets(void **state)
{
	struct fixture *f = *state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	struct event *event = event_new(loop_event_base(f->loop), pair[0], EV_READ, on_readable, f);
	event_add(event, NULL);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_timer_start(f->loop, 0, count_down, f);
	loop_run(f->loop);
	const char *socket_at = strchr(f->seen, 's');
	assert_non_null(socket_at);
	assert_true(socket_at - f->seen < 3);
	assert_int_equal(strlen(f->seen), 10);
	event_free(event);
	close(pair[0]);
	close(pair[1]);
}

static void stop(void *arg)
{
	struct fixture *f = arg;
	loop_stop(f->loop);
}

static void stop_ends_the_run_and_keeps_the_rest(void **state)
{
	struct fixture *f = current = *state;
	loop_timer_start(f->loop, 0, note, "a");
	loop_timer_start(f->loop, 0, stop, f);
	loop_timer_start(f->loop, 0, note, "b");
	struct loop_timer *late = loop_timer_start(f->loop, INT64_MAX, note, "c");
	loop_run(f->loop);
	assert_string_equal(f->seen, "a");
	loop_timer_start(f->loop, 1, stop, f);
	loop_run(f->loop);
	assert_string_equal(f->seen, "ab");
	loop_timer_cancel(late);
}

static void stop_before_the_run_is_not_lost(void **state)
{
	struct fixture *f = current = *state;
	struct loop_timer *timer = loop_timer_start(f->loop, 0, note, "a");
	loop_stop(f->loop);
	loop_run(f->loop);
	assert_string_equal(f->seen, "");
	loop_timer_cancel(timer);
}

static void run_ends_when_the_last_timer_was_cancelled(void **state)
{
	struct fixture *f = *state;
	f->other = loop_timer_start(f->loop, 3600000, note, "x");
	loop_timer_start(f->loop, 0, cancel_other, f);
	loop_run(f->loop);
}

static void be_busy(void *arg)
{
	(void)arg;
	int64_t end_us = clock_mono_us() + 20000;
	while (clock_mono_us() < end_us)
		continue;
}

static void longest_stall_counts_callbacks_and_not_waiting(void **state)
{
	struct fixture *f = current = *state;
	loop_timer_start(f->loop, 60, note, "a");
	loop_run(f->loop);
	assert_true(loop_longest_stall_us(f->loop, true) < 60000);
	loop_timer_start(f->loop, 0, be_busy, NULL);
	loop_run(f->loop);
	assert_true(loop_longest_stall_us(f->loop, false) >= 20000);
	assert_true(loop_longest_stall_us(f->loop, true) >= 20000);
	assert_int_equal(loop_longest_stall_us(f->loop, false), 0);
}

static void a_turn_that_is_long_is_a_stall(void **state)
{
	struct fixture *f = current = *state;
	struct loop_stats stats;
	loop_timer_start(f->loop, 0, be_busy, NULL);
	loop_run(f->loop);
	loop_get_stats(f->loop, &stats);
	assert_true(stats.turns >= 1 && stats.busy_us >= 20000);
	int64_t before = stats.stalls; /* of a slow machine */
	for (int i = 0; i < LOOP_STALL_US / 20000 + 1; i++)
		loop_timer_start(f->loop, 0, be_busy, NULL);
	loop_run(f->loop);
	loop_get_stats(f->loop, &stats);
	assert_true(stats.stalls > before);
	assert_true(stats.busy_us >= 20000 + LOOP_STALL_US);
}

static void writing_to_a_closed_socket_does_not_kill_the_process(void **state)
{
	(void)state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[0]);
	assert_int_equal(write(pair[1], "x", 1), -1);
	close(pair[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_loop, free_loop)
	const struct CMUnitTest tests[] = {
		TEST(timers_of_zero_run_in_the_order_started),
		TEST(start_does_not_call_back),
		TEST(earlier_timer_runs_first_whatever_was_started_first),
		TEST(many_timers_keep_order_through_cancels),
		TEST(timer_may_cancel_another_that_is_due_too),
		TEST(cancel_of_nothing_does_nothing),
		TEST(timers_that_post_themselves_do_not_starve_sockets),
		TEST(stop_ends_the_run_and_keeps_the_rest),
		TEST(stop_before_the_run_is_not_lost),
		TEST(run_ends_when_the_last_timer_was_cancelled),
		TEST(longest_stall_counts_callbacks_and_not_waiting),
		TEST(a_turn_that_is_long_is_a_stall),
		TEST(writing_to_a_closed_socket_does_not_kill_the_process),
	};
	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
