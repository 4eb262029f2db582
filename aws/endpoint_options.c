/* Where endpoint settings come from, and which one wins. source: facts.md section 7, overrides. */
#include <stdio.h>
#include <string.h>

#include "aws/endpoint_internal.h"
#include "base/err.h"
#include "base/text.h"

enum { SOURCE_NAME_MAX = 96, SOURCES = 6 };

/* One place that may name a URL. */
struct candidate {
	const char *url; /* borrowed; NULL or "": names none */
	char name[SOURCE_NAME_MAX];
	bool is_http_allowed;
};

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* "true" or "false" of a variable; *ret_value is untouched when it is not set. */
static int read_switch(aws_getenv_fn *get, const char *name, int *ret_value, struct err *err)
{
	const char *text = get(name);
	if (!is_set(text))
		return 0;
	if (text_equal_ci(text, "true"))
		*ret_value = 1;
	else if (text_equal_ci(text, "false"))
		*ret_value = 0;
	else
		return err_set(err, ERR_CONFIG, "%s is neither true nor false", name);
	return 0;
}

static int merge_switch(aws_getenv_fn *get, const char *name, int configured, int profile,
	bool *ret_value, struct err *err)
{
	int value = profile;
	if (read_switch(get, name, &value, err) != 0)
		return -1;
	if (configured >= 0)
		value = configured;
	*ret_value = value > 0;
	return 0;
}

/* Fills in the places for a service, strongest first. */
static void list_candidates(const struct endpoint_sources *sources, enum aws_service service,
	bool is_ignored, struct candidate *candidate)
{
	static const struct endpoint_overrides none;
	const struct endpoint_overrides *configured =
		sources->configured != NULL ? sources->configured : &none;
	const struct endpoint_overrides *profile =
		!is_ignored && sources->profile != NULL ? sources->profile : &none;
	const struct aws_service_info *info = aws_service_info(service);
	struct candidate list[SOURCES] = {
		{configured->service[service], "", true},
		{configured->all, "endpoint_url", true},
		{NULL, "", false},
		{NULL, "AWS_ENDPOINT_URL", false},
		{profile->service[service], "", false},
		{profile->all, "endpoint_url of the profile", false},
	};
	snprintf(list[0].name, SOURCE_NAME_MAX, "endpoint_url of %s", info->name);
	snprintf(list[2].name, SOURCE_NAME_MAX, "AWS_ENDPOINT_URL_%s", info->env_id);
	snprintf(list[4].name, SOURCE_NAME_MAX, "endpoint_url of %s in the profile's services",
		info->config_id);
	if (!is_ignored) {
		list[2].url = sources->get(list[2].name);
		list[3].url = sources->get(list[3].name);
	}
	memcpy(candidate, list, sizeof(list));
}

static int merge_override(const struct endpoint_sources *sources, enum aws_service service,
	bool is_ignored, char *ret_url, struct err *err)
{
	struct candidate candidate[SOURCES];
	list_candidates(sources, service, is_ignored, candidate);
	for (size_t i = 0; i < SOURCES; i++) {
		if (!is_set(candidate[i].url))
			continue;
		if (endpoint_override_check(candidate[i].url, candidate[i].is_http_allowed, err) !=
			0)
			return err_wrap(err, "%s", candidate[i].name);
		text_copy(ret_url, ENDPOINT_URL_MAX, candidate[i].url);
		return 0;
	}
	return 0;
}

int endpoint_options_merge(const struct endpoint_sources *sources,
	struct endpoint_options *ret_options, struct err *err)
{
	struct endpoint_options merged = {.use_fips = false};
	int is_ignored = sources->profile != NULL && sources->profile->is_ignored;
	if (read_switch(sources->get, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &is_ignored, err) != 0)
		return -1;
	if (merge_switch(sources->get, "AWS_USE_FIPS_ENDPOINT", sources->configured_use_fips,
		    sources->profile_use_fips, &merged.use_fips, err) != 0 ||
		merge_switch(sources->get, "AWS_USE_DUALSTACK_ENDPOINT",
			sources->configured_use_dualstack, sources->profile_use_dualstack,
			&merged.use_dualstack, err) != 0)
		return -1;
	for (int service = 0; service < AWS_SERVICES; service++) {
		if (merge_override(sources, (enum aws_service)service, is_ignored != 0,
			    merged.overrides.service[service], err) != 0)
			return -1;
	}
	*ret_options = merged;
	return 0;
}
