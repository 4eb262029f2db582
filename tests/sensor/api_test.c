/* The local API over a real socket: the test is its own client, turn by turn of the loop. */
#include "sensor/api.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/api_internal.h"
#include "sensor/tally.h"
#include "store/certs.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/api_client.h"

enum { CERTIFICATES = 600 };

struct fixture {
	char *folder, *socket_path;
	struct loop *loop;
	struct store *store;
	struct api *api;
	char asked[256]; /* what the backend was asked for */
	int slices;	 /* of metrics */
	bool is_too_long;
	struct api_client client;
};

/* --- a backend --------------------------------------------------------------------------------- */

static int counts_left; /* slices until the counts are there */

static bool count(void *arg, struct store_txn *txn)
{
	(void)arg, (void)txn;
	return --counts_left < 0;
}

static void write_status(
	void *arg, struct store_txn *txn, const struct tally *tally, struct json_writer *writer)
{
	(void)arg, (void)txn;
	assert_int_equal(counts_left, -1); /* asked for until they were there, and not again */
	counts_left = 3;
	json_open_object(writer);
	json_member_int(writer, "pairs", tally->pairs);
	json_close_object(writer);
}

static void write_list(void *arg, struct json_writer *writer)
{
	(void)arg;
	json_open_array(writer);
	json_text(writer, "one");
	json_close_array(writer);
}

static int ask(void *arg, const struct api_scan *scan, struct json_writer *writer, struct err *err)
{
	struct fixture *fixture = arg;
	(void)snprintf(fixture->asked, sizeof(fixture->asked), "%s/%s/%s by %ld", scan->connector,
		scan->account_id, scan->region, scan->uid);
	if (strcmp(scan->connector, "busy") == 0)
		return err_set(err, ERR_REFUSED, "not now");
	write_list(arg, writer);
	return 0;
}

static void set_log(void *arg, const struct api_log *log)
{
	struct fixture *fixture = arg;
	(void)snprintf(fixture->asked, sizeof(fixture->asked), "log %s for %d by %ld",
		log->is_default ? "default" : log_level_name(log->level), (int)log->for_s,
		log->uid);
}

static bool write_metrics(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to)
{
	struct fixture *fixture = arg;
	assert_non_null(txn);
	if (++fixture->slices < 3)
		return false;
	if (fixture->is_too_long)
		for (size_t i = 0; i <= API_DOCUMENT_MAX; i++)
			buf_add_char(to, 'x');
	buf_add_text(to, format == OPENMETRICS_CLASSIC ? "classic" : "openmetrics");
	return true;
}

static const struct api_backend backend = {.count = count,
	.status = write_status,
	.progress = write_list,
	.config = write_list,
	.log = write_list,
	.set_log = set_log,
	.metrics = write_metrics,
	.scan = ask};

/* --- set up ------------------------------------------------------------------------------------ */

static void fill(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTIFICATES; i++)
		sample_cert_put(txn, i);
}

