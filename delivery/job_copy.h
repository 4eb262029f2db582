/* A job's record in memory of its own, for a flow that outlives the read. */
#ifndef DELIVERY_JOB_COPY_H
#define DELIVERY_JOB_COPY_H

#include "base/buf.h"
#include "store/jobs.h"

struct job_copy {
	struct job_record record; /* its texts owned; changed by job_copy_set alone */
	struct buf old_tags;	  /* holds record.old_tags */
};

void job_copy_make(const struct job_record *from, struct job_copy *ret_copy);
void job_copy_clear(struct job_copy *copy); /* zeroed is fine */
/* field: of copy->record; text: copied. */
void job_copy_set(const char **field, const char *text);
/* Replaces the tags: key, value ... */
void job_copy_set_tags(struct job_copy *copy, const struct pack *tags);

#endif
