/* ACM DescribeCertificate. source: ACM 2015-12-08 (facts.md 2.3) */
#include <stdlib.h>
#include <string.h>

#include "aws/acm_internal.h"
#include "aws/take.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	NAMES_MAX = 5000,      /* AWS: 100; 1000 validations */
	NAME_BYTES_MAX = 1024, /* AWS: 253 */
	USAGES_MAX = 1000,     /* AWS has a dozen */
	USAGE_BYTES_MAX = 256,
	IN_USE_MAX = 10000,
	DISPLAY_BYTES_MAX = 8192, /* Subject, Issuer */
	SERIAL_BYTES_MAX = 256,
	/* 1,000 validations of some 500 bytes and 10,000 ARNs of some 120. */
	REPLY_MAX = 4 << 20,
};

static const struct acm_operation describe_certificate = {
	.name = "DescribeCertificate",
	.expects = "Certificate",
	.per_second = 10, /* facts.md 2.14 */
	.reply_max_bytes = REPLY_MAX,
};

struct aws_call *acm_describe_certificate_start(struct aws_client *client, const char *region,
	const char *arn, aws_call_done_fn *done, void *arg)
{
	return acm_arn_call_start(client, region, &describe_certificate, arn, done, arg);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void list_clear(struct acm_text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct acm_text_list){.item = NULL};
}

static void list_add(struct acm_text_list *list, const char *text)
{
	list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
	list->item[list->count++] = xstrdup(text);
}

static int take_names(const json_t *object, const char *name, size_t items_max, size_t bytes_max,
	struct acm_text_list *list, struct err *err)
{
	const json_t *array = NULL;
	if (json_get_array(object, name, items_max, &array, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		if (!json_is_string(item))
			return err_set(
				err, ERR_PROTOCOL, "%s holds something else than texts", name);
		if (json_string_length(item) > bytes_max)
			return err_set(err, ERR_LIMIT, "%s[%zu] is longer than %zu bytes", name, i,
				bytes_max);
		list_add(list, json_string_value(item));
	}
	return 0;
}

/* KeyUsages [{"Name"}], ExtendedKeyUsages [{"Name", "OID"}]; one without a name shows its OID. */
static int take_usages(
	const json_t *object, const char *name, struct acm_text_list *list, struct err *err)
{
	const json_t *array = NULL;
	if (json_get_array(object, name, USAGES_MAX, &array, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);
		const char *usage = "", *oid = "";
		if (json_get_text(item, "Name", USAGE_BYTES_MAX, &usage, err) != 0 ||
			json_get_text(item, "OID", USAGE_BYTES_MAX, &oid, err) != 0)
			return err_wrap(err, "%s[%zu]", name, i);
		bool is_nameless = usage[0] == '\0' || strcmp(usage, "CUSTOM") == 0;
		list_add(list, is_nameless && oid[0] != '\0' ? oid : usage);
	}
	return 0;
}

/* --- parts of the answer ---------------------------------------------------------------------- */

/* "0F:ac:..." to lower hex without colons. The PEM is the truth (facts.md 15.7), so one that is not
 * hex is left out rather than refused. */
static int take_serial(const json_t *object, char *ret_serial, size_t size, struct err *err)
{
	const char *text = "";
	if (json_get_text(object, "Serial", SERIAL_BYTES_MAX, &text, err) != 0)
		return -1;
	size_t len = 0;
	for (; *text != '\0'; text++) {
		if (*text == ':')
			continue;
		bool is_hex = strchr("0123456789abcdefABCDEF", *text) != NULL;
		if (!is_hex || len + 1 == size) {
			len = 0;
			break;
		}
		ret_serial[len++] = *text;
	}
	ret_serial[len] = '\0';
	text_lower(ret_serial);
	return 0;
}

struct word {
	const char *name;
	char *field;
	size_t size;
};
#define WORD(name, field)                                                                          \
	{                                                                                          \
		name, field, sizeof(field)                                                         \
	}

static int take_words(const json_t *object, const struct word *word, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (take_word(object, word[i].name, word[i].field, word[i].size, err) != 0)
			return -1;
	}
	return 0;
}

static int take_own_words(const json_t *object, struct acm_detail *detail, struct err *err)
{
	const struct word word[] = {
		WORD("KeyAlgorithm", detail->key_algorithm),
		WORD("SignatureAlgorithm", detail->signature_algorithm),
		WORD("Status", detail->status),
		WORD("Type", detail->type),
		WORD("FailureReason", detail->failure_reason),
		WORD("RevocationReason", detail->revocation_reason),
		WORD("RenewalEligibility", detail->renewal_eligibility),
		WORD("ManagedBy", detail->managed_by),
		WORD("CertificateKeyPairOrigin", detail->key_pair_origin),
	};
	if (take_words(object, word, sizeof(word) / sizeof(word[0]), err) != 0)
		return -1;
	acm_normalise_key_algorithm(detail->key_algorithm);
	return 0;
}

