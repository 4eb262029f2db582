/* The list of secrets and their versions (see secrets.h). */
#include "tests/awssim/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "tests/awssim/digest.h"

enum { SUFFIX_LEN = 6 };

static void tag_clear(struct secret_tag *tag)
{
	free(tag->key);
	free(tag->value);
}

static void secret_free(struct secret *secret)
{
	for (size_t i = 0; i < secret->version_count; i++) {
		out_clear(&secret->version[i].value);
		text_list_clear(&secret->version[i].stages);
	}
	free(secret->version);
	for (size_t i = 0; i < secret->tag_count; i++)
		tag_clear(&secret->tag[i]);
	free(secret->name);
	free(secret->arn);
	free(secret->description);
	free(secret->kms_key);
	free(secret);
}

void secrets_clear(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		secret_free(secrets->secret[i]);
	free(secrets->secret);
	*secrets = (struct secrets){0};
}

struct secret *secrets_add(struct secrets *secrets, const struct world *world, size_t account,
	size_t region, const char *name)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	char suffix[SUFFIX_LEN + 1] = "";
	struct secret *secret = mem_alloc(sizeof(*secret));
	struct out arn = {0};
	uint64_t draw = hash_mix(world->seed, ++secrets->made);
	for (uint64_t i = 0; i < SUFFIX_LEN; i++)
		suffix[i] = digit[hash_below(draw, i, sizeof(digit) - 1)];
	out_fmt(&arn, "arn:%s:secretsmanager:%s:%s:secret:%s-%s", world->partition->id,
		world->region[region].name, world->account[account].id, name, suffix);
	secret->account = account;
	secret->region = region;
	secret->name = mem_strdup(name);
	secret->arn = arn.data;
	secrets->secret =
		mem_resize(secrets->secret, (secrets->count + 1) * sizeof(struct secret *));
	secrets->secret[secrets->count++] = secret;
	return secret;
}

struct secret *secrets_find(
	const struct secrets *secrets, size_t account, size_t region, const char *id)
{
	for (size_t i = 0; i < secrets->count; i++) {
		struct secret *secret = secrets->secret[i];
		size_t len = strlen(secret->arn) - SUFFIX_LEN - 1;
		if (secret->is_gone || secret->account != account || secret->region != region)
			continue;
		if (strcmp(secret->name, id) == 0 || strcmp(secret->arn, id) == 0 ||
			(strlen(id) == len && strncmp(secret->arn, id, len) == 0))
			return secret;
	}
	return NULL;
}

void secrets_expire(struct secrets *secrets, int64_t now_s, int64_t mono_ms)
{
	for (size_t i = 0; i < secrets->count; i++) {
		struct secret *secret = secrets->secret[i];
		if (secret->is_gone || secret->deleted_s == 0 ||
			(secret->is_forced ? mono_ms < secret->gone_ms
					   : now_s < secret->deletion_s))
			continue;
		secret->is_gone = true;
		for (size_t k = 0; k < secret->version_count; k++)
			out_clear(&secret->version[k].value);
	}
}

struct secret_version *secret_version_add(struct secret *secret, const char *id, const void *value,
	size_t len, bool is_binary, int64_t now_s)
{
	unsigned char hash[SHA256_LEN];
	struct out hex = {0};
	secret->version =
		mem_resize(secret->version, (secret->version_count + 1) * sizeof(*secret->version));
	struct secret_version *version = &secret->version[secret->version_count++];
	*version = (struct secret_version){
		.is_binary = is_binary, .value_len = len, .created_s = now_s};
	slice_copy(slice_of(id), version->id, sizeof(version->id));
	out_bytes(&version->value, value, len);
	digest_sha256(value, len, hash);
	out_hex(&hex, hash, sizeof(hash));
	memcpy(version->sha256, hex.data, sizeof(version->sha256));
	out_clear(&hex);
	secret->changed_s = now_s;
	return version;
}

struct secret_version *secret_version_find(const struct secret *secret, const char *id)
{
	for (size_t i = 0; i < secret->version_count; i++)
		if (strcmp(secret->version[i].id, id) == 0)
			return &secret->version[i];
	return NULL;
}

