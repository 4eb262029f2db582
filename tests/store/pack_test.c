/* Packed lists of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "store/pack.h"

static void a_pack_gives_its_texts_in_order(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1000);
	pack_add(&buf, "one");
	pack_add(&buf, "");
	pack_add(&buf, "three");
	struct pack pack = {.bytes = buf_text(&buf), .len = buf.len, .count = 3};
	const char *text = pack_first(&pack);
	assert_string_equal(text, "one");
	text = pack_next(&pack, text);
	assert_string_equal(text, "");
	text = pack_next(&pack, text);
	assert_string_equal(text, "three");
	assert_null(pack_next(&pack, text));
	buf_clear(&buf);
}

static void an_empty_pack_gives_nothing(void **state)
{
	(void)state;
	struct pack pack = {.bytes = NULL};
	assert_null(pack_first(&pack));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pack_gives_its_texts_in_order),
		cmocka_unit_test(an_empty_pack_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
