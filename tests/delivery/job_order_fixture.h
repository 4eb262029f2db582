/* Orders on the world of a JOB_TEST, that are taken or refused, and what was there before them. */
#ifndef TESTS_DELIVERY_JOB_ORDER_FIXTURE_H
#define TESTS_DELIVERY_JOB_ORDER_FIXTURE_H

#include "tests/delivery/job_fixture.h"
#include "tests/lib/sample_delivery.h"
#include "tests/lib/temp_store.h"

#define EARLIER "j-20261101-000000-0000000001" /* brought "old"; the fixture's */
#define OLD_ID	"p-20261101-000000-0000000001" /* its key */

/* sample_job_running where the world is, under the id of its certificate. */
struct job_record job_order_any(const char *id);
/* Of the world's store. */
void job_order_digest(unsigned char ret_digest[STORE_DIGEST_LEN]);

/* And leaves the store as it was. expected: a part of the sentence. */
void job_order_refuse(struct job_order order, enum err_kind kind, const char *expected);
void job_order_take(struct job_order order); /* must succeed; sets world.job_id */

#endif
