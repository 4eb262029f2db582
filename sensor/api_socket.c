#include "sensor/api_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

enum { BACKLOG = 1024, DIRECTORY_MODE = 0750, SOCKET_MODE = 0660 };

/* As far as we may: without root the group stays our own. */
static void give_to_group(const char *path)
{
	const struct group *group = getgrnam(API_SOCKET_GROUP);
	if (group != NULL)
		(void)!chown(path, (uid_t)-1, group->gr_gid);
}

/* The directory, not its parents. */
static int make_directory(const char *path, struct err *err)
{
	char *directory = xstrdup(path);
	char *slash = strrchr(directory, '/');
	int rc = 0;
	*slash = '\0';
	if (directory[0] != '\0') {
		if (mkdir(directory, DIRECTORY_MODE) == 0)
			give_to_group(directory);
		else if (errno != EEXIST)
			rc = err_set_errno(
				err, ERR_SYSTEM, "control socket: directory %s", directory);
	}
	free(directory);
	return rc;
}

static int new_socket(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(err, ERR_SYSTEM, "control socket");
	return fd;
}

/* Somebody answers when connecting works, or would work but for a full queue. */
static int check_answers(const char *path, const struct sockaddr_un *address, struct err *err)
{
	int fd = new_socket(err);
	if (fd < 0)
		return -1;
	int rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	bool is_alive = rc == 0 || errno == EAGAIN || errno == EINPROGRESS;
	bool is_stale = !is_alive && errno == ECONNREFUSED;
	int connect_errno = errno;
	(void)close(fd);
	if (is_alive)
		return err_set(err, ERR_CONFIG,
			"control socket %s: another acmsensord answers there", path);
	errno = connect_errno;
	if (!is_stale)
		return err_set_errno(err, ERR_SYSTEM, "control socket %s", path);
	return 0;
}

static int remove_stale(const char *path, const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return err_set_errno(err, ERR_SYSTEM, "control socket %s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFIG,
			"control socket %s: something that is no socket is there", path);
	if (check_answers(path, address, err) != 0)
		return -1;
	if (unlink(path) != 0)
		return err_set_errno(err, ERR_SYSTEM, "control socket %s: cannot replace", path);
	return 0;
}

static int bind_to(int fd, const char *path, const struct sockaddr_un *address, struct err *err)
{
	mode_t mask = umask(0777 & ~SOCKET_MODE);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int bind_errno = errno;
	(void)umask(mask);
	errno = bind_errno;
	if (rc != 0 || listen(fd, BACKLOG) != 0)
		return err_set_errno(err, ERR_SYSTEM, "control socket %s", path);
	give_to_group(path);
	return 0;
}

int api_socket_open(const char *path, struct api_socket *ret_socket, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	if (path[0] != '/' || !text_copy(address.sun_path, sizeof(address.sun_path), path))
		return err_set(err, ERR_CONFIG,
			"control socket %s: not an absolute path of at most %zu bytes", path,
			sizeof(address.sun_path) - 1);
	if (make_directory(path, err) != 0 || remove_stale(path, &address, err) != 0)
		return -1;
	int fd = new_socket(err);
	if (fd < 0)
		return -1;
	if (bind_to(fd, path, &address, err) != 0 || lstat(path, &st) != 0) {
		if (err->kind == ERR_NONE)
			(void)err_set_errno(err, ERR_SYSTEM, "control socket %s", path);
		(void)close(fd);
		return -1;
	}
	*ret_socket = (struct api_socket){
		.fd = fd, .path = xstrdup(path), .device = st.st_dev, .inode = st.st_ino};
	return 0;
}

void api_socket_close(struct api_socket *socket)
{
	struct stat st;
	if (socket->path == NULL)
		return;
	if (socket->fd >= 0)
		(void)close(socket->fd);
	if (lstat(socket->path, &st) == 0 && st.st_dev == socket->device &&
		st.st_ino == socket->inode)
		(void)unlink(socket->path); /* a stale one does no harm */
	free(socket->path);
	*socket = (struct api_socket){.fd = -1};
}

bool api_socket_may_change(int fd, long *ret_uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	*ret_uid = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof(peer))
		return false;
	*ret_uid = (long)peer.uid;
	return peer.uid == 0 || peer.uid == geteuid();
}
