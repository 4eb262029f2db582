/*
 * The simulated organization: units, accounts, regions, and the certificates of each account and
 * region. Everything is a function of the flags, the seed and the time base; only the control
 * port's mutations change it afterwards.
 */
#ifndef TESTS_AWSSIM_WORLD_H
#define TESTS_AWSSIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/awssim/util.h"

struct options;
struct key_pool;
struct cert_more;
struct cert_removed;

enum { REGIONS_MAX = 64, ACCOUNT_ID_LEN = 12, UUID_LEN = 36 };

struct region {
	const char *name; /* static */
	bool opt_in;
};

struct partition {
	const char *id, *dns_suffix, *dual_suffix, *global_region; /* static */
};

enum account_state { ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED, PENDING_ACTIVATION };

struct unit {
	char id[40];
	const char *name; /* static */
	int parent;	  /* index of a unit, -1: the root */
	int depth;	  /* 1: below the root */
};

/* One certificate, as compact as it can be: all else is drawn from draw (see cert.h). */
struct cert {
	uint64_t draw;
	int64_t created_s, not_before_s, not_after_s;
	int64_t issued_s;	  /* or imported; changed by renewal and reimport */
	struct cert_more *more;	  /* owned; NULL: all is drawn */
	unsigned char *signature; /* owned; kept RSA signature, NULL until first wanted */
	uint32_t uid;		  /* order and identity inside its pair */
	uint16_t signature_len;
	uint16_t kind;
	uint8_t generation;	/* of key and serial: + 1 per renewal or reimport */
	uint8_t tag_generation; /* + 1 when the tags change */
	bool in_use_flipped;
	bool is_renewed;
};

/* The certificates of one account in one region, sorted by uid. */
struct pair {
	struct cert *cert; /* owned */
	uint32_t count, cap, next_uid;
	int64_t *import_s; /* owned; when something was imported, oldest first */
	uint32_t imports, imports_cap;
	int64_t unsettled_ms; /* monotonic; until then reads may see the past */
};

struct account {
	char id[ACCOUNT_ID_LEN + 1];
	enum account_state state;
	const char *name; /* static */
	unsigned name_number;
	int unit; /* -1: the root */
	int64_t joined_s;
	bool role_missing, trust_refuses, scp_all, scp_acm, acm_denied;
	bool list_regions_denied, describe_regions_denied;
	/* One bit a region. */
	uint64_t scp_regions, disabled_regions, lying_regions;
	struct pair *pair; /* owned; one for each region of the world */
};

/* One ImportCertificate that succeeded, whatever became of its answer. */
struct import_note {
	char *arn;	      /* owned */
	char fingerprint[65]; /* SHA-256 of the leaf */
	char serial[41];
	int64_t at_s;
	bool is_reimport, has_tags;
};

/* An action that no policy of the account's role allows. */
struct denial {
	int account;	 /* -1: everywhere */
	char action[64]; /* "acm:ImportCertificate" */
};

struct world {
	const struct options *options; /* borrowed */
	const struct key_pool *keys;   /* borrowed */
	const struct partition *partition;
	uint64_t seed;
	int64_t base_s; /* now-base */
	char org_id[20], root_id[16];
	struct region region[REGIONS_MAX];
	size_t region_count;
	struct unit *unit; /* owned */
	size_t unit_count;
	struct account *account; /* owned */
	size_t account_count;
	int *account_slot; /* owned; hash table from account id to index + 1 */
	size_t account_slots;
	size_t management, hub;	      /* indexes of accounts */
	uint64_t cert_ordinal;	      /* certificates made so far; picks the kind of the next */
	struct arena arena;	      /* of cert_describe */
	struct cert_removed *removed; /* owned; lately */
	size_t removed_count;
	struct import_note *note; /* owned; in the order they came */
	size_t note_count, note_cap;
	struct denial *denial; /* owned */
	size_t denial_count;
};

/* NULL after printing what is wrong with the flags. options and keys outlive the world. */
struct world *world_new(const struct options *options, const struct key_pool *keys);
void world_free(struct world *world);

/* Index or -1. */
int world_find_account(const struct world *world, struct slice id);
int world_find_region(const struct world *world, struct slice name);
int world_find_unit(const struct world *world, struct slice id);

/* Whether the name is a region of any partition, and of which (NULL: unknown). */
const struct partition *region_partition(struct slice name);
/* Fills region[] of the world from --regions; prints and returns false on an unknown name. */
bool world_set_regions(struct world *world, const char *list);
const struct partition *partition_find(const char *id);
/* The index-th partition, NULL after the last. */
const struct partition *partition_at(size_t index);

/* Assigns the odd kinds to accounts (world_accounts.c). Prints and returns false when too many. */
bool world_make_odd(struct world *world);

bool world_denies(const struct world *world, size_t account, const char *action);
void world_deny(struct world *world, int account, const char *action);
void world_allow(struct world *world, int account, const char *action);

bool account_region_enabled(const struct account *account, size_t region);
void account_name(const struct account *account, struct out *out);
/* "o-x/r-y/ou-z/" + account id + "/" for an account, without the account for a unit. */
void unit_path_ids(const struct world *world, int unit, struct out *out);

#endif
