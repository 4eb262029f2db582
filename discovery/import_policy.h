/*
 * Which certificates enter the store (`import`, `import_expired`, `import_revoked`). Pure. What is
 * in the store is tracked until ACM no longer lists it, whatever the policy says.
 */
#ifndef DISCOVERY_IMPORT_POLICY_H
#define DISCOVERY_IMPORT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct acm_summary;
struct err;

enum import_mode { IMPORT_VALID, IMPORT_ALL, IMPORT_OFF };

struct import_policy {
	enum import_mode mode;
	bool has_expired;	  /* with valid: also expired ones ... */
	int64_t expired_within_s; /* ... of the last so many seconds; 0: see the range */
	/* ... whose NotAfter lies in this range (both ends included) */
	int64_t expired_from_s, expired_to_s;
	bool has_revoked;
};

/* "no", "90d", "2024-01-01..2025-06-30". ERR_CONFIG. */
int import_expired_parse(const char *text, struct import_policy *policy, struct err *err);
bool import_policy_admits(
	const struct import_policy *policy, const struct acm_summary *summary, int64_t now_s);

#endif
