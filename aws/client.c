/* Who calls AWS and by which way: identities, endpoints, hosts. What a call does is call.c. */
#include "aws/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client_internal.h"
#include "aws/cred.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/text.h"

/* What one attempt may take. A regional endpoint that does not take a connection in five seconds is
 * down or filtered; AWS answers lists in well under a second; a pause of ten seconds inside an
 * answer is a dead connection; the whole bounds an answer that trickles. */
static const struct http_timeouts default_timeouts = {
	.connect_ms = 5000,
	.first_byte_ms = 20000,
	.stall_ms = 10000,
	.total_ms = 60000,
};

/* --- what all clients share ------------------------------------------------------------------- */

struct aws *aws_new(struct loop *loop, struct http *http, const char *user_agent)
{
	struct aws *aws = xcalloc(1, sizeof(*aws));
	aws->loop = loop;
	aws->http = http;
	aws->user_agent = xstrdup(user_agent);
	aws->sigv4 = sigv4_new(&aws->sigv4_err);
	aws->rate = rate_table_new();
	aws->usage = &aws->own_usage;
	return aws;
}

void aws_count_into(struct aws *aws, struct aws_usage *usage)
{
	aws->usage = usage;
}

void aws_free(struct aws *aws)
{
	if (aws == NULL)
		return;
	while (aws->hosts != NULL) {
		struct aws_host *host = aws->hosts;
		assert(host->calls == NULL);
		aws->hosts = host->next;
		free(host->key);
		free(host);
	}
	rate_table_free(aws->rate);
	sigv4_free(aws->sigv4);
	free(aws->user_agent);
	free(aws);
}

void aws_get_stats(const struct aws *aws, struct aws_stats *ret_stats)
{
	*ret_stats = aws->stats;
	ret_stats->clock_offset_s = aws->skew.offset_s;
}

void aws_rest(struct aws *aws)
{
	rate_forget_full(aws->rate, clock_mono_ms());
}

int64_t aws_now_s(const struct aws *aws)
{
	return clock_now_s() + aws->skew.offset_s;
}

int64_t aws_client_now_s(const struct aws_client *client)
{
	return aws_now_s(client->aws);
}

/* --- ways ------------------------------------------------------------------------------------- */

static char *copy_unless_empty(const char *text)
{
	return text != NULL && text[0] != '\0' ? xstrdup(text) : NULL;
}

static int or_default(int configured, int fallback)
{
	return configured > 0 ? configured : fallback;
}

static struct aws_way *way_new(const struct aws_network *network)
{
	struct aws_way *way = xcalloc(1, sizeof(*way));
	way->options = network->endpoints;
	way->proxy = copy_unless_empty(network->proxy);
	way->no_proxy = copy_unless_empty(network->no_proxy);
	way->ca_bundle = copy_unless_empty(network->ca_bundle);
	way->route = (struct http_route){
		.proxy = way->proxy, .no_proxy = way->no_proxy, .ca_bundle = way->ca_bundle};
	const struct http_timeouts *asked = &network->timeouts, *fallback = &default_timeouts;
	way->timeouts = (struct http_timeouts){
		.connect_ms = or_default(asked->connect_ms, fallback->connect_ms),
		.first_byte_ms = or_default(asked->first_byte_ms, fallback->first_byte_ms),
		.stall_ms = or_default(asked->stall_ms, fallback->stall_ms),
		.total_ms = or_default(asked->total_ms, fallback->total_ms),
	};
	return way;
}

static void way_free(struct aws_way *way)
{
	if (way == NULL)
		return;
	for (size_t i = 0; i < way->count; i++)
		free(way->endpoint[i]);
	free(way->endpoint);
	free(way->proxy);
	free(way->no_proxy);
	free(way->ca_bundle);
	free(way);
}

/* Hosts are told apart by the way as well: what one proxy cannot reach another may. */
static struct aws_host *find_host(struct aws *aws, const struct aws_way *way, const char *host_key)
{
	char *key = xasprintf("%s %s %s", host_key, way->proxy != NULL ? way->proxy : "-",
		way->ca_bundle != NULL ? way->ca_bundle : "-");
	for (struct aws_host *host = aws->hosts; host != NULL; host = host->next) {
		if (strcmp(host->key, key) == 0) {
			free(key);
			return host;
		}
	}
	struct aws_host *host = xcalloc(1, sizeof(*host));
	host->key = key;
	host->next = aws->hosts;
	aws->hosts = host;
	return host;
}

