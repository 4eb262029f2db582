#include "tests/lib/inventory.h"

#include <netdb.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/acm_read.h"
#include "aws/cred.h"
#include "aws/organizations_read.h"
#include "aws/regions_read.h"
#include "aws/sts.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 4096, UNITS_MAX = 1000 };

struct line_list {
	char **line;
	size_t count, capacity;
};

struct walk {
	const struct inventory_options *options;
	struct inventory *inventory;
	struct loop *loop;
	struct resolve *resolve;
	struct http *http;
	struct aws *aws;
	struct cred_source *source;
	struct aws_client *hub;
	struct line_list lines;
	struct sts_identity identity;
	int pending;
};

struct member {
	struct walk *walk;
	struct aws_client *client; /* the hub's, or owned */
	char id[13];
	struct region_list regions;
	char *next_token;
};

struct pass { /* one account-region */
	struct member *member;
	const char *region;
	struct acm_summary_list list;
	char *next_token;
	struct acm_list_options options;
};

struct detail { /* one certificate */
	struct pass *pass;
	const struct acm_summary *summary;
	char text[LINE_MAX_BYTES];
	int pending;
};

static void add_line(struct walk *walk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_line(struct walk *walk, const char *format, ...)
{
	char text[2 * LINE_MAX_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	struct line_list *lines = &walk->lines;
	lines->line = xgrow(lines->line, &lines->capacity, lines->count, sizeof(*lines->line));
	lines->line[lines->count++] = xstrdup(text);
}

static void end_one(struct walk *walk)
{
	if (--walk->pending == 0)
		loop_stop(walk->loop);
}

static void run(struct walk *walk)
{
	if (walk->pending > 0)
		loop_run(walk->loop);
}

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "inventory: %s: %s\n", what, err->text);
	exit(1);
}

/* --- one call after another: who, and the tree ------------------------------------------------ */

struct one {
	struct walk *walk;
	int (*take)(const struct aws_reply *reply, void *ret, char **token, struct err *err);
	void *ret;
	char **token;
	struct err err;
};

static void on_one(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct one *one = arg;
	if (err != NULL)
		one->err = *err;
	else
		(void)one->take(reply, one->ret, one->token, &one->err);
	end_one(one->walk);
}

static int take_identity(const struct aws_reply *reply, void *ret, char **token, struct err *err)
{
	(void)token;
	return sts_get_caller_identity_take(reply, ret, err);
}

static int take_roots(const struct aws_reply *reply, void *ret, char **token, struct err *err)
{
	return organizations_list_roots_take(reply, ret, token, err);
}

static int take_units(const struct aws_reply *reply, void *ret, char **token, struct err *err)
{
	return organizations_list_units_take(reply, ret, token, err);
}

static int take_accounts(const struct aws_reply *reply, void *ret, char **token, struct err *err)
{
	return organizations_list_accounts_take(reply, ret, token, err);
}

static void finish_one(struct one *one, const char *what)
{
	one->walk->pending = 1;
	run(one->walk);
	if (one->err.kind != ERR_NONE)
		die(what, &one->err);
}

static void walk_children(struct walk *walk, const char *parent,
	struct organization_unit_list *units, struct organization_account_list *accounts)
{
	const char *region = walk->options->region;
	char *token = NULL;
	do {
		struct one one = {walk, take_units, units, &token, ERR_INIT};
		organizations_list_units_start(walk->hub, region, parent, token, on_one, &one);
		finish_one(&one, "units");
	} while (token != NULL);
	do {
		struct one one = {walk, take_accounts, accounts, &token, ERR_INIT};
		organizations_list_accounts_start(walk->hub, region, parent, token, on_one, &one);
		finish_one(&one, "accounts");
	} while (token != NULL);
}

