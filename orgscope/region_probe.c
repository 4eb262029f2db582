/* One call: does the session still answer in the home region? */
#include "orgscope/region_probe.h"

#include <stdlib.h>
#include <string.h>

#include "aws/sts.h"
#include "base/err.h"
#include "base/mem.h"

struct region_probe {
	struct aws_call *call; /* owned until it answers */
	region_probe_done_fn *done;
	void *arg;
};

bool region_probe_is_needed(const struct err *err)
{
	static const char *const code[] = {"UnrecognizedClientException", "InvalidClientTokenId",
		"AuthFailure", "InvalidAccessKeyId", "InvalidToken"};
	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		if (err->kind == ERR_CREDENTIALS && strcmp(err->code, code[i]) == 0)
			return true;
	return false;
}

static bool is_refusal(enum err_kind kind)
{
	return kind == ERR_CREDENTIALS || kind == ERR_ROLE || kind == ERR_DENIED ||
	       kind == ERR_DENIED_BY_SCP;
}

static void on_identity(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct region_probe *probe = arg;
	struct sts_identity identity;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	probe->call = NULL;
	int rc = call_err != NULL ? -1 : sts_get_caller_identity_take(reply, &identity, &err);
	bool is_answered = rc == 0 || is_refusal(err.kind);
	probe->done(probe->arg, rc == 0, is_answered ? NULL : &err);
	free(probe);
}

struct region_probe *region_probe_start(
	struct aws_client *client, const char *home_region, region_probe_done_fn *done, void *arg)
{
	struct region_probe *probe = xcalloc(1, sizeof(*probe));
	probe->done = done;
	probe->arg = arg;
	probe->call = sts_get_caller_identity_start(client, home_region, on_identity, probe);
	return probe;
}

void region_probe_cancel(struct region_probe *probe)
{
	if (probe == NULL)
		return;
	aws_call_cancel(probe->call);
	free(probe);
}
