/* ACM ListCertificates: its filters, and the defaults that hide certificates. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/acm.h"
#include "tests/awssim/consistency.h"

enum { ITEMS_DEFAULT = 100, ITEMS_MAX = 1000, SUMMARY_NAMES_MAX = 100 };

struct filter {
	unsigned statuses, key_types, origins; /* bits by enum; 0 statuses: all */
	bool is_default_keys;		       /* no keyTypes: also without a domain hidden */
	bool needs_usage;
	unsigned key_usages;	 /* bits of KEY_USAGE_*; any of them */
	unsigned ext_key_usages; /* bits: 0 server, 1 client, 2 custom, 3 none */
	const char *export_option, *managed_by;
};

static const char *const ext_names[] = {
	"TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION", "CUSTOM", "NONE"};

static void fail_enum(struct call *call, const char *key)
{
	call_fail_common(call, ERROR_INVALID,
		"1 validation error detected: Value at '%s' failed to satisfy constraint: Member must "
		"satisfy enum value set",
		key);
}

/* Sets the bits of the names in the array; names that this simulator has none of are ignored. */
static bool read_bits(struct call *call, const json_t *holder, const char *key,
	const char *const names[], size_t count, bool is_strict, unsigned *bits)
{
	const json_t *array = json_object_get(holder, key);
	if (array == NULL)
		return true;
	if (!json_is_array(array)) {
		call_fail_common(call, ERROR_MALFORMED, "%s must be a list", key);
		return false;
	}
	*bits = 0;
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *name = json_string_value(json_array_get(array, i));
		size_t at = 0;
		while (at < count && (name == NULL || strcmp(names[at], name) != 0))
			at++;
		if (name == NULL || (at == count && is_strict)) {
			fail_enum(call, key);
			return false;
		}
		if (at < count)
			*bits |= 1U << at;
	}
	return true;
}

static bool read_origins(struct call *call, struct filter *filter)
{
	filter->origins = 1U << AWS_MANAGED | 1U << CUSTOMER_PROVIDED;
	const json_t *given = json_object_get(call->input, "CertificateKeyPairOrigins");
	if (given == NULL)
		return true;
	if (call->sim->options.refuse_origins) {
		call_fail_common(call, ERROR_INVALID,
			"Unknown parameter in input: \"CertificateKeyPairOrigins\"");
		return false;
	}
	if (!json_is_array(given) || json_array_size(given) < 1 || json_array_size(given) > 3) {
		fail_enum(call, "certificateKeyPairOrigins");
		return false;
	}
	return read_bits(call, call->input, "CertificateKeyPairOrigins", cert_origin_name, 3, true,
		&filter->origins);
}

static bool read_filter(struct call *call, struct filter *filter)
{
	const json_t *includes = json_object_get(call->input, "Includes");
	*filter = (struct filter){
		.key_types = 1U << RSA_1024 | 1U << RSA_2048, .is_default_keys = true};
	if (includes != NULL && !json_is_object(includes)) {
		call_fail_common(call, ERROR_MALFORMED, "Includes must be a structure");
		return false;
	}
	filter->is_default_keys = json_array_size(json_object_get(includes, "keyTypes")) == 0;
	filter->needs_usage = json_array_size(json_object_get(includes, "keyUsage")) > 0 ||
			      json_array_size(json_object_get(includes, "extendedKeyUsage")) > 0;
	if (!filter->is_default_keys && !read_bits(call, includes, "keyTypes", key_type_name,
						KEY_TYPES, true, &filter->key_types))
		return false;
	filter->export_option = json_string_value(json_object_get(includes, "exportOption"));
	filter->managed_by = json_string_value(json_object_get(includes, "managedBy"));
	return read_bits(call, call->input, "CertificateStatuses", cert_status_name, FAILED + 1,
		       true, &filter->statuses) &&
	       read_bits(call, includes, "keyUsage", key_usage_name, KEY_USAGES, false,
		       &filter->key_usages) &&
	       read_bits(call, includes, "extendedKeyUsage", ext_names, 4, false,
		       &filter->ext_key_usages) &&
	       read_origins(call, filter);
}

static bool has_held_usage(const struct filter *filter, const struct held *held)
{
	unsigned ext = held->ext_key_usage.count == 0 ? 8 : 0;
	for (size_t i = 0; i < held->ext_key_usage.count; i++)
		for (unsigned bit = 0; bit < 3; bit++)
			if (strcmp(ext_key_usage_name(held->ext_key_usage.item[i]),
				    ext_names[bit]) == 0)
				ext |= 1U << bit;
	return (filter->key_usages == 0 || (filter->key_usages & held->key_usage) != 0) &&
	       (filter->ext_key_usages == 0 || (filter->ext_key_usages & ext) != 0);
}

