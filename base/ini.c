/*
 * The INI reader. A line is checked, classified and taken in; a property stays open until the next
 * one, a header or the end, because in INI_AWS lines that follow may continue it, and is handed to
 * the caller then. All copies are wiped: the AWS files hold secrets.
 */
#include "base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* Part of a line without blanks around it. */
struct span {
	const char *text; /* borrowed from the line */
	size_t len;
	int column; /* of its first byte */
};

struct reader {
	enum ini_dialect dialect;
	ini_entry_fn *entry;
	void *arg;
	struct ini_place place; /* file, and the line that is being read */

	bool has_section, has_open, has_parent;
	struct buf section;
	struct buf parent; /* has_parent: indented lines are its sub-properties */
	struct buf key, value;
	struct ini_place open_place; /* has_open: of key and value, not handed over yet */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_comment_mark(char c)
{
	return c == '#' || c == ';';
}

static struct span trim(const char *line, size_t from, size_t to)
{
	while (from < to && is_blank(line[from]))
		from++;
	while (to > from && is_blank(line[to - 1]))
		to--;
	return (struct span){.text = line + from, .len = to - from, .column = (int)from + 1};
}

static int refuse(const struct reader *reader, int column, const char *reason, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s:%d:%d: %s", reader->place.file, reader->place.line,
		column, reason);
}

static int hand_over(struct reader *reader, const struct ini_place *place, const char *key,
	const char *value, struct err *err)
{
	int rc = reader->entry(reader->arg, place, buf_text(&reader->section), key, value, err);
	if (rc == 0)
		return 0;
	return err_wrap(err, "%s:%d:%d", place->file, place->line,
		rc == INI_VALUE_AT_FAULT ? place->value_column : place->column);
}

static int close_property(struct reader *reader, struct err *err)
{
	if (!reader->has_open)
		return 0;
	reader->has_open = false;
	return hand_over(
		reader, &reader->open_place, buf_text(&reader->key), buf_text(&reader->value), err);
}

static void set_text(struct buf *buf, const char *text, size_t len)
{
	buf_reset(buf);
	buf_add(buf, text, len);
}

/* "[name]", then nothing or a comment. */
static int take_header(
	struct reader *reader, const char *line, const struct span *body, struct err *err)
{
	if (close_property(reader, err) != 0)
		return -1;
	const char *end = memchr(body->text, ']', body->len);
	if (end == NULL)
		return refuse(reader, body->column, "a section header without \"]\"", err);
	size_t open_at = (size_t)(body->text - line), close_at = (size_t)(end - line);
	struct span name = trim(line, open_at + 1, close_at);
	struct span rest = trim(line, close_at + 1, open_at + body->len);
	if (name.len == 0)
		return refuse(reader, body->column, "a section header without a name", err);
	if (rest.len > 0 && !is_comment_mark(rest.text[0]))
		return refuse(reader, rest.column, "text behind a section header", err);

	set_text(&reader->section, name.text, name.len);
	reader->has_section = true;
	reader->has_parent = false;
	struct ini_place place = reader->place;
	place.column = place.value_column = body->column;
	return hand_over(reader, &place, NULL, NULL, err);
}

/* A comment starts at a mark behind a blank, so that "a#b" and "a;b" are values. */
static size_t comment_at(const char *line, size_t from, size_t to)
{
	for (size_t at = from + 1; at < to; at++) {
		if (is_comment_mark(line[at]) && is_blank(line[at - 1]))
			return at;
	}
	return to;
}

/* "key = value", opened until it is known what follows. */
static int take_property(
	struct reader *reader, const char *line, const struct span *body, struct err *err)
{
	if (close_property(reader, err) != 0)
		return -1;
	const char *equals = memchr(body->text, '=', body->len);
	if (equals == NULL)
		return refuse(
			reader, body->column, "expected \"key = value\" or \"[section]\"", err);
	if (!reader->has_section)
		return refuse(reader, body->column, "a property before the first section", err);
	size_t body_at = (size_t)(body->text - line), equals_at = (size_t)(equals - line);
	struct span key = trim(line, body_at, equals_at);
	if (key.len == 0)
		return refuse(reader, body->column, "a property without a key", err);
	size_t end = comment_at(line, equals_at + 1, body_at + body->len);
	struct span value = trim(line, equals_at + 1, end);

	buf_reset(&reader->key);
	if (reader->has_parent) {
		buf_add(&reader->key, reader->parent.data, reader->parent.len);
		buf_add_char(&reader->key, '.');
	}
	buf_add(&reader->key, key.text, key.len);
	set_text(&reader->value, value.text, value.len);
	reader->open_place = reader->place;
	reader->open_place.column = key.column;
	reader->open_place.value_column = value.column;
	reader->has_open = true;
	return 0;
}

