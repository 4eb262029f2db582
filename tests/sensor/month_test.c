/*
 * A month of hourly cycles by the connector's own schedule, on a real store, in an organization in
 * which something happens all the time (month_world.h). After each cycle and catch-up the events
 * that were written are compared one for one with those that the model (month_model.h) says, and
 * the inventory and the coverage with what the model knows. After some days of warming up nothing
 * may grow any more: memory, descriptors, slots of readers; the store only by what it must keep.
 *
 * One month; with ACMSENSOR_LONG=1 a year of other months.
 */
#include <dirent.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sensor/connector.h"
#include "store/certs.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/fixture.h"
#include "tests/sensor/month_model.h"

enum {
	PAIRS_MAX = 8,
	WARM_HOURS = 5 * 24,
	MONTHS = 12,
	RESTART_HOURS = 7 * 24 + 5, /* between two restarts of the sensor */
	LOOK_MS = 30000,
	/* Entries of a cycle in which nothing happened, besides one for each account and
	 * account-region: the cycle record at begin, identity and end; two events, each with the
	 * end of the chain; two units. */
	QUIET_RECORDS = 3 + 2 * 2 + 2,
	/* What may come on top of the most that was in use while warming up: LMDB keeps the pages
	 * of its largest write for the next one, malloc some of what was freed. */
	HEAP_SLACK_BYTES = 64 * 1024,
	/* Nothing is ever removed yet (no retention). What the store needs, with keys, indexes and
	 * the room that LMDB leaves in pages: for an event besides its texts; for each certificate
	 * ever seen; for each version of one (PEM and history). */
	EVENT_BYTES = 112,
	CERT_BYTES = 2000,
	VERSION_BYTES = 700,
	STORE_SLACK_BYTES = 64 * 1024,
};

struct usage {
	int64_t heap_bytes, descriptors, readers;
};

struct month {
	struct fixture *fixture;
	struct month_world world;
	struct month_model model;
	struct connector *connector;
	uint64_t told;			       /* sequence of the last event that was compared */
	size_t runs, catch_ups, quiet, events; /* so far */
	int64_t last_cycle_s;	   /* start of the last full cycle that did not fail; 0: none */
	struct store_stats before; /* as the run begins */
	struct usage usage, warm;  /* the most of all runs, of those up to the end of warming up */
	int64_t event_bytes;	   /* that events take, written since then */
	uint32_t warm_serials;
	struct store_stats warm_store;
};

static struct month month;

/* --- what is used ------------------------------------------------------------------------------ */

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc ships no header for it */
#endif

static int64_t heap_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return (int64_t)__sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();
	return (int64_t)(info.uordblks + info.hblkhd);
#endif
}

static int64_t descriptors(void)
{
	DIR *open = opendir("/proc/self/fd");
	int64_t count = 0;
	assert_non_null(open);
	while (readdir(open) != NULL)
		count++;
	closedir(open);
	return count;
}

