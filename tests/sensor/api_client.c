/* See api_client.h. */
#include "tests/sensor/api_client.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"

enum { ANSWER_MAX = 8 << 20, TURNS_MAX = 100000 };

void api_client_init(struct api_client *client, struct loop *loop, const char *socket_path)
{
	*client = (struct api_client){.loop = loop, .socket_path = socket_path};
	buf_init(&client->answer, ANSWER_MAX);
}

void api_client_clear(struct api_client *client)
{
	buf_clear(&client->answer);
}

int api_client_connect(const struct api_client *client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", client->socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

int api_client_ask(const struct api_client *client, const char *request)
{
	int fd = api_client_connect(client);
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	return fd;
}

void api_client_turn(struct api_client *client)
{
	(void)event_base_loop(loop_event_base(client->loop), EVLOOP_NONBLOCK);
}

bool api_client_receive(struct api_client *client, int fd)
{
	char chunk[65536];
	ssize_t len;
	while ((len = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		buf_add(&client->answer, chunk, (size_t)len);
	return len < 0 && errno == EAGAIN;
}

const char *api_client_finish(struct api_client *client, int fd, bool waits)
{
	buf_reset(&client->answer);
	for (int i = 0; api_client_receive(client, fd); i++) {
		(void)event_base_loop(
			loop_event_base(client->loop), waits ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
		assert_true(i < TURNS_MAX);
	}
	close(fd);
	return buf_text(&client->answer);
}

const char *api_client_get(struct api_client *client, const char *what)
{
	char request[1024];
	(void)snprintf(request, sizeof(request), "%s HTTP/1.0\r\n\r\n", what);
	return api_client_finish(client, api_client_ask(client, request), false);
}

const char *api_client_post(struct api_client *client, const char *path, const char *body)
{
	char request[2048];
	(void)snprintf(request, sizeof(request),
		"POST %s HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s", path, strlen(body), body);
	return api_client_finish(client, api_client_ask(client, request), false);
}

void expect_status(const char *answer, int status)
{
	int found = 0;
	if (sscanf(answer, "HTTP/1.%*d %d", &found) != 1 || found != status)
		fail_msg("expected %d: %.300s", status, answer);
}

json_t *body_of(const char *answer)
{
	struct err err = ERR_INIT;
	const char *body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	json_t *document = json_read_object(body + 4, strlen(body + 4), &err);
	if (document == NULL)
		fail_msg("%s: %.300s", err.text, body);
	return document;
}
