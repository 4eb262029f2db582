/* acmsensor log: the daemon's last log lines and its level; another level for a while. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"

enum { LOG_TIMEOUT_S = 10 };

/* Results on stdout are the lines alone, so that they can be piped. */
static void print_lines(const struct cli *cli, const json_t *log)
{
	size_t i;
	const json_t *line;
	(void)cli;
	struct buf shown;
	buf_init(&shown, 4 * (LOG_LINE_MAX + 1)); /* escaping */
	json_array_foreach(row_get(log, "lines"), i, line)
	{
		buf_reset(&shown);
		text_escape_line(
			&shown, json_string_value(line), json_string_length(line), LOG_LINE_MAX);
		printf("%s\n", buf_text(&shown));
	}
	buf_clear(&shown);
}

static void tell_level(const json_t *log)
{
	const char *until = row_text(log, "until");
	if (until[0] == '\0')
		cli_note("the level is %s", row_text(log, "level"));
	else
		cli_note("the level is %s until %s, then %s", row_text(log, "level"), until,
			row_text(log, "configured"));
}

static int show(struct cli *cli, struct err *err)
{
	json_t *document = NULL;
	if (source_get(cli, LOCAL_API_LOG, NULL, LOG_TIMEOUT_S, &document, err) != 0)
		return -1;
	output_object(cli, document, "log", print_lines);
	if (cli->output != OUTPUT_JSON)
		tell_level(row_get(document, "log"));
	json_decref(document);
	return 0;
}

static int set(struct cli *cli, const char *level, const char *for_text, struct err *err)
{
	json_t *document = NULL, *body = json_object();
	int64_t for_s = 0;
	int rc = for_text != NULL ? text_parse_duration(for_text, &for_s, err) : 0;
	if (rc != 0) {
		err_wrap(err, "--for");
	} else {
		json_object_set_new(body, "level", row_argument(level));
		if (for_text != NULL)
			json_object_set_new(body, "for_s", json_integer(for_s));
		rc = source_post(cli, LOCAL_API_LOG, body, &document, err);
	}
	json_decref(body);
	if (rc == 0)
		tell_level(row_get(document, "log"));
	json_decref(document);
	return rc;
}

int command_log(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	const char *level = args->positional[0], *for_text = args_get(args, "for");
	if (level == NULL && for_text != NULL)
		err_set(&err, ERR_CONFIG, "--for needs a level: acmsensor log debug --for 10m");
	else if (level != NULL && cli->output != OUTPUT_TABLE && cli->output != OUTPUT_WIDE)
		err_set(&err, ERR_CONFIG, "-o: a change of the level prints nothing");
	else if ((level == NULL ? show(cli, &err) : set(cli, level, for_text, &err)) == 0)
		return EXIT_DONE;
	return cli_fail(&err);
}
