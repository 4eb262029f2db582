/* ACM ListCertificates. source: ACM 2015-12-08 (facts.md 2.1) */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "aws/acm_internal.h"
#include "aws/take.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

enum {
	PAGE_ITEMS_MAX = 10 * ACM_PAGE_MAX, /* more than that is an attack, not a page */
	NAMES_MAX = 1000,		    /* of one summary; AWS stops at 100 */
	DOMAIN_BYTES_MAX = 1024,	    /* AWS: 253 */
	BODY_MAX = 65536,
	/* 1,000 summaries with 100 names of 60 bytes are some 7 MB. */
	REPLY_MAX = 16 << 20,
	SCRATCH_MAX = 4 << 20,
	SHA256_LEN = 32,
};

/* Without this filter ACM hides everything but RSA_1024 and RSA_2048 (facts.md 2.1). */
static const char *const key_types[] = {"RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096",
	"EC_prime256v1", "EC_secp384r1", "EC_secp521r1"};
/* And without this one, certificates that came through ACME. */
static const char *const key_pair_origins[] = {"AWS_MANAGED", "ACME", "CUSTOMER_PROVIDED"};

static const struct acm_operation list_certificates = {
	.name = "ListCertificates",
	.expects = "CertificateSummaryList",
	.per_second = 8, /* facts.md 2.14 */
	.reply_max_bytes = REPLY_MAX,
};

static void write_texts(
	struct json_writer *writer, const char *key, const char *const *text, size_t count)
{
	json_key(writer, key);
	json_open_array(writer);
	for (size_t i = 0; i < count; i++)
		json_text(writer, text[i]);
	json_close_array(writer);
}

/* The same on every page but for the token: AWS ties the token to the rest. */
struct aws_call *acm_list_certificates_start(struct aws_client *client, const char *region,
	const struct acm_list_options *options, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init(&body, BODY_MAX);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	json_key(&writer, "Includes");
	json_open_object(&writer);
	write_texts(&writer, "keyTypes", key_types, sizeof(key_types) / sizeof(key_types[0]));
	json_close_object(&writer);
	if (options->include_origins)
		write_texts(&writer, "CertificateKeyPairOrigins", key_pair_origins,
			sizeof(key_pair_origins) / sizeof(key_pair_origins[0]));
	json_member_int(&writer, "MaxItems", ACM_PAGE_MAX);
	if (options->next_token != NULL)
		json_member_text(&writer, "NextToken", options->next_token);
	json_close_object(&writer);
	struct aws_call *call =
		acm_call_start(client, region, &list_certificates, &body, done, arg);
	buf_clear(&body);
	return call;
}

/* --- digest ----------------------------------------------------------------------------------- */

/* Made once a page. */
struct digester {
	EVP_MD *sha256;	     /* owned */
	EVP_MD_CTX *context; /* owned */
	struct buf scratch;  /* what is digested: every field with its NUL, in a fixed order */
};

static void digester_init(struct digester *digester)
{
	digester->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	digester->context = EVP_MD_CTX_new();
	buf_init(&digester->scratch, SCRATCH_MAX);
}

static void digester_clear(struct digester *digester)
{
	EVP_MD_free(digester->sha256);
	EVP_MD_CTX_free(digester->context);
	buf_clear(&digester->scratch);
}

static void add_field(struct digester *digester, const char *text)
{
	buf_add(&digester->scratch, text, strlen(text) + 1);
}

