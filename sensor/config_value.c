/* From the text of an option to its value: one function a type, each strict about its form. */
#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/config.h"
#include "sensor/config_table.h"
#include "sensor/metrics_address.h"

#define LOWER	    "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	    "0123456789"
#define LETTERS	    LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define IAM_NAME    LETTERS DIGITS "+=,.@_-"
#define ROLE_IN_ARN ":role/"

static void *field_of(const struct config_option *option, void *base)
{
	return (char *)base + option->offset;
}

static bool has_length(const struct config_option *option, const char *value)
{
	size_t len = strlen(value);
	return len >= (size_t)option->min && len <= (size_t)option->max;
}

static bool has_only(const char *text, const char *accepted)
{
	return text[strspn(text, accepted)] == '\0';
}

static int replace_text(const struct config_option *option, void *base, const char *value)
{
	char **field = field_of(option, base);
	free(*field);
	*field = xstrdup(value);
	return 0;
}

int config_set_text(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	return has_length(option, value) ? replace_text(option, base, value) : -1;
}

int config_set_path(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	if (value[0] != '\0' && value[0] != '/')
		return -1;
	return config_set_text(option, base, value, err);
}

int config_set_name(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	if (!has_only(value, LETTERS DIGITS "._-"))
		return -1;
	return config_set_text(option, base, value, err);
}

int config_set_number(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct err ignored = ERR_INIT; /* the expectation names the range */
	(void)err;
	return text_parse_int(value, option->min, option->max, field_of(option, base), &ignored);
}

int config_set_duration(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t seconds = 0;
	(void)err;
	if (text_parse_duration(value, &seconds, &ignored) != 0 || seconds < option->min ||
		seconds > option->max)
		return -1;
	*(int64_t *)field_of(option, base) = seconds;
	return 0;
}

int config_set_bool(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -1;
	*(bool *)field_of(option, base) = value[0] == 'y';
	return 0;
}

int config_set_escrow(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	enum key_escrow *field = field_of(option, base);
	(void)err;
	if (strcmp(value, "sensor") == 0)
		*field = ESCROW_SENSOR;
	else if (strcmp(value, "memory") == 0)
		*field = ESCROW_MEMORY;
	else if (strcmp(value, "secretsmanager") == 0)
		*field = ESCROW_SECRETS_MANAGER;
	else
		return -1;
	return 0;
}

int config_set_switch(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	int *field = field_of(option, base);
	if (strcmp(value, "yes") == 0)
		*field = 1;
	else if (strcmp(value, "no") == 0)
		*field = 0;
	else if (value[0] == '\0')
		*field = -1;
	else
		return -1;
	return 0;
}

int config_set_log_level(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	return log_level_parse(value, field_of(option, base)) ? 0 : -1;
}

int config_set_scope(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	if (strcmp(value, "organization") != 0 && strcmp(value, "account") != 0)
		return -1;
	*(bool *)field_of(option, base) = value[0] == 'o';
	return 0;
}

int config_set_auth(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	static const char *const later[] = {"static", "vault", "cyberark", "rolesanywhere"};
	enum config_auth *field = field_of(option, base);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(value, later[i]) == 0)
			return err_set(err, ERR_CONFIG,
				"auth = %s: not in this version; expected %s", later[i],
				option->expected);
	if (strcmp(value, "default") == 0)
		*field = CONFIG_AUTH_DEFAULT;
	else if (strcmp(value, "profile") == 0)
		*field = CONFIG_AUTH_PROFILE;
	else
		return -1;
	return 0;
}

int config_set_region(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	return text_is_region(value) ? replace_text(option, base, value) : -1;
}

/* IAM: a path of at most 512 characters between slashes, and a name of at most 64. */
static bool is_role_name(const char *value)
{
	const char *slash = strrchr(value, '/');
	const char *name = slash == NULL ? value : slash + 1;
	size_t path_len = (size_t)(name - value);
	return path_len <= 512 && value[0] != '/' && strstr(value, "//") == NULL &&
	       name[0] != '\0' && strlen(name) <= 64 && has_only(value, IAM_NAME "/");
}

int config_set_role_name(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	return is_role_name(value) ? replace_text(option, base, value) : -1;
}

/* STS 2011-06-15 AssumeRole: ExternalId. */
int config_set_external_id(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	if (value[0] != '\0' && (!has_length(option, value) || !has_only(value, IAM_NAME ":/")))
		return -1;
	return replace_text(option, base, value);
}

/* arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME */
static bool is_role_arn(const char *value)
{
	static const char iam[] = ":iam::";
	char account_id[13];
	if (!text_has_prefix(value, "arn:aws"))
		return false;
	const char *partition = value + strlen("arn:");
	const char *rest = partition + strspn(partition, LOWER "-");
	if (!text_has_prefix(rest, iam) || strlen(rest) < strlen(iam) + 12)
		return false;
	rest += strlen(iam);
	(void)text_copy(account_id, sizeof(account_id), rest); /* cut on purpose */
	rest += 12;
	return text_is_account_id(account_id) && text_has_prefix(rest, ROLE_IN_ARN) &&
	       is_role_name(rest + strlen(ROLE_IN_ARN));
}

int config_set_role_arn(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	if (value[0] != '\0' && (!has_length(option, value) || !is_role_arn(value)))
		return -1;
	return replace_text(option, base, value);
}

static void list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct config_list){.item = NULL};
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Outsiders' text inside a message: escaped and cut. */
static int bad_item(const struct config_option *option, const char *item, const char *why,
	const char *what, struct err *err)
{
	struct buf shown;
	buf_init(&shown, 1024);
	text_escape(&shown, item, strlen(item), 60);
	(void)err_set(err, ERR_CONFIG, "%s: \"%s\"%s%s", option->name, buf_text(&shown), why, what);
	buf_clear(&shown);
	return -1;
}

/* Sorts; the same item twice is a slip of whoever wrote the list. */
static int check_twice(
	const struct config_option *option, struct config_list *list, struct err *err)
{
	if (list->count > 0)
		qsort(list->item, list->count, sizeof(*list->item), compare_items);
	for (size_t i = 1; i < list->count; i++)
		if (strcmp(list->item[i - 1], list->item[i]) == 0)
			return bad_item(option, list->item[i], " is there twice", "", err);
	return 0;
}

typedef bool item_check_fn(const char *item);

/* Replaces the list by the items of value, each of which must pass the check. */
static int set_list(const struct config_option *option, void *base, const char *value,
	item_check_fn *check, struct err *err)
{
	struct config_list list = {.item = NULL};
	size_t capacity = 0, len = 0;
	const char *at = value, *item = NULL;
	int rc = 0;
	while (rc == 0 && text_next_item(&at, &item, &len)) {
		char *text = xstrndup(item, len);
		if (!check(text))
			rc = bad_item(option, text, ": expected ", option->expected, err);
		else if (list.count == CONFIG_LIST_MAX)
			rc = err_set(err, ERR_CONFIG, "%s: more than %d items", option->name,
				CONFIG_LIST_MAX);
		list.item = xgrow(list.item, &capacity, list.count, sizeof(*list.item));
		list.item[list.count++] = text;
	}
	if (rc == 0)
		rc = check_twice(option, &list, err);
	struct config_list *field = field_of(option, base);
	list_clear(rc == 0 ? field : &list);
	if (rc == 0)
		*field = list;
	return rc;
}

/* Organizations 2016-11-28: r-[0-9a-z]{4,32}, ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}. */
static bool is_unit_id(const char *item)
{
	bool is_root = text_has_prefix(item, "r-");
	if (!is_root && !text_has_prefix(item, "ou-"))
		return false;
	const char *first = strchr(item, '-') + 1;
	size_t first_len = strspn(first, LOWER DIGITS);
	if (first_len < 4 || first_len > 32)
		return false;
	if (is_root)
		return first[first_len] == '\0';
	if (first[first_len] != '-')
		return false;
	const char *second = first + first_len + 1;
	size_t second_len = strspn(second, LOWER DIGITS);
	return second_len >= 8 && second_len <= 32 && second[second_len] == '\0';
}

int config_set_units(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	return set_list(option, base, value, is_unit_id, err);
}

int config_set_accounts(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	return set_list(option, base, value, text_is_account_id, err);
}

int config_set_regions(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	if (value[0] == '\0')
		return -1; /* "no region" is never meant */
	return set_list(
		option, base, strcmp(value, "enabled") == 0 ? "" : value, text_is_region, err);
}

int config_set_import(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	enum import_mode *field = field_of(option, base);
	if (strcmp(value, "valid") == 0)
		*field = IMPORT_VALID;
	else if (strcmp(value, "all") == 0)
		*field = IMPORT_ALL;
	else if (strcmp(value, "off") == 0)
		*field = IMPORT_OFF;
	else
		return -1;
	return 0;
}

int config_set_import_expired(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct err ignored = ERR_INIT;
	(void)err;
	return import_expired_parse(value, field_of(option, base), &ignored);
}

/* --- alerts ----------------------------------------------------------------------------------- */

