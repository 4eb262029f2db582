/* What is alerted on, as configured. */
#ifndef ALERT_SETTINGS_H
#define ALERT_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

enum { ALERT_DAYS_MAX = 16 };

struct alert_settings {
	int64_t days[ALERT_DAYS_MAX]; /* thresholds, falling; 0: the end itself */
	size_t days_count;	      /* 0: no certificate is alerted on */
	int64_t coverage_after_s; /* how long a place may be unreadable before anybody is told */
};

#endif
