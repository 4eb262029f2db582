/* See temp_store.h. */
#include "tests/lib/temp_store.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/check.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

/* --- folders --------------------------------------------------------------------------------- */

char *temp_folder_new(void)
{
	const char *base = getenv("TMPDIR");
	char *folder = xasprintf("%s/acmsensor-test-XXXXXX", base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		abort();
	}
	return folder;
}

char *temp_path(const char *folder, const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* Two levels: tests make a data folder inside their own. */
static void empty_folder(const char *folder, int levels)
{
	DIR *open = opendir(folder);
	if (open == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		char *path = temp_path(folder, entry->d_name);
		struct stat status;
		if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
			if (levels > 0)
				empty_folder(path, levels - 1);
			rmdir(path);
		} else {
			unlink(path);
		}
		free(path);
	}
	closedir(open);
}

void temp_folder_remove(char *folder)
{
	if (folder == NULL)
		return;
	empty_folder(folder, 2);
	rmdir(folder);
	free(folder);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[65536];
	size_t len;
	if (in == NULL || out == NULL) {
		perror(in == NULL ? from : to);
		abort();
	}
	while ((len = fread(bytes, 1, sizeof(bytes), in)) > 0)
		if (fwrite(bytes, 1, len, out) != len)
			abort();
	fclose(in);
	if (fclose(out) != 0)
		abort();
}

void temp_folder_copy(const char *from, const char *to)
{
	DIR *open = opendir(from);
	if (open == NULL) {
		perror(from);
		abort();
	}
	for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
		char *source = temp_path(from, entry->d_name);
		char *target = temp_path(to, entry->d_name);
		struct stat status;
		if (lstat(source, &status) == 0 && S_ISREG(status.st_mode))
			copy_file(source, target);
		free(source);
		free(target);
	}
	closedir(open);
}

struct store *temp_store_open(struct loop *loop, const char *folder)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(loop, &(struct store_options){.data_dir = folder}, &err);
	if (store == NULL) {
		fprintf(stderr, "store_open %s: %s\n", folder, err.text);
		abort();
	}
	return store;
}

/* --- everything in a store -------------------------------------------------------------------- */

