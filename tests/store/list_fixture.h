/*
 * A store with some of everything that is listed, and lists as a whole from words like
 * "region=eu-west-1&in_use=yes". Test programs: list_fixture_open and store_fixture_close for all of
 * their tests.
 */
#ifndef TESTS_STORE_LIST_FIXTURE_H
#define TESTS_STORE_LIST_FIXTURE_H

#include <jansson.h>

#include "store/list.h"

struct err;

/* Certificates: those of sample_cert_put from 0 on. */
enum { CERTS = 60, EVENTS = 20, DAY_S = 86400, TEXT_MAX = 16 << 20 };

int list_fixture_open(void **state);

/* list_new, whose texts are gone after it. */
struct list *make_list(enum list_kind kind, const char *words, bool is_ndjson, struct err *err);
/* list_new must refuse the words, with this message. */
void expect_refused(enum list_kind kind, const char *words, const char *message);

/* The whole list; owned. In slices: with a transaction each. */
char *write_all(enum list_kind kind, const char *words, bool is_ndjson, size_t *ret_rows);
char *write_in_slices(enum list_kind kind, const char *words, bool is_ndjson, size_t slice_bytes,
	size_t slice_records, size_t *ret_rows);
size_t count_rows(enum list_kind kind, const char *words);
/* The document's array of that name; borrowed from *ret_document, which is owned. */
const json_t *read_document(
	enum list_kind kind, const char *words, const char *name, json_t **ret_document);

#endif
