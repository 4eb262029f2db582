/*
 * The local API: HTTP/1.1 and JSON on the control socket. The one header of sensor/ that cli/ may
 * include: names only, no code.
 *
 *     curl --unix-socket /run/acmsensor/control.sock http://localhost/v1/status
 *
 * Whoever can connect may read; uid 0 and the daemon's own uid (SO_PEERCRED) may POST. Errors:
 * status 400 (the request), 403 (who asks), 404, 405, 409 (not now), 500, 503 (stopping), each with
 *
 *     {"error": {"kind": "config", "code"?: "passphrase", "message": "..."}}
 *
 * Lists answer one document, {"schema": 1, "<name>": [...]}, streamed; with format=ndjson the bare
 * objects, one a line. A list that breaks off in the middle (store failure) closes the connection
 * without the final chunk, so that nobody takes a part for the whole. Their parameters and rows are
 * store/list.h's; the daemon only moves bytes.
 *
 * GET /v1/status        "status": sensor, connectors, counts, coverage (state: number), attention
 *                       (severity, text, hint), alerts (open by class, acknowledged, looked: once
 *                       at least, error: of the last look or null, channels), store
 * GET /v1/progress      "progress": one object a cycle asked for or running (progress.h)
 * GET /v1/config        "config": section, key, value, source, default, unit, help; no secrets
 * GET /v1/accounts      "accounts", and "units" in the same document (not in ndjson)
 * GET /v1/coverage      "coverage"
 * GET /v1/certificates  "certificates"
 * GET /v1/certificate   "certificates", each in full: ?q=ARN, fingerprint, serial or domain
 * GET /v1/events        "events", oldest first; wait_s=N waits for the first new one, at most
 *                       LOCAL_API_WAIT_MAX_S
 * GET /v1/log           "log": level, configured, until (of another level; or null), lines []: the
 *                       last ones, oldest first
 * POST /v1/log          {"level", "for_s"?} -> "log"; level: error, warning, info, debug, or default:
 *                       back to the configured one; for_s: 600, at most 86400
 * GET /metrics          OpenMetrics 1.0.0, or Prometheus' text format 0.0.4 when Accept names
 *                       text/plain and not OpenMetrics; HEAD too. Also on metrics_listen
 * GET /v1/alerts        "alerts": id, kind (certificate, coverage, connector, job, identity), class
 *                       (notice, warning, critical, emergency), state (open, acknowledged,
 *                       resolved), subject, text, threshold_days, ends, days_left, ...
 * POST /v1/alerts/ack   {"alert": id, ARN or other subject, "note"?} -> "acknowledged": alert, id
 * POST /v1/alerts/test  {"channel"} -> "test": channel, said; what went wrong is an error
 * POST /v1/scan         {"connector"?, "account"?, "region"?} -> 202 and {"schema": 1, "scan":
 *                       {"cycle_ids": [...]}}; asked by hand, so learnt denials are not waited for
 *
 * Delivery. A plan, and a job, is one object:
 *
 * POST /v1/plan         {"connector", "account", "region", "arn"?, "certificate_id"?, "new_arn"?,
 *                       "certificate"?, "chain"?, "key"? (PEM, or base64 of DER), "pkcs12"?
 *                       (base64), "passphrase"?,
 *                       "keep_root"?, "csr"?, "tags"? {}, "verify_hosts"? [], "auto_rollback"?};
 *                       connector "": the only one; account and region "": the ARN's. Error code
 *                       passphrase: the key needs one, or another
 *                       -> "plan": id, decision (reimport, import, refuse), reason, connector,
 *                       account_id, region, arn, certificate_id, created, expires, current and new
 *                       (serial, fingerprint_sha256, subject, issuer, not_before, not_after,
 *                       key_algorithm, signature_algorithm, subject_alternative_names, key_usages,
 *                       extended_key_usages, chain [subjects]; current is null without an ARN,
 *                       and has arn, type, status, in_use_by, tags), names {added, lost, kept},
 *                       rules [{name, verdict (passed, broken, unconfirmed), text}],
 *                       warnings and notes [{name, text}], tags {}, bindings_to_move [],
 *                       rollback {possible, reason}, auto_rollback, key_escrow, verify_hosts []
 * GET /v1/plans         "plans", each with "state" (open, void, applied, expired, refused, key_lost:
 *                       it waited in memory, and the daemon was restarted) and "job"; ?id= the one
 * POST /v1/apply        {"plan"} -> "job"
 * GET /v1/jobs          "jobs", by the time of their order, the oldest first: id, kind (deliver,
 *                       rollback, delete), state, phase, reason, held_up (why a running one does
 *                       not go on, where the store could not take it), plan, of_job, connector,
 *                       account_id, region, arn, certificate_id, created, updated, ended,
 *                       next_attempt, attempts, old_serial, new_serial, rollback_possible,
 *                       evidence; ?id= the one, with rollback (the id of the last one of it,
 *                       or "") and steps [{number, at, phase,
 *                       failure, text}]; wait_s=N with it waits until the job has ended, has a
 *                       step above after=M or is held up, at most LOCAL_API_WAIT_MAX_S. One that
 *                       succeeded with something to look at has "warning: " in its reason
 * POST /v1/cancel       {"job"} -> "job"; refused (409) once the import was sent
 * POST /v1/rollback     {"job"} -> "job"
 * POST /v1/csr          {"connector"?, "domains"?, "key_type"?, "subject"?, "arn"?} -> "csr": id,
 *                       created, expires (wiped then if no certificate came), key_algorithm,
 *                       domains [], connector and arn (as given), key_escrow (the connector's,
 *                       which is not asked: the key is in the vault), pem, state (open;
 *                       applied: its key is being delivered, or was, and is kept for the way back),
 *                       warnings [] (what the ARN cannot take; only when it is made)
 * GET /v1/csrs          "csrs": those that were made, until they expire; ?id= the one. One that
 *                       cannot be opened has id and error alone
 * POST /v1/csr/drop     {"csr"} -> "csr": id; it and its key are wiped; refused (409) while a plan
 *                       waits for the key or it was delivered
 * POST /v1/delete       {"arn", "connector"?, "wait"?} -> "job"
 */
