/* Command line: one table gives each flag its type, range, default and help. */
#ifndef TESTS_AWSSIM_OPTIONS_H
#define TESTS_AWSSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_LIST_MAX = 64 };

struct option_list {
	const char *item[OPTION_LIST_MAX]; /* borrowed from argv */
	size_t count;
};

struct options {
	/* organization */
	int64_t accounts, units, unit_depth, huge_account, seed;
	const char *regions, *partition, *management_id, *hub, *now_base;
	double certs_per_region;
	bool mixed;
	int64_t suspended, closed, pending_closure, pending_activation;
	int64_t no_role, trust_refuses, scp_region, scp_account, scp_acm, acm_denied;
	int64_t disabled_optin, lying_regions, list_regions_denied, regions_denied;
	const char *account_fields;
	bool management_has_role, account_delegation;
	/* credentials */
	const char *role_name, *management_role, *external_id, *access_key, *secret_key;
	bool base_token;
	int64_t session_seconds, max_session_seconds;
	/* behaviour */
	double rate_scale;
	int64_t latency_ms, clock_offset_s, stall_max_s, fault_seed;
	int64_t idle_close_ms, requests_per_connection;
	bool awkward_pages, refuse_origins;
	struct option_list faults;
	/* listening */
	const char *listen, *listen_tls, *listen_proxy, *control, *ready_file, *ca_file, *keys_dir;
	int64_t max_seconds;
	bool fast_ca, quiet;
};

/*
 * Fills ret_options from defaults and argv (borrowed, not changed). Returns 0 to go on, 1 after
 * --help (printed), 2 after a usage error (printed to stderr).
 */
int options_parse(int argc, char **argv, struct options *ret_options);

#endif
