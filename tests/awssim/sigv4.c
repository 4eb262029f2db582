/* The checks of sigv4.h. */
#include "tests/awssim/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/awssim/digest.h"

enum { QUERY_PARTS_MAX = 64, SEGMENTS_MAX = 64 };

static const char algorithm[] = "AWS4-HMAC-SHA256 ";

/* The value after "name=" in the comma separated list of the Authorization header. */
static struct slice part_of(struct slice list, const char *name)
{
	const char *at = list.ptr, *end = list.ptr + list.len;
	size_t name_len = strlen(name);
	while (at < end) {
		while (at < end && (*at == ' ' || *at == ','))
			at++;
		const char *stop = memchr(at, ',', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - at) > name_len && at[name_len] == '=' &&
			memcmp(at, name, name_len) == 0) {
			struct slice value = {
				at + name_len + 1, (size_t)(stop - at) - name_len - 1};
			while (value.len > 0 && value.ptr[value.len - 1] == ' ')
				value.len--;
			return value;
		}
		at = stop;
	}
	return (struct slice){NULL, 0};
}

/* key/date/region/service/aws4_request; an access key has no slash. */
static bool read_credential(struct slice credential, struct sigv4 *auth)
{
	struct slice part[5];
	for (size_t i = 0; i < 5; i++) {
		const char *slash = memchr(credential.ptr, '/', credential.len);
		size_t len = slash != NULL ? (size_t)(slash - credential.ptr) : credential.len;
		if ((slash == NULL) != (i == 4))
			return false;
		part[i] = (struct slice){credential.ptr, len};
		if (slash != NULL)
			credential = (struct slice){slash + 1, credential.len - len - 1};
	}
	return slice_is(part[4], "aws4_request") &&
	       slice_copy(part[0], auth->access_key, sizeof(auth->access_key)) &&
	       part[1].len == 8 && slice_copy(part[1], auth->date, sizeof(auth->date)) &&
	       slice_copy(part[2], auth->region, sizeof(auth->region)) &&
	       slice_copy(part[3], auth->service, sizeof(auth->service));
}

/* Cuts the next name off a list separated by ';'. */
static bool next_signed(struct slice *list, struct slice *ret_name)
{
	if (list->len == 0)
		return false;
	const char *stop = memchr(list->ptr, ';', list->len);
	size_t len = stop != NULL ? (size_t)(stop - list->ptr) : list->len;
	*ret_name = (struct slice){list->ptr, len};
	size_t cut = stop != NULL ? len + 1 : len;
	*list = (struct slice){list->ptr + cut, list->len - cut};
	return true;
}

static bool is_signed(const struct sigv4 *auth, struct slice name)
{
	struct slice list = auth->signed_headers, one;
	while (next_signed(&list, &one))
		if (one.len == name.len && strncasecmp(one.ptr, name.ptr, one.len) == 0)
			return true;
	return false;
}

static const char *check_signed_headers(
	const struct http_request *request, const struct sigv4 *auth)
{
	struct slice list = auth->signed_headers, one, before = {NULL, 0};
	while (next_signed(&list, &one)) {
		for (size_t i = 0; i < one.len; i++)
			if (one.ptr[i] >= 'A' && one.ptr[i] <= 'Z')
				return "SignedHeaders must be lower-case";
		size_t shorter = one.len < before.len ? one.len : before.len;
		int order = before.ptr == NULL ? -1 : memcmp(before.ptr, one.ptr, shorter);
		if (order > 0 || (order == 0 && before.len >= one.len))
			return "SignedHeaders must be sorted";
		before = one;
	}
	if (!is_signed(auth, slice_of("host")))
		return "'Host' must be a 'SignedHeader' in the AWS Authorization.";
	for (size_t i = 0; i < request->header_count; i++) {
		struct slice name = request->header[i].name;
		bool is_amz = name.len > 6 && strncasecmp(name.ptr, "x-amz-", 6) == 0;
		bool is_type = request->body.len > 0 && slice_is_nocase(name, "content-type");
		if ((is_amz || is_type) && !is_signed(auth, name))
			return is_amz ? "every x-amz-* header must be a 'SignedHeader'"
				      : "'Content-Type' must be a 'SignedHeader'";
	}
	struct slice declared = http_header_value(request, "x-amz-content-sha256");
	if (declared.ptr != NULL) {
		unsigned char hash[SHA256_LEN], told[SHA256_LEN];
		digest_sha256(request->body.ptr, request->body.len, hash);
		if (!hex_decode(declared, told, sizeof(told)) ||
			memcmp(hash, told, sizeof(hash)) != 0)
			return "x-amz-content-sha256 does not match the body";
	}
	return NULL;
}

