#include "sensor/connector_network.h"

#include <stdlib.h>
#include <string.h>

#include "aws/profile.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/config.h"

#define USER_AGENT "acmsensor/" ACMSENSOR_VERSION

static const char *get_variable(const char *name)
{
	return getenv(name);
}

static void set_override(char *to, const char *url)
{
	(void)text_copy(to, ENDPOINT_URL_MAX, url); /* its length was checked when it was read */
}

static void configured_overrides(
	const struct config_connector *config, struct endpoint_overrides *overrides)
{
	*overrides = (struct endpoint_overrides){.is_ignored = false};
	set_override(overrides->all, config->endpoint_url);
	set_override(overrides->service[AWS_STS], config->endpoint_url_sts);
	set_override(overrides->service[AWS_ORGANIZATIONS], config->endpoint_url_organizations);
	set_override(overrides->service[AWS_ACCOUNT], config->endpoint_url_account);
	set_override(overrides->service[AWS_EC2], config->endpoint_url_ec2);
	set_override(overrides->service[AWS_ACM], config->endpoint_url_acm);
	set_override(overrides->service[AWS_SECRETSMANAGER], config->endpoint_url_secretsmanager);
}

/* The first that is set: configuration, environment, profile. */
static const char *ca_bundle_of(
	const struct config_connector *config, const struct aws_profile *profile)
{
	const char *from_environment = get_variable("AWS_CA_BUNDLE");
	if (config->ca_bundle[0] != '\0')
		return config->ca_bundle;
	if (from_environment != NULL && from_environment[0] != '\0')
		return from_environment;
	return profile->ca_bundle;
}

static int init_network(const struct config_connector *config, const struct aws_profile *profile,
	struct aws_network *network, struct err *err)
{
	struct endpoint_overrides *overrides = xcalloc(1, sizeof(*overrides));
	configured_overrides(config, overrides);
	int rc = endpoint_options_merge(&(struct endpoint_sources){.configured = overrides,
						.configured_use_fips = config->use_fips,
						.configured_use_dualstack = config->use_dualstack,
						.get = get_variable,
						.profile = &profile->endpoints,
						.profile_use_fips = profile->use_fips,
						.profile_use_dualstack = profile->use_dualstack},
		&network->endpoints, err);
	network->proxy = config->proxy;
	network->no_proxy = config->no_proxy;
	network->ca_bundle = ca_bundle_of(config, profile);
	network->timeouts =
		(struct http_timeouts){.connect_ms = (int)config->connect_timeout_s * 1000,
			.first_byte_ms = (int)config->answer_timeout_s * 1000,
			.stall_ms = (int)config->answer_timeout_s * 500};
	free(overrides);
	return rc;
}

static struct cred_source *make_source(struct aws *aws, const struct config_connector *config)
{
	const struct cred_options options = {
		.aws = aws, .getenv = get_variable, .profile = config->profile};
	switch (config->auth) {
	case CONFIG_AUTH_DEFAULT:
		return cred_default_new(&options);
	case CONFIG_AUTH_PROFILE:
		return cred_profile_new(&options);
	}
	abort();
}

int connector_network_init(struct connector_network *network, struct loop *loop, struct http *http,
	const struct config_connector *config, struct err *err)
{
	struct aws_profile *profile = xcalloc(1, sizeof(*profile));
	struct aws_network *way = xcalloc(1, sizeof(*way));
	int rc = aws_profile_load(get_variable, config->profile, profile, err);
	if (rc == 0)
		rc = init_network(config, profile, way, err);
	if (rc == 0) {
		network->aws = aws_new(loop, http, USER_AGENT);
		network->source = make_source(network->aws, config);
		network->hub = aws_client_new(network->aws, way, "", network->source);
	}
	aws_profile_clear(profile);
	free(profile);
	free(way);
	return rc;
}

void connector_network_clear(struct connector_network *network)
{
	if (network->aws == NULL)
		return;
	aws_client_free(network->hub);
	cred_source_free(network->source);
	aws_free(network->aws);
	*network = (struct connector_network){.aws = NULL};
}
