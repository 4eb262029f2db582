/* Whole files of test data. */
#ifndef TESTS_LIB_READ_FILE_H
#define TESTS_LIB_READ_FILE_H

#include <stddef.h>

/* Owned, NUL-terminated. A file that cannot be read ends the program: the test data is ours. */
char *read_file(const char *path, size_t *ret_len);

/* tests/data/<folder>/<name><suffix>, from the folder that make runs in. */
char *read_data(const char *folder, const char *name, const char *suffix, size_t *ret_len);

#endif
