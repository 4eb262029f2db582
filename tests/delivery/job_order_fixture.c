/* See job_order_fixture.h. */
#include "tests/delivery/job_order_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct job_record job_order_any(const char *id)
{
	struct job_record job = sample_job_running(id, ACCOUNT, REGION);
	job.plan_id = "p-1";
	job.certificate_id = "shop";
	return job;
}

void job_order_digest(unsigned char ret_digest[STORE_DIGEST_LEN])
{
	temp_store_digest(world.store, ret_digest);
}

void job_order_refuse(struct job_order order, enum err_kind kind, const char *expected)
{
	struct err err = ERR_INIT;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	job_order_digest(before);
	assert_int_equal(job_fixture_order(&world, &order, &err), -1);
	job_order_digest(after);
	if (err.kind != kind || strstr(err.text, expected) == NULL)
		fail_msg("%s instead of %s", err.text, expected);
	assert_memory_equal(before, after, STORE_DIGEST_LEN);
}

void job_order_take(struct job_order order)
{
	struct err err = ERR_INIT;
	if (job_fixture_order(&world, &order, &err) != 0)
		fail_msg("%s", err.text);
}