static void add_number(struct digester *digester, int64_t number)
{
	buf_add(&digester->scratch, &number, sizeof(number));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A list of texts whose order means nothing. */
static int add_list(
	struct digester *digester, const json_t *item, const char *name, struct err *err)
{
	const json_t *array = NULL;
	if (json_get_array(item, name, NAMES_MAX, &array, err) != 0)
		return -1;
	size_t count = array != NULL ? json_array_size(array) : 0;
	const char **sorted = xcalloc(count + 1, sizeof(*sorted));
	for (size_t i = 0; i < count; i++) {
		sorted[i] = json_string_value(json_array_get(array, i));
		if (sorted[i] == NULL) {
			free(sorted);
			return err_set(
				err, ERR_PROTOCOL, "%s holds something else than texts", name);
		}
	}
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare_texts);
	add_number(digester, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		add_field(digester, sorted[i]);
	free(sorted);
	return 0;
}

static int finish_digest(struct digester *digester, unsigned char *ret_digest, struct err *err)
{
	unsigned char hash[SHA256_LEN];
	const struct buf *scratch = &digester->scratch;
	if (buf_check(scratch, "a certificate's summary", err) != 0)
		return -1;
	if (digester->context == NULL ||
		EVP_DigestInit_ex2(digester->context, digester->sha256, NULL) != 1 ||
		EVP_DigestUpdate(digester->context, scratch->data, scratch->len) != 1 ||
		EVP_DigestFinal_ex(digester->context, hash, NULL) != 1)
		return err_set(err, ERR_SYSTEM, "OpenSSL has no SHA-256");
	memcpy(ret_digest, hash, ACM_DIGEST_LEN);
	return 0;
}

/* --- answer ----------------------------------------------------------------------------------- */

static int take_words(const json_t *item, struct acm_summary *summary, struct err *err)
{
	if (take_word(item, "Status", summary->status, sizeof(summary->status), err) != 0 ||
		take_word(item, "Type", summary->type, sizeof(summary->type), err) != 0 ||
		take_word(item, "CertificateKeyPairOrigin", summary->key_pair_origin,
			sizeof(summary->key_pair_origin), err) != 0 ||
		take_word(item, "ManagedBy", summary->managed_by, sizeof(summary->managed_by),
			err) != 0 ||
		take_word(item, "KeyAlgorithm", summary->key_algorithm,
			sizeof(summary->key_algorithm), err) != 0 ||
		take_word(item, "ExportOption", summary->export_option,
			sizeof(summary->export_option), err) != 0 ||
		take_word(item, "RenewalEligibility", summary->renewal_eligibility,
			sizeof(summary->renewal_eligibility), err) != 0)
		return -1;
	acm_normalise_key_algorithm(summary->key_algorithm);
	return 0;
}

static int take_times(const json_t *item, struct acm_summary *summary, struct err *err)
{
	if (json_get_time(item, "CreatedAt", &summary->created_s, err) != 0 ||
		json_get_time(item, "IssuedAt", &summary->issued_s, err) != 0 ||
		json_get_time(item, "ImportedAt", &summary->imported_s, err) != 0 ||
		json_get_time(item, "RevokedAt", &summary->revoked_s, err) != 0 ||
		json_get_time(item, "NotBefore", &summary->not_before_s, err) != 0 ||
		json_get_time(item, "NotAfter", &summary->not_after_s, err) != 0)
		return -1;
	return 0;
}

/* Everything of a summary but its ARN, which is what digests are compared for. */
static int take_digest(
	struct digester *digester, const json_t *item, struct acm_summary *summary, struct err *err)
{
	bool has_more_names = false;
	if (json_get_bool(item, "HasAdditionalSubjectAlternativeNames", &has_more_names, err) != 0)
		return -1;
	buf_reset(&digester->scratch);
	add_field(digester, summary->domain_name);
	add_field(digester, summary->status);
	add_field(digester, summary->type);
	add_field(digester, summary->key_pair_origin);
	add_field(digester, summary->managed_by);
	add_field(digester, summary->key_algorithm);
	add_field(digester, summary->export_option);
	add_field(digester, summary->renewal_eligibility);
	add_number(digester,
		(has_more_names ? 4 : 0) | (summary->in_use ? 2 : 0) | (summary->exported ? 1 : 0));
	add_number(digester, summary->created_s);
	add_number(digester, summary->issued_s);
	add_number(digester, summary->imported_s);
	add_number(digester, summary->revoked_s);
	add_number(digester, summary->not_before_s);
	add_number(digester, summary->not_after_s);
	if (add_list(digester, item, "SubjectAlternativeNameSummaries", err) != 0 ||
		add_list(digester, item, "KeyUsages", err) != 0 ||
		add_list(digester, item, "ExtendedKeyUsages", err) != 0)
		return -1;
	return finish_digest(digester, summary->digest, err);
}

static void summary_clear(struct acm_summary *summary)
{
	free(summary->arn);
	free(summary->domain_name);
}

/* summary is cleared by the caller, also after a failure. */
static int take_summary(
	struct digester *digester, const json_t *item, struct acm_summary *summary, struct err *err)
{
	if (acm_take_arn(item, "CertificateArn", &summary->arn, err) != 0 ||
		take_text(item, "DomainName", DOMAIN_BYTES_MAX, &summary->domain_name, err) != 0 ||
		json_get_bool(item, "InUse", &summary->in_use, err) != 0 ||
		json_get_bool(item, "Exported", &summary->exported, err) != 0)
		return -1;
	if (take_words(item, summary, err) != 0 || take_times(item, summary, err) != 0)
		return -1;
	return take_digest(digester, item, summary, err);
}

static void truncate_list(struct acm_summary_list *list, size_t count)
{
	while (list->count > count)
		summary_clear(&list->item[--list->count]);
}

void acm_summary_list_clear(struct acm_summary_list *list)
{
	truncate_list(list, 0);
	free(list->item);
	*list = (struct acm_summary_list){.item = NULL};
}

static int take_summaries(const json_t *items, struct acm_summary_list *list, struct err *err)
{
	struct digester digester;
	digester_init(&digester);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
		list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
		struct acm_summary *summary = &list->item[list->count++];
		*summary = (struct acm_summary){.arn = NULL};
		rc = take_summary(&digester, json_array_get(items, i), summary, err);
		if (rc != 0)
			err_wrap(err, "CertificateSummaryList[%zu]", i);
	}
	digester_clear(&digester);
	return rc;
}

int acm_list_certificates_take(const struct aws_reply *reply, struct acm_summary_list *list,
	char **next_token, struct err *err)
{
	const json_t *items = NULL;
	if (json_get_array(reply->json, "CertificateSummaryList", PAGE_ITEMS_MAX, &items, err) != 0)
		return -1;
	if (items == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no CertificateSummaryList");
	size_t count_before = list->count;
	if (take_summaries(items, list, err) == 0 &&
		take_next_token(reply->json, ACM_TOKEN_MAX, next_token, err) == 0)
		return 0;
	truncate_list(list, count_before);
	return -1;
}
