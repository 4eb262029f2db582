/*
 * The AWS shared files (~/.aws/config and ~/.aws/credentials) as far as we use them: one profile's
 * settings merged from both, and its `services` section's endpoints. facts.md 8.3 has the rules.
 */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include "aws/credentials.h"
#include "aws/endpoint.h"

struct err;

struct aws_profile {
	char name[128];
	char file[4096]; /* where its keys were found; "" when without keys */
	bool is_found;	 /* some file has a section for it */
	bool has_keys;
	bool has_other_method; /* not supported yet: role_arn, credential_process, SSO ... */
	char other_method[64];
	struct aws_credentials credentials;
	char region[32];
	char ca_bundle[4096];
	struct endpoint_overrides endpoints; /* services section and endpoint_url */
	int use_fips, use_dualstack;	     /* -1: not set, 0, 1 */
};

/* Reads AWS_CONFIG_FILE / AWS_SHARED_CREDENTIALS_FILE or the defaults below HOME. A missing file is
 * not an error. ERR_CONFIG: unreadable or broken, with file, line and column. name NULL or "":
 * AWS_PROFILE, then "default". */
int aws_profile_load(
	aws_getenv_fn *get, const char *name, struct aws_profile *ret_profile, struct err *err);
void aws_profile_clear(struct aws_profile *profile);

#endif
