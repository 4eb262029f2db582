/* Secrets Manager: permission, look-up, CreateSecret, PutSecretValue, GetSecretValue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/consistency.h"
#include "tests/awssim/import_pem.h"
#include "tests/awssim/secretsmanager.h"

enum {
	NAME_MAX_LEN = 512,
	TOKEN_MIN = 32,
	VALUE_MAX = 65536,
	DESCRIPTION_MAX = 2048,
	STAGES_MAX = 20
};

static const char invalid_parameter[] = "InvalidParameterException";
static const char invalid_request[] = "InvalidRequestException";
static const char not_found[] = "ResourceNotFoundException";

/* A value as it came. */
struct value {
	struct out bytes; /* owned */
	bool is_given, is_binary;
};

void secrets_fail(struct call *call, const char *code, const char *format, ...)
{
	struct out text = {0};
	va_list args;
	va_start(args, format);
	out_vfmt(&text, format, args);
	va_end(args);
	call_fail(call, 400, code, "%s", text.data);
	out_clear(&text);
}

bool secrets_may(struct call *call, const char *action, const char *resource)
{
	const struct world *world = call->sim->world;
	const struct account *account = &world->account[call->who->account];
	if (account->scp_all || (account->scp_regions >> call->region & 1) != 0) {
		call_deny_scp(call, action, resource);
		return false;
	}
	if (world_denies(world, call->who->account, action)) {
		call_deny_identity(call, action, resource);
		return false;
	}
	return true;
}

bool secrets_is_late(const struct call *call, const struct secret *secret)
{
	return sim_mono_ms() < secret->created_ms + call->sim->consistency.delay_ms;
}

/* The ARN's account; an ARN of another one is refused without a look. */
static bool is_own_arn(const struct call *call, const char *id)
{
	const char *own = call->sim->world->account[call->who->account].id;
	const char *at = strstr(id, ":secret:");
	return strncmp(id, "arn:", 4) != 0 ||
	       (at != NULL && at - id > ACCOUNT_ID_LEN &&
		       strncmp(at - ACCOUNT_ID_LEN, own, ACCOUNT_ID_LEN) == 0);
}

struct secret *secrets_named(struct call *call, const char *action, enum secrets_view view)
{
	struct sim *sim = call->sim;
	const char *id;
	if (!input_text(call, "SecretId", &id))
		return NULL;
	if (id == NULL || id[0] == '\0') {
		secrets_fail(call, invalid_parameter, "You must provide a SecretId.");
		return NULL;
	}
	if (!is_own_arn(call, id)) {
		call_deny_identity(call, action, id);
		return NULL;
	}
	if (!secrets_may(call, action, id))
		return NULL;
	secrets_expire(&sim->secrets, call->now_s, sim_mono_ms());
	struct secret *secret =
		secrets_find(&sim->secrets, call->who->account, (size_t)call->region, id);
	bool is_read = view == SECRETS_READ || view == SECRETS_ANY;
	if (secret == NULL || (is_read && secrets_is_late(call, secret))) {
		secrets_fail(call, not_found, "Secrets Manager can't find the specified secret.");
		return NULL;
	}
	if (secret->deleted_s != 0 && (view == SECRETS_READ || view == SECRETS_WRITE)) {
		secrets_fail(call, invalid_request,
			"You can't perform this operation on the secret because it was marked for "
			"deletion.");
		return NULL;
	}
	return secret;
}

void secrets_answer_name(struct call *call, const struct secret *secret, const char *version_id)
{
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_member(body, "ARN", secret->arn);
	json_member(body, "Name", secret->name);
	if (version_id != NULL)
		json_member(body, "VersionId", version_id);
	json_close(body, '}');
}

/* Required: every SDK makes one. False after an error was answered. */
static bool read_token(struct call *call, const char **ret_token)
{
	if (!input_text(call, "ClientRequestToken", ret_token))
		return false;
	if (*ret_token == NULL) {
		secrets_fail(call, invalid_request,
			"You must provide a ClientRequestToken value. We recommend a UUID-type value.");
		return false;
	}
	size_t len = strlen(*ret_token);
	if (len < TOKEN_MIN || len > SECRET_TOKEN_MAX) {
		secrets_fail(call, invalid_parameter,
			"ClientRequestToken must be 32-64 characters long.");
		return false;
	}
	return true;
}

