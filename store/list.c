/*
 * Lists: parameters in, JSON rows out (see list.h). One parser and one row writer a kind; the frame
 * (document or lines, slices) is the same for all.
 */
#include "store/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/render.h"

enum {
	FINGERPRINT_DIGITS = 2 * CERT_SHA256_LEN,
	SERIAL_DIGITS_MIN = 8, /* shorter is rather a name than a serial */
	SERIAL_DIGITS_MAX = 64,
	VALUE_MAX = 2048,
	EVENTS_LIMIT_MAX = 1000000,
};

/* Longer than any certificate lives, far from overflow: 10,000 years. */
static const int64_t DURATION_MAX_S = INT64_C(10000) * 366 * 86400;

enum phase { PHASE_HEAD, PHASE_UNITS, PHASE_ROWS, PHASE_END };

struct list {
	enum list_kind kind;
	bool is_ndjson;
	int64_t now_s;
	enum phase phase;
	struct json_writer writer;
	size_t rows;
	/* parameters; texts owned or NULL */
	char *connector, *account_id, *region;
	struct cert_query *query; /* owned; certificate lists */
	bool has_pem;
	int state; /* -1: any */
	bool only_problems;
	bool has_resolved;
	enum alert_class least_class;
	enum alert_kind alert_kind; /* 0: any */
	uint64_t next_event, events_left;
	int64_t since_s; /* 0: not given; turned into next_event by the first slice */
	char position[COVERAGE_POSITION_MAX];
};

static const char *const list_name[] = {
	"certificates", "certificates", "accounts", "coverage", "events", "alerts"};

static int bad_value(const struct list_param *param, const char *expected, struct err *err)
{
	return err_set(
		err, ERR_CONFIG, "%s: \"%.80s\" is not %s", param->key, param->value, expected);
}

static int take_bool(const struct list_param *param, bool *ret_value, struct err *err)
{
	if (strcmp(param->value, "1") == 0 || strcmp(param->value, "yes") == 0)
		*ret_value = true;
	else if (strcmp(param->value, "0") == 0 || strcmp(param->value, "no") == 0)
		*ret_value = false;
	else
		return bad_value(param, "yes or no", err);
	return 0;
}

/* "30d" counts from now; a date or time stands for itself. Never 0, which means "not given". */
static int take_moment(
	const struct list_param *param, int64_t now_s, int sign, int64_t *ret_s, struct err *err)
{
	int64_t duration_s;
	struct err ignored = ERR_INIT;
	int64_t moment_s;
	if (text_parse_duration(param->value, &duration_s, &ignored) == 0 &&
		duration_s <= DURATION_MAX_S)
		moment_s = now_s + sign * duration_s;
	else if (text_parse_time(param->value, &moment_s, &ignored) != 0)
		return bad_value(param, "a duration (30d, 12h) or a date (2026-12-31)", err);
	*ret_s = moment_s != 0 ? moment_s : 1;
	return 0;
}

/* What certificate parameters are gathered in before the query copies them. */
struct cert_params {
	struct cert_filter filter;
	enum cert_sort sort;
	char tag_key[VALUE_MAX];
	char hex[VALUE_MAX]; /* fingerprint or serial in lower case without colons */
};

/* Accepts "AB:CD", "abcd", "0xabcd". false when it is no hex number. */
static bool normalise_hex(const char *text, char *ret_hex, size_t size)
{
	if (text_has_prefix(text, "0x"))
		text += 2;
	size_t len = 0;
	for (; *text != '\0'; text++) {
		if (*text == ':')
			continue;
		if (strchr("0123456789abcdefABCDEF", *text) == NULL || len + 1 >= size)
			return false;
		ret_hex[len++] = *text;
	}
	ret_hex[len] = '\0';
	text_lower(ret_hex);
	return len > 0;
}

