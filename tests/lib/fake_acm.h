/*
 * A small ACM behind fake_call.h: one account in one region, answered from a table that a test
 * changes between two scans. Requests are checked: wrong ones end the program. fake_org.h makes it
 * one place of an organization.
 *
 *   struct fake_acm acm = {.account_id = "111122223333", .region = "eu-west-1"};
 *   struct fake_acm_cert *cert = fake_acm_add(&acm, "a");
 *   cert->pem = "rsa-2048";
 *   fake_acm_install(&acm);
 */
#ifndef TESTS_LIB_FAKE_ACM_H
#define TESTS_LIB_FAKE_ACM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { FAKE_ACM_CERTS_MAX = 256 };

struct fake_acm_cert {
	char id[40]; /* "<ARN prefix>certificate/<id>" */
	bool is_listed;
	const char *domain_name, *status, *type; /* borrowed; "www.example.com", "ISSUED", ... */
	bool is_acme; /* of ACME origin: listed only when origins are asked for */
	/* Name in tests/data/x509, without ".pem"; NULL: not issued yet. Describe tells of the same. */
	const char *pem;
	const char *pem_text; /* borrowed; the PEM itself instead of a file's name; NULL: see pem */
	const char *chain;    /* names, "," between; NULL: none */
	const char *tag;      /* value of the tag "team"; NULL: no tags */
	const char *in_use_by;	    /* one ARN; NULL: not in use */
	const char *renewal_status; /* only Describe tells; NULL: none */
	const char *describe_id;    /* of the certificate that Describe tells of; NULL: this one */
	const char *serial;	    /* what Describe tells instead of the PEM's; NULL: the PEM's */
	int64_t not_after_s;	    /* without pem; 0: not told */
	struct err describe_err, get_err, tags_err; /* kind ERR_NONE: none */
	const char *get_body; /* the whole answer of Get; NULL: made of pem and chain */
};

struct fake_acm {
	const char *account_id, *region;
	struct fake_acm_cert cert[FAKE_ACM_CERTS_MAX];
	size_t count;
	size_t page_size;     /* 0: all on one page */
	bool refuses_origins; /* ValidationException for CertificateKeyPairOrigins */
};

/* Listed, issued, with "rsa-2048" as its PEM. Lives as long as acm. */
struct fake_acm_cert *fake_acm_add(struct fake_acm *acm, const char *id);

/* Borrowed until fake_call_reset or the next install. */
void fake_acm_install(struct fake_acm *acm);

/* One call to it: the answerer of fake_call.h that install sets. arg: the struct fake_acm. */
struct fake_record;
bool fake_acm_answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err);

#endif