struct secret_version *secret_version_staged(const struct secret *secret, const char *stage)
{
	for (size_t i = 0; i < secret->version_count; i++)
		for (size_t k = 0; k < secret->version[i].stages.count; k++)
			if (strcmp(secret->version[i].stages.item[k], stage) == 0)
				return &secret->version[i];
	return NULL;
}

void secret_stage_move(struct secret *secret, struct secret_version *version, const char *stage)
{
	struct secret_version *old = secret_version_staged(secret, stage);
	if (old == version)
		return;
	if (old != NULL)
		text_list_remove(&old->stages, stage);
	text_list_add(&version->stages, stage);
	if (old != NULL && strcmp(stage, "AWSCURRENT") == 0)
		secret_stage_move(secret, old, "AWSPREVIOUS");
}

bool secret_version_is(
	const struct secret_version *version, const void *value, size_t len, bool is_binary)
{
	return version->is_binary == is_binary && version->value.len == len &&
	       memcmp(version->value.data, value, len) == 0;
}

static size_t tag_position(const struct secret *secret, const char *key)
{
	size_t at = 0;
	while (at < secret->tag_count && strcmp(secret->tag[at].key, key) != 0)
		at++;
	return at;
}

bool secret_tag_set(struct secret *secret, const char *key, const char *value)
{
	size_t at = tag_position(secret, key);
	if (at == SECRET_TAGS_MAX)
		return false;
	if (at == secret->tag_count)
		secret->tag[secret->tag_count++].key = mem_strdup(key);
	else
		free(secret->tag[at].value);
	secret->tag[at].value = mem_strdup(value);
	return true;
}

void secret_tag_remove(struct secret *secret, const char *key)
{
	size_t at = tag_position(secret, key);
	if (at == secret->tag_count)
		return;
	tag_clear(&secret->tag[at]);
	secret->tag[at] = secret->tag[--secret->tag_count];
}

static void add_time(struct out *out, const char *key, int64_t time_s)
{
	char text[TIME_TEXT_MAX];
	time_format_rfc3339(time_s, text);
	json_member(out, key, time_s != 0 ? text : NULL);
}

static void list_versions(const struct secret *secret, struct out *out)
{
	json_key(out, "versions");
	json_open(out, '[');
	for (size_t i = 0; i < secret->version_count; i++) {
		const struct secret_version *version = &secret->version[i];
		json_open(out, '{');
		json_member(out, "id", version->id);
		json_member(out, "sha256", version->sha256);
		json_member_int(out, "bytes", (int64_t)version->value_len);
		json_member_bool(out, "is_binary", version->is_binary);
		json_key(out, "stages");
		json_open(out, '[');
		for (size_t k = 0; k < version->stages.count; k++)
			json_text(out, version->stages.item[k]);
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

void secrets_list(const struct secrets *secrets, const struct world *world, struct out *out)
{
	json_open(out, '[');
	for (size_t i = 0; i < secrets->count; i++) {
		const struct secret *secret = secrets->secret[i];
		const char *state = secret->deleted_s != 0 ? "scheduled" : "active";
		json_open(out, '{');
		json_member(out, "account_id", world->account[secret->account].id);
		json_member(out, "region", world->region[secret->region].name);
		json_member(out, "name", secret->name);
		json_member(out, "arn", secret->arn);
		json_member(out, "state", secret->is_gone ? "gone" : state);
		json_member_bool(out, "forced", secret->is_forced);
		json_member(out, "description", secret->description);
		json_member(out, "kms_key_id", secret->kms_key);
		add_time(out, "created_at", secret->created_s);
		add_time(out, "changed_at", secret->changed_s);
		add_time(out, "deleted_at", secret->deleted_s);
		add_time(out, "deletion_date", secret->deletion_s);
		json_key(out, "tags");
		json_open(out, '{');
		for (size_t k = 0; k < secret->tag_count; k++)
			json_member(out, secret->tag[k].key, secret->tag[k].value);
		json_close(out, '}');
		list_versions(secret, out);
		json_close(out, '}');
	}
	json_close(out, ']');
}
