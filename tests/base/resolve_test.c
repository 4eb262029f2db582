/*
 * The real loop and real threads, but the clock stands still: pass_ms moves it and lets the timers
 * that fall due run. The lookup function answers by name: "stuck..." blocks until the gate opens.
 */
#include "base/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/lib/fake_clock.h"

struct answer {
	struct fixture *fixture;
	int count;
	char addresses[512];
	struct err err;
};

struct fixture {
	struct loop *loop;
	struct resolve *resolve;
	int expected; /* answers after which the loop stops */
	struct answer answer[8];
	struct resolve_call *victim; /* cancelled by the first answer */
	bool is_free_in_done;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_gate_open;
static int lookups;	     /* begun */
static int stuck;	     /* of them, at the gate */
static int threads_at_start; /* a sanitizer may have one of its own */

static int answer_with(const char *list, struct addrinfo **ret_info)
{
	struct addrinfo **link = ret_info;
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	char text[256];
	snprintf(text, sizeof(text), "%s", list);
	char *rest = text;
	for (char *item; (item = strsep(&rest, " ")) != NULL; link = &(*link)->ai_next) {
		int rc = getaddrinfo(item, NULL, &hints, link);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_info)
{
	(void)service;
	if (hints->ai_socktype != SOCK_STREAM)
		return EAI_SOCKTYPE;
	pthread_mutex_lock(&mutex);
	lookups++;
	if (strncmp(node, "stuck", 5) == 0) {
		stuck++;
		pthread_cond_broadcast(&changed);
		while (!is_gate_open)
			pthread_cond_wait(&changed, &mutex);
		stuck--;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&mutex);
	if (strcmp(node, "missing.test") == 0)
		return EAI_NONAME;
	if (strcmp(node, "broken.test") == 0) {
		errno = EMFILE;
		return EAI_SYSTEM;
	}
	if (strcmp(node, "link-local.test") == 0)
		return answer_with("fe80::1", ret_info);
	if (strcmp(node, "many.test") == 0)
		return answer_with("192.0.2.1 2001:db8::1 fe80::1 192.0.2.2", ret_info);
	if (strcmp(node, "crowd.test") == 0)
		return answer_with("192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 "
				   "192.0.2.7 192.0.2.8 192.0.2.9 192.0.2.10 192.0.2.11 192.0.2.12 "
				   "192.0.2.13 192.0.2.14 192.0.2.15 192.0.2.16 192.0.2.17",
			ret_info);
	return answer_with("192.0.2.7", ret_info);
}

static int lookup_count(void)
{
	pthread_mutex_lock(&mutex);
	int count = lookups;
	pthread_mutex_unlock(&mutex);
	return count;
}

static void wait_until_stuck(int count)
{
	pthread_mutex_lock(&mutex);
	while (stuck != count)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void open_gate(void)
{
	pthread_mutex_lock(&mutex);
	is_gate_open = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;
	f->loop = loop_new(&err);
	f->resolve = resolve_new(f->loop, look_up, &err);
	for (size_t i = 0; i < sizeof(f->answer) / sizeof(f->answer[0]); i++)
		f->answer[i].fixture = f;
	is_gate_open = false;
	lookups = 0;
	*state = f;
	return f->resolve != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	open_gate();
	wait_until_stuck(0);
	resolve_free(f->resolve);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void on_done(void *arg, const char *addresses, const struct err *err)
{
	struct answer *answer = arg;
	struct fixture *f = answer->fixture;
	assert_true((addresses == NULL) != (err == NULL));
	answer->count++;
	if (addresses != NULL)
		snprintf(answer->addresses, sizeof(answer->addresses), "%s", addresses);
	else
		answer->err = *err;
	resolve_cancel(f->victim);
	f->victim = NULL;
	if (f->is_free_in_done) {
		resolve_free(f->resolve);
		f->resolve = NULL;
	}
	if (--f->expected <= 0)
		loop_stop(f->loop);
}

static struct resolve_call *start(struct fixture *f, int i, const char *host)
{
	return resolve_start(f->resolve, host, on_done, &f->answer[i]);
}

static void run(struct fixture *f, int answers)
{
	f->expected = answers;
	loop_run(f->loop);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void pass_ms(struct fixture *f, int64_t ms)
{
	loop_timer_start(f->loop, 1, stop_loop, f->loop);
	f->expected = 100;
	fake_clock_advance_ms(ms);
	loop_run(f->loop);
}

static int thread_count(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/task");
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count - 2;
}

static void name_is_answered_with_its_addresses(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "many.test");
	assert_int_equal(f->answer[0].count, 0);
	run(f, 1);
	assert_int_equal(f->answer[0].count, 1);
	assert_string_equal(f->answer[0].addresses, "192.0.2.1,[2001:db8::1],192.0.2.2");
}

static void more_addresses_than_the_limit_are_cut(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "crowd.test");
	run(f, 1);
	int commas = 0;
	for (const char *c = f->answer[0].addresses; *c != '\0'; c++)
		commas += *c == ',';
	assert_int_equal(commas, RESOLVE_ADDRESSES_MAX - 1);
}

static void literal_address_is_answered_from_the_loop_without_a_lookup(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "127.0.0.1");
	start(f, 1, "::1");
	assert_int_equal(f->answer[0].count, 0);
	run(f, 2);
	assert_string_equal(f->answer[0].addresses, "127.0.0.1");
	assert_string_equal(f->answer[1].addresses, "[::1]");
	assert_int_equal(lookup_count(), 0);
}

static void failure_names_the_host_and_the_reason(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "missing.test");
	start(f, 1, "broken.test");
	start(f, 2, "link-local.test");
	run(f, 3);
	assert_int_equal(f->answer[0].err.kind, ERR_UNREACHABLE);
	assert_string_equal(
		f->answer[0].err.text, "cannot resolve missing.test: Name or service not known");
	assert_int_equal(f->answer[1].err.kind, ERR_UNREACHABLE);
	assert_string_equal(
		f->answer[1].err.text, "cannot resolve broken.test: Too many open files");
	assert_int_equal(f->answer[2].err.kind, ERR_UNREACHABLE);
	assert_string_equal(f->answer[2].err.text,
		"cannot resolve link-local.test: the name has no address that can be used");
}

static void answer_is_cached_for_its_time(void **state)
{
	struct fixture *f = *state;
	assert_null(resolve_cached(f->resolve, "a.test"));
	start(f, 0, "a.test");
	run(f, 1);
	pass_ms(f, RESOLVE_TTL_S * 1000 - 1);
	assert_string_equal(resolve_cached(f->resolve, "a.test"), "192.0.2.7");
	start(f, 1, "a.test");
	run(f, 1);
	assert_int_equal(f->answer[1].count, 1);
	assert_int_equal(lookup_count(), 1);
	pass_ms(f, 1);
	assert_null(resolve_cached(f->resolve, "a.test"));
	start(f, 2, "a.test");
	run(f, 1);
	assert_int_equal(f->answer[2].count, 1);
	assert_int_equal(lookup_count(), 2);
}

static void failure_is_cached_for_a_shorter_time(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "missing.test");
	run(f, 1);
	pass_ms(f, RESOLVE_TTL_FAILURE_S * 1000 - 1);
	assert_null(resolve_cached(f->resolve, "missing.test"));
	start(f, 1, "missing.test");
	run(f, 1);
	assert_int_equal(f->answer[1].err.kind, ERR_UNREACHABLE);
	assert_int_equal(lookup_count(), 1);
	pass_ms(f, 1);
	start(f, 2, "missing.test");
	run(f, 1);
	assert_int_equal(lookup_count(), 2);
}

