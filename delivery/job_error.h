/* What an error means for the next step of a job. Pure. */
#ifndef DELIVERY_JOB_ERROR_H
#define DELIVERY_JOB_ERROR_H

#include <stdbool.h>

struct err;

/* May be over at the next try. */
bool job_error_passes(const struct err *err);

/* Whether AWS may have done what an import asked for, though it ended in err. */
bool job_error_is_doubt(const struct err *err);

/* ACM is busy with the certificate. source: ACM 2015-12-08, ConflictException ("Wait for the previous
 * operation to finish and try again") */
bool job_error_is_conflict(const struct err *err);

/* Whether nothing at all can be asked of ACM now. */
bool job_error_is_away(const struct err *err);

#endif
