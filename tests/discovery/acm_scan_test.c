#include "discovery/acm_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/lib/fake_acm.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

#define ACCOUNT "111122223333"
#define PREFIX	"arn:aws:acm:eu-west-1:" ACCOUNT ":certificate/"
#define LIST	"ListCertificates"
#define DETAIL	"DescribeCertificate"
#define PEM	"GetCertificate"
#define TAGS	"ListTagsForCertificate"

struct fixture {
	char *folder;
	struct loop *loop;
	struct aws *aws;
	struct aws_client *client;
	struct store *store;
	struct fake_acm acm;
	struct acm_scan_options options;
	bool lacks_origins;
	struct acm_scan *scan;
	int ends;
	size_t calls_before; /* the scan's calls are those from here on */
	struct acm_scan_result result;
	struct err err;
};

static void write_coverage(struct store_txn *txn, const struct acm_scan_result *result, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = "eu-west-1",
					.state = COVERAGE_OK,
					.code = "",
					.reason = "",
					.certificate_count = result->tracked,
					.last_success_s = clock_now_s()});
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	fake_clock_set_now_s(NOW_S);
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	fake_call_reset();
	fake_store_reset();
	fixture.aws = aws_new(fixture.loop, NULL, "test");
	fixture.client = aws_client_new(fixture.aws, NULL, ACCOUNT, NULL);
	fixture.store = temp_store_open(fixture.loop, fixture.folder);
	fixture.acm = (struct fake_acm){.account_id = ACCOUNT, .region = "eu-west-1"};
	fake_acm_install(&fixture.acm);
	fixture.options = (struct acm_scan_options){.client = fixture.client,
		.store = fixture.store,
		.connector = "prod",
		.partition = "aws",
		.account_id = ACCOUNT,
		.region = "eu-west-1",
		.import = {.mode = IMPORT_ALL},
		.detail_max_age_s = 7 * DAY_S,
		.lacks_origins = &fixture.lacks_origins,
		.also_write = write_coverage,
		.arg = &fixture};
	*state = &fixture;
	return 0;
}

/* Also what every test ends with: nothing is left waiting. */
static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	assert_null(fixture->scan);
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_store_waiting_count(), 0);
	assert_int_equal(fake_loop_timer_count(), 0);
	store_close(fixture->store);
	aws_client_free(fixture->client);
	aws_free(fixture->aws);
	fake_call_reset();
	loop_free(fixture->loop);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

