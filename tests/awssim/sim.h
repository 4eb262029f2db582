/* Everything a request needs, in one place; owned by main. */
#ifndef TESTS_AWSSIM_SIM_H
#define TESTS_AWSSIM_SIM_H

#include "tests/awssim/creds.h"
#include "tests/awssim/faults.h"
#include "tests/awssim/options.h"
#include "tests/awssim/secrets.h"
#include "tests/awssim/server.h"
#include "tests/awssim/stats.h"
#include "tests/awssim/throttle.h"
#include "tests/awssim/world.h"

/* Limits and habits of ACM that the control port sets (POST /acm). */
struct acm_settings {
	int64_t certificates_max; /* imported ones, per account and region */
	int64_t imports_max;	  /* in 365 days, per account and region */
	char mismatch_code[48];	  /* of a key that is not the certificate's; empty: usual */
};

/* How late reads are (POST /consistency); 0: at once. */
struct consistency_settings {
	int64_t delay_ms, jitter_ms; /* jitter: up to so much more, by operation and change */
	int64_t in_progress_ms;	     /* GetCertificate after an import */
	int64_t use_lag_ms;	     /* InUseBy after an unbinding */
	uint64_t seed;
};

/* Habits of Secrets Manager (POST /secretsmanager). */
struct secrets_settings {
	int64_t forced_delete_ms;	   /* until the name of a forced deletion is free */
	bool encrypt_fails, decrypt_fails; /* with a KmsKeyId */
};

struct sim {
	struct options options;
	struct world *world;
	struct creds *creds;
	struct throttle *throttle;
	struct faults *faults;
	struct stats *stats;
	struct server *server;
	struct bindings *bindings;
	int64_t clock_offset_s; /* AWS's clock minus the real one */
	int64_t latency_ms;
	uint64_t request_number;
	struct random mutation_random;
	struct acm_settings acm;
	struct secrets secrets;
	struct secrets_settings secrets_settings;
	struct consistency_settings consistency;
};

int64_t sim_now_s(const struct sim *sim); /* AWS's clock */
double sim_mono_s(void);		  /* never jumps */

/* Answers one AWS request: authentication, faults, throttling, authorization, the operation. */
void sim_answer(struct sim *sim, const struct http_request *request, struct reply *reply);

/* Host names of the CONNECT proxy and of TLS: is it one that AWS serves, of which service, where. */
struct sim_endpoint {
	const char *service; /* static; the SigV4 name */
	char region[32];
	bool is_global_sts;
};
bool sim_endpoint_of(const char *host, struct sim_endpoint *ret_endpoint);

/* AWS's default quotas. */
void acm_settings_reset(struct acm_settings *settings);

/* Answers one request of the control port (control.c). */
void control_answer(struct sim *sim, const struct http_request *request, struct reply *reply);

#endif
