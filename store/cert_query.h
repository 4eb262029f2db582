/*
 * The inventory's filters and orders. A query picks the index that touches the fewest records
 * (fingerprint, domain, expiry, region, then all) and checks the rest on each record, in place.
 *
 * A walk is resumable: cert_query_next runs inside one read transaction, the walk's position
 * outlives it, so that 100,000 rows stream in slices while the loop serves others. What is written
 * between two slices neither hides a certificate nor shows it twice; see cert_query_next.
 */
#ifndef STORE_CERT_QUERY_H
#define STORE_CERT_QUERY_H

#include "store/certs.h"

enum { CERT_COUNT_POSITION_MAX = 511 };

enum cert_sort {
	CERT_SORT_EXPIRES, /* soonest first, those without NotAfter last; the default */
	CERT_SORT_DOMAIN,
	CERT_SORT_ACCOUNT, /* account, region, domain */
	CERT_SORT_REGION,
	CERT_SORT_STATUS,
	CERT_SORT_TYPE,
	CERT_SORT_FIRST_SEEN, /* newest first */
	CERT_SORT_ARN,
};

struct cert_filter {
	const char *connector, *account_id, *region; /* NULL: any */
	const char *status; /* AWS's, any case; EXPIRED also finds those whose NotAfter passed */
	const char *type;   /* IMPORTED, AMAZON_ISSUED, PRIVATE; any case */
	const char *domain; /* every certificate that covers this name, by wildcard too */
	const char *domain_suffix; /* "example.com": itself and everything below */
	const char *tag_key;	   /* NULL: any */
	const char *tag_value;	   /* NULL: any value of tag_key */
	const char *arn;	   /* exactly this one, or NULL */
	const char *fingerprint;   /* lower hex SHA-256, or NULL */
	const char *serial;	   /* lower hex, or NULL */
	int64_t expires_before_s;  /* NotAfter <= this and given; 0: any */
	int64_t expires_after_s;   /* NotAfter > this; 0: any */
	int in_use;		   /* -1: any, 0, 1 */
	bool include_gone;	   /* also those that ACM no longer lists */
	int64_t now_s;		   /* for the computed expiry */
};

struct cert_query; /* owned by whoever made it */

/* Copies the filter's texts; domains may be internationalized and in any case. ERR_CONFIG: a filter
 * value that can match nothing by its form. */
struct cert_query *cert_query_new(
	const struct cert_filter *filter, enum cert_sort sort, struct err *err);
void cert_query_free(struct cert_query *query);
bool cert_sort_parse(const char *text, enum cert_sort *ret_sort);

/*
 * The next match, or false at the end, or when scanned_max (above 0) entries, of events too, were
 * looked at without one; *ret_is_end tells which.
 *
 * What matches in the first call's transaction and in the last one's comes exactly once, whatever
 * was written between; what matches only in one of them may come, once. A record is given as it is
 * in its call's transaction. Whom the order passed because of such writes comes behind the others,
 * out of order; within one transaction there is none. This rests on events: see store_cert_put.
 *
 * limits: of what was given a hash is kept until the query is freed (struct arn_set in
 * cert_query_internal.h: 11 to 22 bytes, and the chance of taking one for another). For an order
 * without an index all matches are collected first, over as many calls as scanned_max makes it, as
 * keys alone (about 150 bytes a match, and for each event that names one). The end comes in the
 * first call that has looked at all events of its transaction. A transaction that has failed ends
 * the walk: ask store_txn_check.
 */
bool cert_query_next(struct cert_query *query, struct store_txn *txn, size_t scanned_max,
	struct cert_record *ret_record, bool *ret_is_end);

/* Records looked at so far: `--expires 30d` must touch only the matching ones. */
size_t cert_query_scanned(const struct cert_query *query);

/* Pure: does the record match (the index's part included)? */
bool cert_filter_matches(const struct cert_filter *filter, const struct cert_record *record);
/* RFC 6125: a wildcard covers exactly one label. Case-insensitive. */
bool cert_name_covers(const char *pattern, const char *host);

enum { CERT_LIFE_BOUNDS = 9 };
/* In days: what a certificate has left, as buckets; the first is for those that have ended. */
extern const int cert_life_days[CERT_LIFE_BOUNDS];

/* Certificates with a NotAfter by what they have left, which is 0 for those that have ended. */
struct cert_life {
	int64_t bucket[CERT_LIFE_BOUNDS + 1]; /* each alone */
	int64_t sum_s;
};

/* Counts for `status` and the metrics. Those that are gone count only as that. Issued, expired
 * (status or NotAfter), pending and other make total. */
struct cert_counts {
	int64_t total, issued, expired, pending, other;
	int64_t in_use, imported;
	int64_t expires_in_days[5];	/* not expired yet: within 7, 14, 30, 45, 90 days */
	int64_t in_use_not_renewing_30; /* in use, not eligible for renewal, ends within 30 days */
	int64_t detail_failed;
	int64_t gone;
	struct cert_life life[2][2]; /* [in use][ACM renews it] */
};

/* One pass over the expiry index alone (100,000: 20 ms), in slices. Zeroed but for now_s to begin.
 * Each slice has a read transaction of its own, so what moves meanwhile may count twice or not. */
struct cert_count {
	int64_t now_s;
	struct cert_counts counts;
	unsigned char position[CERT_COUNT_POSITION_MAX];
	size_t position_len;
};
/* Goes on until about that moment (clock_mono_us). Returns whether it is complete, also when txn
 * has failed. */
bool store_cert_count_slice(struct store_txn *txn, struct cert_count *count, int64_t until_us);
/* All at once. */
void store_cert_count(struct store_txn *txn, int64_t now_s, struct cert_counts *ret_counts);

#endif