enum sigv4_result sigv4_read(
	const struct http_request *request, struct sigv4 *ret_auth, const char **ret_why)
{
	struct sigv4 *auth = ret_auth;
	struct slice header = http_header_value(request, "authorization");
	if (header.ptr == NULL)
		return SIGV4_MISSING;
	if (!slice_starts(header, algorithm)) {
		*ret_why = "Unsupported AWS 'algorithm'";
		return SIGV4_INCOMPLETE;
	}
	header.ptr += sizeof(algorithm) - 1;
	header.len -= sizeof(algorithm) - 1;
	struct slice credential = part_of(header, "Credential");
	auth->signed_headers = part_of(header, "SignedHeaders");
	auth->signature = part_of(header, "Signature");
	if (credential.ptr == NULL || auth->signed_headers.ptr == NULL ||
		auth->signature.ptr == NULL || !read_credential(credential, auth)) {
		*ret_why = "Authorization header requires 'Credential', 'SignedHeaders' and "
			   "'Signature' parameters";
		return SIGV4_INCOMPLETE;
	}
	struct slice date = http_header_value(request, "x-amz-date");
	if (date.ptr == NULL || !time_parse_amz(date, &auth->signed_at_s)) {
		*ret_why = "Authorization header requires existence of a valid 'X-Amz-Date'";
		return SIGV4_INCOMPLETE;
	}
	slice_copy(date, auth->amz_date, sizeof(auth->amz_date));
	if (strncmp(auth->date, auth->amz_date, 8) != 0) {
		*ret_why = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
			   "of date from HTTP";
		return SIGV4_WRONG;
	}
	*ret_why = check_signed_headers(request, auth);
	return *ret_why == NULL ? SIGV4_OK : SIGV4_WRONG;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void encode(struct out *out, const char *from, size_t len, char keep)
{
	static const char digit[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];
		if (is_unreserved(from[i]) || (keep != '\0' && from[i] == keep)) {
			out_char(out, from[i]);
		} else {
			char code[3] = {'%', digit[c >> 4], digit[c & 15]};
			out_bytes(out, code, 3);
		}
	}
}

/* Normalises (empty, "." and ".." segments) the path as sent, then encodes it once more. */
static void add_path(struct out *out, struct slice path)
{
	if (path.len == 1 && path.ptr[0] == '/') { /* nearly every request */
		out_char(out, '/');
		return;
	}
	struct slice kept[SEGMENTS_MAX];
	size_t count = 0;
	for (size_t at = 0; at < path.len;) {
		const char *from = path.ptr + at;
		const char *stop = memchr(from, '/', path.len - at);
		size_t len = stop != NULL ? (size_t)(stop - from) : path.len - at;
		struct slice segment = {from, len};
		if (slice_is(segment, ".."))
			count -= count > 0;
		else if (len > 0 && !slice_is(segment, ".") && count < SEGMENTS_MAX)
			kept[count++] = segment;
		at += len + 1;
	}
	for (size_t i = 0; i < count; i++) {
		out_char(out, '/');
		encode(out, kept[i].ptr, kept[i].len, '\0');
	}
	if (count == 0 || path.ptr[path.len - 1] == '/')
		out_char(out, '/');
}

static int compare_parts(const void *a, const void *b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	return strcmp(left, right);
}

