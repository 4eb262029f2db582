/*
 * The regions of one account.
 *
 *   start -> WAIT_LIST -(pages)-> done
 *                |
 *                +-(refused, broken or empty)-> WAIT_EC2 -> done
 */
#include "orgscope/account_regions.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { PAGES_MAX = 100 }; /* a page holds up to 50 regions and may be empty */

enum state { WAIT_LIST, WAIT_EC2, DONE };
static const char *const state_name[] = {"WAIT_LIST", "WAIT_EC2", "DONE"};

struct account_regions {
	enum state state;
	struct aws_client *client; /* borrowed */
	char *region;		   /* owned; home region */
	struct aws_call *call;	   /* owned until it answers */
	struct region_list list;
	char *next_token; /* owned; NULL asks for the first page */
	unsigned pages;
	struct err list_err; /* why ListRegions did not do; its kind is ERR_NONE before */
	account_regions_done_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);

static void destroy(struct account_regions *regions)
{
	aws_call_cancel(regions->call);
	free(regions->region);
	free(regions->next_token);
	free(regions);
}

static void ask(struct account_regions *regions)
{
	if (regions->state == WAIT_LIST)
		regions->call = account_list_regions_start(
			regions->client, regions->region, regions->next_token, on_reply, regions);
	else
		regions->call = ec2_describe_regions_start(
			regions->client, regions->region, on_reply, regions);
}

static int check_complete(const struct region_list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->item[i].state == REGION_ENABLED)
			return 0;
	}
	return err_set(err, ERR_PROTOCOL, "the answer names no enabled region");
}

static int take_list_page(
	struct account_regions *regions, const struct aws_reply *reply, struct err *err)
{
	if (account_list_regions_take(reply, &regions->list, &regions->next_token, err) != 0)
		return -1;
	if (regions->next_token != NULL && ++regions->pages >= PAGES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d pages of regions", PAGES_MAX);
	return 0;
}

static int step(struct account_regions *regions, const struct aws_reply *reply, struct err *err)
{
	switch (regions->state) {
	case WAIT_LIST:
		if (take_list_page(regions, reply, err) != 0)
			return -1;
		if (regions->next_token != NULL)
			return 0;
		break;
	case WAIT_EC2:
		if (ec2_describe_regions_take(reply, &regions->list, err) != 0)
			return -1;
		break;
	case DONE:
		abort(); /* an answer after the end is a bug in aws_call */
	}
	if (check_complete(&regions->list, err) != 0)
		return -1;
	regions->state = DONE;
	return 0;
}

/* What would meet the next call as well: asking EC2 then only costs time. */
static bool is_about_session(enum err_kind kind)
{
	return kind == ERR_ROLE || kind == ERR_CREDENTIALS || kind == ERR_STOPPED;
}

/* Trouble that passes by itself, unlike a refusal. */
static bool is_passing(enum err_kind kind)
{
	return kind == ERR_THROTTLED || kind == ERR_UNREACHABLE || kind == ERR_TIMEOUT ||
	       kind == ERR_SERVICE;
}

/* Both ways failed: tells both. If ListRegions may work later, that is what the kind says. */
static void join(const struct err *list_err, struct err *err)
{
	struct err both = is_passing(list_err->kind) ? *list_err : *err;
	struct err text = ERR_INIT;
	/* halves, so that a long first text does not hide the second */
	err_set(&text, both.kind, "%.*s; and: %.*s", ERR_TEXT_MAX / 2 - 8, list_err->text,
		ERR_TEXT_MAX / 2 - 8, err->text);
	err_set_code(&text, both.code);
	*err = text;
}

static void fall_back(struct account_regions *regions, const struct err *err)
{
	regions->list_err = *err;
	regions->list.count = 0;
	regions->state = WAIT_EC2;
	ask(regions);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct account_regions *regions = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	regions->call = NULL;
	int rc = call_err != NULL ? -1 : step(regions, reply, &err);
	log_debug("account_regions %s state=%s rc=%d", aws_client_account(regions->client),
		state_name[regions->state], rc);
	if (rc == 0 && regions->state != DONE) {
		ask(regions);
		return;
	}
	if (rc != 0 && regions->state == WAIT_LIST && !is_about_session(err.kind)) {
		fall_back(regions, &err);
		return;
	}
	if (rc != 0 && regions->state == WAIT_EC2 && !is_about_session(err.kind))
		join(&regions->list_err, &err);
	regions->done(regions->arg, rc == 0 ? &regions->list : NULL, rc != 0 ? &err : NULL);
	destroy(regions);
}

struct account_regions *account_regions_start(
	struct aws_client *client, const char *region, account_regions_done_fn *done, void *arg)
{
	struct account_regions *regions = xcalloc(1, sizeof(*regions));
	regions->client = client;
	regions->region = xstrdup(region);
	regions->done = done;
	regions->arg = arg;
	ask(regions);
	return regions;
}

void account_regions_cancel(struct account_regions *regions)
{
	if (regions != NULL)
		destroy(regions);
}
