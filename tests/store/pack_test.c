/* Packed lists of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void pairs_are_walked_by_key_and_value(void **state)
{
	(void)state;
	static const char texts[] = "team\0web\0env\0\0odd";
	struct pack pack = {.bytes = texts, .len = sizeof(texts), .count = 5};
	const char *key = NULL, *value = NULL;
	assert_true(pack_next_pair(&pack, &key, &value));
	assert_string_equal(key, "team");
	assert_string_equal(value, "web");
	assert_true(pack_next_pair(&pack, &key, &value));
	assert_string_equal(key, "env");
	assert_string_equal(value, "");
	assert_false(pack_next_pair(&pack, &key, &value)); /* a key without a value */
	pack.len -= strlen("odd") + 1;
	pack.count--;
	key = value = NULL;
	while (pack_next_pair(&pack, &key, &value))
		assert_string_not_equal(key, "odd");
	pack = (struct pack){.bytes = NULL};
	key = value = NULL;
	assert_false(pack_next_pair(&pack, &key, &value));
	pack = (struct pack){.bytes = texts, .len = 0, .count = 1};
	assert_null(pack_first(&pack));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pack_gives_its_texts_in_order),
		cmocka_unit_test(an_empty_pack_gives_nothing),
		cmocka_unit_test(pairs_are_walked_by_key_and_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
