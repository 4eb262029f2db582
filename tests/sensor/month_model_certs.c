/* The part of month_model.h that knows certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "discovery/acm_scan.h"
#include "tests/lib/fake_call.h"
#include "tests/sensor/month_model.h"

enum {
	DAY_S = 86400,
	DETAIL_MAX_AGE_S = 7 * DAY_S, /* the option's default */
};

static const char *const told_name[TOLD_COUNT] = {"serial", "not_before", "not_after", "status",
	"renewal_status", "in_use", "in_use_by", "tags", "key_algorithm", "signature_algorithm",
	"issuer", "subject", "fingerprint_sha256"};

static void set(told_text told, enum told which, const char *value)
{
	assert_true(text_copy(told[which], TOLD_MAX, value));
}

static void set_time(told_text told, enum told which, int64_t unix_s)
{
	char text[TEXT_TIME_MAX];
	set(told, which, unix_s != 0 ? text_format_time(unix_s, text) : "");
}

static void set_name(told_text told, enum told which, const char *domain_name)
{
	snprintf(told[which], TOLD_MAX, "CN=%s", domain_name);
}

/* All that ACM would tell of it now. */
static void tell_all(const struct fake_acm_cert *acm, const struct month_cert *cert, told_text told)
{
	bool has_pem = cert->pem != NULL;
	memset(told, 0, sizeof(told_text));
	set(told, TOLD_SERIAL, cert->serial);
	set_time(told, TOLD_NOT_BEFORE, cert->not_before_s);
	set_time(told, TOLD_NOT_AFTER, cert->not_after_s);
	set(told, TOLD_STATUS, acm->status);
	set(told, TOLD_RENEWAL_STATUS, acm->renewal_status != NULL ? acm->renewal_status : "");
	set(told, TOLD_IN_USE, acm->in_use_by != NULL ? "yes" : "no");
	set(told, TOLD_IN_USE_BY, acm->in_use_by != NULL ? acm->in_use_by : "");
	if (acm->tag != NULL)
		snprintf(told[TOLD_TAGS], TOLD_MAX, "team=%s", acm->tag);
	set(told, TOLD_KEY_ALGORITHM, has_pem ? "Ed25519" : "RSA_2048");
	set(told, TOLD_SIGNATURE_ALGORITHM, has_pem ? "ED25519" : "");
	set(told, TOLD_FINGERPRINT, cert->fingerprint);
	if (!has_pem)
		return;
	set_name(told, TOLD_ISSUER, cert->domain_name);
	set_name(told, TOLD_SUBJECT, cert->domain_name);
}

/* --- calls that were made ---------------------------------------------------------------------- */

static bool was_asked(
	const struct month_model *model, size_t place, const char *id, const char *operation)
{
	const struct fake_acm *acm = &model->world->place[place];
	char part[64];
	snprintf(part, sizeof(part), "certificate/%s\"", id);
	for (size_t i = 0; i < fake_call_count(); i++) {
		const struct fake_record *call = fake_call_record(i);
		if (strcmp(call->operation, operation) == 0 &&
			strcmp(call->account, acm->account_id) == 0 &&
			strcmp(call->region, acm->region) == 0 && strstr(call->body, part) != NULL)
			return true;
	}
	return false;
}

static bool is_summary_changed(const struct model_cert *known, told_text now)
{
	static const enum told in_summary[] = {
		TOLD_NOT_BEFORE, TOLD_NOT_AFTER, TOLD_STATUS, TOLD_IN_USE};
	for (size_t i = 0; i < sizeof(in_summary) / sizeof(in_summary[0]); i++)
		if (strcmp(known->told[in_summary[i]], now[in_summary[i]]) != 0)
			return true;
	return false;
}

static bool is_renewal_near(
	const struct month_model *model, const struct fake_acm_cert *acm, int64_t not_after_s)
{
	return strcmp(acm->type, "IMPORTED") != 0 && not_after_s > model->now_s &&
	       not_after_s - model->now_s <= ACM_SCAN_PENDING_DAYS * (int64_t)DAY_S;
}

/*
 * What need not be asked is not asked, and what must be is: new, returned and changed ones wholly,
 * the others when half of their details' greatest age has passed, surely when all of it has; what is
 * pending or near its end is described each time.
 */
static void check_asked(const struct month_model *model, size_t place, size_t i, bool is_changed,
	bool is_described, bool is_all)
{
	const struct fake_acm_cert *acm = &model->world->place[place].cert[i];
	const struct model_cert *known = &model->cert[place][i];
	int64_t age_s = model->now_s - known->detailed_s;
	if (is_changed || age_s >= DETAIL_MAX_AGE_S) {
		assert_true(is_all && is_described);
		return;
	}
	assert_true(!is_all || age_s >= DETAIL_MAX_AGE_S / 2);
	bool is_watched = strcmp(acm->status, "PENDING_VALIDATION") == 0 ||
			  is_renewal_near(model, acm, known->not_after_s);
	assert_int_equal(is_described, is_all || is_watched);
}

/* --- events ------------------------------------------------------------------------------------ */

