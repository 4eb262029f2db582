/*
 * Every record format against any bytes. The first byte picks the format, the rest is the record.
 * What decodes must be readable throughout and encode to the same bytes again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/accounts.h"
#include "store/alerts_internal.h"
#include "store/cert_query.h"
#include "store/coverage.h"
#include "store/delivery_internal.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "tests/lib/any_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct record_format *const formats[] = {&cert_format, &cert_history_format,
	&coverage_format, &account_format, &unit_format, &cycle_format, &event_format, &plan_format,
	&job_format, &job_step_format, &vault_format, &alert_format, &alert_notice_format,
	&alert_channel_format};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

/* So that no read is optimized away. */
static volatile size_t seen;

static void read_pack(const struct pack *pack)
{
	uint32_t count = 0;
	for (const char *text = pack_first(pack); text != NULL; text = pack_next(pack, text)) {
		seen += strlen(text);
		count++;
	}
	if (count != pack->count)
		abort();
}

/* All that is done with a certificate that was read: filters and keys of its names. */
static void use_certificate(const struct cert_record *cert)
{
	static const unsigned char hash[KEY_ARN_HASH_LEN];
	struct cert_filter filter = {.in_use = -1,
		.include_gone = true,
		.domain = "www.example.com",
		.tag_key = "team",
		.expires_before_s = 1};
	seen += cert_filter_matches(&filter, cert);
	filter.domain = NULL;
	filter.domain_suffix = "example.com";
	seen += cert_filter_matches(&filter, cert);
	read_pack(&cert->sans);
	read_pack(&cert->in_use_by);
	read_pack(&cert->key_usages);
	read_pack(&cert->ext_key_usages);
	read_pack(&cert->tags);
	for (const char *name = pack_first(&cert->sans); name != NULL;
		name = pack_next(&cert->sans, name)) {
		struct key key = key_cert_domain(name, hash);
		if (key.is_unfit || key.len > KEY_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union any_record record;
	struct err err = ERR_INIT;
	if (size < 1)
		return 0;
	const struct record_format *format = formats[data[0] % FORMATS];
	if (record_decode(format, data + 1, size - 1, &record, &err) != 0)
		return 0;
	if (format == &cert_format)
		use_certificate(&record.cert);
	if (format == &plan_format) {
		read_pack(&record.plan.tags);
		read_pack(&record.plan.verify_hosts);
	}
	if (format == &job_format)
		read_pack(&record.job.old_tags);
	struct buf again;
	buf_init(&again, size);
	if (record_encode(format, &record, &again, &err) != 0 || again.len != size - 1 ||
		memcmp(again.data, data + 1, size - 1) != 0)
		abort();
	buf_clear(&again);
	return 0;
}
