/* Summary, details, PEM, tags and the previous record become the new one; see cert_build.h. */
#include "discovery/cert_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "discovery/cert_fetch.h"

enum {
	/* The names of a certificate of X509_DER_MAX bytes fit, even escaped; five packs and the
	 * texts fit a record of the store. */
	PACK_MAX_BYTES = 192 * 1024,
	ERROR_MAX = 2 * CERT_FETCH_ERROR_MAX,
};

/* The record in the making, and what its packs and marks point to. */
struct draft {
	struct cert_record record;
	struct buf sans, in_use_by, key_usages, ext_key_usages, tags;
	char error[ERROR_MAX];
};

static void draft_init(struct draft *draft, const struct cert_build_input *input)
{
	*draft = (struct draft){
		.record = input->previous != NULL ? *input->previous : cert_record_empty()};
	buf_init(&draft->sans, PACK_MAX_BYTES);
	buf_init(&draft->in_use_by, PACK_MAX_BYTES);
	buf_init(&draft->key_usages, PACK_MAX_BYTES);
	buf_init(&draft->ext_key_usages, PACK_MAX_BYTES);
	buf_init(&draft->tags, PACK_MAX_BYTES);
}

static void draft_clear(struct draft *draft)
{
	buf_clear(&draft->sans);
	buf_clear(&draft->in_use_by);
	buf_clear(&draft->key_usages);
	buf_clear(&draft->ext_key_usages);
	buf_clear(&draft->tags);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Adds a text, unless the pack is full: then it and all that follow are left out. */
static void add_text(struct buf *to, struct pack *pack, const char *text)
{
	pack_add(to, text);
	if (to->is_over)
		return;
	pack->count++;
	pack->bytes = to->data;
	pack->len = to->len;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order, each once: AWS gives these lists in another order each time. */
static struct pack pack_sorted(struct buf *to, const struct acm_text_list *list)
{
	const char **text = xcalloc(list->count + 1, sizeof(char *));
	for (size_t i = 0; i < list->count; i++)
		text[i] = list->item[i];
	qsort(text, list->count, sizeof(char *), compare_texts);
	struct pack pack = {.count = 0};
	for (size_t i = 0; i < list->count; i++) {
		if (i == 0 || strcmp(text[i], text[i - 1]) != 0)
			add_text(to, &pack, text[i]);
	}
	free(text);
	return pack;
}

static int compare_tags(const void *a, const void *b)
{
	const struct acm_tag *left = a, *right = b;
	int order = strcmp(left->key, right->key);
	return order != 0 ? order : strcmp(left->value, right->value);
}

/* AWS's limits keep tags far below the pack's. A key is there once (AWS promises it): tags are an
 * object's members in JSON. */
static struct pack pack_tags(struct buf *to, const struct acm_tag_list *tags)
{
	struct acm_tag tag[ACM_TAGS_MAX]; /* borrowed texts, to be sorted */
	struct pack pack = {.count = 0};
	memcpy(tag, tags->item, tags->count * sizeof(tag[0]));
	qsort(tag, tags->count, sizeof(tag[0]), compare_tags);
	for (size_t i = 0; i < tags->count; i++) {
		if (i > 0 && strcmp(tag[i].key, tag[i - 1].key) == 0)
			continue;
		add_text(to, &pack, tag[i].key);
		add_text(to, &pack, tag[i].value);
	}
	return pack;
}

static struct pack pack_in_order(struct buf *to, const struct acm_text_list *list)
{
	struct pack pack = {.count = 0};
	for (size_t i = 0; i < list->count; i++)
		add_text(to, &pack, list->item[i]);
	return pack;
}

static struct pack pack_pem_sans(struct buf *to, const struct x509_facts *facts)
{
	struct pack pack = {.count = 0};
	for (size_t i = 0; i < facts->san_count; i++)
		add_text(to, &pack, facts->san[i].text);
	return pack;
}

static struct pack pack_pem_key_usages(struct buf *to, const struct x509_facts *facts)
{
	static const struct {
		enum x509_key_usage bit;
		const char *name;
	} usage[] = {{X509_KU_CERTIFICATE_SIGNING, "CERTIFICATE_SIGNING"},
		{X509_KU_CRL_SIGNING, "CRL_SIGNING"},
		{X509_KU_DATA_ENCIPHERMENT, "DATA_ENCIPHERMENT"},
		{X509_KU_DECIPHER_ONLY, "DECIPHER_ONLY"},
		{X509_KU_DIGITAL_SIGNATURE, "DIGITAL_SIGNATURE"},
		{X509_KU_ENCIPHER_ONLY, "ENCIPHER_ONLY"}, {X509_KU_KEY_AGREEMENT, "KEY_AGREEMENT"},
		{X509_KU_KEY_ENCIPHERMENT, "KEY_ENCIPHERMENT"},
		{X509_KU_NON_REPUDIATION, "NON_REPUDIATION"}};
	struct pack pack = {.count = 0};
	for (size_t i = 0; i < sizeof(usage) / sizeof(usage[0]); i++) {
		if ((facts->key_usage & usage[i].bit) != 0)
			add_text(to, &pack, usage[i].name);
	}
	return pack;
}

static struct pack pack_pem_ext_key_usages(struct buf *to, const struct x509_facts *facts)
{
	char *text[X509_EKUS_MAX]; /* borrowed */
	struct acm_text_list list = {.item = text};
	for (size_t i = 0; i < facts->ext_key_usage_count && i < X509_EKUS_MAX; i++)
		text[list.count++] = facts->ext_key_usage[i];
	return pack_sorted(to, &list);
}

/* --- one source after the other --------------------------------------------------------------- */

/* AWS leaves out what it does not know: that is no reason to forget. */
static void overlay(const char **member, const char *text)
{
	if (text[0] != '\0')
		*member = text;
}

static void overlay_time(int64_t *member, int64_t unix_s)
{
	if (unix_s != 0)
		*member = unix_s;
}

/* What a stored PEM says of its validity, AWS may say rounded. */
static void overlay_validity(int64_t *member, int64_t unix_s, bool has_pem)
{
	if (!has_pem || !change_is_same_time(*member, unix_s))
		overlay_time(member, unix_s);
}

static void add_summary(struct cert_record *record, const struct acm_summary *summary)
{
	record->arn = summary->arn;
	overlay(&record->domain_name, summary->domain_name);
	overlay(&record->status, summary->status);
	overlay(&record->type, summary->type);
	overlay(&record->key_pair_origin, summary->key_pair_origin);
	overlay(&record->managed_by, summary->managed_by);
	if (!record->has_pem)
		overlay(&record->key_algorithm, summary->key_algorithm);
	overlay(&record->export_option, summary->export_option);
	overlay(&record->renewal_eligibility, summary->renewal_eligibility);
	overlay_time(&record->created_s, summary->created_s);
	overlay_time(&record->issued_s, summary->issued_s);
	overlay_time(&record->imported_s, summary->imported_s);
	overlay_time(&record->revoked_s, summary->revoked_s);
	overlay_validity(&record->not_before_s, summary->not_before_s, record->has_pem);
	overlay_validity(&record->not_after_s, summary->not_after_s, record->has_pem);
	record->in_use = summary->in_use;
	record->exported = summary->exported;
	memcpy(record->summary_digest, summary->digest, sizeof(record->summary_digest));
}

/* What only AWS knows: taken as it is, so that what has ended (a renewal) is gone. */
static void add_detail(struct draft *draft, const struct acm_detail *detail)
{
	struct cert_record *record = &draft->record;
	overlay(&record->domain_name, detail->domain_name);
	overlay(&record->status, detail->status);
	overlay(&record->type, detail->type);
	record->failure_reason = detail->failure_reason;
	record->revocation_reason = detail->revocation_reason;
	record->renewal_eligibility = detail->renewal_eligibility;
	record->renewal_status = detail->renewal_status;
	record->renewal_reason = detail->renewal_reason;
	record->renewal_updated_s = detail->renewal_updated_s;
	record->export_option = detail->export_option;
	record->managed_by = detail->managed_by;
	record->key_pair_origin = detail->key_pair_origin;
	record->validation_method = detail->validation_method;
	record->certificate_authority_arn = detail->certificate_authority_arn;
	overlay_time(&record->created_s, detail->created_s);
	overlay_time(&record->issued_s, detail->issued_s);
	overlay_time(&record->imported_s, detail->imported_s);
	overlay_time(&record->revoked_s, detail->revoked_s);
	record->in_use_by = pack_sorted(&draft->in_use_by, &detail->in_use_by);
	record->in_use = record->in_use || detail->in_use_by.count > 0;
	if (detail->has_exported)
		record->exported = detail->exported;
}

static void add_usages(struct draft *draft, const struct cert_fetched *fetched)
{
	const struct acm_detail *detail = &fetched->detail;
	struct cert_record *record = &draft->record;
	if (detail->key_usages.count > 0)
		record->key_usages = pack_sorted(&draft->key_usages, &detail->key_usages);
	else if (fetched->has_pem)
		record->key_usages = pack_pem_key_usages(&draft->key_usages, &fetched->facts);
	if (detail->ext_key_usages.count > 0)
		record->ext_key_usages =
			pack_sorted(&draft->ext_key_usages, &detail->ext_key_usages);
	else if (fetched->has_pem)
		record->ext_key_usages =
			pack_pem_ext_key_usages(&draft->ext_key_usages, &fetched->facts);
}

/* AWS's own words for what a PEM would say better. */
static void add_detail_for_pem(struct draft *draft, const struct acm_detail *detail)
{
	struct cert_record *record = &draft->record;
	record->serial = detail->serial;
	record->subject = detail->subject;
	record->issuer = detail->issuer;
	record->signature_algorithm = detail->signature_algorithm;
	overlay(&record->key_algorithm, detail->key_algorithm);
	overlay_time(&record->not_before_s, detail->not_before_s);
	overlay_time(&record->not_after_s, detail->not_after_s);
	record->sans = pack_in_order(&draft->sans, &detail->sans);
	record->has_pem = false;
	record->chain_count = 0;
	memset(record->fingerprint_sha256, 0, sizeof(record->fingerprint_sha256));
	memset(record->spki_sha256, 0, sizeof(record->spki_sha256));
	memset(record->chain_sha256, 0, sizeof(record->chain_sha256));
}

static void add_pem(struct draft *draft, const struct cert_fetched *fetched)
{
	const struct x509_facts *facts = &fetched->facts;
	struct cert_record *record = &draft->record;
	record->serial = facts->serial;
	record->subject = facts->subject;
	record->issuer = facts->issuer;
	record->key_algorithm = facts->key_algorithm;
	record->signature_algorithm = facts->signature_algorithm;
	record->not_before_s = facts->not_before_s;
	record->not_after_s = facts->not_after_s;
	record->sans = pack_pem_sans(&draft->sans, facts);
	record->has_pem = true;
	memcpy(record->fingerprint_sha256, facts->fingerprint_sha256, CERT_SHA256_LEN);
	memcpy(record->spki_sha256, facts->spki_sha256, CERT_SHA256_LEN);
	memset(record->chain_sha256, 0, sizeof(record->chain_sha256));
	record->chain_count = (uint32_t)fetched->chain.count;
	for (size_t i = 0; i < fetched->chain.count; i++)
		memcpy(record->chain_sha256[i], fetched->chain.der[i].sha256, CERT_SHA256_LEN);
}

/* --- putting them together -------------------------------------------------------------------- */

static void mark(struct draft *draft, const char *text)
{
	size_t len = strlen(draft->error);
	snprintf(draft->error + len, sizeof(draft->error) - len, "%s%s", len > 0 ? "; " : "", text);
}

/* Most likely the certificate was renewed between the two calls; asking again will tell. */
static void mark_contradictions(struct draft *draft, const struct cert_fetched *fetched)
{
	const struct acm_detail *detail = &fetched->detail;
	const struct x509_facts *facts = &fetched->facts;
	char text[512];
	if (!fetched->has_pem || !fetched->has_detail)
		return;
	if (!change_is_same_serial(detail->serial, facts->serial)) {
		snprintf(text, sizeof(text),
			"GetCertificate gave serial %s, DescribeCertificate tells of %s",
			facts->serial, detail->serial);
		mark(draft, text);
	}
	if (!change_is_same_time(detail->not_after_s, facts->not_after_s)) {
		char given[TEXT_TIME_MAX], told[TEXT_TIME_MAX];
		snprintf(text, sizeof(text),
			"GetCertificate gave one that ends %s, DescribeCertificate tells of %s",
			text_format_time(facts->not_after_s, given),
			text_format_time(detail->not_after_s, told));
		mark(draft, text);
	}
}

static void mark_cut_lists(struct draft *draft)
{
	const struct {
		const struct buf *pack;
		const char *name;
	} list[] = {{&draft->sans, "subject_alternative_names"}, {&draft->in_use_by, "in_use_by"},
		{&draft->key_usages, "key_usages"}, {&draft->ext_key_usages, "extended_key_usages"},
		{&draft->tags, "tags"}};
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		char text[128];
		if (!list[i].pack->is_over)
			continue;
		snprintf(text, sizeof(text), "%s is longer than %d bytes: the rest is left out",
			list[i].name, PACK_MAX_BYTES);
		mark(draft, text);
	}
}

/* Whether the stored facts of a PEM still hold: none was fetched now, and Describe (if it was
 * asked) tells of the same version. */
static bool keeps_old_pem(const struct cert_build_input *input)
{
	const struct cert_record *previous = input->previous;
	return previous != NULL && previous->has_pem &&
	       (!input->fetched->has_detail || !change_is_new_version(&input->fetched->detail,
						       previous->serial, previous->not_after_s));
}

static void add_fetched(struct draft *draft, const struct cert_build_input *input)
{
	const struct cert_fetched *fetched = input->fetched;
	struct cert_record *record = &draft->record;
	if (fetched->has_detail)
		add_detail(draft, &fetched->detail);
	add_usages(draft, fetched);
	if (fetched->has_pem)
		add_pem(draft, fetched);
	else if (fetched->has_detail && !keeps_old_pem(input))
		add_detail_for_pem(draft, &fetched->detail);
	if (fetched->has_tags)
		record->tags = pack_tags(&draft->tags, &fetched->tags);
	text_copy(draft->error, sizeof(draft->error), fetched->error);
	mark_contradictions(draft, fetched);
	mark_cut_lists(draft);
	record->detail_error = draft->error;
	if (fetched->is_complete)
		record->detailed_s = input->now_s;
}

void cert_build(const struct cert_build_input *input, struct cert_copy *ret_copy)
{
	struct draft draft;
	draft_init(&draft, input);
	struct cert_record *record = &draft.record;
	add_summary(record, input->summary);
	record->connector = input->connector;
	record->account_id = input->account_id;
	record->region = input->region;
	if (input->fetched != NULL)
		add_fetched(&draft, input);
	if (input->previous == NULL)
		record->first_seen_s = input->now_s;
	record->gone_s = 0;
	cert_copy_make(record, ret_copy);
	draft_clear(&draft);
}