static struct api *open_api(struct fixture *fixture, struct err *err)
{
	return api_new(&(struct api_options){.loop = fixture->loop,
			       .store = fixture->store,
			       .socket_path = fixture->socket_path,
			       .backend = &backend,
			       .arg = fixture},
		err);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct err err = ERR_INIT;
	fixture = (struct fixture){.folder = temp_folder_new(), .loop = loop_new(&err)};
	char *data_dir = temp_path(fixture.folder, "data");
	fixture.socket_path = temp_path(fixture.folder, "run/control.sock");
	fixture.store = temp_store_open(fixture.loop, data_dir);
	assert_int_equal(store_write_now(fixture.store, fill, NULL, &err), 0);
	fixture.api = open_api(&fixture, &err);
	if (fixture.api == NULL)
		fail_msg("%s", err.text);
	api_client_init(&fixture.client, fixture.loop, fixture.socket_path);
	free(data_dir);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;
	api_free(fixture->api);
	assert_int_not_equal(stat(fixture->socket_path, &st), 0);
	store_close(fixture->store);
	loop_free(fixture->loop);
	api_client_clear(&fixture->client);
	free(fixture->socket_path);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* --- answers ----------------------------------------------------------------------------------- */

static void documents_come_from_the_backend(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *path, *part;
	} document[] = {{"GET /v1/status", "{\"schema\":1,\"status\":{\"pairs\":0}}\n"},
		{"GET /v1/progress", "{\"schema\":1,\"progress\":[\"one\"]}\n"},
		{"GET /v1/config", "{\"schema\":1,\"config\":[\"one\"]}\n"},
		{"GET /v1/log", "{\"schema\":1,\"log\":[\"one\"]}\n"}};
	for (size_t i = 0; i < sizeof(document) / sizeof(document[0]); i++) {
		const char *answer = api_client_get(&fixture->client, document[i].path);
		expect_status(answer, 200);
		assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
		assert_string_equal(strstr(answer, "\r\n\r\n") + 4, document[i].part);
	}
}

static void metrics_are_no_json_and_come_in_the_format_that_is_accepted(void **state)
{
	struct fixture *fixture = *state;
	const char *answer = api_client_get(&fixture->client, "GET /metrics");
	expect_status(answer, 200);
	assert_int_equal(fixture->slices, 3);
	assert_non_null(strstr(answer, "\r\nContent-Type: " OPENMETRICS_CONTENT_TYPE "\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nopenmetrics"));
	int fd = api_client_ask(
		&fixture->client, "GET /metrics HTTP/1.0\r\nAccept: text/plain\r\n\r\n");
	(void)api_client_finish(&fixture->client, fd, false);
	answer = buf_text(&fixture->client.answer);
	assert_non_null(strstr(answer, "\r\nContent-Type: " OPENMETRICS_CLASSIC_TYPE "\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nclassic"));
	answer = api_client_get(&fixture->client, "HEAD /metrics");
	expect_status(answer, 200);
	assert_null(strstr(answer, "openmetrics\n"));
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	expect_status(api_client_post(&fixture->client, "/metrics", "{}"), 405);
	fixture->is_too_long = true;
	expect_status(api_client_get(&fixture->client, "GET /metrics"), 400); /* a limit */
}

static void lists_are_whole_documents(void **state)
{
	struct fixture *fixture = *state;
	json_t *document = body_of(api_client_get(&fixture->client, "GET /v1/certificates"));
	assert_int_equal(json_array_size(json_object_get(document, "certificates")), CERTIFICATES);
	assert_int_equal(json_integer_value(json_object_get(document, "schema")), 1);
	json_decref(document);
	const char *lines =
		strstr(api_client_get(&fixture->client, "GET /v1/certificates?format=ndjson"),
			"\r\n\r\n") +
		4;
	size_t count = 0;
	for (; (lines = strchr(lines, '\n')) != NULL; lines++)
		count++;
	assert_int_equal(count, CERTIFICATES);
	document = body_of(api_client_get(&fixture->client, "GET /v1/certificates?format=json"));
	assert_int_equal(json_array_size(json_object_get(document, "certificates")), CERTIFICATES);
	json_decref(document);
	expect_status(api_client_get(&fixture->client, "GET /v1/certificates?format=xml"), 400);
	document = body_of(api_client_get(&fixture->client, "GET /v1/accounts"));
	assert_true(json_is_array(json_object_get(document, "units")));
	json_decref(document);
}

static void keep_alive_connections_are_served_again(void **state)
{
	struct fixture *fixture = *state;
	const char *request = "GET /v1/progress HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = api_client_ask(&fixture->client, request);
	buf_reset(&fixture->client.answer);
	for (int round = 1; round <= 3; round++) {
		char *expected = xasprintf("%d", round);
		size_t answers = 0;
		while (answers < (size_t)round) {
			api_client_turn(&fixture->client);
			assert_true(api_client_receive(&fixture->client, fd));
			answers = 0;
			for (const char *at = buf_text(&fixture->client.answer);
				(at = strstr(at, "[\"one\"]")) != NULL; at++)
				answers++;
		}
		free(expected);
		assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	}
	close(fd);
	for (int i = 0; i < 100; i++)
		api_client_turn(&fixture->client);
}