static void on_done(void *arg, const struct acm_scan_result *result, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->scan = NULL;
	fixture->ends++;
	assert_true((result == NULL) != (err == NULL));
	fixture->result = result != NULL ? *result : (struct acm_scan_result){.listed = -1};
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static void start(struct fixture *fixture)
{
	fixture->ends = 0;
	fixture->calls_before = fake_call_count();
	fixture->scan = acm_scan_start(&fixture->options, on_done);
	assert_int_equal(fixture->ends, 0); /* never from start */
}

static void run(struct fixture *fixture)
{
	start(fixture);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
}

static void run_well(struct fixture *fixture)
{
	run(fixture);
	if (fixture->err.kind != ERR_NONE)
		fail_msg("the scan failed: %s", fixture->err.text);
}

static void expect_error(const struct fixture *fixture, enum err_kind kind, const char *text)
{
	assert_int_equal(fixture->err.kind, kind);
	if (strstr(fixture->err.text, text) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fixture->err.text, text);
}

/* Calls of the last scan. */
static size_t calls(const struct fixture *fixture, const char *operation)
{
	size_t count = 0;
	for (size_t i = fixture->calls_before; i < fake_call_count(); i++)
		count += strcmp(fake_call_record(i)->operation, operation) == 0;
	return count;
}

static void expect_calls(
	const struct fixture *fixture, size_t lists, size_t describes, size_t gets, size_t tags)
{
	assert_int_equal(calls(fixture, LIST), lists);
	assert_int_equal(calls(fixture, DETAIL), describes);
	assert_int_equal(calls(fixture, PEM), gets);
	assert_int_equal(calls(fixture, TAGS), tags);
}

static void expect_result(const struct fixture *fixture, int64_t listed, int64_t tracked,
	int64_t appeared, int64_t changed, int64_t gone)
{
	assert_int_equal(fixture->result.listed, listed);
	assert_int_equal(fixture->result.tracked, tracked);
	assert_int_equal(fixture->result.appeared, appeared);
	assert_int_equal(fixture->result.changed, changed);
	assert_int_equal(fixture->result.gone, gone);
}

/* --- looking into the store ------------------------------------------------------------------- */

static struct store_txn *begin(struct fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	return txn;
}

/* "a ISSUED", one a line, with "gone" and the mark's text where they apply. Owned. */
static char *stored(struct fixture *fixture)
{
	struct store_txn *txn = begin(fixture);
	struct buf text;
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	buf_init(&text, 1 << 20);
	while (store_cert_next_in_region(txn, "aws", "eu-west-1", ACCOUNT, position, &record))
		buf_addf(&text, "%s %s%s%s%s\n", record.arn + strlen(PREFIX), record.status,
			record.gone_s != 0 ? " gone" : "",
			record.detail_error[0] != '\0' ? " " : "", record.detail_error);
	store_read_end(txn);
	return buf_take(&text);
}

static void expect_stored(struct fixture *fixture, const char *expected)
{
	char *text = stored(fixture);
	assert_string_equal(text, expected);
	free(text);
}

/* "certificate_appeared a: detail" of all but the store's own. Owned. */
static char *events(struct fixture *fixture, uint64_t from)
{
	struct store_txn *txn = begin(fixture);
	struct buf text;
	struct event_record event;
	buf_init(&text, 1 << 20);
	while (store_event_get_from(txn, from, &event)) {
		from = event.sequence + 1;
		if (event.kind == EVENT_STORE_CREATED)
			continue;
		assert_string_equal(event.connector, "prod");
		assert_string_equal(event.account_id, ACCOUNT);
		assert_string_equal(event.region, "eu-west-1");
		assert_string_equal(event.subject, "www.example.com");
		buf_addf(&text, "%s %s: %s\n", event_kind_name(event.kind),
			event.arn + strlen(PREFIX), event.detail);
	}
	store_read_end(txn);
	return buf_take(&text);
}

static uint64_t last_event(struct fixture *fixture)
{
	struct store_txn *txn = begin(fixture);
	struct event_record event = {.sequence = 0};
	(void)store_event_get_last(txn, 0, &event); /* none: 0 */
	uint64_t sequence = event.sequence;
	store_read_end(txn);
	return sequence;
}

static void expect_events(struct fixture *fixture, uint64_t after, const char *expected)
{
	char *text = events(fixture, after + 1);
	assert_string_equal(text, expected);
	free(text);
}

/* Everything that a scan could change, as one text. Owned. */
static char *snapshot(struct fixture *fixture)
{
	char *certs = stored(fixture), *log = events(fixture, 1);
	struct store_txn *txn = begin(fixture);
	struct coverage_record coverage;
	bool is_covered = store_coverage_get(txn, "prod", ACCOUNT, "eu-west-1", &coverage);
	char *all = xasprintf(
		"%s%s%lld", certs, log, (long long)(is_covered ? coverage.last_success_s : -1));
	store_read_end(txn);
	free(certs);
	free(log);
	return all;
}

static void expect_snapshot(struct fixture *fixture, const char *before)
{
	char *after = snapshot(fixture);
	assert_string_equal(after, before);
	free(after);
}

/* The stored record, whose texts live until the txn ends. */
static struct cert_record read_cert(struct store_txn *txn, const char *id)
{
	struct cert_record record;
	char *arn = xasprintf("%s%s", PREFIX, id);
	assert_true(store_cert_get(txn, arn, &record));
	free(arn);
	return record;
}

static void pass_days(int days)
{
	fake_clock_advance_ms((int64_t)days * DAY_S * 1000);
}

/* --- what a scan finds ------------------------------------------------------------------------ */

static void empty_region_is_a_proven_zero(void **state)
{
	struct fixture *fixture = *state;
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	expect_result(fixture, 0, 0, 0, 0, 0);
	struct store_txn *txn = begin(fixture);
	struct coverage_record coverage;
	assert_true(store_coverage_get(txn, "prod", ACCOUNT, "eu-west-1", &coverage));
	assert_int_equal(coverage.certificate_count, 0);
	store_read_end(txn);
}

static void new_certificates_are_read_in_full_and_stored(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->pem = "san-kinds";
	a->chain = b->chain = "chain-intermediate,chain-root";
	a->tag = "pki";
	a->in_use_by = "arn:lb";
	run_well(fixture);
	expect_calls(fixture, 1, 2, 2, 2);
	expect_result(fixture, 2, 2, 2, 0, 0);
	assert_int_equal(fixture->result.described, 2);
	assert_int_equal(fixture->result.detail_failed, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	expect_events(fixture, 1,
		"certificate_appeared a: type: AMAZON_ISSUED; status: ISSUED; "
		"not_after: 2027-12-23T06:23:15Z; serial: "
		"79f058a5fcc10c1a588d7966510c1fdc11f1b2d8\n"
		"certificate_appeared b: type: AMAZON_ISSUED; status: ISSUED; "
		"not_after: 2027-12-23T06:23:12Z; serial: "
		"793fcb711e8dd17b241c369b68b0eda27b628063\n");
	struct store_txn *txn = begin(fixture);
	struct cert_record record = read_cert(txn, "a");
	const void *der;
	size_t len;
	assert_true(record.in_use);
	assert_string_equal(pack_first(&record.tags), "team");
	assert_int_equal(record.chain_count, 2);
	assert_true(store_pem_get(txn, record.fingerprint_sha256, &der, &len));
	assert_true(store_pem_get(txn, record.chain_sha256[0], &der, &len));
	assert_true(store_pem_get(txn, record.chain_sha256[1], &der, &len));
	assert_int_equal(record.first_seen_s, NOW_S);
	assert_int_equal(record.detailed_s, NOW_S);
	store_read_end(txn);
}

static void unchanged_region_costs_its_pages_and_writes_one_record(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id);
	}
	fixture->acm.page_size = 3;
	run_well(fixture);
	expect_calls(fixture, 4, 10, 10, 10);
	char *before = stored(fixture);
	uint64_t last = last_event(fixture);
	pass_days(1);
	run_well(fixture);
	expect_calls(fixture, 4, 0, 0, 0);
	expect_result(fixture, 10, 10, 0, 0, 0);
	expect_stored(fixture, before);
	assert_int_equal(last_event(fixture), last);
	struct store_txn *txn = begin(fixture);
	assert_int_equal(read_cert(txn, "00").detailed_s, NOW_S);
	store_read_end(txn);
	free(before);
}