static int take_tag(const struct list_param *param, struct cert_params *params, struct err *err)
{
	const char *equals = strchr(param->value, '=');
	size_t len = equals != NULL ? (size_t)(equals - param->value) : strlen(param->value);
	if (len == 0 || len >= sizeof(params->tag_key))
		return bad_value(param, "KEY or KEY=VALUE", err);
	memcpy(params->tag_key, param->value, len);
	params->tag_key[len] = '\0';
	params->filter.tag_key = params->tag_key;
	params->filter.tag_value = equals != NULL ? equals + 1 : NULL;
	return 0;
}

static int take_hex(const struct list_param *param, struct cert_params *params,
	const char **ret_member, struct err *err)
{
	if (!normalise_hex(param->value, params->hex, sizeof(params->hex)))
		return bad_value(param, "a hexadecimal number", err);
	*ret_member = params->hex;
	return 0;
}

/* The parameters whose value is copied into the filter as it stands. */
static const char **plain_member(struct cert_filter *filter, const char *key)
{
	const struct {
		const char *key, **member;
	} plain[] = {
		{"domain", &filter->domain},
		{"domain_suffix", &filter->domain_suffix},
		{"account", &filter->account_id},
		{"region", &filter->region},
		{"connector", &filter->connector},
		{"status", &filter->status},
		{"type", &filter->type},
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(plain[i].key, key) == 0)
			return plain[i].member;
	return NULL;
}

static int certificates_param(struct list *list, struct cert_params *params,
	const struct list_param *param, struct err *err)
{
	struct cert_filter *filter = &params->filter;
	const char **member = plain_member(filter, param->key);
	bool flag = false;
	if (member != NULL) {
		*member = param->value;
		return 0;
	}
	if (strcmp(param->key, "expires") == 0)
		return take_moment(param, list->now_s, 1, &filter->expires_before_s, err);
	if (strcmp(param->key, "expires_after") == 0)
		return take_moment(param, list->now_s, 1, &filter->expires_after_s, err);
	if (strcmp(param->key, "tag") == 0)
		return take_tag(param, params, err);
	if (strcmp(param->key, "fingerprint") == 0)
		return take_hex(param, params, &filter->fingerprint, err);
	if (strcmp(param->key, "serial") == 0)
		return take_hex(param, params, &filter->serial, err);
	if (strcmp(param->key, "gone") == 0)
		return take_bool(param, &filter->include_gone, err);
	if (strcmp(param->key, "in_use") == 0) {
		if (take_bool(param, &flag, err) != 0)
			return -1;
		filter->in_use = flag;
		return 0;
	}
	if (strcmp(param->key, "sort") == 0)
		return cert_sort_parse(param->value, &params->sort)
			       ? 0
			       : bad_value(param,
					 "expires, domain, account, region, status, type, "
					 "first_seen or arn",
					 err);
	return err_set(err, ERR_CONFIG, "unknown parameter \"%.80s\"", param->key);
}

/* q: the first form that fits of fingerprint, serial and domain; an ARN is recognised by its
 * prefix. */
static int certificate_param(struct list *list, struct cert_params *params,
	const struct list_param *param, struct err *err)
{
	struct cert_filter *filter = &params->filter;
	if (strcmp(param->key, "pem") == 0)
		return take_bool(param, &list->has_pem, err);
	if (strcmp(param->key, "gone") == 0)
		return take_bool(param, &filter->include_gone, err);
	if (strcmp(param->key, "q") != 0)
		return err_set(err, ERR_CONFIG, "unknown parameter \"%.80s\"", param->key);
	if (param->value[0] == '\0' || strlen(param->value) >= VALUE_MAX)
		return bad_value(param, "an ARN, a fingerprint, a serial or a domain", err);
	bool is_hex = normalise_hex(param->value, params->hex, sizeof(params->hex));
	if (text_has_prefix(param->value, "arn:"))
		filter->arn = param->value;
	else if (is_hex && strlen(params->hex) == FINGERPRINT_DIGITS)
		filter->fingerprint = params->hex;
	else if (is_hex && strlen(params->hex) >= SERIAL_DIGITS_MIN &&
		 strlen(params->hex) <= SERIAL_DIGITS_MAX)
		filter->serial = params->hex;
	else
		filter->domain = param->value;
	if (filter->domain == NULL) /* named exactly: shown whether gone or not */
		filter->include_gone = true;
	return 0;
}

