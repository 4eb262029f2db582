/* A hash table of credentials by access key id. */
#include "tests/awssim/creds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/awssim/digest.h"
#include "tests/awssim/options.h"

enum { TOKEN_BYTES = 480, SWEEP_MIN = 1024, KEEP_ENDED_S = 3600 };

struct creds {
	const struct world *world; /* borrowed */
	struct credential **slot;  /* owned, and what they point to; NULL: free */
	size_t slots, count, sweep_at;
	uint64_t issued;
	struct credential *base; /* one of the slots */
};

static size_t place_of(const struct creds *creds, const char *access_key)
{
	size_t at = hash_bytes(access_key, strlen(access_key), 3) & (creds->slots - 1);
	while (creds->slot[at] != NULL && strcmp(creds->slot[at]->access_key, access_key) != 0)
		at = (at + 1) & (creds->slots - 1);
	return at;
}

static void drop(struct credential *credential)
{
	free(credential->token);
	free(credential);
}

/* Puts all but long ended sessions into a table of the right size. */
static void rebuild(struct creds *creds, int64_t now_s)
{
	struct credential **old = creds->slot;
	size_t old_slots = creds->slots, kept = 0;
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i] == NULL)
			continue;
		if (old[i]->expires_s != 0 && old[i]->expires_s + KEEP_ENDED_S < now_s) {
			drop(old[i]);
			old[i] = NULL;
		} else {
			kept++;
		}
	}
	creds->slots = SWEEP_MIN;
	while (creds->slots < kept * 4)
		creds->slots *= 2;
	creds->slot = mem_alloc(creds->slots * sizeof(struct credential *));
	creds->count = kept;
	creds->sweep_at = creds->slots / 2;
	for (size_t i = 0; i < old_slots; i++)
		if (old[i] != NULL)
			creds->slot[place_of(creds, old[i]->access_key)] = old[i];
	free(old);
}

static void make_token(struct credential *credential)
{
	unsigned char bytes[TOKEN_BYTES];
	for (size_t i = 0; i < TOKEN_BYTES; i += SHA256_LEN) {
		char text[160];
		snprintf(text, sizeof(text), "%s/%zu", credential->access_key, i);
		digest_hmac(credential->secret, strlen(credential->secret), text, strlen(text),
			bytes + i);
	}
	struct out token = {0};
	out_text(&token, "IQoJb3JpZ2luX2VjE");
	out_base64(&token, bytes, sizeof(bytes));
	credential->token = token.data;
}

struct creds *creds_new(const struct world *world)
{
	struct creds *creds = mem_alloc(sizeof(*creds));
	creds->world = world;
	rebuild(creds, 0);
	struct credential *base = mem_alloc(sizeof(*base));
	snprintf(base->access_key, sizeof(base->access_key), "%s", world->options->access_key);
	snprintf(base->secret, sizeof(base->secret), "%s", world->options->secret_key);
	base->account = world->hub;
	snprintf(base->session_name, sizeof(base->session_name), "acmsensor-hub");
	if (world->options->base_token)
		make_token(base);
	creds->slot[place_of(creds, base->access_key)] = base;
	creds->count++;
	creds->base = base;
	return creds;
}

void creds_free(struct creds *creds)
{
	if (creds == NULL)
		return;
	for (size_t i = 0; i < creds->slots; i++)
		if (creds->slot[i] != NULL)
			drop(creds->slot[i]);
	free(creds->slot);
	free(creds);
}

const struct credential *creds_find(const struct creds *creds, const char *access_key)
{
	return creds->slot[place_of(creds, access_key)];
}

const struct credential *creds_base(const struct creds *creds)
{
	return creds->base;
}

const struct credential *creds_issue(struct creds *creds, enum principal_kind kind, size_t account,
	const char *session_name, int64_t expires_s, bool is_global, int64_t now_s)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	if (creds->count >= creds->sweep_at)
		rebuild(creds, now_s);
	struct credential *session = mem_alloc(sizeof(*session));
	uint64_t draw = hash_mix(hash_mix(creds->world->seed, 0x5e55), ++creds->issued);
	memcpy(session->access_key, "ASIA", 4);
	for (size_t i = 0; i < 16; i++)
		session->access_key[4 + i] = digit[hash_below(draw, i, 32)];
	unsigned char mac[SHA256_LEN];
	const char *own = creds->base->secret;
	digest_hmac(own, strlen(own), session->access_key, 20, mac);
	struct out secret = {0};
	out_base64(&secret, mac, 30);
	memcpy(session->secret, secret.data, 41);
	out_clear(&secret);
	session->kind = kind;
	session->account = account;
	session->is_global = is_global;
	session->expires_s = expires_s;
	snprintf(session->session_name, sizeof(session->session_name), "%s", session_name);
	make_token(session);
	creds->slot[place_of(creds, session->access_key)] = session;
	creds->count++;
	return session;
}

static const char *role_of(const struct world *world, const struct credential *credential)
{
	if (credential->kind == PRINCIPAL_MANAGEMENT)
		return world->options->management_role;
	if (credential->kind == PRINCIPAL_BASE)
		return "AcmSensorHub";
	/* The ARN of a session names the role without its path. */
	const char *slash = strrchr(world->options->role_name, '/');
	return slash != NULL ? slash + 1 : world->options->role_name;
}

void creds_arn(const struct world *world, const struct credential *credential, struct out *out)
{
	const char *account = world->account[credential->account].id;
	if (credential->token == NULL)
		out_fmt(out, "arn:%s:iam::%s:user/acmsensor-hub", world->partition->id, account);
	else
		out_fmt(out, "arn:%s:sts::%s:assumed-role/%s/%s", world->partition->id, account,
			role_of(world, credential), credential->session_name);
}

void creds_user_id(const struct world *world, const struct credential *credential, struct out *out)
{
	const char *account = world->account[credential->account].id;
	uint64_t draw = hash_bytes(account, strlen(account), (uint64_t)credential->kind);
	out_fmt(out, "%s%016llX", credential->token == NULL ? "AIDA" : "AROA",
		(unsigned long long)draw);
	if (credential->token != NULL)
		out_fmt(out, ":%s", credential->session_name);
}

size_t creds_count(const struct creds *creds)
{
	return creds->count;
}