static bool read_value(struct call *call, struct value *value)
{
	const char *text, *binary;
	if (!input_text(call, "SecretString", &text) || !input_text(call, "SecretBinary", &binary))
		return false;
	if (text != NULL && binary != NULL) {
		secrets_fail(call, invalid_parameter,
			"You can't specify both a binary secret value and a string secret value in the "
			"same secret.");
		return false;
	}
	value->is_given = text != NULL || binary != NULL;
	value->is_binary = binary != NULL;
	if (text != NULL)
		out_bytes(&value->bytes, text, strlen(text));
	if (binary != NULL && !base64_decode(slice_of(binary), &value->bytes)) {
		call_fail_common(call, ERROR_MALFORMED, "SecretBinary is not base64");
		return false;
	}
	if (value->is_given && (value->bytes.len == 0 || value->bytes.len > VALUE_MAX)) {
		secrets_fail(call, invalid_parameter, "The secret value must have 1 to %d bytes.",
			VALUE_MAX);
		return false;
	}
	return true;
}

static bool is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+=.@-";
	size_t len = name != NULL ? strlen(name) : 0;
	return len >= 1 && len <= NAME_MAX_LEN && strspn(name, allowed) == len;
}

static bool encryption_fails(struct call *call, const char *kms_key)
{
	if (kms_key == NULL || !call->sim->secrets_settings.encrypt_fails)
		return false;
	secrets_fail(call, "EncryptionFailure",
		"Secrets Manager can't encrypt the protected secret text using the provided KMS key.");
	return true;
}

/* Name is taken: the same call again, another one, or one that is being deleted. */
static void answer_existing(struct call *call, const struct secret *secret, const char *token,
	const struct value *value)
{
	const struct secret_version *version = secret_version_find(secret, token);
	if (secret->deleted_s != 0)
		secrets_fail(call, invalid_request,
			"You can't create this secret because a secret with this name is already "
			"scheduled for deletion.");
	else if (version != NULL && value->is_given &&
		 secret_version_is(version, value->bytes.data, value->bytes.len, value->is_binary))
		secrets_answer_name(call, secret, token);
	else
		secrets_fail(call, "ResourceExistsException",
			"The operation failed because the secret %s already exists.", secret->name);
}

static void create(
	struct call *call, const char *name, const char *token, const struct value *value)
{
	struct sim *sim = call->sim;
	const char *description, *kms_key;
	if (!input_text(call, "Description", &description) ||
		!input_text(call, "KmsKeyId", &kms_key) || !secrets_check_tags(call, NULL))
		return;
	if (description != NULL && strlen(description) > DESCRIPTION_MAX) {
		secrets_fail(call, invalid_parameter, "Description is too long.");
		return;
	}
	secrets_expire(&sim->secrets, call->now_s, sim_mono_ms());
	const struct secret *old =
		secrets_find(&sim->secrets, call->who->account, (size_t)call->region, name);
	if (old != NULL) {
		answer_existing(call, old, token, value);
		return;
	}
	if (encryption_fails(call, kms_key))
		return;
	struct secret *secret = secrets_add(
		&sim->secrets, sim->world, call->who->account, (size_t)call->region, name);
	secret->description = description != NULL ? mem_strdup(description) : NULL;
	secret->kms_key = kms_key != NULL ? mem_strdup(kms_key) : NULL;
	secret->created_s = secret->changed_s = call->now_s;
	secret->created_ms = sim_mono_ms();
	secrets_take_tags(call, secret);
	if (value->is_given)
		secret_stage_move(secret,
			secret_version_add(secret, token, value->bytes.data, value->bytes.len,
				value->is_binary, call->now_s),
			"AWSCURRENT");
	secrets_answer_name(call, secret, value->is_given ? token : NULL);
}

void secretsmanager_create_secret(struct call *call)
{
	struct value value = {0};
	const char *name, *token;
	if (!input_text(call, "Name", &name))
		return;
	if (!is_name(name)) {
		secrets_fail(call, invalid_parameter,
			"Invalid name. Must be a valid name containing alphanumeric characters, or any "
			"of the following: -/_+=.@");
		return;
	}
	bool has_tags = json_array_size(json_object_get(call->input, "Tags")) > 0;
	if (secrets_may(call, "secretsmanager:CreateSecret", name) &&
		(!has_tags || secrets_may(call, "secretsmanager:TagResource", name)) &&
		read_token(call, &token) && read_value(call, &value))
		create(call, name, token, &value);
	out_clear(&value.bytes);
}

