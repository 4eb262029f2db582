/*
 * The real client, sockets and all, against the simulated AWS, which checks every signature: an
 * organization's inventory must come out the same whatever the way to AWS and its mood are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/inventory.h"
#include "tests/lib/run_awssim.h"

#define ORGANIZATION                                                                               \
	"--accounts", "6", "--regions", "3", "--certs-per-region", "3", "--seed", "5",             \
		"--now-base", "2026-11-01T00:00:00Z", "--rate-scale", "0", "--external-id",        \
		"acm=sensor:1", "--fast-ca"

enum way { PLAIN, TLS, PROXY };

static struct inventory baseline;

static struct inventory take(const char *const *flags, enum way way)
{
	struct run_awssim *sim = run_awssim_start(flags);
	struct inventory_options options = {
		.access_key_id = run_awssim_text(sim, "access_key_id"),
		.secret_access_key = run_awssim_text(sim, "secret_access_key"),
		.session_token = run_awssim_text(sim, "session_token"),
		.role_name = run_awssim_text(sim, "role_name"),
		.external_id = run_awssim_text(sim, "external_id"),
		.region = run_awssim_text(sim, "home_region"),
		.network = {.timeouts = {.connect_ms = 5000,
				    .first_byte_ms = 500,
				    .stall_ms = 500}},
	};
	struct aws_network *network = &options.network;
	if (way != PROXY)
		snprintf(network->endpoints.overrides.all, ENDPOINT_URL_MAX, "%s",
			run_awssim_text(sim, way == TLS ? "tls_url" : "url"));
	if (way == PROXY)
		network->proxy = run_awssim_text(sim, "proxy_url");
	if (way != PLAIN)
		network->ca_bundle = run_awssim_text(sim, "ca_file");
	struct inventory inventory;
	inventory_take(&options, &inventory);
	assert_true(run_awssim_stop(sim));
	return inventory;
}

/* Says the first line that differs, not both inventories. */
static void expect_same_lines(const char *a, const char *b)
{
	while (*a != '\0' && strncmp(a, b, strcspn(a, "\n") + 1) == 0) {
		b += strcspn(a, "\n") + 1;
		a += strcspn(a, "\n") + 1;
	}
	if (*a != *b)
		fail_msg("%.*s\ninstead of\n%.*s", (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"),
			b);
}

static void expect_baseline(const char *const *flags, enum way way, struct aws_stats *ret_stats)
{
	struct inventory inventory = take(flags, way);
	assert_int_equal(inventory.failed, 0);
	assert_int_equal(inventory.certificates, baseline.certificates);
	expect_same_lines(inventory.text, baseline.text);
	if (ret_stats != NULL)
		*ret_stats = inventory.stats;
	inventory_clear(&inventory);
}

static void the_whole_organization_is_read(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, NULL};
	baseline = take(flags, PLAIN);
	assert_int_equal(baseline.failed, 0);
	assert_true(baseline.certificates > 20);
	assert_int_equal(baseline.stats.retries, 0);
	assert_int_equal(baseline.stats.calls, baseline.stats.attempts);
	printf("%lld calls, %d certificates, %lld us CPU a call\n", (long long)baseline.stats.calls,
		baseline.certificates, (long long)(baseline.cpu_us / baseline.stats.calls));
}

static void tls_and_a_proxy_make_no_difference(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, NULL};
	expect_baseline(flags, TLS, NULL);
	expect_baseline(flags, PROXY, NULL);
}

static void a_clock_twenty_minutes_off_is_corrected(void **state)
{
	(void)state;
	static const char *const ahead[] = {ORGANIZATION, "--clock-offset-s", "1200", NULL};
	static const char *const behind[] = {ORGANIZATION, "--clock-offset-s", "-1200", NULL};
	struct aws_stats stats;
	expect_baseline(ahead, PLAIN, &stats);
	assert_in_range(stats.clock_offset_s, 1197, 1203);
	expect_baseline(behind, PLAIN, &stats);
	assert_in_range(-stats.clock_offset_s, 1197, 1203);
	assert_in_range(stats.retries, 1, 64); /* those that were under way at first */
}

static void sessions_that_end_on_the_way_are_replaced(void **state)
{
	(void)state;
	static const char *const flags[] = {
		ORGANIZATION, "--session-seconds", "2", "--latency-ms", "200", NULL};
	expect_baseline(flags, PLAIN, NULL);
}

static void awkward_pages_are_read_to_the_end(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, "--awkward-pages", NULL};
	struct inventory inventory = take(flags, PLAIN);
	assert_int_equal(inventory.failed, 0);
	assert_true(inventory.certificates >= baseline.certificates); /* pages may overlap */
	inventory_clear(&inventory);
}

static void throttling_is_waited_out(void **state)
{
	(void)state;
	static const char *const flags[] = {"--accounts", "4", "--regions", "2", "--seed", "5",
		"--rate-scale", "0.5", "--fast-ca", NULL};
	struct inventory inventory = take(flags, PLAIN);
	assert_int_equal(inventory.failed, 0);
	assert_true(inventory.stats.throttles > 0);
	inventory_clear(&inventory);
}

static void half_of_all_answers_may_be_bad(void **state)
{
	(void)state;
	static const char *const flags[] = {ORGANIZATION, "--fault", "http500=0.1", "--fault",
		"http503=0.1", "--fault", "reset=0.1", "--fault", "truncate=0.1", "--fault",
		"stall=0.1", "--fault", "garbage=0.1", "--fault", "throttle=0.1", NULL};
	struct aws_stats stats;
	expect_baseline(flags, TLS, &stats);
	assert_true(stats.retries * 2 > stats.calls);
	printf("%lld calls took %lld attempts\n", (long long)stats.calls,
		(long long)stats.attempts);
}

static int clear_baseline(void **state)
{
	(void)state;
	inventory_clear(&baseline);
	return 0;
}

int main(int argc, char **argv)
{
	(void)argc;
	run_awssim_set_program(argv[0]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_organization_is_read),
		cmocka_unit_test(tls_and_a_proxy_make_no_difference),
		cmocka_unit_test(a_clock_twenty_minutes_off_is_corrected),
		cmocka_unit_test(sessions_that_end_on_the_way_are_replaced),
		cmocka_unit_test(awkward_pages_are_read_to_the_end),
		cmocka_unit_test(throttling_is_waited_out),
		cmocka_unit_test(half_of_all_answers_may_be_bad),
	};
	return cmocka_run_group_tests(tests, NULL, clear_baseline);
}
