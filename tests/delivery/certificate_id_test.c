/* Which ARN carries an id: by the inventory, and by what was delivered since it was taken. */
#include "delivery/certificate_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "delivery/delivery_internal.h"
#include "store/coverage.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

#define PLACE	"arn:aws:acm:eu-west-1:111122223333:certificate/"
#define ACCOUNT "111122223333"
#define REGION	"eu-west-1"

enum { NOW_S = 1795219200, DAY_S = 86400 }; /* 2026-11-21T00:00:00Z */

struct world {
	char *folder;
	struct loop *loop;
	struct store *store;
};

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct err err = ERR_INIT;
	assert_non_null(world);
	fake_store_reset();
	world->folder = temp_folder_new();
	world->loop = loop_new(&err);
	world->store = temp_store_open(world->loop, world->folder);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;
	store_close(world->store);
	loop_free(world->loop);
	temp_folder_remove(world->folder);
	free(world);
	return 0;
}

static void put(struct world *world, store_write_fn *write, const void *what)
{
	struct err err = ERR_INIT;
	if (store_write_now(world->store, write, (void *)what, &err) != 0)
		fail_msg("%s", err.text);
}

static void write_job(struct store_txn *txn, void *arg)
{
	store_job_put(txn, arg);
}

static void write_cert(struct store_txn *txn, void *arg)
{
	store_cert_put(txn, arg);
}

static void write_coverage(struct store_txn *txn, void *arg)
{
	store_coverage_put(txn, arg);
}

static struct job_record delivery(const char *id, const char *arn, int64_t ended_s)
{
	return (struct job_record){.id = id,
		.kind = JOB_DELIVER,
		.account_id = ACCOUNT,
		.region = REGION,
		.arn = arn,
		.certificate_id = "shop",
		.phase = JOB_DONE,
		.state = JOB_SUCCEEDED,
		.may_have_imported = true,
		.created_s = ended_s - 10,
		.ended_s = ended_s};
}

static void put_cert(struct world *world, const char *arn, const char *id, int64_t gone_s)
{
	static const char tags[] = "team\0web\0acmsensor:certificate-id";
	char bytes[128];
	memcpy(bytes, tags, sizeof(tags));
	strcpy(bytes + sizeof(tags), id);
	put(world, write_cert,
		&(struct cert_record){.arn = arn,
			.connector = "prod",
			.account_id = ACCOUNT,
			.region = REGION,
			.tags = {.bytes = bytes, .len = sizeof(tags) + strlen(id) + 1, .count = 4},
			.gone_s = gone_s});
}

/* Time goes on until then. */
static void put_scan(struct world *world, int64_t at_s)
{
	fake_clock_set_now_s(at_s);
	put(world, write_coverage,
		&(struct coverage_record){.connector = "prod",
			.account_id = ACCOUNT,
			.region = REGION,
			.state = COVERAGE_OK,
			.last_success_s = at_s});
}

static int find(
	struct world *world, const char *id, struct certificate_id_arns *ret_arns, struct err *err)
{
	const struct delivery_target at = {
		.connector = "prod", .partition = "aws", .account_id = ACCOUNT, .region = REGION};
	struct store_txn *txn;
	assert_int_equal(store_read_begin(world->store, &txn, err), 0);
	int rc = certificate_id_find(txn, &at, id, ret_arns, err);
	store_read_end(txn);
	return rc;
}

