/*
 * A folder of its own for each test, and certificates to fill a store with. The folder is below
 * TMPDIR or /tmp and is removed with everything in it.
 */
#ifndef TESTS_LIB_TEMP_STORE_H
#define TESTS_LIB_TEMP_STORE_H

#include <stdint.h>

#include "base/buf.h"
#include "store/certs.h"
#include "store/store.h"

char *temp_folder_new(void);			       /* owned: temp_folder_remove */
void temp_folder_remove(char *folder);		       /* removes and frees; NULL is fine */
char *temp_path(const char *folder, const char *name); /* owned */
/* Files of one folder into another, as they are; a store must be closed in both. */
void temp_folder_copy(const char *from, const char *to);

/* store_open that must succeed. loop may be NULL: then only store_write_now works. */
struct store *temp_store_open(struct loop *loop, const char *folder);

enum { SAMPLE_NOW_S = 1795219200 }; /* 2026-11-21T00:00:00Z, the fake clock's start */

/* SHA-256 over every entry of every table: equal means that nothing has changed. */
enum { STORE_DIGEST_LEN = 32 };
void temp_store_digest(struct store *store, unsigned char ret_digest[STORE_DIGEST_LEN]);
/* The same of some tables alone: their names, with blanks between ("certs pem"). */
void temp_store_digest_of(
	struct store *store, const char *tables, unsigned char ret_digest[STORE_DIGEST_LEN]);
/* store_check; prints what it finds and returns how many problems there are, -1 when it cannot. */
int64_t temp_store_problems(struct store *store);

/* A certificate whose every field is set and follows from number: account, region, names, times. Its
 * texts live in memory of its own until sample_cert_clear. Pending ones have no PEM. */
struct sample_cert {
	struct cert_record record;
	struct buf sans, in_use_by, key_usages, ext_key_usages, tags;
	char der[32]; /* stands for the certificate; its hash is the fingerprint */
	char arn[128], account_id[13], domain_name[64], serial[40], subject[96];
};
void sample_cert_init(struct sample_cert *sample, uint32_t number);
void sample_cert_clear(struct sample_cert *sample);
/* Replaces the names; NULL ends them. */
void sample_cert_set_names(struct sample_cert *sample, const char *domain_name, ...)
	__attribute__((sentinel));

/* Puts the record and its PEM. */
void sample_cert_store(struct store_txn *txn, const struct sample_cert *sample);
/* Init, store, clear. */
void sample_cert_put(struct store_txn *txn, uint32_t number);

#endif
