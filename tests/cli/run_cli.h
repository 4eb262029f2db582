/*
 * Command lines of acmsensor, run in this process against answers that a test prepares. Linked in
 * place of cli/source.c and cli/source_daemon.c; poll() returns at once, alarm() does nothing.
 */
#ifndef TESTS_CLI_RUN_CLI_H
#define TESTS_CLI_RUN_CLI_H

#include <stdint.h>

#include "base/err.h"
#include "cli/cli.h"

enum { RUN_NOW_S = 1795222800 /* 2026-11-21T01:00:00Z */ };

/* Of the runs that follow; run_begin makes it a pipe with UTF-8. */
extern struct terminal run_terminal;

/* Of each test; RUN_TEST makes an entry of cmocka's table with them. */
int run_begin(void **state);
int run_end(void **state);
#define RUN_TEST(test) cmocka_unit_test_setup_teardown(test, run_begin, run_end)

/* What comes next, whatever is asked for: JSON with ' for ". Rows and lists are arrays. */
void run_answer(const char *text);
void run_answerf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* code and text: shared static. */
void run_refuse(enum err_kind kind, const char *code, const char *text);
/* SIGINT comes with the answer that was prepared last. */
void run_interrupt(void);

/* line: without the program's name, words between blanks. Needs a command in it. */
void run_line(const char *line);
/* What the completion of shells calls: the last word is being typed, "" behind a blank. */
void run_complete(const char *line);

/* Of the last run. Borrowed until the next. */
int run_code(void);
const char *run_out(void);
const char *run_err(void);
/* "get /v1/status\nrows 3 problems=yes\npost /v1/scan {...}\n": what was asked for, with the kinds
 * of lists as numbers. */
const char *run_asked(void);

/* Runs, and compares all of stdout, all of stderr. NULL: anything. */
void run_is(const char *line, int code, const char *out, const char *err);
/* Whether a part was in stdout. */
void run_shows(const char *part);
void run_hides(const char *part);

#endif