static bool has_usage(const struct filter *filter, const struct cert_kind *kind)
{
	static const unsigned ext_of[] = {[USAGE_SERVER] = 1,
		[USAGE_SERVER_CLIENT] = 3,
		[USAGE_NONE] = 8,
		[USAGE_CLIENT] = 2,
		[USAGE_CUSTOM] = 5};
	unsigned usage = 0;
	if (kind->usage != USAGE_NONE)
		usage = KEY_USAGE_DIGITAL_SIGNATURE |
			(kind->key >= EC_P256 ? 0U : KEY_USAGE_KEY_ENCIPHERMENT);
	bool key_fits = filter->key_usages == 0 || (filter->key_usages & usage) != 0;
	bool ext_fits =
		filter->ext_key_usages == 0 || (filter->ext_key_usages & ext_of[kind->usage]) != 0;
	return key_fits && ext_fits;
}

static bool passes(const struct filter *filter, const struct cert *cert, int64_t now_s)
{
	const struct cert_kind *kind = cert_kind_of(cert);
	bool has_domain = kind->names != NAMES_NONE && kind->names != NAMES_IP_ONLY;
	if ((filter->key_types >> kind->key & 1) == 0 || (filter->is_default_keys && !has_domain))
		return false;
	if ((filter->origins >> kind->origin & 1) == 0)
		return false;
	if (filter->statuses != 0 && (filter->statuses >> cert_status_at(cert, now_s) & 1) == 0)
		return false;
	if (filter->export_option != NULL &&
		(strcmp(filter->export_option, "ENABLED") == 0) != kind->export_enabled)
		return false;
	if (filter->managed_by != NULL && !kind->by_cloudfront)
		return false;
	if (cert->more != NULL && cert->more->held != NULL)
		return !filter->needs_usage || has_held_usage(filter, cert->more->held);
	return !filter->needs_usage || has_usage(filter, kind);
}

static void add_summary(const struct call *call, struct out *out, const struct cert_facts *facts)
{
	const struct cert_kind *kind = facts->kind;
	json_open(out, '{');
	json_member(out, "CertificateArn", facts->arn);
	if (facts->domain != NULL)
		json_member(out, "DomainName", facts->domain);
	json_key(out, "SubjectAlternativeNameSummaries");
	json_open(out, '[');
	for (size_t i = 0; i < facts->dns_count && i < SUMMARY_NAMES_MAX; i++)
		json_text(out, facts->dns[i]);
	json_close(out, ']');
	json_member_bool(
		out, "HasAdditionalSubjectAlternativeNames", facts->dns_count > SUMMARY_NAMES_MAX);
	json_member(out, "Status", cert_status_name[facts->status]);
	json_member(out, "Type", cert_type_name[kind->type]);
	json_member(out, "KeyAlgorithm", key_type_name[facts->key_type]);
	json_key(out, "KeyUsages");
	json_open(out, '[');
	for (unsigned i = 0; i < KEY_USAGES; i++)
		if ((facts->key_usage >> i & 1) != 0)
			json_text(out, key_usage_name[i]);
	json_close(out, ']');
	json_key(out, "ExtendedKeyUsages");
	json_open(out, '[');
	for (size_t i = 0; i < facts->ext_key_usage_count; i++)
		json_text(out, ext_key_usage_name(facts->ext_key_usage[i]));
	json_close(out, ']');
	if (kind->type != IMPORTED)
		json_member(out, "ExportOption", kind->export_enabled ? "ENABLED" : "DISABLED");
	json_member_bool(out, "InUse", facts->in_use);
	json_member_bool(out, "Exported", facts->exported);
	json_member(out, "RenewalEligibility", facts->renewal_eligible ? "ELIGIBLE" : "INELIGIBLE");
	acm_add_times(out, facts);
	if (kind->by_cloudfront)
		json_member(out, "ManagedBy", "CLOUDFRONT");
	if (!call->sim->options.refuse_origins)
		json_member(out, "CertificateKeyPairOrigin", cert_origin_name[kind->origin]);
	add_unknown_member(call, out, facts->cert->draw);
	json_close(out, '}');
}

/* SortBy needs SortOrder and the other way round. False after an error was answered. */
static bool read_order(struct call *call, int *ret_direction)
{
	const char *by, *order;
	if (!input_text(call, "SortBy", &by) || !input_text(call, "SortOrder", &order))
		return false;
	*ret_direction = 0;
	if (by == NULL && order == NULL)
		return true;
	if (by == NULL || order == NULL || strcmp(by, "CREATED_AT") != 0 ||
		(strcmp(order, "ASCENDING") != 0 && strcmp(order, "DESCENDING") != 0)) {
		call_fail_common(call, ERROR_INVALID,
			"SortBy and SortOrder must be given together: CREATED_AT, and ASCENDING or "
			"DESCENDING");
		return false;
	}
	*ret_direction = order[0] == 'A' ? 1 : -1;
	return true;
}

