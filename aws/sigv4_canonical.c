/*
 * SigV4's first stage: the request in the one spelling that both sides hash. Pure text.
 * source: facts.md section 1.1.
 */
#include <string.h>

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum {
	SEGMENTS_MAX = 128,   /* of a path */
	PARAMETERS_MAX = 128, /* of a query */
};

static const char *const never_signed[] = {"authorization", "cache-control", "connection", "expect",
	"from", "keep-alive", "max-forwards", "pragma", "referer", "te", "trailer",
	"transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};

/* Borrowed text. */
struct slice {
	const char *text;
	size_t len;
};

static bool slice_is(const struct slice *slice, const char *text)
{
	return slice->len == strlen(text) && memcmp(slice->text, text, slice->len) == 0;
}

static int slice_compare(const struct slice *a, const struct slice *b)
{
	int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
	if (order != 0)
		return order;
	return a->len < b->len ? -1 : a->len > b->len;
}

static void add_slice(struct buf *to, const struct slice *slice)
{
	buf_add(to, slice->text, slice->len);
}

/* Cuts off the text before the next separator. false at the end. */
static bool next_part(const char **at, char separator, struct slice *ret_part)
{
	if (*at == NULL)
		return false;
	const char *end = strchrnul(*at, separator);
	*ret_part = (struct slice){*at, (size_t)(end - *at)};
	*at = *end == separator ? end + 1 : NULL;
	return true;
}

/* --- path ------------------------------------------------------------------------------------- */

/* Without empty and "." segments, ".." resolved; what is left is encoded once more. */
static int add_path(struct buf *to, const char *path, struct err *err)
{
	struct slice kept[SEGMENTS_MAX], segment;
	size_t count = 0;
	for (const char *at = path; next_part(&at, '/', &segment);) {
		if (segment.len == 0 || slice_is(&segment, "."))
			continue;
		if (slice_is(&segment, "..")) {
			count -= count > 0 ? 1 : 0;
			continue;
		}
		if (count == SEGMENTS_MAX)
			return err_set(
				err, ERR_LIMIT, "a path of more than %d segments", SEGMENTS_MAX);
		kept[count++] = segment;
	}
	for (size_t i = 0; i < count; i++) {
		buf_add_char(to, '/');
		text_percent_encode(to, kept[i].text, kept[i].len, "");
	}
	bool has_final_slash = count == 0 || path[strlen(path) - 1] == '/';
	if (has_final_slash)
		buf_add_char(to, '/');
	return 0;
}

/* --- query ------------------------------------------------------------------------------------ */

struct parameter {
	struct slice name, value; /* in the spelling of the wire */
	struct slice encoded_name, encoded_value;
};

/* Decodes and encodes again, so that every spelling becomes the canonical one. */
static void add_recoded(struct buf *to, const struct slice *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = text->text[i];
		if (c == '%' && text->len - i > 2) {
			int high = text_hex_digit(text->text[i + 1]);
			int low = text_hex_digit(text->text[i + 2]);
			if (high >= 0 && low >= 0) {
				c = (char)(high << 4 | low);
				i += 2;
			}
		}
		text_percent_encode(to, &c, 1, "");
	}
}

/* By encoded name, then encoded value. */
static void sort_parameters(struct parameter *parameter, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct parameter moving = parameter[i];
		size_t at = i;
		for (; at > 0; at--) {
			const struct parameter *before = &parameter[at - 1];
			int order = slice_compare(&before->encoded_name, &moving.encoded_name);
			if (order == 0)
				order = slice_compare(
					&before->encoded_value, &moving.encoded_value);
			if (order <= 0)
				break;
			parameter[at] = *before;
		}
		parameter[at] = moving;
	}
}

static int split_query(
	const char *query, struct parameter *parameter, size_t *ret_count, struct err *err)
{
	struct slice part;
	size_t count = 0;
	for (const char *at = query; next_part(&at, '&', &part);) {
		if (part.len == 0)
			continue;
		if (count == PARAMETERS_MAX)
			return err_set(err, ERR_LIMIT, "a query of more than %d parameters",
				PARAMETERS_MAX);
		const char *equals = memchr(part.text, '=', part.len);
		size_t name_len = equals != NULL ? (size_t)(equals - part.text) : part.len;
		size_t value_len = equals != NULL ? part.len - name_len - 1 : 0;
		parameter[count++] = (struct parameter){
			.name = {part.text, name_len},
			.value = {part.text + part.len - value_len, value_len},
		};
	}
	*ret_count = count;
	return 0;
}

