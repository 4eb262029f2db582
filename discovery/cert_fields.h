/*
 * The members of struct cert_record as a table, so that copying and comparing can forget none.
 */
#ifndef DISCOVERY_CERT_FIELDS_H
#define DISCOVERY_CERT_FIELDS_H

#include <stddef.h>

#include "store/certs.h"

enum cert_field_kind {
	CERT_FIELD_TEXT,  /* const char * */
	CERT_FIELD_LIST,  /* struct pack */
	CERT_FIELD_PAIRS, /* struct pack: key, value, key, value ... */
	CERT_FIELD_TIME,  /* int64_t, Unix seconds */
	CERT_FIELD_BOOL,
	CERT_FIELD_HASH,  /* CERT_SHA256_LEN bytes */
	CERT_FIELD_BYTES, /* size bytes */
	CERT_FIELD_CHAIN, /* chain_sha256, as many as chain_count says */
};

enum cert_field_use {
	CERT_FIELD_TOLD,   /* a difference is a change of the certificate, told in its event */
	CERT_FIELD_SILENT, /* a difference is stored, but nobody is told */
	CERT_FIELD_OWN,	   /* our bookkeeping, not of the certificate: never compared */
};

struct cert_field {
	const char *name; /* as in JSON; shared static */
	enum cert_field_kind kind;
	enum cert_field_use use;
	size_t offset, size;
};

/* In the order in which an event tells them: what matters most first. */
extern const struct cert_field cert_fields[];
extern const size_t cert_field_count;

/* A record with all it points to, in one block. */
struct cert_copy {
	struct cert_record record; /* points into memory */
	char *memory;		   /* owned */
};
void cert_copy_make(const struct cert_record *record, struct cert_copy *ret_copy);
void cert_copy_clear(struct cert_copy *copy); /* zeroed is fine */

/* An empty record: every text is "". */
struct cert_record cert_record_empty(void);

#endif
