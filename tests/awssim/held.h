/* A certificate that somebody imported: as it came, and what it says. Read with OpenSSL once. */
#ifndef TESTS_AWSSIM_HELD_H
#define TESTS_AWSSIM_HELD_H

#include <openssl/x509.h>

#include "tests/awssim/ca.h"

enum { HELD_SERIAL_MAX = 20 };

struct text_list {
	const char **item; /* owned, as the texts are */
	size_t count;
};

void text_list_add(struct text_list *list, const char *text);
void text_list_remove(struct text_list *list, const char *text); /* one of them */
void text_list_clear(struct text_list *list);

struct held {
	unsigned users;		/* held_use adds one, held_free takes one away */
	X509 *leaf;		/* owned */
	STACK_OF(X509) * chain; /* owned; NULL or empty: none */
	EVP_PKEY *key;		/* owned; the private key */
	struct out der, chain_pem;
	char chain_sha256[65];
	enum key_type key_type;
	struct text_list dns, ip, ext_key_usage; /* ext_key_usage: dotted OIDs */
	unsigned key_usage;			 /* bits of KEY_USAGE_*; 0: no extension */
	unsigned char serial[HELD_SERIAL_MAX];
	size_t serial_len;
	char *common_name;	    /* owned; NULL: none */
	char *subject, *issuer;	    /* owned; RFC 4514 */
	char *issuer_name;	    /* owned; to show: common name or organization */
	const char *signature_name; /* static; AWS's name */
	int64_t not_before_s, not_after_s;
};

/* Which of ACM's key types it is; false: none. */
bool held_key_type(EVP_PKEY *key, enum key_type *ret_type);
/* AWS's name of the signature algorithm; NULL: none that ACM takes. */
const char *held_signature_name(const X509 *x509);

/* Takes all three; chain may be NULL. leaf has a key type and a signature algorithm of ACM's. */
struct held *held_new(X509 *take_leaf, STACK_OF(X509) * take_chain, EVP_PKEY *take_key);
struct held *held_use(struct held *held);
void held_free(struct held *held);

/* The name that ACM shows: the first that is a host name, common name first. NULL: none. */
const char *held_domain(const struct held *held);
/* Two labels or more of letters, digits and hyphens, perhaps "*." before them. */
bool is_host_name(const char *name);
bool is_ip_address(const char *name);

#endif
