/*
 * One JSON object of the local API, read leniently: a newer daemon may add members, so what is not
 * there, or of another type, is empty, never an error. What is returned is borrowed from row.
 */
#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

const char *row_text(const json_t *row, const char *key);  /* "" when null or absent */
int64_t row_int(const json_t *row, const char *key);	   /* 0 */
bool row_bool(const json_t *row, const char *key);	   /* false */
bool row_has(const json_t *row, const char *key);	   /* there and not null */
int64_t row_time(const json_t *row, const char *key);	   /* RFC 3339 to Unix seconds; 0 */
bool row_is_pem(const json_t *row, const char *key);	   /* in letters of PEM, or absent */
const json_t *row_get(const json_t *row, const char *key); /* NULL when null or absent */

/* An argument as a text of a request, owned by the caller. One that is not UTF-8 is in it too, so
 * that sending it fails (source_post) instead of asking for something else without it. */
json_t *row_argument(const char *text);

#endif
