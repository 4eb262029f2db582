/*
 * Every way a cycle can be run (torture_world.h), disturbed at every place: the n-th call fails with
 * each kind of error, or it and all that follow; the same of writes; the store cannot be read in the
 * n-th turn; the cycle is cancelled in the n-th turn. Each time:
 *
 *   - the cycle ends once (cancelled: never) and leaves no call, timer, write or client behind;
 *   - every account-region is as it was or as the undisturbed run leaves it, nothing in between;
 *     what was not read to its end is as it was; a walk that failed has changed nothing;
 *   - the store is consistent (store_check: indexes, PEM, the chain of events);
 *   - the next day's cycle is complete and ends in the same inventory, coverage, accounts and PEM,
 *     with the same comings and goings in the event log, as if nothing had happened.
 *
 * ACMSENSOR_LONG=1: each n with each kind, and in a larger organization; otherwise a sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "orgscope/scope.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/sensor/store_text.h"
#include "tests/sensor/torture_run.h"

enum { CATCH_UP_S = 300, PLACES = TORTURE_PLACES, TEXT_MAX = 1 << 20 };

static const struct {
	const char *account_id, *region;
} places[PLACES] = {
	{HUB, "ap-south-1"},
	{HUB, "eu-west-1"},
	{HUB, "us-east-1"},
	{SHOP, "ap-south-1"},
	{SHOP, "eu-west-1"},
	{SHOP, "us-east-1"},
	{BANK, "ap-south-1"},
	{BANK, "eu-west-1"},
	{BANK, "us-east-1"},
	{"444444444444", "ap-south-1"},
	{"444444444444", "eu-west-1"},
	{"444444444444", "us-east-1"},
	{"555555555555", "ap-south-1"},
	{"555555555555", "eu-west-1"},
	{"555555555555", "us-east-1"},
	{"666666666666", "ap-south-1"},
	{"666666666666", "eu-west-1"},
	{"666666666666", "us-east-1"},
};

#define WALK_SPARES                                                                                \
	"accounts units coverage certs cert_fingerprint cert_expiry cert_domain history pem"

static char label[160]; /* of what is under way, for whoever reads a failure */

static bool is_long(void)
{
	return getenv("ACMSENSOR_LONG") != NULL;
}

/* --- what the store says ----------------------------------------------------------------------- */

static char *inventory(struct torture *torture)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	store_text_inventory(torture->fixture, &text);
	return buf_take(&text);
}

static char *comings(struct torture *torture)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	store_text_comings(torture->fixture, torture->last_event, &text);
	return buf_take(&text);
}

static char *place_text(struct torture *torture, size_t i)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	store_text_pair(torture->fixture, places[i].account_id, places[i].region, &text);
	return buf_take(&text);
}

/* Tells the first line that differs. */
static void expect_same(char *found, const char *expected)
{
	size_t line = 0, i = 0;
	for (; found[i] != '\0' && found[i] == expected[i]; i++)
		if (found[i] == '\n')
			line = i + 1;
	bool is_same = found[i] == expected[i];
	if (!is_same)
		fprintf(stderr, "--- found\n%.*s\n--- expected\n%.*s\n",
			(int)strcspn(found + line, "\n"), found + line,
			(int)strcspn(expected + line, "\n"), expected + line);
	free(found);
	if (!is_same)
		fail_msg("%s", label);
}

/* --- what must hold afterwards ----------------------------------------------------------------- */

static bool is_operation(const struct fake_record *call, const char *operation)
{
	return strcmp(call->operation, operation) == 0;
}

static bool is_of_walk(const struct fake_record *call)
{
	static const char *const operation[] = {"DescribeOrganization", "ListRoots",
		"ListOrganizationalUnitsForParent", "ListAccountsForParent"};
	for (size_t i = 0; i < 4; i++)
		if (is_operation(call, operation[i]))
			return true;
	bool is_first = is_operation(call, "GetCallerIdentity") && call->account[0] == '\0';
	return is_first || strstr(call->role_arn, ":role/walk") != NULL;
}

