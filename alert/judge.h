/*
 * What is worth an alert now. Pure: from what the store holds of one subject to a finding or the
 * reason why there is none.
 *
 * A certificate in use (or exported) that AWS will not renew is an emergency from the first
 * threshold on; one that AWS renews gets more urgent as its end comes nearer; one that nothing uses
 * never gets more than a warning, and is silent when a newer one with the same names is there in
 * the same account and region. In use the alert stays, whatever else is there.
 */
#ifndef ALERT_JUDGE_H
#define ALERT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/settings.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/jobs.h"

enum {
	JUDGE_REASON_MAX = 512,
	JUDGE_UNUSED_S = 7 * 86400, /* so long after its end an unused certificate is forgotten */
	JUDGE_JOB_S = 7 * 86400,    /* so long a job that failed is worth a word */
	JUDGE_STALE_S = 2 * 86400,  /* what was not read for so long may have changed since */
	JUDGE_FAILURES = 3,	    /* in a row: unreadable, however short each state was */
};

enum verdict {
	VERDICT_NONE,	 /* reason says why */
	VERDICT_ALERT,	 /* class, days, ends_s and text are set */
	VERDICT_UNKNOWN, /* cannot be told now: what is there stays */
};

struct finding {
	enum verdict verdict;
	enum alert_class class;
	int64_t days, ends_s; /* ALERT_NO_DAYS, 0: no end */
	char text[ALERT_TEXT_MAX];
	char reason[JUDGE_REASON_MAX];
};

/* The smallest threshold that ends_s has passed, or ALERT_NO_DAYS. ends_s 0 (no end known) passes
 * none. */
int64_t judge_days(const struct alert_settings *settings, int64_t ends_s, int64_t now_s);

/* twin_arn: a newer one that can take its place (judge_is_twin); "" for none. read_s: when its
 * account-region was last read; 0: not known. */
void judge_certificate(const struct alert_settings *settings, const struct cert_record *cert,
	const char *twin_arn, int64_t read_s, int64_t now_s, struct finding *ret);
/* Whether other can take the place of old: same names, account and region, valid now, ends
 * later. */
bool judge_is_twin(const struct cert_record *old, const struct cert_record *other, int64_t now_s);

/* All account-regions of one account, added one by one. */
struct coverage_sum {
	int64_t total, lost, never; /* lost: read before, and not any more */
	enum coverage_state state;  /* of the first that counts, with its reason */
	char reason[JUDGE_REASON_MAX];
};
void judge_coverage_add(struct coverage_sum *sum, const struct alert_settings *settings,
	const struct coverage_record *record, int64_t now_s);
/* While the connector as a whole fails, that is what is told: no account is added to it. */
void judge_coverage(const struct coverage_sum *sum, const char *account_id,
	bool is_connector_failing, struct finding *ret);

/* cycle NULL: the connector is not known any more. */
void judge_connector(const struct cycle_record *cycle, struct finding *ret);
/* job NULL: there is none. */
void judge_job(const struct job_record *job, int64_t now_s, struct finding *ret);
/* expires_s: of the credentials in use; 0: they do not end by themselves. */
void judge_identity(const struct alert_settings *settings, const char *source, int64_t expires_s,
	int64_t now_s, struct finding *ret);

#endif
