/*
 * From an HTTP request to an operation: which service and operation it is, who signed it, whether
 * it is spoilt, throttled or allowed to begin. The order of the checks is AWS's.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/awssim/service.h"
#include "tests/awssim/sigv4.h"

enum { CLOCK_WINDOW_S = 300 };

const char *const service_name[SERVICES] = {
	"sts", "organizations", "account", "ec2", "acm", "secretsmanager"};

/* Rates and bursts: AWS's documented defaults; ACM documents no burst. EC2: general knowledge. */
const struct operation operations[] = {
	{SERVICE_STS, "AssumeRole", sts_assume_role, 600, 600, LIMIT_SERVICE},
	{SERVICE_STS, "GetCallerIdentity", sts_get_caller_identity, 600, 600, LIMIT_SERVICE},
	{SERVICE_ORGANIZATIONS, "DescribeOrganization", organizations_describe_organization, 1, 2,
		LIMIT_OPERATION},
	{SERVICE_ORGANIZATIONS, "ListRoots", organizations_list_roots, 1, 2, LIMIT_OPERATION},
	{SERVICE_ORGANIZATIONS, "ListOrganizationalUnitsForParent",
		organizations_list_units_for_parent, 5, 8, LIMIT_OPERATION},
	{SERVICE_ORGANIZATIONS, "ListAccountsForParent", organizations_list_accounts_for_parent, 5,
		8, LIMIT_OPERATION},
	{SERVICE_ORGANIZATIONS, "ListAccounts", organizations_list_accounts, 8, 12,
		LIMIT_OPERATION},
	{SERVICE_ACCOUNT, "ListRegions", account_list_regions, 5, 5, LIMIT_OPERATION},
	{SERVICE_EC2, "DescribeRegions", ec2_describe_regions, 20, 100, LIMIT_OPERATION},
	{SERVICE_ACM, "ListCertificates", acm_list_certificates, 8, 12, LIMIT_OPERATION},
	{SERVICE_ACM, "DescribeCertificate", acm_describe_certificate, 10, 15, LIMIT_OPERATION},
	{SERVICE_ACM, "GetCertificate", acm_get_certificate, 10, 15, LIMIT_OPERATION},
	{SERVICE_ACM, "ListTagsForCertificate", acm_list_tags_for_certificate, 10, 15,
		LIMIT_OPERATION},
	{SERVICE_ACM, "ImportCertificate", acm_import_certificate, 1, 1.5, LIMIT_OPERATION},
	{SERVICE_ACM, "AddTagsToCertificate", acm_add_tags_to_certificate, 5, 7.5, LIMIT_OPERATION},
	{SERVICE_ACM, "RemoveTagsFromCertificate", acm_remove_tags_from_certificate, 5, 7.5,
		LIMIT_OPERATION},
	{SERVICE_ACM, "DeleteCertificate", acm_delete_certificate, 10, 15, LIMIT_OPERATION},
	{SERVICE_SECRETS_MANAGER, "CreateSecret", secretsmanager_create_secret, 50, 50,
		LIMIT_SERVICE},
	{SERVICE_SECRETS_MANAGER, "PutSecretValue", secretsmanager_put_secret_value, 50, 50,
		LIMIT_SERVICE},
	{SERVICE_SECRETS_MANAGER, "DeleteSecret", secretsmanager_delete_secret, 50, 50,
		LIMIT_SERVICE},
	{SERVICE_SECRETS_MANAGER, "RestoreSecret", secretsmanager_restore_secret, 50, 50,
		LIMIT_SERVICE},
	{SERVICE_SECRETS_MANAGER, "GetSecretValue", secretsmanager_get_secret_value, 10000, 10000,
		LIMIT_OPERATION},
	{SERVICE_SECRETS_MANAGER, "DescribeSecret", secretsmanager_describe_secret, 40000, 40000,
		LIMIT_OPERATION},
	{SERVICE_SECRETS_MANAGER, "ListSecrets", secretsmanager_list_secrets, 100, 100,
		LIMIT_OPERATION},
	{SERVICE_SECRETS_MANAGER, "TagResource", secretsmanager_tag_resource, 50, 50,
		LIMIT_OPERATION},
	{SERVICE_SECRETS_MANAGER, "UntagResource", secretsmanager_untag_resource, 50, 50,
		LIMIT_OPERATION},
};
const size_t operation_count = sizeof(operations) / sizeof(operations[0]);

