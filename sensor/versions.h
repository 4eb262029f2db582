/* The libraries that run, as they call themselves. */
#ifndef SENSOR_VERSIONS_H
#define SENSOR_VERSIONS_H

struct buf;

/* Appends "libcurl 7.88.1, OpenSSL 3.0.17, ..." */
void versions_format(struct buf *to);

#endif
