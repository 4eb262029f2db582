/*
 * The AWS shared files. Both are streamed through one entry function that keeps what belongs to the
 * wanted profile: config first, then credentials, so that the latter wins where both say something.
 * The config file is read once more when the profile names a `services` section.
 */
#include "aws/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/ini.h"
#include "base/mem.h"
#include "base/text.h"

enum { SERVICES_NAME_MAX = 128 };

/* Ways to get credentials other than static keys. */
enum method { ROLE, WEB_IDENTITY, PROCESS, SSO_SESSION, SSO, LOGIN, METHODS };
static const char *const method_key[METHODS] = {
	[ROLE] = "role_arn",
	[WEB_IDENTITY] = "web_identity_token_file",
	[PROCESS] = "credential_process",
	[SSO_SESSION] = "sso_session",
	[SSO] = "sso_start_url",
	[LOGIN] = "login_session",
};

struct reading {
	struct aws_profile *profile; /* borrowed; filled in */
	const char *file;	     /* borrowed; being read */
	bool is_config;		     /* else the credentials file */
	bool has_prefixed_default;   /* [profile default] was seen: [default] does not count */
	bool has_file_keys;	     /* a key was found in this file */
	bool has_key_id, has_secret;
	bool has_method[METHODS];
	bool has_source; /* source_profile or credential_source: role_arn is meant */
	char services[SERVICES_NAME_MAX];
};

/* --- which section ---------------------------------------------------------------------------- */

/* "profile prod" with the prefix "profile" names "prod"; quotes around the name are dropped. */
static bool section_is(const char *section, const char *prefix, const char *name)
{
	size_t prefix_len = strlen(prefix);
	if (strncmp(section, prefix, prefix_len) != 0)
		return false;
	const char *rest = section + prefix_len;
	size_t blanks = strspn(rest, " \t");
	if (blanks == 0)
		return false;
	rest += blanks;
	size_t len = strlen(rest), name_len = strlen(name);
	if (len >= 2 && rest[0] == '"' && rest[len - 1] == '"') {
		rest++;
		len -= 2;
	}
	return len == name_len && memcmp(rest, name, len) == 0;
}

static void forget(struct reading *reading)
{
	struct aws_profile *profile = reading->profile;
	struct aws_profile fresh = {.use_fips = -1, .use_dualstack = -1};
	memcpy(fresh.name, profile->name, sizeof(fresh.name));
	aws_credentials_clear(&profile->credentials);
	*profile = fresh;
	struct reading again = {.profile = profile,
		.file = reading->file,
		.is_config = reading->is_config,
		.has_prefixed_default = true};
	*reading = again;
}

/* In config a profile is [profile NAME] or [default]; in credentials [NAME]. */
static bool is_wanted(struct reading *reading, const char *section)
{
	const char *name = reading->profile->name;
	if (!reading->is_config)
		return strcmp(section, name) == 0;
	bool is_default = strcmp(name, "default") == 0;
	if (is_default && strcmp(section, "default") == 0)
		return !reading->has_prefixed_default;
	if (!section_is(section, "profile", name))
		return false;
	if (is_default && !reading->has_prefixed_default)
		forget(reading); /* what [default] said */
	return true;
}

/* --- properties ------------------------------------------------------------------------------- */

static int too_long(const char *key, size_t max, struct err *err)
{
	err_set(err, ERR_CONFIG, "%s is longer than %zu bytes", key, max);
	return INI_VALUE_AT_FAULT;
}

static int take_text(
	const char *key, const char *value, char *ret_text, size_t size, struct err *err)
{
	return text_copy(ret_text, size, value) ? 0 : too_long(key, size - 1, err);
}

static int take_switch(const char *key, const char *value, int *ret_switch, struct err *err)
{
	if (text_equal_ci(value, "true"))
		*ret_switch = 1;
	else if (text_equal_ci(value, "false"))
		*ret_switch = 0;
	else {
		err_set(err, ERR_CONFIG, "%s must be true or false", key);
		return INI_VALUE_AT_FAULT;
	}
	return 0;
}

/* A value that continues over lines, or holds blanks, is no key: two values ran together. */
static bool is_one_word(const char *value)
{
	for (; *value != '\0'; value++) {
		if ((unsigned char)*value <= ' ' || (unsigned char)*value >= 0x7f)
			return false;
	}
	return true;
}

