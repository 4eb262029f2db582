/* The table of services. source: botocore 1.43.67 service models (facts.md, services at a
 * glance). */
#include "aws/service.h"

#include <assert.h>

#define JSON_1_1 "application/x-amz-json-1.1"
#define FORM	 "application/x-www-form-urlencoded; charset=utf-8"

static const struct aws_service_info service_info[AWS_SERVICES] = {
	[AWS_STS] =
		{
			.name = "sts",
			.signing_name = "sts",
			.env_id = "STS",
			.config_id = "sts",
			.protocol = AWS_QUERY,
			.api_version = "2011-06-15",
			.content_type = FORM,
		},
	[AWS_ORGANIZATIONS] =
		{
			.name = "organizations",
			.signing_name = "organizations",
			.env_id = "ORGANIZATIONS",
			.config_id = "organizations",
			.protocol = AWS_JSON_1_1,
			.api_version = "2016-11-28",
			.content_type = JSON_1_1,
			.target_prefix = "AWSOrganizationsV20161128",
			.is_global = true,
		},
	[AWS_ACCOUNT] =
		{
			.name = "account",
			.signing_name = "account",
			.env_id = "ACCOUNT",
			.config_id = "account",
			.protocol = AWS_REST_JSON,
			.api_version = "2021-02-01",
			.content_type = "application/json",
			.is_global = true,
		},
	[AWS_EC2] =
		{
			.name = "ec2",
			.signing_name = "ec2",
			.env_id = "EC2",
			.config_id = "ec2",
			.protocol = AWS_EC2_QUERY,
			.api_version = "2016-11-15",
			.content_type = FORM,
		},
	[AWS_ACM] =
		{
			.name = "acm",
			.signing_name = "acm",
			.env_id = "ACM",
			.config_id = "acm",
			.protocol = AWS_JSON_1_1,
			.api_version = "2015-12-08",
			.content_type = JSON_1_1,
			.target_prefix = "CertificateManager",
		},
	[AWS_SECRETSMANAGER] =
		{
			.name = "secretsmanager",
			.signing_name = "secretsmanager",
			.env_id = "SECRETS_MANAGER",
			.config_id = "secrets_manager",
			.protocol = AWS_JSON_1_1,
			.api_version = "2017-10-17",
			.content_type = JSON_1_1,
			.target_prefix = "secretsmanager",
		},
};

const struct aws_service_info *aws_service_info(enum aws_service service)
{
	assert((unsigned)service < AWS_SERVICES);
	return &service_info[service];
}
