/*
 * CSV after RFC 4180 from the rows of the local API: one column per member, lists of texts joined
 * with blanks, objects as k=v;k=v, deeper things as JSON.
 *
 * Names and tags come from outsiders, and reports are opened in spreadsheets and terminals: a cell
 * that a spreadsheet would take for a formula (it begins with = + - @) gets a leading apostrophe,
 * control characters become escapes (\n), so that a row is a line. Numbers stay numbers. Whoever
 * needs the exact bytes takes JSON.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <jansson.h>

#include "store/list.h"

struct buf;

/* Appends the header line: the row's keys. */
void csv_header(struct buf *to, const json_t *row);
/* The header of a list that has no rows, for programs that expect one. */
void csv_empty_header(struct buf *to, enum list_kind kind);
void csv_row(struct buf *to, const json_t *row);

#endif
