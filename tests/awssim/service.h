/* What an operation sees of a request, how it answers, and the table of operations. */
#ifndef TESTS_AWSSIM_SERVICE_H
#define TESTS_AWSSIM_SERVICE_H

#include <jansson.h>

#include "tests/awssim/sim.h"

enum service {
	SERVICE_STS,
	SERVICE_ORGANIZATIONS,
	SERVICE_ACCOUNT,
	SERVICE_EC2,
	SERVICE_ACM,
	SERVICE_SECRETS_MANAGER,
	SERVICES
};

struct call;
typedef void operation_fn(struct call *call);

/* What one rate limit is counted by. */
enum limit_scope { LIMIT_OPERATION, LIMIT_SERVICE };

struct operation {
	enum service service;
	const char *name;
	operation_fn *run;
	double rate, burst;
	enum limit_scope limit;
};

extern const struct operation operations[];
extern const size_t operation_count;
extern const char *const service_name[SERVICES]; /* of the SigV4 scope */

struct call {
	struct sim *sim;
	const struct http_request *request;
	struct reply *reply;
	enum service service;
	const struct operation *operation; /* NULL: unknown */
	const struct credential *who;	   /* NULL until authenticated */
	int region;			   /* index, -1: none of the world's */
	char region_name[41];
	bool is_global_sts;
	json_t *input;			/* owned by the dispatcher; JSON services */
	struct slice form;		/* Query services */
	const struct fault_rule *fault; /* paging faults are the operation's to play */
	int64_t now_s;
	char request_id[UUID_LEN + 1];
	bool failed; /* an error was answered */
	char error_code[64];
};

/* Errors that every service has, each in its own way. */
enum common_error {
	ERROR_NO_TOKEN,
	ERROR_INCOMPLETE,
	ERROR_SIGNATURE,
	ERROR_SIGNATURE_EXPIRED,
	ERROR_UNKNOWN_KEY,
	ERROR_EXPIRED_TOKEN,
	ERROR_DENIED,
	ERROR_THROTTLED,
	ERROR_INTERNAL,
	ERROR_UNAVAILABLE,
	ERROR_INVALID,
	ERROR_UNKNOWN_OPERATION,
	ERROR_MALFORMED,
	COMMON_ERRORS,
};

/* Answers with the error in the service's form. */
void call_fail(struct call *call, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void call_fail_common(struct call *call, enum common_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Denials with AWS's wording. resource may be NULL. */
void call_deny_scp(struct call *call, const char *action, const char *resource);
void call_deny_identity(struct call *call, const char *action, const char *resource);

/* Members of the JSON input. A wrong type is answered with an error and false. */
bool input_text(struct call *call, const char *key, const char **ret_text); /* NULL: absent */
bool input_int(struct call *call, const char *key, int64_t min, int64_t max, int64_t *value);

/* A decoded form member; false when it is absent or does not fit. */
bool form_text(const struct call *call, const char *name, char *ret_text, size_t size);

/* Sprinkled into answers: members that no client knows yet. */
void add_unknown_member(const struct call *call, struct out *out, uint64_t draw);

/*
 * Paging over a list by position. A token holds the position, a step number and a check over both
 * and over what it belongs to (a hash of everything that must be the same in the next request).
 * --awkward-pages makes pages short, empty or overlapping; the paging faults are played here too.
 */
struct page {
	const struct call *call; /* borrowed */
	uint64_t belongs_to, position, step;
	bool is_endless, is_repeated;
};

enum { PAGE_TOKEN_MAX = 72 };

/* Starts at the token's place (NULL: the start). False: the token is not one of ours for this. */
bool page_open(struct page *page, const struct call *call, const char *token, uint64_t belongs_to);
/* How many items this page may have, of at most wanted. */
uint64_t page_size(const struct page *page, uint64_t wanted);
/*
 * Whether a NextToken follows, when the page ended before position next and more tells whether the
 * list goes on there; and the token.
 */
bool page_next(const struct page *page, uint64_t next, bool more, char ret_token[PAGE_TOKEN_MAX]);

void sts_assume_role(struct call *call);
void sts_get_caller_identity(struct call *call);
void organizations_describe_organization(struct call *call);
void organizations_list_roots(struct call *call);
void organizations_list_units_for_parent(struct call *call);
void organizations_list_accounts_for_parent(struct call *call);
void organizations_list_accounts(struct call *call);
void account_list_regions(struct call *call);
void ec2_describe_regions(struct call *call);
void acm_list_certificates(struct call *call);
void acm_describe_certificate(struct call *call);
void acm_get_certificate(struct call *call);
void acm_list_tags_for_certificate(struct call *call);
void acm_import_certificate(struct call *call);
void acm_add_tags_to_certificate(struct call *call);
void acm_remove_tags_from_certificate(struct call *call);
void acm_delete_certificate(struct call *call);
void secretsmanager_create_secret(struct call *call);
void secretsmanager_put_secret_value(struct call *call);
void secretsmanager_get_secret_value(struct call *call);
void secretsmanager_describe_secret(struct call *call);
void secretsmanager_delete_secret(struct call *call);
void secretsmanager_restore_secret(struct call *call);
void secretsmanager_list_secrets(struct call *call);
void secretsmanager_tag_resource(struct call *call);
void secretsmanager_untag_resource(struct call *call);

/* Plays a fault of the kinds that spoil a finished answer. */
void spoil_answer(struct call *call, const struct fault_rule *rule);

#endif