/* Of all pages only the first may be refused for what it asks. */
static bool is_asked_again(const struct fake_record *call, const struct trouble *trouble)
{
	return strcmp(fake_call_errors[trouble->kind].code, "ValidationException") == 0 &&
	       strstr(call->body, "NextToken") == NULL;
}

/* Whether the failed call must have left the account-region as it was. */
static bool is_unread(size_t i, const struct fake_record *call, const struct trouble *trouble)
{
	if (call == NULL || strcmp(call->account, places[i].account_id) != 0)
		return false;
	bool is_list = is_operation(call, "ListCertificates") && !is_asked_again(call, trouble);
	return is_operation(call, "ready") ||
	       (is_list && strcmp(call->region, places[i].region) == 0);
}

/* An account that left is taken back in pieces: then this holds of each certificate alone. */
static bool is_between(const char *now, const char *before, const char *after)
{
	while (*now != '\0') {
		size_t len = strcspn(now, "\n") + 1;
		size_t before_len = strcspn(before, "\n") + 1, after_len = strcspn(after, "\n") + 1;
		bool is_before = len == before_len && memcmp(now, before, len) == 0;
		bool is_after = len == after_len && memcmp(now, after, len) == 0;
		if (!is_before && !is_after)
			return false;
		now += len;
		before += before_len;
		after += after_len;
	}
	return *before == '\0' && *after == '\0';
}

/* Which certificates there are and which of them are gone: "kept\nlost gone\n". */
static char *presence(const char *text)
{
	struct buf reduced;
	buf_init(&reduced, TEXT_MAX);
	for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
		size_t len = strcspn(text, "\n");
		bool is_gone = len > 5 && memcmp(text + len - 5, " gone", 5) == 0;
		buf_add(&reduced, text, strcspn(text, " "));
		buf_add_text(&reduced, is_gone ? " gone\n" : "\n");
	}
	return buf_take(&reduced);
}

/* Certificates whose every detail failed are kept with what the list says. */
static bool is_same_presence(const char *now, const char *after)
{
	char *left = presence(now), *right = presence(after);
	bool is_same = strcmp(left, right) == 0;
	free(left);
	free(right);
	return is_same;
}

static void check_place(struct torture *torture, size_t i, const struct trouble *trouble,
	const struct fake_record *failed)
{
	char *now = place_text(torture, i);
	const char *before = torture->place_before[i], *after = torture->place_after[i];
	bool is_allowed = strcmp(now, after) == 0;
	if (torture->is_large && strcmp(places[i].account_id, BANK) == 0)
		is_allowed = is_allowed || is_between(now, before, after);
	if (trouble->what == FAIL_CALLS)
		is_allowed = is_allowed || is_same_presence(now, after);
	if (is_unread(i, failed, trouble) || !is_allowed)
		expect_same(now, before);
	else
		free(now);
}

static void check_places(
	struct torture *torture, const struct trouble *trouble, const struct fake_record *failed)
{
	for (size_t i = 0; i < PLACES; i++)
		check_place(torture, i, trouble, failed);
}

static void check_promises(struct torture *torture, const struct trouble *trouble)
{
	const struct fake_record *failed = fake_call_failed();
	unsigned char digest[STORE_DIGEST_LEN];
	assert_int_equal(torture_is_about_calls(trouble->what), failed != NULL);
	assert_int_equal(temp_store_problems(torture->fixture->store), 0);
	check_places(torture, trouble, failed);
	if (failed == NULL || !is_of_walk(failed))
		return;
	temp_store_digest_of(torture->fixture->store, WALK_SPARES, digest);
	assert_memory_equal(digest, torture->walk_digest, sizeof(digest));
}

/* An interrupted cycle goes on a minute after its start. */
static int64_t moment_of_run_s(const struct torture *torture)
{
	return torture->run_s + (torture->scenario->is_continued ? 60 : 0);
}

/* The earlier connector's own cycle, which nothing disturbs. */
static void run_neighbour(struct torture *torture)
{
	struct cycle_run run = {.fixture = torture->fixture};
	struct cycle_options options = cycle_options_of(&run);
	struct overlap none = {.count = 0};
	if (torture->scenario->neighbour == NULL)
		return;
	options.config = &torture->fixture->config->connector[0];
	options.overlap = &none;
	cycle_run(&run, &options);
	cycle_run_clear(&run);
}

