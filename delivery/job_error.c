/* Errors as a job sees them; see job_error.h. */
#include "delivery/job_error.h"

#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/err.h"

bool job_error_passes(const struct err *err)
{
	switch (err->kind) {
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_THROTTLED:
	case ERR_SERVICE:
	case ERR_CREDENTIALS:
	case ERR_PROTOCOL:
	case ERR_SYSTEM:
	case ERR_STOPPED:
	case ERR_STORE:
	case ERR_STORE_FULL:
		return true;
	case ERR_NONE:
	case ERR_CONFIG:
	case ERR_LIMIT:
	case ERR_DENIED:
	case ERR_DENIED_BY_SCP:
	case ERR_ROLE:
	case ERR_NOT_FOUND:
	case ERR_REFUSED:
		return false;
	}
	abort();
}

bool job_error_is_doubt(const struct err *err)
{
	if (strcmp(err->code, AWS_ANSWER_LOST) == 0)
		return true;
	if (strcmp(err->code, "connect") == 0)
		return false; /* no connection was made (base/http.h), however long that took */
	switch (err->kind) {
	case ERR_DENIED:
	case ERR_DENIED_BY_SCP:
	case ERR_ROLE:
	case ERR_CREDENTIALS:
	case ERR_THROTTLED:
	case ERR_REFUSED:
	case ERR_NOT_FOUND:
	case ERR_CONFIG:
	case ERR_UNREACHABLE: /* never sent, or it has the code above */
		return false;
	case ERR_NONE:
	case ERR_SYSTEM:
	case ERR_LIMIT:
	case ERR_PROTOCOL:
	case ERR_TIMEOUT:
	case ERR_SERVICE:
	case ERR_STORE:
	case ERR_STORE_FULL:
	case ERR_STOPPED:
		return true;
	}
	abort();
}

bool job_error_is_conflict(const struct err *err)
{
	return strcmp(err->code, "ConflictException") == 0;
}

bool job_error_is_away(const struct err *err)
{
	return err->kind == ERR_UNREACHABLE || err->kind == ERR_CREDENTIALS ||
	       err->kind == ERR_ROLE;
}
