/* A configuration file in a folder of its own, which a test writes and loads. */
#ifndef TESTS_SENSOR_CONFIG_FIXTURE_H
#define TESTS_SENSOR_CONFIG_FIXTURE_H

#include "sensor/config.h"

struct config_fixture {
	char *folder, *file; /* owned */
};

#define CONFIG_TEST(name)                                                                          \
	cmocka_unit_test_setup_teardown(name, config_fixture_set_up, config_fixture_tear_down)

int config_fixture_set_up(void **state);
int config_fixture_tear_down(void **state);

void config_fixture_write(const char *path, const char *text);
void config_fixture_drop_in(
	const struct config_fixture *fixture, const char *name, const char *text);
/* The file with this text, which must be right. Owned. */
struct config *config_fixture_load(const struct config_fixture *fixture, const char *text);
/* The first problem, behind "FILE:". */
void config_fixture_refuse(
	const struct config_fixture *fixture, const char *text, const char *expected);

#endif