static int by_creation(const void *a, const void *b)
{
	const struct cert *left = *(const struct cert *const *)a;
	const struct cert *right = *(const struct cert *const *)b;
	if (left->created_s != right->created_s)
		return left->created_s < right->created_s ? -1 : 1;
	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

/* What is listed, in the order asked for. */
struct listing {
	const struct pair *pair;
	const struct cert **cert; /* owned; NULL: the pair as it is */
	uint32_t count;
	bool is_ranked; /* positions are ranks instead of uids */
};

static void make_listing(const struct call *call, int direction, struct listing *listing)
{
	size_t account = call->who->account, region = (size_t)call->region;
	const struct pair *pair = &call->sim->world->account[account].pair[region];
	*listing =
		(struct listing){.pair = pair, .count = pair->count, .is_ranked = direction != 0};
	listing->cert = consistency_list(
		call->sim, account, region, (int)(call->operation - operations), &listing->count);
	if (direction == 0)
		return;
	if (listing->cert == NULL) {
		listing->cert = mem_alloc((pair->count + 1) * sizeof(struct cert *));
		for (uint32_t i = 0; i < pair->count; i++)
			listing->cert[i] = &pair->cert[i];
	}
	qsort(listing->cert, listing->count, sizeof(struct cert *), by_creation);
	for (uint32_t i = 0; direction < 0 && i < listing->count / 2; i++) {
		const struct cert *held = listing->cert[i];
		listing->cert[i] = listing->cert[listing->count - 1 - i];
		listing->cert[listing->count - 1 - i] = held;
	}
}

static const struct cert *listed(const struct listing *listing, uint32_t at)
{
	return listing->cert != NULL ? listing->cert[at] : &listing->pair->cert[at];
}

static uint32_t listing_start(const struct listing *listing, uint64_t position)
{
	if (listing->is_ranked)
		return (uint32_t)position;
	if (listing->cert == NULL)
		return cert_position(listing->pair, (uint32_t)position);
	uint32_t at = 0;
	while (at < listing->count && listing->cert[at]->uid < position)
		at++;
	return at;
}

/*
 * Positions are uids, so that a page continues at the right place when certificates come and go;
 * in a sorted list they are ranks.
 */
static void write_page(struct call *call, const struct filter *filter, struct page *page,
	uint64_t wanted, int direction)
{
	struct world *world = call->sim->world;
	size_t region = (size_t)call->region;
	struct listing listing;
	make_listing(call, direction, &listing);
	struct out *body = &call->reply->body;
	uint64_t room = page_size(page, wanted), written = 0, last = 0, next = 0;
	uint32_t at = listing_start(&listing, page->position);
	bool more = false;
	json_open(body, '{');
	json_key(body, "CertificateSummaryList");
	json_open(body, '[');
	for (; at < listing.count; at++) {
		const struct cert *cert = listed(&listing, at);
		next = listing.is_ranked ? at : cert->uid;
		if (!passes(filter, cert, call->now_s))
			continue;
		if (written == room) {
			more = true;
			break;
		}
		struct cert_facts facts;
		cert_describe(world, call->who->account, region, cert, call->now_s, &facts);
		add_summary(call, body, &facts);
		written++;
		last = next;
	}
	json_close(body, ']');
	/* Certificates can move between pages: sometimes the last one comes again. */
	if (more && written > 1 && call->sim->options.awkward_pages &&
		hash_below(page->belongs_to, page->step, 4) == 0)
		next = last;
	char token[PAGE_TOKEN_MAX];
	if (page_next(page, next, more, token))
		json_member(body, "NextToken", token);
	json_close(body, '}');
	free(listing.cert);
}

void acm_list_certificates(struct call *call)
{
	struct filter filter;
	int64_t wanted = ITEMS_DEFAULT;
	int direction;
	const char *given;
	if (!acm_may(call, "acm:ListCertificates", "*") || !read_filter(call, &filter) ||
		!input_int(call, "MaxItems", 1, ITEMS_MAX, &wanted) ||
		!read_order(call, &direction) || !input_text(call, "NextToken", &given))
		return;
	char token[PAGE_TOKEN_MAX] = "";
	if (given != NULL &&
		(given[0] == '\0' || !slice_copy(slice_of(given), token, sizeof(token)))) {
		call_fail_common(call, ERROR_INVALID, "The NextToken is not valid.");
		return;
	}
	/* The token holds only for the same request by the same caller. */
	json_object_del(call->input, "NextToken");
	char *same = json_dumps(call->input, JSON_SORT_KEYS | JSON_COMPACT);
	uint64_t belongs = hash_bytes(
		same, strlen(same), call->who->account * REGIONS_MAX + (uint64_t)call->region);
	free(same);
	struct page page;
	if (!page_open(&page, call, given != NULL ? token : NULL, belongs)) {
		call_fail_common(call, ERROR_INVALID,
			"The NextToken does not belong to a request with these parameters.");
		return;
	}
	write_page(call, &filter, &page, (uint64_t)wanted, direction);
}
