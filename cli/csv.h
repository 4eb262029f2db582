/*
 * CSV after RFC 4180 from the rows of the local API: one column per member, lists joined with
 * blanks, objects as k=v;k=v.
 *
 * A cell that a spreadsheet would take for a formula (it begins with = + - @, tab or CR) gets a
 * leading apostrophe, because names and tags come from outsiders and reports are opened in
 * spreadsheets; numbers stay numbers. Whoever needs the exact bytes takes JSON.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <jansson.h>

struct buf;

/* Appends the header line: the row's keys. */
void csv_header(struct buf *to, const json_t *row);
void csv_row(struct buf *to, const json_t *row);

#endif
