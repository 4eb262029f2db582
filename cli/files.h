/*
 * What a person names on the command line for a plan, and what must not stand there: a passphrase.
 * All of it may be or contain a private key, so it goes into buffers that wipe.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>

struct buf;
struct err;

enum { PASSPHRASE_MAX = 1024 };

/*
 * Appends a whole file; "-" is standard input.
 *
 * to       opened by the caller with buf_init_secret
 * option   "--key", for messages
 * errors   ERR_CONFIG: which file, and why; empty, or larger than the buffer's maximum
 * talks    on stderr, when it holds a private key (is_key, or its text says so) that others may
 *          read
 */
int files_read(const char *path, const char *option, bool is_key, struct buf *to, struct err *err);

/* As files_read, then checks that it is text, as PEM is, or may be DER: else ERR_CONFIG. */
int files_read_pem(
	const char *path, const char *option, bool is_key, struct buf *to, struct err *err);
/* Which of both. */
bool files_is_text(const struct buf *bytes);

/* The first line, without its end; nothing else of the file stays in to. Errors and talk as
 * files_read; ERR_CONFIG also: that line is empty, longer than PASSPHRASE_MAX or not UTF-8. */
int files_read_passphrase(const char *path, struct buf *to, struct err *err);

/*
 * Asks at the terminal, without echo, whatever standard input is; waits for as long as it takes.
 *
 * to      as for files_read; appended to: 1 to PASSPHRASE_MAX bytes of UTF-8
 * errors  ERR_CONFIG: there is no terminal, nothing was typed, too much, or no UTF-8; ERR_SYSTEM:
 *         the terminal fails; as interrupt_fail: Ctrl-C
 */
int files_ask_passphrase(const char *prompt, struct buf *to, struct err *err);

#endif