/* INI_AWS: belongs to the property above, by what that one's value says. */
static int take_indented(
	struct reader *reader, const char *line, const struct span *body, struct err *err)
{
	if (!reader->has_parent && reader->value.len == 0) {
		set_text(&reader->parent, reader->key.data, reader->key.len);
		if (close_property(reader, err) != 0)
			return -1;
		reader->has_parent = true;
	}
	if (reader->has_parent)
		return take_property(reader, line, body, err);
	buf_add_char(&reader->value, '\n');
	buf_add(&reader->value, body->text, body->len);
	return 0;
}

static int check_bytes(const struct reader *reader, const char *line, size_t len, struct err *err)
{
	uint32_t code_point = 0;
	for (size_t at = 0; at < len;) {
		size_t size = text_utf8_next(line + at, len - at, &code_point);
		if (size == 0)
			return refuse(reader, (int)at + 1, "invalid UTF-8", err);
		if (code_point == 0)
			return refuse(reader, (int)at + 1, "a NUL byte", err);
		at += size;
	}
	return 0;
}

static int take_line(struct reader *reader, const char *line, size_t len, struct err *err)
{
	if (len > INI_LINE_MAX)
		return err_set(err, ERR_CONFIG, "%s:%d:%d: a line of more than %d bytes",
			reader->place.file, reader->place.line, INI_LINE_MAX + 1, INI_LINE_MAX);
	if (check_bytes(reader, line, len, err) != 0)
		return -1;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	struct span body = trim(line, 0, len);
	if (body.len == 0 || is_comment_mark(body.text[0]))
		return 0;
	bool is_indented = body.column > 1;
	if (is_indented && reader->dialect == INI_OURS)
		return refuse(reader, 1, "a line must not begin with a blank", err);
	if (is_indented && reader->has_open)
		return take_indented(reader, line, &body, err);
	reader->has_parent = false;
	if (body.text[0] == '[')
		return take_header(reader, line, &body, err);
	return take_property(reader, line, &body, err);
}

static int take_lines(struct reader *reader, const char *text, size_t len, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors begin UTF-8 with it */
	size_t at = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
	while (at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - text) - at : len - at;
		reader->place.line++;
		if (take_line(reader, text + at, line_len, err) != 0)
			return -1;
		at += line_len + 1;
	}
	return close_property(reader, err);
}

int ini_parse(enum ini_dialect dialect, const char *file, const char *text, size_t len,
	ini_entry_fn *entry, void *arg, struct err *err)
{
	if (len > INI_FILE_MAX)
		return err_set(err, ERR_CONFIG, "%s: larger than %d bytes", file, INI_FILE_MAX);
	struct reader reader = {
		.dialect = dialect, .entry = entry, .arg = arg, .place = {.file = file}};
	/* Nothing below outgrows the file, but a key with its parent's in front. */
	buf_init_secret(&reader.section, INI_LINE_MAX);
	buf_init_secret(&reader.parent, INI_LINE_MAX);
	buf_init_secret(&reader.key, 2 * INI_LINE_MAX);
	buf_init_secret(&reader.value, INI_FILE_MAX);
	int rc = take_lines(&reader, text, len, err);
	buf_clear(&reader.section);
	buf_clear(&reader.parent);
	buf_clear(&reader.key);
	buf_clear(&reader.value);
	return rc;
}

static int read_all(int fd, struct buf *ret_text, struct err *err)
{
	enum { STEP = 16384 };
	for (;;) {
		char *room = buf_room(ret_text, STEP);
		if (room == NULL)
			return err_set(err, ERR_CONFIG, "larger than %d bytes", INI_FILE_MAX);
		ssize_t count = read(fd, room, STEP);
		if (count < 0 && errno != EINTR)
			return err_set_errno(err, ERR_CONFIG, "cannot read");
		if (count == 0)
			return 0;
		if (count > 0)
			buf_advance(ret_text, (size_t)count);
	}
}

static int read_file(const char *file, struct buf *ret_text, struct err *err)
{
	/* O_NONBLOCK, because opening a FIFO would wait for its writer. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		bool is_missing = errno == ENOENT;
		err_set_errno(err, ERR_CONFIG, "cannot open");
		return is_missing ? err_set_code(err, "ENOENT") : -1;
	}
	struct stat status;
	int rc;
	if (fstat(fd, &status) != 0)
		rc = err_set_errno(err, ERR_CONFIG, "cannot stat");
	else if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
		rc = err_set(err, ERR_CONFIG, "not a regular file");
	else
		rc = read_all(fd, ret_text, err);
	(void)close(fd); /* read only: nothing can be lost */
	return rc;
}

int ini_parse_file(
	enum ini_dialect dialect, const char *file, ini_entry_fn *entry, void *arg, struct err *err)
{
	enum {
		ROOM_BEHIND = 32768
	}; /* read_all asks for room before it knows that the end is near */
	struct buf text;
	buf_init_secret(&text, INI_FILE_MAX + ROOM_BEHIND);
	int rc = read_file(file, &text, err);
	if (rc != 0)
		err_wrap(err, "%s", file);
	else
		rc = ini_parse(dialect, file, buf_text(&text), text.len, entry, arg, err);
	buf_clear(&text);
	return rc;
}