static void walk_organization(struct walk *walk, struct organization_account_list *accounts)
{
	const char *region = walk->options->region;
	struct one who = {walk, take_identity, &walk->identity, NULL, ERR_INIT};
	sts_get_caller_identity_start(walk->hub, region, on_one, &who);
	finish_one(&who, "identity");
	aws_client_set_account(walk->hub, walk->identity.account_id);
	struct organization_unit_list units = {.item = NULL};
	char *token = NULL;
	struct one roots = {walk, take_roots, &units, &token, ERR_INIT};
	organizations_list_roots_start(walk->hub, region, NULL, on_one, &roots);
	finish_one(&roots, "roots");
	for (size_t i = 0; i < units.count && i < UNITS_MAX; i++) {
		char parent[sizeof(units.item[0].id)];
		memcpy(parent, units.item[i].id, sizeof(parent));
		walk_children(walk, parent, &units, accounts);
	}
	organization_unit_list_clear(&units);
}

/* --- all accounts at once: their regions ------------------------------------------------------ */

static void ask_regions(struct member *member);

static void on_regions(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct member *member = arg;
	struct err err = ERR_INIT;
	if (call_err == NULL && account_list_regions_take(
					reply, &member->regions, &member->next_token, &err) == 0) {
		if (member->next_token != NULL)
			ask_regions(member);
		else
			end_one(member->walk);
		return;
	}
	const struct err *why = call_err != NULL ? call_err : &err;
	add_line(member->walk, "%s regions %s", member->id, err_kind_name(why->kind));
	fprintf(stderr, "%s regions: %s\n", member->id, why->text);
	member->walk->inventory->failed++;
	end_one(member->walk);
}

static void ask_regions(struct member *member)
{
	account_list_regions_start(member->client, member->walk->options->region,
		member->next_token, on_regions, member);
}

static void begin_member(struct walk *walk, struct member *member, const char *account_id)
{
	*member = (struct member){.walk = walk, .client = walk->hub};
	memcpy(member->id, account_id, sizeof(member->id));
	if (strcmp(account_id, walk->identity.account_id) != 0) {
		char role_arn[256];
		snprintf(role_arn, sizeof(role_arn), "arn:%s:iam::%s:role/%s",
			walk->identity.partition, account_id, walk->options->role_name);
		member->client = aws_client_assume(
			walk->hub, &(struct aws_role){.account_id = account_id,
					   .role_arn = role_arn,
					   .session_name = "inventory",
					   .external_id = walk->options->external_id,
					   .sts_region = walk->options->region,
					   .duration_s = 3600});
	}
	walk->pending++;
	ask_regions(member);
}

/* --- all account-regions at once: their lists ------------------------------------------------- */

static void ask_page(struct pass *pass);

static void on_page(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct pass *pass = arg;
	struct walk *walk = pass->member->walk;
	struct err err = ERR_INIT;
	if (call_err == NULL &&
		acm_list_certificates_take(reply, &pass->list, &pass->next_token, &err) == 0) {
		if (pass->next_token != NULL) {
			ask_page(pass);
			return;
		}
		add_line(walk, "%s %s ok", pass->member->id, pass->region);
		end_one(walk);
		return;
	}
	const struct err *why = call_err != NULL ? call_err : &err;
	add_line(walk, "%s %s %s", pass->member->id, pass->region, err_kind_name(why->kind));
	fprintf(stderr, "%s %s: %s\n", pass->member->id, pass->region, why->text);
	walk->inventory->failed++;
	acm_summary_list_clear(&pass->list);
	end_one(walk);
}

static void ask_page(struct pass *pass)
{
	pass->options.include_origins = true;
	pass->options.next_token = pass->next_token;
	acm_list_certificates_start(
		pass->member->client, pass->region, &pass->options, on_page, pass);
}

/* --- all certificates at once ----------------------------------------------------------------- */

static void end_part(struct detail *detail, const struct err *err)
{
	struct walk *walk = detail->pass->member->walk;
	if (err != NULL) {
		strncat(detail->text, " ", sizeof(detail->text) - strlen(detail->text) - 1);
		strncat(detail->text, err->code[0] != '\0' ? err->code : err_kind_name(err->kind),
			sizeof(detail->text) - strlen(detail->text) - 1);
		if (err->kind != ERR_REFUSED && err->kind != ERR_NOT_FOUND) {
			fprintf(stderr, "%s: %s\n", detail->summary->arn, err->text);
			walk->inventory->failed++;
		}
	}
	if (--detail->pending == 0) {
		char digest[2 * ACM_DIGEST_LEN + 1];
		text_hex(detail->summary->digest, ACM_DIGEST_LEN, digest);
		add_line(walk, "%s %s %s", detail->summary->arn, digest, detail->text);
	}
	end_one(walk);
}

