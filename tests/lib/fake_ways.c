#include "tests/lib/fake_ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/loop.h"
#include "base/mail.h"
#include "base/mem.h"
#include "base/secret.h"

enum { CALLS_MAX = 64 };

struct mail {
	struct loop *loop;
};

struct mail_call {
	struct loop_timer *timer;
	mail_done_fn *done;
	void *arg;
};

struct child {
	struct loop_timer *timer;
	child_done_fn *done;
	void *arg;
};

static struct fake_way calls[CALLS_MAX];
static size_t count, pending;
static enum err_kind planned;
static int planned_code;
static char planned_said[CHILD_SAID_MAX];
static bool is_hanging;

void fake_ways_reset(void)
{
	count = pending = 0;
	is_hanging = false;
	fake_ways_plan(ERR_NONE, 0, "");
}

void fake_ways_plan(enum err_kind kind, int exit_code, const char *said)
{
	is_hanging = false;
	planned = kind;
	planned_code = exit_code;
	(void)snprintf(planned_said, sizeof(planned_said), "%s", said);
}

void fake_ways_hang(void)
{
	is_hanging = true;
}

size_t fake_ways_count(void)
{
	return count;
}

const struct fake_way *fake_ways_call(size_t i)
{
	return &calls[i];
}

size_t fake_ways_pending(void)
{
	return pending;
}

static struct fake_way *note(void)
{
	pending++;
	return &calls[count < CALLS_MAX ? count++ : CALLS_MAX - 1];
}

/* --- mail ------------------------------------------------------------------------------------- */

struct mail *mail_new(struct loop *loop, struct resolve *resolve, struct err *err)
{
	(void)resolve, (void)err;
	struct mail *mail = xcalloc(1, sizeof(*mail));
	mail->loop = loop;
	return mail;
}

void mail_free(struct mail *mail)
{
	free(mail);
}

static void on_mail(void *arg)
{
	struct mail_call *call = arg;
	struct err err = ERR_INIT;
	pending--;
	if (planned != ERR_NONE)
		(void)err_set(&err, planned, "smtp: planned");
	call->done(call->arg, planned != ERR_NONE ? &err : NULL);
	free(call);
}

struct mail_call *mail_start(
	struct mail *mail, const struct mail_message *message, mail_done_fn *done, void *arg)
{
	struct mail_call *call = xcalloc(1, sizeof(*call));
	struct fake_way *way = note();
	(void)snprintf(way->what, sizeof(way->what), "mail %s:%d %d %s/%s helo %s", message->host,
		message->port, (int)message->tls, message->user, secret_bytes(message->password),
		message->helo);
	(void)snprintf(way->text, sizeof(way->text), "%.*s", (int)message->text_len, message->text);
	way->more[0] = '\0';
	for (size_t i = 0; i < message->to_count; i++) {
		strcat(way->more, message->to[i]);
		strcat(way->more, " ");
	}
	call->done = done;
	call->arg = arg;
	if (!is_hanging)
		call->timer = loop_timer_start(mail->loop, 0, on_mail, call);
	return call;
}

void mail_cancel(struct mail_call *call)
{
	if (call == NULL)
		return;
	pending--;
	loop_timer_cancel(call->timer);
	free(call);
}

/* --- programs --------------------------------------------------------------------------------- */

static void on_child(void *arg)
{
	struct child *child = arg;
	struct err err = ERR_INIT;
	struct child_result result = {.exit_code = planned_code, .said = planned_said};
	pending--;
	if (planned != ERR_NONE)
		(void)err_set(&err, planned, "child: planned");
	child->done(child->arg, planned == ERR_NONE ? &result : NULL,
		planned != ERR_NONE ? &err : NULL);
	free(child);
}

struct child *child_start(
	struct loop *loop, const struct child_options *options, child_done_fn *done, void *arg)
{
	struct child *child = xcalloc(1, sizeof(*child));
	struct fake_way *way = note();
	(void)snprintf(way->what, sizeof(way->what), "child %s %s", options->argv[0],
		options->argv[1] != NULL ? "with arguments" : "");
	(void)snprintf(
		way->text, sizeof(way->text), "%.*s", (int)options->input_len, options->input);
	way->more[0] = '\0';
	for (size_t i = 0; options->envp[i] != NULL; i++) {
		strcat(way->more, options->envp[i]);
		strcat(way->more, "\n");
	}
	child->done = done;
	child->arg = arg;
	if (!is_hanging)
		child->timer = loop_timer_start(loop, 0, on_child, child);
	return child;
}

void child_cancel(struct child *child)
{
	if (child == NULL)
		return;
	pending--;
	loop_timer_cancel(child->timer);
	free(child);
}
