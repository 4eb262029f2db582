/*
 * A small ACM that can be written to, and a Secrets Manager, behind fake_call.h: what the flows of
 * delivery/ change shows in their next question, at once or after a while. It knows no rules of
 * imports: what is tested is who asks for what, and how often.
 */
#ifndef TESTS_LIB_WRITE_ACM_H
#define TESTS_LIB_WRITE_ACM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fake_record;

enum { WRITE_ACM_CERTS = 8, WRITE_ACM_TAGS = 60, WRITE_ACM_SECRETS = 4 };

struct write_acm_cert {
	char arn[128];	   /* "": free */
	char *pem, *chain; /* owned */
	char *shown_pem;   /* owned; what Describe and Get still show; NULL: pem */
	int64_t shown_imported_s;
	int stale_looks; /* how many Describes until pem shows */
	char *key;	 /* owned; the last private key that came with it */
	char *tag_key[WRITE_ACM_TAGS], *tag_value[WRITE_ACM_TAGS]; /* owned */
	size_t tags;
	int64_t created_s, imported_s;
	const char *type;      /* borrowed; NULL: IMPORTED */
	const char *in_use_by; /* borrowed; NULL: nothing */
	int more_users;	       /* so many others beside it, "arn:other" each */
	int uses_left;	       /* Describes until in_use_by is gone; 0: stays */
};

struct write_acm {
	const char *account_id, *region;
	struct write_acm_cert cert[WRITE_ACM_CERTS];
	size_t made;	 /* ARNs given out */
	size_t imported; /* imports that had effect */
	size_t deleted;
	char *secret_name[WRITE_ACM_SECRETS], *secret[WRITE_ACM_SECRETS]; /* owned; NULL: free */
	int64_t secret_created_s[WRITE_ACM_SECRETS];
	bool keeps_secrets;	/* DeleteSecret is denied */
	int import_stale_looks; /* of every import */
	/* The n-th call from now: it has its effect and its answer is lost. 0: none. */
	size_t lose_at;
	const char *lose_operation; /* counts these only; NULL: all */
	bool drops_tags;	    /* a reimport loses the tags (AWS does not; but who knows) */
};

/* Owned texts: write_acm_clear. */
struct write_acm_cert *write_acm_add(struct write_acm *acm, const char *pem, const char *key);
struct write_acm_cert *write_acm_find(struct write_acm *acm, const char *arn);
/* How many certificates hold that PEM. */
size_t write_acm_count(const struct write_acm *acm, const char *pem);
const char *write_acm_tag(const struct write_acm_cert *cert, const char *key); /* NULL: none */
void write_acm_set_tag(struct write_acm_cert *cert, const char *key, const char *value);
void write_acm_put_secret(struct write_acm *acm, const char *name, const char *value);
size_t write_acm_secrets(const struct write_acm *acm);
void write_acm_clear(struct write_acm *acm);

/* The answerer of fake_call.h. */
bool write_acm_answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err);

#endif
