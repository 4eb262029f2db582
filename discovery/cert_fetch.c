/*
 * One certificate.
 *
 *   start -> WAIT_DETAIL -> WAIT_PEM -> WAIT_TAGS -> DONE
 *                 |             ^
 *                 +--> DONE     +-- left out when there can be no PEM
 *               (CHANGE_DESCRIBE, and no new version)
 *
 * A step that has failed too often for others is passed over with the error that they met.
 */
#include "discovery/cert_fetch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum state { WAIT_DETAIL, WAIT_PEM, WAIT_TAGS, DONE };
static const char *const state_name[] = {"WAIT_DETAIL", "WAIT_PEM", "WAIT_TAGS", "DONE"};

struct cert_fetch {
	enum state state;
	struct aws_client *client;   /* borrowed */
	char *region, *arn, *serial; /* owned */
	char status[32];
	enum change change;
	int64_t not_after_s;
	struct cert_fetch_trouble *trouble; /* borrowed */
	struct aws_call *call;		    /* owned until it answers */
	struct cert_fetched fetched;
	cert_fetch_done_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);

void cert_fetched_clear(struct cert_fetched *fetched)
{
	acm_detail_clear(&fetched->detail);
	cert_der_clear(&fetched->leaf);
	x509_facts_clear(&fetched->facts);
	cert_chain_clear(&fetched->chain);
	acm_tag_list_clear(&fetched->tags);
	*fetched = (struct cert_fetched){.has_detail = false};
}

static void destroy(struct cert_fetch *fetch)
{
	aws_call_cancel(fetch->call);
	cert_fetched_clear(&fetch->fetched);
	free(fetch->region);
	free(fetch->arn);
	free(fetch->serial);
	free(fetch);
}

/* --- errors of a step ------------------------------------------------------------------------- */

static void note_error(struct cert_fetched *fetched, const char *text)
{
	char both[2 * CERT_FETCH_ERROR_MAX];
	snprintf(both, sizeof(both), "%s%s%s", fetched->error,
		fetched->error[0] != '\0' ? "; " : "", text);
	text_shorten(fetched->error, sizeof(fetched->error), both);
}

static bool is_fatal(enum err_kind kind)
{
	return kind == ERR_UNREACHABLE || kind == ERR_CREDENTIALS || kind == ERR_ROLE ||
	       kind == ERR_STOPPED;
}

/* Not about this one certificate: the next is likely to meet it as well. */
static bool is_trouble(enum err_kind kind)
{
	return kind == ERR_DENIED || kind == ERR_DENIED_BY_SCP || kind == ERR_THROTTLED ||
	       kind == ERR_TIMEOUT || kind == ERR_SERVICE;
}

static bool is_given_up(const struct cert_fetch_trouble *trouble, enum cert_fetch_step step)
{
	return trouble->step[step].in_row >= CERT_FETCH_TROUBLE_MAX;
}

static enum cert_fetch_step step_of(enum state state)
{
	assert(state < DONE);
	return (enum cert_fetch_step)state;
}

static void learn(struct cert_fetch *fetch, const struct err *err)
{
	enum cert_fetch_step step = step_of(fetch->state);
	if (err == NULL) {
		fetch->trouble->step[step].in_row = 0;
	} else if (is_trouble(err->kind)) {
		fetch->trouble->step[step].in_row++;
		fetch->trouble->step[step].err = *err;
	}
}

/* --- the flow --------------------------------------------------------------------------------- */

static bool may_have_pem(const struct cert_fetch *fetch)
{
	const struct acm_detail *detail = &fetch->fetched.detail;
	bool is_told = fetch->fetched.has_detail && detail->status[0] != '\0';
	return change_may_have_pem(is_told ? detail->status : fetch->status);
}

/* Whether Describe was all that is needed. */
static bool is_enough(const struct cert_fetch *fetch)
{
	if (fetch->change == CHANGE_ALL)
		return false;
	return !fetch->fetched.has_detail ||
	       !change_is_new_version(&fetch->fetched.detail, fetch->serial, fetch->not_after_s);
}

static enum state next_state(const struct cert_fetch *fetch)
{
	switch (fetch->state) {
	case WAIT_DETAIL:
		if (is_enough(fetch))
			return DONE;
		return may_have_pem(fetch) ? WAIT_PEM : WAIT_TAGS;
	case WAIT_PEM:
		return WAIT_TAGS;
	case WAIT_TAGS:
	case DONE:
		return DONE;
	}
	abort();
}

static void pass_over_given_up(struct cert_fetch *fetch)
{
	while (fetch->state != DONE && is_given_up(fetch->trouble, step_of(fetch->state))) {
		note_error(&fetch->fetched, fetch->trouble->step[step_of(fetch->state)].err.text);
		fetch->state = next_state(fetch);
	}
}

