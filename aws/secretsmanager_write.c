/*
 * Secrets Manager CreateSecret, GetSecretValue, DeleteSecret and ListSecrets.
 * source: Secrets Manager 2017-10-17 (facts.md section 10)
 */
#include "aws/secretsmanager_write.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "aws/take.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/secret.h"

enum {
	ESCAPED = 6,	  /* bytes of JSON that one byte of text may become */
	BODY_MORE = 1024, /* names of members, brackets, quotes */
	TAG_MORE = 32,	  /* the same of a tag */
	PAGE_ITEMS = 100, /* ListSecrets' maximum */
	TOKEN_MAX = 4096,
	NAME_MAX_BYTES = 512,
	TAG_KEY_BYTES_MAX = 128 * 4,
	TAG_VALUE_BYTES_MAX = 256 * 4,
	TAGS_MAX = 100, /* AWS allows 50, but does not count its own */
	VALUE_MAX = 65536,
	BASE64_MAX = (VALUE_MAX + 2) / 3 * 4,
	ANSWER_MAX = 16384, /* a few names */
	VALUE_ANSWER_MAX = ESCAPED * VALUE_MAX + ANSWER_MAX,
	PAGE_ANSWER_MAX = 16 * 1024 * 1024, /* 100 secrets of 50 tags each, all escaped */
	LIST_MAX = 100000,		    /* ends a NextToken chain that never ends */
};

struct operation {
	const char *name, *expects;
	double per_second;
	size_t reply_max_bytes;
	bool is_secret;
};

/* One quota for all that changes secrets: 50. ListSecrets has no documented one of its own. */
static const struct operation create_secret = {"CreateSecret", "ARN", 50, ANSWER_MAX, false};
static const struct operation get_value = {"GetSecretValue", "ARN", 10000, VALUE_ANSWER_MAX, true};
static const struct operation delete_secret = {"DeleteSecret", NULL, 50, ANSWER_MAX, false};
static const struct operation list_secrets = {
	"ListSecrets", "SecretList", 50, PAGE_ANSWER_MAX, false};

/* A secret body (buf_init_secret) stays one. Clears body. */
static struct aws_call *call_start(struct aws_client *client, const char *region,
	const struct operation *operation, struct buf *take_body, aws_call_done_fn *done, void *arg)
{
	struct aws_request request = {
		.service = AWS_SECRETSMANAGER,
		.operation = operation->name,
		.region = region,
		.path = "/",
		.body = buf_text(take_body),
		.body_len = take_body->len,
		.rate.per_second = operation->per_second,
		.reply_max_bytes = operation->reply_max_bytes,
		.expects = operation->expects,
		.is_secret = operation->is_secret,
		.is_body_secret = take_body->is_secret,
	};
	struct aws_call *call = aws_call_start(client, &request, done, arg);
	buf_clear(take_body);
	return call;
}

