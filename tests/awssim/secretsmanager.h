/* Shared by the files of the simulated Secrets Manager (JSON 1.1, 2017-10-17). */
#ifndef TESTS_AWSSIM_SECRETSMANAGER_H
#define TESTS_AWSSIM_SECRETSMANAGER_H

#include "tests/awssim/service.h"

/* SCPs and the role's policy. False after a denial was answered. */
bool secrets_may(struct call *call, const char *action, const char *resource);

/* How the operation sees a secret that is being deleted, or was just made. */
enum secrets_view {
	SECRETS_READ,  /* late after a change; deleted ones are refused */
	SECRETS_WRITE, /* deleted ones are refused */
	SECRETS_ANY,   /* deleted ones too; late as a read */
	SECRETS_ALL,   /* deleted ones too, at once */
};

/* What SecretId names. NULL after an error was answered. */
struct secret *secrets_named(struct call *call, const char *action, enum secrets_view view);
bool secrets_is_late(const struct call *call, const struct secret *secret);

void secrets_fail(struct call *call, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The input's Tags beside those of the secret (NULL: a new one). False after an error. */
bool secrets_check_tags(struct call *call, const struct secret *secret);
void secrets_take_tags(struct call *call, struct secret *secret);
void secrets_answer_name(struct call *call, const struct secret *secret, const char *version_id);

#endif