static void one_changed_certificate_costs_three_calls(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	run_well(fixture);
	uint64_t last = last_event(fixture);
	b->in_use_by = "arn:lb";
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 1, 0);
	expect_events(
		fixture, last, "certificate_changed b: in_use: no -> yes; in_use_by: +arn:lb\n");
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void renewal_and_reimport_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	b->type = "IMPORTED";
	run_well(fixture);
	uint64_t last = last_event(fixture);
	a->pem = b->pem = "san-wildcard";
	run_well(fixture);
	expect_result(fixture, 2, 2, 0, 2, 0);
	char *text = events(fixture, last + 1);
	assert_non_null(strstr(text,
		"certificate_renewed a: serial: 793fcb711e8dd17b241c369b68b0eda27b628063 -> "
		"6dbed0995678c121105a602acd9d3878a76f180d; "));
	assert_non_null(strstr(text, "certificate_reimported b: serial: "));
	free(text);
	struct store_txn *txn = begin(fixture);
	struct cert_history history;
	uint32_t position = 0;
	int serials = 0;
	while (store_history_next(txn, PREFIX "a", &position, &history))
		serials++;
	assert_int_equal(serials, 2);
	store_read_end(txn);
}

static void gone_is_told_once_and_return_as_well(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	run_well(fixture);
	uint64_t last = last_event(fixture);
	a->is_listed = false;
	for (int i = 0; i < 2; i++) {
		run_well(fixture);
		expect_result(fixture, 1, 1, 0, 0, i == 0 ? 1 : 0);
		expect_stored(fixture, "a ISSUED gone\nb ISSUED\n");
		expect_events(fixture, last, "certificate_gone a: \n");
	}
	last = last_event(fixture);
	a->is_listed = true;
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 1, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	expect_events(fixture, last, "certificate_returned a: \n");
}

