/* Certificates, keys and passphrases from files and the terminal (see files.h). */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/interrupt.h"

enum { CHUNK = 16384, LOOK_MS = 100, DER_BEGIN = '0' /* a sequence */ };

#define KEY_MARK "PRIVATE KEY-----"

/* --- files ------------------------------------------------------------------------------------ */

static int read_all(int fd, const char *option, const char *path, struct buf *to, struct err *err)
{
	char overflow = '\0';
	for (;;) {
		size_t left = to->max_bytes > to->len ? to->max_bytes - to->len : 0;
		size_t want = left > CHUNK ? CHUNK : left;
		char *room = want > 0 ? buf_room(to, want) : &overflow;
		ssize_t got = read(fd, room, want > 0 ? want : 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_CONFIG, "%s %s", option, path);
		if (got == 0)
			return 0;
		if (want == 0)
			return err_set(err, ERR_CONFIG, "%s %s: larger than %zu bytes", option,
				path, to->max_bytes);
		buf_advance(to, (size_t)got);
	}
}

static bool holds_key(const struct buf *text)
{
	return memmem(buf_text(text), text->len, KEY_MARK, strlen(KEY_MARK)) != NULL;
}

/* Once a file: certificate, chain and key may all be in it, and it is read for each. */
static void warn_of_readers(int fd, const char *path)
{
	static dev_t warned_device;
	static ino_t warned_file;
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
		(status.st_mode & (S_IRGRP | S_IROTH)) == 0 ||
		(status.st_dev == warned_device && status.st_ino == warned_file))
		return;
	warned_device = status.st_dev;
	warned_file = status.st_ino;
	cli_note("warning: %s can be read by others than its owner; chmod 600 helps", path);
}

int files_read(const char *path, const char *option, bool is_key, struct buf *to, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, ERR_CONFIG, "%s %s", option, path);
	int rc = read_all(fd, option, path, to, err);
	if (rc == 0 && to->len == 0)
		rc = err_set(err, ERR_CONFIG, "%s %s: it is empty", option, path);
	if (rc == 0 && !is_stdin && (is_key || holds_key(to)))
		warn_of_readers(fd, path);
	if (!is_stdin)
		close(fd);
	return rc;
}

bool files_is_text(const struct buf *bytes)
{
	return text_is_utf8(buf_text(bytes), bytes->len) &&
	       memchr(buf_text(bytes), '\0', bytes->len) == NULL;
}

int files_read_pem(
	const char *path, const char *option, bool is_key, struct buf *to, struct err *err)
{
	if (files_read(path, option, is_key, to, err) != 0)
		return -1;
	const char *bytes = buf_text(to);
	if (bytes[0] == DER_BEGIN || files_is_text(to))
		return 0;
	bool is_utf16 = text_has_prefix(bytes, "\xff\xfe") || text_has_prefix(bytes, "\xfe\xff");
	return err_set(err, ERR_CONFIG, "%s %s: %s", option, path,
		is_utf16 ? "it is text in UTF-16, as Windows calls Unicode: save it as UTF-8"
			 : "expected PEM, which is text, or DER; a PKCS#12 file is given with "
			   "--pkcs12");
}

int files_read_passphrase(const char *path, struct buf *to, struct err *err)
{
	if (files_read(path, "--passphrase-file", true, to, err) != 0)
		return -1;
	size_t len = strcspn(buf_text(to), "\r\n");
	if (len == 0)
		return err_set(err, ERR_CONFIG,
			"--passphrase-file %s: its first line is the passphrase, and that is empty",
			path);
	if (len > PASSPHRASE_MAX || !text_is_utf8(buf_text(to), len))
		return err_set(err, ERR_CONFIG,
			"--passphrase-file %s: expected UTF-8 text of at most %d bytes", path,
			PASSPHRASE_MAX);
	memset(to->data + len, 0, to->len - len);
	to->len = len;
	return 0;
}

/* --- the terminal ----------------------------------------------------------------------------- */

/* A signal that comes between a look at the flag and read would be slept over, so the flag is
 * looked at again and again. Returns whether there is something to read. */
static bool wait_for_line(int fd)
{
	struct pollfd terminal = {.fd = fd, .events = POLLIN};
	while (!interrupt_came())
		if (poll(&terminal, 1, LOOK_MS) > 0)
			return true;
	return false;
}

static int read_line(int fd, struct buf *to, struct err *err)
{
	char *room = buf_room(to, PASSPHRASE_MAX + 1);
	if (room == NULL)
		return buf_check(to, "the passphrase", err);
	if (!wait_for_line(fd))
		return interrupt_fail("interrupted; nothing was planned", err);
	ssize_t got = read(fd, room, PASSPHRASE_MAX + 1);
	if (got < 0)
		return err_set_errno(err, ERR_SYSTEM, "the terminal");
	size_t len = got > 0 && room[got - 1] == '\n' ? (size_t)got - 1 : (size_t)got;
	if (len == 0 || len > PASSPHRASE_MAX || !text_is_utf8(room, len))
		return err_set(err, ERR_CONFIG, "expected a passphrase of 1 to %d bytes of UTF-8",
			PASSPHRASE_MAX);
	buf_advance(to, len);
	return 0;
}

int files_ask_passphrase(const char *prompt, struct buf *to, struct err *err)
{
	struct termios before, silent;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_CONFIG,
			"a passphrase is needed and there is no terminal to ask at; give "
			"--passphrase-file FILE");
	if (tcgetattr(fd, &before) != 0) {
		close(fd);
		return err_set_errno(err, ERR_SYSTEM, "the terminal");
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	interrupt_catch(); /* or Ctrl-C would leave a terminal without echo */
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	(void)dprintf(fd, "%s", prompt);
	int rc = read_line(fd, to, err);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(fd, "\n");
	interrupt_release();
	close(fd);
	return rc;
}