int64_t sim_now_s(const struct sim *sim)
{
	return (int64_t)time(NULL) + sim->clock_offset_s;
}

double sim_mono_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct operation *find_operation(enum service service, struct slice name)
{
	for (size_t i = 0; i < operation_count; i++)
		if (operations[i].service == service && slice_is(name, operations[i].name))
			return &operations[i];
	return NULL;
}

/* JSON services name themselves in X-Amz-Target, Account in the path, Query services by version. */
static bool identify(struct call *call)
{
	const struct http_request *request = call->request;
	struct slice target = http_header_value(request, "x-amz-target");
	if (target.ptr != NULL) {
		const char *dot = memchr(target.ptr, '.', target.len);
		struct slice prefix = {target.ptr, dot != NULL ? (size_t)(dot - target.ptr) : 0};
		static const struct {
			const char *prefix;
			enum service service;
		} known[] = {{"CertificateManager", SERVICE_ACM},
			{"secretsmanager", SERVICE_SECRETS_MANAGER},
			{"AWSOrganizationsV20161128", SERVICE_ORGANIZATIONS}};
		size_t at = 0;
		while (at < 2 && !slice_is(prefix, known[at].prefix))
			at++;
		call->service = known[at].service;
		if (!slice_is(prefix, known[at].prefix))
			return false;
		call->operation = find_operation(
			call->service, (struct slice){dot + 1, target.len - prefix.len - 1});
		return true;
	}
	if (slice_is(request->path, "/listRegions")) {
		call->service = SERVICE_ACCOUNT;
		call->operation = find_operation(SERVICE_ACCOUNT, slice_of("ListRegions"));
		return slice_is(request->method, "POST");
	}
	call->form = request->body.len > 0 ? request->body : request->query;
	struct slice version = form_value(call->form, "Version");
	call->service = slice_is(version, "2016-11-15") ? SERVICE_EC2 : SERVICE_STS;
	if (version.ptr == NULL ||
		(call->service == SERVICE_STS && !slice_is(version, "2011-06-15")))
		return false;
	call->operation = find_operation(call->service, form_value(call->form, "Action"));
	return true;
}

bool sim_endpoint_of(const char *host, struct sim_endpoint *ret_endpoint)
{
	const struct partition *partition;
	size_t len = strlen(host);
	for (size_t i = 0; (partition = partition_at(i)) != NULL; i++) {
		const char *const suffix[] = {partition->dns_suffix, partition->dual_suffix};
		for (size_t k = 0; k < 2; k++) {
			size_t tail = strlen(suffix[k]);
			if (len <= tail + 1 || strcmp(host + len - tail, suffix[k]) != 0 ||
				host[len - tail - 1] != '.')
				continue;
			struct slice head = {host, len - tail - 1}, region = {NULL, 0};
			const char *dot = memchr(head.ptr, '.', head.len);
			if (dot != NULL) {
				region = (struct slice){
					dot + 1, head.len - (size_t)(dot - host) - 1};
				head.len = (size_t)(dot - host);
			}
			if (head.len > 5 && memcmp(head.ptr + head.len - 5, "-fips", 5) == 0)
				head.len -= 5;
			ret_endpoint->is_global_sts = region.ptr == NULL;
			if (region.ptr == NULL)
				region = slice_of("us-east-1");
			for (size_t s = 0; s < SERVICES; s++) {
				bool is_known = slice_is(head, service_name[s]) &&
						region_partition(region) == partition &&
						(!ret_endpoint->is_global_sts || s == SERVICE_STS);
				if (is_known) {
					ret_endpoint->service = service_name[s];
					return slice_copy(region, ret_endpoint->region,
						sizeof(ret_endpoint->region));
				}
			}
		}
	}
	return false;
}

