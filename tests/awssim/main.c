/* awssim: a simulated AWS organization. Builds everything, listens, runs until told to stop. */
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/awssim/bindings.h"
#include "tests/awssim/ca.h"
#include "tests/awssim/sim.h"

struct bound {
	char plain[64], tls[64], proxy[64], control[64];
};

static void answer(
	void *arg, enum server_role role, const struct http_request *request, struct reply *reply)
{
	if (role == ROLE_CONTROL)
		control_answer(arg, request, reply);
	else
		sim_answer(arg, request, reply);
}

static bool is_known_host(void *arg, const char *host)
{
	(void)arg;
	struct sim_endpoint endpoint;
	return sim_endpoint_of(host, &endpoint);
}

static enum connect_answer on_connect(void *arg, const char *host, const char *port)
{
	struct sim *sim = arg;
	struct sim_endpoint endpoint;
	if (strcmp(port, "443") != 0 || !sim_endpoint_of(host, &endpoint))
		return CONNECT_UNKNOWN_HOST;
	struct fault_point at = {endpoint.service, "", "", endpoint.region};
	const struct fault_rule *rule = faults_pick_endpoint(sim->faults, &at);
	if (rule == NULL)
		return CONNECT_OPEN;
	return rule->kind == FAULT_DEAD ? CONNECT_HANG : CONNECT_REFUSE;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(arg);
}

/* --keys-dir, or tests/data/keys below the current folder or near the program. */
static const char *keys_folder(const struct options *options, char *text, size_t size)
{
	static const char name[] = "tests/data/keys";
	char self[PATH_MAX];
	if (options->keys_dir != NULL)
		return options->keys_dir;
	if (access(name, R_OK) == 0)
		return name;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	while (len > 0) {
		self[len] = '\0';
		char *slash = strrchr(self, '/');
		if (slash == NULL)
			break;
		*slash = '\0';
		len = slash - self;
		int whole = snprintf(text, size, "%s/%s", self, name);
		if (whole > 0 && (size_t)whole < size && access(text, R_OK) == 0)
			return text;
	}
	return name;
}

/* Written beside and renamed, so that a reader sees all or nothing. */
static bool write_file(const char *path, const char *text, size_t len)
{
	char beside[PATH_MAX];
	snprintf(beside, sizeof(beside), "%s.new", path);
	FILE *file = fopen(beside, "we");
	bool ok = file != NULL && fwrite(text, 1, len, file) == len;
	ok = (file == NULL || fclose(file) == 0) && ok && rename(beside, path) == 0;
	if (!ok)
		fprintf(stderr, "awssim: cannot write %s: %s\n", path, strerror(errno));
	return ok;
}

static void add_url(struct out *out, const char *key, const char *scheme, const char *where)
{
	struct out url = {0};
	out_fmt(&url, "%s://%s", scheme, where);
	json_member(out, key, where[0] != '\0' ? url.data : NULL);
	out_clear(&url);
}

static bool write_ready_file(const struct sim *sim, const struct bound *bound, const char *ca_file)
{
	const struct options *options = &sim->options;
	const struct world *world = sim->world;
	struct out out = {0};
	json_open(&out, '{');
	add_url(&out, "url", "http", bound->plain);
	add_url(&out, "tls_url", "https", bound->tls);
	add_url(&out, "proxy_url", "http", bound->proxy);
	add_url(&out, "control_url", "http", bound->control);
	json_member(&out, "ca_file", ca_file);
	json_member(&out, "access_key_id", options->access_key);
	json_member(&out, "secret_access_key", options->secret_key);
	json_member(&out, "session_token", creds_base(sim->creds)->token);
	json_member(&out, "management_account_id", world->account[world->management].id);
	json_member(&out, "hub_account_id", world->account[world->hub].id);
	json_member(&out, "role_name", options->role_name);
	json_member(&out, "management_role", options->management_role);
	json_member(&out, "external_id", options->external_id);
	json_member(&out, "partition", world->partition->id);
	json_member(&out, "home_region", world->region[0].name);
	json_member_int(&out, "pid", getpid());
	json_close(&out, '}');
	out_char(&out, '\n');
	bool ok = write_file(options->ready_file, out.data, out.len);
	out_clear(&out);
	return ok;
}

static bool listen_all(struct sim *sim, struct bound *bound)
{
	const struct options *o = &sim->options;
	const struct {
		enum server_role role;
		const char *where;
		char *bound;
	} wanted[] = {{ROLE_PLAIN, o->listen, bound->plain}, {ROLE_TLS, o->listen_tls, bound->tls},
		{ROLE_PROXY, o->listen_proxy, bound->proxy},
		{ROLE_CONTROL, o->control, bound->control}};
	bool any = false;
	for (size_t i = 0; i < 4; i++) {
		if (wanted[i].where == NULL)
			continue;
		if (!server_listen(sim->server, wanted[i].role, wanted[i].where, wanted[i].bound))
			return false;
		any = any || wanted[i].role != ROLE_CONTROL;
	}
	if (!any)
		fprintf(stderr, "awssim: --listen, --listen-tls or --listen-proxy is needed\n");
	return any;
}

