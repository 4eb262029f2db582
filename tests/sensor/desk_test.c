/* Which jobs run when: places, pauses, connectors that come and go, the daemon's end and start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_job.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/sensor/desk_fixture.h"

enum { PAUSE_MS = 30000, PLACE_MS = 1000, PUMP_MS = 50 };

static int set_up(void **state)
{
	fake_job_reset();
	return desk_fixture_set_up(state);
}

static int tear_down(void **state)
{
	int rc = desk_fixture_tear_down(state);
	assert_int_equal(fake_job_count(), 0);
	return rc;
}

/* "j-00" ... */
static const char *job_id(size_t number)
{
	static char id[8][16];
	static size_t next;
	char *text = id[next++ % 8];
	snprintf(text, sizeof(id[0]), "j-%04zu", number);
	return text;
}

static void put(size_t number, enum job_kind kind, enum job_phase phase)
{
	struct job_record job = desk_fixture_job(job_id(number));
	job.kind = kind;
	job.phase = phase;
	desk_fixture_put_job(&desk, &job);
}

static void put_in(size_t number, const char *account_id, const char *region)
{
	struct job_record job = desk_fixture_job(job_id(number));
	job.account_id = account_id;
	job.region = region;
	desk_fixture_put_job(&desk, &job);
}

static void pump(void)
{
	desk_pump(desk.desk);
	fake_loop_advance_ms(PUMP_MS);
}

/* As the real one does: the record first. */
static void end_well(size_t number)
{
	struct job_record job = desk_fixture_job(job_id(number));
	job.phase = JOB_DONE;
	job.state = JOB_SUCCEEDED;
	desk_fixture_put_job(&desk, &job);
	fake_job_end(job_id(number), NULL);
}

static bool runs(size_t number)
{
	return fake_job_find(job_id(number)) != NULL;
}

static struct err make_err(enum err_kind kind)
{
	struct err err = ERR_INIT;
	(void)err_set(&err, kind, "on purpose");
	return err;
}

/* --- places ------------------------------------------------------------------------------------ */

static void before_their_import_few_of_a_place_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < DESK_JOBS_PLACE_MAX + 2; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	put_in(10, SHOP, "us-east-1");
	put_in(11, BANK, DESK_REGION);
	pump();
	assert_int_equal(fake_job_count(), DESK_JOBS_PLACE_MAX + 2);
	assert_true(runs(0) && runs(3) && !runs(4) && runs(10) && runs(11));
	fake_loop_advance_ms(10 * PLACE_MS);
	assert_int_equal(fake_job_count(), DESK_JOBS_PLACE_MAX + 2);
	put(2, JOB_DELIVER, JOB_TAG); /* its import is through: seen at the next look */
	fake_loop_advance_ms(PLACE_MS);
	assert_true(runs(2) && runs(4) && !runs(5));
	end_well(0);
	fake_loop_advance_ms(PUMP_MS); /* no look has to be waited for */
	assert_true(!runs(0) && runs(5));
	assert_int_equal(fake_loop_timer_count(), 1); /* the upkeep's: nobody waits for room */
}

/* A job that goes back to an earlier phase (its answer was lost) needs no place again. */
static void a_place_that_was_given_up_is_not_taken_back(void **state)
{
	(void)state;
	put(0, JOB_DELIVER, JOB_CHECK);
	for (size_t i = 1; i < DESK_JOBS_PLACE_MAX + 2; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	pump();
	put(0, JOB_DELIVER, JOB_TAG);
	fake_loop_advance_ms(PLACE_MS);
	assert_true(runs(DESK_JOBS_PLACE_MAX) && !runs(DESK_JOBS_PLACE_MAX + 1));
	put(0, JOB_DELIVER, JOB_FIND);
	fake_loop_advance_ms(PLACE_MS);
	assert_int_equal(fake_job_count(), DESK_JOBS_PLACE_MAX + 1);
}

static void what_does_not_import_needs_no_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < 10; i++)
		put(i, JOB_DELETE, i % 2 == 0 ? JOB_CHECK : JOB_DRAIN);
	for (size_t i = 10; i < 20; i++)
		put(i, JOB_DELIVER, i % 2 == 0 ? JOB_TAG : JOB_VERIFY);
	for (size_t i = 20; i < 30; i++)
		put(i, JOB_ROLLBACK, JOB_IMPORT);
	pump();
	assert_int_equal(fake_job_count(), 20 + DESK_JOBS_PLACE_MAX);
}

