/* acmsensor delete: for ever, so a person types what it is, and a script says the ARN twice. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/arn_place.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"

enum {
	TYPED_MAX = 512, /* a domain name has at most 253 */
	DOMAIN_MAX = 256,
	NAME_SHOWN_MAX = 1024,
};

struct found {
	char domain[DOMAIN_MAX]; /* "": the inventory does not have it */
	size_t users;
};

/* Once a connector that sees the account, each as it last looked. */
static int take(void *arg, const json_t *row, struct err *err)
{
	struct found *found = arg;
	size_t users = json_array_size(row_get(row, "in_use_by"));
	(void)err;
	if (found->domain[0] == '\0')
		text_shorten(found->domain, sizeof(found->domain), row_text(row, "domain_name"));
	if (found->users < users)
		found->users = users;
	return 0;
}

/* What the inventory knows of it; that it knows nothing is no reason not to delete. */
static int look_up(const struct cli *cli, const char *arn, struct found *found, struct err *err)
{
	struct params params = {.count = 0};
	struct err look_err = ERR_INIT;
	params_add(&params, "q", arn);
	if (source_rows(cli, LIST_CERTIFICATE, &params, take, found, &look_err) == 0 ||
		look_err.kind == ERR_NOT_FOUND)
		return 0;
	*err = look_err;
	return -1;
}

static void ask(const char *arn, const struct found *found)
{
	struct buf line;
	buf_init(&line, 8 * NAME_SHOWN_MAX);
	buf_add_text(&line, "This deletes ");
	text_escape_line(&line, found->domain, strlen(found->domain), NAME_SHOWN_MAX);
	if (found->domain[0] != '\0')
		buf_add_text(&line, ", ");
	text_escape_line(&line, arn, strlen(arn), NAME_SHOWN_MAX);
	buf_add_text(&line, ", for ever.\n");
	if (found->users > 0)
		buf_addf(&line, "It was in use by %zu when it was last looked at.\n", found->users);
	if (found->domain[0] != '\0')
		buf_addf(&line,
			"Type its domain name, or the last %d characters of the ARN: ", ARN_TAIL);
	else
		buf_addf(&line, "Type the last %d characters of the ARN: ", ARN_TAIL);
	fputs(buf_text(&line), stderr);
	buf_clear(&line);
}

/* Asks for what is typed, without its line end; "" for nothing. -1: Ctrl-C, which may come as soon
 * as the question is seen. */
static int read_typed(
	const char *arn, const struct found *found, char typed[TYPED_MAX], struct err *err)
{
	interrupt_catch();
	ask(arn, found);
	bool is_there = !interrupt_came() && fgets(typed, TYPED_MAX, stdin) != NULL;
	bool is_interrupted = interrupt_came();
	interrupt_release();
	if (!is_there)
		typed[0] = '\0';
	if (strchr(typed, '\n') == NULL)
		fputc('\n', stderr); /* the cursor is still behind the question */
	typed[strcspn(typed, "\r\n")] = '\0';
	return is_interrupted ? interrupt_fail("interrupted; nothing was deleted", err) : 0;
}

/* 0; -1 with err when what was typed is neither. */
static int confirm(const struct cli *cli, const char *arn, struct err *err)
{
	char typed[TYPED_MAX] = "";
	struct found found = {.domain = ""};
	if (look_up(cli, arn, &found, err) != 0)
		return -1;
	if (read_typed(arn, &found, typed, err) != 0)
		return -1;
	if (strcmp(typed, arn_tail(arn)) == 0 ||
		(found.domain[0] != '\0' && text_equal_ci(typed, found.domain)))
		return 0;
	return err_set(err, ERR_REFUSED, "nothing was deleted: what was typed is not %s",
		found.domain[0] != '\0' ? "the domain name, nor the end of the ARN"
					: "the end of the ARN");
}

static int check(const struct cli *cli, const struct args *args, struct err *err)
{
	struct arn_place ignored;
	const char *arn = args->positional[0], *yes = args_get(args, "yes");
	if (!arn_place_parse(arn, &ignored) || !text_is_utf8(arn, strlen(arn)))
		return err_set(err, ERR_CONFIG,
			"%.100s: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID", arn);
	if (yes != NULL && strcmp(yes, arn) != 0)
		return err_set(err, ERR_CONFIG,
			"nothing was deleted: --yes must repeat the ARN that is to be deleted");
	if (yes != NULL)
		return 0;
	if (isatty(STDIN_FILENO) != 1)
		return err_set(err, ERR_CONFIG,
			"nothing was deleted: without a terminal to ask at, --yes ARN must repeat "
			"the ARN");
	return confirm(cli, arn, err);
}

int command_delete(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	if (check(cli, args, &err) != 0)
		return cli_fail(&err);
	json_t *body = job_order_body("arn", args->positional[0]);
	if (args_has(args, "connector"))
		json_object_set_new(body, "connector", row_argument(args_get(args, "connector")));
	if (args_has(args, "wait-until-unused"))
		json_object_set_new(body, "wait", json_true());
	return job_order(cli, LOCAL_API_DELETE, body, args_has(args, "wait"));
}
