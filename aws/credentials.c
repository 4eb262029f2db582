/* One set of AWS credentials, as a value. */
#include "aws/credentials.h"

#include <string.h>

void aws_credentials_clear(struct aws_credentials *credentials)
{
	secret_clear(&credentials->secret_access_key);
	secret_clear(&credentials->session_token);
	*credentials = (struct aws_credentials)AWS_CREDENTIALS_INIT;
}

void aws_credentials_copy(struct aws_credentials *to, const struct aws_credentials *from)
{
	memcpy(to->access_key_id, from->access_key_id, sizeof(to->access_key_id));
	secret_copy(&to->secret_access_key, &from->secret_access_key);
	secret_copy(&to->session_token, &from->session_token);
	to->expires_at_s = from->expires_at_s;
}

void aws_credentials_move(struct aws_credentials *to, struct aws_credentials *from)
{
	memcpy(to->access_key_id, from->access_key_id, sizeof(to->access_key_id));
	secret_move(&to->secret_access_key, &from->secret_access_key);
	secret_move(&to->session_token, &from->session_token);
	to->expires_at_s = from->expires_at_s;
	aws_credentials_clear(from);
}
