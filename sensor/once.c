#include "sensor/once.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "sensor/config.h"
#include "sensor/connector.h"
#include "sensor/sensor.h"
#include "sensor/tally.h"
#include "store/accounts.h"
#include "store/store.h"

enum {
	DRAW_MS = 200,
	BAR_COLUMNS = 24,
	COLUMNS_DEFAULT = 80,
	LINE_MAX_BYTES = 2048,
};

struct once {
	struct sensor *sensor;
	struct loop_timer *timer; /* owned until it fires; NULL without a terminal */
	bool has_terminal;
	int64_t started_mono_ms;
};

/* --- progress bar ----------------------------------------------------------------------------- */

/* Over all connectors. */
static void add_up(struct once *once, struct progress *ret_sum, int64_t *ret_eta_s)
{
	struct progress sum = {.pairs_known = 0}, one;
	int64_t eta_s = 0;
	for (size_t i = 0; i < sensor_connector_count(once->sensor); i++) {
		if (!connector_progress(sensor_connector(once->sensor, i), 0, &one))
			continue;
		int64_t one_s = progress_eta_s(&one, clock_mono_ms());
		bool is_done = one.phase == PROGRESS_DONE;
		if (!is_done && (one_s < 0 || eta_s < 0))
			eta_s = -1;
		else if (!is_done && one_s > eta_s)
			eta_s = one_s;
		sum.accounts_total += one.accounts_total;
		sum.accounts_done += one.accounts_done;
		sum.pairs_known += progress_pairs_total(&one);
		sum.pairs_done += one.pairs_done;
		sum.certificates += one.certificates;
		sum.calls += one.calls;
		sum.throttles += one.throttles;
	}
	*ret_sum = sum;
	*ret_eta_s = eta_s;
}

static size_t terminal_columns(void)
{
	struct winsize size;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

static void draw(struct once *once)
{
	struct progress sum;
	int64_t eta_s = 0;
	char left[TEXT_DURATION_MAX] = "";
	struct buf line;
	add_up(once, &sum, &eta_s);
	buf_init(&line, LINE_MAX_BYTES);
	int64_t filled = sum.pairs_known > 0 ? sum.pairs_done * BAR_COLUMNS / sum.pairs_known : 0;
	buf_add_char(&line, '[');
	for (int64_t i = 0; i < BAR_COLUMNS; i++)
		buf_add_char(&line, i < filled ? '#' : '-');
	buf_addf(&line,
		"] %" PRId64 "/%" PRId64 " account-regions  %" PRId64 "/%" PRId64
		" accounts  %" PRId64 " certificates  %" PRId64 " calls",
		sum.pairs_done, sum.pairs_known, sum.accounts_done, sum.accounts_total,
		sum.certificates, sum.calls);
	if (sum.throttles > 0)
		buf_addf(&line, "  %" PRId64 " throttles", sum.throttles);
	if (eta_s > 0)
		buf_addf(&line, "  %s left", text_format_duration(eta_s, left));
	size_t columns = terminal_columns() - 1;
	fprintf(stderr, "\r\033[K%.*s", (int)(line.len < columns ? line.len : columns),
		buf_text(&line));
	buf_clear(&line);
}

static void on_draw(void *arg)
{
	struct once *once = arg;
	draw(once);
	once->timer = loop_timer_start(sensor_loop(once->sensor), DRAW_MS, on_draw, once);
}

static void end_bar(struct once *once)
{
	if (!once->has_terminal)
		return;
	loop_timer_cancel(once->timer);
	once->timer = NULL;
	fputs("\r\033[K", stderr);
}

/* --- summary ---------------------------------------------------------------------------------- */

static void print_unread(struct store_txn *txn, const struct coverage_record *record)
{
	struct account_record account;
	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	bool has_account = store_account_get(txn, record->connector, record->account_id, &account);
	buf_addf(&line, "%s %s", record->account_id, record->region);
	if (has_account && account.name[0] != '\0') {
		buf_add_text(&line, " (");
		text_escape(&line, account.name, strlen(account.name), 128);
		buf_add_char(&line, ')');
	}
	buf_addf(&line, ": %s", coverage_state_name(record->state));
	if (record->reason[0] != '\0') {
		buf_add_text(&line, ": ");
		text_escape_line(&line, record->reason, strlen(record->reason), 512);
	}
	printf("  %s\n", buf_text(&line));
	buf_clear(&line);
}

static void print_summary(struct once *once, const struct tally *tally)
{
	struct progress sum;
	int64_t eta_s = 0;
	char took[TEXT_DURATION_MAX];
	add_up(once, &sum, &eta_s);
	printf("%" PRId64 " accounts, %" PRId64 " account-regions read, %" PRId64
	       " certificates; %" PRId64 " calls, %" PRId64 " throttled, %s\n",
		sum.accounts_total, tally->state[COVERAGE_OK], tally->certificates, sum.calls,
		sum.throttles,
		text_format_duration((clock_mono_ms() - once->started_mono_ms) / 1000, took));
	for (int state = 0; state < COVERAGE_STATES; state++)
		if (state != COVERAGE_OK && tally->state[state] > 0)
			printf("%" PRId64 " account-regions: %s\n", tally->state[state],
				coverage_state_name((enum coverage_state)state));
	if (tally->problems > 0)
		printf("not read:\n");
}

static int summarize(struct once *once, int64_t *ret_problems, struct err *err)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	struct store_txn *txn = NULL;
	struct tally tally;
	if (store_read_begin(sensor_store(once->sensor), &txn, err) != 0)
		return -1;
	tally_init(&tally, NULL);
	while (!tally_slice(&tally, txn))
		; /* the work is done: nobody waits */
	print_summary(once, &tally);
	while (tally.problems > 0 && store_coverage_next(txn, NULL, NULL, position, &record))
		if (coverage_is_problem(record.state))
			print_unread(txn, &record);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	*ret_problems = tally.problems;
	return rc;
}

