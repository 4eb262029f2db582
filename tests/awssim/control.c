/* The control port: statistics, truth, faults, clock, mutations. Plain HTTP for tests, no keys. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/bindings.h"
#include "tests/awssim/consistency.h"
#include "tests/awssim/held.h"
#include "tests/awssim/mutate.h"
#include "tests/awssim/rules_check.h"
#include "tests/awssim/service.h"
#include "tests/awssim/truth.h"

static void refuse(struct reply *reply, int status, const char *why)
{
	reply->status = status;
	reply->body.len = 0;
	json_open(&reply->body, '{');
	json_member(&reply->body, "error", why);
	json_close(&reply->body, '}');
}

static bool has_flag(const struct http_request *request, const char *name)
{
	return slice_is(form_value(request->query, name), "1");
}

static void get_stats(struct sim *sim, const struct http_request *request, struct reply *reply)
{
	const struct server_counts *counts = server_counts(sim->server);
	struct out *body = &reply->body;
	json_open(body, '{');
	stats_write(sim->stats, sim->world, has_flag(request, "pairs"), body);
	json_member_int(body, "sessions", (int64_t)creds_count(sim->creds) - 1);
	json_key(body, "connections");
	json_open(body, '{');
	json_member_int(body, "opened", (int64_t)counts->connections);
	json_member_int(body, "open", counts->open);
	json_member_int(body, "open_max", counts->open_max);
	json_member_int(body, "handshakes", (int64_t)counts->handshakes);
	json_member_int(body, "handshake_failures", (int64_t)counts->handshake_failures);
	json_member_int(body, "bad_requests", (int64_t)counts->bad_requests);
	json_member_int(body, "resets", (int64_t)counts->resets);
	json_member_int(body, "in_flight_max", counts->in_flight_max);
	json_member_int(body, "bytes_in", (int64_t)counts->bytes_in);
	json_member_int(body, "bytes_out", (int64_t)counts->bytes_out);
	json_close(body, '}');
	json_close(body, '}');
}

static void get_truth(struct sim *sim, const struct http_request *request, struct reply *reply)
{
	struct truth_options options = {.with_pem = has_flag(request, "pem"),
		.only_reachable = has_flag(request, "reachable"),
		.without_certificates = slice_is(form_value(request->query, "certificates"), "0")};
	truth_answer(sim, &options, reply);
}

static void get_faults(struct sim *sim, struct reply *reply)
{
	json_open(&reply->body, '{');
	json_key(&reply->body, "faults");
	faults_list(sim->faults, &reply->body);
	json_member_int(&reply->body, "latency_ms", sim->latency_ms);
	json_close(&reply->body, '}');
}

/* {"clear": true, "seed": 7, "latency_ms": 20, "rate_scale": 1.0, "add": [{"kind": ...}]} */
static void post_faults(struct sim *sim, const json_t *order, struct reply *reply)
{
	const json_t *add = json_object_get(order, "add"), *seed = json_object_get(order, "seed");
	const json_t *latency = json_object_get(order, "latency_ms");
	const json_t *scale = json_object_get(order, "rate_scale");
	if (json_is_true(json_object_get(order, "clear")))
		faults_clear(sim->faults);
	if (json_is_integer(seed))
		faults_seed(sim->faults, (uint64_t)json_integer_value(seed));
	if (json_is_integer(latency) && json_integer_value(latency) >= 0)
		sim->latency_ms = json_integer_value(latency);
	if (json_is_number(scale))
		throttle_set_scale(sim->throttle, json_number_value(scale));
	const char *why = "";
	for (size_t i = 0; i < json_array_size(add); i++)
		if (!faults_add_json(sim->faults, json_array_get(add, i), &why)) {
			refuse(reply, 400, why);
			return;
		}
	get_faults(sim, reply);
}

/* {"offset_s": N} sets, {"advance_s": N} adds. */
static void post_clock(struct sim *sim, const json_t *order, struct reply *reply)
{
	const json_t *offset = json_object_get(order, "offset_s");
	const json_t *advance = json_object_get(order, "advance_s");
	char now[TIME_TEXT_MAX];
	if (json_is_integer(offset))
		sim->clock_offset_s = json_integer_value(offset);
	if (json_is_integer(advance))
		sim->clock_offset_s += json_integer_value(advance);
	time_format_rfc3339(sim_now_s(sim), now);
	json_open(&reply->body, '{');
	json_member_int(&reply->body, "offset_s", sim->clock_offset_s);
	json_member(&reply->body, "now", now);
	json_close(&reply->body, '}');
}

static void post_mutate(struct sim *sim, const json_t *order, struct reply *reply)
{
	const char *why = "";
	json_open(&reply->body, '{');
	if (mutate(sim, order, &reply->body, &why))
		json_close(&reply->body, '}');
	else
		refuse(reply, 400, why);
}

