/*
 * AWS Certificate Manager, read only. source: ACM 2015-12-08, JSON 1.1.
 *
 * Texts of AWS's enums are kept as texts: its lists grow every year. Times are Unix seconds, 0 for
 * "not given". KeyAlgorithm is normalised to underscores.
 */
#ifndef AWS_ACM_READ_H
#define AWS_ACM_READ_H

#include "aws/client.h"

enum {
	ACM_TOKEN_MAX = 10000,
	ACM_ARN_MAX = 2048,
	ACM_PAGE_MAX = 1000,
	ACM_DIGEST_LEN = 16,
};

/* One line of ListCertificates. */
struct acm_summary {
	char *arn; /* owned; shape checked: arn:PARTITION:acm:REGION:ACCOUNT:certificate/... */
	char *domain_name; /* owned; "" when absent */
	char status[32];
	char type[24];
	char key_pair_origin[32];
	char managed_by[24];
	char key_algorithm[32]; /* the rest: all there is of a certificate whose Describe fails */
	char export_option[16];
	char renewal_eligibility[24];
	bool in_use;
	bool exported; /* only here: DescribeCertificate does not tell */
	int64_t created_s, issued_s, imported_s, revoked_s, not_before_s, not_after_s;
	/* Over every member that a change of the certificate can show in (all but the SAN summary's
	 * order); equal digests mean: nothing to describe. */
	unsigned char digest[ACM_DIGEST_LEN];
};

struct acm_summary_list {
	struct acm_summary *item; /* owned */
	size_t count, capacity;
};
void acm_summary_list_clear(struct acm_summary_list *list);

/* include_origins: CertificateKeyPairOrigins is sent (some partitions refuse it: ERR_REFUSED with
 * code ValidationException or SerializationException, then ask again without). All seven key types
 * always. */
struct acm_list_options {
	bool include_origins;
	const char *next_token; /* borrowed for the call; NULL: first page */
};
struct aws_call *acm_list_certificates_start(struct aws_client *client, const char *region,
	const struct acm_list_options *options, aws_call_done_fn *done, void *arg);
/* Appends; *next_token: in owned or NULL, out owned or NULL after the last page (an empty string
 * is none). ERR_PROTOCOL, ERR_LIMIT; list unchanged then. */
int acm_list_certificates_take(const struct aws_reply *reply, struct acm_summary_list *list,
	char **next_token, struct err *err);

struct acm_text_list {
	char **item; /* owned, each owned */
	size_t count, capacity;
};

/* DescribeCertificate, as far as the inventory keeps it. */
struct acm_detail {
	char *arn, *domain_name;   /* owned; "" when absent */
	struct acm_text_list sans; /* complete here */
	char serial[130];	   /* lower hex, no colons; "" when none */
	char *subject, *issuer;	   /* owned; AWS's display text */
	char key_algorithm[32], signature_algorithm[64];
	char status[32], type[24], failure_reason[64], revocation_reason[64];
	char renewal_eligibility[24], renewal_status[32], renewal_reason[64];
	char export_option[16], managed_by[24], key_pair_origin[32];
	char validation_method[16]; /* of the first DomainValidationOption, or Options */
	bool exported;		    /* only in the summary on AWS's side when absent here */
	bool has_exported;
	struct acm_text_list in_use_by;
	struct acm_text_list key_usages, ext_key_usages;
	char *certificate_authority_arn; /* owned; "" when none */
	int64_t created_s, issued_s, imported_s, revoked_s, not_before_s, not_after_s;
	int64_t renewal_updated_s;
};
void acm_detail_clear(struct acm_detail *detail);
struct aws_call *acm_describe_certificate_start(struct aws_client *client, const char *region,
	const char *arn, aws_call_done_fn *done, void *arg);
int acm_describe_certificate_take(
	const struct aws_reply *reply, struct acm_detail *ret_detail, struct err *err);

struct acm_pem {
	char *certificate; /* owned; PEM text */
	char *chain;	   /* owned; PEM text, "" when none */
};
void acm_pem_clear(struct acm_pem *pem);
/* ERR_REFUSED with code RequestInProgressException while not issued yet. */
struct aws_call *acm_get_certificate_start(struct aws_client *client, const char *region,
	const char *arn, aws_call_done_fn *done, void *arg);
int acm_get_certificate_take(
	const struct aws_reply *reply, struct acm_pem *ret_pem, struct err *err);

/* AWS allows 50, but does not count those that its own services set (aws:...). */
enum { ACM_TAGS_MAX = 100 };
struct acm_tag {
	char *key, *value; /* owned */
};
struct acm_tag_list {
	struct acm_tag item[ACM_TAGS_MAX];
	size_t count;
};
void acm_tag_list_clear(struct acm_tag_list *list);
struct aws_call *acm_list_tags_start(struct aws_client *client, const char *region, const char *arn,
	aws_call_done_fn *done, void *arg);
int acm_list_tags_take(
	const struct aws_reply *reply, struct acm_tag_list *ret_tags, struct err *err);

#endif
