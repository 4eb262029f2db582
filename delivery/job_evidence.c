/* The evidence of a job; see job_evidence.h. */
#include "delivery/job_evidence.h"

#include "base/buf.h"
#include "base/json_write.h"
#include "base/text.h"

static void member_fingerprint(struct json_writer *json, const unsigned char *sha256)
{
	char hex[2 * X509_SHA256_LEN + 1];
	text_hex(sha256, X509_SHA256_LEN, hex);
	json_member_text(json, "fingerprint_sha256", hex);
}

static void render_acm(struct json_writer *json, const struct job_evidence *evidence)
{
	json_key(json, "acm");
	if (!evidence->has_acm) {
		json_write_null(json);
		return;
	}
	json_open_object(json);
	json_member_text(json, "serial", evidence->serial);
	member_fingerprint(json, evidence->fingerprint_sha256);
	json_member_time(json, "imported", evidence->imported_s);
	json_member_time(json, "seen", evidence->seen_s);
	json_member_int(json, "in_use_by", (int64_t)evidence->in_use_by);
	json_close_object(json);
}

static void render_host(struct json_writer *json, const struct probed_host *host)
{
	bool has_cert = host->serial[0] != '\0' &&
			(host->outcome == PROBE_SERVED || host->outcome == PROBE_OTHER);
	json_open_object(json);
	json_member_text(json, "host", host->text);
	json_member_text(json, "outcome", probe_outcome_name(host->outcome));
	if (has_cert) {
		json_member_text(json, "serial", host->serial);
		member_fingerprint(json, host->fingerprint_sha256);
	}
	json_member_text(json, "error", host->error);
	json_member_time(json, "at", host->at_s);
	json_close_object(json);
}

void job_evidence_render(const struct job_evidence *evidence, struct buf *to)
{
	struct json_writer json;
	json_writer_init(&json, to, false);
	json_open_object(&json);
	render_acm(&json, evidence);
	json_key(&json, "tags");
	json_open_object(&json);
	json_member_text(&json, "added", evidence->tags_added);
	json_member_text(&json, "restored", evidence->tags_restored);
	json_member_text(&json, "missing", evidence->tags_missing);
	json_close_object(&json);
	json_key(&json, "hosts");
	json_open_array(&json);
	for (size_t i = 0; i < evidence->hosts; i++)
		render_host(&json, &evidence->host[i]);
	json_close_array(&json);
	json_close_object(&json);
}
