/*
 * The parts of the vault: files of its folder (vault_files.c), the master key and the keys of
 * epochs (vault_keys.c), sealed records (vault.c). All of it in one thread, that of the secrets.
 */
#ifndef STORE_VAULT_INTERNAL_H
#define STORE_VAULT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

struct err;
struct seal;

/* An epoch's number is the second in which it was made (or the next free one). */
struct vault_epoch {
	int64_t number;
	struct secret key;     /* unset: the file is no whole epoch file; never used */
	int64_t last_sealed_s; /* by this process; 0: never */
};

struct vault {
	struct seal *seal; /* owned */
	char *folder;	   /* owned; data_dir/vault, for messages */
	int folder_fd;	   /* -1: not open */
	struct secret master;
	struct vault_epoch *epoch; /* owned; in order of number */
	size_t epoch_count, epoch_capacity;
};

/* --- vault_files.c --------------------------------------------------------------------------- */

/* Makes the folder when it is missing; checks owner and mode. Sets folder_fd. ERR_CONFIG,
 * ERR_SYSTEM, ERR_STORE_FULL. */
int vault_folder_open(struct vault *vault, const char *data_dir, struct err *err);

/* Removes what a process that was killed left half made, and ends what it left half destroyed. */
int vault_folder_tidy(struct vault *vault, struct err *err);

/* Each name in the folder; a callback that returns -1 (with err) ends it. */
typedef int vault_name_fn(void *arg, const char *name, struct err *err);
int vault_folder_each(struct vault *vault, vault_name_fn *each, void *arg, struct err *err);

/*
 * Reads a whole file of at most max_bytes, checked for kind, owner and mode: a regular file that
 * nobody but its owner (we or root) and group root can read, and nobody but the owner can write.
 *
 * dir_fd    folder_fd or AT_FDCWD
 * shown     the path for messages
 * is_there  false (and 0): there is no such file
 * errors    ERR_CONFIG: kind, owner, mode, size; ERR_SYSTEM
 */
int vault_file_read(int dir_fd, const char *name, const char *shown, size_t max_bytes,
	struct secret *ret_bytes, bool *ret_is_there, struct err *err);

/* Makes a file (0600) that is there as a whole or not at all, also after a power cut: synced under
 * another name, renamed, the folder synced. The name must be free. ERR_SYSTEM, ERR_STORE_FULL. */
int vault_file_make(
	struct vault *vault, const char *name, const void *bytes, size_t len, struct err *err);

/* Overwrites and removes; a kill in between leaves what vault_folder_tidy goes on with. */
int vault_file_destroy(struct vault *vault, const char *name, struct err *err);

/* --- vault_keys.c ---------------------------------------------------------------------------- */

/* Reads the master key (or makes it) and every epoch's key. As vault_open. */
int vault_keys_load(struct vault *vault, const char *master_key_file, struct err *err);
void vault_keys_clear(struct vault *vault);

/* The epoch that takes new records at that time, NULL: none, one has to be made. */
struct vault_epoch *vault_epoch_current(struct vault *vault, int64_t now_s);
/* NULL on failure: ERR_SYSTEM, ERR_STORE_FULL. Borrowed until the next epoch is made or
 * destroyed. */
struct vault_epoch *vault_epoch_make(struct vault *vault, int64_t now_s, struct err *err);
/* NULL: there is no file of that epoch. */
struct vault_epoch *vault_epoch_find(struct vault *vault, int64_t number);
/* Destroys file and key; the others move up. */
int vault_epoch_destroy(struct vault *vault, int64_t number, struct err *err);

#endif
