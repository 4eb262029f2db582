/*
 * Standard input, output and error, when whoever started us has closed them: the next files opened
 * (a socket, the store's lock) would get their numbers, and then the log or a list written to them.
 */
#ifndef BASE_STD_FILES_H
#define BASE_STD_FILES_H

/* Opens /dev/null in place of those that are closed, the wrong way round, so that using them is an
 * error as before. Call once, first in main: before anything else opens a file. Ends the process
 * where even that does not work. */
void std_files_open(void);

#endif
