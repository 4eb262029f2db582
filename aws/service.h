/*
 * The AWS services that are called, and how each one is spoken to. A new service is one enum
 * constant, one row here and one row in endpoint.c.
 */
#ifndef AWS_SERVICE_H
#define AWS_SERVICE_H

#include <stdbool.h>

enum aws_service {
	AWS_STS,
	AWS_ORGANIZATIONS,
	AWS_ACCOUNT,
	AWS_EC2,
	AWS_ACM,
	AWS_SECRETSMANAGER,
};

enum { AWS_SERVICES = AWS_SECRETSMANAGER + 1 };

enum aws_protocol {
	AWS_JSON_1_1,  /* POST /, X-Amz-Target */
	AWS_QUERY,     /* POST /, form body with Action and Version; XML answers */
	AWS_EC2_QUERY, /* as Query, with its own lists and error envelope */
	AWS_REST_JSON, /* path a call, JSON body */
};

/* All texts are shared static. */
struct aws_service_info {
	const char *name;	  /* for people, logs and metrics: "acm" */
	const char *signing_name; /* in SigV4's scope */
	const char *env_id;	  /* AWS_ENDPOINT_URL_<env_id>: "ACM" */
	const char *config_id;	  /* key in a `services` section of the shared files: "acm" */
	enum aws_protocol protocol;
	const char *api_version;
	const char *content_type;
	const char *target_prefix; /* X-Amz-Target "<prefix>.<Operation>"; NULL unless JSON 1.1 */
	bool is_global;		   /* one endpoint for a partition, whatever region is asked */
};

const struct aws_service_info *aws_service_info(enum aws_service service);

#endif
