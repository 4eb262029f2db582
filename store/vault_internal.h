/* Private to vault*.c and the check: the keys of the vault, in files beside the store. */
#ifndef STORE_VAULT_INTERNAL_H
#define STORE_VAULT_INTERNAL_H

#include "base/secret.h"
#include "store/vault.h"

enum { VAULT_EPOCHS_MAX = 512, VAULT_QUIET_S = 600 };

struct vault_epoch {
	uint64_t number;
	int64_t created_s;
	int64_t used_s; /* last sealed with, in this process: its record may not be stored yet */
	struct secret key;
};

struct vault {
	char *folder; /* owned; data_dir/vault */
	struct secret master;
	struct vault_epoch epoch[VAULT_EPOCHS_MAX]; /* oldest first */
	size_t epoch_count;
};

/* As stored. */
struct vault_record {
	const char *id;
	uint32_t kind;
	int64_t epoch, sealed_s, wipe_after_s;
	const char *sealed; /* hex */
};

/* Reads all there are; makes folder and master key where vault_open says so. */
int vault_keys_open(
	struct vault *vault, const char *data_dir, const char *master_key_file, struct err *err);
/* A new epoch, on disk and in memory. ERR_LIMIT, ERR_SYSTEM, ERR_STORE_FULL. */
int vault_keys_add(struct vault *vault, int64_t now_s, struct err *err);
/* Overwrites and removes the file, wipes the key. */
int vault_keys_destroy(struct vault *vault, size_t index, struct err *err);

#endif
