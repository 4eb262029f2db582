/* Credentials from the environment variables that every AWS tool reads. source: facts.md 8.2 */
#include <stdlib.h>
#include <string.h>

#include "aws/cred_internal.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

struct environment {
	struct cred_provider provider;
	aws_getenv_fn *get; /* borrowed */
};

/* NULL when not set; an empty variable counts as not set. */
static const char *variable(const struct environment *environment, const char *name)
{
	const char *value = environment->get(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

static int check(const char *key_id, const char *secret, const char *token, struct err *err)
{
	if (key_id == NULL || secret == NULL)
		return err_set(err, ERR_CONFIG, "environment: %s is set, but %s is not",
			key_id != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
			key_id != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	if (strlen(key_id) > AWS_ACCESS_KEY_ID_MAX)
		return err_set(err, ERR_CONFIG, "environment: AWS_ACCESS_KEY_ID is longer than %d",
			AWS_ACCESS_KEY_ID_MAX);
	if (strlen(secret) > SECRET_MAX || (token != NULL && strlen(token) > SECRET_MAX))
		return err_set(err, ERR_CONFIG,
			"environment: AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is longer than %d",
			SECRET_MAX);
	return 0;
}

static int load(
	struct cred_provider *provider, struct aws_credentials *ret_credentials, struct err *err)
{
	const struct environment *environment = (const struct environment *)provider;
	const char *key_id = variable(environment, "AWS_ACCESS_KEY_ID");
	const char *secret = variable(environment, "AWS_SECRET_ACCESS_KEY");
	const char *token = variable(environment, "AWS_SESSION_TOKEN");
	const char *end = variable(environment, "AWS_CREDENTIAL_EXPIRATION");
	if (key_id == NULL && secret == NULL) {
		err_set(err, ERR_CREDENTIALS, "environment: AWS_ACCESS_KEY_ID is not set");
		return err_set_code(err, CRED_NOT_CONFIGURED);
	}
	if (check(key_id, secret, token, err) != 0)
		return -1;
	int64_t expires_at_s = 0;
	if (end != NULL && text_parse_time(end, &expires_at_s, err) != 0)
		return err_wrap(err, "environment: AWS_CREDENTIAL_EXPIRATION");
	(void)text_copy(ret_credentials->access_key_id, sizeof(ret_credentials->access_key_id),
		key_id); /* its length is checked */
	secret_set(&ret_credentials->secret_access_key, secret, strlen(secret));
	if (token != NULL)
		secret_set(&ret_credentials->session_token, token, strlen(token));
	ret_credentials->expires_at_s = expires_at_s;
	return 0;
}

static void environment_free(struct cred_provider *provider)
{
	free(provider);
}

static const char *name(const struct cred_provider *provider)
{
	(void)provider;
	return "environment";
}

static const struct cred_provider_ops ops = {.load = load, .free = environment_free, .name = name};

struct cred_provider *cred_environment_provider(aws_getenv_fn *get)
{
	struct environment *environment = xcalloc(1, sizeof(*environment));
	environment->provider.ops = &ops;
	environment->get = get;
	return &environment->provider;
}

struct cred_source *cred_environment_new(const struct cred_options *options)
{
	return cred_source_new(options->aws, cred_environment_provider(options->getenv));
}
