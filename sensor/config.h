/*
 * The configuration: /etc/acmsensor/acmsensor.conf and conf.d/ *.conf beside it (in order of name).
 *
 * One table in config.c gives each option its section, name, type, range, unit, default and help; it
 * drives parsing, --check, `acmsensor config` and later the man page. Anything unknown is an error
 * with file, line and column. Immutable after load; a module copies what it keeps.
 */
#ifndef SENSOR_CONFIG_H
#define SENSOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "discovery/import_policy.h"

struct err;
struct json_writer;

#define CONFIG_FILE "/etc/acmsensor/acmsensor.conf"

enum { CONFIG_CONNECTORS_MAX = 64, CONFIG_LIST_MAX = 10000 };

struct config_list {
	char **item; /* owned, each owned */
	size_t count;
};

enum config_auth { CONFIG_AUTH_DEFAULT, CONFIG_AUTH_PROFILE };

struct config_connector {
	char *name; /* [a-z0-9][a-z0-9-]{0,31} */
	bool is_organization;
	enum config_auth auth;
	char *profile, *region, *role_name, *external_id, *management_role_arn;
	struct config_list include_units, exclude_units, include_accounts, exclude_accounts;
	struct config_list regions; /* empty: enabled ones */
	struct import_policy import;
	int64_t interval_s, detail_max_age_s;
	char *endpoint_url; /* for all services; "" */
	char *endpoint_url_sts, *endpoint_url_organizations, *endpoint_url_account, *endpoint_url_ec2,
		*endpoint_url_acm;
	char *ca_bundle, *proxy, *no_proxy;
	int use_fips, use_dualstack; /* -1: as the environment or profile says */
	int64_t connect_timeout_s, answer_timeout_s; /* answer: first byte; stall is half of it */
};

struct config {
	char *file;	/* owned; as given */
	char *name, *data_dir, *control_socket;
	int64_t max_requests, max_open;
	enum log_level log_level;
	struct config_connector *connector; /* owned; in order of the file */
	size_t connector_count;
	struct config_origin *origin; /* where each value came from; opaque */
	size_t origin_count;
};

/* Reads file and its conf.d. ERR_CONFIG with "file:line:column: what; what was expected". NULL then. */
struct config *config_load(const char *file, struct err *err);
void config_free(struct config *config);

/* Every effective value with its source ("default" or file:line), for `acmsensor config`. */
void config_render(const struct config *config, struct json_writer *writer);

/* The option table as a commented example configuration; printed by `acmsensord --example`. */
struct buf;
void config_example(struct buf *to);

#endif