/* Scope against the endpoint. False after an error was answered. */
static bool check_scope(struct call *call, const struct sigv4 *auth)
{
	const struct world *world = call->sim->world;
	const char *wanted_service = service_name[call->service];
	if (strcmp(auth->service, wanted_service) != 0) {
		call_fail_common(call, ERROR_SIGNATURE,
			"Credential should be scoped to correct service: '%s'.", wanted_service);
		return false;
	}
	bool is_global = call->service == SERVICE_ORGANIZATIONS || call->service == SERVICE_ACCOUNT;
	const char *wanted = is_global ? world->partition->global_region : NULL;
	char host[256];
	struct sim_endpoint endpoint;
	struct slice named = call->request->connect_host != NULL
				     ? slice_of(call->request->connect_host)
				     : http_header_value(call->request, "host");
	if (slice_copy(named, host, sizeof(host)) && sim_endpoint_of(host, &endpoint)) {
		if (strcmp(endpoint.service, wanted_service) != 0) {
			call_fail_common(call, ERROR_UNKNOWN_OPERATION, "%s is not at %s",
				wanted_service, host);
			return false;
		}
		call->is_global_sts = endpoint.is_global_sts;
		wanted = endpoint.region;
	}
	const struct partition *partition = region_partition(slice_of(auth->region));
	if ((wanted != NULL && strcmp(auth->region, wanted) != 0) ||
		partition != world->partition) {
		call_fail_common(call, ERROR_SIGNATURE,
			"Credential should be scoped to a valid region, not '%s'.", auth->region);
		return false;
	}
	return true;
}

static bool check_time(struct call *call, const struct sigv4 *auth)
{
	int64_t late_s = call->now_s - auth->signed_at_s;
	if (late_s <= CLOCK_WINDOW_S && late_s >= -CLOCK_WINDOW_S)
		return true;
	char now[TIME_TEXT_MAX], limit[TIME_TEXT_MAX];
	time_format_amz(call->now_s, now);
	if (call->service == SERVICE_EC2) {
		call_fail_common(call, ERROR_SIGNATURE_EXPIRED, "Request has expired.");
	} else if (late_s > 0) {
		time_format_amz(call->now_s - CLOCK_WINDOW_S, limit);
		call_fail_common(call, ERROR_SIGNATURE_EXPIRED,
			"Signature expired: %s is now earlier than %s (%s - 5 min.)",
			auth->amz_date, limit, now);
	} else {
		time_format_amz(call->now_s + CLOCK_WINDOW_S, limit);
		call_fail_common(call, ERROR_SIGNATURE_EXPIRED,
			"Signature not yet current: %s is still later than %s (%s + 5 min.)",
			auth->amz_date, limit, now);
	}
	return false;
}

static void fail_unknown_key(struct call *call)
{
	call_fail_common(call, ERROR_UNKNOWN_KEY, "%s",
		call->service == SERVICE_EC2
			? "AWS was not able to validate the provided access credentials"
			: "The security token included in the request is invalid.");
}

/* Signature, session token and its end. False after an error was answered. */
static bool check_signature(struct call *call, const struct sigv4 *auth)
{
	const struct credential *who = call->who;
	if (!sigv4_matches(call->request, auth, who->secret)) {
		struct out canonical = {0};
		sigv4_canonical(call->request, auth, &canonical);
		stats_count_signature_failure(call->sim->stats);
		call_fail_common(call, ERROR_SIGNATURE,
			"The request signature we calculated does not match the signature you provided. "
			"Check your AWS Secret Access Key and signing method. Consult the service "
			"documentation for details.\n\nThe Canonical String for this request should "
			"have been\n'%s'\n",
			canonical.data);
		out_clear(&canonical);
		return false;
	}
	struct slice token = http_header_value(call->request, "x-amz-security-token");
	if (who->token == NULL ? token.ptr != NULL : !slice_is(token, who->token)) {
		fail_unknown_key(call);
		return false;
	}
	if (who->expires_s != 0 && who->expires_s <= call->now_s) {
		call_fail_common(call, ERROR_EXPIRED_TOKEN,
			"The security token included in the request is expired");
		return false;
	}
	return true;
}

