/* Requests that were made: shown again as they were answered, and dropped with their key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "tests/lib/sample_delivery.h"
#include "tests/sensor/desk_fixture.h"

static void make(const char *domain, char ret_id[DELIVERY_ID_MAX + 1])
{
	char body[128];
	(void)snprintf(body, sizeof(body), "{'domains': ['%s'], 'key_type': 'ec256'}", domain);
	desk_fixture_run(&desk, DESK_CSR, body);
	(void)text_copy(ret_id, DELIVERY_ID_MAX + 1, desk_fixture_text(&desk, "csr", "id"));
}

/* id: NULL for all. Borrowed until the next. */
static const char *shown(const char *id)
{
	static char text[65536];
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct json_writer writer;
	struct buf out;
	char position[DELIVERY_ID_MAX + 1] = "";
	buf_init(&out, sizeof(text) - 1);
	json_writer_init(&writer, &out, false);
	json_open_array(&writer);
	assert_int_equal(store_read_begin(desk.sensor->store, &txn, &err), 0);
	if (id != NULL)
		(void)desk_render_request(desk.desk, txn, id, &writer);
	while (id == NULL && desk_render_next_request(desk.desk, txn, position, &writer))
		;
	store_read_end(txn);
	json_close_array(&writer);
	(void)text_copy(text, sizeof(text), buf_text(&out));
	buf_clear(&out);
	return text;
}

static void a_request_is_shown_as_it_was_answered(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1], wanted[16384];
	assert_string_equal(shown(NULL), "[]");
	make("a.example", id);
	assert_non_null(strstr(desk.document, "\"domains\":[\"a.example\"]"));
	assert_non_null(strstr(desk.document, "-----BEGIN CERTIFICATE REQUEST-----"));
	const char *object = strstr(desk.document, "\"csr\":") + strlen("\"csr\":");
	const char *end = strstr(object, ",\"warnings\":[]}}"); /* are of the order alone */
	assert_non_null(end);
	(void)snprintf(wanted, sizeof(wanted), "[%.*s}]", (int)(end - object), object);
	assert_string_equal(shown(id), wanted);
	assert_string_equal(shown(NULL), wanted);
	assert_string_equal(shown("q-none"), "[]");
}

static void all_are_listed_and_nothing_else(void **state)
{
	(void)state;
	char first[DELIVERY_ID_MAX + 1], second[DELIVERY_ID_MAX + 1];
	make("a.example", first);
	make("b.example", second);
	desk_fixture_run(
		&desk, DESK_PLAN, desk_fixture_plan(&desk, "")); /* its key is no request */
	const char *text = shown(NULL);
	assert_non_null(strstr(text, first));
	assert_non_null(strstr(text, second));
	assert_null(strstr(text, "\"error\""));
	assert_null(strstr(text, desk_fixture_text(&desk, "plan", "id")));
}

static void write_other(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

/* Sealed under another id: as good as without its vault. */
static void one_that_cannot_be_opened_is_listed_all_the_same(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct secret text = SECRET_INIT;
	struct vault_sealed sealed;
	secret_set(&text, "{}", 2);
	assert_int_equal(vault_seal(desk.desk->vault, "q-2-request", VAULT_REQUEST, &text,
				 clock_now_s(), 0, &sealed, &err),
		0);
	secret_clear(&text);
	sealed.id[2] = '1';
	assert_int_equal(store_write_now(desk.sensor->store, write_other, &sealed, &err), 0);
	vault_sealed_clear(&sealed);
	assert_non_null(strstr(shown(NULL), "[{\"id\":\"q-1\",\"error\":\"the sealed key "));
}

/* A damaged store; none of ours has such a name. */
static void what_has_no_request_s_name_is_passed_over(void **state)
{
	(void)state;
	static const char *const names[] = {
		"q1", "q-1-z", "q-123456789012345678901234567890123456789-request"};
	char id[DELIVERY_ID_MAX + 1], wanted[DELIVERY_ID_MAX + 16];
	struct err err = ERR_INIT;
	make("a.example", id);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct secret text = SECRET_INIT;
		struct vault_sealed sealed;
		secret_set(&text, "{}", 2);
		assert_int_equal(vault_seal(desk.desk->vault, names[i], VAULT_REQUEST, &text,
					 clock_now_s(), 0, &sealed, &err),
			0);
		secret_clear(&text);
		assert_int_equal(
			store_write_now(desk.sensor->store, write_other, &sealed, &err), 0);
		vault_sealed_clear(&sealed);
	}
	(void)snprintf(wanted, sizeof(wanted), "[{\"id\":\"%s\"", id);
	assert_int_equal(strncmp(shown(NULL), wanted, strlen(wanted)), 0);
	assert_null(strstr(shown(NULL), "},{"));
}

static const char *drop_body(const char *id)
{
	static char body[128];
	(void)snprintf(body, sizeof(body), "{'csr': '%s'}", id);
	return body;
}

static void what_is_dropped_is_gone_with_its_key(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1], request[DESK_REQUEST_ID_MAX];
	make("a.example", id);
	desk_request_vault_id(id, request);
	assert_true(desk_fixture_has_key(&desk, id) && desk_fixture_has_key(&desk, request));
	desk_fixture_run(&desk, DESK_CSR_DROP, drop_body(id));
	assert_string_equal(desk_fixture_text(&desk, "csr", "id"), id);
	assert_false(desk_fixture_has_key(&desk, id) || desk_fixture_has_key(&desk, request));
	assert_string_equal(shown(NULL), "[]");
	desk_fixture_refuse(
		&desk, DESK_CSR_DROP, drop_body(id), ERR_NOT_FOUND, "there is no request q-");
	desk_fixture_refuse(&desk, DESK_CSR_DROP, "{}", ERR_CONFIG, "csr: expected the id");
}

