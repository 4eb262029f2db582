/* Environment variables and files of a test's own, for what reads AWS's shared files. */
#ifndef TESTS_LIB_FAKE_ENVIRONMENT_H
#define TESTS_LIB_FAKE_ENVIRONMENT_H

/* Same contract as getenv: only what was set here is there. */
const char *fake_getenv(const char *name);
void fake_setenv(const char *name, const char *value); /* copied; NULL: unset */

/* A new folder as HOME, with an empty .aws in it; everything else unset. */
void fake_environment_begin(void);
/* Writes text to HOME/.aws/<name>; NULL removes it. */
void fake_environment_write(const char *name, const char *text);
void fake_environment_end(void); /* removes the folder */

#endif