static void a_log_level_is_passed_on_with_who_asks(void **state)
{
	static const struct {
		const char *body, *asked;
	} sent[] = {{"{\"level\": \"debug\"}", "log debug for 600 by "},
		{"{\"level\": \"error\", \"for_s\": 86400}", "log error for 86400 by "},
		{"{\"level\": \"default\"}", "log default for 600 by "}};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		expect_status(api_client_post(&fixture->client, "/v1/log", sent[i].body), 200);
		assert_int_equal(strncmp(fixture->asked, sent[i].asked, strlen(sent[i].asked)), 0);
	}
}

static void scan_is_passed_on_with_who_asks(void **state)
{
	struct fixture *fixture = *state;
	char expected[64];
	const char *answer = api_client_post(&fixture->client, "/v1/scan",
		"{\"connector\": \"prod\", \"account\": \"111122223333\", \"region\": \"eu-west-1\"}");
	expect_status(answer, 202);
	snprintf(expected, sizeof(expected), "prod/111122223333/eu-west-1 by %ld", (long)getuid());
	assert_string_equal(fixture->asked, expected);
	expect_status(api_client_post(&fixture->client, "/v1/scan", ""), 202);
	expect_status(
		api_client_post(&fixture->client, "/v1/scan", "{\"connector\": \"busy\"}"), 409);
}

static void mistakes_are_told_as_json(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *what;
		int status;
		const char *kind;
	} mistake[] = {{"GET /v1/nowhere", 404, "not_found"}, {"GET /v1/scan", 405, "config"},
		{"PUT /v1/status", 405, "config"}, {"GET /v1/certificates?x=1", 400, "config"},
		{"GET /v1/certificates?sort=%00", 400, "config"},
		{"GET /v1/certificates?sort=%ff", 400, "config"},
		{"GET /v1/certificate?q=nowhere.invalid", 404, "not_found"},
		{"GET /v1/events?wait_s=61", 400, "config"}};
	for (size_t i = 0; i < sizeof(mistake) / sizeof(mistake[0]); i++) {
		const char *answer = api_client_get(&fixture->client, mistake[i].what);
		expect_status(answer, mistake[i].status);
		json_t *document = body_of(answer);
		const json_t *error = json_object_get(document, "error");
		assert_string_equal(
			json_string_value(json_object_get(error, "kind")), mistake[i].kind);
		assert_non_null(json_string_value(json_object_get(error, "message")));
		json_decref(document);
	}
	expect_status(api_client_post(&fixture->client, "/v1/log", ""), 400);
	expect_status(api_client_post(&fixture->client, "/v1/log", "{\"level\": \"loud\"}"), 400);
	expect_status(api_client_post(&fixture->client, "/v1/log", "{\"level\": 1}"), 400);
	expect_status(api_client_post(
			      &fixture->client, "/v1/log", "{\"level\": \"debug\", \"for_s\": 0}"),
		400);
	expect_status(api_client_post(&fixture->client, "/v1/log",
			      "{\"level\": \"debug\", \"for_s\": 86401}"),
		400);
	expect_status(api_client_post(&fixture->client, "/v1/scan", "[1]"), 400);
	expect_status(api_client_post(&fixture->client, "/v1/scan", "{\"more\": 1}"), 400);
	expect_status(api_client_post(&fixture->client, "/v1/scan", "{\"account\": \"12\"}"), 400);
	expect_status(api_client_post(&fixture->client, "/v1/scan", "{\"region\": \"?\"}"), 400);
	assert_string_equal(fixture->asked, "");
}

