/*
 * A small organization behind fake_call.h, answered from a table that a test changes between two
 * cycles: accounts below one unit, regions, and in each account-region a few certificates that are
 * not issued yet (so that they need no PEM). An account-region may be given an ACM of its own
 * (fake_acm.h), with whatever certificates a test puts there.
 *
 *   struct fake_org org;
 *   fake_org_init(&org);
 *   fake_org_add(&org, "222222222222", "shop");
 *   fake_org_install(&org);
 */
#ifndef TESTS_LIB_FAKE_ORG_H
#define TESTS_LIB_FAKE_ORG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tests/lib/fake_acm.h"

enum {
	FAKE_ORG_ACCOUNTS_MAX = 128,
	FAKE_ORG_REGIONS_MAX = 8,
	FAKE_ORG_FAULTS_MAX = 16,
	FAKE_ORG_PLACES_MAX = 32,
};

#define FAKE_ORG_HUB "111111111111" /* the management account, whose credentials these are */

struct fake_org_account {
	const char *id, *name;	/* borrowed */
	const char *state;	/* borrowed; "ACTIVE" */
	bool is_in_unit;	/* below "Shop", else below the root */
	bool is_unlisted;	/* Organizations no longer lists it, but its role answers */
	struct err role_err;	/* of AssumeRole; kind ERR_NONE: none */
	struct err regions_err; /* of both ways to list regions */
	int certificates;	/* -1: as the organization's */
};

/* Of ListCertificates, and of everything else about certificates. */
struct fake_org_fault {
	const char *account_id, *region; /* borrowed; NULL: any */
	struct err err;
};

struct fake_org {
	const char *id; /* borrowed; "o-fake" */
	struct fake_org_account account[FAKE_ORG_ACCOUNTS_MAX];
	size_t count;
	const char *region[FAKE_ORG_REGIONS_MAX]; /* borrowed */
	bool is_disabled[FAKE_ORG_REGIONS_MAX];
	size_t region_count;
	int certificates;	     /* in each account-region */
	struct err walk_err;	     /* of DescribeOrganization */
	const char *refuses_origins; /* borrowed; the region that does not know
					CertificateKeyPairOrigins; NULL: none */
	struct fake_org_fault fault[FAKE_ORG_FAULTS_MAX];
	size_t fault_count;
	struct fake_acm *place[FAKE_ORG_PLACES_MAX]; /* borrowed */
	size_t place_count;
};

/* The hub alone; eu-west-1 and us-east-1; two certificates in each account-region. */
void fake_org_init(struct fake_org *org);
struct fake_org_account *fake_org_add(struct fake_org *org, const char *id, const char *name);
void fake_org_remove(struct fake_org *org, const char *id);
void fake_org_fail(struct fake_org *org, const char *account_id, const char *region,
	enum err_kind kind, const char *code);
/* The certificates of acm's account-region are those of acm. Borrowed as long as org is used. */
void fake_org_place(struct fake_org *org, struct fake_acm *acm);
/* Borrowed until fake_call_reset or the next install. */
void fake_org_install(struct fake_org *org);

struct err fake_org_err(enum err_kind kind, const char *code);

#endif
