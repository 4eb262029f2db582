/*
 * One INI reader for our configuration and for the AWS shared files, which need rules of their own.
 * It streams: each section header and each property is handed to a callback with its place. Lines
 * to 256 KiB, files to 1 MiB, values as they stand (trimmed); a NUL byte or invalid UTF-8 is an
 * error with file, line and column.
 *
 * In both dialects: blank lines and lines whose first character that is no blank is '#' or ';' are
 * skipped; a comment after a value starts at a blank and '#' or ';'; after a section header a
 * comment needs no blank; a property before the first section is an error. Sections and properties
 * that come twice are handed over twice.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stddef.h>

struct err;

enum {
	INI_LINE_MAX = 262144, /* a list of 10,000 accounts has 140,000 bytes */
	INI_FILE_MAX = 1048576,
};

enum ini_dialect {
	INI_OURS, /* a line that begins with a blank is an error, so nothing is swallowed */
	INI_AWS,  /* a line that begins with a blank continues the property above (joined with a
		     newline, comments in it kept) or, where that one's value is empty, is a
		     sub-property `key = value`, handed over as "parent.key" after its parent */
};

struct ini_place {
	const char *file; /* borrowed */
	int line;	  /* from 1 */
	int column;	  /* from 1, bytes; of the key, or of the header's '[' */
	int value_column; /* of the value's first byte, or where it would be */
};

/* What an entry function may return instead of -1, so that the message points to the value. */
enum { INI_VALUE_AT_FAULT = -2 };

/*
 * section   "connector prod" without brackets, trimmed; never NULL
 * key       NULL for a section header
 * value     "" when empty; NULL for a section header
 * All are borrowed for the call and wiped later. Returns 0, or -1 (the key or header is at fault)
 * or INI_VALUE_AT_FAULT with err set, without the place: the reader puts "file:line:column: " in
 * front.
 */
typedef int ini_entry_fn(void *arg, const struct ini_place *place, const char *section,
	const char *key, const char *value, struct err *err);

/*
 * Parses len bytes; file is used in messages only. The first failure ends it. ERR_CONFIG with
 * "file:line:column: ...", or the kind that entry set.
 */
int ini_parse(enum ini_dialect dialect, const char *file, const char *text, size_t len,
	ini_entry_fn *entry, void *arg, struct err *err);

/*
 * Reads and parses a file. ERR_CONFIG "file: ..." when it cannot be read or is larger than
 * INI_FILE_MAX; err.code is "ENOENT" when there is none, because the AWS files are optional. The
 * memory that held the text is wiped (AWS files hold secrets).
 */
int ini_parse_file(enum ini_dialect dialect, const char *file, ini_entry_fn *entry, void *arg,
	struct err *err);

#endif
