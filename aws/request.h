/* Request bodies of the Query protocols: "Action=AssumeRole&Version=2011-06-15&RoleArn=...". */
#ifndef AWS_REQUEST_H
#define AWS_REQUEST_H

#include "aws/service.h"

struct buf;

/* Appends Action and Version. */
void query_begin(struct buf *body, enum aws_service service, const char *operation);
/* Appends "&key=value", the value percent-encoded. key: shared static, needs no encoding. */
void query_add(struct buf *body, const char *key, const char *value);

#endif