/* Somebody's certificate is wrong: it does not queue behind hundreds of deliveries. */
static void rollbacks_come_before_deliveries(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * DESK_JOBS_PLACE_MAX; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	pump();
	struct job_record back = desk_fixture_job("r-0000");
	back.kind = JOB_ROLLBACK;
	desk_fixture_put_job(&desk, &back);
	pump();
	assert_null(fake_job_find("r-0000")); /* but it does not crowd the place either */
	end_well(0);
	fake_loop_advance_ms(PUMP_MS);
	assert_non_null(fake_job_find("r-0000"));
	assert_int_equal(fake_job_count(), DESK_JOBS_PLACE_MAX);
}

/* What waits for days until nothing uses it keeps no rollback off. */
static void rollbacks_have_room_beside_what_drains(void **state)
{
	(void)state;
	struct job_record back = desk_fixture_job("r-0000");
	back.kind = JOB_ROLLBACK;
	for (size_t i = 0; i <= DESK_JOBS_MAX; i++)
		put(i, JOB_DELETE, JOB_DRAIN);
	pump();
	assert_int_equal(fake_job_count(), DESK_JOBS_MAX);
	desk_fixture_put_job(&desk, &back);
	pump();
	assert_non_null(fake_job_find("r-0000"));
	assert_int_equal(fake_job_count(), DESK_JOBS_MAX + 1);
}

/* Its record would say "cancel asked for" until others, perhaps for hours, have made room. */
static void what_is_to_be_cancelled_waits_for_no_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < DESK_JOBS_PLACE_MAX + 1; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	pump();
	assert_false(runs(DESK_JOBS_PLACE_MAX));
	size_t calls = fake_call_count();
	struct job_record job = desk_fixture_job(job_id(DESK_JOBS_PLACE_MAX));
	job.is_cancel_asked = true;
	desk_fixture_put_job(&desk, &job);
	pump();
	const struct fake_job *away = fake_job_find(job.id);
	assert_non_null(away);
	assert_true(away->is_away); /* it only ends */
	assert_int_equal(away->why.kind, ERR_NONE);
	assert_int_equal(fake_call_count(), calls);
	assert_non_null(away->target.hub);
}

static void one_that_may_have_imported_is_not_away_though_it_is_to_be_cancelled(void **state)
{
	(void)state;
	struct job_record job = desk_fixture_job("j-0000");
	job.is_cancel_asked = job.may_have_imported = true;
	job.phase = JOB_FIND;
	desk_fixture_put_job(&desk, &job);
	pump();
	assert_false(fake_job_find("j-0000")->is_away);
}

static void the_number_of_jobs_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < DESK_JOBS_MAX + 2; i++)
		put(i, JOB_DELETE, JOB_DRAIN);
	pump();
	assert_int_equal(fake_job_count(), DESK_JOBS_MAX);
	end_well(7);
	fake_loop_advance_ms(PUMP_MS);
	assert_int_equal(fake_job_count(), DESK_JOBS_MAX);
	assert_true(runs(DESK_JOBS_MAX) && !runs(DESK_JOBS_MAX + 1));
}

/* --- starting ---------------------------------------------------------------------------------- */

static void a_job_is_given_what_it_needs(void **state)
{
	(void)state;
	put(0, JOB_DELIVER, JOB_CHECK);
	pump();
	const struct delivery_target *target = &fake_job_find("j-0000")->target;
	assert_string_equal(aws_client_account(target->client), SHOP);
	assert_string_equal(aws_client_account(target->hub), HUB);
	assert_string_equal(target->hub_region, connector_config(desk.connector[0])->region);
	assert_string_equal(target->kms_key_id, "");
	assert_string_equal(target->connector, "prod");
	assert_string_equal(target->partition, "aws");
	assert_string_equal(target->account_id, SHOP);
	assert_string_equal(target->region, DESK_REGION);
}

static void a_job_runs_once_however_often_one_looks(void **state)
{
	(void)state;
	put(0, JOB_DELIVER, JOB_CHECK);
	for (int i = 0; i < 10; i++) {
		desk_pump(desk.desk);
		(void)fake_loop_step(); /* in the middle of its start too */
	}
	fake_loop_advance_ms(10 * PUMP_MS);
	assert_int_equal(fake_job_started(), 1);
	assert_int_equal(desk.jobs_ended, 0);
	end_well(0);
	assert_int_equal(desk.jobs_ended, 1);
	pump();
	assert_int_equal(fake_job_started(), 1); /* it has ended */
}