static bool announce(const struct sim *sim, const struct tls *tls, const struct bound *bound)
{
	const struct options *options = &sim->options;
	char ca_file[PATH_MAX] = "";
	if (options->ca_file != NULL)
		snprintf(ca_file, sizeof(ca_file), "%s", options->ca_file);
	else if (options->ready_file != NULL)
		snprintf(ca_file, sizeof(ca_file), "%s.ca.pem", options->ready_file);
	if (ca_file[0] != '\0' && !write_file(ca_file, tls_ca_pem(tls), strlen(tls_ca_pem(tls))))
		return false;
	if (options->ready_file != NULL &&
		!write_ready_file(sim, bound, ca_file[0] != '\0' ? ca_file : NULL))
		return false;
	if (!options->quiet)
		fprintf(stderr,
			"awssim: %zu accounts, %zu units, %zu regions, %llu certificates; http %s tls %s "
			"proxy %s control %s\n",
			sim->world->account_count, sim->world->unit_count, sim->world->region_count,
			(unsigned long long)sim->world->cert_ordinal, bound->plain, bound->tls,
			bound->proxy, bound->control);
	return true;
}

/* Runs the loop until a signal or the time limit. */
static void run(struct event_base *base, int64_t max_seconds)
{
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
	struct event *limit = evtimer_new(base, on_signal, base);
	event_add(term, NULL);
	event_add(interrupt, NULL);
	struct timeval time = {max_seconds, 0};
	if (max_seconds > 0)
		event_add(limit, &time);
	event_base_dispatch(base);
	event_free(term);
	event_free(interrupt);
	event_free(limit);
}

static bool add_faults(struct sim *sim)
{
	const char *why;
	for (size_t i = 0; i < sim->options.faults.count; i++)
		if (!faults_add_text(sim->faults, sim->options.faults.item[i], &why)) {
			fprintf(stderr, "awssim: --fault %s: %s\n", sim->options.faults.item[i],
				why);
			return false;
		}
	return true;
}

static bool serve(struct sim *sim)
{
	/* A latency of 20 ms is 20 ms: epoll's own clock would make 21 of it, and bunch the answers. */
	struct event_config *config = event_config_new();
	event_config_set_flag(
		config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	struct tls *tls = tls_new(is_known_host, sim);
	struct server_hooks hooks = {sim, answer, on_connect};
	struct server_limits limits = {sim->options.stall_max_s, sim->options.idle_close_ms,
		sim->options.requests_per_connection};
	sim->server = server_new(base, tls, &hooks, &limits);
	sim->bindings = bindings_new(base, sim);
	struct bound bound = {0};
	bool ok = listen_all(sim, &bound) && announce(sim, tls, &bound);
	if (ok)
		run(base, sim->options.max_seconds);
	bindings_free(sim->bindings);
	server_free(sim->server);
	tls_free(tls);
	event_base_free(base);
	return ok;
}

int main(int argc, char **argv)
{
	struct sim sim = {0};
	int parsed = options_parse(argc, argv, &sim.options);
	if (parsed != 0)
		return parsed == 1 ? 0 : 2;
	signal(SIGPIPE, SIG_IGN);
	char folder[PATH_MAX];
	struct key_pool *keys = key_pool_new(
		keys_folder(&sim.options, folder, sizeof(folder)), sim.options.fast_ca);
	if (keys == NULL)
		return 1;
	sim.world = world_new(&sim.options, keys);
	sim.clock_offset_s = sim.options.clock_offset_s;
	sim.latency_ms = sim.options.latency_ms;
	acm_settings_reset(&sim.acm);
	sim.mutation_random.state = (uint64_t)sim.options.seed;
	bool ok = sim.world != NULL;
	if (ok) {
		sim.creds = creds_new(sim.world);
		sim.throttle = throttle_new(sim.options.rate_scale);
		sim.faults = faults_new((uint64_t)sim.options.fault_seed);
		sim.stats = stats_new();
		ok = add_faults(&sim) && serve(&sim);
	}
	secrets_clear(&sim.secrets);
	stats_free(sim.stats);
	faults_free(sim.faults);
	throttle_free(sim.throttle);
	creds_free(sim.creds);
	world_free(sim.world);
	key_pool_free(keys);
	return ok ? 0 : 1;
}
