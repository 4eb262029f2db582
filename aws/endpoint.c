/* The table of endpoints. The names follow rules; what AWS does not offer is listed. */
#include "aws/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "aws/endpoint_internal.h"
#include "aws/partition.h"
#include "base/err.h"
#include "base/text.h"

enum { FIPS_REGIONS_MAX = 9 };

struct row {
	const char *host; /* first label */
	/* Known regions with a FIPS endpoint, but those of GovCloud, which all have one; NULL at
	 * the end. Not for global services: theirs has one in the partition aws. */
	const char *fips_region[FIPS_REGIONS_MAX + 1];
	/* All endpoints of GovCloud are FIPS endpoints, and most have no other name. */
	bool is_gov_fips_plain;
	/* In the three public partitions the usual name has IPv6 addresses too. */
	bool is_dual_plain;
};

static const struct row table[AWS_SERVICES] = {
	[AWS_STS] = {"sts", {"us-east-1", "us-east-2", "us-west-1", "us-west-2"}, true, false},
	[AWS_ORGANIZATIONS] = {"organizations", {NULL}, true, false},
	[AWS_ACCOUNT] = {"account", {NULL}, false, false},
	[AWS_EC2] = {"ec2",
		{"ca-central-1", "ca-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"},
		true, false},
	[AWS_ACM] = {"acm",
		{"ca-central-1", "ca-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"},
		true, false},
	[AWS_SECRETSMANAGER] = {"secretsmanager",
		{"ca-central-1", "ca-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
			"us-iso-east-1", "us-iso-west-1", "us-isob-east-1"},
		false, true},
};

static bool is_gov(const struct partition *partition)
{
	return strcmp(partition->name, "aws-us-gov") == 0;
}

static bool has_fips(
	enum aws_service service, const char *region, const struct partition *partition)
{
	if (is_gov(partition))
		return true;
	if (aws_service_info(service)->is_global)
		return strcmp(partition->name, "aws") == 0;
	bool is_known = partition_region_is_known(region);
	for (const char *const *at = table[service].fips_region; *at != NULL; at++) {
		/* A region newer than this table: by the rule, where its partition has any. */
		if (is_known ? strcmp(*at, region) == 0 : partition_of_region(*at) == partition)
			return true;
	}
	return false;
}

static bool is_public(const struct partition *partition)
{
	return strcmp(partition->name, "aws") == 0 || strcmp(partition->name, "aws-cn") == 0 ||
	       is_gov(partition);
}

static int resolve_by_table(enum aws_service service, const char *region,
	const struct endpoint_options *options, struct endpoint *ret_endpoint, struct err *err)
{
	const struct partition *partition = partition_of_region(region);
	const struct aws_service_info *info = aws_service_info(service);
	const struct row *row = &table[service];
	if (options->use_fips && !has_fips(service, region, partition))
		return err_set(err, ERR_CONFIG,
			"%s has no FIPS endpoint in %s: leave the region out, switch use_fips off, "
			"or name one with AWS_ENDPOINT_URL_%s",
			info->name, region, info->env_id);
	bool is_plain = is_gov(partition) && row->is_gov_fips_plain && !options->use_dualstack;
	bool has_dual_name =
		options->use_dualstack && !(row->is_dual_plain && is_public(partition));
	char url[ENDPOINT_URL_MAX];
	snprintf(url, sizeof(url), "https://%s%s.%s.%s", row->host,
		options->use_fips && !is_plain ? "-fips" : "",
		info->is_global ? partition->global_region : region,
		has_dual_name ? partition->dual_stack_suffix : partition->dns_suffix);
	return endpoint_parse_url(url, ret_endpoint, err);
}

int endpoint_resolve(enum aws_service service, const char *region,
	const struct endpoint_options *options, struct endpoint *ret_endpoint, struct err *err)
{
	const struct aws_service_info *info = aws_service_info(service);
	if (!text_is_region(region))
		return err_set(err, ERR_CONFIG, "%s: \"%.32s\" is not the name of a region",
			info->name, region);
	const struct endpoint_overrides *overrides = &options->overrides;
	const char *override = overrides->service[service];
	if (override[0] == '\0')
		override = overrides->all;

	struct endpoint made = {.url = ""};
	int rc = override[0] != '\0' ? endpoint_parse_url(override, &made, err)
				     : resolve_by_table(service, region, options, &made, err);
	if (rc != 0)
		return -1;
	snprintf(made.signing_region, sizeof(made.signing_region), "%s",
		info->is_global ? partition_of_region(region)->global_region : region);
	*ret_endpoint = made;
	return 0;
}
