/* Between the x509_*.c files: what stands inside a certificate, as text. */
#ifndef BASE_X509_INTERNAL_H
#define BASE_X509_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/der.h"

struct buf;
struct err;
struct x509_facts;

enum { X509_OID_TEXT_MAX = 128 };

/* OpenSSL's number of an OID, NID_undef for one that it does not know, -1 when it is broken. */
int x509_oid_nid(const struct der_element *oid);

/* "1.2.840.113549"; cut to size. */
void x509_oid_dotted(const struct der_element *oid, char *ret, size_t size);

/* Copies text, cut between UTF-8 characters with "..." when it does not fit. */
void x509_copy_cut(char *ret, size_t size, const char *text);

/*
 * Appends a distinguished name (a whole RDNSequence) as RFC 4514 has it: last RDN first, short
 * names, values of unknown attributes and types as #hex. ret_common_name: the last CN, plain, cut
 * to size, "" when there is none. ERR_PROTOCOL, ERR_LIMIT.
 */
int x509_name_format(const struct der *name, struct buf *to, char *ret_common_name, size_t size,
	struct err *err);

/* AWS's word for the key of a SubjectPublicKeyInfo's content. false: broken. */
bool x509_key_algorithm(const struct der *spki, char *ret, size_t size);

/* AWS's word for the content of an AlgorithmIdentifier. false: broken. */
bool x509_signature_algorithm(const struct der *algorithm, char *ret, size_t size);

/* AWS's word for a purpose, else its OID. false: broken. */
bool x509_key_purpose(const struct der_element *oid, char *ret, size_t size);

/*
 * Reads key usage, extended key usage, basic constraints, subject alternative names and the length
 * of OCSP URLs from the content of Extensions into facts (cleared by the caller, also on failure).
 * ERR_PROTOCOL, ERR_LIMIT.
 */
int x509_extensions_read(const struct der *extensions, struct x509_facts *facts, struct err *err);

#endif
