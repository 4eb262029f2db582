/*
 * A writer killed by kill -9 at random instants: what it was told is stored is stored, nothing is
 * there by half, and everything agrees with everything. 25 rounds; more with ACMSENSOR_KILL_ROUNDS.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/store_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

enum {
	ROUNDS = 25,
	CERTS = 150,
	IN_FLIGHT = 300, /* above STORE_GROUP_MAX: groups run one after the other */
	LIVE_MAX_MS = 120,
	SMALL_MAP_BYTES = 256 * 1024, /* so that some rounds die while the map grows */
};

static char *folder;

/* --- the writer ---------------------------------------------------------------------------------- */

struct writer {
	struct store *store;
	uint64_t next;
	int acknowledge_fd;
};

struct job {
	struct writer *writer;
	uint64_t number;
};

/* A certificate, its serial and names, a coverage record and an event, all of one number. */
static void write_job(struct store_txn *txn, void *arg)
{
	const struct job *job = arg;
	struct sample_cert sample;
	char text[32];
	sample_cert_init(&sample, (uint32_t)(job->number % CERTS));
	snprintf(sample.serial, sizeof(sample.serial), "%016llx", (unsigned long long)job->number);
	snprintf(text, sizeof(text), "n%llu.example", (unsigned long long)job->number);
	sample_cert_set_names(&sample, text, "*.example.org", NULL);
	sample.record.not_after_s += (int64_t)job->number;
	sample_cert_store(txn, &sample);
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "000000000001",
					.region = "eu-west-1",
					.certificate_count = (int64_t)job->number});
	snprintf(text, sizeof(text), "%llu", (unsigned long long)job->number);
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR, .detail = text});
	sample_cert_clear(&sample);
}

static void start_job(struct writer *writer);

static void job_done(void *arg, const struct err *err)
{
	struct job *job = arg;
	CHECK(err == NULL);
	CHECK(write(job->writer->acknowledge_fd, &job->number, sizeof(job->number)) ==
		sizeof(job->number));
	start_job(job->writer);
	free(job);
}

static void start_job(struct writer *writer)
{
	struct job *job = xcalloc(1, sizeof(*job));
	*job = (struct job){.writer = writer, .number = writer->next++};
	store_write_start(writer->store, write_job, job, job_done, job);
}

static uint64_t last_number(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct event_record event;
	int64_t number = 0;
	CHECK(store_read_begin(store, &txn, &err) == 0);
	CHECK(store_event_get_last(txn, 0, &event));
	if (event.kind == EVENT_OPERATOR)
		CHECK(text_parse_int(event.detail, 0, INT64_MAX, &number, &err) == 0);
	store_read_end(txn);
	return (uint64_t)number;
}

static void write_until_killed(void *arg)
{
	struct err err = ERR_INIT;
	int *pipe_fds = arg;
	struct loop *loop = loop_new(&err);
	struct writer writer = {.acknowledge_fd = pipe_fds[1]};
	close(pipe_fds[0]);
	CHECK(loop != NULL);
	writer.store = store_open(loop,
		&(struct store_options){.data_dir = folder, .map_bytes = SMALL_MAP_BYTES}, &err);
	if (writer.store == NULL)
		fprintf(stderr, "%s\n", err.text);
	CHECK(writer.store != NULL);
	writer.next = last_number(writer.store) + 1;
	for (int i = 0; i < IN_FLIGHT; i++)
		start_job(&writer);
	loop_run(loop);
}

/* --- the witness --------------------------------------------------------------------------------- */

/* The last number that the writer was told is stored; 0: none. */
static uint64_t read_acknowledged(int fd)
{
	uint64_t number, last = 0;
	while (read(fd, &number, sizeof(number)) == sizeof(number))
		last = number;
	return last;
}

static void verify_certificates(struct store_txn *txn, uint64_t last)
{
	uint64_t first = last > CERTS ? last - CERTS + 1 : 1;
	for (uint64_t number = first; number <= last; number++) {
		struct sample_cert sample;
		struct cert_record record;
		char serial[32];
		sample_cert_init(&sample, (uint32_t)(number % CERTS));
		snprintf(serial, sizeof(serial), "%016llx", (unsigned long long)number);
		assert_true(store_cert_get(txn, sample.arn, &record));
		assert_string_equal(record.serial, serial);
		sample_cert_clear(&sample);
	}
}

static void verify(uint64_t acknowledged)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct coverage_record coverage;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(temp_store_problems(store), 0);
	uint64_t last = last_number(store);
	assert_true(last >= acknowledged);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_int_equal(store_event_verify(txn, &err), 0);
	verify_certificates(txn, last);
	if (last > 0) {
		assert_true(
			store_coverage_get(txn, "prod", "000000000001", "eu-west-1", &coverage));
		assert_int_equal(coverage.certificate_count, last);
	}
	store_read_end(txn);
	store_close(store);
}

static void a_writer_killed_at_any_instant_loses_nothing_it_was_told(void **state)
{
	(void)state;
	const char *wanted = getenv("ACMSENSOR_KILL_ROUNDS");
	long rounds = wanted != NULL ? strtol(wanted, NULL, 10) : ROUNDS;
	uint64_t acknowledged = 0;
	folder = temp_folder_new();
	for (long round = 0; round < rounds; round++) {
		int pipe_fds[2];
		assert_int_equal(pipe(pipe_fds), 0);
		pid_t pid = child_start(write_until_killed, pipe_fds);
		close(pipe_fds[1]);
		/* Some die while they open; every other one has written something before its time
		 * begins, however slow the machine is. */
		struct pollfd told = {.fd = pipe_fds[0], .events = POLLIN};
		if (round % 2 == 0)
			assert_int_equal(poll(&told, 1, -1), 1);
		poll(NULL, 0, (int)clock_random(LIVE_MAX_MS));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(child_wait(pid), 128 + SIGKILL);
		uint64_t last = read_acknowledged(pipe_fds[0]);
		if (last > acknowledged)
			acknowledged = last;
		close(pipe_fds[0]);
		verify(acknowledged);
	}
	assert_true(acknowledged > 0);
	printf("%ld kills, %llu writes acknowledged\n", rounds, (unsigned long long)acknowledged);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_killed_at_any_instant_loses_nothing_it_was_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
