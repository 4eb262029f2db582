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

enum { PLAN_WARNINGS_MAX = RULES_MAX + 24, PLAN_TEXT_MAX = 512 }; /* every rule, and our own */

/* All borrowed as long as the plan is decided and rendered. */
struct plan_input {
	const char *id, *connector, *partition, *account_id, *region;
	const char *arn;	    /* to replace; NULL or "": none */
	const char *certificate_id; /* given or made */
	const char *former_arn;	    /* carried the id, and ACM has it no more; NULL or "": none */
	const char *same_arn;	    /* has this very certificate already; NULL or "": none */
	bool is_unseen;		    /* arn is of a delivery so young that it may have yet to show */
	bool is_region_unread;	    /* the connector's `regions` leaves it out */
	bool is_id_given;	    /* certificate_id, by who asks */
	bool was_read;		    /* account and region, by the connector, once */
	const char *read_problem;   /* why it cannot read them now; NULL or "": none is known */
	bool reimport_allowed;	    /* the connector's `reimport`, and no --new-arn */
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
	int64_t aws_now_s; /* as AWS reckons: ACM judges what is valid now */
};

/*
 * The name of an unconfirmed rule, or: region_unread, inventory_blind, arn_gone, key_reused,
 * same_certificate, name_lost, name_by_wildcard, wildcard_without_apex, private_names,
 * no_server_authentication, is_ca, expires_soon, shorter_validity, issuer_changed,
 * cloudfront_region, cloudfront_key_type, nlb_key_type, api_gateway_key_type, bindings_to_move,
 * tag_changed, certificate_id_changed, verify_host_not_named, memory_escrow, no_rollback,
 * no_auto_rollback.
 */
struct plan_warning {
	const char *name; /* shared static */
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

/*
 * Refused: an id that is given where nobody ever read what carries it, a confirmed rule that is
 * broken, an ARN of elsewhere or of nothing (where it is to be replaced), one that was not
 * imported, more tags than ACM keeps. What only hinders a reimport is refused too, with the advice
 * to use --new-arn: a new ARN is never chosen silently, because it moves bindings.
 */
void plan_decide(const struct plan_input *input, struct plan *ret_plan);

/* Appends one JSON object: local_api.h, "plan". */
void plan_render(const struct plan_input *input, const struct plan *plan, struct buf *to);

#endif