static int other_param(struct list *list, const struct list_param *param, struct err *err)
{
	const char *key = param->key;
	bool is_coverage = list->kind == LIST_COVERAGE, is_events = list->kind == LIST_EVENTS;
	int64_t number;
	char **text = strcmp(key, "connector") == 0 && !is_events  ? &list->connector
		      : strcmp(key, "account") == 0 && is_coverage ? &list->account_id
		      : strcmp(key, "region") == 0 && is_coverage  ? &list->region
								   : NULL;
	if (text != NULL) {
		*text = xstrdup(param->value);
		return 0;
	}
	if (strcmp(key, "problems") == 0 && is_coverage)
		return take_bool(param, &list->only_problems, err);
	if (strcmp(key, "state") == 0 && is_coverage) {
		enum coverage_state state;
		if (!coverage_state_parse(param->value, &state))
			return bad_value(param, "a coverage state", err);
		list->state = (int)state;
		return 0;
	}
	if (strcmp(key, "since") == 0 && is_events)
		return take_moment(param, list->now_s, -1, &list->since_s, err);
	if (strcmp(key, "from") == 0 && is_events) {
		if (text_parse_int(param->value, 0, INT64_MAX, &number, err) != 0)
			return err_wrap(err, "from");
		list->next_event = (uint64_t)number;
		return 0;
	}
	if (strcmp(key, "limit") == 0 && is_events) {
		if (text_parse_int(param->value, 1, EVENTS_LIMIT_MAX, &number, err) != 0)
			return err_wrap(err, "limit");
		list->events_left = (uint64_t)number;
		return 0;
	}
	return err_set(err, ERR_CONFIG, "unknown parameter \"%.80s\"", key);
}

static int alerts_param(struct list *list, const struct list_param *param, struct err *err)
{
	if (strcmp(param->key, "all") == 0)
		return take_bool(param, &list->has_resolved, err);
	if (strcmp(param->key, "class") == 0)
		return alert_class_parse(param->value, &list->least_class)
			       ? 0
			       : bad_value(param, "notice, warning, critical or emergency", err);
	if (strcmp(param->key, "kind") != 0)
		return err_set(err, ERR_CONFIG, "unknown parameter \"%.80s\"", param->key);
	for (int kind = ALERT_CERTIFICATE; kind <= ALERT_IDENTITY; kind++)
		if (strcmp(param->value, alert_kind_name((enum alert_kind)kind)) == 0)
			list->alert_kind = (enum alert_kind)kind;
	return list->alert_kind != 0
		       ? 0
		       : bad_value(param, "certificate, coverage, connector, job or identity", err);
}

static int parse_params(
	struct list *list, const struct list_param *param, size_t count, struct err *err)
{
	struct cert_params params = {.filter = {.in_use = -1, .now_s = list->now_s}};
	bool is_query = list->kind == LIST_CERTIFICATES || list->kind == LIST_CERTIFICATE;
	bool has_question = false;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			if (strcmp(param[i].key, param[j].key) == 0)
				return err_set(
					err, ERR_CONFIG, "%.80s is given twice", param[i].key);
		has_question = has_question || strcmp(param[i].key, "q") == 0;
		int rc = list->kind == LIST_CERTIFICATES
				 ? certificates_param(list, &params, &param[i], err)
			 : list->kind == LIST_CERTIFICATE
				 ? certificate_param(list, &params, &param[i], err)
			 : list->kind == LIST_ALERTS ? alerts_param(list, &param[i], err)
						     : other_param(list, &param[i], err);
		if (rc != 0)
			return -1;
	}
	if (list->kind == LIST_CERTIFICATE && !has_question)
		return err_set(
			err, ERR_CONFIG, "q is missing: an ARN, fingerprint, serial or domain");
	if (!is_query)
		return 0;
	list->query = cert_query_new(&params.filter, params.sort, err);
	return list->query != NULL ? 0 : -1;
}

