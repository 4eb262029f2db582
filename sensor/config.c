/*
 * Loading: the main file and its drop-ins into one struct config.
 *
 * A problem does not end the reading, so that --check can tell all of them at once; only what
 * breaks the form of a file (ini.h) ends that file.
 */
#include "sensor/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ini.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/config_table.h"

enum {
	DROP_INS_MAX = 1000,
	VALUE_SHOWN_MAX = 60, /* of a wrong value, in a message */
};

struct loader {
	struct config *config;
	config_problem_fn *report;
	void *arg;
	size_t problem_count;
	bool has_sensor; /* [sensor] was opened in this file */
	void *base;	 /* struct config or connector that options are set in; NULL: none */
	enum config_section section;
	struct config_value *value; /* of that base */
};

static void problem(struct loader *loader, const struct err *err)
{
	loader->problem_count++;
	loader->report(loader->arg, err->text);
}

__attribute__((format(printf, 4, 5))) static void problem_at(
	struct loader *loader, const struct ini_place *place, int column, const char *format, ...)
{
	struct err err = ERR_INIT;
	va_list args;
	va_start(args, format);
	(void)err_vset(&err, ERR_CONFIG, format, args);
	va_end(args);
	(void)err_wrap(&err, "%s:%d:%d", place->file, place->line, column);
	problem(loader, &err);
}

/* --- values ----------------------------------------------------------------------------------- */

static struct config_value *values_new(void)
{
	return xcalloc(config_option_count, sizeof(struct config_value));
}

static void values_free(struct config_value *value)
{
	for (size_t i = 0; value != NULL && i < config_option_count; i++) {
		free(value[i].text);
		free(value[i].source);
	}
	free(value);
}

static void set_defaults(enum config_section section, void *base)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		struct err err = ERR_INIT;
		if (option->section != section)
			continue;
		if (option->default_value[0] == '\0' && option->min > 0)
			*(char **)((char *)base + option->offset) = xstrdup("");
		else if (option->set(option, base, option->default_value, &err) != 0)
			abort(); /* the table contradicts itself */
	}
}

static void say_wrong_value(struct loader *loader, const struct ini_place *place,
	const struct config_option *option, const char *value)
{
	struct buf shown, expected;
	buf_init(&shown, 1024);
	buf_init(&expected, 1024);
	text_escape(&shown, value, strlen(value), VALUE_SHOWN_MAX);
	config_option_expected(option, &expected);
	problem_at(loader, place, place->value_column, "%s = \"%s\": expected %s", option->name,
		buf_text(&shown), buf_text(&expected));
	buf_clear(&shown);
	buf_clear(&expected);
}

static void on_value(struct loader *loader, const struct ini_place *place,
	const struct config_option *option, const char *value)
{
	struct config_value *written = &loader->value[option - config_options];
	size_t file_len = strlen(place->file);
	if (written->source != NULL && strncmp(written->source, place->file, file_len) == 0 &&
		written->source[file_len] == ':') {
		problem_at(loader, place, place->column, "%s is set twice, first at %s",
			option->name, written->source);
		return;
	}
	struct err err = ERR_INIT;
	if (option->set(option, loader->base, value, &err) != 0) {
		if (err.kind == ERR_NONE)
			say_wrong_value(loader, place, option, value);
		else
			problem_at(loader, place, place->value_column, "%s", err.text);
		return;
	}
	free(written->text);
	free(written->source);
	written->text = xstrdup(value);
	written->source = xasprintf("%s:%d", place->file, place->line);
}

static void on_property(
	struct loader *loader, const struct ini_place *place, const char *key, const char *value)
{
	const struct config_option *option = config_option_find(loader->section, key);
	if (option != NULL) {
		on_value(loader, place, option, value);
		return;
	}
	struct buf shown;
	buf_init(&shown, 1024);
	text_escape(&shown, key, strlen(key), VALUE_SHOWN_MAX);
	static const char *const names[] = {[CONFIG_SENSOR] = "sensor",
		[CONFIG_CONNECTOR] = "connector NAME",
		[CONFIG_CHANNEL] = "channel NAME"};
	const char *section = names[loader->section];
	const char *suggestion = config_option_suggest(loader->section, key);
	if (suggestion != NULL)
		problem_at(loader, place, place->column,
			"unknown option \"%s\" in [%s]; did you mean %s?", buf_text(&shown),
			section, suggestion);
	else
		problem_at(loader, place, place->column, "unknown option \"%s\" in [%s]",
			buf_text(&shown), section);
	buf_clear(&shown);
}

