/* Room for a record of any format. */
#ifndef TESTS_LIB_ANY_RECORD_H
#define TESTS_LIB_ANY_RECORD_H

#include "store/accounts.h"
#include "store/alerts_internal.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/delivery_internal.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/plans.h"

union any_record {
	struct alert_record alert;
	struct alert_notice notice;
	struct alert_channel_record channel;
	struct cert_record cert;
	struct cert_history history;
	struct coverage_record coverage;
	struct account_record account;
	struct unit_record unit;
	struct cycle_record cycle;
	struct event_record event;
	struct plan_record plan;
	struct job_record job;
	struct job_step step;
	struct vault_record sealed;
};

#endif
