/* What a person names on the command line, and what must not stand there: passphrases. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/buf.h"

struct err;
struct secret;

enum { FILES_MAX_BYTES = 4194304 };

/* A whole file; "-" is standard input, once. ERR_CONFIG: names the file and why. */
int files_read(const char *path, struct buf *to, struct err *err);

/* As files_read, into a secret of at most SECRET_MAX bytes; warns on stderr when others may read
 * the file. */
int files_read_secret(const char *path, struct secret *ret_secret, struct err *err);

/* The first line, asked for without echo. ERR_CONFIG: there is no terminal. */
int files_ask_passphrase(const char *prompt, struct secret *ret_secret, struct err *err);

#endif
