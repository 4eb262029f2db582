#include "base/versions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void every_library_is_named_with_a_number(void **state)
{
	(void)state;
	static const char *const name[] = {
		"libcurl ", "OpenSSL ", "libevent ", "libxml2 ", "jansson ", "glibc "};
	struct buf text;
	buf_init(&text, 1024);
	versions_format(&text);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		const char *at = strstr(buf_text(&text), name[i]);
		assert_non_null(at);
		assert_in_range(at[strlen(name[i])], '0', '9');
	}
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_library_is_named_with_a_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