/* first, second: "" for none. */
static struct certificate_id_arns expect_two(
	struct world *world, const char *first, const char *second)
{
	struct certificate_id_arns found;
	struct err err = ERR_INIT;
	if (find(world, "shop", &found, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(found.count, (first[0] != '\0') + (second[0] != '\0'));
	if (found.count > 0)
		assert_string_equal(found.item[0].arn, first);
	if (found.count > 1)
		assert_string_equal(found.item[1].arn, second);
	return found;
}

static void expect(struct world *world, const char *arn)
{
	(void)expect_two(world, arn, "");
}

static void expect_view(struct world *world, const struct coverage_record *coverage, bool was_read,
	const char *problem)
{
	const struct delivery_target at = {
		.connector = "prod", .account_id = ACCOUNT, .region = REGION};
	struct err err = ERR_INIT;
	struct store_txn *txn;
	if (coverage != NULL)
		put(world, write_coverage, coverage);
	assert_int_equal(store_read_begin(world->store, &txn, &err), 0);
	struct certificate_id_view view = certificate_id_view(txn, &at);
	store_read_end(txn);
	assert_int_equal(view.was_read, was_read);
	assert_string_equal(view.problem, problem);
}

static void what_was_never_read_is_known_not_to_be(void **state)
{
	struct coverage_record coverage = {.connector = "other",
		.account_id = ACCOUNT,
		.region = REGION,
		.state = COVERAGE_OK,
		.last_success_s = NOW_S};
	expect_view(*state, &coverage, false, ""); /* by another connector */
	coverage = (struct coverage_record){.connector = "prod",
		.account_id = ACCOUNT,
		.region = COVERAGE_ANY_REGION,
		.state = COVERAGE_ROLE_UNASSUMABLE,
		.reason = "no such role"};
	expect_view(*state, &coverage, false, "role_unassumable: no such role");
	coverage.region = REGION;
	coverage.state = COVERAGE_NEVER_TRIED;
	coverage.reason = "";
	expect_view(*state, &coverage, false, "never_tried");
	coverage.state = COVERAGE_OK;
	coverage.last_success_s = NOW_S;
	expect_view(*state, &coverage, true, "");
	coverage.state = COVERAGE_DENIED;
	coverage.reason = "not now";
	expect_view(*state, &coverage, true, "denied: not now");
}

static void the_inventory_knows_what_was_scanned(void **state)
{
	struct world *world = *state;
	expect(world, "");
	put_cert(world, PLACE "1", "other", 0);
	put_cert(world, PLACE "2", "shop", NOW_S);
	put(world, write_cert,
		&(struct cert_record){.arn = PLACE "4",
			.connector = "prod",
			.account_id = ACCOUNT,
			.region = REGION,
			.tags = {.bytes = "team\0shop", .len = 10, .count = 2}});
	expect(world, "");
	put_cert(world, PLACE "3", "shop", 0);
	expect(world, PLACE "3");
}

static void jobs_know_what_was_delivered_since(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	put(world, write_job, &job);
	expect(world, PLACE "1");
	put_scan(world, NOW_S); /* it may have looked before */
	expect(world, PLACE "1");
	put_cert(world, PLACE "1", "shop", 0);
	expect(world, PLACE "1");
	put_cert(world, PLACE "1", "shop", NOW_S + 1);
	expect(world, "");
}

static void what_a_later_scan_does_not_show_is_not_there(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	put(world, write_job, &job);
	put_scan(world, NOW_S + 3600);
	expect(world, PLACE "1");
	put_scan(world, NOW_S + 3601);
	expect(world, "");
	put_scan(world, NOW_S + 3 * DAY_S);
	expect(world, "");
}

static void what_this_sensor_deleted_is_not_there(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	struct job_record delete = {.id = "d-20261121-000100-0000000001",
		.kind = JOB_DELETE,
		.account_id = ACCOUNT,
		.region = REGION,
		.arn = PLACE "1",
		.phase = JOB_DONE,
		.old_serial = "0a",
		.state = JOB_FAILED};
	put(world, write_job, &job);
	put(world, write_job, &delete);
	expect(world, PLACE "1");
	delete.state = JOB_SUCCEEDED;
	delete.old_serial = ""; /* it saw nothing: perhaps it came before the import showed */
	put(world, write_job, &delete);
	expect(world, PLACE "1");
	delete.old_serial = "0a";
	put(world, write_job, &delete);
	expect(world, "");
	put_cert(world, PLACE "1", "shop", 0); /* of a scan that had looked before */
	put_cert(world, PLACE "2", "shop", 0);
	expect(world, PLACE "2");
}

static void jobs_of_other_certificates_do_not_count(void **state)
{
	struct world *world = *state;
	struct job_record other[5];
	static const char *const id[] = {"j-20261121-000000-0000000001",
		"j-20261121-000000-0000000002", "j-20261121-000000-0000000003",
		"j-20261121-000000-0000000004", "j-20261121-000000-0000000005"};
	for (size_t i = 0; i < 5; i++)
		other[i] = delivery(id[i], PLACE "1", NOW_S);
	other[0].certificate_id = "shops";
	other[1].account_id = "999988887777";
	other[2].region = "eu-west-2";
	other[3].arn = "";
	other[4].may_have_imported = false;
	for (size_t i = 0; i < 5; i++)
		put(world, write_job, &other[i]);
	expect(world, "");
}

static void all_that_carry_the_id_are_found_once(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "2", NOW_S);
	put_cert(world, PLACE "1", "shop", 0);
	put(world, write_job, &job);
	(void)expect_two(world, PLACE "1", PLACE "2");
	job.id = "j-20261121-000000-0000000002"; /* again to the same, which is there for longer */
	job.created_s += 7200;
	put(world, write_job, &job);
	struct certificate_id_arns found = expect_two(world, PLACE "1", PLACE "2");
	assert_int_equal(found.item[1].since_s, NOW_S - 10);
	assert_false(certificate_id_is_gone(&found.item[1], NOW_S - 10 + 3599));
	assert_true(certificate_id_is_gone(&found.item[1], NOW_S - 10 + 3600));
}

static void those_that_carry_the_id_are_few(void **state)
{
	struct world *world = *state;
	struct certificate_id_arns found = {.count = 99};
	struct err err = ERR_INIT;
	char arn[sizeof(PLACE) + 2];
	for (int i = 0; i < CERTIFICATE_ID_ARNS_MAX; i++) {
		snprintf(arn, sizeof(arn), PLACE "%d", i);
		put_cert(world, arn, "shop", 0);
	}
	assert_int_equal(find(world, "shop", &found, &err), 0);
	assert_int_equal(found.count, CERTIFICATE_ID_ARNS_MAX);
	put_cert(world, PLACE "9", "shop", 0);
	assert_int_equal(find(world, "shop", &found, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "more than 8 certificates carry the id shop, such as " PLACE
				      "9: name one with its ARN");
}

/* What neither job says is in the inventory. */
static void the_jobs_of_an_id_are_counted_too(void **state)
{
	struct world *world = *state;
	struct certificate_id_arns found;
	struct err err = ERR_INIT;
	char id[DELIVERY_ID_MAX + 1], arn[sizeof(PLACE) + 2];
	for (int i = 0; i <= CERTIFICATE_ID_ARNS_MAX; i++) {
		snprintf(id, sizeof(id), "j-20261121-000000-000000000%d", i);
		snprintf(arn, sizeof(arn), PLACE "%d", i);
		struct job_record job = delivery(id, arn, NOW_S);
		put(world, write_job, &job);
	}
	assert_int_equal(find(world, "shop", &found, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void put_untagged(struct world *world, const char *arn)
{
	put(world, write_cert,
		&(struct cert_record){.arn = arn,
			.connector = "prod",
			.account_id = ACCOUNT,
			.region = REGION,
			.tags = {.bytes = "team\0shop", .len = 10, .count = 2}});
}

/* Whatever sets all tags of a certificate takes ours away; the next delivery must not become a second
 * certificate by that. */
static void what_lost_its_tag_is_known_by_its_last_delivery(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261120-000000-0000000001", PLACE "1", NOW_S);
	struct job_record later = delivery("j-20261121-000000-0000000002", PLACE "1", NOW_S + 60);
	job.new_fingerprint_sha256[0] = 1;
	later.new_fingerprint_sha256[0] = 2;
	put(world, write_job, &job);
	put_scan(world, NOW_S + 3 * DAY_S);
	put_untagged(world, PLACE "1");
	put_untagged(world, PLACE "2"); /* of others */
	expect(world, PLACE "1");
	later.certificate_id = "other";
	put(world, write_job, &later);
	expect(world, "");
	later.certificate_id = "shop";
	put(world, write_job, &later);
	expect(world, PLACE "1");
	put_cert(world, PLACE "1", "other", 0); /* what is there counts */
	expect(world, "");
}

/* Tags that cannot be read prove nothing either: such a delivery ends as failed, and planned again it must
 * not become a second certificate. */
static void what_a_failed_delivery_brought_is_known_by_it(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261120-000000-0000000001", PLACE "1", NOW_S);
	job.state = JOB_FAILED;
	job.new_fingerprint_sha256[0] = 1;
	put(world, write_job, &job);
	put_scan(world, NOW_S + 3 * DAY_S);
	struct cert_record cert = {.arn = PLACE "1",
		.connector = "prod",
		.account_id = ACCOUNT,
		.region = REGION,
		.has_pem = true,
		.fingerprint_sha256 = {2}};
	put(world, write_cert, &cert);
	expect(world, ""); /* it did not bring what is there */
	cert.fingerprint_sha256[0] = 1;
	put(world, write_cert, &cert);
	expect(world, PLACE "1");
}

/* What a scan of a time that has yet to come has seen, nobody knows. */
static void a_scan_of_a_clock_that_was_set_back_proves_nothing(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	put_scan(world, NOW_S + 2 * DAY_S);
	put(world, write_job, &job);
	expect(world, "");
	fake_clock_set_now_s(NOW_S + 60);
	expect(world, PLACE "1");
}

/* A job that runs has not ended, whenever the last scan was. */
static void a_running_delivery_counts(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	job.state = JOB_RUNNING;
	job.phase = JOB_TAG;
	job.ended_s = 0;
	put(world, write_job, &job);
	put_scan(world, NOW_S + 7200);
	expect(world, PLACE "1");
}

static void expect_leaf(struct world *world, unsigned char first, const char *wanted)
{
	const struct delivery_target at = {
		.connector = "prod", .partition = "aws", .account_id = ACCOUNT, .region = REGION};
	const unsigned char leaf[CERT_SHA256_LEN] = {first};
	char found[CERT_ARN_MAX + 1] = "";
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(world->store, &txn, &err), 0);
	assert_int_equal(certificate_id_find_leaf(txn, &at, leaf, found), wanted[0] != '\0');
	assert_string_equal(found, wanted);
	store_read_end(txn);
}

static void a_leaf_is_found_where_it_is(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261121-000000-0000000001", PLACE "1", NOW_S);
	struct job_record delete = delivery("d-20261121-000100-0000000001", PLACE "2", NOW_S);
	struct cert_record cert = {.arn = PLACE "2",
		.connector = "prod",
		.account_id = ACCOUNT,
		.region = REGION,
		.has_pem = true,
		.fingerprint_sha256 = {8}};
	struct cert_record elsewhere = cert;
	elsewhere.arn = "arn:aws:acm:eu-west-2:111122223333:certificate/9";
	elsewhere.region = "eu-west-2";
	elsewhere.fingerprint_sha256[0] = 9;
	expect_leaf(world, 7, "");
	job.new_fingerprint_sha256[0] = 7;
	put(world, write_job, &job);
	put(world, write_cert, &cert);
	put(world, write_cert, &elsewhere);
	expect_leaf(world, 7, PLACE "1");
	expect_leaf(world, 8, PLACE "2");
	expect_leaf(world, 9, "");
	delete.kind = JOB_DELETE;
	delete.old_serial = "0a";
	put(world, write_job, &delete);
	expect_leaf(world, 8, "");
}

static bool is_taken(struct world *world)
{
	const struct plan_record plan = {.certificate_id = "shop",
		.account_id = ACCOUNT,
		.region = REGION,
		.created_s = NOW_S,
		.leaf_sha256 = {7}};
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	assert_int_equal(store_read_begin(world->store, &txn, &err), 0);
	bool is_it = certificate_id_delivered_since(txn, &plan, &job);
	if (is_it)
		assert_string_equal(job.arn, PLACE "1");
	store_read_end(txn);
	return is_it;
}

static void a_plan_that_was_overtaken_is_known(void **state)
{
	struct world *world = *state;
	struct job_record job = delivery("j-20261120-235900-0000000001", PLACE "1", NOW_S - 1);
	put(world, write_job, &job);
	assert_false(is_taken(world)); /* the plan knew */
	job.ended_s = NOW_S;
	put(world, write_job, &job);
	assert_true(is_taken(world));
	struct job_record delete = delivery("d-20261121-000000-0000000001", PLACE "1", NOW_S);
	delete.kind = JOB_DELETE;
	delete.old_serial = "0a";
	put(world, write_job, &delete);
	assert_false(is_taken(world));
	delete.state = JOB_FAILED;
	put(world, write_job, &delete);
	job.may_have_imported = false;
	put(world, write_job, &job);
	assert_false(is_taken(world));
	job.state = JOB_RUNNING;
	put(world, write_job, &job);
	assert_true(is_taken(world));
	job.certificate_id = "other";
	put(world, write_job, &job);
	assert_false(is_taken(world));
	job.may_have_imported = true;
	job.state = JOB_SUCCEEDED;
	put(world, write_job, &job);
	assert_false(is_taken(world));
	job.new_fingerprint_sha256[0] = 7; /* the plan's leaf, of which it has told */
	put(world, write_job, &job);
	assert_false(is_taken(world));
	job.ended_s = NOW_S + 1; /* nobody wants it twice */
	put(world, write_job, &job);
	assert_true(is_taken(world));
	job.may_have_imported = false;
	job.state = JOB_RUNNING;
	job.certificate_id = "shop";
	job.kind = JOB_ROLLBACK; /* of something that is there already */
	put(world, write_job, &job);
	assert_false(is_taken(world));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_never_read_is_known_not_to_be, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_inventory_knows_what_was_scanned, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			jobs_know_what_was_delivered_since, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_a_later_scan_does_not_show_is_not_there, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_this_sensor_deleted_is_not_there, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			jobs_of_other_certificates_do_not_count, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			all_that_carry_the_id_are_found_once, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			those_that_carry_the_id_are_few, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			the_jobs_of_an_id_are_counted_too, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_lost_its_tag_is_known_by_its_last_delivery, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_a_failed_delivery_brought_is_known_by_it, open_world, close_world),
		cmocka_unit_test_setup_teardown(a_scan_of_a_clock_that_was_set_back_proves_nothing,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(a_running_delivery_counts, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_leaf_is_found_where_it_is, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_plan_that_was_overtaken_is_known, open_world, close_world),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
