/*
 * Secrets at rest: private keys that wait for their certificate, and the keys of certificates that
 * this sensor delivered, so that there is a way back.
 *
 * A record is sealed with AES-256-GCM under the key of its epoch; its id and kind are the
 * associated data, so that no record can stand for another. Epoch keys are files beside the store
 * (data_dir/vault/epoch-N, 0600), each sealed under the master key, because LMDB leaves deleted
 * bytes in free pages and in copies: when the last record of an epoch is gone, its key is
 * destroyed, and with it every copy of what it sealed. That is what "wiped" means here. The master
 * key comes from a file (a systemd credential, or one made at first start).
 */
#ifndef STORE_VAULT_H
#define STORE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct err;
struct secret;
struct vault;

enum {
	VAULT_ID_MAX = 64,	   /* "plan-3f9a..", "csr-..": letters, digits, '-' */
	VAULT_EPOCH_S = 7 * 86400, /* then records go to a new epoch */
};

enum vault_kind {	   /* stored: numbers are fixed */
	VAULT_KEY = 1,	   /* a private key, PKCS#8 PEM */
	VAULT_REQUEST = 2, /* what was asked for with a key: no secret, and goes with it */
};

/*
 * By the process that holds the store's lock, in the thread of its secrets; what a kill left half
 * made in the folder is removed.
 *
 * master_key_file  NULL: data_dir/vault/master.key, made (0600, 32 random bytes) when there is
 *                  neither a key nor an epoch file; otherwise must exist, hold 32 bytes, and be
 *                  readable by nobody but its owner and root
 * errors           ERR_CONFIG (no key though there are epoch files, wrong key, owner or mode),
 *                  ERR_SYSTEM, ERR_STORE_FULL
 */
struct vault *vault_open(const char *data_dir, const char *master_key_file, struct err *err);
void vault_close(struct vault *vault); /* wipes; NULL is fine */

/* A sealed record on its way into the store; owned. */
struct vault_sealed {
	char id[VAULT_ID_MAX + 1];
	enum vault_kind kind;
	int64_t epoch;
	int64_t sealed_s, wipe_after_s; /* 0: kept until it is deleted */
	unsigned char *bytes;		/* nonce, ciphertext, tag */
	size_t len;
};
void vault_sealed_clear(struct vault_sealed *sealed);

/*
 * May make a new epoch's file (synced before it is used). What is sealed is to be put into the
 * store within the hour: after that vault_sweep may destroy its epoch.
 *
 * id      1 to VAULT_ID_MAX letters, digits and '-'; anything else is a bug
 * errors  ERR_SYSTEM, ERR_STORE_FULL
 */
int vault_seal(struct vault *vault, const char *id, enum vault_kind kind,
	const struct secret *secret, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret_sealed, struct err *err);

/* These touch no secret: in any thread. A put replaces what is there under the id. */
void store_vault_put(struct store_txn *txn, const struct vault_sealed *sealed);
bool store_vault_has(struct store_txn *txn, const char *id);
/*
 * Who needs the record (an ARN, a job), and until when; 0: until it is released. One key may serve
 * many: it is wiped when the last of them needs it no more. The time that it was sealed with counts
 * as a need of the record itself, under its own id, until that is released. Nothing when there is
 * no such record.
 */
void store_vault_need(struct store_txn *txn, const char *id, const char *who, int64_t until_s);
/* By anybody but who. */
bool store_vault_is_needed(struct store_txn *txn, const char *id, const char *who);
/* The next of that kind, in order of id. position: VAULT_ID_MAX + 1 bytes, "" to begin, then the id. */
bool store_vault_next(struct store_txn *txn, enum vault_kind kind, char *position);
/* When nobody needs it any more, it stays as it was. */
void store_vault_release(struct store_txn *txn, const char *id, const char *who);
void store_vault_delete(struct store_txn *txn, const char *id);
/* Deletes what is due. */
void store_vault_delete_due(struct store_txn *txn, int64_t now_s);

/* ERR_NOT_FOUND: no such record; ERR_STORE: its epoch's key is gone or it was tampered with. */
int vault_unseal(struct vault *vault, struct store_txn *txn, const char *id,
	struct secret *ret_secret, struct err *err);

/*
 * Destroys the keys of epochs that have no record in the store and sealed none within the hour; the
 * next record gets a new epoch. txn: a read.
 * ERR_STORE: a record is damaged, so that nothing is destroyed; ERR_SYSTEM: what could not be
 * overwritten or removed, gone on with at the next sweep or open.
 */
int vault_sweep(struct vault *vault, struct store_txn *txn, int64_t now_s, struct err *err);

#endif
