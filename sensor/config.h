/*
 * The configuration: /etc/acmsensor/acmsensor.conf and the files conf.d/NAME.conf beside it (in
 * order of name). A drop-in may set options of [sensor] again, the later one wins; a connector
 * lives in one file.
 *
 * One table (config_table.c) gives each option its section, name, type, range, unit, default and
 * help; it drives parsing, --check, --example and `acmsensor config`. Anything unknown is an error
 * with file, line and column. Immutable after load; a module copies what it keeps.
 */
#ifndef SENSOR_CONFIG_H
#define SENSOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/channel.h"
#include "alert/settings.h"
#include "base/log.h"
#include "discovery/import_policy.h"
#include "store/plans.h"

struct buf;
struct config_value;
struct err;
struct json_writer;

#define CONFIG_FILE "/etc/acmsensor/acmsensor.conf"

enum {
	CONFIG_CONNECTORS_MAX = 64,
	CONFIG_CHANNELS_MAX = 16,
	CONFIG_LIST_MAX = 10000, /* items of a list: as many accounts as AWS allows by default */
	CONFIG_NAME_MAX = 32,	 /* of a connector or channel */
};

struct config_list {
	char **item; /* owned, each owned */
	size_t count;
};

enum config_auth { CONFIG_AUTH_DEFAULT, CONFIG_AUTH_PROFILE };

/* All texts are owned and never NULL; "" where nothing is set. */
struct config_connector {
	char *name;  /* [a-z0-9][a-z0-9-]*, at most CONFIG_NAME_MAX */
	char *place; /* file:line:column of its section */
	bool is_organization;
	enum config_auth auth;
	char *profile, *region, *role_name, *external_id, *management_role_arn;
	struct config_list include_units, exclude_units, include_accounts, exclude_accounts;
	struct config_list regions; /* empty: the enabled ones */
	struct import_policy import;
	int64_t interval_s, detail_max_age_s;
	bool reimport;
	enum key_escrow key_escrow;
	char *kms_key_id;
	char *endpoint_url; /* for all services */
	char *endpoint_url_sts, *endpoint_url_organizations, *endpoint_url_account;
	char *endpoint_url_ec2, *endpoint_url_acm, *endpoint_url_secretsmanager;
	char *ca_bundle, *proxy, *no_proxy;
	int use_fips, use_dualstack; /* -1: as the environment or the profile says */
	int64_t connect_timeout_s;
	int64_t answer_timeout_s;   /* first byte; half of it is the longest pause in a body */
	struct config_value *value; /* owned; what was written, an item an option */
};

/* Where alerts are told. */
struct config_channel {
	char *place;		      /* owned; file:line:column of its section */
	struct alert_channel channel; /* owned */
	struct config_value *value;   /* owned; what was written, an item an option */
};

struct config {
	char *file; /* owned; as given */
	char *name, *data_dir, *control_socket;
	char *metrics_listen; /* "": off */
	char *vault_key_file; /* "": made in data_dir */
	int64_t plan_life_s, keep_keys_s, keep_jobs_s, keep_events_s, keep_gone_s;
	int64_t max_requests, max_open;
	enum log_level log_level;
	struct alert_settings alerts;
	struct config_connector *connector; /* owned; in order of the files */
	size_t connector_count;
	struct config_channel *channel; /* owned; in order of the files */
	size_t channel_count;
	struct config_value *value; /* owned; of [sensor] */
};

/* Reads file and its conf.d. ERR_CONFIG "file:line:column: what; what was expected": the first
 * problem. NULL then. */
struct config *config_load(const char *file, struct err *err);
void config_free(struct config *config);

/* As config_load, but hands every problem that can be found in one pass to report (text: borrowed).
 * NULL when there was any. */
typedef void config_problem_fn(void *arg, const char *text);
struct config *config_check(const char *file, config_problem_fn *report, void *arg);

/* A connector of its own, for who outlives the configuration. to: zeroed. */
void config_connector_copy(struct config_connector *to, const struct config_connector *from);
void config_connector_clear(struct config_connector *connector);
/* Whether every option is written the same way in both. */
bool config_connector_equal(const struct config_connector *a, const struct config_connector *b);

/* Every effective value with its source ("default" or file:line) as an array, for `acmsensor
 * config`: section, key, value, source, default, unit, help. */
void config_render(const struct config *config, struct json_writer *writer);

/* The option table as a commented example configuration; printed by `acmsensord --example`. */
void config_example(struct buf *to);

#endif
