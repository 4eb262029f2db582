/* acmsensor plan: what a delivery would do, before anything is done. */
#include <string.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/plan_order.h"
#include "cli/plan_show.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum { TRIES_MAX = 3 /* at a passphrase, as other programs allow */ };

static int post_once(const struct cli *cli, const struct plan_order *order, json_t **ret_document,
	struct err *err)
{
	struct buf body;
	buf_init_secret(&body, LOCAL_API_BODY_MAX);
	plan_order_write(order, &body);
	int rc = buf_check(&body, "the request, certificate and chain in it,", err);
	if (rc == 0)
		rc = source_post_secret(cli, LOCAL_API_PLAN, &body, ret_document, err);
	else
		err->kind = ERR_CONFIG; /* the files are what a person must change */
	buf_clear(&body);
	return rc;
}

/* Only the daemon reads keys, so it is its answer that tells that a passphrase is needed. */
static int post(
	const struct cli *cli, struct plan_order *order, json_t **ret_document, struct err *err)
{
	for (int tries = 0;; tries++) {
		if (post_once(cli, order, ret_document, err) == 0)
			return 0;
		if (strcmp(err->code, "passphrase") != 0 || tries == TRIES_MAX ||
			args_has(order->args, "passphrase-file"))
			return -1;
		if (tries > 0)
			cli_note("%s", err->text);
		buf_reset(&order->passphrase);
		if (files_ask_passphrase("Passphrase of the key: ", &order->passphrase, err) != 0)
			return -1;
	}
}

static int exit_code(const json_t *plan)
{
	const char *decision = row_text(plan, "decision");
	if (strcmp(decision, "reimport") != 0 && strcmp(decision, "import") != 0)
		return EXIT_FAILED;
	return json_array_size(row_get(plan, "warnings")) > 0 ? EXIT_WARNINGS : EXIT_DONE;
}

int command_plan(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	struct plan_order order;
	json_t *document = NULL;
	if (plan_order_check(args, &err) != 0)
		return cli_fail(&err);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a key passes through: no core, no debugger */
	plan_order_init(&order, args);
	int rc = plan_order_read(&order, &err);
	if (rc == 0)
		rc = post(cli, &order, &document, &err);
	plan_order_clear(&order);
	if (rc == 0 && !json_is_object(row_get(document, "plan")))
		rc = err_set(&err, ERR_PROTOCOL, "answer of the daemon: there is no plan in it");
	int code = rc == 0 ? exit_code(row_get(document, "plan")) : cli_fail(&err);
	if (rc == 0)
		output_object(cli, document, "plan", plan_show);
	json_decref(document);
	return code;
}
