/* See planner_fixture.h. */
#include "tests/delivery/planner_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "store/vault.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/read_file.h"

const char *planner_leaf = "rsa-2048", *planner_issuer, *planner_leaf_pem;

static void on_plan(void *arg, const char *document, const struct err *err)
{
	struct planner_answer *answer = arg;
	answer->ends++;
	assert_true((document == NULL) != (err == NULL));
	text_copy(answer->document, sizeof(answer->document), document != NULL ? document : "");
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
}

void planner_decode(const char *pem, struct bundle_der *ret_der)
{
	struct err err = ERR_INIT;
	const char *at = pem, *end = pem + strlen(pem);
	assert_int_equal(x509_pem_next(&at, end, &ret_der->bytes, &ret_der->len, &err), 1);
	assert_int_equal(
		x509_facts_from_der(ret_der->bytes, ret_der->len, &ret_der->facts, &err), 0);
}

void planner_read_der(const char *name, struct bundle_der *ret_der)
{
	size_t len;
	char *pem = read_data("x509", name, ".pem", &len);
	planner_decode(pem, ret_der);
	free(pem);
}

void planner_make_bundle(struct bundle *bundle)
{
	*bundle = (struct bundle){.chain_count = 0};
	if (planner_leaf_pem != NULL)
		planner_decode(planner_leaf_pem, &bundle->leaf);
	else
		planner_read_der(planner_leaf, &bundle->leaf);
	if (planner_issuer != NULL)
		planner_read_der(planner_issuer, &bundle->chain[bundle->chain_count++]);
	bundle->leaf.facts.not_before_s = NOW_S - 86400; /* not hours behind the fixture's time */
	text_copy(bundle->key_algorithm, sizeof(bundle->key_algorithm), "RSA_2048");
	secret_set(&bundle->key_pem, NEW_KEY, strlen(NEW_KEY));
}

struct plan_make *planner_start(struct job_fixture *fixture, const struct plan_request *request,
	struct planner_answer *answer)
{
	const struct delivery_target target = job_fixture_target(fixture);
	struct plan_request own = *request;
	struct bundle bundle;
	planner_make_bundle(&bundle);
	own.bundle = &bundle;
	own.requested_by = "uid 0";
	if (own.escrow == 0)
		own.escrow = ESCROW_SENSOR;
	*answer = (struct planner_answer){.ends = 0};
	struct plan_make *make = plan_make_start(fixture->delivery, &target, &own, on_plan, answer);
	assert_int_equal(answer->ends, 0);
	assert_null(bundle.leaf.bytes); /* moved */
	return make;
}

void planner_run(struct job_fixture *fixture, const struct plan_request *request,
	struct planner_answer *answer)
{
	(void)planner_start(fixture, request, answer);
	for (int i = 0; i < 1000 && answer->ends == 0; i++)
		assert_true(fake_loop_step());
	assert_int_equal(answer->ends, 1);
}

bool planner_find_plan(struct store_txn *txn, struct plan_record *ret_plan)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	while (store_plan_next(txn, position, ret_plan)) {
		if (strcmp(ret_plan->id, PLAN_ID) != 0)
			return true;
	}
	return false;
}

void planner_expect_stored(
	struct job_fixture *fixture, enum plan_decision decision, const char *certificate_id)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	const void *der;
	size_t len;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(planner_find_plan(txn, &plan));
	if (plan.decision != decision)
		fail_msg("%s", plan.document);
	if (certificate_id != NULL)
		assert_string_equal(plan.certificate_id, certificate_id);
	assert_int_equal(plan.expires_s, NOW_S + PLAN_LIFE_S);
	assert_true(store_pem_get(txn, plan.leaf_sha256, &der, &len));
	bool is_sealed = decision != PLAN_REFUSE && plan.escrow == ESCROW_SENSOR;
	assert_int_equal(store_vault_has(txn, plan.id), is_sealed);
	store_read_end(txn);
}

void planner_expect_told(const struct planner_answer *answer, const char *wanted)
{
	const char *told = answer->err.kind != ERR_NONE ? answer->err.text : answer->document;
	if (strstr(told, wanted) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", told, wanted);
}