/* --- sections --------------------------------------------------------------------------------- */

static bool is_section_name(const char *name)
{
	size_t len = strlen(name);
	return len >= 1 && len <= CONFIG_NAME_MAX && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static struct config_connector *find_connector(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->connector_count; i++)
		if (strcmp(config->connector[i].name, name) == 0)
			return &config->connector[i];
	return NULL;
}

static void open_channel(struct loader *loader, const struct ini_place *place, const char *name)
{
	struct config *config = loader->config;
	if (!is_section_name(name)) {
		problem_at(loader, place, place->column,
			"a channel's name: expected [channel NAME], 1 to %d of a-z, 0-9 and '-'",
			CONFIG_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < config->channel_count; i++) {
		if (strcmp(config->channel[i].channel.name, name) != 0)
			continue;
		problem_at(loader, place, place->column, "[channel %s] is there twice, first at %s",
			name, config->channel[i].place);
		return;
	}
	if (config->channel_count == CONFIG_CHANNELS_MAX) {
		problem_at(
			loader, place, place->column, "more than %d channels", CONFIG_CHANNELS_MAX);
		return;
	}
	struct config_channel *channel = &config->channel[config->channel_count++];
	set_defaults(CONFIG_CHANNEL, &channel->channel);
	channel->channel.name = xstrdup(name);
	channel->place = xasprintf("%s:%d:%d", place->file, place->line, place->column);
	channel->value = values_new();
	loader->base = &channel->channel;
	loader->section = CONFIG_CHANNEL;
	loader->value = channel->value;
}

static void open_connector(struct loader *loader, const struct ini_place *place, const char *name)
{
	struct config *config = loader->config;
	if (!is_section_name(name)) {
		problem_at(loader, place, place->column,
			"a connector's name: expected [connector NAME], 1 to %d of a-z, 0-9 and '-'",
			CONFIG_NAME_MAX);
		return;
	}
	const struct config_connector *first = find_connector(config, name);
	if (first != NULL) {
		problem_at(loader, place, place->column,
			"[connector %s] is there twice, first at %s", name, first->place);
		return;
	}
	if (config->connector_count == CONFIG_CONNECTORS_MAX) {
		problem_at(loader, place, place->column, "more than %d connectors",
			CONFIG_CONNECTORS_MAX);
		return;
	}
	struct config_connector *connector = &config->connector[config->connector_count++];
	set_defaults(CONFIG_CONNECTOR, connector);
	connector->name = xstrdup(name);
	connector->place = xasprintf("%s:%d:%d", place->file, place->line, place->column);
	connector->value = values_new();
	loader->base = connector;
	loader->section = CONFIG_CONNECTOR;
	loader->value = connector->value;
}

static void on_section(struct loader *loader, const struct ini_place *place, const char *section)
{
	loader->base = NULL;
	size_t word_len = strcspn(section, " \t");
	const char *rest = section + word_len;
	if (strncmp(section, "connector", word_len) == 0 && word_len == strlen("connector")) {
		open_connector(loader, place, rest + strspn(rest, " \t"));
		return;
	}
	if (strncmp(section, "channel", word_len) == 0 && word_len == strlen("channel")) {
		open_channel(loader, place, rest + strspn(rest, " \t"));
		return;
	}
	if (strcmp(section, "sensor") != 0) {
		struct buf shown;
		buf_init(&shown, 1024);
		text_escape(&shown, section, strlen(section), VALUE_SHOWN_MAX);
		problem_at(loader, place, place->column,
			"unknown section [%s]; expected [sensor], [connector NAME] or "
			"[channel NAME]",
			buf_text(&shown));
		buf_clear(&shown);
		return;
	}
	if (loader->has_sensor) {
		problem_at(loader, place, place->column, "[sensor] is there twice in this file");
		return;
	}
	loader->has_sensor = true;
	loader->base = loader->config;
	loader->section = CONFIG_SENSOR;
	loader->value = loader->config->value;
}

static int on_entry(void *arg, const struct ini_place *place, const char *section, const char *key,
	const char *value, struct err *err)
{
	struct loader *loader = arg;
	(void)err;
	if (key == NULL)
		on_section(loader, place, section);
	else if (loader->base != NULL) /* the options of a wrong section are not looked at */
		on_property(loader, place, key, value);
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Whoever may write the configuration decides where credentials are sent. */
static int check_file(const char *file, struct err *err)
{
	struct stat st;
	if (stat(file, &st) != 0)
		return err_set_errno(err, ERR_CONFIG, "%s", file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "%s: not a regular file", file);
	if ((st.st_mode & S_IWOTH) != 0)
		return err_set(err, ERR_CONFIG,
			"%s: everybody may write it (mode %04o); expected chmod o-w", file,
			(unsigned)(st.st_mode & 07777));
	return 0;
}

static void load_file(struct loader *loader, const char *file)
{
	struct err err = ERR_INIT;
	loader->has_sensor = false;
	loader->base = NULL;
	if (check_file(file, &err) != 0 ||
		ini_parse_file(INI_OURS, file, on_entry, loader, &err) != 0)
		problem(loader, &err);
}

static int is_drop_in(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_has_suffix(entry->d_name, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_drop_ins(struct loader *loader, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *directory = slash == NULL ? xstrdup("conf.d")
					: xasprintf("%.*s/conf.d", (int)(slash - file), file);
	struct dirent **entry = NULL;
	int count = scandir(directory, &entry, is_drop_in, by_name);
	struct err err = ERR_INIT;
	if (count < 0 && errno != ENOENT) {
		(void)err_set_errno(&err, ERR_CONFIG, "%s", directory);
		problem(loader, &err);
	}
	if (count > DROP_INS_MAX) {
		(void)err_set(&err, ERR_CONFIG, "%s: more than %d files", directory, DROP_INS_MAX);
		problem(loader, &err);
	}
	for (int i = 0; i < count; i++) {
		if (i < DROP_INS_MAX) {
			char *path = xasprintf("%s/%s", directory, entry[i]->d_name);
			load_file(loader, path);
			free(path);
		}
		free(entry[i]);
	}
	free(entry);
	free(directory);
}

/* --- what options say together ---------------------------------------------------------------- */

static void check_connector(struct loader *loader, const struct config_connector *connector)
{
	const char *what = NULL;
	bool has_profile = connector->profile[0] != '\0';
	bool has_dates = connector->import.has_expired || connector->import.has_revoked;
	if (connector->auth == CONFIG_AUTH_PROFILE && !has_profile)
		what = "auth = profile needs a profile";
	else if (connector->auth != CONFIG_AUTH_PROFILE && has_profile)
		what = "profile is set, but auth is not; expected auth = profile";
	else if (!connector->is_organization && connector->management_role_arn[0] != '\0')
		what = "management_role_arn has a meaning with scope = organization only";
	else if (connector->import.mode != IMPORT_VALID && has_dates)
		what = "import_expired and import_revoked have a meaning with import = valid only";
	else if (connector->proxy[0] == '\0' && connector->no_proxy[0] != '\0')
		what = "no_proxy is set, but proxy is not";
	if (what == NULL)
		return;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_CONFIG, "%s: [connector %s]: %s", connector->place, connector->name,
		what);
	problem(loader, &err);
}

/* What a type needs and what has no meaning for it. */
static void check_channel(struct loader *loader, const struct config_channel *config)
{
	const struct alert_channel *channel = &config->channel;
	bool is_webhook = channel->type == CHANNEL_WEBHOOK, is_mail = channel->type == CHANNEL_MAIL;
	bool is_command = channel->type == CHANNEL_COMMAND;
	bool has_user = channel->user[0] != '\0';
	const char *what = NULL;
	if (is_webhook != (channel->url_file[0] != '\0'))
		what = "url_file is needed with type = webhook, and only there";
	else if (is_command != (channel->command[0] != '\0'))
		what = "command is needed with type = command, and only there";
	else if (is_mail != (channel->server[0] != '\0') || is_mail != (channel->from[0] != '\0') ||
		 is_mail != (channel->to_count > 0))
		what = "server, from and to are needed with type = mail, and only there";
	else if (has_user != (channel->password_file[0] != '\0') || (has_user && !is_mail))
		what = "user and password_file belong together, with type = mail";
	else if (has_user && channel->tls == MAIL_PLAIN)
		what = "user is set, but tls = off would show the password to everybody";
	else if (channel->proxy[0] == '\0' && channel->no_proxy[0] != '\0')
		what = "no_proxy is set, but proxy is not";
	else if (!is_webhook && channel->proxy[0] != '\0')
		what = "proxy has a meaning with type = webhook only";
	if (what == NULL)
		return;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_CONFIG, "%s: [channel %s]: %s", config->place, channel->name, what);
	problem(loader, &err);
}

/* The host's name as far as a sensor's name may have its characters. */
static void set_host_name(struct config *config)
{
	char host[65] = "";
	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
		(void)text_copy(host, sizeof(host), "sensor");
	for (char *at = host; *at != '\0'; at++)
		if (strchr("._-", *at) == NULL && !(*at >= 'a' && *at <= 'z') &&
			!(*at >= 'A' && *at <= 'Z') && !(*at >= '0' && *at <= '9'))
			*at = '-';
	free(config->name);
	config->name = xstrdup(host);
}

struct config *config_check(const char *file, config_problem_fn *report, void *arg)
{
	struct config *config = xcalloc(1, sizeof(*config));
	struct loader loader = {.config = config, .report = report, .arg = arg};
	config->file = xstrdup(file);
	config->connector = xcalloc(CONFIG_CONNECTORS_MAX, sizeof(*config->connector));
	config->channel = xcalloc(CONFIG_CHANNELS_MAX, sizeof(*config->channel));
	config->value = values_new();
	set_defaults(CONFIG_SENSOR, config);
	load_file(&loader, file);
	load_drop_ins(&loader, file);
	for (size_t i = 0; i < config->connector_count; i++)
		check_connector(&loader, &config->connector[i]);
	for (size_t i = 0; i < config->channel_count; i++)
		check_channel(&loader, &config->channel[i]);
	if (config->name[0] == '\0')
		set_host_name(config);
	if (loader.problem_count == 0)
		return config;
	config_free(config);
	return NULL;
}

static void keep_first(void *arg, const char *text)
{
	struct err *err = arg;
	if (err->kind == ERR_NONE)
		(void)err_set(err, ERR_CONFIG, "%s", text);
}

struct config *config_load(const char *file, struct err *err)
{
	struct err first = ERR_INIT;
	struct config *config = config_check(file, keep_first, &first);
	if (config == NULL)
		*err = first;
	return config;
}

/* --- life ------------------------------------------------------------------------------------- */

static void list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
}

void config_connector_clear(struct config_connector *connector)
{
	char *const text[] = {connector->name, connector->place, connector->profile,
		connector->region, connector->role_name, connector->external_id,
		connector->management_role_arn, connector->endpoint_url,
		connector->endpoint_url_sts, connector->endpoint_url_organizations,
		connector->endpoint_url_account, connector->endpoint_url_ec2,
		connector->endpoint_url_acm, connector->ca_bundle, connector->proxy,
		connector->no_proxy, connector->kms_key_id, connector->endpoint_url_secretsmanager};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		free(text[i]);
	list_clear(&connector->include_units);
	list_clear(&connector->exclude_units);
	list_clear(&connector->include_accounts);
	list_clear(&connector->exclude_accounts);
	list_clear(&connector->regions);
	values_free(connector->value);
	*connector = (struct config_connector){.name = NULL};
}

void config_connector_copy(struct config_connector *to, const struct config_connector *from)
{
	set_defaults(CONFIG_CONNECTOR, to);
	to->name = xstrdup(from->name);
	to->place = xstrdup(from->place);
	to->value = values_new();
	for (size_t i = 0; i < config_option_count; i++) {
		struct err err = ERR_INIT;
		const struct config_value *value = &from->value[i];
		if (value->text == NULL)
			continue;
		if (config_options[i].set(&config_options[i], to, value->text, &err) != 0)
			abort(); /* it was accepted before */
		to->value[i].text = xstrdup(value->text);
		to->value[i].source = xstrdup(value->source);
	}
}

bool config_connector_equal(const struct config_connector *a, const struct config_connector *b)
{
	if (strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < config_option_count; i++) {
		const char *default_value = config_options[i].default_value;
		const char *in_a = a->value[i].text, *in_b = b->value[i].text;
		if (strcmp(in_a != NULL ? in_a : default_value,
			    in_b != NULL ? in_b : default_value) != 0)
			return false;
	}
	return true;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->connector_count; i++)
		config_connector_clear(&config->connector[i]);
	free(config->connector);
	for (size_t i = 0; i < config->channel_count; i++) {
		alert_channel_clear(&config->channel[i].channel);
		free(config->channel[i].place);
		values_free(config->channel[i].value);
	}
	free(config->channel);
	values_free(config->value);
	free(config->name);
	free(config->data_dir);
	free(config->control_socket);
	free(config->vault_key_file);
	free(config->metrics_listen);
	free(config->file);
	free(config);
}
