/* The strict reader of import_pem.h. */
#include "tests/awssim/import_pem.h"

#include <string.h>

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : (c == '/' ? 63 : -1);
}

bool base64_decode(struct slice text, struct out *out)
{
	size_t padding = 0;
	if (text.len % 4 != 0)
		return false;
	while (padding < 2 && text.len > padding && text.ptr[text.len - 1 - padding] == '=')
		padding++;
	out_reserve(out, text.len / 4 * 3 + 1);
	for (size_t at = 0; at < text.len; at += 4) {
		size_t digits = at + 4 == text.len ? 4 - padding : 4;
		uint32_t bits = 0;
		for (size_t i = 0; i < 4; i++) {
			int value = i < digits ? value_of(text.ptr[at + i]) : 0;
			if (value < 0)
				return false;
			bits = bits << 6 | (uint32_t)value;
		}
		if (digits < 4 && (bits & ((1U << (8 * (4 - digits))) - 1)) != 0)
			return false;
		for (size_t i = 0; i + 1 < digits; i++)
			out_char(out, (char)(bits >> (16 - 8 * i) & 0xff));
	}
	return true;
}

/* Takes a line from the front, without its end and without blanks at its end. */
static bool take_line(struct slice *text, struct slice *ret_line)
{
	if (text->len == 0)
		return false;
	const char *stop = memchr(text->ptr, '\n', text->len);
	size_t len = stop != NULL ? (size_t)(stop - text->ptr) : text->len;
	size_t whole = stop != NULL ? len + 1 : len;
	*ret_line = (struct slice){text->ptr, len};
	while (ret_line->len > 0 && strchr("\r \t", ret_line->ptr[ret_line->len - 1]) != NULL &&
		ret_line->ptr[ret_line->len - 1] != '\0')
		ret_line->len--;
	text->ptr += whole;
	text->len -= whole;
	return true;
}

/* "-----BEGIN LABEL-----" with word BEGIN or END. */
static bool read_mark(struct slice line, const char *word, char ret_label[40])
{
	static const char dashes[] = "-----";
	char head[16] = "-----";
	size_t len = 5;
	for (const char *at = word; *at != '\0'; at++)
		head[len++] = *at;
	head[len++] = ' ';
	head[len] = '\0';
	if (line.len < len + 5 || !slice_starts(line, head) ||
		memcmp(line.ptr + line.len - 5, dashes, 5) != 0)
		return false;
	return slice_copy((struct slice){line.ptr + len, line.len - len - 5}, ret_label, 40);
}

static enum pem_result read_body(struct slice *text, struct pem_block *block, struct out *digits)
{
	struct slice line;
	char label[40];
	while (take_line(text, &line)) {
		if (read_mark(line, "END", label)) {
			bool is_good = strcmp(label, block->label) == 0 && digits->len > 0 &&
				       base64_decode((struct slice){digits->data, digits->len},
					       &block->der);
			return is_good ? PEM_BLOCK : PEM_BROKEN;
		}
		if (memchr(line.ptr, ':', line.len) != NULL)
			block->has_headers = true;
		else if (line.len > 0 && block->has_headers && digits->len == 0 &&
			 memchr(line.ptr, ',', line.len) != NULL)
			return PEM_BROKEN; /* a header that goes on: nobody writes that here */
		else
			out_bytes(digits, line.ptr, line.len);
	}
	return PEM_BROKEN;
}

enum pem_result pem_next(struct slice *text, struct pem_block *ret_block)
{
	struct slice line;
	ret_block->der.len = 0;
	ret_block->has_headers = false;
	do {
		if (!take_line(text, &line))
			return PEM_END;
	} while (line.len == 0);
	if (!read_mark(line, "BEGIN", ret_block->label))
		return PEM_BROKEN;
	struct out digits = {0};
	enum pem_result result = read_body(text, ret_block, &digits);
	out_clear(&digits);
	return result;
}
