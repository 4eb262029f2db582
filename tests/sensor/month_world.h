/*
 * A month of an organization, hour by hour: what a script says of accounts and regions, and what a
 * fixed sequence of chance does to certificates. A month of the same number is the same each time.
 */
#ifndef TESTS_SENSOR_MONTH_WORLD_H
#define TESTS_SENSOR_MONTH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/fake_org.h"

enum {
	MONTH_HOURS = 30 * 24,
	MONTH_ACCOUNTS = 6,
	MONTH_REGIONS = 3,
	MONTH_PLACES = MONTH_ACCOUNTS * MONTH_REGIONS,
	MONTH_CERTS = 16, /* in a place, those that vanished included */
};

#define MONTH_HOME "us-east-1"
extern const char *const month_account[MONTH_ACCOUNTS]; /* the hub's first */
extern const char *const month_region[MONTH_REGIONS];

/* What fake_acm.h does not keep of its certificate of the same index. */
struct month_cert {
	char domain_name[24];
	char *pem;			   /* owned; NULL: not issued yet */
	char serial[12];		   /* lower hex; "" without pem */
	char fingerprint[2 * 32 + 1];	   /* lower hex; "" without pem */
	int64_t not_before_s, not_after_s; /* 0 without pem */
};

struct month_world {
	struct fake_org *org; /* borrowed */
	struct fake_acm place[MONTH_PLACES];
	struct month_cert cert[MONTH_PLACES][MONTH_CERTS];
	uint32_t number, dice;
	uint32_t serials; /* versions of certificates so far */
	int64_t start_s;
	int64_t pem_bytes; /* held for the PEMs above */
	size_t changes;	   /* of certificates so far */
};

/* number: which month, from 1. In other months the script begins elsewhere and meets other
 * accounts, and chance does other things. */
void month_world_init(
	struct month_world *world, struct fake_org *org, int64_t start_s, uint32_t number);
void month_world_clear(struct month_world *world);
/* The hour-th hour begins. */
void month_world_set_hour(struct month_world *world, int64_t hour);
/* Now: certificates whose end has come are EXPIRED (some two hours late). */
void month_world_settle(struct month_world *world, int64_t now_s);

#endif
