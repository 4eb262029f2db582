/* DER written by hand, for what no certificate of tests/data has. */
#ifndef TESTS_LIB_MAKE_DER_H
#define TESTS_LIB_MAKE_DER_H

#include <stddef.h>

#include "base/buf.h"
#include "base/der.h"

void make_der_add(struct buf *to, unsigned tag, const void *content, size_t len);
/* Everything that is in der becomes the content of one element. */
void make_der_wrap(struct buf *der, unsigned tag);
/* Borrowed from der until it changes. */
struct der make_der_of(const struct buf *der);

#endif
