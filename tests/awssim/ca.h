/* The test CAs whose certificates the simulated ACM holds, and the pool of leaf keys. */
#ifndef TESTS_AWSSIM_CA_H
#define TESTS_AWSSIM_CA_H

#include "tests/awssim/der.h"

enum key_type { RSA_1024, RSA_2048, RSA_3072, RSA_4096, EC_P256, EC_P384, EC_P521, KEY_TYPES };

extern const char *const key_type_name[KEY_TYPES]; /* AWS's underscore form */

/* Who signs a certificate; two groups of each so that chains are shared and yet several. */
enum ca_class { CA_PUBLIC, CA_PRIVATE, CA_COMMERCIAL, CA_CLASSES };

struct ca {
	struct dn name;		 /* static */
	const struct ca *issuer; /* NULL: root */
	const struct key *key;	 /* borrowed from the pool */
	enum signature_algorithm signs_with;
	struct out der;	       /* owned */
	struct out chain_pem;  /* owned; this CA and those above, as PEM text */
	struct out chain_json; /* owned; the same, escaped for a JSON string */
	char chain_sha256[65]; /* of chain_pem */
};

struct key_pool;

/* Loads tests/data/keys; on failure prints why and returns NULL. fast: RSA-1024 CA keys. */
struct key_pool *key_pool_new(const char *folder, bool fast);
void key_pool_free(struct key_pool *pool);

/* choice is reduced to the number of keys or CAs there are. Borrowed for the pool's life. */
const struct key *key_pool_leaf(const struct key_pool *pool, enum key_type type, uint64_t choice);
const struct ca *key_pool_ca(
	const struct key_pool *pool, enum ca_class class, bool for_ec, uint64_t choice);

#endif
