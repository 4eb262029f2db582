/* acmsensor cancel: stops a job before its import is sent; later the daemon refuses. */
#include "cli/cli.h"
#include "cli/job.h"
#include "sensor/local_api.h"

int command_cancel(struct cli *cli, const struct args *args)
{
	return job_order(cli, LOCAL_API_CANCEL, job_order_body("job", args->positional[0]), false);
}