static int add_query(struct buf *to, const char *query, struct err *err)
{
	struct parameter parameter[PARAMETERS_MAX];
	size_t count = 0;
	if (split_query(query, parameter, &count, err) != 0)
		return -1;
	/* Slices into a growing buffer would dangle: encode all, then note where each one stands.
	 * */
	struct buf encoded;
	buf_init_secret(&encoded, SIGV4_CANONICAL_MAX);
	size_t ends[2 * PARAMETERS_MAX];
	for (size_t i = 0; i < count; i++) {
		add_recoded(&encoded, &parameter[i].name);
		ends[2 * i] = encoded.len;
		add_recoded(&encoded, &parameter[i].value);
		ends[2 * i + 1] = encoded.len;
	}
	size_t start = 0;
	const char *text = buf_text(&encoded);
	for (size_t i = 0; i < count; i++) {
		parameter[i].encoded_name = (struct slice){text + start, ends[2 * i] - start};
		parameter[i].encoded_value =
			(struct slice){text + ends[2 * i], ends[2 * i + 1] - ends[2 * i]};
		start = ends[2 * i + 1];
	}
	sort_parameters(parameter, count);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(to, '&');
		add_slice(to, &parameter[i].encoded_name);
		buf_add_char(to, '=');
		add_slice(to, &parameter[i].encoded_value);
	}
	int rc = buf_check(&encoded, "a query", err);
	buf_clear(&encoded);
	return rc;
}

/* --- headers ---------------------------------------------------------------------------------- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_names(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}

static bool has_prefix_ci(const char *name, const char *prefix)
{
	while (*prefix != '\0' && lower(*name) == *prefix) {
		name++;
		prefix++;
	}
	return *prefix == '\0';
}

static bool is_signed(const char *name)
{
	if (has_prefix_ci(name, "proxy-") || has_prefix_ci(name, "sec-"))
		return false;
	for (size_t i = 0; i < sizeof(never_signed) / sizeof(never_signed[0]); i++) {
		if (compare_names(name, never_signed[i]) == 0)
			return false;
	}
	return true;
}

/* RFC 9110 5.6.2: a token. */
static bool is_token(const char *name)
{
	const char *at = name;
	for (; *at != '\0'; at++) {
		char c = lower(*at);
		bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!is_alphanumeric && strchr("!#$%&'*+-.^_`|~", c) == NULL)
			return false;
	}
	return at > name;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed; runs of blanks, and folded lines, become one space. */
static void add_value(struct buf *to, const char *value)
{
	while (is_blank(*value))
		value++;
	while (*value != '\0') {
		const char *end = value;
		while (*end != '\0' && !is_blank(*end))
			end++;
		buf_add(to, value, (size_t)(end - value));
		value = end;
		while (is_blank(*value))
			value++;
		if (*value != '\0')
			buf_add_char(to, ' ');
	}
}

static void add_name(struct buf *to, const char *name)
{
	for (; *name != '\0'; name++)
		buf_add_char(to, lower(*name));
}

/* Those that are signed, sorted by name; equal names keep their order. */
static int collect_headers(const struct sigv4_canonical *request,
	const struct http_header **ret_sorted, size_t *ret_count, struct err *err)
{
	size_t count = 0;
	bool has_host = false;
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->header[i];
		if (!is_token(header->name))
			return err_set(err, ERR_CONFIG, "a header to be signed has no proper name");
		if (!is_signed(header->name))
			continue;
		if (count == SIGV4_HEADERS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d headers to be signed",
				SIGV4_HEADERS_MAX);
		has_host = has_host || compare_names(header->name, "host") == 0;
		size_t at = count++;
		for (; at > 0 && compare_names(ret_sorted[at - 1]->name, header->name) > 0; at--)
			ret_sorted[at] = ret_sorted[at - 1];
		ret_sorted[at] = header;
	}
	if (!has_host)
		return err_set(err, ERR_CONFIG, "a request to be signed has no host header");
	*ret_count = count;
	return 0;
}

int sigv4_canonical_request(const struct sigv4_canonical *request, struct buf *to,
	struct buf *signed_headers, struct err *err)
{
	const struct http_header *sorted[SIGV4_HEADERS_MAX];
	size_t count = 0;
	if (!is_token(request->method) || request->path[0] != '/')
		return err_set(err, ERR_CONFIG, "a request to be signed has no method or no path");
	if (collect_headers(request, sorted, &count, err) != 0)
		return -1;
	buf_add_text(to, request->method);
	buf_add_char(to, '\n');
	if (request->keep_path)
		text_percent_encode(to, request->path, strlen(request->path), "/");
	else if (add_path(to, request->path, err) != 0)
		return -1;
	buf_add_char(to, '\n');
	bool has_query = request->query != NULL && request->query[0] != '\0';
	if (has_query && add_query(to, request->query, err) != 0)
		return -1;
	buf_add_char(to, '\n');
	for (size_t i = 0; i < count; i++) {
		bool is_repeated =
			i > 0 && compare_names(sorted[i]->name, sorted[i - 1]->name) == 0;
		if (is_repeated) {
			buf_add_char(to, ',');
		} else {
			buf_add_text(to, i > 0 ? "\n" : "");
			buf_add_text(signed_headers, i > 0 ? ";" : "");
			add_name(to, sorted[i]->name);
			add_name(signed_headers, sorted[i]->name);
			buf_add_char(to, ':');
		}
		add_value(to, sorted[i]->value);
	}
	buf_add_text(to, "\n\n");
	buf_add(to, signed_headers->data, signed_headers->len);
	buf_add_char(to, '\n');
	buf_add_text(to, request->body_sha256);
	if (buf_check(to, "a request to be signed", err) != 0)
		return -1;
	return buf_check(signed_headers, "a list of signed headers", err);
}
