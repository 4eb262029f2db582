/* The steps from one schema to the next. tests/lib/fake_migrations.c shows one that rewrites. */
#include "base/text.h"
#include "store/certs.h"
#include "store/delivery_internal.h"
#include "store/jobs.h"
#include "store/store_internal.h"

/* Plans, jobs and the vault: tables of their own, which are made before any step runs. */
static void add_delivery(struct store_txn *txn)
{
	(void)txn;
}

/* Alerts: the same. */
static void add_alerts(struct store_txn *txn)
{
	(void)txn;
}

/* Deliveries that failed when they may have brought their certificate are found by it, too; and the
 * vault has requests, which former versions would call damaged. */
static void index_failed_deliveries(struct store_txn *txn)
{
	char position[DELIVERY_ID_MAX + 1] = "", arn[CERT_ARN_MAX + 1];
	struct job_record job;
	while (store_job_next(txn, position, &job)) {
		if (job.state != JOB_FAILED || !job_is_delivery(&job))
			continue;
		(void)text_copy(arn, sizeof(arn), job.arn); /* what is read dies with a change */
		job.arn = arn;
		job.id = position;
		job_index_add(txn, &job);
	}
}

const struct migration migrations[] = {
	{.from = 1, .to = 2, .run = add_delivery},
	{.from = 2, .to = 3, .run = add_alerts},
	{.from = 3, .to = 4, .run = index_failed_deliveries},
	{.from = 0, .to = 0, .run = NULL},
};
