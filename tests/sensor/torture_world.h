/*
 * An organization whose third day has everything in it that a cycle can meet: accounts that come,
 * leave and are suspended, a region that is switched off, two pages, certificates that appear,
 * vanish, expire, are renewed, reimported, retagged, taken into use. And the cycles (scenarios)
 * that cycle_torture_test.c disturbs in it.
 */
#ifndef TESTS_SENSOR_TORTURE_WORLD_H
#define TESTS_SENSOR_TORTURE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/cycle.h"
#include "tests/lib/fake_org.h"

enum world_day {
	DAY_FIRST,  /* as the sensor finds it */
	DAY_MISSED, /* "bank" is no longer listed, for the first time */
	DAY_CHANGE, /* everything else happens */
	DAY_AFTER,  /* as before, but "old" is listed again */
};

enum {
	WORLD_PEMS_MAX = 16,
	WORLD_MORE = 70, /* accounts: more than one write of the tree takes */
};

struct torture_world {
	struct fake_acm hub, shop, bank;
	struct world_pem {
		uint32_t serial;
		char *text;    /* owned */
	} pem[WORLD_PEMS_MAX]; /* made once, kept from day to day */
	size_t pem_count;
	char more[WORLD_MORE][13]; /* ids */
};

/* Fills org and makes it as it is on that day. is_large: WORLD_MORE accounts more, and many
 * certificates in the one that leaves. Borrowed by org. */
void torture_world_make(
	struct torture_world *world, struct fake_org *org, enum world_day day, bool is_large);
void torture_world_clear(struct torture_world *world); /* zeroed is fine */

/* A run of a cycle that is disturbed, and what came before it. */
struct scenario {
	const char *name;
	const char *config;    /* of [connector prod] */
	const char *neighbour; /* of [connector one] before it, which runs first; NULL: none */
	size_t days_before;    /* cycles that ended well, a day apart, from DAY_FIRST on */
	enum world_day day;    /* of the run */
	enum progress_kind kind;
	bool is_by_hand;
	const char *account_id, *region; /* "": all */
	bool is_continued;		 /* the run goes on with a cycle that was interrupted */
	bool has_scope;			 /* a catch-up that need not walk */
	size_t pairs_max;
	/* Trouble that the world makes anyway; "" and ERR_NONE: none. */
	const char *trouble_account, *trouble_region;
	enum err_kind trouble_kind;
	const char *trouble_code;
	bool trouble_came_before;      /* in the last cycle before the run, not in the run */
	const char *role_lost_account; /* cannot be assumed in the last cycle before; "" */
};
extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