static void expiry_is_told_once(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->type = "IMPORTED";
	run_well(fixture);
	uint64_t last = last_event(fixture);
	fake_clock_set_now_s(1829542992 - 1); /* a second before its end */
	run_well(fixture);
	expect_events(fixture, last, "");
	fake_clock_advance_ms(3600 * 1000);
	for (int i = 0; i < 2; i++) {
		run_well(fixture);
		expect_events(fixture, last, "certificate_expired a: \n");
		fake_clock_advance_ms(3600 * 1000);
	}
	last = last_event(fixture);
	a->status = "EXPIRED"; /* ACM notices later */
	run_well(fixture);
	expect_events(fixture, last, "certificate_changed a: status: ISSUED -> EXPIRED\n");
}

static void policy_keeps_out_only_what_is_new(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	b->status = "REVOKED";
	fixture->options.import.mode = IMPORT_VALID;
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 1, 1, 0, 0);
	expect_stored(fixture, "a ISSUED\n");
	a->status = "REVOKED"; /* what is in is tracked */
	run_well(fixture);
	expect_result(fixture, 2, 1, 0, 1, 0);
	expect_stored(fixture, "a REVOKED\n");
}

static void renewal_in_progress_is_followed_each_cycle(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fixture->options.detail_max_age_s = 365 * (int64_t)DAY_S;
	fake_clock_set_now_s(1829542992 - 40 * DAY_S);
	run_well(fixture);
	uint64_t last = last_event(fixture);
	run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	expect_events(fixture, last, "");
	a->renewal_status = "PENDING_AUTO_RENEWAL";
	pass_days(1);
	run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	expect_result(fixture, 1, 1, 0, 1, 0);
	expect_events(fixture, last,
		"certificate_changed a: renewal_status: none -> PENDING_AUTO_RENEWAL\n");
	a->type = "IMPORTED"; /* which changes the summary, once */
	run_well(fixture);
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void pending_certificate_is_followed_until_it_is_issued(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	a->status = "PENDING_VALIDATION";
	a->pem = NULL;
	run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 1);
	run_well(fixture);
	expect_calls(fixture, 1, 1, 0, 0);
	a->status = "ISSUED";
	a->pem = "rsa-2048";
	uint64_t last = last_event(fixture);
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	char *text = events(fixture, last + 1);
	assert_true(text_has_prefix(text, "certificate_changed a: serial: none -> 793fcb71"));
	assert_non_null(strstr(text, "status: PENDING_VALIDATION -> ISSUED"));
	free(text);
}

static void details_are_refreshed_at_their_greatest_age(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	run_well(fixture);
	uint64_t last = last_event(fixture);
	a->tag = "pki"; /* nothing in the list shows it */
	pass_days(1);
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	pass_days(6);
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	expect_events(fixture, last, "certificate_changed a: tags: +team=pki\n");
	pass_days(7);
	run_well(fixture); /* nothing new, but the date is noted: the next time costs nothing */
	expect_calls(fixture, 1, 1, 1, 1);
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void certificate_of_a_former_connector_is_taken_over_without_a_call(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	fixture->options.connector = "former";
	fixture->options.also_write = NULL;
	run_well(fixture);
	fixture->options.connector = "prod";
	uint64_t last = last_event(fixture);
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
	expect_result(fixture, 1, 1, 0, 0, 0);
	assert_int_equal(last_event(fixture), last);
	struct store_txn *txn = begin(fixture);
	assert_string_equal(read_cert(txn, "a").connector, "prod");
	store_read_end(txn);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void every_page_is_asked_for_with_the_same_request(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id);
	}
	fixture->acm.page_size = 2;
	run_well(fixture);
	const char *first = fake_call_record(0)->body;
	assert_non_null(strstr(first, "EC_secp521r1"));
	assert_non_null(strstr(first, "\"ACME\""));
	for (size_t i = 1; i < 3; i++) {
		char *body = xstrdup(fake_call_record(i)->body);
		char *token = strstr(body, ",\"NextToken\":");
		assert_non_null(token);
		assert_int_equal(strlen(strchr(token, '}')), 1);
		text_copy(token, strlen(token) + 1, "}");
		assert_string_equal(body, first);
		free(body);
	}
}