static struct store_stats store_stats(void)
{
	struct store_stats stats;
	struct err err = ERR_INIT;
	if (store_get_stats(month.fixture->store, &stats, &err) != 0)
		fail_msg("%s", err.text);
	return stats;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Between two runs; the world's own certificates do not count. */
static void measure(void)
{
	struct usage *usage = &month.usage;
	struct store_stats stats = store_stats();
	usage->heap_bytes = max_of(usage->heap_bytes, heap_bytes() - month.world.pem_bytes);
	usage->descriptors = max_of(usage->descriptors, descriptors());
	usage->readers = max_of(usage->readers, stats.readers);
}

/* --- the store and the model ------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct store_txn *begin_read(void)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	if (store_read_begin(month.fixture->store, &txn, &err) != 0)
		fail_msg("%s", err.text);
	return txn;
}

/* "kind account region certificate detail"; of coverage without the reason. */
static char *event_line(const struct event_record *event)
{
	const char *id = strrchr(event->arn, '/');
	int detail_len = (int)strlen(event->detail);
	if (event->kind == EVENT_COVERAGE_CHANGED && strstr(event->detail, ": ") != NULL)
		detail_len = (int)(strstr(event->detail, ": ") - event->detail);
	return xasprintf("%s %s %s %s %.*s", event_kind_name(event->kind), event->account_id,
		event->region, id != NULL ? id + 1 : "", detail_len, event->detail);
}

static size_t read_events(char *line[LINES_MAX])
{
	struct store_txn *txn = begin_read();
	struct event_record event;
	size_t count = 0;
	while (store_event_get_from(txn, month.told + 1, &event)) {
		month.told = event.sequence;
		month.event_bytes += (int64_t)(strlen(event.account_id) + strlen(event.region) +
					       strlen(event.arn) + strlen(event.subject) +
					       strlen(event.detail) + strlen(event.connector));
		if (event.kind == EVENT_STORE_CREATED)
			continue;
		assert_true(count < LINES_MAX);
		assert_int_equal(event.at_s, clock_now_s());
		line[count++] = event_line(&event);
	}
	store_read_end(txn);
	if (count > 0)
		qsort(line, count, sizeof(line[0]), compare_texts);
	return count;
}

static void check_events(void)
{
	char *line[LINES_MAX];
	const struct month_model *model = &month.model;
	size_t count = read_events(line), i = 0;
	while (i < count && i < model->line_count && strcmp(line[i], model->line[i]) == 0)
		i++;
	bool is_same = i == count && i == model->line_count;
	if (!is_same)
		fprintf(stderr, "hour %lld, %s\n  told:     %s\n  expected: %s\n",
			(long long)(clock_now_s() - NOW_S) / HOUR_S,
			progress_kind_name(model->kind), i < count ? line[i] : "no more",
			i < model->line_count ? model->line[i] : "no more");
	for (size_t at = 0; at < count; at++)
		free(line[at]);
	assert_true(is_same);
	month.events += count;
}

static void check_cert(const struct cert_record *record, size_t place)
{
	const struct fake_acm *acm = &month.world.place[place];
	size_t i = 0;
	while (i < acm->count && strcmp(acm->cert[i].id, strrchr(record->arn, '/') + 1) != 0)
		i++;
	assert_true(i < acm->count);
	const struct model_cert *known = &month.model.cert[place][i];
	assert_true(known->is_known);
	assert_int_equal(record->gone_s != 0, known->is_gone);
	assert_int_equal(record->detailed_s, known->detailed_s);
	assert_int_equal(record->not_after_s, known->not_after_s);
	assert_string_equal(record->serial, known->told[TOLD_SERIAL]);
	assert_string_equal(record->status, known->told[TOLD_STATUS]);
	assert_string_equal(record->renewal_status, known->told[TOLD_RENEWAL_STATUS]);
	assert_int_equal(record->in_use, strcmp(known->told[TOLD_IN_USE], "yes") == 0);
	assert_int_equal(record->tags.count, known->told[TOLD_TAGS][0] != '\0' ? 2 : 0);
	assert_string_equal(record->detail_error, "");
}

static void check_place(struct store_txn *txn, size_t place)
{
	const struct fake_acm *acm = &month.world.place[place];
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	size_t known = 0, found = 0;
	for (size_t i = 0; i < MONTH_CERTS; i++)
		known += month.model.cert[place][i].is_known;
	for (; store_cert_next_in_region(
		     txn, "aws", acm->region, acm->account_id, position, &record);
		found++)
		check_cert(&record, place);
	assert_int_equal(found, known);
}

static void check_pair(struct store_txn *txn, size_t account, size_t region)
{
	const struct model_pair *pair = &month.model.pair[account][region];
	const char *name = region < MONTH_REGIONS ? month_region[region] : COVERAGE_ANY_REGION;
	struct coverage_record record;
	bool is_known = store_coverage_get(txn, "prod", month_account[account], name, &record);
	assert_int_equal(is_known, pair->is_known);
	if (!is_known)
		return;
	assert_int_equal(record.state, pair->state);
	assert_int_equal(record.failures_in_row, pair->failures);
	assert_int_equal(record.next_try_s, pair->next_try_s);
	assert_int_equal(record.last_success_s, pair->last_success_s);
	assert_int_equal(record.certificate_count, pair->count);
}

static void check_inventory(void)
{
	struct store_txn *txn = begin_read();
	for (size_t place = 0; place < MONTH_PLACES; place++)
		check_place(txn, place);
	for (size_t account = 0; account < MONTH_ACCOUNTS; account++)
		for (size_t region = 0; region <= MONTH_REGIONS; region++)
			check_pair(txn, account, region);
	store_read_end(txn);
}

/* A cycle in which nothing happened to certificates writes nothing for each of them. */
static void check_writes(void)
{
	const struct month_model *model = &month.model;
	int64_t written = store_stats().records_written - month.before.records_written;
	bool is_quiet = model->line_count == 2 && model->details_read == 0 &&
			model->kind == PROGRESS_CYCLE && !model->has_failed;
	if (!is_quiet)
		return;
	month.quiet++;
	assert_int_equal(written, QUIET_RECORDS + model->accounts_written + model->coverage_writes);
}

/* An hour after the one before, give or take a tenth, however long catching up took. */
static void check_schedule(const struct progress *last)
{
	if (last->kind == PROGRESS_CATCH_UP)
		return;
	int64_t since_s = last->started_s - month.last_cycle_s;
	if (month.last_cycle_s != 0)
		assert_in_range(since_s, HOUR_S - HOUR_S / 10,
			HOUR_S + HOUR_S / 10 + LOOK_MS / 1000 + SCHEDULE_PAUSE_S);
	month.last_cycle_s = last->result == PROGRESS_FAILED ? 0 : last->started_s;
}

static void check_run(void)
{
	const struct progress *last = connector_last(month.connector);
	month_model_run(&month.model, last->kind, clock_now_s());
	assert_int_equal(last->result == PROGRESS_FAILED, month.model.has_failed);
	check_events();
	check_inventory();
	check_writes();
	check_schedule(last);
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	month.runs++;
	month.catch_ups += last->kind == PROGRESS_CATCH_UP;
}

/* --- the sensor -------------------------------------------------------------------------------- */

static void on_event(void *arg, struct connector *connector)
{
	(void)arg;
	(void)connector;
}

static void start_sensor(void)
{
	struct err err = ERR_INIT;
	month.connector = connector_new(&(struct connector_options){.loop = month.fixture->loop,
						.store = month.fixture->store,
						.sensor_name = "dc1",
						.config = month.fixture->connector},
		on_event, on_event, NULL, &err);
	if (month.connector == NULL || connector_load(month.connector, &err) != 0)
		fail_msg("%s", err.text);
}

static void restart_sensor(void)
{
	struct fixture *fixture = month.fixture;
	connector_free(month.connector);
	assert_int_equal(temp_store_problems(fixture->store), 0);
	store_close(fixture->store);
	fixture->store = temp_store_open(fixture->loop, fixture->folder);
	month_model_restart(&month.model);
	start_sensor();
}

/* As the sensor's pump looks: whatever is due starts and runs to its end. */
static void look(void)
{
	month_world_settle(&month.world, clock_now_s());
	fake_call_reset();
	fake_org_install(&month.fixture->org);
	month.before = store_stats();
	if (!connector_start_due(month.connector, NULL, 0, PAIRS_MAX))
		return;
	fake_loop_run_ready();
	assert_false(connector_is_running(month.connector));
	check_run();
	fake_call_reset();
	measure();
}

static void pass_hour(int64_t hour)
{
	int64_t end_s = NOW_S + (hour + 1) * HOUR_S;
	month_world_set_hour(&month.world, hour);
	if (hour % RESTART_HOURS == RESTART_HOURS - 1)
		restart_sensor();
	while (clock_now_s() < end_s) {
		look();
		int64_t wait_ms = max_of(1000, connector_wait_ms(month.connector));
		int64_t left_ms = (end_s - clock_now_s()) * 1000;
		fake_loop_advance_ms(wait_ms < left_ms ? wait_ms : left_ms);
	}
	if (hour % 24 == 23)
		assert_int_equal(temp_store_problems(month.fixture->store), 0);
}

/* --- the month --------------------------------------------------------------------------------- */

static void end_warming_up(void)
{
	month.warm = month.usage;
	month.usage = (struct usage){.heap_bytes = 0};
	month.event_bytes = 0;
	month.warm_serials = month.world.serials;
	month.warm_store = store_stats();
}

static void expect_flat(void)
{
	struct store_stats stats = store_stats(), *warm = &month.warm_store;
	int64_t needed = month.event_bytes + (stats.events - warm->events) * EVENT_BYTES +
			 (stats.certificates - warm->certificates) * CERT_BYTES +
			 (int64_t)(month.world.serials - month.warm_serials) * VERSION_BYTES;
	print_message("heap %lld -> %lld, used %lld -> %lld of %lld, file %lld -> %lld\n",
		(long long)month.warm.heap_bytes, (long long)month.usage.heap_bytes,
		(long long)warm->used_bytes, (long long)stats.used_bytes,
		(long long)(warm->used_bytes + needed), (long long)warm->file_bytes,
		(long long)stats.file_bytes);
	assert_in_range(month.usage.heap_bytes, 0, month.warm.heap_bytes + HEAP_SLACK_BYTES);
	assert_int_equal(month.usage.descriptors, month.warm.descriptors);
	assert_int_equal(month.usage.readers, month.warm.readers);
	assert_in_range(stats.used_bytes, 0, warm->used_bytes + needed + STORE_SLACK_BYTES);
	assert_in_range(stats.file_bytes, 0, 2 * stats.used_bytes);
}

static void run_month(struct fixture *fixture, uint32_t number)
{
	month = (struct month){.fixture = fixture};
	sensor_start_over(fixture);
	fake_clock_seed_random(number);
	use_config(fixture, "[connector prod]\nimport = all\ninterval = 1h\n");
	month_world_init(&month.world, &fixture->org, NOW_S, number);
	month_model_init(&month.model, &month.world);
	start_sensor();
	for (int64_t hour = 0; hour < MONTH_HOURS; hour++) {
		pass_hour(hour);
		if (hour == WARM_HOURS)
			end_warming_up();
	}
	print_message("month %u: %zu runs, %zu of them catch-ups, %zu quiet; %zu events, %zu "
		      "changes of certificates\n",
		number, month.runs, month.catch_ups, month.quiet, month.events,
		month.world.changes);
	expect_flat();
	connector_free(month.connector);
	month_model_clear(&month.model);
	month_world_clear(&month.world);
	fake_call_reset();
}

static void sensor_tells_exactly_what_happens_and_grows_by_nothing_else(void **state)
{
	uint32_t months = getenv("ACMSENSOR_LONG") != NULL ? MONTHS : 1;
	for (uint32_t number = 1; number <= months; number++)
		run_month(*state, number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SENSOR_TEST(sensor_tells_exactly_what_happens_and_grows_by_nothing_else),
	};
	setenv("HOME", "/nonexistent", 1); /* no setting of this machine is seen */
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_CA_BUNDLE");
	/* Tens of thousands of commits, none of which has to survive this machine. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