static void those_who_ask_for_one_name_share_one_lookup(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "stuck.test");
	start(f, 1, "stuck.test");
	start(f, 2, "stuck.test");
	wait_until_stuck(1);
	assert_int_equal(lookup_count(), 1);
	open_gate();
	run(f, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(f->answer[i].addresses, "192.0.2.7");
	assert_int_equal(lookup_count(), 1);
}

static void stalled_name_delays_neither_another_nor_its_cancel(void **state)
{
	struct fixture *f = *state;
	struct resolve_call *call = start(f, 0, "stuck.test");
	wait_until_stuck(1);
	start(f, 1, "a.test");
	run(f, 1);
	resolve_cancel(call);
	assert_string_equal(f->answer[1].addresses, "192.0.2.7");
	assert_int_equal(f->answer[0].count, 0);
}

static void cancelled_call_never_answers_but_its_lookup_is_kept(void **state)
{
	struct fixture *f = *state;
	resolve_cancel(start(f, 0, "stuck.test"));
	resolve_cancel(start(f, 0, "127.0.0.1"));
	resolve_cancel(NULL);
	wait_until_stuck(1);
	open_gate();
	wait_until_stuck(0);
	start(f, 1, "stuck.test");
	run(f, 1);
	assert_int_equal(f->answer[0].count, 0);
	assert_int_equal(f->answer[1].count, 1);
	assert_int_equal(lookup_count(), 1);
}

static void loop_ends_when_nobody_waits(void **state)
{
	struct fixture *f = *state;
	resolve_cancel(start(f, 0, "stuck.test"));
	run(f, 100);
}

static void answer_may_cancel_another_waiter(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "stuck.test");
	f->victim = start(f, 1, "stuck.test");
	start(f, 2, "stuck.test");
	open_gate();
	run(f, 2);
	assert_int_equal(f->answer[0].count, 1);
	assert_int_equal(f->answer[1].count, 0);
	assert_int_equal(f->answer[2].count, 1);
}

static void answer_may_free_the_resolver(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "a.test");
	f->is_free_in_done = true;
	run(f, 1);
	assert_null(f->resolve);
	assert_string_equal(f->answer[0].addresses, "192.0.2.7");
}