struct list *list_new(enum list_kind kind, const struct list_param *param, size_t param_count,
	bool is_ndjson, int64_t now_s, struct err *err)
{
	struct list *list = xcalloc(1, sizeof(*list));
	list->kind = kind;
	list->is_ndjson = is_ndjson;
	list->now_s = now_s;
	list->state = -1;
	list->least_class = ALERT_NOTICE;
	list->events_left = UINT64_MAX;
	if (parse_params(list, param, param_count, err) == 0)
		return list;
	list_free(list);
	return NULL;
}

void list_free(struct list *list)
{
	if (list == NULL)
		return;
	cert_query_free(list->query);
	free(list->connector);
	free(list->account_id);
	free(list->region);
	free(list);
}

size_t list_rows(const struct list *list)
{
	return list->rows;
}

/* Around each row: in a document the writer puts commas; as lines each row is a document. */
static void row_begin(struct list *list, struct buf *to)
{
	if (list->is_ndjson)
		json_writer_init(&list->writer, to, false);
}

static void row_end(struct list *list, struct buf *to)
{
	if (list->is_ndjson)
		buf_add_char(to, '\n');
	list->rows++;
}

/* One step of a kind: true when a row was looked at (written or passed over), false at the end. */
static bool step_certificate(struct list *list, struct store_txn *txn, struct buf *to)
{
	struct cert_record record;
	bool is_end = true;
	if (!cert_query_next(list->query, txn, 256, &record, &is_end))
		return !is_end;
	row_begin(list, to);
	if (list->kind == LIST_CERTIFICATE)
		render_certificate_full(&list->writer, txn, &record, list->now_s, list->has_pem);
	else
		render_certificate(&list->writer, txn, &record, list->now_s);
	row_end(list, to);
	return true;
}

static bool step_account(struct list *list, struct store_txn *txn, struct buf *to)
{
	struct account_record record;
	if (!store_account_next(txn, list->connector, list->position, &record))
		return false;
	row_begin(list, to);
	render_account(&list->writer, txn, &record);
	row_end(list, to);
	return true;
}

static bool coverage_matches(const struct list *list, const struct coverage_record *record)
{
	return (list->state < 0 || (int)record->state == list->state) &&
	       (!list->only_problems || coverage_is_problem(record->state)) &&
	       (list->region == NULL || strcmp(record->region, list->region) == 0) &&
	       (list->account_id == NULL || strcmp(record->account_id, list->account_id) == 0);
}

static bool step_coverage(struct list *list, struct store_txn *txn, struct buf *to)
{
	/* The store's walk takes an account only together with its connector. */
	const char *account_id = list->connector != NULL ? list->account_id : NULL;
	struct coverage_record record;
	if (!store_coverage_next(txn, list->connector, account_id, list->position, &record))
		return false;
	if (!coverage_matches(list, &record))
		return true;
	row_begin(list, to);
	render_coverage(&list->writer, txn, &record);
	row_end(list, to);
	return true;
}

