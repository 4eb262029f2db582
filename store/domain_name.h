/*
 * Domain names as people type them, made comparable with those in certificates: lower case, no
 * final dot, internationalized labels in their ASCII form (RFC 5891 A-labels by RFC 3492).
 *
 * Not done, because it takes the Unicode tables: normalization, and lower case beyond ASCII,
 * Latin-1, Greek and Cyrillic. Names that browsers and AWS show are normalized already.
 */
#ifndef STORE_DOMAIN_NAME_H
#define STORE_DOMAIN_NAME_H

#include <stdbool.h>

struct err;

enum { DOMAIN_NAME_MAX = 253 };

/* ret: DOMAIN_NAME_MAX + 1 bytes. ERR_CONFIG says what is wrong with text: empty, a label that is
 * empty or longer than 63 bytes, blanks or control bytes, broken UTF-8. */
int domain_name_to_ascii(const char *text, char *ret, struct err *err);

/* "shop.example.com" and "*.example.com" are below "example.com"; so is "example.com" itself. Both
 * are ASCII; case is ignored. */
bool domain_name_is_below(const char *name, const char *suffix);

#endif