static void note(struct detail *detail, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct detail *detail, const char *format, ...)
{
	size_t len = strlen(detail->text);
	va_list args;
	va_start(args, format);
	vsnprintf(detail->text + len, sizeof(detail->text) - len, format, args);
	va_end(args);
}

static void on_detail(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct detail *of = arg;
	struct err err = ERR_INIT;
	struct acm_detail detail = {.arn = NULL};
	if (call_err == NULL && acm_describe_certificate_take(reply, &detail, &err) == 0)
		note(of, " describe=%s,%s,%zu,%zu", detail.serial, detail.status, detail.sans.count,
			detail.in_use_by.count);
	acm_detail_clear(&detail);
	end_part(of, call_err != NULL ? call_err : err.kind != ERR_NONE ? &err : NULL);
}

static void on_pem(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct detail *of = arg;
	struct err err = ERR_INIT;
	struct acm_pem pem = {.certificate = NULL};
	if (call_err == NULL && acm_get_certificate_take(reply, &pem, &err) == 0) {
		unsigned char hash[32];
		EVP_Digest(
			pem.certificate, strlen(pem.certificate), hash, NULL, EVP_sha256(), NULL);
		char hex[65];
		text_hex(hash, sizeof(hash), hex);
		note(of, " pem=%s,%zu", hex, strlen(pem.chain));
	}
	acm_pem_clear(&pem);
	end_part(of, call_err != NULL ? call_err : err.kind != ERR_NONE ? &err : NULL);
}

static void on_tags(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct detail *of = arg;
	struct err err = ERR_INIT;
	struct acm_tag_list tags = {.count = 0};
	if (call_err == NULL && acm_list_tags_take(reply, &tags, &err) == 0)
		note(of, " tags=%zu", tags.count);
	acm_tag_list_clear(&tags);
	end_part(of, call_err != NULL ? call_err : err.kind != ERR_NONE ? &err : NULL);
}

/* The parts come in any order: words are sorted, so that runs can be compared. */
static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_words(char *line)
{
	char *word[64], copy[2 * LINE_MAX_BYTES], *rest = copy;
	size_t count = 0;
	(void)text_copy(copy, sizeof(copy), line);
	for (char *at; count < 64 && (at = strsep(&rest, " ")) != NULL;) {
		if (at[0] != '\0')
			word[count++] = at;
	}
	qsort(word, count, sizeof(*word), compare_lines);
	char *to = line;
	for (size_t i = 0; i < count; i++)
		to += sprintf(to, "%s%s", i > 0 ? " " : "", word[i]);
}

static void begin_detail(struct detail *detail, struct pass *pass, size_t i)
{
	*detail = (struct detail){.pass = pass, .summary = &pass->list.item[i], .pending = 3};
	struct aws_client *client = pass->member->client;
	pass->member->walk->pending += 3;
	pass->member->walk->inventory->certificates++;
	const char *arn = detail->summary->arn;
	acm_describe_certificate_start(client, pass->region, arn, on_detail, detail);
	acm_get_certificate_start(client, pass->region, arn, on_pem, detail);
	acm_list_tags_start(client, pass->region, arn, on_tags, detail);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void walk_certificates(struct walk *walk, struct pass *pass, size_t passes)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < passes; i++)
		count += pass[i].list.count;
	struct detail *detail = xcalloc(count + 1, sizeof(*detail));
	for (size_t i = 0; i < passes; i++) {
		for (size_t n = 0; n < pass[i].list.count; n++)
			begin_detail(&detail[at++], &pass[i], n);
	}
	run(walk);
	free(detail);
}