/* The first event at or after since_s: sequences have no gap and times rise with them. */
static uint64_t first_event_since(struct store_txn *txn, int64_t since_s)
{
	struct event_record event;
	if (!store_event_get_from(txn, 0, &event))
		return 1;
	uint64_t low = event.sequence;
	if (!store_event_get_last(txn, 0, &event))
		return low;
	uint64_t high = event.sequence + 1;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (!store_event_get_from(txn, middle, &event) || event.at_s >= since_s)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool step_event(struct list *list, struct store_txn *txn, struct buf *to)
{
	struct event_record record;
	if (list->since_s != 0) {
		uint64_t first = first_event_since(txn, list->since_s);
		list->next_event = first > list->next_event ? first : list->next_event;
		list->since_s = 0;
	}
	if (list->events_left == 0 || !store_event_get_from(txn, list->next_event, &record))
		return false;
	list->next_event = record.sequence + 1;
	list->events_left--;
	row_begin(list, to);
	render_event(&list->writer, &record);
	row_end(list, to);
	return true;
}

static bool step_alert(struct list *list, struct store_txn *txn, struct buf *to)
{
	struct alert_record record;
	if (!store_alert_next(txn, list->position, &record))
		return false;
	if ((record.resolved_s != 0 && !list->has_resolved) || record.class < list->least_class ||
		(list->alert_kind != 0 && record.kind != list->alert_kind))
		return true;
	row_begin(list, to);
	render_alert(&list->writer, &record, list->now_s);
	row_end(list, to);
	return true;
}

static bool step(struct list *list, struct store_txn *txn, struct buf *to)
{
	switch (list->kind) {
	case LIST_CERTIFICATES:
	case LIST_CERTIFICATE:
		return step_certificate(list, txn, to);
	case LIST_ACCOUNTS:
		return step_account(list, txn, to);
	case LIST_COVERAGE:
		return step_coverage(list, txn, to);
	case LIST_EVENTS:
		return step_event(list, txn, to);
	case LIST_ALERTS:
		return step_alert(list, txn, to);
	}
	return false;
}

static void open_rows(struct list *list)
{
	json_key(&list->writer, list_name[list->kind]);
	json_open_array(&list->writer);
	list->position[0] = '\0';
	list->phase = PHASE_ROWS;
}

/* Opens the document and, for accounts, writes the units before the rows. */
static void write_head(struct list *list, struct buf *to)
{
	if (list->is_ndjson) {
		list->phase = PHASE_ROWS;
		return;
	}
	json_writer_init(&list->writer, to, false);
	json_open_object(&list->writer);
	json_member_int(&list->writer, "schema", 1);
	if (list->kind == LIST_ACCOUNTS) {
		json_key(&list->writer, "units");
		json_open_array(&list->writer);
		list->phase = PHASE_UNITS;
	} else {
		open_rows(list);
	}
}

static void step_unit(struct list *list, struct store_txn *txn)
{
	struct unit_record record;
	if (store_unit_next(txn, list->connector, list->position, &record)) {
		render_unit(&list->writer, &record);
		return;
	}
	json_close_array(&list->writer);
	open_rows(list);
}

static void write_end(struct list *list, struct buf *to)
{
	if (!list->is_ndjson) {
		json_close_array(&list->writer);
		json_close_object(&list->writer);
		buf_add_char(to, '\n');
	}
	list->phase = PHASE_END;
}

/* One unit, one row looked at, or the end. */
static void advance(struct list *list, struct store_txn *txn, struct buf *to)
{
	switch (list->phase) {
	case PHASE_HEAD:
		write_head(list, to);
		return;
	case PHASE_UNITS:
		step_unit(list, txn);
		return;
	case PHASE_ROWS:
		if (!step(list, txn, to) && !store_txn_failed(txn))
			write_end(list, to);
		return;
	case PHASE_END:
		return;
	}
}

int list_write(struct list *list, struct store_txn *txn, struct buf *to, size_t slice_bytes,
	size_t slice_records, bool *ret_is_end, struct err *err)
{
	list->writer.out = to;
	for (size_t i = 0; i < slice_records && to->len < slice_bytes; i++) {
		advance(list, txn, to);
		if (list->phase == PHASE_END || store_txn_failed(txn))
			break;
	}
	if (store_txn_check(txn, err) != 0)
		return -1;
	*ret_is_end = list->phase == PHASE_END;
	return 0;
}
