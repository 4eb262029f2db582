/*
 * Finds out who we are and which accounts there are: GetCallerIdentity, then by scope either the
 * one account, or DescribeOrganization, roots, units and accounts, parent by parent.
 */
#ifndef ORGSCOPE_ORG_WALK_H
#define ORGSCOPE_ORG_WALK_H

#include "orgscope/scope.h"

struct aws_client;
struct org_walk;

struct org_walk_options {
	struct aws_client *hub;		 /* borrowed; the connector's own identity */
	const char *region;		 /* copied; home region */
	bool is_organization;		 /* false: account scope */
	const char *management_role_arn; /* copied; NULL or "": the hub itself asks Organizations */
	const char *external_id;	 /* copied; for the management role; NULL or "" */
	const char *session_name;	 /* copied */
};

/* scope: the callback may move it out (then zeroes *scope); what is left is cleared. Verdicts are
 * not set yet. err: what a call met, wrapped with the step; a partial organization is never
 * delivered. A stand-alone hub in organization scope (AWSOrganizationsNotInUseException) becomes a
 * scope of that one account. */
typedef void org_walk_done_fn(void *arg, struct scope *scope, const struct err *err);
struct org_walk *org_walk_start(
	const struct org_walk_options *options, org_walk_done_fn *done, void *arg);
void org_walk_cancel(struct org_walk *walk);

#endif
