#include "sensor/progress.h"

#include "base/json_write.h"

enum { ETA_AFTER_MS = 2000 }; /* the first moments say nothing about the pace */

const char *progress_phase_name(enum progress_phase phase)
{
	static const char *const name[] = {
		"queued", "organization", "accounts", "scan", "finishing", "done"};
	return name[phase];
}

const char *progress_kind_name(enum progress_kind kind)
{
	static const char *const name[] = {"cycle", "catch_up", "asked"};
	return name[kind];
}

const char *progress_result_name(enum progress_result result)
{
	static const char *const name[] = {
		"running", "complete", "incomplete", "failed", "cancelled"};
	return name[result];
}

int64_t progress_pairs_total(const struct progress *progress)
{
	int64_t unopened = progress->accounts_total - progress->accounts_opened;
	if (progress->accounts_opened == 0 || unopened <= 0)
		return progress->pairs_known;
	return progress->pairs_known + unopened * progress->pairs_known / progress->accounts_opened;
}

int64_t progress_eta_s(const struct progress *progress, int64_t now_mono_ms)
{
	int64_t elapsed_ms = now_mono_ms - progress->scan_mono_ms;
	if (progress->phase != PROGRESS_SCAN || progress->scan_mono_ms == 0 ||
		elapsed_ms < ETA_AFTER_MS || progress->pairs_done == 0)
		return -1;
	int64_t left = progress_pairs_total(progress) - progress->pairs_done;
	return left <= 0 ? 0 : elapsed_ms * left / progress->pairs_done / 1000;
}

void progress_render(
	const struct progress *progress, int64_t now_mono_ms, struct json_writer *writer)
{
	int64_t eta_s = progress_eta_s(progress, now_mono_ms);
	bool is_done = progress->phase == PROGRESS_DONE; /* before, the end is not in the store */
	json_open_object(writer);
	json_member_text(writer, "cycle_id", progress->cycle_id);
	json_member_text(writer, "connector", progress->connector);
	json_member_text(writer, "kind", progress_kind_name(progress->kind));
	json_member_text(writer, "phase", progress_phase_name(progress->phase));
	json_member_time(writer, "started", progress->started_s);
	json_member_time(writer, "finished", is_done ? progress->finished_s : 0);
	json_member_text(writer, "result", is_done ? progress_result_name(progress->result) : NULL);
	bool has_failed = is_done && progress->result == PROGRESS_FAILED;
	json_member_text(writer, "error", has_failed ? progress->err.text : NULL);
	json_member_int(writer, "accounts_total", progress->accounts_total);
	json_member_int(writer, "accounts_done", progress->accounts_done);
	json_member_int(writer, "pairs_total", progress_pairs_total(progress));
	json_member_int(writer, "pairs_done", progress->pairs_done);
	json_member_int(writer, "pairs_running", progress->pairs_running);
	json_member_int(writer, "pairs_problem", progress->pairs_problem);
	json_member_int(writer, "certificates", progress->certificates);
	json_member_int(writer, "calls", progress->calls);
	json_member_int(writer, "throttles", progress->throttles);
	json_member_int(writer, "retries", progress->retries);
	json_key(writer, "eta_s");
	if (eta_s < 0)
		json_write_null(writer);
	else
		json_int(writer, eta_s);
	json_close_object(writer);
}
