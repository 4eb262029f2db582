/* acmsensor metrics: the daemon's metrics as they are. */
#include <stdio.h>

#include "base/err.h"
#include "base/openmetrics.h"
#include "cli/cli.h"
#include "cli/source.h"
#include "sensor/local_api.h"

enum { METRICS_TIMEOUT_S = 30 };

int command_metrics(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	const char *accept =
		args_has(args, "classic") ? OPENMETRICS_CLASSIC_TYPE : OPENMETRICS_CONTENT_TYPE;
	if (source_text(cli, LOCAL_API_METRICS, accept, METRICS_TIMEOUT_S, stdout, &err) != 0)
		return cli_fail(&err);
	return EXIT_DONE;
}
