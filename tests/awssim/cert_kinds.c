/* The sorts of certificates, and how often each comes up. */
#include <string.h>

#include "tests/awssim/cert.h"

/* clang-format off */
const struct cert_kind cert_kinds[] = {
	{.name = "public", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_APEX_WWW,
	 .life_days = 198, .left_min_days = 60, .left_max_days = 190, .use = USE_ALB, .validation = VALIDATED_DNS, .weight = 8},
	{.name = "public_wildcard", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_WILDCARD,
	 .life_days = 395, .left_min_days = 70, .left_max_days = 380, .use = USE_CLOUDFRONT, .validation = VALIDATED_DNS, .weight = 3},
	{.name = "public_several_names", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_SEVERAL,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_MANY, .validation = VALIDATED_DNS,
	 .renewal = RENEWAL_SUCCESS, .weight = 2},
	{.name = "public_unused", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = 5, .left_max_days = 300, .validation = VALIDATED_DNS, .tags = TAGS_NONE, .weight = 2},
	{.name = "public_ec256", .type = AMAZON_ISSUED, .status = ISSUED, .key = EC_P256, .names = NAMES_APEX_WWW,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_ALB, .validation = VALIDATED_DNS, .weight = 3},
	{.name = "public_ec384", .type = AMAZON_ISSUED, .status = ISSUED, .key = EC_P384, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_ALB, .validation = VALIDATED_DNS, .weight = 2},
	{.name = "public_idn", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_IDN,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_ALB, .validation = VALIDATED_DNS, .weight = 1},
	{.name = "public_long_name", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_LONG,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .validation = VALIDATED_DNS, .weight = 1},
	{.name = "public_100_names", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_100,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_CLOUDFRONT, .validation = VALIDATED_DNS, .weight = 1},
	{.name = "public_renewing", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_WILDCARD,
	 .life_days = 198, .left_min_days = 20, .left_max_days = 44, .use = USE_ALB, .validation = VALIDATED_DNS,
	 .renewal = RENEWAL_PENDING_AUTO, .weight = 2},
	{.name = "public_renewal_waits", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_APEX_WWW,
	 .life_days = 395, .left_min_days = 3, .left_max_days = 28, .use = USE_ALB, .validation = VALIDATED_DNS,
	 .renewal = RENEWAL_PENDING_VALIDATION, .weight = 1},
	{.name = "public_renewal_failed", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = 1, .left_max_days = 12, .use = USE_ALB, .validation = VALIDATED_DNS,
	 .renewal = RENEWAL_FAILED, .failure_reason = "CAA_ERROR", .weight = 1},
	{.name = "public_email", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = 10, .left_max_days = 40, .use = USE_ALB, .validation = VALIDATED_EMAIL,
	 .renewal = RENEWAL_PENDING_VALIDATION, .weight = 1},
	{.name = "public_exportable", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .validation = VALIDATED_DNS,
	 .export_enabled = true, .exported = true, .weight = 1},
	{.name = "public_never_exported", .type = AMAZON_ISSUED, .status = ISSUED, .key = EC_P256, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .validation = VALIDATED_DNS, .export_enabled = true, .weight = 1},
	{.name = "public_used_abroad", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_FOREIGN, .validation = VALIDATED_DNS, .weight = 1},
	{.name = "cloudfront_managed", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 50, .left_max_days = 190, .use = USE_CLOUDFRONT, .validation = VALIDATED_HTTP,
	 .by_cloudfront = true, .weight = 1},
	{.name = "public_expired", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = -200, .left_max_days = -2, .validation = VALIDATED_DNS, .weight = 1},
	{.name = "expired_says_issued", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = -30, .left_max_days = -1, .validation = VALIDATED_DNS, .stale_status = true, .weight = 1},
	{.name = "pending", .type = AMAZON_ISSUED, .status = PENDING_VALIDATION, .key = RSA_2048, .names = NAMES_APEX_WWW,
	 .validation = VALIDATED_DNS, .weight = 2},
	{.name = "timed_out", .type = AMAZON_ISSUED, .status = VALIDATION_TIMED_OUT, .key = RSA_2048, .names = NAMES_ONE,
	 .validation = VALIDATED_DNS, .weight = 1},
	{.name = "failed", .type = AMAZON_ISSUED, .status = FAILED, .key = RSA_2048, .names = NAMES_ONE,
	 .validation = VALIDATED_DNS, .failure_reason = "DOMAIN_NOT_ALLOWED", .weight = 1},
	{.name = "revoked", .type = AMAZON_ISSUED, .status = REVOKED, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 198, .left_min_days = 20, .left_max_days = 150, .validation = VALIDATED_DNS, .export_enabled = true,
	 .exported = true, .revocation_reason = "SUPERSEDED", .weight = 1},
	{.name = "inactive", .type = AMAZON_ISSUED, .status = INACTIVE, .key = RSA_2048, .names = NAMES_ONE,
	 .life_days = 395, .left_min_days = 20, .left_max_days = 300, .validation = VALIDATED_EMAIL, .weight = 1},
	{.name = "private", .type = PRIVATE_CA, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_PRIVATE,
	 .life_days = 395, .left_min_days = 70, .left_max_days = 390, .use = USE_ALB, .usage = USAGE_SERVER_CLIENT,
	 .export_enabled = true, .exported = true, .weight = 2},
	{.name = "private_ec", .type = PRIVATE_CA, .status = ISSUED, .key = EC_P384, .names = NAMES_SEVERAL, .issuer = BY_PRIVATE,
	 .life_days = 395, .left_min_days = 10, .left_max_days = 59, .usage = USAGE_SERVER_CLIENT, .export_enabled = true,
	 .renewal = RENEWAL_PENDING_AUTO, .exported = true, .weight = 1},
	{.name = "private_expired", .type = PRIVATE_CA, .status = ISSUED, .key = RSA_4096, .names = NAMES_ONE, .issuer = BY_PRIVATE,
	 .life_days = 30, .left_min_days = -120, .left_max_days = -20, .export_enabled = true, .weight = 1},
	{.name = "acme", .type = AMAZON_ISSUED, .status = ISSUED, .key = EC_P256, .names = NAMES_ONE, .origin = ACME,
	 .life_days = 45, .left_min_days = 5, .left_max_days = 44, .validation = VALIDATED_DNS, .tags = TAGS_NONE, .weight = 1},
	{.name = "acme_rsa", .type = AMAZON_ISSUED, .status = ISSUED, .key = RSA_2048, .names = NAMES_SEVERAL, .origin = ACME,
	 .life_days = 45, .left_min_days = 1, .left_max_days = 40, .validation = VALIDATED_DNS, .tags = TAGS_NONE, .weight = 1},
	{.name = "imported", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_APEX_WWW, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 60, .left_max_days = 390, .use = USE_ALB, .usage = USAGE_SERVER_CLIENT,
	 .origin = CUSTOMER_PROVIDED, .weight = 5},
	{.name = "imported_soon", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_WILDCARD, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 1, .left_max_days = 29, .use = USE_ALB, .usage = USAGE_SERVER_CLIENT,
	 .origin = CUSTOMER_PROVIDED, .weight = 3},
	{.name = "imported_today", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 90, .left_min_days = 1, .left_max_days = 1, .use = USE_MANY, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_expired", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = -400, .left_max_days = -1, .origin = CUSTOMER_PROVIDED, .tags = TAGS_NONE, .weight = 2},
	{.name = "imported_expired_in_use", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = -20, .left_max_days = -1, .use = USE_ALB, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_1024", .type = IMPORTED, .status = ISSUED, .key = RSA_1024, .names = NAMES_ONE, .issuer = BY_PRIVATE,
	 .life_days = 3650, .left_min_days = 100, .left_max_days = 2000, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_3072", .type = IMPORTED, .status = ISSUED, .key = RSA_3072, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .use = USE_ALB, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_4096", .type = IMPORTED, .status = ISSUED, .key = RSA_4096, .names = NAMES_SEVERAL, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .use = USE_CLOUDFRONT, .origin = CUSTOMER_PROVIDED, .weight = 2},
	{.name = "imported_ec256", .type = IMPORTED, .status = ISSUED, .key = EC_P256, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 90, .left_min_days = 2, .left_max_days = 85, .use = USE_ALB, .origin = CUSTOMER_PROVIDED, .weight = 2},
	{.name = "imported_ec521", .type = IMPORTED, .status = ISSUED, .key = EC_P521, .names = NAMES_ONE, .issuer = BY_PRIVATE,
	 .life_days = 730, .left_min_days = 30, .left_max_days = 700, .use = USE_ALB, .usage = USAGE_SERVER_CLIENT,
	 .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_150_names", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_150, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .use = USE_ALB, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_ip", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_WITH_IP, .issuer = BY_PRIVATE,
	 .life_days = 730, .left_min_days = 30, .left_max_days = 700, .use = USE_ALB, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_ip_only", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_IP_ONLY, .issuer = BY_PRIVATE,
	 .life_days = 730, .left_min_days = 30, .left_max_days = 700, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_no_domain", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_NONE, .issuer = BY_PRIVATE,
	 .life_days = 1825, .left_min_days = 30, .left_max_days = 1500, .usage = USAGE_CLIENT, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_self_signed", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_ITSELF,
	 .life_days = 3650, .left_min_days = 100, .left_max_days = 3000, .usage = USAGE_NONE, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_custom_usage", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_PRIVATE,
	 .life_days = 730, .left_min_days = 30, .left_max_days = 700, .usage = USAGE_CUSTOM, .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_odd_tags", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .tags = TAGS_ODD, .utf8_subject = true,
	 .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "imported_50_tags", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .tags = TAGS_50, .use = USE_MANY,
	 .origin = CUSTOMER_PROVIDED, .weight = 1},
	{.name = "damaged_describe", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .origin = CUSTOMER_PROVIDED, .describe_fails = true, .weight = 1},
	{.name = "damaged_both", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .life_days = 397, .left_min_days = 30, .left_max_days = 390, .origin = CUSTOMER_PROVIDED, .describe_fails = true,
	 .get_fails = true, .weight = 1},
	/* What ImportCertificate made; never drawn. */
	{.name = "delivered", .type = IMPORTED, .status = ISSUED, .key = RSA_2048, .names = NAMES_ONE, .issuer = BY_COMMERCIAL,
	 .tags = TAGS_NONE, .origin = CUSTOMER_PROVIDED, .weight = 0},
};
/* clang-format on */

enum { KINDS = sizeof(cert_kinds) / sizeof(cert_kinds[0]) };

const size_t cert_kind_count = KINDS;

const struct cert_kind *cert_kind_of(const struct cert *cert)
{
	bool has_own = cert->more != NULL && cert->more->held != NULL;
	return has_own ? &cert->more->kind : &cert_kinds[cert->kind];
}

const struct cert_kind *cert_kind_find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(cert_kinds[i].name, name) == 0)
			return &cert_kinds[i];
	return NULL;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/*
 * Walks the weights with a stride that shares no divisor with their sum, so that any run of that
 * many certificates has every kind.
 */
uint16_t cert_kind_pick(uint64_t ordinal, uint64_t seed)
{
	uint64_t total = 0;
	for (size_t i = 0; i < KINDS; i++)
		total += cert_kinds[i].weight;
	uint64_t stride = total * 5 / 8;
	while (common_divisor(stride, total) != 1)
		stride++;
	uint64_t place = (ordinal * stride + seed) % total;
	for (size_t i = 0; i < KINDS; i++) {
		if (place < cert_kinds[i].weight)
			return (uint16_t)i;
		place -= cert_kinds[i].weight;
	}
	return 0;
}
