/*
 * Facts about X.509 certificates: what a certificate says of itself, the order of a chain, whether
 * a key belongs to a leaf. The inventory reads 100,000 of them, so facts are taken straight from
 * the DER (base/der.h) and the public key is left undecoded: decoding it through OpenSSL 3's
 * providers takes 100 us, everything else 3 us.
 */
#ifndef BASE_X509_H
#define BASE_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/der.h"

struct buf;
struct err;
struct secret;

enum {
	X509_PEM_MAX = 2097152,	  /* ACM's limit of a chain */
	X509_DER_MAX = 32768,	  /* ACM's limit of a certificate */
	X509_SERIAL_HEX_MAX = 66, /* RFC 5280: 20 octets; some CAs use more, 32 at most here */
	X509_NAME_MAX = 1024,	  /* a distinguished name as text; cut with "..." */
	X509_SANS_MAX = 4096,	  /* entries */
	X509_SAN_TEXT_MAX = 512,
	X509_EKUS_MAX = 32,
	X509_SHA256_LEN = 32,
};

/* Bits of RFC 5280 4.2.1.3, named as AWS names them. */
enum x509_key_usage {
	X509_KU_DIGITAL_SIGNATURE = 1 << 0,
	X509_KU_NON_REPUDIATION = 1 << 1,
	X509_KU_KEY_ENCIPHERMENT = 1 << 2,
	X509_KU_DATA_ENCIPHERMENT = 1 << 3,
	X509_KU_KEY_AGREEMENT = 1 << 4,
	X509_KU_CERTIFICATE_SIGNING = 1 << 5,
	X509_KU_CRL_SIGNING = 1 << 6,
	X509_KU_ENCIPHER_ONLY = 1 << 7,
	X509_KU_DECIPHER_ONLY = 1 << 8,
};

/* The name of bit 1 << number; NULL after the last. Shared static. */
const char *x509_key_usage_name(unsigned number);

enum x509_san_kind { X509_SAN_DNS, X509_SAN_IP, X509_SAN_EMAIL, X509_SAN_URI, X509_SAN_OTHER };

struct x509_san {
	enum x509_san_kind kind;
	char *text; /* owned; IP in presentation form, others escaped to printable ASCII */
};

struct x509_facts {
	/* Lower-case hex of whole octets without leading zero octets ("00" for zero), no colons,
	 * "-" in front of a negative one: "0fac17". What `openssl x509 -serial` prints, in lower
	 * case. */
	char serial[X509_SERIAL_HEX_MAX];
	unsigned char fingerprint_sha256[X509_SHA256_LEN]; /* of the DER */
	unsigned char spki_sha256[X509_SHA256_LEN];	   /* of SubjectPublicKeyInfo */
	int64_t not_before_s;
	int64_t not_after_s;
	char subject[X509_NAME_MAX]; /* RFC 4514 order and escaping, UTF-8 */
	char issuer[X509_NAME_MAX];
	char common_name[256]; /* last CN of the subject, "" when none */
	/* AWS's form (RSA_2048, EC_prime256v1) also for other sizes and curves (RSA_1536,
	 * EC_secp256k1); Ed25519; otherwise the OID in dots. */
	char key_algorithm[24];
	/* AWS's form (SHA256WITHRSA, SHA384WITHECDSA), else OpenSSL's long name or the OID. */
	char signature_algorithm[48];
	unsigned version;    /* 1 to 3; 0: none of those */
	size_t ocsp_url_len; /* bytes of the longest OCSP URL; 0: none */
	bool has_key_usage, has_ext_key_usage, is_ca;
	bool is_self_issued; /* issuer and subject are the same bytes */
	unsigned key_usage;  /* x509_key_usage bits */
	/* Owned; AWS's name (TLS_WEB_SERVER_AUTHENTICATION) or the OID. */
	char (*ext_key_usage)[64];
	size_t ext_key_usage_count;
	struct x509_san *san; /* owned */
	size_t san_count;
};

/*
 * Reads the facts of one certificate; nothing may follow it.
 *
 * ret_facts  overwritten, so zeroed or cleared facts are to be passed
 * errors     ERR_PROTOCOL: not a certificate, says which part; ERR_LIMIT: size, serial number,
 *            names
 */
int x509_facts_from_der(
	const unsigned char *der, size_t len, struct x509_facts *ret_facts, struct err *err);
void x509_facts_clear(struct x509_facts *facts); /* zeroed is fine */

/* Serial numbers in hex, case and leading zeros aside: AWS keeps zero octets in front, the parser
 * here does not. */
bool x509_is_same_serial(const char *a, const char *b);

/*
 * Walks PEM text: the next CERTIFICATE block's DER. Text around blocks and blocks of other types
 * are skipped.
 *
 * at       moved behind the block, to end after the last; unchanged on failure
 * ret_der  owned; free
 * result   1: one found; 0: no more; -1: ERR_PROTOCOL (broken base64, no END line) or ERR_LIMIT
 *          (larger than X509_DER_MAX)
 */
int x509_pem_next(const char **at, const char *end, unsigned char **ret_der, size_t *ret_len,
	struct err *err);

/* Appends a CERTIFICATE block with 64 columns of base64. */
void x509_pem_add(struct buf *to, const unsigned char *der, size_t len);

/*
 * Whether the PEM private key (unencrypted) belongs to the leaf. ERR_CONFIG when the key cannot be
 * read, ERR_PROTOCOL when the leaf cannot.
 */
int x509_key_matches(
	const struct secret *key_pem, const struct der *leaf, bool *ret_matches, struct err *err);

#endif
