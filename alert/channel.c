#include "alert/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/http_url.h"
#include "base/mem.h"
#include "base/text.h"

void alert_channel_clear(struct alert_channel *channel)
{
	char *const text[] = {channel->name, channel->url_file, channel->proxy, channel->no_proxy,
		channel->ca_bundle, channel->server, channel->user, channel->password_file,
		channel->from, channel->command};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		free(text[i]);
	for (size_t i = 0; i < channel->to_count; i++)
		free(channel->to[i]);
	free(channel->to);
	*channel = (struct alert_channel){.name = NULL};
}

void alert_channel_copy(struct alert_channel *to, const struct alert_channel *from)
{
	*to = *from;
	to->name = xstrdup(from->name);
	to->url_file = xstrdup(from->url_file);
	to->proxy = xstrdup(from->proxy);
	to->no_proxy = xstrdup(from->no_proxy);
	to->ca_bundle = xstrdup(from->ca_bundle);
	to->server = xstrdup(from->server);
	to->user = xstrdup(from->user);
	to->password_file = xstrdup(from->password_file);
	to->from = xstrdup(from->from);
	to->command = xstrdup(from->command);
	to->to = xcalloc(from->to_count + 1, sizeof(*to->to));
	for (size_t i = 0; i < from->to_count; i++)
		to->to[i] = xstrdup(from->to[i]);
}

bool alert_channel_equals(const struct alert_channel *a, const struct alert_channel *b)
{
	const char *const text[][2] = {{a->name, b->name}, {a->url_file, b->url_file},
		{a->proxy, b->proxy}, {a->no_proxy, b->no_proxy}, {a->ca_bundle, b->ca_bundle},
		{a->server, b->server}, {a->user, b->user}, {a->password_file, b->password_file},
		{a->from, b->from}, {a->command, b->command}};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (strcmp(text[i][0], text[i][1]) != 0)
			return false;
	if (a->to_count != b->to_count)
		return false;
	for (size_t i = 0; i < a->to_count; i++)
		if (strcmp(a->to[i], b->to[i]) != 0)
			return false;
	return a->type == b->type && a->minimum == b->minimum && a->resolved == b->resolved &&
	       a->shape == b->shape && a->tls == b->tls && a->timeout_s == b->timeout_s;
}

const char *channel_type_name(enum channel_type type)
{
	static const char *const name[] = {"webhook", "mail", "command", "journal"};
	return name[type];
}

int channel_server_parse(const char *server, int default_port, char *host, size_t size,
	int *ret_port, struct err *err)
{
	char *url = xasprintf("https://%s", server);
	struct http_target target;
	struct err ignored = ERR_INIT;
	int rc = strpbrk(server, "/@?#") == NULL ? http_target_parse(url, &target, &ignored) : -1;
	free(url);
	if (rc != 0 || !text_copy(host, size, target.name))
		return err_set(err, ERR_CONFIG, "expected a mail server as host or host:port");
	const char *colon = strrchr(server, ':');
	bool has_port = colon != NULL && strchr(colon, ']') == NULL;
	*ret_port = has_port ? target.port : default_port;
	return 0;
}