static bool is_named(const char *tables, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = tables; (at = strstr(at, name)) != NULL; at += len)
		if ((at == tables || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

void temp_store_digest(struct store *store, unsigned char ret_digest[STORE_DIGEST_LEN])
{
	temp_store_digest_of(store, NULL, ret_digest);
}

void temp_store_digest_of(
	struct store *store, const char *tables, unsigned char ret_digest[STORE_DIGEST_LEN])
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (store_read_begin(store, &txn, &err) != 0 ||
		EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort();
	for (int table = 0; table < STORE_TABLES; table++) {
		struct key at = key_empty();
		struct slice key, value;
		if (tables != NULL && !is_named(tables, table_name((enum store_table)table)))
			continue;
		while (txn_seek(txn, (enum store_table)table, &at, false, &key, &value)) {
			EVP_DigestUpdate(context, &table, sizeof(table));
			EVP_DigestUpdate(context, &key.len, sizeof(key.len));
			EVP_DigestUpdate(context, key.bytes, key.len);
			EVP_DigestUpdate(context, &value.len, sizeof(value.len));
			EVP_DigestUpdate(context, value.bytes, value.len);
			at = key_bytes(key.bytes, key.len);
		}
	}
	if (store_txn_check(txn, &err) != 0 || EVP_DigestFinal_ex(context, ret_digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(context);
	store_read_end(txn);
}

static void print_problem(void *arg, const char *problem, bool is_of_index)
{
	(void)is_of_index;
	(void)arg;
	fprintf(stderr, "store_check: %s\n", problem);
}

int64_t temp_store_problems(struct store *store)
{
	struct err err = ERR_INIT;
	int64_t problems = -1;
	if (store_check(store, print_problem, NULL, &problems, &err) != 0)
		fprintf(stderr, "store_check: %s\n", err.text);
	return problems;
}

/* --- certificates ---------------------------------------------------------------------------- */

static const char *const regions[] = {"eu-central-1", "eu-west-1", "us-east-1", "us-west-2"};
static const char *const statuses[] = {
	"ISSUED", "ISSUED", "ISSUED", "EXPIRED", "PENDING_VALIDATION", "REVOKED"};
static const char *const types[] = {"AMAZON_ISSUED", "IMPORTED", "PRIVATE"};

static void set_pack(struct pack *pack, const struct buf *buf, uint32_t count)
{
	*pack = (struct pack){.bytes = buf_text(buf), .len = buf->len, .count = count};
}

static void init_texts(struct sample_cert *sample, uint32_t number)
{
	const char *region = regions[number % 4];
	snprintf(sample->account_id, sizeof(sample->account_id), "%012u", 100000 + number / 16);
	snprintf(sample->arn, sizeof(sample->arn),
		"arn:aws:acm:%s:%s:certificate/%08x-0000-4000-8000-000000000000", region,
		sample->account_id, number);
	snprintf(sample->domain_name, sizeof(sample->domain_name), "www%u.shop%u.example.com",
		number, number % 100);
	snprintf(sample->serial, sizeof(sample->serial), "0a%030x", number);
	snprintf(sample->subject, sizeof(sample->subject), "CN=%s,O=Example", sample->domain_name);
	struct cert_record *record = &sample->record;
	record->arn = sample->arn;
	record->account_id = sample->account_id;
	record->region = region;
	record->domain_name = sample->domain_name;
	record->serial = sample->serial;
	record->subject = sample->subject;
}

static void init_packs(struct sample_cert *sample, uint32_t number)
{
	char text[128];
	buf_init(&sample->sans, 1 << 20);
	buf_init(&sample->in_use_by, 1 << 20);
	buf_init(&sample->key_usages, 1 << 20);
	buf_init(&sample->ext_key_usages, 1 << 20);
	buf_init(&sample->tags, 1 << 20);
	pack_add(&sample->sans, sample->domain_name);
	snprintf(text, sizeof(text), "*.shop%u.example.com", number % 100);
	pack_add(&sample->sans, text);
	if (number % 2 == 0) {
		snprintf(text, sizeof(text),
			"arn:aws:elasticloadbalancing:eu-west-1:%s:loadbalancer/app/lb/%08x",
			sample->account_id, number);
		pack_add(&sample->in_use_by, text);
	}
	pack_add(&sample->key_usages, "DIGITAL_SIGNATURE");
	pack_add(&sample->ext_key_usages, "TLS_WEB_SERVER_AUTHENTICATION");
	pack_add(&sample->tags, "team");
	snprintf(text, sizeof(text), "team-%u", number % 10);
	pack_add(&sample->tags, text);
	set_pack(&sample->record.sans, &sample->sans, 2);
	set_pack(&sample->record.in_use_by, &sample->in_use_by, number % 2 == 0 ? 1 : 0);
	set_pack(&sample->record.key_usages, &sample->key_usages, 1);
	set_pack(&sample->record.ext_key_usages, &sample->ext_key_usages, 1);
	set_pack(&sample->record.tags, &sample->tags, 2);
}

static void init_numbers(struct cert_record *record, uint32_t number)
{
	enum { DAY_S = 86400, NOW_S = SAMPLE_NOW_S };
	bool is_pending = strcmp(record->status, "PENDING_VALIDATION") == 0;
	record->created_s = NOW_S - 400 * DAY_S;
	record->issued_s = NOW_S - 399 * DAY_S;
	record->not_before_s = is_pending ? 0 : NOW_S - 300 * DAY_S;
	/* Spread over a year, some in the past. */
	record->not_after_s =
		is_pending ? 0
			   : NOW_S + ((int64_t)(number * 2654435761U % 365) - 10) * DAY_S + number;
	record->first_seen_s = NOW_S - 100 * DAY_S + number;
	record->detailed_s = NOW_S - 1 * DAY_S;
	record->in_use = number % 2 == 0;
	record->has_pem = !is_pending;
	record->chain_count = record->has_pem ? 1 : 0;
	memcpy(record->summary_digest, &number, sizeof(number));
}

static const char chain_der[] = "the certificate of a CA";

static void init_hashes(struct sample_cert *sample, uint32_t number)
{
	struct cert_record *record = &sample->record;
	snprintf(sample->der, sizeof(sample->der), "certificate %u", number);
	if (!record->has_pem)
		return;
	SHA256((const unsigned char *)sample->der, sizeof(sample->der), record->fingerprint_sha256);
	SHA256((const unsigned char *)sample->serial, strlen(sample->serial), record->spki_sha256);
	SHA256((const unsigned char *)chain_der, sizeof(chain_der), record->chain_sha256[0]);
}

void sample_cert_init(struct sample_cert *sample, uint32_t number)
{
	*sample = (struct sample_cert){
		.record = {
			.connector = "prod",
			.issuer = "CN=Amazon RSA 2048 M02,O=Amazon,C=US",
			.key_algorithm = "RSA_2048",
			.signature_algorithm = "SHA256WITHRSA",
			.status = statuses[number % 6],
			.type = types[number % 3],
			.failure_reason = "",
			.revocation_reason = "",
			.renewal_eligibility = number % 3 == 0 ? "ELIGIBLE" : "INELIGIBLE",
			.renewal_status = "",
			.renewal_reason = "",
			.export_option = "DISABLED",
			.managed_by = "",
			.key_pair_origin = "AWS_MANAGED",
			.validation_method = "DNS",
			.certificate_authority_arn = "",
			.detail_error = "",
		}};
	init_texts(sample, number);
	init_packs(sample, number);
	init_numbers(&sample->record, number);
	init_hashes(sample, number);
}

void sample_cert_set_names(struct sample_cert *sample, const char *domain_name, ...)
{
	va_list names;
	uint32_t count = 1;
	va_start(names, domain_name);
	buf_reset(&sample->sans);
	snprintf(sample->domain_name, sizeof(sample->domain_name), "%s", domain_name);
	pack_add(&sample->sans, domain_name);
	for (const char *name; (name = va_arg(names, const char *)) != NULL; count++)
		pack_add(&sample->sans, name);
	va_end(names);
	set_pack(&sample->record.sans, &sample->sans, count);
}

void sample_cert_clear(struct sample_cert *sample)
{
	buf_clear(&sample->sans);
	buf_clear(&sample->in_use_by);
	buf_clear(&sample->key_usages);
	buf_clear(&sample->ext_key_usages);
	buf_clear(&sample->tags);
}

void sample_cert_store(struct store_txn *txn, const struct sample_cert *sample)
{
	const struct cert_record *record = &sample->record;
	store_cert_put(txn, record);
	if (!record->has_pem)
		return;
	store_pem_put(txn, record->fingerprint_sha256, sample->der, sizeof(sample->der));
	store_pem_put(txn, record->chain_sha256[0], chain_der, sizeof(chain_der));
}

void sample_cert_put(struct store_txn *txn, uint32_t number)
{
	struct sample_cert sample;
	sample_cert_init(&sample, number);
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}
