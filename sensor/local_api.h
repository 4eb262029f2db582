/*
 * The local API: HTTP/1.1 and JSON on the control socket. The one header of sensor/ that cli/ may
 * include: names only, no code. `curl --unix-socket /run/acmsensor/control.sock http://localhost/v1/status`
 *
 * Whoever can connect may read; uid 0 and the daemon's own uid (SO_PEERCRED) may POST. Errors: status 400
 * (the request), 403 (who asks), 404, 409 (not now), 500, 503 (stopping), each with
 *   {"error": {"kind": "config", "message": "..."}}
 *
 * GET lists answer one document, {"schema": 1, "<name>": [...]}, streamed; with `format=ndjson` the
 * bare objects, one a line. A list that breaks off in the middle (store failure) closes the connection without
 * the final chunk, so that nobody takes a part for the whole.
 *
 * Certificates, accounts, coverage and events are lists of store/list.h: it parses the parameters and
 * writes the rows in slices; the daemon only moves bytes.
 *
 *   GET  /v1/status         {"schema":1,"status":{sensor{name,version,pid,started,data_dir,...}, connectors:[...],
 *                           counts{...}, coverage{state: n}, attention:[{severity,text,hint}], store{...}}}
 *   GET  /v1/progress       {"schema":1,"progress":[{connector, phase, started, accounts_total, accounts_done,
 *                           pairs_total, pairs_done, pairs_running, certificates, calls, throttles, retries,
 *                           eta_s (null while unknown), cycle_id, finished, result}]}
 *   GET  /v1/accounts       "accounts"; ?connector=; units come as "units" in the same document (not in ndjson)
 *   GET  /v1/coverage       "coverage"; ?connector= &account= &region= &state= &problems=1
 *   GET  /v1/certificates   "certificates"; the filters of cert_query.h: ?expires=30d &domain= &domain_suffix=
 *                           &account= &region= &connector= &status= &type= &in_use=yes|no &tag=K=V|K
 *                           &sort= &gone=1 &fingerprint= &serial=
 *   GET  /v1/certificate    "certificates", each in full; ?q=ARN, fingerprint, serial or domain; &pem=1
 *   GET  /v1/events         "events"; ?from=SEQUENCE &since=RFC3339-or-duration &limit=N &wait_s=N (waits for the
 *                           first new one, at most LOCAL_API_WAIT_MAX_S); oldest first
 *   GET  /v1/config         "config": [{section, key, value, source, default, unit, help}]; no secrets
 *   POST /v1/scan           {"connector"?, "account"?, "region"?} -> 202 {"schema":1,"scan":{"cycle_ids":[...]}};
 *                           asked by hand, so learnt denials and next tries are not waited for
 */
#ifndef SENSOR_LOCAL_API_H
#define SENSOR_LOCAL_API_H

#define LOCAL_API_SOCKET       "/run/acmsensor/control.sock"
#define LOCAL_API_DATA_DIR     "/var/lib/acmsensor"
#define LOCAL_API_STATUS       "/v1/status"
#define LOCAL_API_PROGRESS     "/v1/progress"
#define LOCAL_API_ACCOUNTS     "/v1/accounts"
#define LOCAL_API_COVERAGE     "/v1/coverage"
#define LOCAL_API_CERTIFICATES "/v1/certificates"
#define LOCAL_API_CERTIFICATE  "/v1/certificate"
#define LOCAL_API_EVENTS       "/v1/events"
#define LOCAL_API_CONFIG       "/v1/config"
#define LOCAL_API_SCAN	       "/v1/scan"

enum {
	LOCAL_API_SCHEMA = 1,
	LOCAL_API_WAIT_MAX_S = 60,
	LOCAL_API_BODY_MAX = 65536,
};

#endif