#ifndef SENSOR_LOCAL_API_H
#define SENSOR_LOCAL_API_H

#define LOCAL_API_SOCKET   "/run/acmsensor/control.sock"
#define LOCAL_API_DATA_DIR "/var/lib/acmsensor"
/* The vault's master key among the daemon's credentials (systemd.exec(5)). */
#define LOCAL_API_VAULT_KEY    "acmsensor.vault-key"
#define LOCAL_API_STATUS       "/v1/status"
#define LOCAL_API_PROGRESS     "/v1/progress"
#define LOCAL_API_ACCOUNTS     "/v1/accounts"
#define LOCAL_API_COVERAGE     "/v1/coverage"
#define LOCAL_API_CERTIFICATES "/v1/certificates"
#define LOCAL_API_CERTIFICATE  "/v1/certificate"
#define LOCAL_API_EVENTS       "/v1/events"
#define LOCAL_API_CONFIG       "/v1/config"
#define LOCAL_API_LOG	       "/v1/log"
#define LOCAL_API_METRICS      "/metrics"
#define LOCAL_API_ALERTS       "/v1/alerts"
#define LOCAL_API_ALERTS_ACK   "/v1/alerts/ack"
#define LOCAL_API_ALERTS_TEST  "/v1/alerts/test"
#define LOCAL_API_SCAN	       "/v1/scan"
#define LOCAL_API_PLAN	       "/v1/plan"
#define LOCAL_API_PLANS	       "/v1/plans"
#define LOCAL_API_APPLY	       "/v1/apply"
#define LOCAL_API_JOBS	       "/v1/jobs"
#define LOCAL_API_CANCEL       "/v1/cancel"
#define LOCAL_API_ROLLBACK     "/v1/rollback"
#define LOCAL_API_CSR	       "/v1/csr"
#define LOCAL_API_CSRS	       "/v1/csrs"
#define LOCAL_API_CSR_DROP     "/v1/csr/drop"
#define LOCAL_API_DELETE       "/v1/delete"

#define LOCAL_API_REQUEST_PREFIX "q-" /* ids of requests begin with it */

enum {
	LOCAL_API_SCHEMA = 1,
	LOCAL_API_WAIT_MAX_S = 60,
	LOCAL_API_BODY_MAX = 4194304, /* a plan's: a chain of 2 MiB, escaped */
	/* Of a plan and a request for a certificate; bytes, or how many. */
	LOCAL_API_CONNECTOR_MAX = 32,
	LOCAL_API_ARN_MAX = 2048,
	LOCAL_API_CERTIFICATE_ID_MAX = 128,
	LOCAL_API_ID_MAX = 40, /* of a plan, a job, a request */
	LOCAL_API_TAGS_MAX = 40,
	LOCAL_API_TAG_KEY_MAX = 128, /* characters, as of the value */
	LOCAL_API_TAG_VALUE_MAX = 256,
	LOCAL_API_VERIFY_HOSTS_MAX = 32,
	LOCAL_API_DOMAINS_MAX = 100,
	LOCAL_API_DOMAIN_MAX = 253,
	LOCAL_API_SUBJECT_MAX = 1024,
};

#endif
