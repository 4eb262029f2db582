#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/secret.h"
#include "cli/cli.h"

enum { CHUNK = 16384, PASSPHRASE_MAX = 1024 };

static int read_all(int fd, const char *path, struct buf *to, struct err *err)
{
	for (;;) {
		char *room = buf_room(to, CHUNK);
		if (room == NULL)
			return err_set(
				err, ERR_CONFIG, "%s: larger than %zu bytes", path, to->max_bytes);
		ssize_t got = read(fd, room, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_CONFIG, "%s", path);
		if (got == 0)
			return 0;
		buf_advance(to, (size_t)got);
	}
}

static int open_file(const char *path, bool is_secret, int *ret_fd, struct err *err)
{
	static bool is_stdin_read;
	struct stat status;
	if (strcmp(path, "-") == 0) {
		if (is_stdin_read)
			return err_set(err, ERR_CONFIG, "standard input can be read only once");
		is_stdin_read = true;
		*ret_fd = STDIN_FILENO;
		return 0;
	}
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_set_errno(err, ERR_CONFIG, "cannot read %s", path);
	if (is_secret && fstat(*ret_fd, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & (S_IRGRP | S_IROTH)) != 0)
		cli_note("warning: others can read %s (chmod 600)", path);
	return 0;
}

static int read_file(const char *path, bool is_secret, struct buf *to, struct err *err)
{
	int fd;
	if (open_file(path, is_secret, &fd, err) != 0)
		return -1;
	int rc = read_all(fd, path, to, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

int files_read(const char *path, struct buf *to, struct err *err)
{
	return read_file(path, false, to, err);
}

int files_read_secret(const char *path, struct secret *ret_secret, struct err *err)
{
	struct buf bytes;
	buf_init_secret(&bytes, SECRET_MAX + CHUNK);
	int rc = read_file(path, true, &bytes, err);
	if (rc == 0 && (bytes.len == 0 || bytes.len > SECRET_MAX))
		rc = err_set(err, ERR_CONFIG, "%s: expected 1 to %d bytes", path, SECRET_MAX);
	if (rc == 0)
		secret_set(ret_secret, bytes.data, bytes.len);
	buf_clear(&bytes);
	return rc;
}

int files_ask_passphrase(const char *prompt, struct secret *ret_secret, struct err *err)
{
	char line[PASSPHRASE_MAX];
	struct termios before, silent;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_CONFIG,
			"the key is encrypted and there is no terminal to ask at: give "
			"--passphrase-file FILE");
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(fd, TCSAFLUSH, &silent);
	(void)dprintf(fd, "%s", prompt);
	ssize_t got = read(fd, line, sizeof(line));
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(fd, "\n");
	close(fd);
	size_t len = got > 0 && line[got - 1] == '\n' ? (size_t)got - 1 : 0;
	if (len > 0)
		secret_set(ret_secret, line, len);
	explicit_bzero(line, sizeof(line));
	return len > 0 ? 0 : err_set(err, ERR_CONFIG, "no passphrase was given");
}