static void run_next_day(struct torture *torture)
{
	enum world_day day = torture->scenario->day == DAY_CHANGE ? DAY_AFTER : DAY_FIRST;
	torture_set_world(torture, day, moment_of_run_s(torture) + DAY_S);
	run_neighbour(torture);
	cycle_run_all(torture->fixture, PROGRESS_COMPLETE);
	assert_int_equal(temp_store_problems(torture->fixture->store), 0);
}

static void check_truth(struct torture *torture)
{
	unsigned char digest[STORE_DIGEST_LEN];
	expect_same(inventory(torture), torture->truth);
	expect_same(comings(torture), torture->comings);
	temp_store_digest_of(torture->fixture->store, "pem", digest);
	assert_memory_equal(digest, torture->pem_digest, sizeof(digest));
}

static void set_moment_of_run(struct torture *torture)
{
	torture_set_world(torture, torture->scenario->day, moment_of_run_s(torture));
	if (!torture->scenario->trouble_came_before)
		torture_add_trouble(torture);
}

static void disturb(struct torture *torture, struct trouble trouble)
{
	const char *kind = "";
	if (torture_is_about_calls(trouble.what))
		kind = err_kind_name(fake_call_errors[trouble.kind].kind);
	else if (torture_is_about_writes(trouble.what))
		kind = err_kind_name(torture_write_errors[trouble.kind]);
	snprintf(label, sizeof(label), "%s%s: %s %zu %s", torture->scenario->name,
		torture->is_large ? ", large" : "", torture_what_name[trouble.what], trouble.n,
		kind);
	torture_restore_store(torture);
	set_moment_of_run(torture);
	torture_run(torture, &trouble);
	check_promises(torture, &trouble);
	run_next_day(torture);
	check_truth(torture);
	torture->runs++;
	label[0] = '\0';
}

/* --- a scenario -------------------------------------------------------------------------------- */

static void interrupt_cycle(struct torture *torture)
{
	struct cycle_run run = {.fixture = torture->fixture};
	torture_set_world(torture, torture->scenario->day, torture->run_s);
	struct cycle_options options = cycle_options_of(&run);
	options.pairs_max = 1;
	cycle_begin(&run, &options);
	while (cycle_progress(run.cycle)->pairs_done < 4)
		assert_true(fake_loop_step());
	cycle_run_clear(&run);
}

/* Everything up to the run. */
static void prepare(struct torture *torture)
{
	const struct scenario *scenario = torture->scenario;
	bool has_trouble = scenario->trouble_came_before;
	const char *neighbour = scenario->neighbour;
	char *config =
		xasprintf("%s%s[connector prod]\n%s", neighbour != NULL ? "[connector one]\n" : "",
			neighbour != NULL ? neighbour : "", scenario->config);
	use_config(torture->fixture, config);
	free(config);
	for (size_t i = 0; i < scenario->days_before; i++) {
		bool is_last = i + 1 == scenario->days_before;
		torture_set_world(
			torture, i == 0 ? DAY_FIRST : DAY_MISSED, NOW_S + (int64_t)i * DAY_S);
		if (is_last && has_trouble)
			torture_add_trouble(torture);
		run_neighbour(torture);
		cycle_run_all(torture->fixture,
			is_last && has_trouble ? PROGRESS_INCOMPLETE : PROGRESS_COMPLETE);
	}
	torture->run_s = NOW_S + (int64_t)scenario->days_before * DAY_S;
	if (has_trouble)
		torture->run_s += CATCH_UP_S - DAY_S;
	if (scenario->is_continued)
		interrupt_cycle(torture);
	fake_call_reset();
	torture_save_store(torture);
}