static size_t text_len(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

static void add_if_set(struct json_writer *writer, const char *name, const char *text)
{
	if (text_len(text) > 0)
		json_member_text(writer, name, text);
}

/* --- CreateSecret ----------------------------------------------------------------------------- */

/* Never too small: what AWS finds too long it says itself. */
static size_t create_max(const struct secretsmanager_create *create)
{
	size_t text = text_len(create->name) + text_len(create->token) +
		      text_len(create->kms_key_id) + text_len(create->description);
	for (size_t i = 0; i < create->tag_count; i++)
		text += text_len(create->tag[i].key) + text_len(create->tag[i].value) + TAG_MORE;
	return ESCAPED * text + 2 * create->value->len + BODY_MORE;
}

static void write_create(struct json_writer *writer, const struct secretsmanager_create *create)
{
	json_open_object(writer);
	json_member_text(writer, "Name", create->name);
	json_member_text(writer, "ClientRequestToken", create->token);
	add_if_set(writer, "Description", create->description);
	add_if_set(writer, "KmsKeyId", create->kms_key_id);
	json_member_base64(writer, "SecretBinary", secret_bytes(create->value), create->value->len);
	if (create->tag_count > 0) {
		json_key(writer, "Tags");
		json_open_array(writer);
		for (size_t i = 0; i < create->tag_count; i++) {
			const struct acm_tag *tag = &create->tag[i];
			json_open_object(writer);
			json_member_text(writer, "Key", tag->key);
			json_member_text(writer, "Value", tag->value != NULL ? tag->value : "");
			json_close_object(writer);
		}
		json_close_array(writer);
	}
	json_close_object(writer);
}

struct aws_call *secretsmanager_create_start(struct aws_client *client, const char *region,
	const struct secretsmanager_create *create, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init_secret(&body, create_max(create));
	json_writer_init(&writer, &body, false);
	write_create(&writer, create);
	return call_start(client, region, &create_secret, &body, done, arg);
}

/* A request about the secret of that name; closed by the caller. */
static void begin_named(struct buf *body, struct json_writer *writer, const char *name)
{
	buf_init(body, ESCAPED * strlen(name) + BODY_MORE);
	json_writer_init(writer, body, false);
	json_open_object(writer);
	json_member_text(writer, "SecretId", name);
}

/* --- GetSecretValue --------------------------------------------------------------------------- */

struct aws_call *secretsmanager_get_start(struct aws_client *client, const char *region,
	const char *name, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	begin_named(&body, &writer, name);
	json_close_object(&writer);
	return call_start(client, region, &get_value, &body, done, arg);
}

/* The text holds nothing but base64 digits, whole groups of four, and padding at its end. */
static bool is_base64(const char *text, size_t len)
{
	size_t digits =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = strspn(text + digits, "=");
	return len > 0 && len % 4 == 0 && padding <= 2 && digits + padding == len;
}

static int decode(const char *text, struct secret *ret_value, struct err *err)
{
	size_t len = strlen(text);
	if (!is_base64(text, len))
		return err_set(err, ERR_PROTOCOL, "the answer's SecretBinary is not base64");
	struct buf bytes;
	buf_init_secret(&bytes, len);
	char *to = buf_room(&bytes, len / 4 * 3);
	int decoded = EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)text, (int)len);
	size_t padding = strlen(strchrnul(text, '='));
	int rc = 0;
	if (decoded < 0 || (size_t)decoded - padding > SECRET_MAX)
		rc = err_set(err, ERR_LIMIT, "the answer's SecretBinary is larger than %d bytes",
			SECRET_MAX);
	else
		secret_set(ret_value, to, (size_t)decoded - padding);
	buf_clear(&bytes);
	return rc;
}

int secretsmanager_get_take(
	const struct aws_reply *reply, struct secret *ret_value, struct err *err)
{
	const char *binary = NULL, *text = NULL;
	if (json_get_text(reply->json, "SecretBinary", BASE64_MAX, &binary, err) != 0 ||
		json_get_text(reply->json, "SecretString", VALUE_MAX, &text, err) != 0)
		return -1;
	if (binary != NULL)
		return decode(binary, ret_value, err);
	if (text_len(text) == 0)
		return err_set(err, ERR_PROTOCOL, "the answer has no value");
	secret_set(ret_value, text, strlen(text));
	return 0;
}

/* --- DeleteSecret ----------------------------------------------------------------------------- */

struct aws_call *secretsmanager_delete_start(struct aws_client *client, const char *region,
	const char *name, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	begin_named(&body, &writer, name);
	json_member_bool(&writer, "ForceDeleteWithoutRecovery", true);
	json_close_object(&writer);
	return call_start(client, region, &delete_secret, &body, done, arg);
}

/* --- ListSecrets ------------------------------------------------------------------------------ */