/* --- run -------------------------------------------------------------------------------------- */

static bool is_all_done(struct once *once)
{
	for (size_t i = 0; i < sensor_connector_count(once->sensor); i++)
		if (connector_last(sensor_connector(once->sensor, i)) == NULL)
			return false;
	return true;
}

static void on_idle(void *arg)
{
	struct once *once = arg;
	if (is_all_done(once))
		sensor_stop(once->sensor);
}

static int ask_all(struct once *once, struct err *err)
{
	enum connector_answer answer;
	char cycle_id[PROGRESS_ID_MAX];
	for (size_t i = 0; i < sensor_connector_count(once->sensor); i++)
		if (connector_ask(
			    sensor_connector(once->sensor, i), "", "", &answer, cycle_id, err) != 0)
			return -1;
	return 0;
}

/* Why a cycle failed as a whole, or could not store what it read; NULL: it did what it could. */
static const char *find_failure(const struct progress *progress)
{
	if (progress->result == PROGRESS_FAILED)
		return progress->err.text;
	return progress->store_err.kind != ERR_NONE ? progress->store_err.text : NULL;
}

/* Each is told. */
static size_t count_failed(struct once *once)
{
	size_t failed = 0;
	for (size_t i = 0; i < sensor_connector_count(once->sensor); i++) {
		const struct connector *connector = sensor_connector(once->sensor, i);
		const struct progress *last = connector_last(connector);
		const char *failure = last != NULL ? find_failure(last) : NULL;
		if (failure == NULL)
			continue;
		failed++;
		fprintf(stderr, "acmsensord: connector %s: %s\n", connector_config(connector)->name,
			failure);
	}
	return failed;
}

static int end(struct once *once)
{
	struct err err = ERR_INIT;
	int64_t problems = 0;
	if (sensor_was_interrupted(once->sensor)) {
		fputs("acmsensord: interrupted; what was read so far is kept\n", stderr);
		return ONCE_FAILED;
	}
	if (summarize(once, &problems, &err) != 0) {
		fprintf(stderr, "acmsensord: %s\n", err.text);
		return ONCE_FAILED;
	}
	if (count_failed(once) > 0)
		return ONCE_FAILED;
	return problems > 0 ? ONCE_INCOMPLETE : ONCE_COMPLETE;
}

int once_run(struct config *config)
{
	struct err err = ERR_INIT;
	struct once once = {
		.has_terminal = isatty(STDERR_FILENO) == 1, .started_mono_ms = clock_mono_ms()};
	if (config->connector_count == 0) {
		fprintf(stderr, "acmsensord: %s: no connector is configured, nothing to discover\n",
			config->file);
		config_free(config);
		return ONCE_USAGE;
	}
	if (once.has_terminal && log_get_level() == LOG_INFO)
		log_set_level(LOG_WARNING); /* the bar tells */
	once.sensor = sensor_new(
		&(struct sensor_options){
			.config = config, .is_once = true, .on_idle = on_idle, .arg = &once},
		&err);
	int code = err.kind == ERR_CONFIG ? ONCE_USAGE : ONCE_FAILED;
	if (once.sensor == NULL || ask_all(&once, &err) != 0) {
		fprintf(stderr, "acmsensord: %s\n", err.text);
	} else {
		if (once.has_terminal)
			once.timer =
				loop_timer_start(sensor_loop(once.sensor), DRAW_MS, on_draw, &once);
		sensor_run(once.sensor);
		end_bar(&once);
		code = end(&once);
	}
	sensor_free(once.sensor);
	return code;
}
