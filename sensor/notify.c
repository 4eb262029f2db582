#include "sensor/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

static const char *find_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	bool is_usable = path != NULL && (path[0] == '/' || path[0] == '@') &&
			 strlen(path) < sizeof((struct sockaddr_un){0}.sun_path);
	return is_usable ? path : NULL;
}

bool notify_is_wanted(void)
{
	return find_socket() != NULL;
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	struct err err = ERR_INIT;
	int64_t value, process;
	if (usec == NULL || text_parse_int(usec, 1, INT64_MAX, &value, &err) != 0)
		return 0;
	if (pid != NULL && (text_parse_int(pid, 1, INT64_MAX, &process, &err) != 0 ||
				   process != (int64_t)getpid()))
		return 0; /* it is meant for another process */
	return value < 2000 ? 1 : value / 1000;
}

void notify_send(const char *state)
{
	const char *path = find_socket();
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path == NULL)
		return;
	size_t len = strlen(path);
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* abstract */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		address_len); /* see the header */
	(void)close(fd);
}

void notify_status(const char *format, ...)
{
	char state[512] = "STATUS=";
	size_t len = strlen(state);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(state + len, sizeof(state) - len, format, args); /* cut is fine */
	va_end(args);
	notify_send(state);
}

void notify_reloading(void)
{
	char state[96];
	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		(long long)clock_mono_us());
	notify_send(state);
}