static void too_many_parameters_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct buf request;
	buf_init(&request, 4096);
	buf_add_text(&request, "GET /v1/certificates?a=1");
	for (int i = 0; i < API_PARAMS_MAX; i++)
		buf_add_text(&request, "&a=1");
	expect_status(api_client_get(&fixture->client, buf_text(&request)), 400);
	buf_clear(&request);
}

static void requests_that_are_no_http_or_too_large_end_well(void **state)
{
	struct fixture *fixture = *state;
	char *huge = xcalloc(200001, 1);
	memset(huge, 'x', 200000);
	memcpy(huge, "GET /v1/status HTTP/1.0\r\nA: ", 28);
	static const char *const nonsense[] = {"\r\n\r\n", "nonsense\r\n\r\n",
		"GET /v1/status\r\n\r\n", "POST /v1/scan HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST /v1/scan HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{"};
	for (size_t i = 0; i <= sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		const char *request = i == 0 ? huge : nonsense[i - 1];
		int fd = api_client_connect(&fixture->client);
		size_t sent = 0;
		for (int k = 0; k < 200; k++) {
			ssize_t len = send(fd, request + sent, strlen(request) - sent,
				MSG_DONTWAIT | MSG_NOSIGNAL);
			sent += len > 0 ? (size_t)len : 0;
			api_client_turn(&fixture->client);
		}
		close(fd);
		api_client_turn(&fixture->client);
	}
	free(huge);
	expect_status(api_client_get(&fixture->client, "GET /v1/status"), 200);
	assert_string_equal(fixture->asked, "");
}

/* --- readers ----------------------------------------------------------------------------------- */

static size_t waiting_bytes(const struct fixture *fixture)
{
	struct evhttp_connection *connection =
		evhttp_request_get_connection(fixture->api->jobs->request);
	struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);
	return evbuffer_get_length(bufferevent_get_output(stream));
}

static void slow_reader_is_given_no_more_than_one_slice(void **state)
{
	struct fixture *fixture = *state;
	int fd = api_client_ask(&fixture->client, "GET /v1/certificates HTTP/1.0\r\n\r\n");
	size_t most = 0;
	for (int i = 0; i < 2000; i++) {
		api_client_turn(&fixture->client);
		if (fixture->api->jobs != NULL && waiting_bytes(fixture) > most)
			most = waiting_bytes(fixture);
	}
	assert_int_equal(fixture->api->job_count, 1);
	assert_in_range(most, 1, API_SLICE_BYTES + 65536);
	/* Others are served meanwhile. */
	expect_status(api_client_get(&fixture->client, "GET /v1/progress"), 200);
	/* And in the end it has everything. */
	(void)api_client_finish(&fixture->client, fd, false);
	json_t *document = body_of(buf_text(&fixture->client.answer));
	assert_int_equal(json_array_size(json_object_get(document, "certificates")), CERTIFICATES);
	json_decref(document);
	assert_int_equal(fixture->api->job_count, 0);
}

static void reader_that_goes_away_in_the_middle_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	for (int turns = 0; turns < 30; turns++) {
		int fd = api_client_ask(
			&fixture->client, "GET /v1/certificates HTTP/1.1\r\nHost: x\r\n\r\n");
		for (int i = 0; i < turns; i++)
			api_client_turn(&fixture->client);
		(void)api_client_receive(&fixture->client, fd);
		close(fd);
		for (int i = 0; i < 200 && fixture->api->job_count > 0; i++)
			api_client_turn(&fixture->client);
		assert_int_equal(fixture->api->job_count, 0);
	}
}

