/* The libraries below base/, as those that run call themselves. */
#ifndef BASE_VERSIONS_H
#define BASE_VERSIONS_H

struct buf;

/* Appends "libcurl 7.88.1, OpenSSL 3.0.17, ..." */
void versions_format(struct buf *to);

#endif
