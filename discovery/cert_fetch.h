/*
 * Everything that ACM tells of one certificate: Describe, then Get where it can have a PEM, then
 * its tags. A step that fails is noted and the others go on; only what would fail every further
 * call (no connection, no session) ends the fetch with an error.
 */
#ifndef DISCOVERY_CERT_FETCH_H
#define DISCOVERY_CERT_FETCH_H

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/x509.h"
#include "discovery/cert_pem.h"
#include "discovery/change.h"

struct cert_fetch;

enum cert_fetch_step { CERT_FETCH_DETAIL, CERT_FETCH_PEM, CERT_FETCH_TAGS };

enum {
	CERT_FETCH_STEPS = CERT_FETCH_TAGS + 1,
	CERT_FETCH_ERROR_MAX = 1024,
	/* After so many certificates in a row for which a step was denied, throttled or not
	 * answered, it is not asked any more: the rest gets its error without a call. */
	CERT_FETCH_TROUBLE_MAX = 8,
};

/* What the fetches of one scan learn of a step. Zeroed at first. */
struct cert_fetch_trouble {
	struct {
		unsigned in_row;
		struct err err;
	} step[CERT_FETCH_STEPS];
};

struct cert_fetched {
	bool has_detail, has_pem, has_tags;
	bool is_complete; /* Describe, Get (if there can be a PEM) and tags were asked and told */
	struct acm_detail detail;	  /* owned */
	struct cert_der leaf;		  /* owned; with has_pem */
	struct x509_facts facts;	  /* owned; of the leaf */
	struct cert_chain chain;	  /* owned */
	struct acm_tag_list tags;	  /* owned */
	char error[CERT_FETCH_ERROR_MAX]; /* what failed, "; " between; "" */
};
void cert_fetched_clear(struct cert_fetched *fetched);

struct cert_fetch_options {
	struct aws_client *client; /* borrowed */
	const char *region, *arn;  /* copied */
	const char *status;	   /* copied; as listed */
	enum change change;	   /* CHANGE_DESCRIBE or CHANGE_ALL */
	/* CHANGE_DESCRIBE goes on to Get and tags when Describe shows another version than this. */
	const char *serial; /* copied */
	int64_t not_after_s;
	struct cert_fetch_trouble *trouble; /* borrowed until the end; read and written */
};

/* fetched: borrowed; what is moved out of it is zeroed. err: ERR_UNREACHABLE, ERR_CREDENTIALS,
 * ERR_ROLE, ERR_STOPPED. */
typedef void cert_fetch_done_fn(void *arg, struct cert_fetched *fetched, const struct err *err);

/* Whether any step would be asked. When not, *ret_fetched (to be cleared) holds the reason, and
 * there is nothing to start. */
bool cert_fetch_is_hopeless(
	const struct cert_fetch_options *options, struct cert_fetched *ret_fetched);

/* Not hopeless (asserted). */
struct cert_fetch *cert_fetch_start(
	const struct cert_fetch_options *options, cert_fetch_done_fn *done, void *arg);
void cert_fetch_cancel(struct cert_fetch *fetch);

#endif
