/* Which certificate the hosts of a delivery serve: one round of TLS handshakes, side by side. */
#ifndef DELIVERY_JOB_PROBE_H
#define DELIVERY_JOB_PROBE_H

#include "base/x509.h"
#include "delivery/delivery.h"

enum probe_outcome { PROBE_NOT_ASKED, PROBE_SERVED, PROBE_OTHER, PROBE_UNREACHABLE };
const char *probe_outcome_name(enum probe_outcome outcome); /* "served", "other certificate" ... */

struct probed_host {
	char *text; /* owned; "host:port" */
	enum probe_outcome outcome;
	char serial[X509_SERIAL_HEX_MAX];
	unsigned char fingerprint_sha256[X509_SHA256_LEN];
	char error[160];
	int64_t at_s;
};

/* "host", "host:port", "[2001:db8::1]:port"; port 443 when there is none. ERR_CONFIG. ret_host: size
 * bytes. */
int probe_host_parse(const char *text, char *ret_host, size_t size, int *ret_port, struct err *err);

struct job_probe;
typedef void job_probe_done_fn(void *arg);
/* Asks each host that is not PROBE_SERVED yet, at each of its addresses (at most 8, within 20 s),
 * and writes what it learns into it: PROBE_SERVED when all that answer serve it; PROBE_OTHER names
 * an address that does not. host: borrowed until done or cancel; at most VERIFY_HOSTS_MAX. leaf:
 * what is to be served, where a host has certificates of several kinds of keys too. */
struct job_probe *job_probe_start(struct delivery *delivery, struct probed_host *host, size_t count,
	const struct x509_facts *leaf, job_probe_done_fn *done, void *arg);
void job_probe_cancel(struct job_probe *probe);

#endif