/* The undisturbed run, which the others are compared with. */
static void learn(struct torture *torture)
{
	struct store *store;
	torture_restore_store(torture);
	set_moment_of_run(torture);
	store = torture->fixture->store;
	temp_store_digest_of(store, WALK_SPARES, torture->walk_digest);
	for (size_t i = 0; i < PLACES; i++)
		torture->place_before[i] = place_text(torture, i);
	size_t calls_before = 0;
	if (torture->scenario->has_scope) {
		struct scope scope = {.unit = NULL};
		torture_walk(torture, &scope);
		scope_clear(&scope);
		calls_before = 2 * fake_call_count(); /* the run's own walk comes first too */
	}
	torture->turns = torture_run(torture, &(struct trouble){.what = NOTHING});
	torture->calls = fake_call_count() - calls_before;
	torture->writes = fake_store_write_count();
	for (size_t i = 0; i < PLACES; i++)
		torture->place_after[i] = place_text(torture, i);
	run_next_day(torture);
	torture->truth = inventory(torture);
	torture->comings = comings(torture);
	temp_store_digest_of(store, "pem", torture->pem_digest);
}

static void forget(struct torture *torture)
{
	for (size_t i = 0; i < PLACES; i++) {
		free(torture->place_before[i]);
		free(torture->place_after[i]);
	}
	free(torture->truth);
	free(torture->comings);
	temp_folder_remove(torture->before);
	torture_world_clear(&torture->world);
}

/* How far apart the places are that are disturbed: 1: at each. */
static size_t step_of(const struct torture *torture, enum what what, size_t count)
{
	bool is_of_turns = what == FAIL_READ || what == CANCEL;
	if (is_long())
		return torture->is_large && is_of_turns ? 1 + count / 64 : 1;
	if (what == FAIL_CALL)
		return 2;
	return what == FAIL_WRITE ? 1 : 1 + count / 8;
}

/* Each place with each kind of trouble; in a sample, or a large organization, with one in turn. */
static void disturb_each(struct torture *torture, enum what what, size_t count, size_t kinds)
{
	size_t first = (size_t)(torture->scenario - scenarios);
	size_t step = step_of(torture, what, count);
	bool is_each_kind = is_long() && !torture->is_large;
	for (size_t n = 1 + first % step; n <= count; n += step)
		for (size_t kind = 0; kind < kinds; kind++)
			if (is_each_kind || kind == (first + n / step) % kinds)
				disturb(torture, (struct trouble){what, n, kind});
}

static void torture_scenario(struct fixture *fixture, size_t i, bool is_large)
{
	struct torture torture = {
		.fixture = fixture, .scenario = &scenarios[i], .is_large = is_large};
	snprintf(label, sizeof(label), "%s: undisturbed", scenarios[i].name);
	sensor_start_over(fixture);
	prepare(&torture);
	learn(&torture);
	disturb_each(&torture, FAIL_CALL, torture.calls, FAKE_CALL_ERRORS);
	disturb_each(&torture, FAIL_CALLS, torture.calls, FAKE_CALL_ERRORS);
	disturb_each(&torture, FAIL_WRITE, torture.writes, TORTURE_WRITE_ERRORS);
	disturb_each(&torture, FAIL_WRITES, torture.writes, TORTURE_WRITE_ERRORS);
	disturb_each(&torture, FAIL_READ, torture.turns, 1);
	disturb_each(&torture, CANCEL, torture.turns, 1);
	print_message("%s: %zu calls, %zu writes, %zu turns: %zu runs\n", scenarios[i].name,
		torture.calls, torture.writes, torture.turns, torture.runs);
	forget(&torture);
}

static void every_cycle_survives_trouble_at_every_place(void **state)
{
	for (size_t i = 0; i < scenario_count; i++)
		torture_scenario(*state, i, false);
}

/* Accounts and certificates that take more than one write of the tree and of an account that left. */
static void large_cycle_survives_trouble_at_every_place(void **state)
{
	if (!is_long())
		skip();
	torture_scenario(*state, 1, true);
	torture_scenario(*state, 5, true);
}

static int tear_down(void **state)
{
	if (label[0] != '\0')
		fprintf(stderr, "while: %s\n", label);
	label[0] = '\0';
	return sensor_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_cycle_survives_trouble_at_every_place, sensor_set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			large_cycle_survives_trouble_at_every_place, sensor_set_up, tear_down),
	};
	/* Thousands of commits, none of which has to survive this machine. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
