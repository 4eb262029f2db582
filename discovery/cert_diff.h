/* What happened to a certificate between two looks at it, pure: is it written, which event. */
#ifndef DISCOVERY_CERT_DIFF_H
#define DISCOVERY_CERT_DIFF_H

#include <stdbool.h>

#include "store/certs.h"
#include "store/events.h"

enum { CERT_DIFF_DETAIL_MAX = 1024 };

struct cert_diff {
	bool differs;	      /* something that is stored is not what it was */
	bool has_event;	      /* ... and people want to know */
	enum event_kind kind; /* appeared, changed, renewed, reimported, returned */
	/* One printable line: "status: PENDING_VALIDATION -> ISSUED; in_use_by: +arn:... -arn:..." */
	char detail[CERT_DIFF_DETAIL_MAX];
};

/* previous: NULL: not known before. */
void cert_diff_make(const struct cert_record *previous, const struct cert_record *now,
	struct cert_diff *ret_diff);

#endif
