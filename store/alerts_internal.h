/* What store/check.c needs to know of alerts. */
#ifndef STORE_ALERTS_INTERNAL_H
#define STORE_ALERTS_INTERNAL_H

#include "store/alerts.h"
#include "store/store_internal.h"

struct alert_notice {
	const char *alert_id;
};

/* What makes a decoded record one that was never written under this key; NULL: nothing. */
const char *alert_flaw(struct slice key, const struct alert_record *alert);
const char *alert_notice_flaw(struct slice key, const struct alert_notice *notice);
const char *alert_channel_flaw(struct slice key, const struct alert_channel_record *channel);

#endif
