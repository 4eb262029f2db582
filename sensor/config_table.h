/*
 * The option table, private to config*.c. An option is set by its set function from the text that
 * was written; the text itself is kept too, so that showing, comparing and copying need nothing
 * else.
 */
#ifndef SENSOR_CONFIG_TABLE_H
#define SENSOR_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct config_option;
struct err;

enum config_section { CONFIG_SENSOR, CONFIG_CONNECTOR, CONFIG_CHANNEL };

/*
 * base     the struct config, config_connector or alert_channel to set the option in
 * value    as written; never NULL
 * Returns 0; or -1, then either err is set, or it is not and the option's expectation says it all.
 * The old value stays then.
 */
typedef int config_set_fn(
	const struct config_option *option, void *base, const char *value, struct err *err);

/* All texts are shared static. */
struct config_option {
	enum config_section section;
	const char *name;
	config_set_fn *set;
	size_t offset; /* of the field in the section's struct */
	int64_t min, max;
	const char *unit;	   /* "" without one */
	const char *default_value; /* as it would be written */
	const char *expected;	   /* NULL: made from min and max */
	const char *help;
};

/* What was written for an option. */
struct config_value {
	char *text;   /* owned; NULL: the default */
	char *source; /* owned; "file:line"; NULL: the default */
};

extern const struct config_option config_options[];
extern const size_t config_option_count;

/* NULL when there is none. */
const struct config_option *config_option_find(enum config_section section, const char *name);
/* The name most like a misspelt one, or NULL when nothing is close. */
const char *config_option_suggest(enum config_section section, const char *name);

/* Appends "a duration from 1m to 31d" or what the table says. */
void config_option_expected(const struct config_option *option, struct buf *to);

config_set_fn config_set_text, config_set_path, config_set_name, config_set_number,
	config_set_duration, config_set_bool, config_set_escrow, config_set_switch,
	config_set_log_level, config_set_scope, config_set_auth, config_set_region,
	config_set_role_name, config_set_external_id, config_set_role_arn, config_set_units,
	config_set_accounts, config_set_regions, config_set_import, config_set_import_expired,
	config_set_url, config_set_proxy, config_set_days, config_set_channel_type,
	config_set_class, config_set_shape, config_set_tls, config_set_server, config_set_address,
	config_set_addresses, config_set_listen;

#endif
