/* acmsensor apply: carries out a plan as a job of the daemon. */
#include "cli/cli.h"
#include "cli/job.h"
#include "sensor/local_api.h"

int command_apply(struct cli *cli, const struct args *args)
{
	return job_order(cli, LOCAL_API_APPLY, job_order_body("plan", args->positional[0]),
		args_has(args, "wait"));
}
