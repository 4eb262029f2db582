/*
 * Finding a leaf.
 *
 *   start -> WAIT_PAGE -> WAIT_PEM -> WAIT_TAGS -> DONE
 *             |     ^      ^    |        |
 *             +-----+      +----+--------+ another candidate; none is left: DONE
 *             NextToken
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "delivery/delivery_internal.h"
#include "delivery/remote.h"

enum { PAGES_MAX = 1000, CERTS_MAX = 20000 };

enum state { WAIT_PAGE, WAIT_PEM, WAIT_TAGS, DONE };
static const char *const state_name[] = {"WAIT_PAGE", "WAIT_PEM", "WAIT_TAGS", "DONE"};

struct remote_find {
	enum state state;
	struct aws_client *client; /* borrowed */
	char *region;		   /* owned */
	unsigned char fingerprint[X509_SHA256_LEN];
	int64_t not_before_s, not_after_s, created_after_s;
	char *certificate_id;  /* owned */
	struct aws_call *call; /* owned until it answers */
	bool include_origins;
	int pages;
	struct acm_summary_list list; /* owned */
	char *next_token;	      /* owned */
	size_t next;		      /* of the list, to be looked at */
	bool is_found;		      /* list.item[next] */
	remote_found_fn *done;
	void *arg;
};

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err);

static void destroy(struct remote_find *find)
{
	aws_call_cancel(find->call);
	acm_summary_list_clear(&find->list);
	free(find->next_token);
	free(find->certificate_id);
	free(find->region);
	free(find);
}

static bool is_candidate(const struct remote_find *find, const struct acm_summary *cert)
{
	int64_t made_s = cert->created_s != 0 ? cert->created_s : cert->imported_s;
	return (cert->type[0] == '\0' || strcmp(cert->type, "IMPORTED") == 0) &&
	       (made_s == 0 || made_s >= find->created_after_s) &&
	       (cert->not_before_s == 0 || cert->not_before_s == find->not_before_s) &&
	       (cert->not_after_s == 0 || cert->not_after_s == find->not_after_s);
}

static void ask_page(struct remote_find *find)
{
	const struct acm_list_options options = {
		.include_origins = find->include_origins, .next_token = find->next_token};
	find->state = WAIT_PAGE;
	find->call =
		acm_list_certificates_start(find->client, find->region, &options, on_reply, find);
}

/* Asks about the next candidate from find->next on, or enters DONE. */
static void ask_candidate(struct remote_find *find)
{
	while (find->next < find->list.count && !is_candidate(find, &find->list.item[find->next]))
		find->next++;
	find->state = find->next < find->list.count ? WAIT_PEM : DONE;
	if (find->state == WAIT_PEM)
		find->call = acm_get_certificate_start(find->client, find->region,
			find->list.item[find->next].arn, on_reply, find);
}

static int take_page(struct remote_find *find, const struct aws_reply *reply, struct err *err)
{
	if (acm_list_certificates_take(reply, &find->list, &find->next_token, err) != 0)
		return -1;
	if (++find->pages > PAGES_MAX || find->list.count > CERTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d pages or %d certificates", PAGES_MAX,
			CERTS_MAX);
	if (find->next_token != NULL)
		ask_page(find);
	else
		ask_candidate(find);
	return 0;
}

static int take_pem(struct remote_find *find, const struct aws_reply *reply, struct err *err)
{
	struct acm_pem pem = {.certificate = NULL};
	struct x509_facts facts = {.san_count = 0};
	unsigned char *der = NULL;
	size_t len = 0;
	if (acm_get_certificate_take(reply, &pem, err) != 0)
		return -1;
	const char *at = pem.certificate;
	struct err unread = ERR_INIT; /* what cannot be read is not the one */
	bool is_same = x509_pem_next(&at, at + strlen(at), &der, &len, &unread) == 1 &&
		       x509_facts_from_der(der, len, &facts, &unread) == 0 &&
		       memcmp(facts.fingerprint_sha256, find->fingerprint, X509_SHA256_LEN) == 0;
	x509_facts_clear(&facts);
	free(der);
	acm_pem_clear(&pem);
	if (!is_same) {
		find->next++;
		ask_candidate(find);
		return 0;
	}
	find->state = WAIT_TAGS;
	find->call = acm_list_tags_start(
		find->client, find->region, find->list.item[find->next].arn, on_reply, find);
	return 0;
}

/* Tags may show later than the certificate: without an id it may well be ours. */
static int take_tags(struct remote_find *find, const struct aws_reply *reply, struct err *err)
{
	struct acm_tag_list tags = {.count = 0};
	bool is_another = false;
	if (acm_list_tags_take(reply, &tags, err) != 0)
		return -1;
	for (size_t i = 0; i < tags.count; i++)
		is_another |= strcmp(tags.item[i].key, TAG_CERTIFICATE_ID) == 0 &&
			      strcmp(tags.item[i].value, find->certificate_id) != 0;
	acm_tag_list_clear(&tags);
	if (is_another) {
		find->next++;
		ask_candidate(find);
		return 0;
	}
	find->is_found = true;
	find->state = DONE;
	return 0;
}

static int step(struct remote_find *find, const struct aws_reply *reply, struct err *err)
{
	switch (find->state) {
	case WAIT_PAGE:
		return take_page(find, reply, err);
	case WAIT_PEM:
		return take_pem(find, reply, err);
	case WAIT_TAGS:
		return take_tags(find, reply, err);
	case DONE:
		break;
	}
	abort(); /* an answer after the end is a bug in aws_call */
}

/* An error that is an answer: 1 when it was taken so. */
static bool take_error(struct remote_find *find, const struct err *err)
{
	bool is_refusal = err->kind == ERR_REFUSED;
	if (find->state == WAIT_PAGE && find->include_origins && find->pages == 0 && is_refusal) {
		find->include_origins = false; /* an older partition */
		ask_page(find);
		return true;
	}
	bool is_gone = err->kind == ERR_NOT_FOUND ||
		       (is_refusal && strcmp(err->code, "RequestInProgressException") == 0);
	if (find->state == WAIT_PAGE || !is_gone)
		return false;
	find->next++;
	ask_candidate(find);
	return true;
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct remote_find *find = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	enum state was = find->state;
	find->call = NULL;
	int rc = 0;
	if (call_err == NULL)
		rc = step(find, reply, &err);
	else if (!take_error(find, call_err))
		rc = -1;
	log_debug("remote_find %s state=%s rc=%d", find->region, state_name[was], rc);
	if (rc == 0 && find->state != DONE)
		return;
	const char *arn = find->is_found ? find->list.item[find->next].arn : "";
	find->done(find->arg, rc == 0 ? arn : NULL, rc != 0 ? &err : NULL);
	destroy(find);
}

struct remote_find *remote_find_start(struct aws_client *client, const char *region,
	const struct remote_wanted *wanted, remote_found_fn *done, void *arg)
{
	struct remote_find *find = xcalloc(1, sizeof(*find));
	find->client = client;
	find->region = xstrdup(region);
	memcpy(find->fingerprint, wanted->leaf->fingerprint_sha256, X509_SHA256_LEN);
	find->not_before_s = wanted->leaf->not_before_s;
	find->not_after_s = wanted->leaf->not_after_s;
	find->created_after_s = wanted->created_after_s;
	find->certificate_id = xstrdup(wanted->certificate_id);
	find->include_origins = true;
	find->done = done;
	find->arg = arg;
	ask_page(find);
	return find;
}

void remote_find_cancel(struct remote_find *find)
{
	if (find != NULL)
		destroy(find);
}
