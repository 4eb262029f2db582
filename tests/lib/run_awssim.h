/* Starts the simulated AWS (tests/awssim) for a test program: free ports, own folder. */
#ifndef TESTS_LIB_RUN_AWSSIM_H
#define TESTS_LIB_RUN_AWSSIM_H

#include <stdbool.h>

struct run_awssim;

/* Where awssim is: two folders above the test program ($(B)/tests/<folder>/<test>). Call first. */
void run_awssim_set_program(const char *argv0);

/* flags: NULL-terminated; the listeners are added. Never NULL: failing to start ends the program. */
struct run_awssim *run_awssim_start(const char *const *flags);
/* Returns whether it ended as told. */
bool run_awssim_stop(struct run_awssim *sim);

/* A member of its ready file: "url", "tls_url", "proxy_url", "ca_file", "access_key_id",
 * "secret_access_key", "session_token", "role_name", "external_id", ... "" when it is null. */
const char *run_awssim_text(const struct run_awssim *sim, const char *name);

#endif
