/* The two ways to ask for regions: Account ListRegions and EC2 DescribeRegions. */
#include <stdio.h>
#include <string.h>

#include "tests/awssim/service.h"

enum { PAGE_MAX = 50 };

static bool is_disabled(const struct account *account, size_t region)
{
	return (account->disabled_regions >> region & 1) != 0; /* a lying region says it is on */
}

static const char *opt_status(
	const struct world *world, const struct account *account, size_t region)
{
	if (is_disabled(account, region))
		return "DISABLED";
	return world->region[region].opt_in ? "ENABLED" : "ENABLED_BY_DEFAULT";
}

static bool is_wanted(const json_t *filter, const char *status)
{
	if (!json_is_array(filter) || json_array_size(filter) == 0)
		return true;
	for (size_t i = 0; i < json_array_size(filter); i++) {
		const char *one = json_string_value(json_array_get(filter, i));
		if (one != NULL && strcmp(one, status) == 0)
			return true;
	}
	return false;
}

/* Which account is asked about: the caller's, or with delegation another. False: answered. */
static bool read_account(struct call *call, size_t *ret_account)
{
	const struct world *world = call->sim->world;
	const char *id;
	if (!input_text(call, "AccountId", &id))
		return false;
	*ret_account = call->who->account;
	if (id == NULL)
		return true;
	int index = world_find_account(world, slice_of(id));
	bool is_management = call->who->account == world->management;
	if (is_management && index == (int)world->management) {
		call_fail_common(call, ERROR_INVALID,
			"The management account must leave out its own AccountId.");
		return false;
	}
	if (!is_management || index < 0 || !world->options->account_delegation) {
		call_deny_identity(call, "account:ListRegions", NULL);
		return false;
	}
	*ret_account = (size_t)index;
	return true;
}

void account_list_regions(struct call *call)
{
	const struct world *world = call->sim->world;
	struct out *body = &call->reply->body;
	const char *token;
	int64_t max = PAGE_MAX;
	size_t index;
	if (!read_account(call, &index))
		return;
	const struct account *account = &world->account[index];
	if (index == call->who->account && (account->scp_all || account->list_regions_denied)) {
		if (account->scp_all)
			call_deny_scp(call, "account:ListRegions", NULL);
		else
			call_deny_identity(call, "account:ListRegions", NULL);
		return;
	}
	struct page page;
	if (!input_int(call, "MaxResults", 1, PAGE_MAX, &max) ||
		!input_text(call, "NextToken", &token))
		return;
	if (!page_open(&page, call, token, hash_mix(index, (uint64_t)max))) {
		call_fail_common(call, ERROR_INVALID, "The NextToken is not valid.");
		return;
	}
	const json_t *filter = json_object_get(call->input, "RegionOptStatusContains");
	uint64_t room = page_size(&page, (uint64_t)max), at = page.position;
	bool more = false;
	json_open(body, '{');
	json_key(body, "Regions");
	json_open(body, '[');
	for (; at < world->region_count; at++) {
		const char *status = opt_status(world, account, at);
		if (!is_wanted(filter, status))
			continue;
		if (room == 0) {
			more = true;
			break;
		}
		room--;
		json_open(body, '{');
		json_member(body, "RegionName", world->region[at].name);
		json_member(body, "RegionOptStatus", status);
		json_close(body, '}');
	}
	json_close(body, ']');
	char next[PAGE_TOKEN_MAX];
	if (page_next(&page, at, more, next))
		json_member(body, "NextToken", next);
	json_close(body, '}');
}

void ec2_describe_regions(struct call *call)
{
	const struct world *world = call->sim->world;
	const struct account *account = &world->account[call->who->account];
	struct out *body = &call->reply->body;
	bool is_scp_region = call->region >= 0 && (account->scp_regions >> call->region & 1) != 0;
	if (account->scp_all || is_scp_region) {
		call_deny_scp(call, "ec2:DescribeRegions", NULL);
		return;
	}
	if (account->describe_regions_denied) {
		call_deny_identity(call, "ec2:DescribeRegions", NULL);
		return;
	}
	char text[8];
	bool all = form_text(call, "AllRegions", text, sizeof(text)) && strcmp(text, "true") == 0;
	out_fmt(body,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
		"    <requestId>%s</requestId>\n    <regionInfo>\n",
		call->request_id);
	for (size_t i = 0; i < world->region_count; i++) {
		bool is_off = is_disabled(account, i);
		if (is_off && !all)
			continue;
		const char *status =
			is_off ? "not-opted-in"
			       : (world->region[i].opt_in ? "opted-in" : "opt-in-not-required");
		out_fmt(body,
			"        <item>\n            <regionName>%s</regionName>\n"
			"            <regionEndpoint>ec2.%s.%s</regionEndpoint>\n"
			"            <optInStatus>%s</optInStatus>\n        </item>\n",
			world->region[i].name, world->region[i].name, world->partition->dns_suffix,
			status);
	}
	out_text(body, "    </regionInfo>\n</DescribeRegionsResponse>\n");
}