/* Falling, each once. */
int config_set_days(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct alert_settings settings = {.days_count = 0};
	struct err ignored = ERR_INIT;
	const char *at = value, *item = NULL;
	size_t len = 0;
	char text[16];
	(void)err;
	while (strcmp(value, "off") != 0 && text_next_item(&at, &item, &len)) {
		int64_t days;
		if (len >= sizeof(text) || settings.days_count == ALERT_DAYS_MAX)
			return -1;
		memcpy(text, item, len);
		text[len] = '\0';
		if (text_parse_int(text, option->min, option->max, &days, &ignored) != 0)
			return -1;
		size_t place = settings.days_count++;
		for (; place > 0 && settings.days[place - 1] <= days; place--) {
			if (settings.days[place - 1] == days)
				return -1;
			settings.days[place] = settings.days[place - 1];
		}
		settings.days[place] = days;
	}
	if (settings.days_count == 0 && strcmp(value, "off") != 0)
		return -1;
	struct alert_settings *field = field_of(option, base);
	settings.coverage_after_s = field->coverage_after_s;
	*field = settings;
	return 0;
}

/* The place of value in words. */
static int set_word(const struct config_option *option, void *base, const char *value,
	const char *const *word, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(value, word[i]) != 0)
			continue;
		*(unsigned *)field_of(option, base) = (unsigned)i; /* an enum from 0 */
		return 0;
	}
	return -1;
}

int config_set_channel_type(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	static const char *const word[] = {[CHANNEL_WEBHOOK] = "webhook",
		[CHANNEL_MAIL] = "mail",
		[CHANNEL_COMMAND] = "command",
		[CHANNEL_JOURNAL] = "journal"};
	(void)err;
	return set_word(option, base, value, word, sizeof(word) / sizeof(word[0]));
}

int config_set_shape(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	static const char *const word[] = {
		[CHANNEL_JSON] = "json", [CHANNEL_SLACK] = "slack", [CHANNEL_TEAMS] = "teams"};
	(void)err;
	return set_word(option, base, value, word, sizeof(word) / sizeof(word[0]));
}

int config_set_tls(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	static const char *const word[] = {
		[MAIL_STARTTLS] = "starttls", [MAIL_TLS] = "tls", [MAIL_PLAIN] = "off"};
	(void)err;
	return set_word(option, base, value, word, sizeof(word) / sizeof(word[0]));
}

int config_set_class(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	return alert_class_parse(value, field_of(option, base)) ? 0 : -1;
}

int config_set_server(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct err ignored = ERR_INIT;
	char host[256];
	int port;
	(void)err;
	if (value[0] != '\0' &&
		(!has_length(option, value) ||
			channel_server_parse(value, 1, host, sizeof(host), &port, &ignored) != 0))
		return -1;
	return replace_text(option, base, value);
}

/* What can be written into a header and an SMTP command as it stands; whether it exists is the mail
 * server's to know. */
static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t len = strlen(text);
	return len <= 254 && at != NULL && at != text && at[1] != '\0' &&
	       has_only(text, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.@") && strchr(text, '@') == at;
}

int config_set_address(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	(void)err;
	if (value[0] != '\0' && !is_address(value))
		return -1;
	return replace_text(option, base, value);
}

int config_set_addresses(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct alert_channel *channel = base;
	struct config_list list = {.item = NULL};
	struct config_option of_list = *option;
	of_list.offset = 0;
	if (set_list(&of_list, &list, value, is_address, err) != 0)
		return -1;
	if (list.count > MAIL_RECIPIENTS_MAX) {
		list_clear(&list);
		return -1;
	}
	list_clear(&(struct config_list){.item = channel->to, .count = channel->to_count});
	channel->to = list.item;
	channel->to_count = list.count;
	return 0;
}

int config_set_url(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct err reason = ERR_INIT;
	if (!has_length(option, value))
		return -1;
	if (value[0] != '\0' && endpoint_override_check(value, true, &reason) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s; expected %s", option->name, reason.text,
			option->expected);
	return replace_text(option, base, value);
}

/* user:password@ is refused: a configuration file is no place for secrets. */
int config_set_proxy(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	if (strchr(value, '@') != NULL)
		return err_set(err, ERR_CONFIG,
			"%s: user and password are not supported; expected %s", option->name,
			option->expected);
	if (value[0] != '\0' && !text_has_prefix(value, "http://") &&
		!text_has_prefix(value, "https://"))
		return -1;
	return config_set_url(option, base, value, err);
}

/* No names: resolving one may take long, and give an address that was not meant. */
int config_set_listen(
	const struct config_option *option, void *base, const char *value, struct err *err)
{
	struct metrics_address address;
	(void)err;
	if (strcmp(value, "off") == 0)
		return replace_text(option, base, "");
	if (!has_length(option, value) || !metrics_address_parse(value, &address))
		return -1;
	return replace_text(option, base, value);
}
