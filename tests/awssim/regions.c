/* Partitions and regions as of the endpoint data of August 2026. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/world.h"

static const struct partition partitions[] = {
	{"aws", "amazonaws.com", "api.aws", "us-east-1"},
	{"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"},
	{"aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"},
	{"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"},
};

enum { PARTITIONS = sizeof(partitions) / sizeof(partitions[0]) };

static const struct {
	const char *name;
	int partition;
	bool opt_in;
} regions[] = {
	{"us-east-1", 0, false},
	{"eu-central-1", 0, false},
	{"eu-west-1", 0, false},
	{"us-west-2", 0, false},
	{"ap-southeast-2", 0, false},
	{"ap-northeast-1", 0, false},
	{"ap-northeast-2", 0, false},
	{"ap-northeast-3", 0, false},
	{"ap-south-1", 0, false},
	{"ap-southeast-1", 0, false},
	{"ca-central-1", 0, false},
	{"eu-north-1", 0, false},
	{"eu-west-2", 0, false},
	{"eu-west-3", 0, false},
	{"sa-east-1", 0, false},
	{"us-east-2", 0, false},
	{"us-west-1", 0, false},
	{"af-south-1", 0, true},
	{"ap-east-1", 0, true},
	{"ap-east-2", 0, true},
	{"ap-south-2", 0, true},
	{"ap-southeast-3", 0, true},
	{"ap-southeast-4", 0, true},
	{"ap-southeast-5", 0, true},
	{"ap-southeast-6", 0, true},
	{"ap-southeast-7", 0, true},
	{"ca-west-1", 0, true},
	{"eu-central-2", 0, true},
	{"eu-south-1", 0, true},
	{"eu-south-2", 0, true},
	{"il-central-1", 0, true},
	{"me-central-1", 0, true},
	{"me-south-1", 0, true},
	{"me-west-1", 0, true},
	{"mx-central-1", 0, true},
	{"sa-west-1", 0, true},
	{"cn-northwest-1", 1, false},
	{"cn-north-1", 1, false},
	{"us-gov-west-1", 2, false},
	{"us-gov-east-1", 2, false},
	{"eusc-de-east-1", 3, false},
};

enum { REGIONS = sizeof(regions) / sizeof(regions[0]) };

const struct partition *partition_find(const char *id)
{
	for (size_t i = 0; i < PARTITIONS; i++)
		if (strcmp(partitions[i].id, id) == 0)
			return &partitions[i];
	return NULL;
}

const struct partition *partition_at(size_t index)
{
	return index < PARTITIONS ? &partitions[index] : NULL;
}

static int find(struct slice name)
{
	for (size_t i = 0; i < REGIONS; i++)
		if (slice_is(name, regions[i].name))
			return (int)i;
	return -1;
}

const struct partition *region_partition(struct slice name)
{
	int index = find(name);
	return index >= 0 ? &partitions[regions[index].partition] : NULL;
}

static bool add_region(struct world *world, int index)
{
	if (world->region_count == REGIONS_MAX)
		return false;
	world->region[world->region_count++] =
		(struct region){regions[index].name, regions[index].opt_in};
	return true;
}

bool world_set_regions(struct world *world, const char *list)
{
	char *end;
	unsigned long wanted = strtoul(list, &end, 10);
	if (end != list && *end == '\0') {
		for (size_t i = 0; i < REGIONS && world->region_count < wanted; i++)
			if (&partitions[regions[i].partition] == world->partition)
				add_region(world, (int)i);
		if (world->region_count == wanted && wanted > 0)
			return true;
		fprintf(stderr, "awssim: --regions %s: the partition %s has %zu\n", list,
			world->partition->id, world->region_count);
		return false;
	}
	for (const char *at = list; *at != '\0';) {
		size_t len = strcspn(at, ",");
		struct slice name = {at, len};
		int index = find(name);
		if (index < 0 || region_partition(name) != world->partition ||
			world_find_region(world, name) >= 0 || !add_region(world, index)) {
			fprintf(stderr,
				"awssim: --regions: \"%.*s\" is unknown, of another partition "
				"or named twice\n",
				(int)len, at);
			return false;
		}
		at += len + (at[len] == ',');
	}
	return world->region_count > 0;
}