static bool read_stages(struct call *call)
{
	const json_t *stages = json_object_get(call->input, "VersionStages");
	size_t count = json_array_size(stages);
	bool is_good =
		stages == NULL || (json_is_array(stages) && count >= 1 && count <= STAGES_MAX);
	for (size_t i = 0; i < count; i++)
		is_good = is_good && json_is_string(json_array_get(stages, i));
	if (!is_good)
		secrets_fail(call, invalid_parameter, "VersionStages must be 1 to 20 labels.");
	return is_good;
}

static void put(
	struct call *call, struct secret *secret, const char *token, const struct value *value)
{
	const json_t *stages = json_object_get(call->input, "VersionStages");
	struct secret_version *version = secret_version_find(secret, token);
	if (version != NULL && !secret_version_is(version, value->bytes.data, value->bytes.len,
				       value->is_binary)) {
		secrets_fail(call, "ResourceExistsException",
			"You can't modify an existing secret version.");
		return;
	}
	if (version == NULL && secret->version_count == SECRET_VERSIONS_MAX) {
		secrets_fail(call, "LimitExceededException", "The secret has too many versions.");
		return;
	}
	if (encryption_fails(call, secret->kms_key))
		return;
	if (version == NULL) {
		version = secret_version_add(secret, token, value->bytes.data, value->bytes.len,
			value->is_binary, call->now_s);
		if (stages == NULL)
			secret_stage_move(secret, version, "AWSCURRENT");
		for (size_t i = 0; i < json_array_size(stages); i++)
			secret_stage_move(
				secret, version, json_string_value(json_array_get(stages, i)));
	}
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_member(body, "ARN", secret->arn);
	json_member(body, "Name", secret->name);
	json_member(body, "VersionId", version->id);
	json_key(body, "VersionStages");
	json_open(body, '[');
	for (size_t i = 0; i < version->stages.count; i++)
		json_text(body, version->stages.item[i]);
	json_close(body, ']');
	json_close(body, '}');
}

void secretsmanager_put_secret_value(struct call *call)
{
	struct value value = {0};
	const char *token;
	struct secret *secret = secrets_named(call, "secretsmanager:PutSecretValue", SECRETS_WRITE);
	if (secret == NULL)
		return;
	if (read_token(call, &token) && read_stages(call) && read_value(call, &value)) {
		if (value.is_given)
			put(call, secret, token, &value);
		else
			secrets_fail(call, invalid_parameter,
				"You must provide either SecretString or SecretBinary.");
	}
	out_clear(&value.bytes);
}

static void answer_value(
	struct call *call, const struct secret *secret, const struct secret_version *version)
{
	struct out *body = &call->reply->body, base64 = {0};
	json_open(body, '{');
	json_member(body, "ARN", secret->arn);
	json_member(body, "Name", secret->name);
	json_member(body, "VersionId", version->id);
	if (version->is_binary) {
		out_base64(&base64, (const unsigned char *)version->value.data, version->value.len);
		json_member(body, "SecretBinary", base64.data);
	} else {
		json_key(body, "SecretString");
		json_text_len(body, version->value.data, version->value.len);
	}
	json_key(body, "VersionStages");
	json_open(body, '[');
	for (size_t i = 0; i < version->stages.count; i++)
		json_text(body, version->stages.item[i]);
	json_close(body, ']');
	json_key(body, "CreatedDate");
	out_fmt(body, "%lld.%03u", (long long)version->created_s,
		(unsigned)(version->created_s % 1000));
	json_close(body, '}');
	out_clear(&base64);
}

void secretsmanager_get_secret_value(struct call *call)
{
	const char *id, *stage;
	const struct secret *secret =
		secrets_named(call, "secretsmanager:GetSecretValue", SECRETS_READ);
	if (secret == NULL || !input_text(call, "VersionId", &id) ||
		!input_text(call, "VersionStage", &stage))
		return;
	const struct secret_version *version =
		id != NULL ? secret_version_find(secret, id)
			   : secret_version_staged(secret, stage != NULL ? stage : "AWSCURRENT");
	if (version == NULL ||
		(id != NULL && stage != NULL && secret_version_staged(secret, stage) != version)) {
		secrets_fail(call, not_found,
			"Secrets Manager can't find the specified secret value for %s: %s",
			id != NULL ? "VersionId" : "staging label",
			id != NULL ? id : (stage != NULL ? stage : "AWSCURRENT"));
		return;
	}
	if (secret->kms_key != NULL && call->sim->secrets_settings.decrypt_fails) {
		secrets_fail(call, "DecryptionFailure",
			"Secrets Manager can't decrypt the protected secret text using the provided "
			"KMS key.");
		return;
	}
	answer_value(call, secret, version);
}
