/*
 * One account in one region: list to the end, compare with the store, fetch what is new or changed,
 * write once. Reads AWS only. A scan that fails or is cancelled leaves the store as it was.
 */
#ifndef DISCOVERY_ACM_SCAN_H
#define DISCOVERY_ACM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "discovery/import_policy.h"

struct acm_scan;
struct aws_client;
struct err;
struct store;
struct store_txn;

enum {
	/* Per account and region; AWS's quota is 2,500. Ends a NextToken chain that never ends. */
	ACM_SCAN_CERTS_MAX = 20000,
	ACM_SCAN_PAGES_MAX = 2000, /* pages may be empty and still carry a token */
	/* Certificates that are asked about at once: one of so many that have to be asked about,
	 * within limits, so that all account-regions that share the slots end at about one time. */
	ACM_SCAN_DETAILS_SHARE = 6,
	ACM_SCAN_DETAILS_AT_ONCE_MIN = 4,
	ACM_SCAN_DETAILS_AT_ONCE_MAX = 16,
	ACM_SCAN_PENDING_DAYS =
		60, /* described each cycle this long before the end, if not imported */
};

struct acm_scan_result {
	int64_t listed;	 /* distinct certificates that ACM listed */
	int64_t tracked; /* of them in the store afterwards */
	int64_t appeared, changed, gone;
	int64_t described;     /* DescribeCertificate calls that answered */
	int64_t detail_failed; /* certificates kept with a mark */
	int64_t now_s;	       /* when the list was complete, by AWS's clock */
};

/* Runs inside the scan's write, after its certificates: the owner's coverage record and events. In
 * the store's thread, so it reads only what nobody changes meanwhile; may be rolled back and run
 * again, so it changes nothing but txn. */
typedef void acm_scan_write_fn(
	struct store_txn *txn, const struct acm_scan_result *result, void *arg);
typedef void acm_scan_done_fn(
	void *arg, const struct acm_scan_result *result, const struct err *err);

struct acm_scan_options {
	struct aws_client *client; /* borrowed; the account's session */
	struct store *store;	   /* borrowed */
	const char *connector, *partition, *account_id, *region; /* copied */
	struct import_policy import;
	int64_t detail_max_age_s;
	/* Borrowed, shared by the scans of a region: set when it refused
	 * CertificateKeyPairOrigins, so that nobody asks again; NULL is fine. */
	bool *lacks_origins;
	acm_scan_write_fn *also_write; /* or NULL */
	void *arg;		       /* for also_write and done */
};

/*
 * err    what ListCertificates met (kind kept); ERR_PROTOCOL: a NextToken that repeats, an ARN of
 *        another account or region; ERR_LIMIT: more pages or certificates than above; ERR_STORE*.
 *        Its text does not repeat account and region. result is NULL then.
 *
 * Failures of a single Describe, Get or tag list do not fail the scan: the certificate is kept with
 * a mark and tried again in the next one. Except those that would hit every further call:
 * ERR_UNREACHABLE, ERR_CREDENTIALS, ERR_ROLE, ERR_STOPPED.
 */
struct acm_scan *acm_scan_start(const struct acm_scan_options *options, acm_scan_done_fn *done);
void acm_scan_cancel(struct acm_scan *scan);

#endif
