/* A plan on facts made by hand: everything that a decision is made of, which a test changes. */
#ifndef TESTS_DELIVERY_PLAN_FIXTURE_H
#define TESTS_DELIVERY_PLAN_FIXTURE_H

#include "delivery/plan.h"
#include "tests/lib/make_facts.h"

enum {
	NOW_S = 1795219200, /* 2026-11-21T00:00:00Z */
	DAY_S = 86400,
	SIGN = X509_KU_DIGITAL_SIGNATURE,
};

#define ARN	   "arn:aws:acm:eu-west-1:111122223333:certificate/1"
#define ALB	   "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1"
#define NLB	   "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/n/1"
#define CLOUDFRONT "arn:aws:cloudfront::111122223333:distribution/E1"
#define API	   "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com"

#define SERVER_USE "TLS_WEB_SERVER_AUTHENTICATION"
#define BOTH_USES  SERVER_USE ",TLS_WEB_CLIENT_AUTHENTICATION"

struct plan_world {
	struct plan_input input;
	struct bundle bundle;
	struct remote_state remote;
	struct facts_wish old, new, ca;
	struct plan plan; /* the last one */
	char *users[4];
	const char *hosts[3];
	struct acm_tag tags[2];
};

/* A certificate that can be reimported under ARN without a warning. Static: one at a time. */
struct plan_world *plan_world(void);
/* arn: borrowed; uses what is there. */
void plan_use(struct plan_world *world, const char *arn);
/* Borrowed; on what is there, and asked for. */
void plan_tag_remote(struct plan_world *world, const char *key, const char *value);
void plan_tag_order(struct plan_world *world, const char *key, const char *value);

/* Without an ARN there is no remote state. */
const struct plan *plan_world_decide(struct plan_world *world);
void plan_expect(struct plan_world *world, enum plan_decision decision, const char *reason);
/* Exactly that warning; name NULL: none. */
void plan_expect_warning(struct plan_world *world, const char *name, const char *text);
/* That one among others. */
void plan_expect_warns(struct plan_world *world, const char *name);

#endif