static const char *or_none(const char *value)
{
	return value[0] != '\0' ? value : "none";
}

static void add_difference(struct buf *detail, enum told which, const char *was, const char *is)
{
	if (strcmp(was, is) == 0)
		return;
	buf_addf(detail, "%s%s:", detail->len > 0 ? "; " : "", told_name[which]);
	if (which != TOLD_IN_USE_BY && which != TOLD_TAGS) {
		buf_addf(detail, " %s -> %s", or_none(was), or_none(is));
		return;
	}
	if (is[0] != '\0')
		buf_addf(detail, " +%s", is);
	if (was[0] != '\0')
		buf_addf(detail, " -%s", was);
}

static void tell(
	struct month_model *model, const char *kind, size_t place, size_t i, const char *detail)
{
	const struct fake_acm *acm = &model->world->place[place];
	month_model_tell(model, "%s %s %s %s %s", kind, acm->account_id, acm->region,
		acm->cert[i].id, detail);
	model->about_certs++;
}

static const char *kind_of(const struct model_cert *known, told_text now, const char *type)
{
	const char *was = known->told[TOLD_SERIAL];
	if (known->is_gone)
		return "certificate_returned";
	if (was[0] == '\0' || strcmp(was, now[TOLD_SERIAL]) == 0)
		return "certificate_changed";
	return strcmp(type, "IMPORTED") == 0 ? "certificate_reimported" : "certificate_renewed";
}

static void tell_change(struct month_model *model, size_t place, size_t i, told_text now)
{
	const struct fake_acm_cert *acm = &model->world->place[place].cert[i];
	struct model_cert *known = &model->cert[place][i];
	struct buf detail;
	buf_init(&detail, 4096);
	for (size_t which = 0; which < TOLD_COUNT; which++)
		add_difference(&detail, (enum told)which, known->told[which], now[which]);
	if (detail.len > 0 || known->is_gone)
		tell(model, kind_of(known, now, acm->type), place, i, buf_text(&detail));
	buf_clear(&detail);
}

static void tell_appearance(struct month_model *model, size_t place, size_t i, told_text now)
{
	struct buf detail;
	buf_init(&detail, 4096);
	buf_addf(&detail, "type: %s; status: %s; not_after: %s; serial: %s",
		model->world->place[place].cert[i].type, now[TOLD_STATUS],
		or_none(now[TOLD_NOT_AFTER]), or_none(now[TOLD_SERIAL]));
	tell(model, "certificate_appeared", place, i, buf_text(&detail));
	buf_clear(&detail);
}

/* --- reading ----------------------------------------------------------------------------------- */

static void read_cert(struct month_model *model, size_t place, size_t i)
{
	const struct fake_acm_cert *acm = &model->world->place[place].cert[i];
	const struct month_cert *cert = &model->world->cert[place][i];
	struct model_cert *known = &model->cert[place][i];
	const struct model_pair *pair = &model->pair[place / MONTH_REGIONS][place % MONTH_REGIONS];
	told_text now;
	bool is_all = was_asked(model, place, acm->id, "ListTagsForCertificate");
	bool is_described = was_asked(model, place, acm->id, "DescribeCertificate");
	tell_all(acm, cert, now);
	bool is_changed = !known->is_known || known->is_gone || is_summary_changed(known, now);
	check_asked(model, place, i, is_changed, is_described, is_all);
	if (!is_described)
		set(now, TOLD_RENEWAL_STATUS, known->told[TOLD_RENEWAL_STATUS]);
	if (!is_all)
		set(now, TOLD_TAGS, known->told[TOLD_TAGS]);
	if (known->is_known)
		tell_change(model, place, i, now);
	else
		tell_appearance(model, place, i, now);
	bool has_ended = known->is_known && !known->is_gone && pair->last_success_s != 0 &&
			 known->not_after_s > pair->last_success_s &&
			 known->not_after_s <= model->now_s && cert->not_after_s <= model->now_s;
	if (has_ended)
		tell(model, "certificate_expired", place, i, "");
	memcpy(known->told, now, sizeof(told_text));
	known->is_known = true;
	known->is_gone = false;
	known->not_after_s = cert->not_after_s;
	if (is_all)
		known->detailed_s = model->now_s;
	model->details_read += is_all;
}

static void lose_cert(struct month_model *model, size_t place, size_t i, const char *detail)
{
	struct model_cert *known = &model->cert[place][i];
	if (!known->is_known || known->is_gone)
		return;
	known->is_gone = true;
	tell(model, "certificate_gone", place, i, detail);
}

void month_model_read(struct month_model *model, size_t place)
{
	const struct fake_acm *acm = &model->world->place[place];
	for (size_t i = 0; i < acm->count; i++) {
		if (acm->cert[i].is_listed)
			read_cert(model, place, i);
		else
			lose_cert(model, place, i, "");
	}
}

void month_model_lose_certs(struct month_model *model, size_t place)
{
	for (size_t i = 0; i < MONTH_CERTS; i++)
		lose_cert(model, place, i, "the account is no longer in the organization");
}
