#include "tests/lib/run_awssim.h"

#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64, START_MS = 30000, POLL_MS = 5, PATH_BYTES = 4096 };

extern char **environ;

struct run_awssim {
	char folder[64];
	pid_t pid;
	json_t *ready; /* owned */
};

static char program[PATH_BYTES];

void run_awssim_set_program(const char *argv0)
{
	const char *end = NULL; /* the last: the build folder may be below a "tests" of its own */
	for (const char *at = argv0; (at = strstr(at, "/tests/")) != NULL; at++)
		end = at;
	snprintf(program, sizeof(program), "%.*s/awssim", end != NULL ? (int)(end - argv0) : 1,
		end != NULL ? argv0 : ".");
}

static void die(const char *what)
{
	fprintf(stderr, "awssim: ");
	perror(what);
	exit(1);
}

static void wait_until_ready(struct run_awssim *sim, const char *ready_file)
{
	for (int waited_ms = 0; waited_ms < START_MS; waited_ms += POLL_MS) {
		sim->ready = json_load_file(ready_file, 0, NULL); /* renamed into place */
		if (sim->ready != NULL)
			return;
		if (waitpid(sim->pid, NULL, WNOHANG) != 0)
			die("ended at once");
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
	}
	die("not ready in time");
}

struct run_awssim *run_awssim_start(const char *const *flags)
{
	struct run_awssim *sim = calloc(1, sizeof(*sim));
	snprintf(sim->folder, sizeof(sim->folder), "/tmp/acmsensor-sim.XXXXXX");
	if (mkdtemp(sim->folder) == NULL)
		die(sim->folder);
	char ready_file[128];
	snprintf(ready_file, sizeof(ready_file), "%s/ready.json", sim->folder);
	const char *argument[ARGUMENTS_MAX + 1] = {program, "--quiet", "--ready-file", ready_file,
		"--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--listen-proxy",
		"127.0.0.1:0", "--max-seconds", "300"};
	size_t count = 12;
	for (; *flags != NULL && count < ARGUMENTS_MAX; flags++)
		argument[count++] = *flags;
	if (posix_spawn(&sim->pid, program, NULL, NULL, (char **)argument, environ) != 0)
		die(program);
	wait_until_ready(sim, ready_file);
	return sim;
}

bool run_awssim_stop(struct run_awssim *sim)
{
	int status = -1;
	kill(sim->pid, SIGTERM);
	waitpid(sim->pid, &status, 0);
	char path[128];
	snprintf(path, sizeof(path), "%s/ready.json", sim->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/ready.json.ca.pem", sim->folder);
	unlink(path);
	rmdir(sim->folder);
	json_decref(sim->ready);
	free(sim);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const char *run_awssim_text(const struct run_awssim *sim, const char *name)
{
	const char *text = json_string_value(json_object_get(sim->ready, name));
	return text != NULL ? text : "";
}
