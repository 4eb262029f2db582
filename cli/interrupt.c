/* Ctrl-C while the CLI waits (see interrupt.h). */
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

#include "base/err.h"

#define INTERRUPTED "interrupted"

/* The only thing that a signal handler can reach. */
static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
	(void)number;
	is_interrupted = 1;
}

static void set_handler(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART: poll returns */
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void interrupt_catch(void)
{
	is_interrupted = 0;
	set_handler(on_signal);
}

bool interrupt_came(void)
{
	return is_interrupted != 0;
}

void interrupt_release(void)
{
	set_handler(SIG_DFL);
	is_interrupted = 0;
}

int interrupt_fail(const char *text, struct err *err)
{
	err_set(err, ERR_STOPPED, "%s", text);
	return err_set_code(err, INTERRUPTED);
}

bool interrupt_is(const struct err *err)
{
	return err->kind == ERR_STOPPED && strcmp(err->code, INTERRUPTED) == 0;
}
