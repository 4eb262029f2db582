/*
 * The default chain: environment, then profile. The first place that has its configuration wins
 * and stays; one that has it and fails ends the search, because silently using another identity
 * than the one that was configured is worse than failing. source: facts.md 8.1
 */
#include <stdlib.h>
#include <string.h>

#include "aws/client_internal.h"
#include "aws/cred_internal.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum { PLACES_MAX = 2, NO_WINNER = -1 };

struct chain {
	struct cred_provider provider;
	struct loop *loop;			 /* borrowed */
	struct cred_provider *place[PLACES_MAX]; /* owned */
	int places;
	int winner; /* NO_WINNER until one gave a set */
	int at;	    /* being asked */
	struct cred_fetch fetch;
	struct buf looked; /* why nothing was found so far; one error tells of all in the end */
	cred_done_fn *done;
	void *arg;
};

static void ask(struct chain *chain, int at);

static void on_place(void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	struct chain *chain = arg;
	if (err == NULL)
		chain->winner = chain->at;
	if (err == NULL || strcmp(err->code, CRED_NOT_CONFIGURED) != 0) {
		chain->done(chain->arg, credentials, err);
		return;
	}
	buf_addf(&chain->looked, "%s%s", chain->looked.len > 0 ? "; " : "", err->text);
	if (chain->winner == NO_WINNER && chain->at + 1 < chain->places) {
		ask(chain, chain->at + 1);
		return;
	}
	struct err none = ERR_INIT;
	err_set(&none, ERR_CREDENTIALS, "no AWS credentials found: %s", buf_text(&chain->looked));
	chain->done(chain->arg, NULL, &none);
}

static void ask(struct chain *chain, int at)
{
	chain->at = at;
	cred_fetch_start(&chain->fetch, chain->loop, chain->place[at], on_place, chain);
}

static void start(struct cred_provider *provider, cred_done_fn *done, void *arg)
{
	struct chain *chain = (struct chain *)provider;
	chain->done = done;
	chain->arg = arg;
	buf_clear(&chain->looked);
	ask(chain, chain->winner != NO_WINNER ? chain->winner : 0);
}

static void cancel(struct cred_provider *provider)
{
	cred_fetch_cancel(&((struct chain *)provider)->fetch);
}

static void chain_free(struct cred_provider *provider)
{
	struct chain *chain = (struct chain *)provider;
	for (int i = 0; i < chain->places; i++)
		chain->place[i]->ops->free(chain->place[i]);
	buf_clear(&chain->looked);
	free(chain);
}

static const char *name(const struct cred_provider *provider)
{
	const struct chain *chain = (const struct chain *)provider;
	const struct cred_provider *of =
		chain->place[chain->winner != NO_WINNER ? chain->winner : 0];
	return of->ops->name(of);
}

static const struct cred_provider_ops ops = {
	.start = start, .cancel = cancel, .free = chain_free, .name = name};

struct cred_source *cred_default_new(const struct cred_options *options)
{
	const char *variable = options->getenv("AWS_PROFILE");
	bool has_variable = variable != NULL && variable[0] != '\0';
	bool has_profile = options->profile != NULL && options->profile[0] != '\0';

	struct chain *chain = xcalloc(1, sizeof(*chain));
	chain->provider.ops = &ops;
	chain->loop = options->aws->loop;
	chain->winner = NO_WINNER;
	buf_init(&chain->looked, PLACES_MAX * (size_t)ERR_TEXT_MAX);
	/* Who names a profile means it. */
	if (!has_variable && !has_profile)
		chain->place[chain->places++] = cred_environment_provider(options->getenv);
	chain->place[chain->places++] = cred_profile_provider(options->getenv, options->profile);
	return cred_source_new(options->aws, &chain->provider);
}
