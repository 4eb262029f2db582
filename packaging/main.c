/* manual: a man page's template on standard input, the page on standard output (see manual.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "packaging/manual.h"

enum { PAGE_MAX = 1 << 20 };

static int read_all(struct buf *to, struct err *err)
{
	char piece[4096];
	size_t len;
	while ((len = fread(piece, 1, sizeof(piece), stdin)) > 0)
		buf_add(to, piece, len);
	if (ferror(stdin))
		return err_set_errno(err, ERR_SYSTEM, "standard input");
	return buf_check(to, "the template", err);
}

static int run(struct buf *template, struct buf *page, struct err *err)
{
	if (read_all(template, err) != 0 ||
		manual_expand(buf_text(template), template->len, page, err) != 0)
		return -1;
	if (fputs(buf_text(page), stdout) == EOF || fflush(stdout) != 0)
		return err_set_errno(err, ERR_SYSTEM, "standard output");
	return 0;
}

int main(void)
{
	struct err err = ERR_INIT;
	struct buf template, page;
	buf_init(&template, PAGE_MAX);
	buf_init(&page, PAGE_MAX);
	int rc = run(&template, &page, &err);
	if (rc != 0)
		fprintf(stderr, "manual: %s\n", err.text);
	buf_clear(&page);
	buf_clear(&template);
	return rc == 0 ? 0 : 1;
}