/* Starts what the state waits for. */
static void ask(struct cert_fetch *fetch)
{
	pass_over_given_up(fetch);
	switch (fetch->state) {
	case WAIT_DETAIL:
		fetch->call = acm_describe_certificate_start(
			fetch->client, fetch->region, fetch->arn, on_reply, fetch);
		return;
	case WAIT_PEM:
		fetch->call = acm_get_certificate_start(
			fetch->client, fetch->region, fetch->arn, on_reply, fetch);
		return;
	case WAIT_TAGS:
		fetch->call = acm_list_tags_start(
			fetch->client, fetch->region, fetch->arn, on_reply, fetch);
		return;
	case DONE:
		return;
	}
}

/* The PEM texts are gone when this returns; the DER stays. A broken chain leaves the leaf. */
static int take_pem(struct cert_fetched *fetched, const struct aws_reply *reply, struct err *err)
{
	struct acm_pem pem = {.certificate = NULL};
	if (acm_get_certificate_take(reply, &pem, err) != 0)
		return -1;
	int rc = cert_leaf_read(pem.certificate, &fetched->leaf, err);
	if (rc == 0)
		rc = x509_facts_from_der(
			fetched->leaf.bytes, fetched->leaf.len, &fetched->facts, err);
	if (rc != 0) {
		cert_der_clear(&fetched->leaf);
		err_wrap(err, "the certificate that GetCertificate gave");
	} else {
		fetched->has_pem = true;
		rc = cert_chain_read(pem.chain, &fetched->chain, err);
		if (rc != 0)
			err_wrap(err, "the chain that GetCertificate gave");
	}
	acm_pem_clear(&pem);
	return rc;
}

static int take_detail(struct cert_fetch *fetch, const struct aws_reply *reply, struct err *err)
{
	struct acm_detail detail;
	if (acm_describe_certificate_take(reply, &detail, err) != 0)
		return -1;
	if (strcmp(detail.arn, fetch->arn) != 0) {
		err_set(err, ERR_PROTOCOL, "DescribeCertificate told of another one, %s",
			detail.arn);
		acm_detail_clear(&detail);
		return -1;
	}
	fetch->fetched.detail = detail;
	fetch->fetched.has_detail = true;
	return 0;
}

/* Takes in the awaited answer. 0, or -1 and err. */
static int take(struct cert_fetch *fetch, const struct aws_reply *reply, struct err *err)
{
	struct cert_fetched *fetched = &fetch->fetched;
	switch (fetch->state) {
	case WAIT_DETAIL:
		return take_detail(fetch, reply, err);
	case WAIT_PEM:
		return take_pem(fetched, reply, err);
	case WAIT_TAGS:
		if (acm_list_tags_take(reply, &fetched->tags, err) != 0)
			return -1;
		fetched->has_tags = true;
		return 0;
	case DONE:
		break;
	}
	abort(); /* an answer after the end is a bug in aws_call */
}

static void finish(struct cert_fetch *fetch, const struct err *err)
{
	struct cert_fetched *fetched = &fetch->fetched;
	fetched->is_complete =
		fetched->has_detail && fetched->has_tags && fetched->error[0] == '\0';
	fetch->done(fetch->arg, err == NULL ? fetched : NULL, err);
	destroy(fetch);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct cert_fetch *fetch = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	fetch->call = NULL;
	int rc = call_err != NULL ? -1 : take(fetch, reply, &err);
	log_debug("cert_fetch %s state=%s rc=%d", fetch->arn, state_name[fetch->state], rc);
	learn(fetch, rc != 0 ? &err : NULL);
	if (rc != 0 && is_fatal(err.kind)) {
		finish(fetch, &err);
		return;
	}
	if (rc != 0)
		note_error(&fetch->fetched, err.text);
	fetch->state = next_state(fetch);
	ask(fetch);
	if (fetch->state == DONE)
		finish(fetch, NULL);
}

bool cert_fetch_is_hopeless(
	const struct cert_fetch_options *options, struct cert_fetched *ret_fetched)
{
	struct cert_fetch dry = {.change = options->change, .trouble = options->trouble};
	text_copy(dry.status, sizeof(dry.status), options->status);
	pass_over_given_up(&dry);
	if (dry.state != DONE)
		return false;
	*ret_fetched = dry.fetched; /* nothing but its error is set */
	return true;
}

struct cert_fetch *cert_fetch_start(
	const struct cert_fetch_options *options, cert_fetch_done_fn *done, void *arg)
{
	struct cert_fetch *fetch = xcalloc(1, sizeof(*fetch));
	fetch->client = options->client;
	fetch->region = xstrdup(options->region);
	fetch->arn = xstrdup(options->arn);
	fetch->serial = xstrdup(options->serial);
	text_copy(fetch->status, sizeof(fetch->status), options->status);
	fetch->change = options->change;
	fetch->not_after_s = options->not_after_s;
	fetch->trouble = options->trouble;
	fetch->done = done;
	fetch->arg = arg;
	ask(fetch);
	assert(fetch->state != DONE); /* cert_fetch_is_hopeless was asked */
	return fetch;
}

void cert_fetch_cancel(struct cert_fetch *fetch)
{
	if (fetch != NULL)
		destroy(fetch);
}