/* The keys of one file belong together: the credentials file's replace all of config's. */
static int take_key(struct reading *reading, const char *key, const char *value, struct err *err)
{
	struct aws_credentials *to = &reading->profile->credentials;
	if (!is_one_word(value)) {
		err_set(err, ERR_CONFIG, "%s has blanks or control characters in it", key);
		return INI_VALUE_AT_FAULT;
	}
	size_t len = strlen(value);
	if (len > SECRET_MAX)
		return too_long(key, SECRET_MAX, err);
	if (!reading->has_file_keys) {
		aws_credentials_clear(to);
		reading->has_key_id = reading->has_secret = false;
		reading->has_file_keys = true;
		(void)text_copy(reading->profile->file, sizeof(reading->profile->file),
			reading->file); /* for messages: cut is fine */
	}
	if (text_equal_ci(key, "aws_access_key_id")) {
		reading->has_key_id = len > 0;
		return take_text(key, value, to->access_key_id, sizeof(to->access_key_id), err);
	}
	bool is_secret_key = text_equal_ci(key, "aws_secret_access_key");
	struct secret *secret = is_secret_key ? &to->secret_access_key : &to->session_token;
	if (is_secret_key)
		reading->has_secret = len > 0;
	if (len > 0)
		secret_set(secret, value, len);
	else
		secret_clear(secret);
	return 0;
}

static int take_setting(
	struct reading *reading, const char *key, const char *value, struct err *err)
{
	struct aws_profile *profile = reading->profile;
	if (text_equal_ci(key, "region")) {
		if (!text_is_region(value)) {
			err_set(err, ERR_CONFIG, "\"%s\" is not a region's name", value);
			return INI_VALUE_AT_FAULT;
		}
		return take_text(key, value, profile->region, sizeof(profile->region), err);
	}
	if (text_equal_ci(key, "ca_bundle"))
		return take_text(key, value, profile->ca_bundle, sizeof(profile->ca_bundle), err);
	if (text_equal_ci(key, "endpoint_url"))
		return take_text(
			key, value, profile->endpoints.all, sizeof(profile->endpoints.all), err);
	if (text_equal_ci(key, "services"))
		return take_text(key, value, reading->services, sizeof(reading->services), err);
	if (text_equal_ci(key, "use_fips_endpoint"))
		return take_switch(key, value, &profile->use_fips, err);
	if (text_equal_ci(key, "use_dualstack_endpoint"))
		return take_switch(key, value, &profile->use_dualstack, err);
	if (text_equal_ci(key, "ignore_configured_endpoint_urls")) {
		int is_ignored = 0;
		int rc = take_switch(key, value, &is_ignored, err);
		profile->endpoints.is_ignored = is_ignored != 0;
		return rc;
	}
	return 0; /* other tools' settings */
}

static int on_profile_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	(void)place;
	struct reading *reading = arg;
	if (!is_wanted(reading, section))
		return 0;
	reading->profile->is_found = true;
	if (key == NULL)
		return 0;
	if (text_equal_ci(key, "aws_access_key_id") ||
		text_equal_ci(key, "aws_secret_access_key") ||
		text_equal_ci(key, "aws_session_token"))
		return take_key(reading, key, value, err);
	for (int i = 0; i < METHODS; i++) {
		if (text_equal_ci(key, method_key[i]))
			reading->has_method[i] = value[0] != '\0';
	}
	if (text_equal_ci(key, "source_profile") || text_equal_ci(key, "credential_source"))
		reading->has_source = value[0] != '\0';
	return value[0] != '\0' ? take_setting(reading, key, value, err) : 0;
}

