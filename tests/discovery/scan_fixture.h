/*
 * What the tests of acm_scan.h share: a real store in a folder of its own, a small ACM, a scan that
 * is run to its end, and looks into the store. Tests: scan_set_up and scan_tear_down, which checks
 * that nothing is left waiting.
 */
#ifndef TESTS_DISCOVERY_SCAN_FIXTURE_H
#define TESTS_DISCOVERY_SCAN_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "discovery/acm_scan.h"
#include "store/certs.h"
#include "tests/lib/fake_acm.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

#define ACCOUNT		"111122223333"
#define PREFIX		"arn:aws:acm:eu-west-1:" ACCOUNT ":certificate/"
#define LIST		"ListCertificates"
#define DETAIL		"DescribeCertificate"
#define PEM		"GetCertificate"
#define TAGS		"ListTagsForCertificate"
#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, scan_set_up, scan_tear_down)

struct fixture {
	char *folder;
	struct loop *loop;
	struct aws *aws;
	struct aws_client *client;
	struct store *store;
	struct fake_acm acm;
	struct acm_scan_options options;
	bool lacks_origins;
	struct acm_scan *scan;
	int ends;
	size_t calls_before; /* the scan's calls are those from here on */
	struct acm_scan_result result;
	struct err err;
};

int scan_set_up(void **state);
int scan_tear_down(void **state);

/* Starts a scan; it ends when the loop runs. */
void scan_begin(struct fixture *fixture);
/* Runs one to its end, which must come once; or to a good end. */
void scan_run(struct fixture *fixture);
void scan_run_well(struct fixture *fixture);
void expect_error(const struct fixture *fixture, enum err_kind kind, const char *text);

/* Calls of the last scan. */
size_t scan_calls(const struct fixture *fixture, const char *operation);
void expect_calls(
	const struct fixture *fixture, size_t lists, size_t describes, size_t gets, size_t tags);
void expect_result(const struct fixture *fixture, int64_t listed, int64_t tracked, int64_t appeared,
	int64_t changed, int64_t gone);

struct store_txn *begin_read(struct fixture *fixture); /* ends with store_read_end */
/* "a ISSUED", one a line, with "gone" and the mark's text where they apply. Owned. */
char *stored_certs(struct fixture *fixture);
void expect_stored(struct fixture *fixture, const char *expected);
/* "certificate_appeared a: detail" of all but the store's own. Owned. */
char *stored_events(struct fixture *fixture, uint64_t from);
uint64_t last_event(struct fixture *fixture);
void expect_events(struct fixture *fixture, uint64_t after, const char *expected);
/* Everything that a scan could change, as one text. Owned. */
char *store_snapshot(struct fixture *fixture);
void expect_snapshot(struct fixture *fixture, const char *before);
/* The stored record, whose texts live until txn ends. */
struct cert_record read_cert(struct store_txn *txn, const char *id);

void pass_days(int days);
struct err failure(enum err_kind kind, const char *text);

#endif