/* It lies in the same vault. */
static void the_key_of_a_plan_is_none_to_drop(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1];
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""));
	(void)text_copy(id, sizeof(id), desk_fixture_text(&desk, "plan", "id"));
	assert_true(desk_fixture_has_key(&desk, id));
	desk_fixture_refuse(
		&desk, DESK_CSR_DROP, drop_body(id), ERR_NOT_FOUND, "there is no request p-");
	assert_true(desk_fixture_has_key(&desk, id));
}

static void write_need(struct store_txn *txn, void *arg)
{
	store_vault_need(txn, arg, "j-1", 0);
}

static void a_key_that_is_needed_is_kept(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1];
	struct err err = ERR_INIT;
	make("a.example", id);
	struct plan_record plan = sample_plan_waiting("p-1", SHOP, DESK_REGION);
	plan.key_id = id;
	sample_plan_put(desk.sensor->store, &plan);
	desk_fixture_refuse(&desk, DESK_CSR_DROP, drop_body(id), ERR_REFUSED,
		"plan p-1 waits for the key of request q-");
	plan.expires_s = clock_now_s();
	sample_plan_put(desk.sensor->store, &plan);
	assert_non_null(strstr(shown(id), "\"state\":\"open\"}"));
	assert_int_equal(store_write_now(desk.sensor->store, write_need, id, &err), 0);
	assert_non_null(strstr(shown(id), "\"state\":\"applied\"}"));
	desk_fixture_refuse(&desk, DESK_CSR_DROP, drop_body(id), ERR_REFUSED,
		" was delivered: it is kept for the way back, and wiped when its time is over");
	assert_true(desk_fixture_has_key(&desk, id));
}

static void write_release(struct store_txn *txn, void *arg)
{
	store_vault_release(txn, arg, "j-1");
}

static void write_due(struct store_txn *txn, void *arg)
{
	const int64_t *now_s = arg;
	store_vault_delete_due(txn, *now_s);
}

static void write(store_write_fn *what, void *arg)
{
	struct err err = ERR_INIT;
	if (store_write_now(desk.sensor->store, what, arg, &err) != 0)
		fail_msg("%s", err.text);
}

/* Of a delivery that changed nothing. */
static void a_key_that_came_back_stays_for_its_90_days_or_is_dropped(void **state)
{
	(void)state;
	char kept[DELIVERY_ID_MAX + 1], dropped[DELIVERY_ID_MAX + 1];
	int64_t before_s = clock_now_s() + 90 * 86400 - 1;
	make("a.example", kept);
	make("b.example", dropped);
	write(write_need, kept);
	write(write_need, dropped);
	write(write_release, kept);
	write(write_release, dropped);
	desk_fixture_run(&desk, DESK_CSR_DROP, drop_body(dropped));
	assert_false(desk_fixture_has_key(&desk, dropped));
	int64_t due_s = clock_now_s() + 90 * 86400;
	write(write_due, &before_s);
	assert_true(desk_fixture_has_key(&desk, kept));
	write(write_due, &due_s);
	assert_false(desk_fixture_has_key(&desk, kept));
}

/* What is shown of it has a name in the vault too, which is no request's. */
static void a_request_without_its_key_is_none_to_drop(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1], request_id[DESK_REQUEST_ID_MAX];
	make("a.example", id);
	desk_request_vault_id(id, request_id);
	desk_fixture_refuse(&desk, DESK_CSR_DROP, drop_body(request_id), ERR_NOT_FOUND,
		"there is no request q-");
	assert_true(desk_fixture_has_key(&desk, request_id));
}

/* A plan of another key, one that refuses, and one that was applied do not wait for it. */
static void other_plans_do_not_keep_it(void **state)
{
	(void)state;
	char id[DELIVERY_ID_MAX + 1];
	make("a.example", id);
	struct plan_record plan = sample_plan_waiting("p-1", SHOP, DESK_REGION);
	plan.key_id = "q-other";
	sample_plan_put(desk.sensor->store, &plan);
	plan.id = "p-2";
	plan.key_id = id;
	plan.decision = PLAN_REFUSE;
	sample_plan_put(desk.sensor->store, &plan);
	plan.id = "p-3";
	plan.decision = PLAN_IMPORT_NEW;
	plan.job_id = "j-1";
	sample_plan_put(desk.sensor->store, &plan);
	desk_fixture_run(&desk, DESK_CSR_DROP, drop_body(id));
	assert_false(desk_fixture_has_key(&desk, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_request_is_shown_as_it_was_answered),
		DESK_TEST(all_are_listed_and_nothing_else),
		DESK_TEST(one_that_cannot_be_opened_is_listed_all_the_same),
		DESK_TEST(what_has_no_request_s_name_is_passed_over),
		DESK_TEST(what_is_dropped_is_gone_with_its_key),
		DESK_TEST(the_key_of_a_plan_is_none_to_drop),
		DESK_TEST(a_key_that_is_needed_is_kept),
		DESK_TEST(a_key_that_came_back_stays_for_its_90_days_or_is_dropped),
		DESK_TEST(a_request_without_its_key_is_none_to_drop),
		DESK_TEST(other_plans_do_not_keep_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