static void write_filter(struct json_writer *writer, const char *key, const char *value)
{
	json_open_object(writer);
	json_member_text(writer, "Key", key);
	json_key(writer, "Values");
	json_open_array(writer);
	json_text(writer, value);
	json_close_array(writer);
	json_close_object(writer);
}

struct aws_call *secretsmanager_list_start(struct aws_client *client, const char *region,
	const char *tag_key, const char *tag_value, const char *next_token, aws_call_done_fn *done,
	void *arg)
{
	struct buf body;
	struct json_writer writer;
	size_t text = strlen(tag_key) + strlen(tag_value) + text_len(next_token);
	buf_init(&body, ESCAPED * text + BODY_MORE);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	json_key(&writer, "Filters");
	json_open_array(&writer);
	write_filter(&writer, "tag-key", tag_key);
	write_filter(&writer, "tag-value", tag_value);
	json_close_array(&writer);
	json_member_int(&writer, "MaxResults", PAGE_ITEMS);
	if (next_token != NULL)
		json_member_text(&writer, "NextToken", next_token);
	json_close_object(&writer);
	return call_start(client, region, &list_secrets, &body, done, arg);
}

void secretsmanager_list_clear(struct secretsmanager_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i].name);
	free(list->item);
	*list = (struct secretsmanager_list){.item = NULL};
}

/* AWS's filters match beginnings, and key and value of different tags. */
static int has_tag(const json_t *secret, const char *tag_key, const char *tag_value,
	bool *ret_has_tag, struct err *err)
{
	const json_t *tags = NULL;
	if (json_get_array(secret, "Tags", TAGS_MAX, &tags, err) != 0)
		return -1;
	bool has = false;
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		const char *key = "", *value = "";
		if (json_get_text(tag, "Key", TAG_KEY_BYTES_MAX, &key, err) != 0 ||
			json_get_text(tag, "Value", TAG_VALUE_BYTES_MAX, &value, err) != 0)
			return err_wrap(err, "Tags[%zu]", i);
		has |= strcmp(key, tag_key) == 0 && strcmp(value, tag_value) == 0;
	}
	*ret_has_tag = has;
	return 0;
}

static int take_item(const json_t *secret, const char *tag_key, const char *tag_value,
	struct secretsmanager_list *list, struct err *err)
{
	const char *name = "";
	int64_t created_s = 0;
	bool is_wanted = false;
	if (json_get_text(secret, "Name", NAME_MAX_BYTES, &name, err) != 0 ||
		json_get_time(secret, "CreatedDate", &created_s, err) != 0 ||
		has_tag(secret, tag_key, tag_value, &is_wanted, err) != 0)
		return -1;
	if (name[0] == '\0')
		return err_set(err, ERR_PROTOCOL, "a secret without a Name");
	if (!is_wanted)
		return 0;
	if (list->count == LIST_MAX)
		return err_set(err, ERR_LIMIT, "more than %d secrets", LIST_MAX);
	list->item = xgrow(list->item, &list->capacity, list->count, sizeof(*list->item));
	list->item[list->count++] =
		(struct secretsmanager_item){.name = xstrdup(name), .created_s = created_s};
	return 0;
}

int secretsmanager_list_take(const struct aws_reply *reply, const char *tag_key,
	const char *tag_value, struct secretsmanager_list *list, char **next_token, struct err *err)
{
	const json_t *items = NULL;
	if (json_get_array(reply->json, "SecretList", PAGE_ITEMS, &items, err) != 0)
		return -1;
	size_t count_before = list->count;
	for (size_t i = 0; i < json_array_size(items); i++) {
		if (take_item(json_array_get(items, i), tag_key, tag_value, list, err) != 0) {
			err_wrap(err, "SecretList[%zu]", i);
			goto out;
		}
	}
	if (take_next_token(reply->json, TOKEN_MAX, next_token, err) == 0)
		return 0;
out:
	while (list->count > count_before)
		free(list->item[--list->count].name);
	return -1;
}
