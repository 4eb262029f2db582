/*
 * Allocation that cannot fail: the program aborts instead. LMDB makes that safe at any instant,
 * and no caller needs a branch that nobody can test. Freed with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *memory, size_t count, size_t size);
char *xstrdup(const char *text);	      /* NULL gives NULL */
char *xstrndup(const char *text, size_t len); /* text may lack a NUL; len bytes, then a NUL */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Grows an array so that it holds at least count + 1 items; doubles, so that appending is cheap.
 * item and capacity are updated. Only for sizes that a limit of the caller already bounds.
 */
void *xgrow(void *item, size_t *capacity, size_t count, size_t item_size);

/* Gives memory that is free back to the system. Takes milliseconds: before a long pause. */
void mem_trim(void);

/* Overwrites in a way that the compiler may not leave out. */
void mem_wipe(void *memory, size_t size);

#endif
