/*
 * One INI reader for our configuration and for the AWS shared files, which need rules of their own
 * (facts.md 8.3). It streams: each section header and each property is handed to a callback with
 * its place. Lines to 64 KiB, files to 1 MiB, values as they stand (trimmed); a NUL byte or
 * invalid UTF-8 is an error with file, line and column.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stddef.h>

struct err;

enum {
	INI_LINE_MAX = 65536,
	INI_FILE_MAX = 1048576,
};

enum ini_dialect {
	INI_OURS, /* `key = value ; comment`; '#' or ';' starts a comment at line start or after a
		     blank; a line that begins with a blank is an error, so nothing is swallowed */
	INI_AWS,  /* a line that begins with a blank continues the property or, after an empty value,
		     is a sub-property `key = value`, reported as "parent.key" */
};

struct ini_place {
	const char *file; /* borrowed */
	int line;	  /* from 1 */
	int column;	  /* from 1, bytes; of the key, or of the value in ini_value_place */
	int value_column;
};

/*
 * section   "connector prod" without brackets, trimmed; never NULL for a property
 * key       NULL for a section header
 * value     "" when empty; NULL for a section header
 * Returns 0, or -1 with err set (without the place: the reader puts "file:line:column: " in front).
 */
typedef int ini_entry_fn(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err);

/* Parses len bytes; file is used in messages only. ERR_CONFIG with "file:line:column: ...", or what entry returned. */
int ini_parse(enum ini_dialect dialect, const char *file, const char *text, size_t len,
	ini_entry_fn *entry, void *arg, struct err *err);

/* Reads and parses a file. ERR_CONFIG when it cannot be read, or is larger than INI_FILE_MAX. The
 * memory that held the text is wiped (AWS files hold secrets). */
int ini_parse_file(enum ini_dialect dialect, const char *file, ini_entry_fn *entry, void *arg,
	struct err *err);

#endif
