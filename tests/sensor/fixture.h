/*
 * What the flow tests of sensor/ share: a real store in a folder of its own, a small organization,
 * a connector's configuration from text, and looks into the store. Tests: sensor_set_up and
 * sensor_tear_down, which checks that nothing is left waiting.
 */
#ifndef TESTS_SENSOR_FIXTURE_H
#define TESTS_SENSOR_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sensor/config.h"
#include "sensor/overlap.h"
#include "store/coverage.h"
#include "tests/lib/fake_org.h"

enum { NOW_S = 1795219200, HOUR_S = 3600, DAY_S = 86400 };

#define SENSOR_TEST(name) cmocka_unit_test_setup_teardown(name, sensor_set_up, sensor_tear_down)
#define HUB		  FAKE_ORG_HUB
#define SHOP		  "222222222222"
#define BANK		  "333333333333"

struct fixture {
	char *folder;
	struct loop *loop;
	struct aws *aws;
	struct aws_client *hub;
	struct store *store;
	struct fake_org org;
	struct config *config;
	const struct config_connector *connector; /* the last one of config */
	struct overlap overlap;			  /* of those before it */
};

/* The organization: the hub, "shop" and "bank". The configuration: [connector prod], interval 24h,
 * import all. */
int sensor_set_up(void **state);
int sensor_tear_down(void **state);
/* An empty store in place of the one there is, and the clock at NOW_S. */
void sensor_start_over(struct fixture *fixture);

/* Replaces the configuration; text: sections as in a file. */
void use_config(struct fixture *fixture, const char *text);
struct config *config_of_text(const struct fixture *fixture, const char *text);

/* "111111111111 eu-west-1 ok 2" a line each, in order; of a connector, NULL: of all, then with its
 * name in front. Expected text may be compared as a whole. */
void expect_coverage(struct fixture *fixture, const char *connector, const char *expected);
/* "connector account state": accounts. */
void expect_accounts(struct fixture *fixture, const char *expected);
/* "account region c0[ gone]": certificates. */
void expect_certificates(struct fixture *fixture, const char *expected);
/* "kind account region detail" after a sequence, of all but those of certificates. */
void expect_events(struct fixture *fixture, uint64_t after, const char *expected);
uint64_t last_event(struct fixture *fixture);
struct coverage_record read_coverage(
	struct fixture *fixture, const char *account_id, const char *region);

/* One write at once. */
void put_coverage(struct fixture *fixture, const struct coverage_record *record);

/* Calls since the last reset of the counter. */
void reset_calls(struct fixture *fixture);
size_t calls_of(const char *account_id, const char *operation);

#endif