static void walk_regions(struct walk *walk, struct member *member, size_t members)
{
	struct pass *pass = xcalloc(members * REGIONS_MAX + 1, sizeof(*pass));
	size_t passes = 0;
	for (size_t i = 0; i < members; i++) {
		for (size_t n = 0; n < member[i].regions.count; n++) {
			if (member[i].regions.item[n].state != REGION_ENABLED)
				continue;
			pass[passes] = (struct pass){
				.member = &member[i], .region = member[i].regions.item[n].name};
			walk->pending++;
			ask_page(&pass[passes++]);
		}
	}
	run(walk);
	walk_certificates(walk, pass, passes);
	for (size_t i = 0; i < passes; i++) {
		acm_summary_list_clear(&pass[i].list);
		free(pass[i].next_token);
	}
	free(pass);
}

static void walk_all(struct walk *walk)
{
	struct organization_account_list accounts = {.item = NULL};
	walk_organization(walk, &accounts);
	struct member *member = xcalloc(accounts.count + 1, sizeof(*member));
	size_t members = 0;
	for (size_t i = 0; i < accounts.count; i++) {
		if (strcmp(accounts.item[i].state, "ACTIVE") == 0)
			begin_member(walk, &member[members++], accounts.item[i].id);
	}
	run(walk);
	walk_regions(walk, member, members);
	for (size_t i = 0; i < members; i++) {
		if (member[i].client != walk->hub)
			aws_client_free(member[i].client);
		free(member[i].next_token);
	}
	free(member);
	organization_account_list_clear(&accounts);
}

static const struct inventory_options *environment_options; /* for the callback without context */

static const char *environment(const char *name)
{
	const struct inventory_options *options = environment_options;
	if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
		return options->access_key_id;
	if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
		return options->secret_access_key;
	return strcmp(name, "AWS_SESSION_TOKEN") == 0 ? options->session_token : NULL;
}

static int64_t cpu_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void join_lines(struct line_list *lines, struct inventory *inventory)
{
	struct buf text;
	buf_init(&text, 64 << 20);
	for (size_t i = 0; i < lines->count; i++)
		sort_words(lines->line[i]);
	qsort(lines->line, lines->count, sizeof(*lines->line), compare_lines);
	for (size_t i = 0; i < lines->count; i++) {
		buf_addf(&text, "%s\n", lines->line[i]);
		free(lines->line[i]);
	}
	free(lines->line);
	inventory->text = buf_take(&text);
}

void inventory_take(const struct inventory_options *options, struct inventory *ret_inventory)
{
	struct err err = ERR_INIT;
	*ret_inventory = (struct inventory){.text = NULL};
	environment_options = options;
	struct walk walk = {.options = options, .inventory = ret_inventory};
	walk.loop = loop_new(&err);
	walk.resolve = resolve_new(walk.loop, getaddrinfo, &err);
	walk.http = http_new(walk.loop, walk.resolve,
		&(struct http_limits){.max_requests = 64, .per_host_max = 16, .idle_max = 256},
		&err);
	if (walk.http == NULL)
		die("http", &err);
	walk.aws = aws_new(walk.loop, walk.http, "acmsensor/test");
	walk.source = cred_environment_new(
		&(struct cred_options){.aws = walk.aws, .getenv = environment});
	walk.hub = aws_client_new(walk.aws, &options->network, "", walk.source);
	int64_t began_ms = clock_mono_ms(), began_us = cpu_us();
	walk_all(&walk);
	ret_inventory->elapsed_ms = clock_mono_ms() - began_ms;
	ret_inventory->cpu_us = cpu_us() - began_us;
	aws_get_stats(walk.aws, &ret_inventory->stats);
	aws_client_free(walk.hub);
	cred_source_free(walk.source);
	aws_free(walk.aws);
	http_free(walk.http);
	resolve_free(walk.resolve);
	loop_free(walk.loop);
	join_lines(&walk.lines, ret_inventory);
}

void inventory_clear(struct inventory *inventory)
{
	free(inventory->text);
	inventory->text = NULL;
}
