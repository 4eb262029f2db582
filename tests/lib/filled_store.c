/* See filled_store.h. */
#include "tests/lib/filled_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/lib/fill.h"
#include "tests/lib/temp_store.h"

enum { NAME_LONG = 300, ODD_FIRST = 1000000 };

/* A SAN may hold anything; a domain name is 63 bytes here. */
static const char *const odd_name[][2] = {
	{"WWW.Example.COM", "example.com"},
	{"www.example.com.", "*.example.com"},
	{"*.example.com", "*.example.com"},
	{"a.*.example.com", "*.*.example.com"},
	{"xn--bcher-kva.example.com", "b\303\274cher.example.com"},
	{"localhost", "*"},
	{".", ".."},
	{"a..b", "*."},
	{"192.0.2.1", "2001:db8::1"},
	{"blank in.name", "tab\tin.name"},
	{"x@example.com", "https://example.com/x"},
	{"\377\376", "\303"},
};

static const struct {
	const char *partition, *region;
} place[] = {{"aws-us-gov", "us-gov-west-1"}, {"aws-cn", "cn-north-1"}, {"aws", "eu-central-1"},
	{"aws", "us-east-1"}, {"aws", "us-east-2"}};

static const int64_t ends_s[] = {-62135596800, -1, 1, 253402300799, 0};

static void put_odd(struct store_txn *txn, uint32_t number)
{
	struct sample_cert sample;
	char long_name[NAME_LONG + 1];
	size_t at = number % (sizeof(place) / sizeof(place[0]));
	sample_cert_init(&sample, ODD_FIRST + number);
	snprintf(sample.arn, sizeof(sample.arn), "arn:%s:acm:%s:%s:certificate/%u",
		place[at].partition, place[at].region, sample.account_id, number);
	sample.record.region = place[at].region;
	sample.record.not_after_s = ends_s[number % (sizeof(ends_s) / sizeof(ends_s[0]))];
	for (size_t i = 0; i < NAME_LONG; i++)
		long_name[i] = i % 50 == 49 ? '.' : (char)('a' + i % 26);
	long_name[NAME_LONG] = '\0';
	sample_cert_set_names(&sample, odd_name[number][0], odd_name[number][1],
		number == 0 ? long_name : "www.example.com", NULL);
	/* Two in three share a certificate, as one that was imported into several regions. */
	if (number % 3 != 0)
		memset(sample.record.fingerprint_sha256, 0xab, CERT_SHA256_LEN);
	sample.record.has_pem = false; /* no DER lies under these hashes */
	sample.record.chain_count = 0;
	store_cert_put(txn, &sample.record);
	sample_cert_clear(&sample);
}

static void put_odd_ones(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < sizeof(odd_name) / sizeof(odd_name[0]); i++)
		put_odd(txn, i);
}

struct store *filled_store_open(struct loop *loop, uint32_t certificates)
{
	struct err err = ERR_INIT;
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0); /* else below /tmp */
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(loop, folder);
	if (fill(store, certificates, SAMPLE_NOW_S, &err) != 0 ||
		store_write_now(store, put_odd_ones, NULL, &err) != 0) {
		fprintf(stderr, "filled_store: %s\n", err.text);
		abort();
	}
	temp_folder_remove(folder);
	return store;
}
