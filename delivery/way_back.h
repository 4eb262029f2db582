/*
 * Whether there is a way back over the same ARN: the certificate that was replaced would be a
 * reimport over the one that replaced it, by the same rules of ACM. Pure.
 */
#ifndef DELIVERY_WAY_BACK_H
#define DELIVERY_WAY_BACK_H

#include <stdint.h>

#include "delivery/import_rules.h"

enum { WAY_BACK_TEXT_MAX = 400 };

/* RULE_BROKEN: ACM would refuse old now; ret_why says so in one sentence. Otherwise it is "". */
enum rule_verdict way_back_judge(const struct x509_facts *old, const struct x509_facts *fresh,
	int64_t now_s, char ret_why[WAY_BACK_TEXT_MAX]);

#endif