static void silence_ends_in_a_timeout_that_is_remembered(void **state)
{
	struct fixture *f = *state;
	start(f, 0, "stuck.test");
	wait_until_stuck(1);
	pass_ms(f, RESOLVE_TIMEOUT_MS - 1);
	assert_int_equal(f->answer[0].count, 0);
	pass_ms(f, 1);
	assert_int_equal(f->answer[0].err.kind, ERR_TIMEOUT);
	assert_string_equal(f->answer[0].err.text,
		"cannot resolve stuck.test: the name servers gave no answer in 15 s");
	start(f, 1, "stuck.test");
	run(f, 1);
	assert_int_equal(f->answer[1].err.kind, ERR_TIMEOUT);
	/* When that is forgotten, the next one joins the lookup that is still under way. */
	pass_ms(f, RESOLVE_TTL_FAILURE_S * 1000);
	start(f, 2, "stuck.test");
	pass_ms(f, 1000);
	assert_int_equal(f->answer[2].count, 0);
	open_gate();
	run(f, 1);
	assert_string_equal(f->answer[2].addresses, "192.0.2.7");
	assert_int_equal(lookup_count(), 1);
}

static void threads_grow_to_the_limit_then_names_queue(void **state)
{
	struct fixture *f = *state;
	struct resolve_call *call[RESOLVE_THREADS_MAX];
	for (int i = 0; i < RESOLVE_THREADS_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "stuck%d.test", i);
		call[i] = start(f, 0, name);
	}
	wait_until_stuck(RESOLVE_THREADS_MAX);
	start(f, 1, "a.test");
	pass_ms(f, 100);
	assert_int_equal(f->answer[1].count, 0);
	assert_int_equal(lookup_count(), RESOLVE_THREADS_MAX);
	for (int i = 0; i < RESOLVE_THREADS_MAX; i++)
		resolve_cancel(call[i]);
	open_gate();
	run(f, 1);
	assert_string_equal(f->answer[1].addresses, "192.0.2.7");
}

static void oldest_name_makes_room_for_new_ones(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i <= RESOLVE_HOSTS_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "host%d.test", i);
		start(f, 0, name);
		run(f, 1);
	}
	assert_null(resolve_cached(f->resolve, "host0.test"));
	assert_non_null(resolve_cached(f->resolve, "host1.test"));
	assert_non_null(resolve_cached(f->resolve, "host4096.test"));
}

static void free_does_not_wait_for_a_stuck_thread_that_ends_alone_later(void **state)
{
	struct fixture *f = *state;
	struct resolve_call *call = start(f, 0, "stuck.test");
	wait_until_stuck(1);
	resolve_cancel(call);
	resolve_free(f->resolve);
	f->resolve = NULL;
	open_gate();
	while (thread_count() > threads_at_start)
		sched_yield();
}

static void system_resolver_answers_localhost(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	resolve_free(f->resolve);
	f->resolve = resolve_new(f->loop, getaddrinfo, &err);
	start(f, 0, "localhost");
	run(f, 1);
	assert_int_equal(f->answer[0].err.kind, ERR_NONE);
	assert_true(strstr(f->answer[0].addresses, "127.0.0.1") != NULL ||
		    strstr(f->answer[0].addresses, "[::1]") != NULL);
}

/* The last test: its thread is stuck while the process ends and the leak check runs. */
static void process_may_end_with_a_stuck_thread(void **state)
{
	struct fixture *f = *state;
	struct resolve_call *call = start(f, 0, "stuck.test");
	wait_until_stuck(1);
	resolve_cancel(call);
	resolve_free(f->resolve);
	loop_free(f->loop);
	free(f);
}

int main(void)
{
	threads_at_start = thread_count();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(name_is_answered_with_its_addresses),
		TEST(more_addresses_than_the_limit_are_cut),
		TEST(literal_address_is_answered_from_the_loop_without_a_lookup),
		TEST(failure_names_the_host_and_the_reason),
		TEST(answer_is_cached_for_its_time),
		TEST(failure_is_cached_for_a_shorter_time),
		TEST(those_who_ask_for_one_name_share_one_lookup),
		TEST(stalled_name_delays_neither_another_nor_its_cancel),
		TEST(cancelled_call_never_answers_but_its_lookup_is_kept),
		TEST(loop_ends_when_nobody_waits),
		TEST(answer_may_cancel_another_waiter),
		TEST(answer_may_free_the_resolver),
		TEST(silence_ends_in_a_timeout_that_is_remembered),
		TEST(threads_grow_to_the_limit_then_names_queue),
		TEST(oldest_name_makes_room_for_new_ones),
		TEST(free_does_not_wait_for_a_stuck_thread_that_ends_alone_later),
		TEST(system_resolver_answers_localhost),
		cmocka_unit_test_setup(process_may_end_with_a_stuck_thread, set_up),
	};
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
