/*
 * The table of partitions. A partition's rule is a prefix and then word-digits ("us-" + "east-1");
 * no prefix is the beginning of another one's region, because a word has no hyphen: "us-" does not
 * match us-gov-west-1.
 */
#include "aws/partition.h"

#include <stddef.h>
#include <string.h>

enum { PREFIXES_MAX = 9, REGIONS_MAX = 36 };

struct partition_row {
	struct partition partition;
	const char *prefix[PREFIXES_MAX + 1]; /* NULL at the end */
	const char *region[REGIONS_MAX + 1];  /* NULL at the end */
};

static const struct partition_row table[] = {
	{
		{"aws", "amazonaws.com", "api.aws", "us-east-1"},
		{"us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"},
		{
			"af-south-1",
			"ap-east-1",
			"ap-east-2",
			"ap-northeast-1",
			"ap-northeast-2",
			"ap-northeast-3",
			"ap-south-1",
			"ap-south-2",
			"ap-southeast-1",
			"ap-southeast-2",
			"ap-southeast-3",
			"ap-southeast-4",
			"ap-southeast-5",
			"ap-southeast-6",
			"ap-southeast-7",
			"ca-central-1",
			"ca-west-1",
			"eu-central-1",
			"eu-central-2",
			"eu-north-1",
			"eu-south-1",
			"eu-south-2",
			"eu-west-1",
			"eu-west-2",
			"eu-west-3",
			"il-central-1",
			"me-central-1",
			"me-south-1",
			"me-west-1",
			"mx-central-1",
			"sa-east-1",
			"sa-west-1",
			"us-east-1",
			"us-east-2",
			"us-west-1",
			"us-west-2",
		},
	},
	{
		{"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"},
		{"cn-"},
		{"cn-north-1", "cn-northwest-1"},
	},
	{
		{"aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"},
		{"us-gov-"},
		{"us-gov-east-1", "us-gov-west-1"},
	},
	{
		{"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"},
		{"eusc-de-"},
		{"eusc-de-east-1"},
	},
	{
		{"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"},
		{"us-iso-"},
		{"us-iso-east-1", "us-iso-west-1"},
	},
	{
		{"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"},
		{"us-isob-"},
		{"us-isob-east-1", "us-isob-west-1"},
	},
	{
		{"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"},
		{"eu-isoe-"},
		{"eu-isoe-west-1"},
	},
	{
		{"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"},
		{"us-isof-"},
		{"us-isof-east-1", "us-isof-south-1"},
	},
};

enum { PARTITIONS = sizeof(table) / sizeof(table[0]) };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* As the regex \w+-\d+ over the whole text. */
static bool is_word_and_number(const char *text)
{
	const char *at = text;
	while (is_word(*at))
		at++;
	if (at == text || *at != '-')
		return false;
	const char *number = ++at;
	while (is_digit(*at))
		at++;
	return at > number && *at == '\0';
}

static const struct partition_row *row_of_region(const char *region)
{
	for (size_t i = 0; i < PARTITIONS; i++) {
		for (const char *const *prefix = table[i].prefix; *prefix != NULL; prefix++) {
			size_t len = strlen(*prefix);
			if (strncmp(region, *prefix, len) == 0 && is_word_and_number(region + len))
				return &table[i];
		}
	}
	return &table[0];
}

const struct partition *partition_of_region(const char *region)
{
	return &row_of_region(region)->partition;
}

bool partition_region_is_known(const char *region)
{
	for (const char *const *at = row_of_region(region)->region; *at != NULL; at++) {
		if (strcmp(*at, region) == 0)
			return true;
	}
	return false;
}
