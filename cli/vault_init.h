/*
 * Gives the vault a master key that lies elsewhere than the records it seals, and switches it on: a
 * credential of systemd, sealed where systemd can do that (250), or a file of its own. A key that
 * the daemon has made for itself already is taken over, as it has sealed what is there.
 */
#ifndef CLI_VAULT_INIT_H
#define CLI_VAULT_INIT_H

#include <stdbool.h>

struct buf;
struct err;

enum vault_way {
	VAULT_SEALED,	  /* systemd-creds seals it: LoadCredentialEncrypted= */
	VAULT_CREDENTIAL, /* a file of root's: LoadCredential= */
	VAULT_FILE,	  /* a file of the daemon's: vault_key_file */
};

/* All borrowed. */
struct vault_places {
	const char *data_dir;	 /* of the daemon */
	const char *key_file;	 /* to be made */
	const char *drop_in_dir; /* for the unit, made if need be; unused with VAULT_FILE */
};

/*
 * What this host's systemd can do.
 *
 * version  what `systemctl --version` prints
 * errors   ERR_CONFIG: older than credentials (247), or not the text of systemctl
 */
int vault_way_of(const char *version, enum vault_way *ret_way, struct err *err);

/*
 * Nothing that exists is overwritten; after a failure everything is as it was.
 *
 * ret_is_taken_over  the key is that of data_dir/vault/master.key, which is still there
 * errors             ERR_REFUSED: there is a key or a drop-in already, or records sealed under a
 *                    key that is not here; ERR_CONFIG: the daemon's key is none; ERR_SYSTEM
 */
int vault_init(enum vault_way way, const struct vault_places *places, bool *ret_is_taken_over,
	struct err *err);

/* Appends what to do next, above all what to back up. */
void vault_init_next(
	enum vault_way way, const struct vault_places *places, bool is_taken_over, struct buf *to);

#endif