/* {"certificates_max": N, "imports_max": N, "mismatch_code": "..."}; {"reset": true} first. */
static void post_acm(struct sim *sim, const json_t *order, struct reply *reply)
{
	struct acm_settings *settings = &sim->acm;
	const json_t *certificates = json_object_get(order, "certificates_max");
	const json_t *imports = json_object_get(order, "imports_max");
	const char *code = json_string_value(json_object_get(order, "mismatch_code"));
	if (json_is_true(json_object_get(order, "reset")))
		acm_settings_reset(settings);
	if (json_is_integer(certificates))
		settings->certificates_max = json_integer_value(certificates);
	if (json_is_integer(imports))
		settings->imports_max = json_integer_value(imports);
	if (code != NULL && !slice_copy(slice_of(code), settings->mismatch_code,
				    sizeof(settings->mismatch_code))) {
		refuse(reply, 400, "mismatch_code is too long");
		return;
	}
	json_open(&reply->body, '{');
	json_member_int(&reply->body, "certificates_max", settings->certificates_max);
	json_member_int(&reply->body, "imports_max", settings->imports_max);
	json_member(&reply->body, "mismatch_code", settings->mismatch_code);
	json_close(&reply->body, '}');
}

static bool take_ms(const json_t *order, const char *key, int64_t *member)
{
	const json_t *given = json_object_get(order, key);
	bool is_good = given == NULL || (json_is_integer(given) && json_integer_value(given) >= 0);
	if (is_good && given != NULL)
		*member = json_integer_value(given);
	return is_good;
}

/* {"delay_ms": N, "jitter_ms": N, "in_progress_ms": N, "use_lag_ms": N, "seed": N}; {"reset": true} first. */
static void post_consistency(struct sim *sim, const json_t *order, struct reply *reply)
{
	struct consistency_settings settings = sim->consistency;
	const json_t *seed = json_object_get(order, "seed");
	if (json_is_true(json_object_get(order, "reset")))
		settings = (struct consistency_settings){0};
	if (json_is_integer(seed))
		settings.seed = (uint64_t)json_integer_value(seed);
	if (!take_ms(order, "delay_ms", &settings.delay_ms) ||
		!take_ms(order, "jitter_ms", &settings.jitter_ms) ||
		!take_ms(order, "in_progress_ms", &settings.in_progress_ms) ||
		!take_ms(order, "use_lag_ms", &settings.use_lag_ms)) {
		refuse(reply, 400, "times are milliseconds, 0 or more");
		return;
	}
	sim->consistency = settings;
	json_open(&reply->body, '{');
	json_member_int(&reply->body, "delay_ms", settings.delay_ms);
	json_member_int(&reply->body, "jitter_ms", settings.jitter_ms);
	json_member_int(&reply->body, "in_progress_ms", settings.in_progress_ms);
	json_member_int(&reply->body, "use_lag_ms", settings.use_lag_ms);
	json_close(&reply->body, '}');
}

/* {"forced_delete_ms": N, "encrypt_fails": bool, "decrypt_fails": bool} */
static void post_secretsmanager(struct sim *sim, const json_t *order, struct reply *reply)
{
	struct secrets_settings *settings = &sim->secrets_settings;
	const json_t *encrypt = json_object_get(order, "encrypt_fails");
	const json_t *decrypt = json_object_get(order, "decrypt_fails");
	if (!take_ms(order, "forced_delete_ms", &settings->forced_delete_ms)) {
		refuse(reply, 400, "times are milliseconds, 0 or more");
		return;
	}
	if (encrypt != NULL)
		settings->encrypt_fails = json_is_true(encrypt);
	if (decrypt != NULL)
		settings->decrypt_fails = json_is_true(decrypt);
	json_open(&reply->body, '{');
	json_member_int(&reply->body, "forced_delete_ms", settings->forced_delete_ms);
	json_member_bool(&reply->body, "encrypt_fails", settings->encrypt_fails);
	json_member_bool(&reply->body, "decrypt_fails", settings->decrypt_fails);
	json_close(&reply->body, '}');
}

static void get_secrets(struct sim *sim, struct reply *reply)
{
	secrets_expire(&sim->secrets, sim_now_s(sim), sim_mono_ms());
	json_open(&reply->body, '{');
	json_key(&reply->body, "secrets");
	secrets_list(&sim->secrets, sim->world, &reply->body);
	json_close(&reply->body, '}');
}

