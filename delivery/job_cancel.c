#include "base/err.h"
#include "delivery/delivery.h"

void job_cancel_write(struct store_txn *txn, const char *job_id, int64_t now_s)
{
	struct job_record job;
	struct err err = ERR_INIT;
	if (!store_job_get(txn, job_id, &job))
		(void)err_set(&err, ERR_NOT_FOUND, "there is no job %s", job_id);
	else if (job.state != JOB_RUNNING)
		(void)err_set(&err, ERR_REFUSED, "job %s has ended: %s", job_id,
			job_state_name(job.state));
	else if (job.may_have_imported || job.phase >= JOB_IMPORT)
		(void)err_set(&err, ERR_REFUSED,
			"job %s has gone too far to be cancelled (%s): let it end, then roll it "
			"back",
			job_id, job_phase_name(job.phase));
	if (err.kind != ERR_NONE) {
		store_txn_fail(txn, &err);
		return;
	}
	job.is_cancel_asked = true;
	job.next_attempt_s = 0;
	job.updated_s = now_s;
	store_job_put(txn, &job);
}