#define ANY(name)	   (&(struct fake_match){.operation = name})
#define ITEM(id)	   "{\"CertificateArn\": \"" PREFIX id "\", \"Status\": \"ISSUED\"}"
#define PAGE(items, token) "{\"CertificateSummaryList\": [" items "], \"NextToken\": \"" token "\"}"

static void script_details(void)
{
	fake_call_fail_always(ANY(DETAIL), ERR_REFUSED, "InvalidArnException", "no such one");
	fake_call_fail_always(ANY(PEM), ERR_REFUSED, "InvalidArnException", "no such one");
	fake_call_reply_always(ANY(TAGS), "{\"Tags\": []}");
}

static void short_empty_and_overlapping_pages_are_read_to_the_end(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	script_details();
	fake_call_reply(ANY(LIST), PAGE("", "t1"));
	fake_call_reply(ANY(LIST), PAGE(ITEM("b"), "t2"));
	fake_call_reply(ANY(LIST), PAGE("", "t3"));
	fake_call_reply(ANY(LIST), PAGE(ITEM("b") "," ITEM("a"), "t4"));
	fake_call_reply(ANY(LIST), PAGE("", ""));
	run_well(fixture);
	expect_calls(fixture, 5, 2, 2, 2);
	expect_result(fixture, 2, 2, 2, 0, 0);
}

static void token_that_repeats_ends_the_scan(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply_always(ANY(LIST), PAGE(ITEM("a"), "same"));
	run(fixture);
	expect_error(fixture, ERR_PROTOCOL, "ListCertificates page 2: the answer's NextToken");
	expect_calls(fixture, 2, 0, 0, 0);
	expect_stored(fixture, "");
}

/* A fresh token each time; the page is arg, or new certificates each time when it is NULL. */
static bool answer_without_end(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	static int number;
	const char *page = arg;
	struct buf items;
	(void)call;
	(void)err;
	buf_init(&items, 1 << 20);
	if (page != NULL)
		buf_add_text(&items, page);
	for (int i = 0; page == NULL && i < 1000; i++)
		buf_addf(&items, "%s{\"CertificateArn\": \"" PREFIX "%d\"}", i > 0 ? "," : "",
			number * 1000 + i);
	*ret_body = xasprintf("{\"CertificateSummaryList\": [%s], \"NextToken\": \"t%d\"}",
		buf_text(&items), number++);
	buf_clear(&items);
	return true;
}

static void endless_pages_end_the_scan(void **state)
{
	struct fixture *fixture = *state;
	static char empty[] = "", same[] = ITEM("a");
	fake_call_set_answerer(answer_without_end, empty);
	run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 2000 pages");
	expect_calls(fixture, ACM_SCAN_PAGES_MAX, 0, 0, 0);
	fake_call_set_answerer(answer_without_end, same);
	run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 2000 pages");
	expect_stored(fixture, "");
}

static void number_of_certificates_is_limited(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(answer_without_end, NULL);
	run(fixture);
	expect_error(fixture, ERR_LIMIT, "more than 20000 certificates");
	expect_calls(fixture, 21, 0, 0, 0);
}

static void foreign_certificate_ends_the_scan(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply(ANY(LIST), PAGE(ITEM("a"), "t1"));
	fake_call_reply(ANY(LIST), "{\"CertificateSummaryList\": [{\"CertificateArn\": "
				   "\"arn:aws:acm:eu-west-1:999999999999:certificate/a\"}]}");
	run(fixture);
	expect_error(fixture, ERR_PROTOCOL, "page 2: ACM listed \"arn:aws:acm:eu-west-1:9999");
	expect_stored(fixture, "");
}

