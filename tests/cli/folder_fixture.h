/* A test program in a folder of its own, with files of a mode that a test chooses. */
#ifndef TESTS_CLI_FOLDER_FIXTURE_H
#define TESTS_CLI_FOLDER_FIXTURE_H

#include <stddef.h>

/* cmocka's group setup and teardown: the folder becomes the working directory. */
int folder_enter(void **state);
int folder_leave(void **state);
void folder_write(const char *name, const void *bytes, size_t len, unsigned mode);

#endif