static void answers_under_way_are_limited(void **state)
{
	struct fixture *fixture = *state;
	int fd[API_JOBS_MAX];
	for (int i = 0; i < API_JOBS_MAX; i++)
		fd[i] = api_client_ask(
			&fixture->client, "GET /v1/events?from=99999&wait_s=60 HTTP/1.0\r\n\r\n");
	while (fixture->api->job_count < API_JOBS_MAX)
		api_client_turn(&fixture->client);
	expect_status(api_client_get(&fixture->client, "GET /v1/status"), 503);
	expect_status(api_client_get(&fixture->client, "GET /v1/progress"),
		200); /* takes no turn of its own */
	for (int i = 0; i < API_JOBS_MAX; i++)
		close(fd[i]);
	/* tear_down ends what still waits. */
}

static void append_event(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_event_append(txn, &(struct event_record){.at_s = SAMPLE_NOW_S,
					.kind = EVENT_OPERATOR,
					.connector = "",
					.account_id = "",
					.region = "",
					.arn = "",
					.subject = "",
					.detail = "the new one"});
}

static void event_that_is_waited_for_ends_the_wait(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	char request[128];
	assert_int_equal(store_get_stats(fixture->store, &stats, &err), 0);
	snprintf(request, sizeof(request), "GET /v1/events?from=%lld&wait_s=60 HTTP/1.0\r\n\r\n",
		(long long)stats.events + 1);
	int fd = api_client_ask(&fixture->client, request);
	while (fixture->api->job_count == 0)
		api_client_turn(&fixture->client);
	for (int i = 0; i < 20; i++)
		api_client_turn(&fixture->client);
	assert_int_equal(fixture->api->job_count, 1);
	assert_int_equal(store_write_now(fixture->store, append_event, NULL, &err), 0);
	(void)api_client_finish(&fixture->client, fd, true);
	assert_non_null(strstr(buf_text(&fixture->client.answer), "the new one"));
}

/* --- a job that fails in the middle ------------------------------------------------------------- */

static void clear_nothing(struct api_job *job)
{
	(void)job;
}

static void send_then_fail(struct api_job *job)
{
	struct err err = ERR_INIT;
	struct buf bytes;
	if (job->has_begun) {
		(void)err_set(&err, ERR_STORE, "broken");
		api_job_fail(job, &err);
		return;
	}
	buf_init(&bytes, 64);
	buf_add_text(&bytes, "{\"schema\":1,");
	api_job_send(job, &bytes);
	buf_clear(&bytes);
}

static void start_failing_job(struct evhttp_request *request, void *arg)
{
	struct api_job *job = xcalloc(1, sizeof(*job));
	assert_true(api_job_begin(arg, request, job, send_then_fail, clear_nothing));
}

static void answer_that_breaks_off_has_no_final_chunk(void **state)
{
	struct fixture *fixture = *state;
	evhttp_set_gencb(fixture->api->http, start_failing_job, fixture->api);
	int fd = api_client_ask(&fixture->client, "GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n");
	(void)api_client_finish(&fixture->client, fd, false);
	const char *answer = buf_text(&fixture->client.answer);
	expect_status(answer, 200);
	assert_non_null(strstr(answer, "Transfer-Encoding: chunked"));
	assert_non_null(strstr(answer, "{\"schema\":1,"));
	assert_null(strstr(answer, "\r\n0\r\n"));
	assert_int_equal(fixture->api->job_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(documents_come_from_the_backend),
		TEST(metrics_are_no_json_and_come_in_the_format_that_is_accepted),
		TEST(lists_are_whole_documents),
		TEST(keep_alive_connections_are_served_again),
		TEST(scan_is_passed_on_with_who_asks),
		TEST(a_log_level_is_passed_on_with_who_asks),
		TEST(mistakes_are_told_as_json),
		TEST(too_many_parameters_are_refused),
		TEST(requests_that_are_no_http_or_too_large_end_well),
		TEST(slow_reader_is_given_no_more_than_one_slice),
		TEST(reader_that_goes_away_in_the_middle_is_forgotten),
		TEST(answers_under_way_are_limited),
		TEST(event_that_is_waited_for_ends_the_wait),
		TEST(answer_that_breaks_off_has_no_final_chunk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