static void answers_that_lie_end_the_scan(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lies[] = {"<html>", "{\"CertificateSummaryList\": 7}",
		"{\"CertificateSummaryList\": [{\"CertificateArn\": 7}]}", "{}"};
	fake_call_set_answerer(NULL, NULL);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fake_call_reply(ANY(LIST), lies[i]);
		run(fixture);
		assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
	}
}

/* --- partitions without the newest parameter -------------------------------------------------- */

static void partition_that_refuses_origins_is_asked_without(void **state)
{
	struct fixture *fixture = *state;
	fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	fixture->acm.refuses_origins = true;
	fixture->acm.page_size = 1;
	run_well(fixture);
	assert_true(fixture->lacks_origins);
	expect_calls(fixture, 3, 2, 2, 2);
	run_well(fixture); /* and is remembered */
	expect_calls(fixture, 2, 0, 0, 0);
	fixture->options.lacks_origins = NULL; /* nobody to remember */
	run_well(fixture);
	expect_calls(fixture, 3, 0, 0, 0);
}

static void refusal_for_another_reason_is_not_remembered(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_fail_always(ANY(LIST), ERR_REFUSED, "SerializationException", "I do not like it");
	run(fixture);
	expect_error(fixture, ERR_REFUSED, "I do not like it");
	assert_false(fixture->lacks_origins);
	expect_calls(fixture, 2, 0, 0, 0);
}

static void refusal_of_a_later_page_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_reply(ANY(LIST), PAGE("", "t1"));
	fake_call_fail(ANY(LIST), ERR_REFUSED, "ValidationException", "stale token");
	run(fixture);
	expect_error(fixture, ERR_REFUSED, "stale token");
	expect_calls(fixture, 2, 0, 0, 0);
}

static void other_refusals_are_errors_at_once(void **state)
{
	struct fixture *fixture = *state;
	fake_call_set_answerer(NULL, NULL);
	fake_call_fail(ANY(LIST), ERR_REFUSED, "InvalidArgsException", "no");
	run(fixture);
	expect_error(fixture, ERR_REFUSED, "no");
	fake_call_fail(ANY(LIST), ERR_DENIED, "ValidationException", "denied");
	run(fixture);
	expect_error(fixture, ERR_DENIED, "denied");
	expect_calls(fixture, 1, 0, 0, 0);
}

/* --- failures --------------------------------------------------------------------------------- */

static struct err failure(enum err_kind kind, const char *text)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "%s", text);
	return err;
}

static void certificate_whose_details_fail_is_kept_with_a_mark(void **state)
{
	struct fixture *fixture = *state;
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	fake_acm_add(&fixture->acm, "b");
	a->describe_err = failure(ERR_REFUSED, "it is damaged");
	run_well(fixture);
	expect_result(fixture, 2, 2, 2, 0, 0);
	assert_int_equal(fixture->result.described, 1);
	assert_int_equal(fixture->result.detail_failed, 1);
	expect_stored(fixture, "a ISSUED it is damaged\nb ISSUED\n");
	run_well(fixture); /* tried again, only this one, and not told again */
	expect_calls(fixture, 1, 1, 1, 1);
	expect_result(fixture, 2, 2, 0, 0, 0);
	assert_int_equal(fixture->result.detail_failed, 1);
	a->describe_err = (struct err)ERR_INIT;
	run_well(fixture);
	expect_calls(fixture, 1, 1, 1, 1);
	assert_int_equal(fixture->result.detail_failed, 0);
	expect_stored(fixture, "a ISSUED\nb ISSUED\n");
	run_well(fixture);
	expect_calls(fixture, 1, 0, 0, 0);
}

static void operation_that_is_denied_is_not_asked_for_every_certificate(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id)->tags_err = failure(ERR_DENIED, "no tags");
	}
	run_well(fixture);
	expect_result(fixture, 30, 30, 30, 0, 0);
	assert_int_equal(fixture->result.detail_failed, 30);
	assert_int_equal(calls(fixture, DETAIL), 30);
	assert_int_equal(calls(fixture, PEM), 30);
	assert_in_range(calls(fixture, TAGS), 8, 8 + ACM_SCAN_DETAILS_AT_ONCE);
}

