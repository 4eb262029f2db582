/*
 * What a certificate that ACM lists costs in calls, pure. Most cost none: their summary is what it
 * was.
 */
#ifndef DISCOVERY_CHANGE_H
#define DISCOVERY_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/certs.h"

struct acm_detail;
struct acm_summary;

enum change {
	CHANGE_NONE,	 /* nothing to ask */
	CHANGE_DESCRIBE, /* Describe alone: progress of a renewal, or users, show only there */
	CHANGE_ALL,	 /* Describe, Get, tags */
};

/*
 * known             what the store has; NULL: nothing
 * detail_max_age_s  everything is asked anew when its details are as old as this, some up to half
 *                   of it earlier (by a hash of the ARN), so that not all fall due in one cycle
 */
enum change change_decide(const struct acm_summary *summary, const struct cert_record *known,
	int64_t now_s, int64_t detail_max_age_s);

/* Whether Describe tells of another version (a renewal, a reimport) than this serial and end. */
bool change_is_new_version(
	const struct acm_detail *detail, const char *serial, int64_t not_after_s);

/* Serials as hex; leading zeros and case do not count, and an empty one contradicts nothing. */
bool change_is_same_serial(const char *a, const char *b);

/* Whole seconds of one source may be the rounded ones of another; 0 contradicts nothing. */
bool change_is_same_time(int64_t a_s, int64_t b_s);

/* false: a certificate in this status was never issued, so Get has nothing to give. */
bool change_may_have_pem(const char *status);

#endif
