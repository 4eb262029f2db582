/*
 * AWS Secrets Manager: keys in escrow. For delivery/ only. source: Secrets Manager 2017-10-17, JSON
 * 1.1; facts.md 10.
 */
#ifndef AWS_SECRETSMANAGER_WRITE_H
#define AWS_SECRETSMANAGER_WRITE_H

#include "aws/acm_read.h"

struct secret;

struct secretsmanager_create {
	const char *name;	    /* 1 to 512 of [A-Za-z0-9/_+=.@-] */
	const char *token;	    /* ClientRequestToken: a UUID, the same for each try */
	const struct secret *value; /* 1 to 65536 bytes */
	const char *kms_key_id;	    /* NULL or "": the account's own */
	const char *description;
	const struct acm_tag *tag;
	size_t tag_count;
};
/*
 * Idempotent by its token: asked again with the same value it succeeds. The value goes as bytes
 * (SecretBinary). err: ERR_REFUSED with code ResourceExistsException: the name has another token or
 * value; InvalidRequestException: it is still being deleted.
 */
struct aws_call *secretsmanager_create_start(struct aws_client *client, const char *region,
	const struct secretsmanager_create *create, aws_call_done_fn *done, void *arg);
/* ERR_NOT_FOUND, also for seconds after the create. */
struct aws_call *secretsmanager_get_start(struct aws_client *client, const char *region,
	const char *name, aws_call_done_fn *done, void *arg);
/* Bytes or text, whichever it was made of. ERR_PROTOCOL, ERR_LIMIT: more than SECRET_MAX. */
int secretsmanager_get_take(
	const struct aws_reply *reply, struct secret *ret_value, struct err *err);
/* At once, without a recovery window. For AWS one that is not there is no error; should it be one
 * after all (ERR_NOT_FOUND), it means the same. */
struct aws_call *secretsmanager_delete_start(struct aws_client *client, const char *region,
	const char *name, aws_call_done_fn *done, void *arg);

struct secretsmanager_item {
	char *name; /* owned */
	int64_t created_s;
};
struct secretsmanager_list {
	struct secretsmanager_item *item; /* owned */
	size_t count, capacity;
};
void secretsmanager_list_clear(struct secretsmanager_list *list);
/* Those with a tag of that key and value (ListSecrets filters; checked again here). */
struct aws_call *secretsmanager_list_start(struct aws_client *client, const char *region,
	const char *tag_key, const char *tag_value, const char *next_token, aws_call_done_fn *done,
	void *arg);
/* Appends those with the tag; *next_token as in acm_list_certificates_take. ERR_PROTOCOL,
 * ERR_LIMIT; list and token unchanged then. */
int secretsmanager_list_take(const struct aws_reply *reply, const char *tag_key,
	const char *tag_value, struct secretsmanager_list *list, char **next_token,
	struct err *err);

#endif
