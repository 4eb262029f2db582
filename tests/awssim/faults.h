/* Rules that spoil answers: how, how often, and for which requests. */
#ifndef TESTS_AWSSIM_FAULTS_H
#define TESTS_AWSSIM_FAULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/awssim/util.h"

enum fault_kind {
	/* instead of the answer */
	FAULT_500,
	FAULT_503,
	FAULT_RESET,
	FAULT_CLOSE,
	FAULT_STALL,
	FAULT_THROTTLE,
	FAULT_ERROR,	     /* code and status of the rule */
	FAULT_EXPIRED_TOKEN, /* as if the session had ended */
	FAULT_DEAD,	     /* as stall; a CONNECT to the endpoint hangs as well */
	FAULT_REFUSE,	     /* as reset; a CONNECT is refused as well */
	/* the answer, spoilt */
	FAULT_TRUNCATE,
	FAULT_SLOW,
	FAULT_GARBAGE,
	FAULT_HTML,
	FAULT_HTML_502,
	FAULT_EMPTY,
	FAULT_BIG,
	FAULT_WRONG_TYPES,
	FAULT_XML_BOMB,
	FAULT_DUPLICATE_KEYS,
	FAULT_DEEP,
	FAULT_BAD_UTF8,
	/* the paging */
	FAULT_ENDLESS_TOKEN,
	FAULT_REPEAT_PAGE,
	/* on top of everything else */
	FAULT_LATENCY,
	FAULT_KINDS,
};

struct fault_rule {
	enum fault_kind kind;
	double probability;
	int64_t left; /* how many times more; -1: without end */
	int64_t skip; /* fitting requests that pass before the first hit */
	bool after;   /* the operation is carried out first */
	char service[24], operation[48], account[16], region[32]; /* empty: any */
	int64_t ms, bytes;
	int status;
	char code[64], message[256];
	uint64_t hits;
};

/* Where a request goes; unknown parts are "". */
struct fault_point {
	const char *service, *operation, *account, *region;
};

struct faults;

struct faults *faults_new(uint64_t seed);
void faults_free(struct faults *faults);
void faults_clear(struct faults *faults);
void faults_seed(struct faults *faults, uint64_t seed);

/* "kind=0.1,region=us-east-1,count=3"; false with *ret_why (static text) when it is wrong. */
bool faults_add_text(struct faults *faults, const char *text, const char **ret_why);
/* The same members as a JSON object: kind, probability (default 1), service, ... */
bool faults_add_json(struct faults *faults, const json_t *rule, const char **ret_why);

/*
 * The first rule that fits and fires, of those played before or after the operation was carried
 * out; NULL: none. Latency rules are left to faults_latency_ms.
 */
const struct fault_rule *faults_pick(
	struct faults *faults, const struct fault_point *at, bool after);
int64_t faults_latency_ms(struct faults *faults, const struct fault_point *at);
/* For CONNECT: only dead and refuse rules, only service and region are known. */
const struct fault_rule *faults_pick_endpoint(struct faults *faults, const struct fault_point *at);

void faults_list(const struct faults *faults, struct out *out); /* a JSON array */
uint64_t faults_hits(const struct faults *faults);

#endif