static void looks_come_with_a_distance(void **state)
{
	(void)state;
	pump();
	put(0, JOB_DELIVER, JOB_CHECK);
	desk_pump(desk.desk);
	fake_loop_run_ready();
	assert_int_equal(fake_job_count(), 1); /* long enough after the last one */
	put(1, JOB_DELIVER, JOB_CHECK);
	desk_pump(desk.desk);
	fake_loop_run_ready();
	assert_int_equal(fake_job_count(), 1);
	fake_loop_advance_ms(PUMP_MS);
	assert_int_equal(fake_job_count(), 2);
}

/* --- pauses ------------------------------------------------------------------------------------ */

static void a_job_that_cannot_enter_its_account_pauses(void **state)
{
	(void)state;
	put_in(0, DESK_UNKNOWN, DESK_REGION);
	pump();
	for (size_t round = 1; round < 4; round++) {
		const struct fake_job *job = fake_job_find("j-0000");
		assert_true(job->is_away);
		assert_non_null(strstr(job->why.text, "account " DESK_UNKNOWN ": not authorized"));
		assert_non_null(job->target.hub);
		assert_string_equal(job->target.account_id, DESK_UNKNOWN);
		assert_int_equal(fake_call_count_of("ready"), round);
		const struct err why = job->why;
		fake_job_end("j-0000", &why);
		pump();
		fake_loop_advance_ms(PAUSE_MS - PUMP_MS - 1);
		assert_int_equal(fake_job_count(), 0);
		fake_loop_advance_ms(1);
	}
	end_well(0); /* given up, as its record says */
	fake_loop_advance_ms(2 * PAUSE_MS);
	assert_int_equal(fake_job_count(), 0);
}

static void a_job_whose_store_failed_pauses(void **state)
{
	(void)state;
	const struct err full = make_err(ERR_STORE_FULL);
	put(0, JOB_DELIVER, JOB_CHECK);
	pump();
	fake_job_end("j-0000", &full);
	assert_int_equal(fake_clients_alive(), 1 + DESK_CONNECTORS); /* its session is gone */
	assert_string_equal(desk_job_held_up(desk.desk, "j-0000"), full.text);
	assert_string_equal(desk_job_held_up(desk.desk, "j-0001"), "");
	fake_loop_advance_ms(PAUSE_MS - 1);
	assert_int_equal(fake_job_count(), 0);
	fake_loop_advance_ms(1 + PUMP_MS);
	assert_false(fake_job_find("j-0000")->is_away);
	assert_string_equal(desk_job_held_up(desk.desk, "j-0000"), "");
	assert_int_equal(fake_job_started(), 2);
}

/* Where nobody can enter, those behind are told so too, instead of waiting in silence. */
static void jobs_that_are_away_take_no_place(void **state)
{
	(void)state;
	const size_t count = 3 * DESK_JOBS_PLACE_MAX;
	for (size_t i = 0; i < count; i++)
		put_in(i, DESK_UNKNOWN, DESK_REGION);
	pump();
	fake_loop_advance_ms(3 * PLACE_MS);
	assert_int_equal(fake_job_count(), count);
	for (size_t i = 0; i < count; i++)
		assert_true(fake_job_find(job_id(i))->is_away);
}

static void a_job_without_its_connector_is_away(void **state)
{
	(void)state;
	struct connector *former = desk.connector[0];
	desk.connector[0] = NULL;
	put(0, JOB_DELIVER, JOB_CHECK);
	pump();
	const struct fake_job *job = fake_job_find("j-0000");
	assert_true(job->is_away);
	assert_non_null(strstr(job->why.text, "there is no connector \"prod\""));
	assert_null(job->target.hub);
	assert_string_equal(job->target.hub_region, "");
	assert_int_equal(fake_call_count(), 0);
	desk.connector[0] = former;
	const struct err why = job->why;
	fake_job_end("j-0000", &why);
	fake_loop_advance_ms(PAUSE_MS + PUMP_MS);
	assert_false(fake_job_find("j-0000")->is_away);
}

/* --- connectors -------------------------------------------------------------------------------- */

static void jobs_of_a_connector_that_changes_start_again(void **state)
{
	(void)state;
	struct job_record other = desk_fixture_job("j-0001");
	other.connector = "other";
	put(0, JOB_DELIVER, JOB_CHECK);
	desk_fixture_put_job(&desk, &other);
	pump();
	assert_int_equal(fake_job_started(), 2);
	desk_release(desk.desk, desk.connector[0]);
	assert_true(!runs(0) && runs(1));
	/* That of the fixture, the connectors' hubs, and the other job's hub and session. */
	assert_int_equal(fake_clients_alive(), 1 + DESK_CONNECTORS + 2);
	fake_loop_advance_ms(PUMP_MS);
	assert_true(runs(0));
	assert_int_equal(fake_job_started(), 3);
}

