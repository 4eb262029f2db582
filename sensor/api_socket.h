/*
 * The control socket: made so that only root, the daemon's user and the group acmsensor can
 * connect (directory 0750 when it is made here, socket 0660).
 */
#ifndef SENSOR_API_SOCKET_H
#define SENSOR_API_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

#define API_SOCKET_GROUP "acmsensor" /* left out where there is no such group */

struct api_socket {
	int fd;	    /* owned; -1: closed */
	char *path; /* owned */
	dev_t device;
	ino_t inode; /* what was bound, so that nobody else's socket is removed */
};

/*
 * Binds and listens, non-blocking. A socket that is left from a former run, where nobody answers,
 * is replaced.
 *
 * errors  ERR_CONFIG: somebody answers there, or something that is no socket is in the way;
 *         ERR_SYSTEM: anything else, with the path
 */
int api_socket_open(const char *path, struct api_socket *ret_socket, struct err *err);
/* Closes and removes it, unless fd was given away (-1) and only the path is removed. */
void api_socket_close(struct api_socket *socket);

/* Whether the peer of a connection may change things: uid 0 or our own. *ret_uid: who it is; -1
 * when the kernel does not tell. */
bool api_socket_may_change(int fd, long *ret_uid);

#endif