/* Sorting "name\001value" sorts by name, then value: \001 is below every encoded character. */
static void add_query(struct out *out, struct slice query)
{
	char *part[QUERY_PARTS_MAX] = {NULL};
	size_t count = 0;
	if (query.len == 0)
		return;
	for (size_t at = 0; at < query.len && count < QUERY_PARTS_MAX;) {
		const char *from = query.ptr + at;
		const char *stop = memchr(from, '&', query.len - at);
		size_t len = stop != NULL ? (size_t)(stop - from) : query.len - at;
		const char *equals = memchr(from, '=', len);
		size_t name_len = equals != NULL ? (size_t)(equals - from) : len;
		char *text = mem_alloc(len + 2);
		struct out one = {0};
		struct slice name = {from, name_len};
		struct slice value = {equals != NULL ? equals + 1 : from,
			equals != NULL ? len - name_len - 1 : 0};
		if (len > 0 && form_decode(name, text, len + 2)) {
			encode(&one, text, strlen(text), '\0');
			out_char(&one, '\001');
			if (form_decode(value, text, len + 2))
				encode(&one, text, strlen(text), '\0');
			part[count++] = one.data;
		} else {
			out_clear(&one);
		}
		free(text);
		at += len + 1;
	}
	qsort(part, count, sizeof(part[0]), compare_parts);
	for (size_t i = 0; i < count; i++) {
		char *mark = strchr(part[i], '\001');
		if (mark != NULL)
			*mark = '=';
		if (i > 0)
			out_char(out, '&');
		out_text(out, part[i]);
		free(part[i]);
	}
}

/* Blank runs become one blank; repeated headers are joined with a comma. */
static void add_header(struct out *out, const struct http_request *request, struct slice name)
{
	bool is_first = true;
	out_bytes(out, name.ptr, name.len);
	out_char(out, ':');
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->header[i];
		if (header->name.len != name.len ||
			strncasecmp(header->name.ptr, name.ptr, name.len) != 0)
			continue;
		if (!is_first)
			out_char(out, ',');
		is_first = false;
		const char *value = header->value.ptr;
		for (size_t k = 0; k < header->value.len; k++) {
			bool is_blank = value[k] == ' ' || value[k] == '\t';
			if (!is_blank)
				out_char(out, value[k]);
			else if (value[k - 1] != ' ' && value[k - 1] != '\t')
				out_char(out, ' ');
		}
	}
	out_char(out, '\n');
}

void sigv4_canonical(const struct http_request *request, const struct sigv4 *auth, struct out *out)
{
	unsigned char hash[SHA256_LEN];
	struct slice list = auth->signed_headers, name;
	out_bytes(out, request->method.ptr, request->method.len);
	out_char(out, '\n');
	add_path(out, request->path);
	out_char(out, '\n');
	add_query(out, request->query);
	out_char(out, '\n');
	while (next_signed(&list, &name))
		add_header(out, request, name);
	out_char(out, '\n');
	out_bytes(out, auth->signed_headers.ptr, auth->signed_headers.len);
	out_char(out, '\n');
	digest_sha256(request->body.ptr, request->body.len, hash);
	out_hex(out, hash, sizeof(hash));
}

static void signing_key(
	const struct sigv4 *auth, const char *secret, unsigned char ret_key[SHA256_LEN])
{
	char first[256];
	snprintf(first, sizeof(first), "AWS4%s", secret);
	digest_hmac(first, strlen(first), auth->date, strlen(auth->date), ret_key);
	digest_hmac(ret_key, SHA256_LEN, auth->region, strlen(auth->region), ret_key);
	digest_hmac(ret_key, SHA256_LEN, auth->service, strlen(auth->service), ret_key);
	digest_hmac(ret_key, SHA256_LEN, "aws4_request", 12, ret_key);
}

bool sigv4_matches(const struct http_request *request, const struct sigv4 *auth, const char *secret)
{
	unsigned char hash[SHA256_LEN], key[SHA256_LEN], mac[SHA256_LEN], told[SHA256_LEN];
	struct out text = {0};
	out_reserve(&text, 4096);
	sigv4_canonical(request, auth, &text);
	digest_sha256(text.data, text.len, hash);
	text.len = 0;
	out_fmt(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n", auth->amz_date, auth->date,
		auth->region, auth->service);
	out_hex(&text, hash, sizeof(hash));
	signing_key(auth, secret, key);
	digest_hmac(key, sizeof(key), text.data, text.len, mac);
	out_clear(&text);
	return hex_decode(auth->signature, told, sizeof(told)) &&
	       memcmp(mac, told, sizeof(mac)) == 0;
}