static void a_connector_may_go_while_a_job_is_entering(void **state)
{
	(void)state;
	struct connector *former = desk.connector[0];
	put(0, JOB_DELIVER, JOB_CHECK);
	for (int steps = 1; steps < 4; steps++) {
		desk_pump(desk.desk);
		for (int i = 0; i < steps; i++)
			assert_true(fake_loop_step());
		desk.connector[0] = NULL;
		desk_release(desk.desk, former);
		assert_int_equal(fake_call_pending(), 0);
		assert_int_equal(fake_clients_alive(), 1 + DESK_CONNECTORS);
		fake_loop_advance_ms(PUMP_MS);
		assert_true(fake_job_find("j-0000")->is_away);
		desk.connector[0] = former;
		desk_fixture_restart(&desk);
	}
}

/* --- the daemon's end and start ---------------------------------------------------------------- */

static void jobs_go_on_after_a_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	pump();
	end_well(1);
	desk_fixture_restart(&desk);
	assert_int_equal(fake_job_count(), 0);
	fake_loop_advance_ms(PUMP_MS);
	assert_int_equal(fake_job_count(), 0); /* the owner says when */
	pump();
	assert_true(runs(0) && !runs(1) && runs(2));
	assert_int_equal(fake_job_started(), 5);
}

static void the_end_comes_at_any_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < DESK_JOBS_PLACE_MAX + 1; i++)
		put(i, JOB_DELIVER, JOB_CHECK);
	put_in(8, DESK_UNKNOWN, DESK_REGION);
	for (int steps = 0; steps < 20; steps++) {
		desk_pump(desk.desk);
		for (int i = 0; i < steps; i++)
			assert_true(fake_loop_step());
		if (runs(8)) { /* in its pause too */
			const struct err why = make_err(ERR_ROLE);
			fake_job_end(job_id(8), &why);
		}
		desk_fixture_restart(&desk);
		assert_int_equal(fake_job_count(), 0);
		assert_int_equal(fake_call_pending(), 0);
		assert_int_equal(fake_loop_timer_count(), 1); /* the upkeep's */
		assert_int_equal(fake_clients_alive(), 1 + DESK_CONNECTORS);
	}
}

static void a_job_that_is_restarted_reads_its_record_again(void **state)
{
	(void)state;
	put(0, JOB_DELIVER, JOB_CHECK);
	pump();
	desk_restart_job(desk.desk, "j-unknown");
	assert_int_equal(fake_job_count(), 1);
	struct job_record job = desk_fixture_job("j-0000");
	job.is_cancel_asked = true;
	desk_fixture_put_job(&desk, &job);
	desk_restart_job(desk.desk, "j-0000");
	assert_int_equal(fake_job_count(), 0);
	pump();
	assert_true(fake_job_find("j-0000")->is_away);
}

static void a_desk_without_its_vault_is_none(void **state)
{
	struct fixture *sensor = *state;
	struct err err = ERR_INIT;
	assert_null(desk_new(&(struct desk_options){.loop = sensor->loop,
				     .store = sensor->store,
				     .sensor_name = "sensor1",
				     .data_dir = sensor->folder,
				     .vault_key_file = "/nowhere/master.key"},
		&err));
	assert_int_not_equal(err.kind, ERR_NONE);
	assert_non_null(strstr(err.text, "/nowhere/master.key"));
	desk_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(before_their_import_few_of_a_place_run),
		TEST(a_place_that_was_given_up_is_not_taken_back),
		TEST(what_does_not_import_needs_no_place),
		TEST(rollbacks_come_before_deliveries),
		TEST(rollbacks_have_room_beside_what_drains),
		TEST(what_is_to_be_cancelled_waits_for_no_place),
		TEST(one_that_may_have_imported_is_not_away_though_it_is_to_be_cancelled),
		TEST(the_number_of_jobs_is_bounded),
		TEST(a_job_is_given_what_it_needs),
		TEST(a_job_runs_once_however_often_one_looks),
		TEST(looks_come_with_a_distance),
		TEST(a_job_that_cannot_enter_its_account_pauses),
		TEST(a_job_whose_store_failed_pauses),
		TEST(jobs_that_are_away_take_no_place),
		TEST(a_job_without_its_connector_is_away),
		TEST(jobs_of_a_connector_that_changes_start_again),
		TEST(a_connector_may_go_while_a_job_is_entering),
		TEST(jobs_go_on_after_a_start),
		TEST(the_end_comes_at_any_turn),
		TEST(a_job_that_is_restarted_reads_its_record_again),
		TEST(a_desk_without_its_vault_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
