/*
 * A plan that is made, on the world of job_fixture.h: for a leaf of the test data whose key is
 * NEW_KEY (nobody looks into it here).
 */
#ifndef TESTS_DELIVERY_PLANNER_FIXTURE_H
#define TESTS_DELIVERY_PLANNER_FIXTURE_H

#include "base/err.h"
#include "delivery/bundle.h"
#include "delivery/delivery.h"
#include "delivery/plan.h"
#include "tests/delivery/job_fixture.h"

/* Which leaf: a name in the test data, or planner_leaf_pem unless that is NULL. A test that changes
 * them changes them back. */
extern const char *planner_leaf, *planner_issuer; /* issuer NULL: no chain */
extern const char *planner_leaf_pem;

struct planner_answer {
	int ends;
	char document[PLAN_DOCUMENT_MAX];
	struct err err;
};

/* request: bundle and requested_by are the fixture's; escrow 0: the sensor. */
struct plan_make *planner_start(struct job_fixture *fixture, const struct plan_request *request,
	struct planner_answer *answer);
/* To its end. */
void planner_run(struct job_fixture *fixture, const struct plan_request *request,
	struct planner_answer *answer);

/* The plan that is not the fixture's. */
bool planner_find_plan(struct store_txn *txn, struct plan_record *ret_plan);
/* certificate_id: NULL: any. Its key is sealed unless it refuses or the key waits elsewhere. */
void planner_expect_stored(
	struct job_fixture *fixture, enum plan_decision decision, const char *certificate_id);
/* In the document, or in the error. */
void planner_expect_told(const struct planner_answer *answer, const char *wanted);

/* Owned: facts and bytes. */
void planner_decode(const char *pem, struct bundle_der *ret_der);
void planner_read_der(const char *name, struct bundle_der *ret_der);
void planner_make_bundle(struct bundle *bundle); /* owned: bundle_clear */

#endif
