/* acmsensor rollback: brings back what a delivery replaced. */
#include "cli/cli.h"
#include "cli/job.h"
#include "sensor/local_api.h"

int command_rollback(struct cli *cli, const struct args *args)
{
	return job_order(cli, LOCAL_API_ROLLBACK, job_order_body("job", args->positional[0]),
		args_has(args, "wait"));
}