static bool authenticate(struct call *call)
{
	struct sigv4 auth;
	const char *why = "";
	enum sigv4_result result = sigv4_read(call->request, &auth, &why);
	if (result == SIGV4_MISSING) {
		call_fail_common(call, ERROR_NO_TOKEN, "Missing Authentication Token");
		return false;
	}
	if (result != SIGV4_OK) {
		stats_count_signature_failure(call->sim->stats);
		call_fail_common(call, result == SIGV4_WRONG ? ERROR_SIGNATURE : ERROR_INCOMPLETE,
			"%s", why);
		return false;
	}
	slice_copy(slice_of(auth.region), call->region_name, sizeof(call->region_name));
	call->region = world_find_region(call->sim->world, slice_of(auth.region));
	if (!check_scope(call, &auth))
		return false;
	call->who = creds_find(call->sim->creds, auth.access_key);
	if (call->who == NULL) {
		fail_unknown_key(call);
		return false;
	}
	return check_time(call, &auth) && check_signature(call, &auth);
}

/* A disabled region does not know the account's keys; nor do opt-in regions global tokens. */
static bool check_region(struct call *call)
{
	if (call->service == SERVICE_ORGANIZATIONS || call->service == SERVICE_ACCOUNT)
		return true;
	const struct world *world = call->sim->world;
	const struct account *account = &world->account[call->who->account];
	bool is_known = call->region >= 0 && account_region_enabled(account, (size_t)call->region);
	if (is_known && call->who->is_global && world->region[call->region].opt_in)
		is_known = false;
	/* The partition's global region is always on, whatever --regions says. */
	bool is_regional = call->service == SERVICE_ACM || call->service == SERVICE_SECRETS_MANAGER;
	if (call->region < 0 && !is_regional &&
		strcmp(call->region_name, world->partition->global_region) == 0)
		is_known = true;
	if (!is_known)
		fail_unknown_key(call);
	return is_known;
}

static bool check_rate(struct call *call)
{
	const struct operation *operation = call->operation;
	uint64_t key = hash_mix(call->who->account + 1, (uint64_t)call->region + 2);
	uint64_t what = operation->limit == LIMIT_SERVICE
				? (uint64_t)operation->service
				: (uint64_t)(operation - operations) + 100;
	if (throttle_take(call->sim->throttle, hash_mix(key, what), operation->rate,
		    operation->burst, sim_mono_s()))
		return true;
	call_fail_common(call, ERROR_THROTTLED, "Rate exceeded");
	return false;
}

static bool read_input(struct call *call)
{
	if (call->service == SERVICE_STS || call->service == SERVICE_EC2)
		return true;
	struct slice body = call->request->body;
	if (call->service != SERVICE_ACCOUNT &&
		!slice_is(http_header_value(call->request, "content-type"),
			"application/x-amz-json-1.1")) {
		call_fail_common(call, ERROR_UNKNOWN_OPERATION, "content-type is not JSON 1.1");
		return false;
	}
	call->input = body.len > 0 ? json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL)
				   : json_object();
	if (!json_is_object(call->input)) {
		call_fail_common(call, ERROR_MALFORMED, "the body is not a JSON object");
		return false;
	}
	return true;
}

/* Faults that stand for the answer. Returns true when one was played. */
static bool play_instead(struct call *call, const struct fault_rule *rule)
{
	struct reply *reply = call->reply;
	switch (rule->kind) {
	case FAULT_500:
		call_fail_common(call, ERROR_INTERNAL, "We encountered an internal error.");
		break;
	case FAULT_503:
		call_fail_common(
			call, ERROR_UNAVAILABLE, "Service is unavailable, try again later.");
		break;
	case FAULT_THROTTLE:
		call_fail_common(call, ERROR_THROTTLED, "Rate exceeded");
		break;
	case FAULT_EXPIRED_TOKEN:
		call_fail_common(call, ERROR_EXPIRED_TOKEN,
			"The security token included in the request is expired");
		break;
	case FAULT_ERROR:
		call_fail(call, rule->status != 0 ? rule->status : 400,
			rule->code[0] != '\0' ? rule->code : "InternalFailure", "%s",
			rule->message[0] != '\0' ? rule->message : "injected error");
		break;
	case FAULT_RESET:
	case FAULT_REFUSE:
		reply->manner = REPLY_RESET;
		break;
	case FAULT_CLOSE:
		reply->manner = REPLY_CLOSE;
		break;
	case FAULT_STALL:
	case FAULT_DEAD:
		reply->manner = REPLY_STALL;
		break;
	case FAULT_TRUNCATE:
	case FAULT_SLOW:
	case FAULT_GARBAGE:
	case FAULT_HTML:
	case FAULT_HTML_502:
	case FAULT_EMPTY:
	case FAULT_BIG:
	case FAULT_WRONG_TYPES:
	case FAULT_XML_BOMB:
	case FAULT_DUPLICATE_KEYS:
	case FAULT_DEEP:
	case FAULT_BAD_UTF8:
	case FAULT_ENDLESS_TOKEN:
	case FAULT_REPEAT_PAGE:
	case FAULT_LATENCY:
	case FAULT_KINDS:
		return false;
	}
	return true;
}