/* "[services lab]" holds "acm.endpoint_url". */
static int on_services_entry(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err)
{
	(void)place;
	struct reading *reading = arg;
	if (key == NULL || !section_is(section, "services", reading->services))
		return 0;
	for (int i = 0; i < AWS_SERVICES; i++) {
		char wanted[64];
		snprintf(wanted, sizeof(wanted), "%s.endpoint_url",
			aws_service_info((enum aws_service)i)->config_id);
		char *to = reading->profile->endpoints.service[i];
		if (text_equal_ci(key, wanted))
			return take_text(key, value, to, ENDPOINT_URL_MAX, err);
	}
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static const char *variable(aws_getenv_fn *get, const char *name)
{
	const char *value = get(name);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Owned; NULL when there is no such place (no HOME). Only a first "~" is expanded. */
static char *file_path(aws_getenv_fn *get, const char *name, const char *fallback)
{
	const char *home = variable(get, "HOME"), *path = variable(get, name);
	if (path == NULL)
		path = fallback;
	if (strcmp(path, "~") != 0 && !text_has_prefix(path, "~/"))
		return xstrdup(path);
	return home != NULL ? xasprintf("%s%s", home, path + 1) : NULL;
}

static int read_file(
	struct reading *reading, const char *file, ini_entry_fn *entry, struct err *err)
{
	if (file == NULL)
		return 0;
	reading->file = file;
	reading->has_file_keys = false;
	struct err problem = ERR_INIT;
	if (ini_parse_file(INI_AWS, file, entry, reading, &problem) == 0)
		return 0;
	if (strcmp(problem.code, "ENOENT") == 0)
		return 0; /* the files are optional */
	*err = problem;
	return -1;
}

/* What was read, as one answer: keys, or the method that the profile asks for instead. */
static int conclude(struct reading *reading, struct err *err)
{
	struct aws_profile *profile = reading->profile;
	bool has_keys = reading->has_key_id && reading->has_secret;
	for (int i = 0; i < METHODS && !profile->has_other_method; i++) {
		/* In AWS's order a role to assume comes before static keys, all else behind. */
		bool is_used =
			reading->has_method[i] && (!has_keys || (i == ROLE && reading->has_source));
		if (!is_used)
			continue;
		profile->has_other_method = true;
		(void)text_copy(profile->other_method, sizeof(profile->other_method),
			method_key[i]); /* fits */
	}
	if (profile->has_other_method)
		return 0;
	if (reading->has_key_id != reading->has_secret)
		return err_set(err, ERR_CONFIG, "%s: profile %s has %s but no %s", profile->file,
			profile->name,
			reading->has_key_id ? "aws_access_key_id" : "aws_secret_access_key",
			reading->has_key_id ? "aws_secret_access_key" : "aws_access_key_id");
	profile->has_keys = has_keys;
	return 0;
}

static int read_files(
	struct reading *reading, const char *config, const char *credentials, struct err *err)
{
	reading->is_config = true;
	if (read_file(reading, config, on_profile_entry, err) != 0)
		return -1;
	reading->is_config = false;
	if (read_file(reading, credentials, on_profile_entry, err) != 0)
		return -1;
	if (reading->services[0] != '\0' && read_file(reading, config, on_services_entry, err) != 0)
		return -1;
	return conclude(reading, err);
}

int aws_profile_load(
	aws_getenv_fn *get, const char *name, struct aws_profile *ret_profile, struct err *err)
{
	const char *wanted = name != NULL && name[0] != '\0' ? name : variable(get, "AWS_PROFILE");
	if (wanted == NULL)
		wanted = "default";
	struct aws_profile *profile = xcalloc(1, sizeof(*profile));
	profile->use_fips = profile->use_dualstack = -1;
	char *config = file_path(get, "AWS_CONFIG_FILE", "~/.aws/config");
	char *credentials = file_path(get, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
	struct reading reading = {.profile = profile};
	int rc;
	if (!text_copy(profile->name, sizeof(profile->name), wanted))
		rc = err_set(err, ERR_CONFIG, "a profile's name of more than %zu bytes",
			sizeof(profile->name) - 1);
	else
		rc = read_files(&reading, config, credentials, err);
	if (rc == 0 && !profile->has_keys)
		aws_credentials_clear(&profile->credentials);
	if (rc == 0)
		*ret_profile = *profile; /* with what it owns */
	else
		aws_profile_clear(profile);
	free(profile);
	free(config);
	free(credentials);
	return rc;
}

void aws_profile_clear(struct aws_profile *profile)
{
	aws_credentials_clear(&profile->credentials);
	*profile = (struct aws_profile){.use_fips = -1, .use_dualstack = -1};
}
