/* Credentials from a profile of the AWS shared files: so far its static keys. */
#include <stdlib.h>
#include <string.h>

#include "aws/cred_internal.h"
#include "aws/profile.h"
#include "base/err.h"
#include "base/mem.h"

struct profile_provider {
	struct cred_provider provider;
	aws_getenv_fn *get; /* borrowed */
	char *asked;	    /* owned; NULL: AWS_PROFILE, then "default" */
	char *description;  /* owned; "profile prod (/root/.aws/credentials)" */
};

/* A profile that was asked for must be there; "default" need not. */
static bool was_asked_for(const struct profile_provider *of)
{
	const char *variable = of->get("AWS_PROFILE");
	return of->asked != NULL || (variable != NULL && variable[0] != '\0');
}

static int refuse(
	const struct profile_provider *of, const struct aws_profile *profile, struct err *err)
{
	if (profile->has_other_method)
		return err_set(err, ERR_CONFIG,
			"profile %s uses %s, which this version cannot do yet", profile->name,
			profile->other_method);
	if (profile->is_found)
		err_set(err, ERR_CREDENTIALS, "profile %s has no access key", profile->name);
	else
		err_set(err, ERR_CREDENTIALS,
			"there is no profile %s in the AWS config and credentials files",
			profile->name);
	return was_asked_for(of) ? -1 : err_set_code(err, CRED_NOT_CONFIGURED);
}

static int load(
	struct cred_provider *provider, struct aws_credentials *ret_credentials, struct err *err)
{
	struct profile_provider *of = (struct profile_provider *)provider;
	struct aws_profile *profile = xcalloc(1, sizeof(*profile));
	int rc = aws_profile_load(of->get, of->asked, profile, err);
	if (rc == 0 && !profile->has_keys)
		rc = refuse(of, profile, err);
	if (rc == 0) {
		aws_credentials_move(ret_credentials, &profile->credentials);
		free(of->description);
		of->description = xasprintf("profile %s (%s)", profile->name, profile->file);
	}
	aws_profile_clear(profile);
	free(profile);
	return rc;
}

static void profile_free(struct cred_provider *provider)
{
	struct profile_provider *of = (struct profile_provider *)provider;
	free(of->asked);
	free(of->description);
	free(of);
}

static const char *name(const struct cred_provider *provider)
{
	return ((const struct profile_provider *)provider)->description;
}

static const struct cred_provider_ops ops = {.load = load, .free = profile_free, .name = name};

struct cred_provider *cred_profile_provider(aws_getenv_fn *get, const char *profile)
{
	struct profile_provider *of = xcalloc(1, sizeof(*of));
	bool is_named = profile != NULL && profile[0] != '\0';
	of->provider.ops = &ops;
	of->get = get;
	of->asked = is_named ? xstrdup(profile) : NULL;
	const char *variable = get("AWS_PROFILE");
	bool has_variable = variable != NULL && variable[0] != '\0';
	const char *fallback = has_variable ? variable : "default";
	of->description = xasprintf("profile %s", is_named ? profile : fallback);
	return &of->provider;
}

struct cred_source *cred_profile_new(const struct cred_options *options)
{
	return cred_source_new(
		options->aws, cred_profile_provider(options->getenv, options->profile));
}
