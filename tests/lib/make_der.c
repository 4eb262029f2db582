#include "tests/lib/make_der.h"

void make_der_add(struct buf *to, unsigned tag, const void *content, size_t len)
{
	buf_add_char(to, (char)tag);
	if (len >= 0x100)
		buf_addf(to, "\x82%c", (int)(len >> 8));
	else if (len >= 0x80)
		buf_add_char(to, (char)0x81);
	buf_add_char(to, (char)(len & 0xff));
	buf_add(to, content, len);
}

void make_der_wrap(struct buf *der, unsigned tag)
{
	struct buf whole;
	buf_init(&whole, der->max_bytes);
	make_der_add(&whole, tag, buf_text(der), der->len);
	buf_clear(der);
	*der = whole;
}

struct der make_der_of(const struct buf *der)
{
	return (struct der){(const unsigned char *)buf_text(der), der->len};
}