static void certificates_are_kept_when_nothing_may_be_asked_about_them(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 30; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		struct fake_acm_cert *cert = fake_acm_add(&fixture->acm, id);
		cert->describe_err = cert->get_err = cert->tags_err =
			failure(ERR_DENIED_BY_SCP, "no");
	}
	run_well(fixture);
	expect_result(fixture, 30, 30, 30, 0, 0);
	assert_int_equal(fixture->result.described, 0);
	assert_int_equal(fixture->result.detail_failed, 30);
	assert_in_range(calls(fixture, DETAIL), 8, 8 + ACM_SCAN_DETAILS_AT_ONCE);
	struct store_txn *txn = begin(fixture);
	assert_string_equal(read_cert(txn, "29").detail_error, "no; no; no");
	store_read_end(txn);
}

/* One certificate that changed, one new, one gone, on two pages, with something to lose. */
static void make_change(struct fixture *fixture)
{
	struct fake_acm_cert *a = fake_acm_add(&fixture->acm, "a");
	struct fake_acm_cert *b = fake_acm_add(&fixture->acm, "b");
	fake_acm_add(&fixture->acm, "c");
	run_well(fixture);
	pass_days(1);
	a->status = "INACTIVE";
	b->is_listed = false;
	fake_acm_add(&fixture->acm, "d");
	fixture->acm.page_size = 2;
}

static void every_call_may_lose_the_connection(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {
		ERR_UNREACHABLE, ERR_CREDENTIALS, ERR_ROLE, ERR_STOPPED};
	make_change(fixture);
	char *before = snapshot(fixture);
	size_t n = 1;
	for (;; n++) {
		fake_call_fail_at(n, kinds[n % 4], "Code");
		run(fixture);
		if (fixture->err.kind == ERR_NONE)
			break;
		assert_int_equal(fixture->err.kind, kinds[n % 4]);
		assert_string_equal(fixture->err.code, "Code");
		expect_snapshot(fixture, before);
	}
	assert_int_equal(n, 2 + 2 * 3 + 1); /* two pages, two certificates */
	expect_stored(fixture, "a INACTIVE\nb ISSUED gone\nc ISSUED\nd ISSUED\n");
	free(before);
}

static void page_that_fails_deletes_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_CONFIG, ERR_SYSTEM, ERR_LIMIT, ERR_PROTOCOL,
		ERR_UNREACHABLE, ERR_TIMEOUT, ERR_THROTTLED, ERR_DENIED, ERR_DENIED_BY_SCP,
		ERR_ROLE, ERR_CREDENTIALS, ERR_NOT_FOUND, ERR_REFUSED, ERR_SERVICE};
	make_change(fixture);
	char *before = snapshot(fixture);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size_t page = 1; page <= 2; page++) {
			fake_call_fail_at(page, kinds[i], "");
			run(fixture);
			assert_int_equal(fixture->err.kind, kinds[i]);
			expect_snapshot(fixture, before);
		}
	}
	free(before);
}

static void every_detail_may_fail_by_itself(void **state)
{
	struct fixture *fixture = *state;
	make_change(fixture);
	for (size_t n = 3; n <= 8; n++) { /* behind the two pages */
		fake_call_fail_at(n, ERR_SERVICE, "InternalFailure");
		run_well(fixture);
		assert_int_equal(fixture->result.detail_failed, 1);
		run_well(fixture); /* mends it */
		assert_int_equal(fixture->result.detail_failed, 0);
		fixture->acm.cert[0].status = n % 2 == 0 ? "INACTIVE" : "REVOKED";
		fixture->acm.cert[3].status = n % 2 == 0 ? "INACTIVE" : "REVOKED";
	}
}

static void write_that_fails_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_STORE_FULL, ERR_STORE, ERR_SYSTEM};
	make_change(fixture);
	char *before = snapshot(fixture);
	for (size_t i = 0; i < 3; i++) {
		fake_store_fail_at(1, kinds[i]);
		run(fixture);
		assert_int_equal(fixture->err.kind, kinds[i]);
		expect_snapshot(fixture, before);
	}
	run_well(fixture);
	expect_result(fixture, 3, 3, 1, 1, 1);
	free(before);
}

