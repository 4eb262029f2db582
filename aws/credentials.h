/*
 * One set of AWS credentials, as a value. Where sets come from is aws/cred.h; they never leave
 * aws/.
 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdint.h>

#include "base/secret.h"

enum { AWS_ACCESS_KEY_ID_MAX = 128 }; /* STS 2011-06-15 accessKeyIdType: 16 to 128 of \w */

struct aws_credentials {
	char access_key_id[AWS_ACCESS_KEY_ID_MAX + 1];
	struct secret secret_access_key; /* owned */
	struct secret session_token;	 /* owned; unset for long-lived keys */
	int64_t expires_at_s;		 /* Unix seconds; 0: never */
};

#define AWS_CREDENTIALS_INIT                                                                       \
	{                                                                                          \
		.access_key_id = ""                                                                \
	}

void aws_credentials_clear(struct aws_credentials *credentials); /* wipes; zeroed is fine */
void aws_credentials_copy(struct aws_credentials *to, const struct aws_credentials *from);
void aws_credentials_move(struct aws_credentials *to, struct aws_credentials *from);

#endif