/* Every ImportCertificate that had its effect, also of what is deleted by now. */
static void get_imports(const struct sim *sim, struct reply *reply)
{
	struct out *body = &reply->body;
	char at[TIME_TEXT_MAX];
	json_open(body, '{');
	json_key(body, "imports");
	json_open(body, '[');
	for (size_t i = 0; i < sim->world->note_count; i++) {
		const struct import_note *note = &sim->world->note[i];
		time_format_rfc3339(note->at_s, at);
		json_open(body, '{');
		json_member(body, "arn", note->arn);
		json_member(body, "serial", note->serial);
		json_member(body, "fingerprint_sha256", note->fingerprint);
		json_member(body, "at", at);
		json_member_bool(body, "is_reimport", note->is_reimport);
		json_member_bool(body, "has_tags", note->has_tags);
		json_close(body, '}');
	}
	json_close(body, ']');
	json_close(body, '}');
}

static void post_rules(struct sim *sim, const json_t *order, struct reply *reply)
{
	const char *why = "";
	if (!rules_check(sim, order, &reply->body, &why))
		refuse(reply, 400, why);
}

static void post_bind(struct sim *sim, const json_t *order, struct reply *reply)
{
	const char *why = "";
	if (!bindings_bind(sim->bindings, order, &reply->body, &why))
		refuse(reply, 400, why);
}

static void post_unbind(struct sim *sim, const json_t *order, struct reply *reply)
{
	const char *why = "";
	if (bindings_unbind(sim->bindings, order, &why))
		out_text(&reply->body, "{}");
	else
		refuse(reply, 400, why);
}

static void get_bindings(struct sim *sim, struct reply *reply)
{
	json_open(&reply->body, '{');
	json_key(&reply->body, "bindings");
	bindings_list(sim->bindings, &reply->body);
	json_close(&reply->body, '}');
}

/* {"arn": A}: the key that ACM was given, which AWS shows to nobody. For tests that search for it. */
static void post_key(struct sim *sim, const json_t *order, struct reply *reply)
{
	size_t account, region;
	const char *arn = json_string_value(json_object_get(order, "arn"));
	struct cert *cert = arn != NULL ? cert_find_arn(sim->world, arn, &account, &region) : NULL;
	if (cert == NULL || cert->more == NULL || cert->more->held == NULL) {
		refuse(reply, 400, "arn: not one that was imported");
		return;
	}
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_PKEY *key = cert->more->held->key;
	if (bio == NULL || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) ||
		BIO_write(bio, "", 1) != 1 || BIO_get_mem_data(bio, &text) <= 0)
		abort();
	json_open(&reply->body, '{');
	json_member(&reply->body, "private_key", text);
	json_close(&reply->body, '}');
	BIO_free(bio);
}

static void post_reset_stats(struct sim *sim, const json_t *order, struct reply *reply)
{
	(void)order;
	stats_reset(sim->stats);
	server_reset_counts(sim->server);
	out_text(&reply->body, "{}");
}

static void post(struct sim *sim, const struct http_request *request, struct reply *reply)
{
	static const struct {
		const char *path;
		void (*act)(struct sim *sim, const json_t *order, struct reply *reply);
	} known[] = {{"/faults", post_faults}, {"/clock", post_clock}, {"/mutate", post_mutate},
		{"/acm", post_acm}, {"/consistency", post_consistency}, {"/bind", post_bind},
		{"/unbind", post_unbind}, {"/secretsmanager", post_secretsmanager},
		{"/rules", post_rules}, {"/key", post_key}, {"/reset-stats", post_reset_stats}};
	struct slice body = request->body;
	json_t *order = body.len > 0 ? json_loadb(body.ptr, body.len, 0, NULL) : json_object();
	size_t at = 0;
	while (at < sizeof(known) / sizeof(known[0]) && !slice_is(request->path, known[at].path))
		at++;
	if (!json_is_object(order))
		refuse(reply, 400, "the body is not a JSON object");
	else if (at < sizeof(known) / sizeof(known[0]))
		known[at].act(sim, order, reply);
	else
		refuse(reply, 404,
			"POST /faults, /clock, /mutate, /acm, /consistency, /bind, /unbind, "
			"/secretsmanager, /rules, /key, /reset-stats");
	json_decref(order);
}

void control_answer(struct sim *sim, const struct http_request *request, struct reply *reply)
{
	reply->content_type = "application/json";
	if (slice_is(request->method, "POST"))
		post(sim, request, reply);
	else if (slice_is(request->path, "/stats"))
		get_stats(sim, request, reply);
	else if (slice_is(request->path, "/truth"))
		get_truth(sim, request, reply);
	else if (slice_is(request->path, "/faults"))
		get_faults(sim, reply);
	else if (slice_is(request->path, "/bindings"))
		get_bindings(sim, reply);
	else if (slice_is(request->path, "/imports"))
		get_imports(sim, reply);
	else if (slice_is(request->path, "/secrets"))
		get_secrets(sim, reply);
	else
		refuse(reply, 404, "GET /stats, /truth, /faults, /bindings, /imports, /secrets");
}
