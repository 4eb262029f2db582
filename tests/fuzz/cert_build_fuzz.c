/*
 * From ACM's answers to the record that is stored and shown: ListCertificates, DescribeCertificate,
 * GetCertificate and ListTagsForCertificate, with a NUL between them; what does not read counts as
 * an answer that failed. What was built can be stored, is shown as JSON, and differs from nothing
 * but another.
 */
#include "discovery/cert_build.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/acm_read.h"
#include "aws/arn.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/text.h"
#include "discovery/cert_diff.h"
#include "discovery/cert_fetch.h"
#include "store/render.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CERTIFICATES = 2, TEXT_MAX = 64 << 20 };

/* --- answers ---------------------------------------------------------------------------------- */

/* The next part, as a reply. false: it is none. */
static bool next_reply(const char **at, const char *end, struct aws_reply *ret_reply)
{
	struct err err = ERR_INIT;
	const char *nul = memchr(*at, '\0', (size_t)(end - *at));
	const char *part = *at, *part_end = nul != NULL ? nul : end;
	*at = nul != NULL ? nul + 1 : end;
	return part_end > part && aws_reply_read(AWS_JSON_1_1, part, (size_t)(part_end - part),
					  NULL, ret_reply, &err) == 0;
}

static void take_pem(const struct aws_reply *reply, struct cert_fetched *fetched)
{
	struct acm_pem pem = {.certificate = NULL};
	struct err err = ERR_INIT;
	if (acm_get_certificate_take(reply, &pem, &err) != 0)
		return;
	if (cert_leaf_read(pem.certificate, &fetched->leaf, &err) == 0) {
		fetched->has_pem = x509_facts_from_der(fetched->leaf.bytes, fetched->leaf.len,
					   &fetched->facts, &err) == 0;
		if (fetched->has_pem)
			(void)cert_chain_read(pem.chain, &fetched->chain, &err);
		else
			cert_der_clear(&fetched->leaf);
	}
	acm_pem_clear(&pem);
}

static void read_fetched(const char *at, const char *end, struct cert_fetched *fetched)
{
	struct aws_reply reply;
	struct err err = ERR_INIT;
	if (next_reply(&at, end, &reply)) {
		fetched->has_detail =
			acm_describe_certificate_take(&reply, &fetched->detail, &err) == 0;
		aws_reply_clear(&reply);
	}
	if (next_reply(&at, end, &reply)) {
		take_pem(&reply, fetched);
		aws_reply_clear(&reply);
	}
	if (next_reply(&at, end, &reply)) {
		fetched->has_tags = acm_list_tags_take(&reply, &fetched->tags, &err) == 0;
		aws_reply_clear(&reply);
	}
	fetched->is_complete = fetched->has_detail && fetched->has_pem && fetched->has_tags;
}

/* --- the record ------------------------------------------------------------------------------- */

struct storing {
	const struct cert_record *record;
	bool was_stored;
};

static void show(struct store_txn *txn, const struct cert_record *record)
{
	struct buf text;
	struct json_writer writer;
	struct err err = ERR_INIT;
	buf_init(&text, TEXT_MAX);
	json_writer_init(&writer, &text, false);
	render_certificate_full(&writer, txn, record, SAMPLE_NOW_S, true);
	json_t *document = json_read_object(buf_text(&text), text.len, &err);
	assert(document != NULL || store_txn_failed(txn));
	json_decref(document);
	buf_clear(&text);
}

/* Ends in a failure of its own, so that nothing stays. */
static void store_and_show(struct store_txn *txn, void *arg)
{
	struct storing *storing = arg;
	struct cert_record copy = *storing->record, again;
	struct err err = ERR_INIT;
	struct cert_diff diff;
	copy.has_pem = false; /* its DER is not stored here */
	copy.chain_count = 0;
	store_cert_put(txn, &copy);
	storing->was_stored = !store_txn_failed(txn);
	if (!storing->was_stored) {
		assert(store_txn_check(txn, &err) != 0);
		assert(err.kind == ERR_LIMIT || err.kind == ERR_PROTOCOL);
		return;
	}
	assert(store_cert_get(txn, copy.arn, &again));
	cert_diff_make(&copy, &again, &diff);
	assert(!diff.differs && !diff.has_event);
	show(txn, &again);
	(void)err_set(&err, ERR_STOPPED, "not to be kept");
	store_txn_fail(txn, &err);
}

static void check_diff(const struct cert_record *before, const struct cert_record *now)
{
	struct cert_diff diff;
	cert_diff_make(before, now, &diff);
	size_t len = strlen(diff.detail);
	assert(len < sizeof(diff.detail) && text_is_utf8(diff.detail, len));
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)diff.detail[i] >= ' ');
}

static void build(struct store *store, const struct acm_summary *summary,
	const struct cert_fetched *fetched, struct cert_copy *previous)
{
	struct arn arn;
	struct err err = ERR_INIT;
	struct cert_copy copy;
	assert(arn_parse(summary->arn, &arn)); /* its shape was checked */
	struct cert_build_input input = {.connector = "prod",
		.account_id = arn.account_id,
		.region = arn.region,
		.summary = summary,
		.fetched = fetched,
		.previous = previous->memory != NULL ? &previous->record : NULL,
		.now_s = SAMPLE_NOW_S};
	cert_build(&input, &copy);
	check_diff(input.previous, &copy.record);
	struct storing storing = {.record = &copy.record};
	assert(store_write_now(store, store_and_show, &storing, &err) != 0);
	/* Only what is too long for a key or a record is refused. */
	assert(storing.was_stored || err.kind == ERR_LIMIT);
	cert_copy_clear(previous);
	*previous = copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	struct acm_summary_list list = {.item = NULL};
	struct cert_fetched fetched = {.has_detail = false};
	struct cert_copy previous = {.memory = NULL};
	struct aws_reply reply;
	struct err err = ERR_INIT;
	char *token = NULL;
	const char *at = (const char *)data, *end = at + size;
	if (store == NULL)
		store = filled_store_open(NULL, CERTIFICATES);
	if (size == 0 || !next_reply(&at, end, &reply))
		return 0;
	if (acm_list_certificates_take(&reply, &list, &token, &err) == 0 && list.count > 0) {
		read_fetched(at, end, &fetched);
		/* As it appears; then each further line as the next look at the same one. */
		build(store, &list.item[0], NULL, &previous);
		for (size_t i = 0; i < list.count && i < 3; i++)
			build(store, &list.item[i], &fetched, &previous);
		cert_fetched_clear(&fetched);
	}
	cert_copy_clear(&previous);
	acm_summary_list_clear(&list);
	aws_reply_clear(&reply);
	free(token);
	return 0;
}