static int take_renewal(const json_t *object, struct acm_detail *detail, struct err *err)
{
	const json_t *renewal = NULL;
	if (json_get_object(object, "RenewalSummary", &renewal, err) != 0)
		return -1;
	const struct word word[] = {
		WORD("RenewalStatus", detail->renewal_status),
		WORD("RenewalStatusReason", detail->renewal_reason),
	};
	if (take_words(renewal, word, sizeof(word) / sizeof(word[0]), err) != 0 ||
		json_get_time(renewal, "UpdatedAt", &detail->renewal_updated_s, err) != 0)
		return err_wrap(err, "RenewalSummary");
	return 0;
}

/* The method of the first name stands for all: ACM takes one method for a request. */
static int take_options(const json_t *object, struct acm_detail *detail, struct err *err)
{
	const json_t *options = NULL, *validations = NULL;
	if (json_get_object(object, "Options", &options, err) != 0 ||
		json_get_array(object, "DomainValidationOptions", NAMES_MAX, &validations, err) !=
			0)
		return -1;
	const struct word word[] = {
		WORD("Export", detail->export_option),
		WORD("ValidationMethod", detail->validation_method),
	};
	if (take_words(options, word, sizeof(word) / sizeof(word[0]), err) != 0)
		return err_wrap(err, "Options");
	if (json_array_size(validations) > 0 &&
		take_word(json_array_get(validations, 0), "ValidationMethod",
			detail->validation_method, sizeof(detail->validation_method), err) != 0)
		return err_wrap(err, "DomainValidationOptions");
	return 0;
}

static int take_exported(const json_t *object, struct acm_detail *detail, struct err *err)
{
	detail->has_exported = json_is_boolean(json_object_get(object, "Exported"));
	return json_get_bool(object, "Exported", &detail->exported, err);
}

static int take_times(const json_t *object, struct acm_detail *detail, struct err *err)
{
	if (json_get_time(object, "CreatedAt", &detail->created_s, err) != 0 ||
		json_get_time(object, "IssuedAt", &detail->issued_s, err) != 0 ||
		json_get_time(object, "ImportedAt", &detail->imported_s, err) != 0 ||
		json_get_time(object, "RevokedAt", &detail->revoked_s, err) != 0 ||
		json_get_time(object, "NotBefore", &detail->not_before_s, err) != 0 ||
		json_get_time(object, "NotAfter", &detail->not_after_s, err) != 0)
		return -1;
	return 0;
}

static int take_texts(const json_t *object, struct acm_detail *detail, struct err *err)
{
	if (acm_take_arn(object, "CertificateArn", &detail->arn, err) != 0 ||
		take_text(object, "DomainName", NAME_BYTES_MAX, &detail->domain_name, err) != 0 ||
		take_text(object, "Subject", DISPLAY_BYTES_MAX, &detail->subject, err) != 0 ||
		take_text(object, "Issuer", DISPLAY_BYTES_MAX, &detail->issuer, err) != 0 ||
		take_text(object, "CertificateAuthorityArn", ACM_ARN_MAX,
			&detail->certificate_authority_arn, err) != 0)
		return -1;
	return take_serial(object, detail->serial, sizeof(detail->serial), err);
}

static int take_lists(const json_t *object, struct acm_detail *detail, struct err *err)
{
	if (take_names(object, "SubjectAlternativeNames", NAMES_MAX, NAME_BYTES_MAX, &detail->sans,
		    err) != 0 ||
		take_names(object, "InUseBy", IN_USE_MAX, ACM_ARN_MAX, &detail->in_use_by, err) !=
			0 ||
		take_usages(object, "KeyUsages", &detail->key_usages, err) != 0)
		return -1;
	return take_usages(object, "ExtendedKeyUsages", &detail->ext_key_usages, err);
}

/* --- the answer ------------------------------------------------------------------------------- */

void acm_detail_clear(struct acm_detail *detail)
{
	free(detail->arn);
	free(detail->domain_name);
	free(detail->subject);
	free(detail->issuer);
	free(detail->certificate_authority_arn);
	list_clear(&detail->sans);
	list_clear(&detail->in_use_by);
	list_clear(&detail->key_usages);
	list_clear(&detail->ext_key_usages);
	*detail = (struct acm_detail){.arn = NULL};
}

int acm_describe_certificate_take(
	const struct aws_reply *reply, struct acm_detail *ret_detail, struct err *err)
{
	const json_t *object = NULL;
	if (json_get_object(reply->json, "Certificate", &object, err) != 0)
		return -1;
	struct acm_detail detail = {.arn = NULL};
	if (take_texts(object, &detail, err) != 0 || take_own_words(object, &detail, err) != 0 ||
		take_times(object, &detail, err) != 0 || take_lists(object, &detail, err) != 0 ||
		take_renewal(object, &detail, err) != 0 ||
		take_options(object, &detail, err) != 0 ||
		take_exported(object, &detail, err) != 0) {
		acm_detail_clear(&detail);
		return err_wrap(err, "Certificate");
	}
	*ret_detail = detail;
	return 0;
}
