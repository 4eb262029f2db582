/*
 * The decision: reimport, import as new, or refuse; with everything that a person wants to know
 * before it is done. Pure; plan_render turns it into the JSON that the CLI shows and the store
 * keeps.
 */
#ifndef DELIVERY_PLAN_H
#define DELIVERY_PLAN_H

#include "delivery/bundle.h"
#include "delivery/import_rules.h"
#include "delivery/remote.h"
#include "store/plans.h"

enum { PLAN_WARNINGS_MAX = 24, PLAN_TEXT_MAX = 512 };

struct plan_input {
	const char *id, *connector, *partition, *account_id, *region;
	const char *arn;	     /* to replace; NULL or "": none */
	const char *certificate_id;  /* given or made */
	bool reimport_allowed;	     /* the connector's `reimport`, and no --new-arn */
	const char *reimport_off_by; /* "reimport = no of connector prod", "--new-arn" */
	const struct bundle *bundle;
	const struct remote_state *remote; /* NULL without arn */
	enum key_escrow escrow;
	bool has_old_key;	   /* the vault holds the key of the certificate that is there */
	const char *old_key_until; /* RFC 3339, or "" */
	const struct acm_tag *tag; /* the operator's */
	size_t tag_count;
	const char *const *verify_host;
	size_t verify_host_count;
	bool auto_rollback;
	int64_t now_s, expires_s;
};

struct plan_warning {
	const char
		*name; /* shared static: "name_lost", "cloudfront_region", "shorter_validity" ... */
	char text[PLAN_TEXT_MAX];
};

struct plan {
	enum plan_decision decision;
	char reason[PLAN_TEXT_MAX]; /* one sentence: why that */
	struct rule_results rules;
	struct plan_warning warning[PLAN_WARNINGS_MAX];
	size_t warning_count;
	bool may_roll_back;
	char rollback_reason[PLAN_TEXT_MAX]; /* how, or why not */
};

/* Whether the certificate names that very name (case aside). */
bool plan_covers(const struct x509_facts *facts, const char *name);

void plan_decide(const struct plan_input *input, struct plan *ret_plan);

/* Appends one JSON object: local_api.h, "plan". */
void plan_render(const struct plan_input *input, const struct plan *plan, struct buf *to);

#endif