static void every_wait_may_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	make_change(fixture);
	char *before = snapshot(fixture);
	fake_call_set_manual(true);
	size_t n = 0;
	for (;; n++) {
		start(fixture);
		for (size_t i = 0; i < n && fake_call_deliver(); i++)
			continue;
		bool is_writing = fake_store_waiting_count() == 1;
		acm_scan_cancel(fixture->scan);
		fixture->scan = NULL;
		fake_loop_run_ready();
		assert_int_equal(fixture->ends, 0);
		assert_int_equal(fake_call_pending(), 0);
		expect_snapshot(fixture, before);
		if (is_writing)
			break;
	}
	assert_int_equal(n, 2 + 2 * 3);
	assert_int_equal(fake_store_cancel_count(), 1);
	acm_scan_cancel(NULL);
	free(before);
}

static void details_are_asked_for_a_few_at_once(void **state)
{
	struct fixture *fixture = *state;
	char id[8];
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "%02d", i);
		fake_acm_add(&fixture->acm, id);
	}
	fake_call_set_manual(true);
	start(fixture);
	assert_int_equal(fake_call_pending(), 1);
	assert_true(fake_call_deliver());
	for (int i = 0; i < 20 * 3; i++) {
		/* full until the last certificate has begun, then fewer */
		size_t begun = calls(fixture, DETAIL), pending = fake_call_pending();
		assert_in_range(pending, begun < 20 ? ACM_SCAN_DETAILS_AT_ONCE : 1,
			ACM_SCAN_DETAILS_AT_ONCE);
		assert_true(fake_call_deliver());
	}
	assert_int_equal(fake_call_pending(), 0);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
	expect_result(fixture, 20, 20, 20, 0, 0);
}

int main(void)
{
#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCAN_TEST(empty_region_is_a_proven_zero),
		SCAN_TEST(new_certificates_are_read_in_full_and_stored),
		SCAN_TEST(unchanged_region_costs_its_pages_and_writes_one_record),
		SCAN_TEST(one_changed_certificate_costs_three_calls),
		SCAN_TEST(renewal_and_reimport_are_told_apart),
		SCAN_TEST(gone_is_told_once_and_return_as_well),
		SCAN_TEST(expiry_is_told_once),
		SCAN_TEST(policy_keeps_out_only_what_is_new),
		SCAN_TEST(renewal_in_progress_is_followed_each_cycle),
		SCAN_TEST(pending_certificate_is_followed_until_it_is_issued),
		SCAN_TEST(details_are_refreshed_at_their_greatest_age),
		SCAN_TEST(certificate_of_a_former_connector_is_taken_over_without_a_call),
		SCAN_TEST(every_page_is_asked_for_with_the_same_request),
		SCAN_TEST(short_empty_and_overlapping_pages_are_read_to_the_end),
		SCAN_TEST(token_that_repeats_ends_the_scan),
		SCAN_TEST(endless_pages_end_the_scan),
		SCAN_TEST(number_of_certificates_is_limited),
		SCAN_TEST(foreign_certificate_ends_the_scan),
		SCAN_TEST(answers_that_lie_end_the_scan),
		SCAN_TEST(partition_that_refuses_origins_is_asked_without),
		SCAN_TEST(refusal_for_another_reason_is_not_remembered),
		SCAN_TEST(refusal_of_a_later_page_is_an_error),
		SCAN_TEST(other_refusals_are_errors_at_once),
		SCAN_TEST(certificate_whose_details_fail_is_kept_with_a_mark),
		SCAN_TEST(operation_that_is_denied_is_not_asked_for_every_certificate),
		SCAN_TEST(certificates_are_kept_when_nothing_may_be_asked_about_them),
		SCAN_TEST(every_call_may_lose_the_connection),
		SCAN_TEST(page_that_fails_deletes_nothing),
		SCAN_TEST(every_detail_may_fail_by_itself),
		SCAN_TEST(write_that_fails_changes_nothing),
		SCAN_TEST(every_wait_may_be_cancelled),
		SCAN_TEST(details_are_asked_for_a_few_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
