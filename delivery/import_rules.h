/*
 * ACM's rules for an import and for a reimport under the same ARN, foreseen here so that nobody
 * learns them from a failed call. Pure. source: facts.md 2.6, 3.1, 3.4
 */
#ifndef DELIVERY_IMPORT_RULES_H
#define DELIVERY_IMPORT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/x509.h"

enum rule_verdict {
	RULE_PASSED,
	RULE_BROKEN,	  /* confirmed: AWS refuses */
	RULE_UNCONFIRMED, /* AWS may refuse, or it is not known: a warning */
};

enum { RULES_MAX = 24, RULE_TEXT_MAX = 512 };

/*
 * Of any import: version, key_type, signature_algorithm, issuer_key_type, issuer_named, valid_now,
 * has_name, ocsp_url, chain_given; with a chain: chain_order, chain_valid_now. Of a reimport:
 * imported, status; and same_key_type, names_overlap, key_usage_kept, key_usage_not_added,
 * ext_key_usage_kept, ext_key_usage_not_added, or in their place current_known.
 */
struct rule_result {
	const char *name; /* shared static */
	enum rule_verdict verdict;
	char text[RULE_TEXT_MAX]; /* one sentence with the values compared */
};
struct rule_results {
	struct rule_result item[RULES_MAX];
	size_t count;
};

/* What a reimport replaces: from Describe (type) and the PEM that Get gave. */
struct rule_old {
	const char *type; /* IMPORTED, AMAZON_ISSUED, PRIVATE */
	const char *status;
	const struct x509_facts *facts; /* NULL: no PEM could be had */
};

/* Whether ACM takes keys of that type at all, by its name in x509_facts. */
bool import_rules_take_key(const char *key_algorithm);

/* Appended. Signatures are not looked at: delivery/bundle.h does. chain: without the leaf. */
void import_rules_new(const struct x509_facts *leaf, const struct x509_facts *const *chain,
	size_t chain_count, int64_t now_s, struct rule_results *results);
/* Appended to the ones above. */
void import_rules_replace(
	const struct rule_old *old, const struct x509_facts *leaf, struct rule_results *results);

/* RULE_BROKEN if any is, else RULE_UNCONFIRMED if any is. */
enum rule_verdict rule_results_verdict(const struct rule_results *results);

/* The sentence of the first broken one from that on, for use inside of another sentence; cut to
 * size, and it says when there are more. false: none is broken, ret is untouched. */
bool rule_results_tell_broken(
	const struct rule_results *results, size_t from, char *ret, size_t size);

#endif