struct aws_endpoint *aws_way_endpoint(struct aws *aws, struct aws_way *way,
	enum aws_service service, const char *region, struct err *err)
{
	for (size_t i = 0; i < way->count; i++) {
		struct aws_endpoint *known = way->endpoint[i];
		if (known->service == service && strcmp(known->region, region) == 0)
			return known;
	}
	struct aws_endpoint found = {.service = service, .index = way->count};
	if (endpoint_resolve(service, region, &way->options, &found.endpoint, err) != 0)
		return NULL;
	(void)text_copy(found.region, sizeof(found.region), region); /* checked: it resolved */
	found.host = find_host(aws, way, found.endpoint.host_key);
	struct aws_endpoint *endpoint = xmalloc(sizeof(*endpoint));
	*endpoint = found;
	way->endpoint = xgrow(way->endpoint, &way->capacity, way->count, sizeof(*way->endpoint));
	way->endpoint[way->count++] = endpoint;
	return endpoint;
}

/* --- clients ---------------------------------------------------------------------------------- */

struct aws_client *aws_client_new(struct aws *aws, const struct aws_network *network,
	const char *account_id, struct cred_source *source)
{
	struct aws_client *client = xcalloc(1, sizeof(*client));
	client->aws = aws;
	client->own_way = way_new(network);
	client->way = client->own_way;
	client->source = source;
	aws_client_set_account(client, account_id);
	return client;
}

struct aws_client *aws_client_assume(struct aws_client *hub, const struct aws_role *role)
{
	struct aws_client *client = xcalloc(1, sizeof(*client));
	client->aws = hub->aws;
	client->way = hub->way;
	client->patience_ms = hub->patience_ms;
	client->role_source = cred_role_new(hub->aws, hub, role);
	client->source = client->role_source;
	aws_client_set_account(client, role->account_id);
	return client;
}

struct aws_client *aws_client_with_patience(struct aws_client *of, int patience_ms)
{
	struct aws_client *client = xcalloc(1, sizeof(*client));
	client->aws = of->aws;
	client->way = of->way;
	client->source = of->source;
	client->patience_ms = patience_ms;
	aws_client_set_account(client, of->account_id);
	return client;
}

void aws_client_free(struct aws_client *client)
{
	if (client == NULL)
		return;
	assert(client->calls == 0);
	for (size_t i = 0; i < client->keys; i++) {
		sigv4_key_clear(client->key[i]);
		free(client->key[i]);
	}
	free(client->key);
	cred_source_free(client->role_source);
	way_free(client->own_way);
	free(client);
}

void aws_client_set_account(struct aws_client *client, const char *account_id)
{
	(void)text_copy(client->account_id, sizeof(client->account_id), account_id);
}

const char *aws_client_account(const struct aws_client *client)
{
	return client->account_id;
}

struct sigv4_key *aws_client_key(struct aws_client *client, const struct aws_endpoint *endpoint)
{
	if (endpoint->index >= client->keys) {
		size_t count = endpoint->index + 1;
		client->key = xreallocarray(client->key, count, sizeof(*client->key));
		while (client->keys < count)
			client->key[client->keys++] = NULL;
	}
	struct sigv4_key **key = &client->key[endpoint->index];
	if (*key == NULL)
		*key = xcalloc(1, sizeof(**key));
	return *key;
}

/* --- readiness -------------------------------------------------------------------------------- */

struct aws_ready {
	struct cred_call *call; /* owned until it answers */
	aws_ready_done_fn *done;
	void *arg;
};

static void on_credentials(
	void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	(void)credentials;
	struct aws_ready *ready = arg;
	aws_ready_done_fn *done = ready->done;
	void *done_arg = ready->arg;
	free(ready);
	done(done_arg, err);
}

struct aws_ready *aws_client_ready_start(
	struct aws_client *client, aws_ready_done_fn *done, void *arg)
{
	struct aws_ready *ready = xcalloc(1, sizeof(*ready));
	ready->done = done;
	ready->arg = arg;
	ready->call = cred_get_start(client->source, on_credentials, ready);
	return ready;
}

void aws_client_ready_cancel(struct aws_ready *ready)
{
	if (ready == NULL)
		return;
	cred_get_cancel(ready->call);
	free(ready);
}