/* Runs the operation unless something stands before it. Returns how it is to be counted. */
static enum stats_outcome run(struct call *call)
{
	struct sim *sim = call->sim;
	if (!authenticate(call))
		return STATS_ERROR;
	struct fault_point at = {.service = service_name[call->service],
		.operation = call->operation != NULL ? call->operation->name : "",
		.account = sim->world->account[call->who->account].id,
		.region = call->region_name};
	call->reply->delay_ms = sim->latency_ms + faults_latency_ms(sim->faults, &at);
	call->fault = faults_pick(sim->faults, &at, false);
	if (call->fault != NULL && play_instead(call, call->fault))
		return STATS_FAULT;
	if (!check_region(call))
		return STATS_ERROR;
	if (call->operation == NULL) {
		call_fail_common(call, ERROR_UNKNOWN_OPERATION, "The operation is not known.");
		return STATS_ERROR;
	}
	if (!check_rate(call))
		return STATS_THROTTLED;
	if (!read_input(call))
		return STATS_ERROR;
	call->operation->run(call);
	if (call->fault == NULL) /* the effect stays, the answer is lost */
		call->fault = faults_pick(sim->faults, &at, true);
	if (call->fault != NULL) {
		if (!play_instead(call, call->fault))
			spoil_answer(call, call->fault);
		return STATS_FAULT;
	}
	return call->failed ? STATS_ERROR : STATS_OK;
}

static void add_common_headers(struct call *call)
{
	char date[TIME_TEXT_MAX];
	time_format_http(call->now_s, date);
	out_fmt(&call->reply->headers, "x-amzn-RequestId: %s\r\nDate: %s\r\n", call->request_id,
		date);
	if (call->reply->content_type != NULL)
		return;
	switch (call->service) {
	case SERVICE_STS:
		call->reply->content_type = "text/xml";
		break;
	case SERVICE_EC2:
		call->reply->content_type = "text/xml;charset=UTF-8";
		break;
	case SERVICE_ACCOUNT:
		call->reply->content_type = "application/json";
		break;
	case SERVICE_ORGANIZATIONS:
	case SERVICE_ACM:
	case SERVICE_SECRETS_MANAGER:
	case SERVICES:
		call->reply->content_type = "application/x-amz-json-1.1";
		break;
	}
}

void sim_answer(struct sim *sim, const struct http_request *request, struct reply *reply)
{
	struct call call = {.sim = sim,
		.request = request,
		.reply = reply,
		.region = -1,
		.now_s = sim_now_s(sim)};
	uint64_t number = ++sim->request_number;
	snprintf(call.request_id, sizeof(call.request_id), "%08x-%04x-4%03x-8%03x-%012llx",
		(unsigned)(hash_mix(number, 1) & 0xffffffff), (unsigned)(number >> 32 & 0xffff),
		(unsigned)(hash_mix(number, 2) & 0xfff), (unsigned)(hash_mix(number, 3) & 0xfff),
		(unsigned long long)number);
	enum stats_outcome outcome = STATS_ERROR;
	if (!identify(&call))
		call_fail_common(&call, ERROR_UNKNOWN_OPERATION, "No such service or operation.");
	else
		outcome = run(&call);
	add_common_headers(&call);
	json_decref(call.input);
	stats_count(sim->stats, call.operation != NULL ? (int)(call.operation - operations) : -1,
		call.who != NULL ? (int)call.who->account : -1, call.region, outcome,
		call.failed ? call.error_code : NULL);
}
