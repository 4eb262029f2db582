/* What was seen of a delivered certificate, as the JSON that the job's record keeps. Pure. */
#ifndef DELIVERY_JOB_EVIDENCE_H
#define DELIVERY_JOB_EVIDENCE_H

#include "delivery/job_probe.h"
#include "delivery/job_tags.h"

struct buf;

struct job_evidence {
	/* What Describe and Get showed last. */
	bool has_acm;
	int64_t seen_s, imported_s;
	char serial[X509_SERIAL_HEX_MAX];
	unsigned char fingerprint_sha256[X509_SHA256_LEN];
	size_t in_use_by;
	/* Keys, for people; "" for none. */
	char tags_added[1024], tags_restored[1024], tags_missing[1024];
	const struct probed_host *host; /* borrowed */
	size_t hosts;
};

/* Appends {"acm": {...} or null, "tags": {...}, "hosts": [...]}. */
void job_evidence_render(const struct job_evidence *evidence, struct buf *to);

#endif
